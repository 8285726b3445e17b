//! Creating orders.

use keycrm_sandbox::{DateStyle, DupMode, DupScope, Options};
use serde_json::{Value, json};

use crate::client::{KEY, answered, get, order, post, send, start, unlimited};

fn full_order() -> Value {
    json!({
        "source_id": "22", "source_uuid": "WEB-1", "unknown": "vanishes", "promocode": null,
        "buyer_comment": "Call first", "shipping_price": "50.25", "discount_percent": 10,
        "ordered_at": "2026-05-04 08:15:30", "is_gift": 1,
        "buyer": {"full_name": "Олена", "email": "olena@mail.app", "phone": "+380671112233"},
        "shipping": {"delivery_service_id": 1, "shipping_address_city": "Kyiv", "shipping_date": "2026-05-06"},
        "marketing": {"utm_source": "facebook"},
        "products": [
            {"sku": "A-1", "name": "Mug", "price": "100.10", "quantity": 3, "discount_amount": 0.3,
             "properties": [{"name": "Color", "value": "blue"}, {"name": "Size"}]},
            {"name": "Box", "price": 5, "quantity": 0.5},
        ],
        "payments": [{"payment_method": "Cash", "amount": 100, "status": "paid"},
                     {"payment_method_id": 2, "amount": 10}],
        "custom_fields": [{"uuid": "OR_1002", "value": ["red", "blue"]}],
    })
}

#[tokio::test]
async fn a_full_order_is_kept_and_added_up() {
    let sandbox = start(unlimited()).await;
    let created = post(&sandbox, &full_order()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let flat = created.json();
    // 3 × 100.10 − 0.30 + 2.50 = 302.50; less 10 %; plus shipping.
    assert_eq!(flat["grand_total"].to_string(), "322.5");
    assert_eq!(flat["total_discount"].to_string(), "30.55");
    assert_eq!(flat["payment_status"], "part_paid");
    assert_eq!(flat["ordered_at"], "2026-05-04T08:15:30.000000Z");
    assert_eq!((&flat["id"], &flat["source_id"], &flat["promocode"]), (&json!(1), &json!(22), &json!(null)));
    assert!(flat.get("buyer").is_none() && flat.get("unknown").is_none());

    let include = "buyer,products.offer,payments,custom_fields,shipping.deliveryService,marketing";
    let whole = get(&sandbox, &format!("/v1/order/1?include={include}")).await.json();
    assert_eq!(whole["buyer"]["email"], "olena@mail.app");
    assert_eq!(whole["shipping"]["shipping_date"], "2026-05-06");
    assert_eq!(whole["marketing"]["utm_source"], "facebook");
    assert_eq!(whole["products"][0]["properties"], json!([{"name": "Color", "value": "blue"}]));
    assert_eq!(whole["payments"][1]["status"], "not_paid");
    assert_eq!(whole["custom_fields"][0]["value"], json!(["red", "blue"]));
    assert!(whole["products"][1]["id"].is_u64() && whole["payments"][0]["id"].is_u64());
    assert_eq!(sandbox.orders().len(), 1);
    sandbox.stop().await;
}

/// A change to a valid order, and the one field error that it makes.
fn refusals() -> Vec<(Value, &'static str, &'static str)> {
    vec![
        (json!({"source_id": null}), "source_id", "The source id field is required."),
        (json!({"source_id": "x"}), "source_id", "The source id must be an integer."),
        (json!({"source_id": 51}), "source_id", "The selected source id is invalid."),
        (json!({"buyer": null}), "buyer", "The buyer field is required."),
        (json!({"buyer": "John"}), "buyer", "The buyer must be an array."),
        (json!({"buyer": {"email": " "}}), "buyer", "The buyer must have at least one of full_name, email, phone."),
        (json!({"buyer": {"email": "a@b@c"}}), "buyer.email", "The buyer.email must be a valid email address."),
        (json!({"products": [{"price": "1,5"}]}), "products.0.price", "The products.0.price must be a number."),
        (
            json!({"payments": [{"payment_method": "Cash"}]}),
            "payments.0.amount",
            "The payments.0.amount field is required.",
        ),
        (
            json!({"payments": [{"amount": 1}]}),
            "payments.0.payment_method_id",
            "The payments.0.payment_method_id field is required when payments.0.payment_method is not present.",
        ),
        (
            json!({"payments": [{"amount": 1, "payment_method_id": 1, "status": "half"}]}),
            "payments.0.status",
            "The selected payments.0.status is invalid.",
        ),
        (json!({"ordered_at": "soon"}), "ordered_at", "The ordered at is not a valid date."),
    ]
}

#[tokio::test]
async fn each_rule_names_its_field() {
    let sandbox = start(unlimited()).await;
    let with = |change: Value| {
        let mut body = json!({"source_id": 22, "buyer": {"phone": "+380671112233"}});
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    for (change, field, text) in refusals() {
        let answer = post(&sandbox, &with(change)).await;
        let wanted = json!({"message": "The given data was invalid.", "errors": {field: [text]}});
        assert_eq!((answer.status, answer.json()), (422, wanted));
    }
    let nothing = answered(send(sandbox.addr(), "POST", "/v1/order", KEY, "not json").await);
    assert_eq!(nothing.status, 422);
    assert!(sandbox.orders().is_empty());
}

#[tokio::test]
async fn a_taken_number_is_refused_within_its_scope() {
    let mut other_source = order("WEB-1");
    other_source["source_id"] = json!(4);
    for (dup_mode, dup_scope, same, elsewhere) in [
        (DupMode::Reject, DupScope::Source, 422, 201),
        (DupMode::Reject, DupScope::Account, 422, 422),
        (DupMode::Accept, DupScope::Source, 201, 201),
    ] {
        let sandbox = start(Options { dup_mode, dup_scope, ..unlimited() }).await;
        assert_eq!(post(&sandbox, &order("WEB-1")).await.status, 201);
        let again = post(&sandbox, &order("WEB-1")).await;
        assert_eq!(again.status, same);
        if same == 422 {
            let text = "The source uuid has already been taken.";
            assert_eq!(again.json()["errors"], json!({"source_uuid": [text]}));
        }
        assert_eq!(post(&sandbox, &other_source).await.status, elsewhere);
        assert_eq!(post(&sandbox, &json!({"source_id": 22, "buyer": {"phone": "1"}})).await.status, 201);
    }
}

#[tokio::test]
async fn only_the_right_key_comes_in() {
    let sandbox = start(Options { api_key: Some("key".to_owned()), ..Options::default() }).await;
    for headers in ["", "Authorization: Bearer other\r\n", "Authorization: Basic key\r\n"] {
        let answer = answered(send(sandbox.addr(), "GET", "/v1/order", headers, "").await);
        assert_eq!((answer.status, answer.json()), (401, json!({"message": "Unauthenticated."})));
        assert_eq!(answer.header("x-ratelimit-limit"), Some("60"));
    }
    assert_eq!(get(&sandbox, "/v1/order").await.status, 200);
    assert_eq!(get(&sandbox, "/v1/order/7").await.status, 404);
    assert_eq!(get(&sandbox, "/v1/nothing").await.json(), json!({"message": "Not Found"}));
}

#[tokio::test]
async fn dates_can_be_written_as_in_the_schema() {
    let sandbox = start(Options { dates: DateStyle::Space, ..unlimited() }).await;
    let mut body = order("A");
    body["ordered_at"] = json!("2026-05-04T10:15:30+02:00");
    assert_eq!(post(&sandbox, &body).await.json()["ordered_at"], "2026-05-04 08:15:30");
}
