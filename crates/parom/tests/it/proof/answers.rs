//! T15: answers that are none. The CRM has taken each of these orders, so none may be sent again, whatever it says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parom_core::delivery::outcome::{Answer, Outcome, classify};

use super::super::world::{SHOP, Settings, World};
use super::acks::Acks;
use super::checker;
use super::rows::{self, Dice};
use super::shop::Shop;
use super::wire::{Plan, Wire};

/// Bodies that no client may take for "delivered". `NR` is the order's number.
const BODIES: &[&str] = &[
    "",
    " ",
    "null",
    "true",
    "1",
    "\"ok\"",
    "[]",
    "{}",
    "[{\"id\":1,\"source_uuid\":\"NR\"}]",
    "{\"data\":{\"id\":1,\"source_uuid\":\"NR\"}}",
    "{\"id\":1}",
    "{\"source_uuid\":\"NR\"}",
    "{\"id\":null,\"source_uuid\":\"NR\"}",
    "{\"id\":1.5,\"source_uuid\":\"NR\"}",
    "{\"id\":1e3,\"source_uuid\":\"NR\"}",
    "{\"id\":NaN,\"source_uuid\":\"NR\"}",
    "{\"id\":99999999999999999999,\"source_uuid\":\"NR\"}",
    "{\"id\":\"one\",\"source_uuid\":\"NR\"}",
    "{\"id\":true,\"source_uuid\":\"NR\"}",
    "{\"id\":[1],\"source_uuid\":\"NR\"}",
    "{\"id\":{\"id\":1},\"source_uuid\":\"NR\"}",
    "{\"id\":1,\"source_uuid\":null}",
    "{\"id\":1,\"source_uuid\":\"\"}",
    "{\"id\":1,\"source_uuid\":\"NR2\"}",
    "{\"id\":1,\"source_uuid\":[\"NR\"]}",
    "{\"id\":1,\"source_uuid\":7}",
    "{\"ID\":1,\"SOURCE_UUID\":\"NR\"}",
    "{\"id\":1,\"source_uuid\":\"NR\"",
    "{\"id\":1,\"source_uuid\":\"NR",
    "{\"id\":1,\"source_uuid\":\"NR\"}}",
    "{'id':1,'source_uuid':'NR'}",
    "{\"id\":1,,\"source_uuid\":\"NR\"}",
    "\u{feff}{\"id\":1,\"source_uuid\":\"NR\"}",
    "<html>OK</html>",
    "<!-- {\"id\":1,\"source_uuid\":\"NR\"} -->",
    "{\"message\":\"Server Error\"}",
    "{\"errors\":{}}",
    "id=1&source_uuid=NR",
    "OK",
    "\u{0}",
];

/// Whole answers, from the status line on.
const ANSWERS: &[&str] = &[
    "",
    "HTTP/1.1",
    "HTTP/1.1 201",
    "HTTP/1.1 201 Created\r\n",
    "HTTP/1.1 2O1 Created\r\n\r\n",
    "HTTP/9.9 201 Created\r\ncontent-length: 0\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "HTTP/1.1 99999 What\r\n\r\n",
    "HTTP/1.1 201 Created\r\ncontent-length: 90\r\n\r\n{\"id\":1,\"source_uuid\":\"NR\"}",
    "HTTP/1.1 201 Created\r\ncontent-length: x\r\n\r\n{\"id\":1,\"source_uuid\":\"NR\"}",
    "HTTP/1.1 201 Created\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{\"id\":1,\"source_uuid\":\"NR\"}",
    "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
    "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n1b\r\n{\"id\":1,\"source_uuid\":\"NR\"}",
    "HTTP/1.1 201 Created\r\n no name\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\n\r\n",
    "HTTP/1.1 301 Moved\r\nlocation: /v1/order\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 307 Again\r\nlocation: /v1/order\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 400 Bad\r\ncontent-length: 6\r\n\r\n<html>",
    "HTTP/1.1 408 Late\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 422 No\r\ncontent-length: 2\r\n\r\n[]",
    "HTTP/1.1 425 Early\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 429 Slow\r\ncontent-length: 6\r\n\r\n<html>",
    "HTTP/1.1 499 Gone\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 502 Bad\r\ncontent-length: 27\r\n\r\n{\"id\":1,\"source_uuid\":\"NR\"}",
    "HTTP/1.1 599 Odd\r\ncontent-length: 0\r\n\r\n",
];

