//! Many orders in one request.

use keycrm_sandbox::{DupMode, Fault, FaultKind, FaultOn, Options};
use serde_json::{Value, json};

use crate::client::{Answer, KEY, answered, send, start, unlimited};

async fn import(sandbox: &keycrm_sandbox::Sandbox, orders: Value) -> Answer {
    let body = json!({ "orders": orders }).to_string();
    answered(send(sandbox.addr(), "POST", "/v1/order/import", KEY, &body).await)
}

fn order(number: usize) -> Value {
    json!({ "source_id": 22, "source_uuid": format!("I-{number}"), "manager_id": 1, "buyer": { "full_name": "Olena" } })
}

#[tokio::test]
async fn up_to_fifty_orders_are_created_without_saying_their_ids() {
    let sandbox = start(unlimited()).await;
    let answer = import(&sandbox, (0..50).map(order).collect()).await;
    assert_eq!((answer.status, answer.json()), (201, json!({ "status": true })));
    assert_eq!(sandbox.orders().len(), 50);
    assert!(sandbox.orders()[0]["manager_id"].is_null(), "{}", sandbox.orders()[0]);
    let answer = import(&sandbox, (0..51).map(order).collect()).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(import(&sandbox, json!("none")).await.status, 422);
    assert_eq!(sandbox.orders().len(), 50);
}

#[tokio::test]
async fn a_bad_order_keeps_the_others_out_or_not() {
    for (import_atomic, status, created) in [(true, 422, 0), (false, 201, 2)] {
        let sandbox = start(Options { import_atomic, ..unlimited() }).await;
        let answer = import(&sandbox, json!([order(1), { "source_id": 22 }, order(2)])).await;
        assert_eq!((answer.status, sandbox.orders().len()), (status, created), "{}", answer.text);
        assert_eq!(answer.text.contains("orders.1.buyer"), import_atomic, "{}", answer.text);
    }
}

#[tokio::test]
async fn of_a_torn_import_the_first_are_there_and_taken_numbers_are_left_out() {
    let sandbox = start(Options { dup_mode: DupMode::Reject, ..unlimited() }).await;
    sandbox.add_fault(Fault::once(FaultOn::Import, FaultKind::ImportPartly { orders: 2 }));
    let answer = import(&sandbox, (0..5).map(order).collect()).await;
    assert_eq!((answer.status, sandbox.orders().len()), (201, 2));
    assert_eq!(import(&sandbox, (0..5).map(order).collect()).await.status, 201);
    assert_eq!(sandbox.orders().len(), 5);
}
