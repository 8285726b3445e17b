//! Looks back at what was delivered: what is there twice is told, what was deleted is not sent again.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::{checker, rows};
use crate::world::{World, form};

/// Makes every look back due, as if its time had come.
fn hurry(world: &World) {
    world.alter("UPDATE orders SET check_at = 1 WHERE check_at IS NOT NULL");
}

async fn delivered(world: &World, name: &str) -> String {
    let id = world.post("/in/shop", &form(name)).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    id
}

/// F10: applied later than any quiet period: it is there twice, and every such order is found.
#[tokio::test(flavor = "multi_thread")]
async fn f10_applied_after_the_quiet_period_is_found_by_a_look_back() {
    let runs = rows::runs(5);
    let world = World::start().await;
    delivered(&world, "First").await;
    for round in 0..runs {
        world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::DropAndLateCommit { ms: 2_500 }));
        let id = delivered(&world, &format!("Late{round}")).await;
        world.crm_has(3 + 2 * round).await;
        hurry(&world);
        world.reaches(&id, "disputed").await;
        let order = world.order(&id);
        assert!(order["reason"].as_str().unwrap().contains("more than once"), "{order}");
    }
    let others = world.orders().iter().filter(|order| order["state"] == "delivered").count();
    assert_eq!(others, 1, "an order that is there once stays delivered");
    rows::row("T16", "F10: applied after the quiet period", runs, None, "all told, none sent a third time");
}

/// F24: somebody deleted it in the CRM: noted, and never sent again.
#[tokio::test(flavor = "multi_thread")]
async fn f24_deleted_in_the_crm_is_noted_and_not_sent_again() {
    let mut world = World::start().await;
    let (kept, gone) = (delivered(&world, "Kept").await, delivered(&world, "Gone").await);
    let number = world.order(&gone)["crm_order_id"].as_u64().unwrap();
    assert!(world.crm.delete_order(number));
    hurry(&world);
    world.until("it is noted", || world.order(&gone)["history"].to_string().contains("not in the CRM any more")).await;
    world.stop();
    world.serve(&[]);
    hurry(&world);
    // It is looked at again, as the list may have been wrong, and noted once.
    let looks = format!("SELECT looks_back FROM orders WHERE id = '{gone}'");
    world.until("it is looked at again", || checker::number(&world.db(), &looks) == 2).await;
    let history = world.order(&gone)["history"].to_string();
    assert_eq!(history.matches("not in the CRM any more").count(), 1, "{history}");
    delivered(&world, "After").await;
    assert_eq!(world.order(&gone)["state"], "delivered");
    assert_eq!(world.order(&kept)["state"], "delivered");
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 3));
    rows::row("T16", "F24: deleted in the CRM", 1, None, "noted, not sent again");
}

/// Without a control in the answer an order that is not shown is not called gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_back_that_lies_says_nothing() {
    let world = World::start().await;
    let id = delivered(&world, "A").await;
    for lie in [FaultKind::LookupEmpty, FaultKind::LookupIgnoresFilter, FaultKind::HtmlBefore { status: 200 }] {
        let looked = world.crm.ledger().len();
        world.crm.clear_faults();
        world.crm.add_fault(Fault::always(FaultOn::Lookup, lie));
        hurry(&world);
        world.until("it was looked at", || world.crm.ledger().len() > looked).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let order = world.order(&id);
        assert_eq!(order["state"], "delivered");
        assert!(!order["history"].to_string().contains("any more"), "{lie:?}: {order}");
    }
}
