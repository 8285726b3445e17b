//! Each fault: what the client sees, and whether the order is there.

use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Sandbox};
use serde_json::json;

use crate::client::{HANG, Outcome, answered, get, order, post, post_within, start, try_post, unlimited};

/// Longer than the client's patience.
const LONG_WAIT: FaultKind = FaultKind::SlowBefore { ms: 800 };

async fn with(kind: FaultKind) -> (Sandbox, Outcome) {
    let sandbox = start(unlimited()).await;
    sandbox.add_fault(Fault::once(FaultOn::Post, kind));
    let silent = matches!(kind, FaultKind::HangBefore | FaultKind::HangAfterCommit | FaultKind::DripAnswer);
    let outcome = if silent || kind == LONG_WAIT {
        post_within(&sandbox, &order("A"), HANG).await
    } else {
        try_post(&sandbox, &order("A")).await
    };
    (sandbox, outcome)
}

/// The outcome in a word, and whether the order is there at that moment.
async fn told(kind: FaultKind) -> (String, usize) {
    let (sandbox, outcome) = with(kind).await;
    let seen = match outcome {
        Outcome::Answer(answer) => {
            let kind = answer.header("content-type").unwrap_or_default();
            format!("{} {}", answer.status, kind.split([';', '/']).nth(1).unwrap_or_default())
        }
        Outcome::Dropped(text) if text.is_empty() => "dropped".to_owned(),
        Outcome::Dropped(_) => "cut short".to_owned(),
        Outcome::Hung => "hung".to_owned(),
    };
    let entry = &sandbox.ledger()[0];
    assert_eq!(entry.fault.as_deref(), Some(kind.name()));
    assert_eq!(entry.applied_order.is_some(), !sandbox.orders().is_empty());
    let orders = sandbox.orders().len();
    sandbox.stop().await;
    (seen, orders)
}

#[tokio::test]
async fn each_fault_shows_its_face_and_its_effect() {
    use FaultKind as K;
    for (kind, seen, orders) in [
        (K::RefuseBefore { status: 503 }, "503 json", 0),
        (K::RefuseBefore { status: 401 }, "401 json", 0),
        (K::Validation, "422 json", 0),
        (K::CommitThenDrop, "dropped", 1),
        (K::DropBefore, "dropped", 0),
        (K::HtmlAfterCommit { status: 502 }, "502 html", 1),
        (K::HtmlAfterCommit { status: 200 }, "200 html", 1),
        (K::HtmlBefore { status: 502 }, "502 html", 0),
        (K::HangBefore, "hung", 0),
        (K::HangAfterCommit, "hung", 1),
        (K::Slow { ms: 50 }, "201 json", 1),
        (K::SlowBefore { ms: 50 }, "201 json", 1),
        (K::RateLimited { retry_after: Some(5) }, "429 json", 0),
        (K::WrongJson, "201 json", 1),
        (K::EmptyAfterCommit { status: 201 }, "201 json", 1),
        (K::TruncatedAfterCommit, "cut short", 1),
        (K::WrongNumber, "201 json", 1),
        (K::LateCommit { ms: 5000, status: 504 }, "504 json", 0),
        (K::DropAndLateCommit { ms: 5000 }, "dropped", 0),
        (K::DripAnswer, "hung", 1),
    ] {
        assert_eq!(told(kind).await, (seen.to_owned(), orders), "{kind:?}");
    }
}

#[tokio::test]
async fn spoiled_answers_look_almost_right() {
    let (_sandbox, outcome) = with(FaultKind::WrongNumber).await;
    assert_eq!(answered(outcome).json()["source_uuid"], "A-OTHER");
    let (_sandbox, outcome) = with(FaultKind::WrongJson).await;
    assert_eq!(answered(outcome).json(), json!({"status": true}));
    let (_sandbox, outcome) = with(FaultKind::EmptyAfterCommit { status: 201 }).await;
    assert_eq!(answered(outcome).text, "");
    let (_sandbox, outcome) = with(FaultKind::RateLimited { retry_after: None }).await;
    assert_eq!(answered(outcome).header("retry-after"), None);
    let (_sandbox, outcome) = with(FaultKind::RateLimited { retry_after: Some(5) }).await;
    assert_eq!(answered(outcome).header("retry-after"), Some("5"));
}

#[tokio::test]
async fn a_huge_answer_is_ten_megabytes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sandbox = start(unlimited()).await;
    sandbox.add_fault(Fault::once(FaultOn::Any, FaultKind::HugeAnswer));
    let mut stream = tokio::net::TcpStream::connect(sandbox.addr()).await.unwrap();
    let request = "GET /v1/order HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer key\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.len() > 10 * 1024 * 1024, "{}", bytes.len());
}

#[tokio::test]
async fn late_commits_come_without_the_client() {
    for kind in [FaultKind::LateCommit { ms: 60, status: 504 }, FaultKind::DropAndLateCommit { ms: 400 }, LONG_WAIT] {
        let (sandbox, _) = with(kind).await;
        assert!(sandbox.orders().is_empty(), "{kind:?}");
        while sandbox.orders().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(sandbox.ledger()[0].applied_order, Some(1), "{kind:?}");
        assert_eq!(sandbox.orders().len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn look_ups_can_lie() {
    let sandbox = start(unlimited()).await;
    post(&sandbox, &order("A")).await;
    post(&sandbox, &order("B")).await;
    let rows = async || get(&sandbox, "/v1/order?filter[source_uuid]=A").await.json()["total"].to_string();
    sandbox.add_fault(Fault::once(FaultOn::Lookup, FaultKind::LookupEmpty));
    sandbox.add_fault(Fault::once(FaultOn::Lookup, FaultKind::LookupIgnoresFilter));
    assert_eq!([rows().await, rows().await, rows().await], ["0", "2", "1"]);
}

#[tokio::test]
async fn a_fault_counts_skips_and_ends() {
    let sandbox = start(unlimited()).await;
    let refuse = FaultKind::RefuseBefore { status: 503 };
    let status = async || get(&sandbox, "/v1/order").await.status;
    sandbox.add_fault(Fault::always(FaultOn::Lookup, refuse).times(2).skip(1));
    assert_eq!([status().await, status().await, status().await, status().await], [200, 503, 503, 200]);
    sandbox.add_fault(Fault::always(FaultOn::Post, refuse));
    assert_eq!(status().await, 200);
    sandbox.clear_faults();
    sandbox.add_fault(Fault::always(FaultOn::Any, refuse));
    assert_eq!([status().await, status().await], [503, 503]);
    sandbox.clear_faults();
    assert_eq!(status().await, 200);
    sandbox.add_fault(Fault::always(FaultOn::Any, refuse).for_ms(500));
    assert_eq!(status().await, 503);
    tokio::time::sleep(Duration::from_millis(510)).await;
    assert_eq!(status().await, 200);
}
