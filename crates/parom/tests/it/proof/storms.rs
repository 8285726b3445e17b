//! T14: storms of 5xx, in which the CRM takes half of the orders all the same.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::world::{SHOP, Settings, World};
use super::acks::Acks;
use super::checker;
use super::rows::{self, Dice};
use super::shop::Shop;
use super::wire::{Plan, Wire};

const STORM: Duration = Duration::from_millis(1_500);
/// What is under way when the breaker opens, and its single tries within the storm: their rests double from a tenth of a
/// second.
const DOUBTFUL_MAX: usize = 4 + 6;

#[tokio::test(flavor = "multi_thread")]
async fn t14_storms_of_5xx_make_few_doubtful_orders_and_no_second_one() {
    let (orders, seed) = (rows::runs(500), rows::seed());
    let mut world = World::idle(Settings { quiet: "2s", gap: "150ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    let (storm, hits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let dice = Mutex::new(Dice(seed));
    let wire = Wire::lay(world.crm.addr(), {
        let (storm, hits) = (Arc::clone(&storm), Arc::clone(&hits));
        move |heard| {
            if !heard.post || !storm.load(Ordering::SeqCst) {
                return Plan::Pass;
            }
            hits.fetch_add(1, Ordering::SeqCst);
            let mut dice = dice.lock().unwrap();
            let status = ["500 Oops", "502 Bad Gateway", "503 Unavailable", "504 Timeout"][dice.below(4) as usize];
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>").into_bytes();
            if dice.below(2) == 0 { Plan::Instead(answer) } else { Plan::Refuse(answer) }
        }
    })
    .await;
    world.configure(&wire.url());
    world.serve(&[]);
    let acks = Arc::new(Acks::new());
    let shop = Shop::open(&world, 4, Duration::from_millis(40), &acks);
    let (mut storms, mut most) = (0, 0);
    while acks.count() < orders {
        let sent = world.crm.orders().len();
        world.until("orders are delivered", || world.crm.orders().len() > sent + 20).await;
        let before = hits.load(Ordering::SeqCst);
        storm.store(true, Ordering::SeqCst);
        tokio::time::sleep(STORM).await;
        storm.store(false, Ordering::SeqCst);
        storms += 1;
        most = most.max(hits.load(Ordering::SeqCst) - before);
    }
    shop.close().await;
    world.until("all are settled", || checker::is_settled(&world.db())).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    assert!(most <= DOUBTFUL_MAX, "{most} orders became doubtful in one storm");
    let figures = format!("{storms} storms, at most {most} doubtful in one, {} in the CRM, 0 twice", report.in_crm);
    rows::row("T14", "storms of 5xx, half applied", orders, Some(seed), &figures);
}
