//! T16 and T17: orders that the CRM makes only after the connection was lost, and look-ups that do not show what is there.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::super::world::{SHOP, Settings, World, form};
use super::acks::Acks;
use super::rows::{self, Dice};
use super::wire::{Plan, Wire};
use super::{checker, shop};

async fn world() -> World {
    let mut world = World::idle(Settings { quiet: "3s", gap: "150ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    // A control, and the account's dictionaries.
    world.post("/in/shop", &form("Control")).await;
    world.until("a control is there", || world.count(&["delivered"]) == 1).await;
    world
}

async fn orders(world: &World, count: usize, acks: &Acks) {
    for number in 0..count {
        let key = format!("l{number}");
        assert!(shop::ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), acks).await);
    }
}

/// T16: what is applied late, and still within the quiet period, is found; nothing is sent a second time.
#[tokio::test(flavor = "multi_thread")]
async fn t16_orders_applied_late_within_the_quiet_period_are_found() {
    let (runs, seed) = (rows::runs(100), rows::seed());
    let mut dice = Dice(seed);
    let world = world().await;
    for skip in 0..runs {
        // Every other POST. A busy machine may be late by itself, so the last part of the quiet period stays free.
        let ms = dice.below(1_200);
        let kind = match dice.below(2) {
            0 => FaultKind::DropAndLateCommit { ms },
            _ => FaultKind::LateCommit { ms, status: 504 },
        };
        world.crm.add_fault(Fault::once(FaultOn::Post, kind).skip(u32::try_from(skip).unwrap()));
    }
    let acks = Acks::new();
    orders(&world, 2 * runs, &acks).await;
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    let doubts = checker::number(&world.db(), "SELECT count(*) FROM attempts WHERE outcome = 'unknown'");
    assert!(doubts >= runs * 9 / 10, "only {doubts} of {runs} were applied late");
    assert_eq!(report.posts, report.orders, "an order was sent a second time");
    rows::row("T16", "applied late, within the quiet period", doubts, Some(seed), "0 sent again, 0 twice");
}

/// T17: lists that are empty, that ignore their filter, or that show other sources or numbers: while the control fails, an
/// absence sends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn t17_an_absence_without_its_control_sends_nothing() {
    let runs = rows::runs(25);
    let mut doubts = 0;
    for lie in ["empty", "no filter", "another source", "another number"] {
        let mut world = world().await;
        world.stop();
        let lying = Arc::new(AtomicBool::new(true));
        let wire = lying_wire(&world, lie, Arc::clone(&lying)).await;
        world.configure(&wire.url());
        world.serve(&[]);
        match lie {
            "empty" => world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::LookupEmpty)),
            "no filter" => world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::LookupIgnoresFilter)),
            _ => {}
        }
        let acks = Acks::new();
        orders(&world, 2 * runs, &acks).await;
        world.until("the CRM has all", || world.crm.orders().len() == 2 * runs + 1).await;
        // Longer than the quiet period and both looks after it.
        tokio::time::sleep(Duration::from_millis(4_500)).await;
        assert_eq!(world.crm_posts(), 2 * runs + 1, "{lie}: an order was sent a second time");
        lying.store(false, Ordering::SeqCst);
        world.crm.clear_faults();
        world.until("all are settled", || world.is_settled()).await;
        let report = checker::check(&world, &acks).sound(&world);
        assert_eq!(world.crm_posts(), 2 * runs + 1, "{lie}: an order was sent a second time");
        doubts += checker::number(&world.db(), "SELECT count(*) FROM attempts WHERE outcome = 'unknown'");
        let found = report.states.get("delivered").copied().unwrap_or_default();
        let asked = report.states.get("disputed").copied().unwrap_or_default();
        assert_eq!(found + asked, report.orders, "{lie}: {:?}", report.states);
        assert!(asked == 0 || lie == "another source", "{lie}: {:?}", report.states);
    }
    rows::row("T17", "look-ups that lie, the control failing", doubts, None, "0 sent again, 0 twice");
}

/// Loses the answer to every other order's first POST, and falsifies look-ups while it lies.
async fn lying_wire(world: &World, lie: &'static str, lying: Arc<AtomicBool>) -> Wire {
    let seen = Mutex::new(HashSet::new());
    Wire::lay(world.crm.addr(), move |heard| {
        if heard.post {
            let mut seen = seen.lock().unwrap();
            let first = seen.insert(heard.number.clone());
            return if first && seen.len().is_multiple_of(2) { Plan::CutAnswer(0) } else { Plan::Pass };
        }
        match lie {
            _ if !lying.load(Ordering::SeqCst) => Plan::Pass,
            "another source" => Plan::Replace("\"source_id\":22", "\"source_id\":23"),
            "another number" => Plan::Replace("\"source_uuid\":\"G-", "\"source_uuid\":\"H-"),
            _ => Plan::Pass,
        }
    })
    .await
}
