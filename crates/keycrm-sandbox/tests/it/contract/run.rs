//! A broad run: each endpoint, with and without associations.

use keycrm_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::call;

/// One answer and the endpoint that gave it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) method: &'static str,
    /// The path without ids, such as `/order/{id}`.
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) body: Value,
}

const ORDER_INCLUDES: &str = "buyer,products.offer,manager,tags,status,marketing,payments,shipping.lastHistory,\
                              shipping.deliveryService,expenses,custom_fields,assigned";
const CARD_INCLUDES: &str = "contact.client,products.offer,manager,status,payments,custom_fields";
const BUYER_INCLUDES: &str = "manager,shipping,company,loyalty,custom_fields";

pub(super) async fn answers(sandbox: &Sandbox) -> Vec<Answered> {
    let mut answers = Vec::new();
    for (method, target, body) in writes().into_iter().chain(reads()) {
        let answer = call(sandbox, method, &format!("/v1{target}"), &body).await;
        let path = target.split('?').next().unwrap_or_default();
        let named = path.split('/').map(|part| if part.parse::<u64>().is_ok() { "{id}" } else { part });
        let path = named.collect::<Vec<_>>().join("/");
        answers.push(Answered { method, path, status: answer.status, body: answer.json() });
    }
    answers
}

type Request = (&'static str, String, Value);

fn writes() -> Vec<Request> {
    let order = json!({
        "source_id": 22, "source_uuid": "WEB-1", "manager_id": 1, "promocode": "X", "buyer_comment": "Call",
        "buyer": {"full_name": "Олена", "email": "olena@mail.app", "phone": "+380671112233"},
        "shipping": {"delivery_service_id": 1, "shipping_date": "2026-05-06", "shipping_receive_point": "12"},
        "marketing": {"utm_source": "facebook"}, "tags": [1],
        "products": [{"sku": "MUG-350", "quantity": 2, "properties": [{"name": "Color", "value": "blue"}]},
                     {"sku": "ONE-OFF", "name": "Box", "price": 5, "discount_percent": 10}],
        "payments": [{"payment_method": "apple pay", "amount": 100, "status": "paid"}],
        "custom_fields": [{"uuid": "OR_1001", "value": ["S"]}, {"uuid": "OR_1007", "value": "x"}],
    });
    let card = json!({
        "source_id": 22, "manager_id": 2, "manager_comment": "Hot", "utm_source": "facebook",
        "contact": {"full_name": "Олена", "phone": "+380671112233"},
        "products": [{"sku": "TEE-M"}, {"name": "Box", "price": 5}],
        "payments": [{"payment_method_id": 2, "amount": 10}],
        "custom_fields": [{"uuid": "LD_2001", "value": "Friends"}],
    });
    let buyer = json!({"full_name": "Петро", "phone": ["+380501112233"], "email": ["p@mail.app"], "manager_id": 1,
                       "shipping": [{"city": "Kyiv"}]});
    let change = json!({"status_id": 8, "manager_comment": "Done", "shipping": {"tracking_code": "2045"},
                        "products": [{"sku": "ONE-OFF", "quantity": 2}]});
    [
        ("POST", "/order", order),
        ("POST", "/order", json!({"source_id": 4, "buyer": {"phone": "1"}})),
        ("POST", "/order/import", json!({"orders": [{"source_id": 4, "source_uuid": "I-1", "buyer": {"phone": "2"}}]})),
        ("PUT", "/order/1", change),
        ("POST", "/order/1/payment", json!({"payment_method": "Cash", "amount": 5.5})),
        ("POST", "/buyer", buyer),
        ("POST", "/buyer", json!({"full_name": "Ann"})),
        ("POST", "/pipelines/cards", card),
        ("POST", "/pipelines/cards", json!({"contact": {"client_id": 1}, "pipeline_id": 2})),
        ("PUT", "/pipelines/cards/1", json!({"title": "Hot", "status_id": 3, "products": [{"sku": "TEA-100"}]})),
    ]
    .into_iter()
    .map(|(method, path, body)| (method, path.to_owned(), body))
    .collect()
}

fn reads() -> Vec<Request> {
    let plain = ["source", "status", "payment-method", "delivery-service", "tag"].map(|list| format!("/order/{list}"));
    let others = ["/users", "/pipelines", "/pipelines/1/statuses", "/products", "/offers", "/custom-fields"];
    let mut targets: Vec<String> = plain.into_iter().chain(others.map(str::to_owned)).collect();
    for (path, includes) in [
        ("/order", ORDER_INCLUDES),
        ("/order/1", ORDER_INCLUDES),
        ("/order/2", ORDER_INCLUDES),
        ("/pipelines/cards", CARD_INCLUDES),
        ("/pipelines/cards/1", CARD_INCLUDES),
        ("/pipelines/cards/2", CARD_INCLUDES),
        ("/buyer", BUYER_INCLUDES),
        ("/buyer/1", BUYER_INCLUDES),
        ("/offers", "product"),
        ("/products", "custom_fields"),
        ("/custom-fields", "options"),
    ] {
        targets.extend([path.to_owned(), format!("{path}?include={includes}")]);
    }
    targets.into_iter().map(|target| ("GET", target, Value::Null)).collect()
}
