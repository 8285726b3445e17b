//! T13 and T14: a storm of 429, and storms of 5xx in which the CRM takes half of the orders all the same.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Options, Sandbox};

use super::super::world::{SHOP, Settings, World, form};
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
            let status = ["500 Oops", "502 Bad Gateway", "503 Unavailable", "504 Timeout"]
                [usize::try_from(dice.below(4)).unwrap()];
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
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    // Who meets three storms in a row without being taken is a person's to decide about.
    let tired = world.orders().into_iter().filter(|order| order["state"] == "disputed");
    let why = |order: &serde_json::Value| world.order(order["id"].as_str().unwrap())["reason"].clone();
    let tired = tired.map(|order| assert_eq!(why(&order), "sent three times, and not in the CRM")).count();
    assert_eq!(report.states.get("delivered"), Some(&(report.orders - tired)), "{:?}", report.states);
    assert!(most <= DOUBTFUL_MAX, "{most} orders became doubtful in one storm");
    let figures = format!("{storms} storms, at most {most} doubtful in one, {} in the CRM, 0 twice", report.in_crm);
    rows::row("T14", "storms of 5xx, half applied", orders, Some(seed), &figures);
}

/// T13: a CRM that answers 429 for longer than a minute, with and without `Retry-After`, each on an account of its own. After
/// each 429 the account rests for the CRM's minute, so this test takes two (and is the first to start, in nextest's
/// configuration).
#[tokio::test(flavor = "multi_thread")]
async fn t13_a_storm_of_429_is_sat_out_and_loses_nothing() {
    let mut world = World::idle(Settings { crm_limit: 60, limit: 54, ..Settings::default() }).await;
    let other = Sandbox::start(Options::default()).await.unwrap();
    let text = fs::read_to_string(world.config()).unwrap();
    let account = "api_key = { env = \"TEST_CRM_KEY\" }\nrequests_per_minute = 54";
    fs::write(world.config(), format!("{text}[accounts.other]\nurl = \"{}\"\n{account}\n", other.api_url())).unwrap();
    world.channel("shop", SHOP);
    world.channel("other", &SHOP.replace("account = \"main\"", "account = \"other\""));
    for (crm, retry_after) in [(&world.crm, Some(1)), (&other, None)] {
        crm.add_fault(Fault::always(FaultOn::Any, FaultKind::RateLimited { retry_after }).for_ms(65_000));
    }
    world.serve(&[]);
    let began = Instant::now();
    for number in 0..6 {
        for path in ["/in/shop", "/in/other"] {
            assert_eq!(world.post(path, &form(&format!("R{number}"))).await.status, 202);
        }
    }
    while !world.is_settled() {
        assert!(began.elapsed() < Duration::from_secs(240), "it never came out of the storm:\n{}", world.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let took = began.elapsed().as_secs();
    let mut refused = 0;
    for crm in [&world.crm, &other] {
        assert_eq!(crm.orders().len(), 6);
        assert!(crm.requests_per_window_max() <= 54);
        refused += crm.ledger().iter().filter(|entry| entry.status == Some(429)).count();
        assert_eq!(crm.ledger().iter().filter(|entry| entry.applied_order.is_some()).count(), 6);
    }
    // What is under way when the first 429 comes, a minute's try, and the dictionaries.
    assert!(refused <= 2 * 10, "{refused} requests ran into the limit");
    assert_eq!(world.count(&["delivered"]), 12);
    rows::row("T13", "a storm of 429", 2, None, &format!("{refused} requests refused, all delivered after {took} s"));
}
