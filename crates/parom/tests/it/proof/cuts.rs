//! T12: the connection is cut at places all along the request and the answer; in a soak, at nearly every byte.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::world::{SHOP, Settings, World};
use super::acks::Acks;
use super::checker;
use super::rows;
use super::shop::Shop;
use super::wire::{Heard, Plan, Wire};

#[tokio::test(flavor = "multi_thread")]
async fn t12_connections_cut_all_along_a_request() {
    cut("request", |at, of, heard| Plan::CutRequest(heard.bytes.len() * at / of)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t12_connections_cut_all_along_an_answer() {
    cut("answer", |at, of, _| Plan::CutAnswer(1_000 * at / of)).await;
}

/// Cuts every other order's first connection, each a little later than the one before.
async fn cut(what: &str, plan: impl Fn(usize, usize, &Heard) -> Plan + Send + Sync + 'static) {
    let runs = rows::runs(200);
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let seen = Mutex::new(HashSet::new());
    let wire = Wire::lay(world.crm.addr(), move |heard| {
        let mut seen = seen.lock().unwrap();
        // A resend has a connection that lasts.
        if !heard.post || !seen.insert(heard.number.clone()) {
            return Plan::Pass;
        }
        let cuts = seen.len() / 2;
        if seen.len().is_multiple_of(2) && cuts <= runs { plan(cuts - 1, runs, heard) } else { Plan::Pass }
    });
    let wire = wire.await;
    world.configure(&wire.url());
    world.serve(&[]);
    let acks = Arc::new(Acks::new());
    let shop = Shop::open(&world, 4, Duration::from_millis(5), &acks);
    while acks.count() < 2 * runs + 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.close().await;
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    let attempts: usize = checker::number(&world.db(), "SELECT count(*) FROM attempts");
    let (doubts, again) = (checker::number(&world.db(), DOUBTS), attempts - report.orders);
    assert!(doubts >= runs * 9 / 10, "only {doubts} of {runs} cuts were felt");
    let figures = format!("{doubts} doubts, {again} sent again, 0 lost, 0 twice");
    rows::row("T12", &format!("connection cut, by bytes of the {what}"), runs, None, &figures);
}

const DOUBTS: &str = "SELECT count(*) FROM attempts WHERE outcome = 'unknown'";
