//! The data file across restarts.

use std::fs;
use std::io::Write;

use keycrm_sandbox::{Options, Sandbox};
use serde_json::json;

use crate::client::{call, get, order, post, start, unlimited};

#[tokio::test]
async fn orders_survive_and_a_torn_line_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.ndjson");
    let options = Options { data: Some(path.clone()), ..unlimited() };

    let sandbox = start(options.clone()).await;
    post(&sandbox, &order("A")).await;
    post(&sandbox, &order("B")).await;
    let before = sandbox.orders();
    sandbox.stop().await;

    let whole = fs::read(&path).unwrap();
    let half = &whole[..whole.len() / 4];
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(half).unwrap();
    let sandbox = start(options.clone()).await;
    assert_eq!(sandbox.orders(), before);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(post(&sandbox, &order("A")).await.status, 422);
    assert_eq!(post(&sandbox, &order("C")).await.json()["id"], 3);
    assert_eq!(get(&sandbox, "/v1/order?filter[source_uuid]=B").await.json()["total"], 1);
    sandbox.stop().await;

    let sandbox = start(options).await;
    assert_eq!(sandbox.orders().len(), 3);
}

#[tokio::test]
async fn changes_buyers_and_cards_survive() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { data: Some(folder.path().join("orders.ndjson")), ..unlimited() };
    let sandbox = start(options.clone()).await;
    post(&sandbox, &json!({"source_id": 22, "buyer": {"phone": "+380671112233"}})).await;
    call(&sandbox, "PUT", "/v1/order/1", &json!({"manager_comment": "Called"})).await;
    call(&sandbox, "POST", "/v1/order/1/payment", &json!({"payment_method_id": 1, "amount": 1})).await;
    call(&sandbox, "POST", "/v1/order/1/payment", &json!({"payment_method": "Barter", "amount": 1})).await;
    call(&sandbox, "POST", "/v1/buyer", &json!({"full_name": "Ann"})).await;
    call(&sandbox, "POST", "/v1/pipelines/cards", &json!({"contact": {"client_id": 2}})).await;
    call(&sandbox, "PUT", "/v1/pipelines/cards/1", &json!({"title": "Hot"})).await;
    let (orders, cards) = (sandbox.orders(), sandbox.cards());
    let buyers = get(&sandbox, "/v1/buyer").await.json()["data"].clone();
    sandbox.stop().await;

    let sandbox = start(options).await;
    assert_eq!((sandbox.orders(), sandbox.cards()), (orders, cards));
    assert_eq!(get(&sandbox, "/v1/buyer").await.json()["data"], buyers);
    assert_eq!(sandbox.directory().payment_methods[20].name, "Barter");
    post(&sandbox, &json!({"source_id": 22, "buyer": {"phone": "380671112233"}})).await;
    assert_eq!((&sandbox.orders()[1]["id"], &sandbox.orders()[1]["buyer"]["id"]), (&json!(2), &json!(1)));
}

/// A line as the first release wrote it: its own buyer, payments by name alone.
const OLD_LINE: &str = r#"{"id":7,"source_uuid":"A","source_id":22,"status_id":1,"grand_total":5,"payment_status":"not_paid","created_at":"2026-05-04T08:15:30.000000Z","ordered_at":"2026-05-04T08:15:30.000000Z","buyer":{"id":7,"full_name":"John"},"products":[{"id":7001,"name":"Mug","price":5,"quantity":1,"total_discount":0,"properties":[]}],"payments":[{"id":7001,"payment_method":"Cash","amount":5,"status":"not_paid","payment_date":"2026-05-04T08:15:30.000000Z"}],"custom_fields":[{"id":7001,"uuid":"OR_1007","value":"x"}]}"#;

#[tokio::test]
async fn files_of_the_first_release_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.ndjson");
    fs::write(&path, format!("{OLD_LINE}\n")).unwrap();
    let sandbox = start(Options { data: Some(path), ..unlimited() }).await;
    let order = &sandbox.orders()[0];
    assert_eq!((&order["id"], &order["buyer"]["id"]), (&json!(7), &json!(7)));
    assert_eq!((&order["payments"][0]["payment_method_id"], &order["custom_fields"][0]["id"]), (&json!(15), &json!(9)));
    assert_eq!(post(&sandbox, &self::order("B")).await.json()["id"], 8);
}

#[tokio::test]
async fn a_file_of_something_else_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "not an order\nand another\n").unwrap();
    let error = Sandbox::start(Options { data: Some(path.clone()), ..unlimited() }).await.unwrap_err();
    assert!(error.to_string().ends_with("notes.txt: line 1 is not an order"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "not an order\nand another\n");
}
