//! T19: the same request up to fifty times at once, and with another body: one order a key.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::super::world::{World, form};
use super::acks::Acks;
use super::checker;
use super::rows::{self, Dice};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn t19_a_key_makes_one_order_however_often_it_comes_at_once() {
    let (requests, seed) = (rows::runs(2_000), rows::seed());
    let mut dice = Dice(seed);
    let world = World::start().await;
    let acks = Arc::new(Acks::new());
    let (mut sent, mut keys, mut conflicts) = (0, 0, 0);
    while sent < requests {
        let key = format!("w{keys}");
        keys += 1;
        let times = 1 + usize::try_from(dice.below(50)).unwrap();
        sent += times;
        // Some of them say something else under the same key.
        let others = if dice.below(3) == 0 { dice.below(4) } else { 0 };
        let body = |at: usize| form(&if (at as u64) < others { format!("{key} other") } else { key.clone() });
        let answers = join_all((0..times).map(|at| {
            let (world, headers, body) = (&world, [("idempotency-key", key.as_str())], body(at));
            async move { (world.send("/in/shop", FORM, body.clone().into(), &headers).await, body) }
        }))
        .await;
        let mut made: HashMap<String, usize> = HashMap::new();
        let mut first = 0;
        for (answer, body) in answers {
            match answer.status {
                200 | 202 => {
                    first += usize::from(answer.status == 202);
                    let id = answer.json()["id"].as_str().unwrap().to_owned();
                    acks.add(&id, &key, &body);
                    *made.entry(id).or_default() += 1;
                }
                409 => conflicts += 1,
                other => panic!("{other}: {}", answer.text),
            }
        }
        assert_eq!((made.len(), first), (1, 1), "{key}: {made:?}");
    }
    world.until("all are settled", || world.is_settled()).await;
    // Who was acknowledged had sent what is kept: the checker compares the bodies.
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!((report.orders, report.in_crm), (keys, keys));
    assert!(conflicts > 0, "no key came with another body");
    let figures = format!("{keys} keys, {keys} orders, {conflicts} times 409 for another body");
    rows::row("T19", "the same key up to 50 times at once", sent, Some(seed), &figures);
}