fn sample(number: usize, order: &str) -> Vec<u8> {
    let text = match number.checked_sub(BODIES.len()) {
        Some(number) => ANSWERS[number].replace("NR", order),
        None => {
            let body = BODIES[number].replace("NR", order);
            format!(
                "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    };
    text.into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn t15_malformed_answers_are_looked_up_and_never_sent_again() {
    let samples = BODIES.len() + ANSWERS.len();
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let seen = Mutex::new(HashMap::new());
    let wire = Wire::lay(world.crm.addr(), move |heard| {
        let mut seen = seen.lock().unwrap();
        let next = seen.len();
        // Every other order gets a sample, so that the breaker lets the rest through.
        match heard.post.then(|| seen.insert(heard.number.clone(), ())) {
            Some(None) if next % 2 == 1 && next / 2 < samples => Plan::Instead(sample(next / 2, &heard.number)),
            _ => Plan::Pass,
        }
    })
    .await;
    world.configure(&wire.url());
    world.serve(&[]);
    let acks = Arc::new(Acks::new());
    let shop = Shop::open(&world, 2, Duration::from_millis(5), &acks);
    while acks.count() < 2 * samples + 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.close().await;
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}\n{}", report.states, world.log());
    assert_eq!(report.posts, report.orders, "an order was sent a second time");
    let doubts = checker::number(&world.db(), "SELECT count(*) FROM attempts WHERE outcome = 'unknown'");
    assert_eq!(doubts, samples, "a malformed answer was believed");
    assert!(!world.log().contains("panicked"));
    rows::row("T15", "malformed answers through the client", samples, None, "0 believed, 0 sent again, 0 panics");
}

/// Right answers with a few bytes changed: the classifier never panics, and takes none for another order's.
#[test]
fn t15_mutated_answers_are_classified_and_never_panic() {
    let (runs, seed) = (rows::runs(100_000), rows::seed());
    let mut dice = Dice(seed);
    let right = br#"{"id":1234,"source_id":22,"source_uuid":"G-ABC","buyer":{"full_name":"Olena"},"products":[{"price":"1.50"}]}"#;
    let mut delivered = 0;
    for _ in 0..runs {
        let mut body = right.to_vec();
        for _ in 0..=dice.below(4) {
            let at = usize::try_from(dice.below(body.len() as u64)).unwrap();
            match dice.below(4) {
                0 => body[at] ^= 1 << dice.below(8),
                1 => body[at] = u8::try_from(dice.below(256)).unwrap(),
                2 => body.insert(at, b"{}[]\",:0\\"[usize::try_from(dice.below(9)).unwrap()]),
                _ => body.truncate(at.max(1)),
            }
        }
        let status = [200, 201, 201, 201, 204, 302, 400, 422, 429, 500][usize::try_from(dice.below(10)).unwrap()];
        let answer = Answer::Response { status, retry_after: None, has_rate_header: false, body: &body };
        if let Outcome::Delivered(id) = classify(answer, Some("G-ABC")) {
            delivered += 1;
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(status < 300 && json["source_uuid"].as_str().map(str::trim) == Some("G-ABC"), "{json}");
            assert!(json["id"].as_i64() == Some(id) || json["id"].as_str().is_some(), "{json}");
        }
    }
    rows::row("T15", "mutated answers, classified", runs, Some(seed), &format!("0 panics, {delivered} still right"));
}
