//! Many orders: with the CRM down for part of the time, and with kills under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

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
    let stop = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..8)
        .map(|sender| tokio::spawn(send(world.url("/in/shop"), sender, Arc::clone(&stop), Arc::clone(&accepted))))
        .collect();
    for round in 0..10usize {
        tokio::time::sleep(Duration::from_millis(150 + 37 * round as u64)).await;
        // A busy machine takes longer for what is to be at stake.
        world.until("orders came in", || accepted.load(Ordering::SeqCst) > 10 * (round + 1)).await;
        world.kill();
        world.serve(&[]);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap());
    }
    assert!(acknowledged.len() > 100, "only {} orders were accepted", acknowledged.len());
    world.until("all are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    let orders = world.orders();
    let kept: Vec<&str> = orders.iter().map(|order| order["id"].as_str().unwrap()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !kept.contains(&id.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(kept.len(), acknowledged.len(), "each key made one order");
    let numbers: Vec<String> = orders.iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
    world.assert_once(&numbers);
}

/// Sends orders one after the other; each is repeated with its key until it is acknowledged.
async fn send(url: String, sender: usize, stop: Arc<AtomicBool>, accepted: Arc<AtomicUsize>) -> Vec<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let mut acknowledged = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        loop {
            let request = client
                .post(&url)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("idempotency-key", format!("{sender}-{number}"))
                .body(form(&format!("L{sender}x{number}")));
            if let Ok(response) = request.send().await
                && response.status().is_success()
                && let Ok(text) = response.text().await
            {
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                acknowledged.push(json["id"].as_str().unwrap().to_owned());
                accepted.fetch_add(1, Ordering::SeqCst);
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    acknowledged
}
