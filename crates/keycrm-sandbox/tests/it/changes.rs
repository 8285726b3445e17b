//! Orders after their creation: changes, payments, and what they take from the account.

use keycrm_sandbox::{Options, Sandbox, UnknownCustomField, UnknownPaymentMethod};
use serde_json::{Value, json};

use crate::client::{call, get, post, start, unlimited};

async fn put(sandbox: &Sandbox, body: Value) -> (u16, Value) {
    let answer = call(sandbox, "PUT", "/v1/order/1", &body).await;
    (answer.status, answer.json())
}

async fn with_order() -> Sandbox {
    let sandbox = start(unlimited()).await;
    let body = json!({
        "source_id": 22, "source_uuid": "A", "manager_comment": "old", "buyer": {"full_name": "Олена"},
        "products": [{"sku": "MUG-350"}, {"sku": "ONE-OFF", "name": "Box", "price": 5, "quantity": 2}],
    });
    assert_eq!(post(&sandbox, &body).await.status, 201);
    sandbox
}

#[tokio::test]
async fn lines_take_from_the_catalogue_what_they_do_not_say() {
    let sandbox = with_order().await;
    let products = &sandbox.orders()[0]["products"];
    assert_eq!(products[0]["name"], "Горнятко керамічне, 350 мл");
    assert_eq!(products[0]["price"].to_string(), "1249.5");
    assert_eq!(products[0]["picture"], "https://shop.example/pictures/1.jpg");
    assert_eq!((&products[0]["offer"]["id"], &products[1]["offer"]), (&json!(1), &json!(null)));
    let plain = get(&sandbox, "/v1/order/1?include=products").await.json();
    assert!(plain["products"][0].get("offer").is_none() && plain["products"][0].get("offer_id").is_none());
}

#[tokio::test]
async fn a_change_keeps_to_what_the_vendor_lets_change() {
    let sandbox = with_order().await;
    let lines = json!([{"sku": "MUG-350", "name": "kept", "price": 1000}, {"sku": "ONE-OFF", "name": "Bag"},
                       {"sku": "TEA-100", "quantity": 9}]);
    let change = json!({"status_id": 8, "manager_comment": null, "buyer_comment": "Call", "discount_amount": 10,
                        "source_uuid": "B", "products": lines, "shipping": {"tracking_code": "2045"},
                        "custom_fields": [{"uuid": "OR_1007", "value": "x"}]});
    let (status, flat) = put(&sandbox, change).await;
    assert_eq!(status, 202, "{flat}");
    assert_eq!((&flat["status_id"], &flat["status_group_id"]), (&json!(8), &json!(5)));
    assert_eq!((&flat["source_uuid"], &flat["manager_comment"]), (&json!("A"), &json!(null)));
    assert_eq!(flat["grand_total"].to_string(), "1000");
    assert!(flat["closed_at"].as_str().unwrap().contains(' '));
    let order = &sandbox.orders()[0];
    assert_eq!(order["products"].as_array().unwrap().len(), 2);
    assert_eq!(order["products"][0]["name"], "Горнятко керамічне, 350 мл");
    assert_eq!((&order["products"][1]["name"], &order["status"]["alias"]), (&json!("Bag"), &json!("completed")));
    assert_eq!(order["custom_fields"][0]["name"], "Примітка");
    assert_eq!(get(&sandbox, "/v1/order?filter[status_id]=8&filter[has_tracking_code]=1").await.json()["total"], 1);
}

#[tokio::test]
async fn a_change_is_refused_field_by_field() {
    let sandbox = with_order().await;
    assert_eq!(put(&sandbox, json!({"shipping": {"tracking_code": "1"}})).await.0, 202);
    for (change, field) in [
        (json!({"shipping": {"tracking_code": "2"}}), "shipping.tracking_code"),
        (json!({"status_id": 99}), "status_id"),
        (json!({"products": [{"price": 1}]}), "products.0.sku"),
        (json!({"products": [{"id": 1001, "price": "x"}]}), "products.0.price"),
    ] {
        let (status, body) = put(&sandbox, change).await;
        assert!(status == 422 && body["errors"].get(field).is_some(), "{field}: {status} {body}");
    }
    assert_eq!(put(&sandbox, json!("text")).await.0, 202);
    assert_eq!(call(&sandbox, "PUT", "/v1/order/9", &json!({})).await.status, 404);
}

#[tokio::test]
async fn each_payment_is_another_payment() {
    let sandbox = with_order().await;
    let body = json!({"payment_method": "LIQPAY", "amount": 629.75});
    for part in ["part_paid", "paid"] {
        let answer = call(&sandbox, "POST", "/v1/order/1/payment", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let payment = answer.json();
        assert_eq!((&payment["status"], &payment["payment_method"]["name"]), (&json!("paid"), &json!("LiqPay")));
        assert_eq!(sandbox.orders()[0]["payment_status"], part);
    }
    let order = &sandbox.orders()[0];
    assert_ne!(order["payments"][0]["id"], order["payments"][1]["id"]);
    assert_eq!(order["payments"][0]["actual_currency"], "UAH");
    let answer = call(&sandbox, "POST", "/v1/order/1/payment", &json!({"amount": 1})).await;
    let text = "The payment method id field is required when payment method is not present.";
    assert_eq!((answer.status, &answer.json()["errors"]["payment_method_id"][0]), (422, &json!(text)));
    assert_eq!(call(&sandbox, "POST", "/v1/order/9/payment", &body).await.status, 404);
}

#[tokio::test]
async fn unknown_names_are_made_dropped_or_refused() {
    let body = json!({
        "source_id": 22, "buyer": {"full_name": "A"}, "payments": [{"payment_method": "Barter", "amount": 1}],
        "custom_fields": [{"uuid": "OR_9999", "value": 1}, {"uuid": "LD_2001", "value": "a lead's"}],
    });
    let sandbox = start(unlimited()).await;
    assert_eq!(post(&sandbox, &body).await.status, 201);
    assert_eq!(post(&sandbox, &body).await.status, 201);
    let order = &sandbox.orders()[1];
    assert_eq!((&order["custom_fields"], &order["payments"][0]["payment_method_id"]), (&json!([]), &json!(21)));
    assert_eq!(sandbox.directory().payment_methods[20].name, "Barter");

    let strict = Options {
        unknown_custom_field: UnknownCustomField::Refuse,
        unknown_payment_method: UnknownPaymentMethod::Refuse,
        ..unlimited()
    };
    let errors = post(&start(strict).await, &body).await.json()["errors"].clone();
    let fields: Vec<_> = errors.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["payments.0.payment_method", "custom_fields.0.uuid", "custom_fields.1.uuid"]);
}

#[tokio::test]
async fn tags_and_an_existing_buyer_are_taken_by_id() {
    let sandbox = with_order().await;
    let mut body = json!({"source_id": 22, "buyer": {"id": 1}, "tags": [2]});
    assert_eq!(post(&sandbox, &body).await.status, 201);
    assert_eq!((&sandbox.orders()[1]["buyer"]["id"], &sandbox.orders()[1]["tags"][0]["id"]), (&json!(1), &json!(2)));
    body["tags"] = json!(["gift"]);
    assert_eq!(post(&sandbox, &body).await.json()["errors"]["tags.0"][0], "The selected tags.0 is invalid.");
    let gone = post(&sandbox, &json!({"source_id": 22, "buyer": {"id": 9}})).await;
    assert!(gone.status == 422 && gone.json()["errors"].get("buyer.id").is_some());
}
