//! Whatever comes, the answer is the caller's fault, never the server's; and the description names every endpoint.

use serde_json::{Value, json};

use crate::client::{KEY, answered, call, get, order, post, send, start, unlimited};

const WRITES: &[(&str, &str)] = &[
    ("POST", "/v1/order"),
    ("PUT", "/v1/order/1"),
    ("POST", "/v1/order/1/payment"),
    ("POST", "/v1/buyer"),
    ("POST", "/v1/pipelines/cards"),
    ("PUT", "/v1/pipelines/cards/1"),
];

/// A body with this value under every key that some endpoint reads.
fn everywhere(value: &Value) -> Value {
    let mut body = json!({});
    for key in [
        "source_id",
        "source_uuid",
        "manager_id",
        "ordered_at",
        "is_gift",
        "tags",
        "taxes",
        "discount_percent",
        "buyer",
        "shipping",
        "marketing",
        "products",
        "payments",
        "custom_fields",
        "status_id",
        "amount",
        "payment_method",
        "payment_method_id",
        "payment_date",
        "full_name",
        "email",
        "phone",
        "birthday",
        "title",
        "pipeline_id",
        "contact",
        "communicate_at",
        "client_id",
        "note",
    ] {
        body[key] = value.clone();
    }
    body
}

#[tokio::test]
async fn odd_bodies_are_refused_or_taken_but_never_break_it() {
    let sandbox = start(unlimited()).await;
    post(&sandbox, &order("A")).await;
    call(&sandbox, "POST", "/v1/pipelines/cards", &json!({"contact": {"full_name": "Ann"}})).await;
    let numbers: Value = serde_json::from_str("[1e400, -0, 99999999999999999999999, 1e-400]").unwrap();
    let mut values = vec![
        json!(null),
        json!(true),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("9999-99-99"),
        json!("-000001-01-01T00:00:00Z"),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!({"id": {}}),
        json!([{"id": -1, "sku": [], "amount": "x"}]),
    ];
    values.extend(numbers.as_array().unwrap().clone());
    for value in &values {
        let inner = everywhere(value);
        for body in [value.clone(), inner.clone(), everywhere(&inner), everywhere(&json!([inner]))] {
            for (method, path) in WRITES {
                let answer = call(&sandbox, method, path, &body).await;
                assert!(answer.status < 500 && answer.json().is_object(), "{method} {path} {body}: {}", answer.text);
            }
        }
    }
    for text in ["", "{", "[", "\"", "{\"source_id\":22,\"source_id\":", "source_id=22&buyer[phone]=1"] {
        for (method, path) in WRITES {
            assert!(
                answered(send(sandbox.addr(), method, path, KEY, text).await).status < 500,
                "{method} {path} {text}"
            );
        }
    }
    for page in
        ["/", "/cards", "/orders/1", "/cards/1", "/v1/order?include=buyer,products.offer,shipping.deliveryService"]
    {
        assert_eq!(get(&sandbox, page).await.status, 200, "{page}");
    }
}

#[tokio::test]
async fn odd_paths_and_queries_are_the_callers_fault() {
    let sandbox = start(unlimited()).await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/order/",
        "/v1/order/x",
        "/v1/order/-1",
        "/v1/order/99999999999999999999999",
        "/v1/order/%00",
        "/v1/order/1/payment/2",
        "/v1/pipelines/x/statuses",
        "/v1/pipelines/99999999999/statuses",
        "/v1/buyer/",
        "/v1/order?filter[]=1",
        "/v1/order?filter[a]b]=1",
        "/v1/order?include=,x",
        "/v1/offers?sort=--id",
        "/nothing",
    ] {
        assert!((400..500).contains(&get(&sandbox, path).await.status), "{path}");
    }
    let range = "/v1/buyer?filter[created_between]=,&filter[buyer_phone]=%00,&filter[buyer_id]=,,";
    assert_eq!(get(&sandbox, range).await.json()["total"], 0);
}

#[tokio::test]
async fn the_description_names_every_endpoint_of_the_contract() {
    let sandbox = start(unlimited()).await;
    let described = get(&sandbox, "/openapi.json").await.json();
    let contract: Value = serde_json::from_str(include_str!("../contract/keycrm.json")).unwrap();
    let endpoints = contract["endpoints"].as_array().unwrap();
    for endpoint in endpoints {
        let (method, path) = (endpoint["method"].as_str().unwrap(), endpoint["path"].as_str().unwrap());
        let responses = &described["paths"][path][method.to_lowercase()]["responses"];
        assert!(responses.get(endpoint["status"].to_string()).is_some(), "{method} {path}");
    }
    let paths = described["paths"].as_object().unwrap().values();
    assert_eq!(paths.map(|path| path.as_object().unwrap().len()).sum::<usize>(), endpoints.len());
}
