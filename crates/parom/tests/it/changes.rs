//! What a sender tells of an order that is in the CRM: a payment is added once, a status is set, whatever happens between.

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Options, Sandbox};
use serde_json::{Value, json};

use super::alerts;
use super::world::{Settings, World};

const WOO: &str = r#"
format = "woocommerce"
access.token = { env = "TEST_TOKEN" }
order.source_id = 22
[update]
status = "{{ {'completed': 'Виконано', 'cancelled': 'Скасовано'}[status] }}"
[[update.payments]]
payment_method_id = 1
amount = "{{ total if date_paid }}"
description = "WooCommerce"
"#;

fn order(id: usize, status: &str, paid: bool, minute: u32) -> Value {
    json!({
        "id": id, "number": format!("W-{id}"), "status": status, "total": "250.00",
        "date_paid": if paid { json!("2026-01-10T11:00:00") } else { Value::Null },
        "date_modified_gmt": format!("2026-01-10T09:{minute:02}:00"),
        "billing": { "first_name": "Olena", "last_name": "K", "phone": "0671112233" },
        "line_items": [{ "name": "Mug", "quantity": 1, "price": 250 }],
    })
}

async fn world(channel: &str) -> World {
    begun(World::idle(Settings { quiet: "300ms", gap: "100ms", ..Settings::default() }).await, channel).await
}

/// Its store is a file: that is what a backup restores.
async fn world_of_file(channel: &str) -> World {
    begun(World::of_file(Settings { quiet: "300ms", gap: "100ms", ..Settings::default() }).await, channel).await
}

