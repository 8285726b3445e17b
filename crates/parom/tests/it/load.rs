//! Many orders: with the CRM down for part of the time, and with kills under load.

use std::sync::Arc;
use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::shop::Shop;
use super::world::{SHOP, Settings, World, form};

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_orders_with_the_crm_down_for_part_of_the_time() {
    let mut world = World::idle(Settings { crm_limit: 600, limit: 540, ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let mut numbers = Vec::new();
    for number in 0..300 {
        if number == 60 {
            world.crm.add_fault(Fault::always(FaultOn::Any, FaultKind::RefuseBefore { status: 503 }).for_ms(1_500));
        }
        if number == 150 {
            world.crm.add_fault(Fault::always(FaultOn::Any, FaultKind::DropBefore).for_ms(1_500));
        }
        let answer = world.post("/in/shop", &form(&format!("N{number}"))).await;
        assert_eq!(answer.status, 202);
        numbers.push(answer.json()["id"].as_str().unwrap().to_owned());
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
    world.crm_has(300).await;
    world.until("all are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    let orders = world.orders();
    assert_eq!(orders.len(), 300);
    let sent: Vec<String> = orders.iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
    world.assert_once(&sent);
    assert!(world.crm.ledger().iter().all(|entry| entry.status != Some(429)), "the CRM had to refuse a request");
    assert!(world.crm.requests_per_window_max() <= 540);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_under_load_lose_and_double_nothing() {
    let mut world = World::idle(Settings { quiet: "300ms", gap: "100ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let acks = Arc::new(Acks::new());
    let shop = Shop::open(&world, 8, Duration::from_millis(20), &acks);
    for round in 0..10usize {
        tokio::time::sleep(Duration::from_millis(150 + 37 * round as u64)).await;
        // A busy machine takes longer for what is to be at stake.
        world.until("orders came in", || acks.count() > 10 * (round + 1)).await;
        world.kill();
        world.serve(&[]);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    shop.close().await;
    assert!(acks.count() > 100, "only {} orders were accepted", acks.count());
    world.until("all are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.orders, report.acked, "each key made one order");
}
