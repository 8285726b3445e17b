//! kill −9 at each point of accept, send and verify: nothing that was acknowledged is lost, nothing is in the CRM twice.
//!
//! The sender behaves as senders do: without a 2xx it sends again, with the same key.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::proof::acks::Acks;
use super::proof::{checker, rows};
use super::world::{SHOP, Settings, World, form};

/// Rounds a point.
const ROUNDS: usize = 20;
const FORM: &str = "application/x-www-form-urlencoded";

async fn ready() -> World {
    let mut world = World::idle(Settings { quiet: "200ms", gap: "60ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.post("/in/shop", &form("Control")).await;
    world.until("a control is there", || world.orders()[0]["state"] == "delivered").await;
    world.stop();
    world
}

/// Runs the rounds: arm, post, die, start again, repeat the request until it is acknowledged, and count.
async fn rounds(point: &str, fault: Option<FaultKind>) {
    let mut world = ready().await;
    let runs = rows::runs(ROUNDS);
    let acks = Acks::new();
    for round in 0..runs {
        world.serve(&[("PAROM_CRASH_AT", point)]);
        if let Some(kind) = fault {
            world.crm.add_fault(Fault::once(FaultOn::Post, kind));
        }
        let key = format!("round-{round}");
        let headers = [("idempotency-key", key.as_str())];
        let body = form(&format!("R{round}"));
        let first = world.try_send("/in/shop", FORM, body.clone().into(), &headers).await;
        let told = first.ok().filter(|answer| matches!(answer.status, 200 | 202));
        let code = world.died().await;
        assert_eq!(code, None, "{point} ended by itself:\n{}", world.log());
        world.serve(&[]);
        let told = match told {
            Some(answer) => answer,
            None => world.send("/in/shop", FORM, body.clone().into(), &headers).await,
        };
        assert!(matches!(told.status, 200 | 202), "{point}: {}", told.text);
        acks.add(told.json()["id"].as_str().unwrap(), &key, &body);
        world.crm_has(round + 2).await;
        world.until("all are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
        world.stop();
    }
    let numbers: Vec<String> =
        world.orders().iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers.len(), runs + 1, "{point}: an order is there twice in our journal");
    world.assert_once(&numbers);
    checker::check(&world, &acks).sound(&world);
    rows::row("T3", &format!("kill -9: {point}"), runs, None, "0 lost, 0 twice");
}

fn commit(edge: &str, verb: &str) -> String {
    format!("store.{edge}_commit.{verb}")
}

macro_rules! points {
    ($($name:ident: $point:expr, $fault:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            rounds(&$point, $fault).await;
        })*
    };
}

points! {
    // F1: nothing was kept; the sender, who heard nothing, sends again.
    before_the_order_is_handed_to_the_store: "intake.before_accept", None;
    before_the_orders_commit: commit("before", "accept"), None;
    // F2: kept, and the answer lost: the key finds it.
    after_the_orders_commit: commit("after", "accept"), None;
    before_the_answer: "intake.after_accept", None;
    // F4: never sent.
    before_the_intent: "send.before_intent", None;
    before_the_intents_commit: commit("before", "claim"), None;
    // F5: perhaps sent; in truth not.
    after_the_intents_commit: commit("after", "claim"), None;
    before_the_first_byte: "send.after_intent", None;
    // F8: taken by the CRM, and the result lost.
    after_the_crms_answer: "send.after_answer", None;
    before_the_results_commit: commit("before", "settle"), None;
    after_the_results_commit: commit("after", "settle"), None;
    after_the_result: "send.after_result", None;
    // In verification, of an order that is there and of one that is not.
    before_a_look_of_one_that_is_there: "verify.before_look", Some(FaultKind::CommitThenDrop);
    after_a_look_of_one_that_is_there: "verify.after_look", Some(FaultKind::CommitThenDrop);
    after_a_look_of_one_that_is_not: "verify.after_look:2", Some(FaultKind::DropBefore);
    before_a_verdict_is_written: "verify.before_result", Some(FaultKind::DropBefore);
}

/// The kill while the CRM works on the request: before it took the order, and after.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_crm_works_on_the_request() {
    for kind in [FaultKind::HangBefore, FaultKind::HangAfterCommit] {
        let mut world = ready().await;
        for round in 0..ROUNDS / 2 {
            world.serve(&[]);
            let posts = world.crm_posts();
            world.crm.add_fault(Fault::once(FaultOn::Post, kind));
            assert_eq!(world.post("/in/shop", &form(&format!("H{round}"))).await.status, 202);
            world.until("the CRM has the request", || world.crm_posts() > posts).await;
            world.kill();
            world.crm.clear_faults();
            world.serve(&[]);
            world.crm_has(round + 2).await;
            world.until("all are delivered", || world.orders().iter().all(|o| o["state"] == "delivered")).await;
            world.stop();
        }
        each_once(&world);
    }
}

/// The numbers of all orders, each of which the CRM has once.
fn each_once(world: &World) -> Vec<String> {
    let orders = world.orders();
    let numbers: Vec<String> = orders.iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
    world.assert_once(&numbers);
    numbers
}

macro_rules! update_points {
    ($($name:ident: $point:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            updated(&$point).await;
        })*
    };
}

update_points! {
    before_an_update_is_handed_to_the_store: "intake.before_accept";
    before_an_updates_commit: commit("before", "accept");
    after_an_updates_commit: commit("after", "accept");
    before_an_updates_answer: "intake.after_accept";
}

/// A sender's update at a point of its keeping: the sender repeats until it is acknowledged, and the CRM has one order with the
/// new content.
async fn updated(point: &str) {
    let woo = "format = \"woocommerce\"\naccess.token = { env = \"TEST_TOKEN\" }\norder.source_id = 22";
    let order = |id: usize, note: &str| {
        format!(
            "{{\"id\":{id},\"number\":\"W-{id}\",\"status\":\"processing\",\"customer_note\":\"{note}\",\
             \"date_modified_gmt\":\"2026-01-10T09:00:0{}\",\"billing\":{{\"first_name\":\"Olena\",\"phone\":\"0671112233\"}},\
             \"line_items\":[{{\"name\":\"Mug\",\"quantity\":1,\"price\":250}}]}}",
            note.len()
        )
    };
    let json = "application/json";
    let mut world = ready().await;
    world.channel("woo", woo);
    for round in 0..ROUNDS / 2 {
        world.configure(super::world::NO_CRM);
        world.serve(&[]);
        let path = "/in/woo/right-token";
        assert_eq!(world.send(path, json, order(round, "old").into(), &[]).await.status, 202);
        world.stop();
        world.serve(&[("PAROM_CRASH_AT", point)]);
        let _ = world.try_send(path, json, order(round, "newer").into(), &[]).await;
        assert_eq!(world.died().await, None, "{point}");
        world.serve(&[]);
        assert_eq!(world.send(path, json, order(round, "newer").into(), &[]).await.status, 200);
        world.stop();
        world.configure(&world.crm.api_url());
        world.serve(&[]);
        world.crm_has(round + 2).await;
        world.until("all are delivered", || world.orders().iter().all(|o| o["state"] == "delivered")).await;
        world.stop();
    }
    let numbers = each_once(&world);
    for number in numbers.iter().filter(|number| number.starts_with("W-")) {
        let kept = world.order(number)["updates"].as_array().unwrap().len();
        assert_eq!(kept, 1, "{point}: the update of {number} is there {kept} times");
    }
    let comments = world.crm.orders().iter().filter(|order| order["buyer_comment"] == "newer").count();
    assert_eq!(comments, numbers.len() - 1, "{point}: the CRM has an old content");
}
