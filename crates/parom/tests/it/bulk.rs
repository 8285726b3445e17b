//! The bulk call: a real backlog goes many orders at a time, and none is lost or there twice whatever becomes of it.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::rows::row;
use super::proof::shop::ordered;
use super::world::{NO_CRM, SHOP, Settings, World, form};

/// A channel whose orders with a gift have a field that no bulk call takes.
fn gifts() -> String {
    SHOP.replace("source_id = 22", "source_id = 22\ngift_message = \"{{ gift }}\"")
}

/// A gateway that is off, with so many orders that wait for three minutes; each tenth has a gift.
async fn backlog(settings: Settings, orders: usize) -> (World, Acks) {
    let mut world = World::idle(Settings { quiet: "600ms", gap: "200ms", ..settings }).await;
    world.channel("shop", &gifts());
    world.configure(NO_CRM);
    world.serve(&[]);
    let acks = Acks::new();
    for number in 0..orders {
        let gift = if number % 10 == 3 { "&gift=Happy" } else { "" };
        let key = format!("k{number}");
        assert!(ordered(&world.http, &world.url("/in/shop"), &key, &(form(&key) + gift), &acks).await);
    }
    world.stop();
    world.alter("UPDATE orders SET received_at = received_at - 180000");
    world.configure(&world.crm.api_url());
    (world, acks)
}

fn auto() -> Settings {
    Settings { delivery: "bulk = \"auto\"", ..Settings::default() }
}

fn calls(world: &World, path: &str) -> usize {
    world.crm.ledger().iter().filter(|entry| entry.method == "POST" && entry.path == path).count()
}

async fn all_delivered(world: &World, acks: &Acks) {
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(world, acks).sound(world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    assert_eq!(world.crm.orders().len(), acks.count());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_goes_in_few_requests_and_gifts_go_singly() {
    let (mut world, acks) = backlog(auto(), 400).await;
    world.serve(&[]);
    all_delivered(&world, &acks).await;
    let (bulk, single) = (calls(&world, "/v1/order/import"), calls(&world, "/v1/order"));
    // 400 orders, of which 40 have a gift and a few were tried before.
    assert!((7..=12).contains(&bulk) && (40..=90).contains(&single), "{bulk} bulk calls, {single} single ones");
    let looks = world.crm.ledger().iter().filter(|entry| entry.method == "GET" && entry.path == "/v1/order").count();
    assert!(looks <= 4 * bulk, "{looks} looks for {bulk} calls");
    let bodies = world.crm.ledger();
    assert!(bodies.iter().filter(|entry| entry.path == "/v1/order/import").all(|entry| !entry.body.contains("gift")));
    assert!(world.log().contains("a backlog goes by the bulk call"), "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backlog_or_the_setting_orders_go_singly() {
    for (settings, orders) in [(Settings::default(), 130), (auto(), 90)] {
        let (mut world, acks) = backlog(settings, orders).await;
        world.serve(&[]);
        all_delivered(&world, &acks).await;
        assert_eq!(calls(&world, "/v1/order/import"), 0);
    }
}

/// Lost, partial, late, answered and not done, refused: what is not there goes singly, and no other bulk call is made.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_call_each_order_is_there_once() {
    let faults = [
        (FaultKind::CommitThenDrop, true),
        (FaultKind::DropBefore, true),
        (FaultKind::ImportPartly { orders: 20 }, true),
        (FaultKind::ImportPartly { orders: 0 }, true),
        (FaultKind::LateCommit { ms: 700, status: 201 }, false),
        (FaultKind::LateCommit { ms: 700, status: 504 }, true),
        (FaultKind::EmptyAfterCommit { status: 201 }, false),
        (FaultKind::HtmlAfterCommit { status: 200 }, false),
        (FaultKind::HangAfterCommit, true),
        (FaultKind::Validation, true),
        (FaultKind::RefuseBefore { status: 500 }, true),
        (FaultKind::RateLimited { retry_after: Some(1) }, false),
    ];
    let mut made = 0;
    for (fault, ends) in faults {
        if matches!(fault, FaultKind::RateLimited { .. }) && super::postgres::server().is_some() {
            // It rests for a minute; once is enough.
            continue;
        }
        let (mut world, acks) = backlog(auto(), 130).await;
        world.crm.add_fault(Fault::once(FaultOn::Import, fault));
        world.serve(&[]);
        all_delivered(&world, &acks).await;
        let bulk = calls(&world, "/v1/order/import");
        assert!(bulk == 1 || !ends, "{fault:?}: {bulk}");
        made += bulk;
    }
    row("T18", "bulk calls lost, partial, late, refused, not done", made, None, "each order in the CRM once");
}

/// An order that the CRM refuses keeps the others of its call no longer than their quiet period.
#[tokio::test(flavor = "multi_thread")]
async fn a_poison_order_is_found_and_the_others_go() {
    let (mut world, acks) = backlog(auto(), 130).await;
    let poison =
        "UPDATE orders SET body = replace(body, '\"phone\":', '\"email\":\"no mail\",\"phone\":') WHERE seq = 30";
    assert_eq!(world.alter(poison), 1);
    world.serve(&[]);
    world.until("all are settled", || world.is_settled()).await;
    assert_eq!((world.count(&["rejected"]), world.count(&["delivered"])), (1, 129));
    assert_eq!(world.crm.orders().len(), 129);
    assert_eq!((calls(&world, "/v1/order/import"), acks.count()), (1, 130));
}

/// Killed at each point of a bulk call, each order is there once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_point_of_a_call() {
    for point in [
        "bulk.before_intent",
        "store.before_commit.claim_bulk",
        "store.after_commit.claim_bulk",
        "bulk.after_intent",
        "bulk.after_answer",
        "store.before_commit.settle_bulk",
        "store.after_commit.settle_bulk",
        "bulk.after_result",
    ] {
        let (mut world, acks) = backlog(auto(), 130).await;
        world.serve(&[("PAROM_CRASH_AT", point)]);
        world.died().await;
        world.serve(&[]);
        all_delivered(&world, &acks).await;
    }
}
