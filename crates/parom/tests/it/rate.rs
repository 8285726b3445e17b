//! The account's limit against a CRM that enforces 60 a minute in any window.

use std::time::{Duration, Instant};

use super::world::{SHOP, Settings, World, form};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_goes_at_once_then_the_ceiling_holds_also_over_a_restart() {
    let mut world = World::idle(Settings { crm_limit: 60, limit: 54, ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let began = Instant::now();
    for number in 0..64 {
        assert_eq!(world.post("/in/shop", &form(&format!("B{number}"))).await.status, 202);
    }
    // The account's dictionaries took a few places at the start; the burst has all the rest.
    world.until("the minute is used up", || world.crm.ledger().len() >= 54).await;
    let burst = world.crm.orders().len();
    assert!(burst >= 36, "dictionaries took {} of 54", 54 - burst);
    assert!(began.elapsed() < Duration::from_secs(15), "the burst took {:?}", began.elapsed());
    // A restart knows from its ledger what the minute has had.
    world.kill();
    let before = world.crm.ledger().len();
    world.serve(&[]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(world.crm.orders().len() <= burst + 1, "{} went", world.crm.orders().len());
    while world.crm.orders().len() < 64 && began.elapsed() < Duration::from_secs(100) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(world.crm.orders().len(), 64);
    // The dictionaries are known by now, and yield to the orders that wait.
    let ledger = world.crm.ledger();
    let last = ledger.iter().rposition(|entry| entry.method == "POST").unwrap();
    let lists = ledger[before..last].iter().filter(|entry| entry.method == "GET").count();
    assert!(lists <= 2, "{lists} lists were fetched while orders waited");
    assert!(began.elapsed() < Duration::from_secs(80), "the rest came only after {:?}", began.elapsed());
    assert!(world.crm.requests_per_window_max() <= 54, "{}", world.crm.requests_per_window_max());
    assert!(world.crm.ledger().iter().all(|entry| entry.status != Some(429)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_gateway_delivers_at_once() {
    let world = World::start().await;
    let mut times = Vec::new();
    for number in 0..20 {
        let began = Instant::now();
        world.post("/in/shop", &form(&format!("I{number}"))).await;
        while world.crm.orders().len() <= number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(began.elapsed());
    }
    times.sort();
    // A poll would show as hundreds of milliseconds; the figures themselves are in `make bench`.
    assert!(times[10] < Duration::from_millis(400), "{times:?}");
}