async fn begun(mut world: World, channel: &str) -> World {
    world.channel("woo", channel);
    world.serve(&[]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    world
}

async fn send(world: &World, order: &Value) {
    let path = "/in/woo/right-token";
    let answer = world.send(path, "application/json", order.to_string().into(), &[]).await;
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
}

async fn delivered(world: &World, id: usize) {
    send(world, &order(id, "processing", false, 0)).await;
    world.until("it is delivered", || state(world, id) == "delivered").await;
}

fn state(world: &World, id: usize) -> String {
    let number = format!("W-{id}");
    let orders = world.orders();
    orders
        .iter()
        .find(|order| order["source_uuid"] == number.as_str())
        .map_or(String::new(), |o| o["state"].as_str().unwrap().into())
}

fn in_crm(world: &World, id: usize) -> Value {
    let number = format!("W-{id}");
    let found: Vec<Value> =
        world.crm.orders().into_iter().filter(|order| order["source_uuid"] == number.as_str()).collect();
    assert_eq!(found.len(), 1, "{number}");
    found[0].clone()
}

fn payments(world: &World, id: usize) -> usize {
    in_crm(world, id)["payments"].as_array().map_or(0, Vec::len)
}

fn changes(world: &World, id: usize) -> Vec<(String, String)> {
    let kept = world.order(&format!("W-{id}"))["changes"].clone();
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    kept.as_array().unwrap().iter().map(|change| (text(change, "kind"), text(change, "state"))).collect()
}

async fn all_done(world: &World, id: usize) {
    world.until("every change is made", || changes(world, id).iter().all(|(_, state)| state == "done")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_and_a_status_follow_the_order_once() {
    let world = world(WOO).await;
    delivered(&world, 1).await;
    send(&world, &order(1, "processing", true, 1)).await;
    send(&world, &order(1, "completed", true, 2)).await;
    // The shop tells the same again and again.
    send(&world, &order(1, "completed", true, 3)).await;
    all_done(&world, 1).await;
    assert_eq!(changes(&world, 1).len(), 2);
    let there = in_crm(&world, 1);
    assert_eq!(there["status_id"], 8);
    assert_eq!((payments(&world, 1), &there["payments"][0]["amount"]), (1, &json!(250)));
    assert!(there["payments"][0]["description"].as_str().unwrap().starts_with("WooCommerce (P-"));
    let page = world.cli(&["orders", "show", "W-1"]).out;
    assert!(page.contains("payment is in the CRM") && page.contains("status is in the CRM"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_came_with_the_order_is_not_added_again() {
    let with = "[[order.payments]]\npayment_method_id = 1\namount = \"{{ total if date_paid }}\"\nstatus = \"paid\"\n";
    let world = world(&format!("{WOO}{with}")).await;
    send(&world, &order(1, "processing", true, 0)).await;
    world.until("it is delivered", || state(&world, 1) == "delivered").await;
    send(&world, &order(1, "completed", true, 1)).await;
    world.until("the status is set", || in_crm(&world, 1)["status_id"] == 8).await;
    world.until("it is written down", || changes(&world, 1) == [("status".to_owned(), "done".to_owned())]).await;
    assert_eq!(payments(&world, 1), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_answer_the_payment_is_there_once() {
    let world = world(WOO).await;
    let kinds = [
        FaultKind::CommitThenDrop,
        FaultKind::DropBefore,
        FaultKind::HtmlAfterCommit { status: 502 },
        FaultKind::RefuseBefore { status: 503 },
        FaultKind::HangAfterCommit,
    ];
    for (id, kind) in kinds.into_iter().enumerate() {
        delivered(&world, id).await;
        world.crm.add_fault(Fault::once(FaultOn::Change, kind));
        send(&world, &order(id, "processing", true, 1)).await;
        all_done(&world, id).await;
        assert_eq!(payments(&world, id), 1, "{kind:?}");
    }
}

/// A look that fails is no absence: two that show the order's payments come before it is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_fails_does_not_count() {
    let world = world(WOO).await;
    delivered(&world, 1).await;
    world.crm.add_fault(Fault::once(FaultOn::Change, FaultKind::DropBefore));
    world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::RefuseBefore { status: 503 }).times(2));
    send(&world, &order(1, "processing", true, 1)).await;
    all_done(&world, 1).await;
    let path = format!("/order/{}", in_crm(&world, 1)["id"]);
    let looks = world.crm.ledger().iter().filter(|entry| entry.method == "GET" && entry.path.contains(&path)).count();
    assert_eq!((payments(&world, 1), looks), (1, 4), "{:#?}", world.crm.ledger());
}

/// The newest status is the last that is set, whatever became of the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_whose_answer_was_lost_is_not_set_over_a_newer_one() {
    let mut world = world(WOO).await;
    let set = |world: &World| -> Vec<String> {
        let puts = world.crm.ledger().into_iter().filter(|entry| entry.method == "PUT");
        puts.map(|entry| serde_json::from_str::<Value>(&entry.body).unwrap()["status_id"].to_string()).collect()
    };
    // While it is on its way, and when the process ends meanwhile.
    for (id, dies) in [(1, false), (2, true)] {
        delivered(&world, id).await;
        let before = set(&world).len();
        world.crm.add_fault(Fault::once(FaultOn::Change, FaultKind::HangBefore));
        send(&world, &order(id, "completed", false, 1)).await;
        world.until("it is on its way", || set(&world).len() == before + 1).await;
        send(&world, &order(id, "cancelled", false, 2)).await;
        if dies {
            world.kill();
            world.serve(&[]);
        }
        world.until("the newer one is set", || changes(&world, id).iter().any(|change| change.1 == "done")).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let sent = set(&world)[before..].to_vec();
        assert_eq!(sent.len(), 2, "{sent:?}");
        assert_ne!(sent[0], sent[1]);
        let states: Vec<String> = changes(&world, id).into_iter().map(|change| change.1).collect();
        assert_eq!(states, ["superseded", "done"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_marked_for_a_person() {
    let world = world(&WOO.replace("payment_method_id = 1", "payment_method_id = 999")).await;
    let marked = |id: usize| world.order(&format!("W-{id}"))["problems"].to_string().contains("change_refused");
    delivered(&world, 1).await;
    send(&world, &order(1, "processing", true, 1)).await;
    world.until("the dictionary knows no such method", || marked(1)).await;
    assert_eq!((payments(&world, 1), state(&world, 1)), (0, "delivered".to_owned()));
    // And where the CRM itself says no.
    delivered(&world, 2).await;
    world.crm.add_fault(Fault::once(FaultOn::Change, FaultKind::Validation));
    send(&world, &order(2, "completed", false, 1)).await;
    world.until("the CRM refused it", || marked(2)).await;
    assert_eq!(changes(&world, 2), [("status".to_owned(), "refused".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_sender_that_changes_its_mind_without_end_the_rest_is_marked() {
    let world = world(WOO).await;
    delivered(&world, 1).await;
    world.alter("INSERT INTO paused_accounts (account, at, actor) VALUES ('main', 0, 'test')");
    for minute in 1..=52 {
        let status = if minute % 2 == 0 { "completed" } else { "cancelled" };
        send(&world, &order(1, status, minute == 52, minute)).await;
    }
    let marks = world.order("W-1")["problems"].to_string();
    assert_eq!(marks.matches("status that its sender told of later was not made").count(), 1, "{marks}");
    assert!(marks.contains("more than 50") && !marks.contains("payment"), "{marks}");
    world.alter("DELETE FROM paused_accounts");
    world.until("the payment is made", || payments(&world, 1) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_rule_belongs_to_senders_that_tell_of_orders_again() {
    let world = World::idle(Settings::default()).await;
    world.channel("form", "order.source_id = 22\norder.buyer.phone = \"{{ phone }}\"\n[update]\nstatus_id = 12\n");
    let checked = world.cli(&["check", "--offline"]);
    assert_eq!(checked.code, 1);
    assert!(checked.out.contains("[update] needs a `format`"), "{}", checked.out);
}

/// The waits of a change went by the time of day: a clock that was set back by an hour held a payment in doubt up for an
/// hour, and one that was set forward could end its quiet period early.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_changes_no_wait_of_a_payment() {
    let mut world = World::idle(Settings { quiet: "1500ms", gap: "100ms", ..Settings::default() }).await;
    world.channel("woo", WOO);
    let file = world.dir.path().join("offset");
    std::fs::write(&file, "0").unwrap();
    world.serve(&[("PAROM_CLOCK_FILE", file.to_str().unwrap())]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    for (id, hours) in [(1, 1), (2, -1)] {
        std::fs::write(&file, "0").unwrap();
        delivered(&world, id).await;
        world.crm.add_fault(Fault::once(FaultOn::Change, FaultKind::DropAndLateCommit { ms: 800 }));
        send(&world, &order(id, "processing", true, 1)).await;
        let doubtful = || changes(&world, id).iter().any(|(_, state)| state == "unconfirmed");
        world.until("it is doubtful", doubtful).await;
        std::fs::write(&file, (hours * 3_600_000).to_string()).unwrap();
        all_done(&world, id).await;
        assert_eq!(payments(&world, id), 1, "{hours} h");
    }
}

/// Killed at each point of a change; the start after it looks, and the CRM has one payment.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_point_a_payment_is_added_once() {
    let points = [
        "change.before_intent",
        "store.before_commit.claim_change",
        "store.after_commit.claim_change",
        "change.after_intent",
        "change.after_answer",
        "store.before_commit.settle_change",
        "store.after_commit.settle_change",
        "change.after_result",
    ];
    let mut world = world(WOO).await;
    for (place, point) in points.into_iter().enumerate() {
        for round in 0..5 {
            let id = place * 100 + round + 1;
            delivered(&world, id).await;
            world.stop();
            world.serve(&[("PAROM_CRASH_AT", point)]);
            // The process may die before it answers: the sender repeats.
            let body = order(id, "processing", true, 1).to_string();
            let _ = world.try_send("/in/woo/right-token", "application/json", body.into(), &[]).await;
            assert_eq!(world.died().await, None, "{point}");
            world.serve(&[]);
            send(&world, &order(id, "processing", true, 1)).await;
            world.until("the payment is there", || payments(&world, id) == 1).await;
            all_done(&world, id).await;
            assert_eq!(payments(&world, id), 1, "{point}");
        }
    }
}

/// A payment that was made after the backup is not made again when its sender tells of it once more: a person is asked.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_a_payment_of_before_is_left_to_a_person() {
    let mut world = world_of_file(WOO).await;
    delivered(&world, 1).await;
    let file = world.dir.path().join("copy.db");
    assert_eq!(world.cli(&["backup", file.to_str().unwrap()]).code, 0);
    send(&world, &order(1, "processing", true, 1)).await;
    world.until("it is paid", || payments(&world, 1) == 1).await;
    all_done(&world, 1).await;
    world.stop();
    assert_eq!(world.cli(&["restore", file.to_str().unwrap()]).code, 0);
    world.serve(&[]);
    assert_eq!(changes(&world, 1), [], "the store has forgotten it");
    send(&world, &order(1, "processing", true, 2)).await;
    let told = world.order("W-1")["problems"].to_string();
    assert!(told.contains("the store was restored, and it may have been made before"), "{told}");
    assert_eq!(changes(&world, 1), []);
    // An order of after the restore is paid as ever.
    delivered(&world, 2).await;
    send(&world, &order(2, "processing", true, 1)).await;
    world.until("it is paid", || payments(&world, 2) == 1).await;
    assert_eq!(payments(&world, 1), 1);
}

/// A queued payment of a restored store may have been made since: it is looked for by its mark before it goes.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_a_queued_payment_is_looked_for_first() {
    let mut world = world_of_file(WOO).await;
    delivered(&world, 1).await;
    assert_eq!(world.cli(&["backup", world.dir.path().join("first.db").to_str().unwrap()]).code, 0);
    world.crm.add_fault(Fault::always(FaultOn::Change, FaultKind::RefuseBefore { status: 401 }));
    send(&world, &order(1, "processing", true, 1)).await;
    world.until("it was tried", || changes(&world, 1) == [("payment".to_owned(), "queued".to_owned())]).await;
    let file = world.dir.path().join("copy.db");
    assert_eq!(world.cli(&["backup", file.to_str().unwrap()]).code, 0);
    world.crm.clear_faults();
    world.until("it is paid", || payments(&world, 1) == 1).await;
    all_done(&world, 1).await;
    world.stop();
    assert_eq!(world.cli(&["restore", file.to_str().unwrap()]).code, 0);
    world.serve(&[]);
    all_done(&world, 1).await;
    assert_eq!(payments(&world, 1), 1);
}

/// What a sender tells before the order is in the CRM has no place in the order that goes: it is made when that is there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_before_the_order_is_sent_is_made_after_it() {
    let world = world(WOO).await;
    world.alter("INSERT INTO paused_accounts (account, at, actor) VALUES ('main', 0, 'test')");
    send(&world, &order(1, "processing", false, 0)).await;
    send(&world, &order(1, "cancelled", true, 1)).await;
    assert_eq!((state(&world, 1).as_str(), world.crm.orders().len()), ("queued", 0));
    world.alter("DELETE FROM paused_accounts");
    world.until("it is delivered", || state(&world, 1) == "delivered").await;
    world.until("the status is set", || in_crm(&world, 1)["status_id"] == 9).await;
    all_done(&world, 1).await;
    assert_eq!((payments(&world, 1), changes(&world, 1).len()), (1, 2));
}

/// And once, where the order itself brings the payment after all.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_the_order_brings_after_all_is_made_once() {
    let world = world(WOO).await;
    world.alter("INSERT INTO paused_accounts (account, at, actor) VALUES ('main', 0, 'test')");
    send(&world, &order(1, "processing", false, 0)).await;
    send(&world, &order(1, "processing", true, 1)).await;
    assert_eq!(changes(&world, 1), [("payment".to_owned(), "queued".to_owned())]);
    let with = "[[order.payments]]\npayment_method_id = 1\namount = \"{{ total if date_paid }}\"\nstatus = \"paid\"\n";
    world.channel("woo", &format!("{WOO}{with}"));
    world.until("it is read", || world.log().matches("\"channel\":\"woo\",\"version\"").count() == 2).await;
    send(&world, &order(1, "completed", true, 2)).await;
    world.alter("DELETE FROM paused_accounts");
    world.until("the status is set", || state(&world, 1) == "delivered" && in_crm(&world, 1)["status_id"] == 8).await;
    world.until("nothing is left", || changes(&world, 1).iter().all(|(_, state)| state != "queued")).await;
    assert_eq!(payments(&world, 1), 1, "{}", in_crm(&world, 1));
}

/// The same while it is on its way, where the first never arrived: the payment of the new content is not made twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_while_a_first_try_is_lost_is_made_once() {
    let with = "[[order.payments]]\npayment_method_id = 1\namount = \"{{ total if date_paid }}\"\nstatus = \"paid\"\n";
    let world = world(&format!("{WOO}{with}")).await;
    delivered(&world, 1).await;
    world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::RefuseBefore { status: 503 }));
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::DropBefore));
    send(&world, &order(2, "processing", false, 0)).await;
    world.until("nobody knows", || state(&world, 2) == "unconfirmed").await;
    send(&world, &order(2, "completed", true, 1)).await;
    world.crm.clear_faults();
    world.until("it is delivered", || state(&world, 2) == "delivered").await;
    world.until("the status is set", || in_crm(&world, 2)["status_id"] == 8).await;
    let open = || changes(&world, 2).iter().any(|(_, state)| state != "done" && state != "superseded");
    world.until("nothing is left", || !open()).await;
    assert_eq!(payments(&world, 2), 1, "{}", in_crm(&world, 2));
}

/// The channel goes to another account by now, whose CRM has another order of the same number: nothing of that is touched, and
/// somebody is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_never_meets_another_accounts_order() {
    let other = Sandbox::start(Options { api_key: Some("canary-key-1".into()), ..Options::default() }).await.unwrap();
    let world = World::idle(Settings { quiet: "300ms", gap: "100ms", ..Settings::default() }).await;
    let text = std::fs::read_to_string(world.config()).unwrap();
    let account = format!(
        "[accounts.other]\nurl = \"{}\"\napi_key = {{ env = \"TEST_CRM_KEY\" }}\n[accounts.main]",
        other.api_url()
    );
    std::fs::write(world.config(), text.replace("[accounts.main]", &account)).unwrap();
    let (bot, heard) = alerts::http_server(0);
    let alerts = format!(
        "language = \"en\"\ndigest = \"200ms\"\n[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1"
    );
    alerts::configure(&world, &alerts);
    let mut world = world;
    world.channel("woo", &format!("account = \"main\"\n{WOO}"));
    world.channel("second", &format!("account = \"other\"\n{WOO}"));
    world.serve(&[("BOT", "1:x")]);
    world.until("both are known", || world.log().matches("dictionaries fetched").count() == 2).await;
    delivered(&world, 1).await;
    let path = "/in/second/right-token";
    let strangers = order(7, "processing", false, 0).to_string();
    assert_eq!(world.send(path, "application/json", strangers.into(), &[]).await.status, 202);
    world.until("the other CRM has an order of this number", || other.orders().len() == 1).await;
    assert_eq!(other.orders()[0]["id"], in_crm(&world, 1)["id"]);
    let before = other.orders();
    world.channel("woo", &format!("account = \"other\"\n{WOO}"));
    world.until("it is read", || world.log().matches("\"channel\":\"woo\",\"version\"").count() == 2).await;
    send(&world, &order(1, "cancelled", true, 1)).await;
    let told = || heard.lock().unwrap().iter().any(|message| message.2.contains("woo, W-1"));
    world.until("it is told", told).await;
    let shown = world.order("W-1");
    assert!(shown["problems"].to_string().contains("another account by now"), "{shown}");
    assert_eq!((changes(&world, 1).len(), other.orders(), payments(&world, 1)), (0, before, 0));
}

/// A payment in doubt whose order is gone from the CRM is not looked for without end, and stops no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_an_order_that_is_gone_is_left_to_a_person() {
    let world = world(WOO).await;
    delivered(&world, 1).await;
    world.crm.add_fault(Fault::once(FaultOn::Change, FaultKind::HangAfterCommit));
    send(&world, &order(1, "processing", true, 1)).await;
    world.until("nobody knows", || changes(&world, 1) == [("payment".to_owned(), "unconfirmed".to_owned())]).await;
    assert!(world.crm.delete_order(in_crm(&world, 1)["id"].as_u64().unwrap()));
    world.until("it is told", || changes(&world, 1) == [("payment".to_owned(), "refused".to_owned())]).await;
    assert!(world.order("W-1")["problems"].to_string().contains("no such order any more"));
    assert!(!world.log().contains("the CRM is left alone"), "{}", world.log());
}
