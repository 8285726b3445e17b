//! The control API and the pages.

use keycrm_sandbox::Sandbox;
use serde_json::json;

use crate::client::{Answer, Outcome, answered, order, post, send, start, try_post, unlimited};

async fn call(sandbox: &Sandbox, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    answered(send(sandbox.addr(), method, target, headers, body).await)
}

#[tokio::test]
async fn faults_come_by_json_and_by_form() {
    let sandbox = start(unlimited()).await;
    let faults = "/_sandbox/faults";
    let body = json!({"on": "post", "kind": "commit_then_drop", "times": 1}).to_string();
    assert_eq!(call(&sandbox, "POST", faults, "", &body).await.status, 201);
    assert!(matches!(try_post(&sandbox, &order("A")).await, Outcome::Dropped(_)));
    for bad in [r#"{"kind": "nonsense"}"#, r#"{"kind": "slow", "mss": 1}"#, "[]", "{", r#"{"kind": "slow", "ms": -1}"#]
    {
        assert_eq!(call(&sandbox, "POST", faults, "", bad).await.status, 400, "{bad}");
    }
    let form = "on=post&kind=refuse_before&status=503&times=1";
    assert_eq!(call(&sandbox, "POST", "/_sandbox/play", "", form).await.status, 303);
    assert_eq!(post(&sandbox, &order("B")).await.status, 503);
    call(&sandbox, "POST", faults, "", &body).await;
    assert_eq!(call(&sandbox, "GET", faults, "", "").await.json()[0]["left"], 1);
    assert_eq!(call(&sandbox, "DELETE", faults, "", "").await.status, 204);
    assert_eq!(post(&sandbox, &order("B")).await.status, 201);
    let ledger = call(&sandbox, "GET", "/_sandbox/ledger", "", "").await.json();
    assert_eq!((&ledger[0]["status"], &ledger[0]["applied_order"]), (&json!(null), &json!(1)));
    assert_eq!(call(&sandbox, "GET", "/_sandbox/orders", "", "").await.json()[1]["source_uuid"], "B");
}

#[tokio::test]
async fn another_site_cannot_press_the_buttons() {
    let sandbox = start(unlimited()).await;
    let own = format!("Origin: http://{}\r\n", sandbox.addr());
    for (origin, status) in [("Origin: https://evil.example\r\n", 403), ("Origin: null\r\n", 403), (own.as_str(), 303)]
    {
        assert_eq!(call(&sandbox, "POST", "/_sandbox/clear", origin, "").await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn pages_show_every_field_and_no_markup_of_others() {
    let sandbox = start(unlimited()).await;
    let mut body = order("<i>1</i>");
    body["buyer"] = json!({"full_name": "<script>alert(1)</script>", "phone": "+380671112233"});
    body["shipping"] = json!({"shipping_receive_point": "Branch 12"});
    body["products"] = json!([{"name": "Mug", "price": 5, "properties": [{"name": "Color", "value": "blue"}]}]);
    body["custom_fields"] = json!([{"uuid": "OR_1002", "value": ["red", "green"]}]);
    assert_eq!(post(&sandbox, &body).await.status, 201);
    let list = call(&sandbox, "GET", "/", "", "").await;
    assert!(list.text.contains("&lt;i&gt;1&lt;/i&gt;") && !list.text.contains("<script>"), "{}", list.text);
    let fragment = call(&sandbox, "GET", "/fragments/orders", "", "").await;
    assert!(list.text.contains(&fragment.text));
    let page = call(&sandbox, "GET", "/orders/1", "", "").await.text;
    for wanted in [
        "shipping.shipping_receive_point</th><td>Branch 12",
        "Color: blue",
        "custom_fields[0].value</th><td>red, green",
        "buyer.full_name</th><td>&lt;script&gt;",
        "/_sandbox/orders/1",
    ] {
        assert!(page.contains(wanted), "{wanted} in {page}");
    }
    for (path, kind) in
        [("/assets/sandbox.css", "text/css; charset=utf-8"), ("/assets/sandbox.js", "text/javascript; charset=utf-8")]
    {
        assert_eq!(call(&sandbox, "GET", path, "", "").await.header("content-type"), Some(kind));
    }
    assert_eq!(call(&sandbox, "GET", "/orders/9", "", "").await.status, 404);
    assert!(sandbox.ledger().len() == 1, "pages are not in the ledger");
}
