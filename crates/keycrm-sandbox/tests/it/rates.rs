//! The rate limit and what the ledger says about it.

use keycrm_sandbox::Options;
use serde_json::json;

use crate::client::{answered, get, order, post, send, start};

#[tokio::test]
async fn a_refusal_says_when_to_come_back_and_is_not_counted() {
    let sandbox = start(Options { requests_per_minute: 2, ..Options::default() }).await;
    let first = post(&sandbox, &order("A")).await;
    assert_eq!(first.header("x-ratelimit-limit"), Some("2"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("1"));
    assert_eq!(get(&sandbox, "/v1/order").await.header("x-ratelimit-remaining"), Some("0"));
    for _ in 0..2 {
        let refused = post(&sandbox, &order("B")).await;
        assert_eq!((refused.status, refused.json()), (429, json!({"message": "Too Many Attempts."})));
        assert_eq!(refused.header("retry-after"), Some("60"));
        assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    }
    let other = "Authorization: Bearer other\r\n";
    assert_eq!(answered(send(sandbox.addr(), "GET", "/v1/order", other, "").await).status, 200);
    assert_eq!(sandbox.orders().len(), 1);
    assert_eq!(sandbox.requests_per_window_max(), 5);
    let statuses: Vec<_> = sandbox.ledger().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(201), Some(200), Some(429), Some(429), Some(200)]);
}
