//! The failure table, through the public door. F1, F2, F4, F5 and F8 are crashes: they are in `kill.rs`; F20 is in `disk.rs`.

use keycrm_sandbox::{DupMode, Fault, FaultKind, FaultOn};

use super::ui::person;
use super::world::{SHOP, Settings, World, form};

/// A world with one order delivered: look-ups then have a control.
async fn settled() -> World {
    let world = World::start().await;
    world.post("/in/shop", &form("First")).await;
    world.crm_has(1).await;
    world.until("the first is delivered", || world.orders()[0]["state"] == "delivered").await;
    world
}

/// The same, where nothing goes again without a person.
pub(crate) async fn asking() -> World {
    let mut world = World::idle(Settings { delivery: "resend = \"ask\"", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.post("/in/shop", &form("First")).await;
    world.crm_has(1).await;
    world
}

pub(crate) async fn one(world: &World, kind: FaultKind) -> serde_json::Value {
    world.crm.add_fault(Fault::once(FaultOn::Post, kind));
    let answer = world.post("/in/shop", &form("Second")).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world
        .until("it is settled", || {
            let state = world.order(&id)["state"].clone();
            state == "delivered" || state == "disputed" || state == "rejected"
        })
        .await;
    world.order(&id)
}

fn states(order: &serde_json::Value) -> Vec<String> {
    let mut states: Vec<String> =
        order["history"].as_array().unwrap().iter().map(|e| e["state"].as_str().unwrap().to_owned()).collect();
    states.dedup();
    states
}

const FOUND: [&str; 4] = ["queued", "sending", "unconfirmed", "delivered"];
const RESENT: [&str; 6] = ["queued", "sending", "unconfirmed", "queued", "sending", "delivered"];

/// F6: the CRM took it and the answer was lost.
#[tokio::test(flavor = "multi_thread")]
async fn f6_applied_and_the_connection_lost_is_found() {
    for kind in [FaultKind::CommitThenDrop, FaultKind::HangAfterCommit, FaultKind::DripAnswer] {
        let world = settled().await;
        let order = one(&world, kind).await;
        assert_eq!(states(&order), FOUND);
        assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 2));
    }
}

/// F7: the CRM did not take it; two absences after the quiet period, then it goes again.
#[tokio::test(flavor = "multi_thread")]
async fn f7_not_applied_and_the_connection_lost_is_sent_again_after_two_absences() {
    for kind in [FaultKind::DropBefore, FaultKind::HangBefore] {
        let world = settled().await;
        let order = one(&world, kind).await;
        assert_eq!(states(&order), RESENT);
        assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 3));
        let posts: Vec<_> = world.crm.ledger().into_iter().filter(|entry| entry.method == "POST").collect();
        assert_eq!(posts[1].body, posts[2].body, "a resend sends the same bytes");
        let quiet = posts[2].at_ms - posts[1].at_ms;
        assert!(quiet >= 550, "only {quiet} ms lay between the two; quiet period and gap are 550");
    }
}

/// The first order of an account has no control: the quiet period counts double.
#[tokio::test(flavor = "multi_thread")]
async fn f7_on_a_new_account_waits_twice_as_long() {
    let world = World::start().await;
    let order = one(&world, FaultKind::DropBefore).await;
    assert_eq!(states(&order), RESENT);
    let posts: Vec<_> = world.crm.ledger().into_iter().filter(|entry| entry.method == "POST").collect();
    let quiet = posts[1].at_ms - posts[0].at_ms;
    assert!(quiet >= 950, "only {quiet} ms lay between the two; twice the quiet period and the gap are 950");
}

/// F9's likeness inside of the quiet period: an answer of failure, and the order applied later.
#[tokio::test(flavor = "multi_thread")]
async fn applied_after_its_answer_within_the_quiet_period_is_found() {
    let world = settled().await;
    let order = one(&world, FaultKind::LateCommit { ms: 200, status: 502 }).await;
    assert_eq!(states(&order), FOUND);
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 2));
}

/// F12: a storm of 5xx opens the breaker: a handful of doubtful orders, the rest waits.
#[tokio::test(flavor = "multi_thread")]
async fn f12_a_storm_of_5xx_makes_few_doubtful_orders() {
    let world = settled().await;
    world.crm.add_fault(Fault::always(FaultOn::Post, FaultKind::HtmlAfterCommit { status: 502 }).times(2));
    world.crm.add_fault(Fault::always(FaultOn::Post, FaultKind::RefuseBefore { status: 503 }).times(4));
    for number in 0..30 {
        assert_eq!(world.post("/in/shop", &form(&format!("S{number}"))).await.status, 202);
    }
    world.until("the breaker is open", || world.log().contains("\"state\":\"unconfirmed\"")).await;
    let doubtful = world.orders().iter().filter(|order| order["state"] == "unconfirmed").count();
    assert!(doubtful <= 4, "{doubtful} doubtful orders");
    world.until("all are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    assert_eq!(world.crm.orders().len(), 31);
    assert_eq!(world.crm_posts(), 1 + 30 + 4, "each was sent once, and again only where it was not applied");
}

/// F13: a 429 is provably not applied; the account rests for the CRM's minute.
#[tokio::test(flavor = "multi_thread")]
async fn f13_after_a_429_the_account_rests_and_loses_nothing() {
    let world = settled().await;
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::RateLimited { retry_after: Some(1) }));
    let began = std::time::Instant::now();
    for number in 0..3 {
        world.post("/in/shop", &form(&format!("R{number}"))).await;
    }
    while world.crm.orders().len() < 4 && began.elapsed().as_secs() < 90 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (4, 5), "{:#?}", world.orders());
    assert!(began.elapsed().as_secs() >= 59, "it did not rest: {}", world.log());
}

/// F14: a success that is none.
#[tokio::test(flavor = "multi_thread")]
async fn f14_a_success_without_proof_is_looked_up() {
    let kinds = [
        FaultKind::HtmlAfterCommit { status: 200 },
        FaultKind::EmptyAfterCommit { status: 201 },
        FaultKind::WrongJson,
        FaultKind::WrongNumber,
        FaultKind::TruncatedAfterCommit,
        FaultKind::HugeAnswer,
    ];
    for kind in kinds {
        let world = settled().await;
        let order = one(&world, kind).await;
        assert_eq!(states(&order), FOUND);
        assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 2));
    }
    let world = settled().await;
    assert_eq!(states(&one(&world, FaultKind::HtmlBefore { status: 200 }).await), RESENT);
}

/// The CRM took it under another number, as its answer says: it is there, and no look for ours finds it.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_crm_took_under_another_number_is_not_sent_again() {
    let world = settled().await;
    let (id, made) = taken_elsewhere(&world).await;
    assert!(world.order(&id)["reason"].as_str().unwrap().contains("took it"), "{}", world.order(&id));
    assert_eq!(world.crm_posts(), 2);
    let olena = person(&world, "olena", "operator", &[]).await;
    let page = olena.get(&world, &format!("/orders/{id}")).await.text;
    assert!(page.contains("took the order") && page.contains(&format!("value=\"{made}\"")), "{page}");
    // Nor when a person asks, once and again: the CRM's word was that it has it.
    for looks in 2..4 {
        assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
        let again = || states(&world.order(&id)).iter().filter(|state| *state == "disputed").count() == looks;
        world.until("it is disputed again", again).await;
        assert!(world.order(&id)["reason"].as_str().unwrap().contains("took it"), "{}", world.order(&id));
    }
    assert_eq!(world.crm_posts(), 2);
}

/// An order that the CRM took, by its word under another number, and that is gone from there by now: its id and the CRM's.
async fn taken_elsewhere(world: &World) -> (String, u64) {
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::WrongNumber));
    // No look before it is gone from there: for one by our number it is not there.
    world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::RefuseBefore { status: 503 }));
    let before = world.crm.orders().len();
    let answer = world.post("/in/shop", &form("Elsewhere")).await;
    world.crm_has(before + 1).await;
    let made = world.crm.orders()[before]["id"].as_u64().unwrap();
    assert!(world.crm.delete_order(made));
    world.crm.clear_faults();
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "disputed").await;
    (id, made)
}

/// Orders that a person found in the CRM need not be there under their numbers: they prove nothing of look-ups, and no look
/// back contradicts the person. One that was mistyped is found out when the CRM makes that order of another.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_found_is_no_control_and_yields_to_the_crms_own_word() {
    let world = settled().await;
    let olena = person(&world, "olena", "operator", &[]).await;
    let accept = async |id: &str, number: u64| {
        let answer = olena.post(&world, &format!("/orders/{id}/accept"), &format!("crm_order_id={number}")).await;
        assert!(answer.header("location").contains("did=delivered"), "{}", answer.header("location"));
    };
    for by_command in [false, true] {
        let (id, made) = taken_elsewhere(&world).await;
        assert_eq!(world.order(&id)["said_crm_id"], made);
        if by_command {
            assert!(world.cli(&["orders", "show", &id]).out.contains(&format!("answered with its order {made}")));
            let ran = world.cli(&["orders", "accept", &id, &made.to_string(), "--json"]);
            assert!(ran.code == 0 && ran.out.contains("delivered"), "{}{}", ran.out, ran.err);
            assert_eq!(world.cli(&["orders", "accept", &id, &made.to_string()]).code, 1, "it is no doubt any more");
        } else {
            accept(&id, made).await;
        }
    }
    assert_eq!(states(&one(&world, FaultKind::DropBefore).await), RESENT, "the control is one that its number finds");
    let (mistyped, made) = taken_elsewhere(&world).await;
    accept(&mistyped, made + 1).await;
    let answer = world.post("/in/shop", &form("Next")).await;
    let next = answer.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&next, "delivered").await;
    assert_eq!(world.order(&next)["crm_order_id"], made + 1);
    let order = world.order(&mistyped);
    assert_eq!((&order["state"], &order["crm_order_id"]), (&"disputed".into(), &serde_json::Value::Null));
    assert!(order["reason"].as_str().unwrap().contains("another order's"), "{order}");
    accept(&mistyped, made).await;
}

/// The number that a person enters is looked at: where the CRM has no such order, they are asked again.
#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_order_of_the_crm_is_told() {
    let mut world = asking().await;
    let id = one(&world, FaultKind::DropBefore).await["id"].as_str().unwrap().to_owned();
    // Made by hand, under another number.
    let request = world.http.post(format!("{}/order", world.crm.api_url())).bearer_auth("canary-key-1");
    let by_hand = r#"{"source_id":22,"source_uuid":"by-hand","buyer":{"full_name":"Second"}}"#;
    let made = request.header("content-type", "application/json").body(by_hand).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let made = world.crm.orders()[1]["id"].as_u64().unwrap();
    for (number, state) in [(made + 7, "disputed"), (made, "delivered")] {
        assert_eq!(world.cli(&["orders", "accept", &id, &number.to_string()]).code, 0);
        world.stop();
        world.alter("UPDATE orders SET check_at = 1 WHERE said_crm_id IS NOT NULL");
        world.serve(&[]);
        world.until("it was looked at", || world.number("SELECT count(*) FROM orders WHERE check_at = 1") == 0).await;
        let order = world.order(&id);
        assert_eq!(order["state"], state, "{order}");
        assert_eq!(order["reason"] == "the CRM has no order of the number that was entered", state == "disputed");
    }
    assert_eq!(world.order(&id)["crm_order_id"], made);
}

/// The last guard: the CRM says that the number is taken, and the look-up finds another's order.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_crm_calls_taken_is_looked_up() {
    let mut world = World::idle(Settings { duplicates: DupMode::Reject, ..Settings::default() }).await;
    world.channel("shop", &SHOP.replace("source_id = 22", "source_id = 22\nsource_uuid = \"{{ nr }}\""));
    world.serve(&[]);
    // Somebody else's order with the number that ours will get, made before ours came.
    let taken = r#"{"source_id":22,"source_uuid":"77","buyer":{"full_name":"Other"}}"#;
    let request = world.http.post(format!("{}/order", world.crm.api_url())).bearer_auth("canary-key-1");
    let made = request.header("content-type", "application/json").body(taken).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let answer = world.post("/in/shop", &format!("{}&nr=77", form("Ours"))).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world
        .until("it is settled", || world.order(&id)["state"] == "delivered" || world.order(&id)["state"] == "disputed")
        .await;
    // It was refused when it was sent for the first time, so the row is not its own, however young it is.
    assert_eq!(world.order(&id)["state"], "disputed");
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (1, 2));
}

/// Look-ups that lie: without its control an absence never counts.
#[tokio::test(flavor = "multi_thread")]
async fn an_absence_without_its_control_never_sends() {
    for lie in [FaultKind::LookupEmpty, FaultKind::LookupIgnoresFilter] {
        let world = settled().await;
        world.crm.add_fault(Fault::always(FaultOn::Lookup, lie).for_ms(2_500));
        let order = one(&world, FaultKind::CommitThenDrop).await;
        assert_eq!(states(&order), FOUND);
        assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 2));
    }
}

/// An installation whose filter does not split numbers at commas.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_looked_up_one_by_one_where_lists_do_not_work() {
    let mut world = World::idle(Settings { multi_lookup: false, ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.post("/in/shop", &form("First")).await;
    world.crm_has(1).await;
    assert_eq!(states(&one(&world, FaultKind::CommitThenDrop).await), FOUND);
    assert_eq!(states(&one(&world, FaultKind::DropBefore).await), RESENT);
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (3, 4));
}

/// With `resend = "ask"` nothing goes again without a person; `orders retry` looks first, too.
#[tokio::test(flavor = "multi_thread")]
async fn f23_with_ask_a_person_decides_and_the_crm_is_asked_again_first() {
    let world = asking().await;
    let order = one(&world, FaultKind::DropBefore).await;
    assert_eq!(order["state"], "disputed");
    assert_eq!(world.crm_posts(), 2);
    let id = order["id"].as_str().unwrap().to_owned();
    // F23: a person's word sends it, once it is proven again that it is not there.
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.reaches(&id, "delivered").await;
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 3));
    // One that is there after all is found and not sent.
    let lost = one(&world, FaultKind::DropAndLateCommit { ms: 1_500 }).await;
    let id = lost["id"].as_str().unwrap().to_owned();
    assert_eq!(lost["state"], "disputed");
    world.crm_has(3).await;
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.reaches(&id, "delivered").await;
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (3, 4));
    // And a word to give it up.
    let id = one(&world, FaultKind::DropBefore).await["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "cancel", &id, "--reason", "test"]).code, 0);
    assert_eq!(world.order(&id)["state"], "canceled");
}

/// The CRM is gone and comes back: nothing was handed over, so the queue just goes on.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_crm_makes_no_doubt() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    world.configure("http://127.0.0.1:9/v1");
    world.serve(&[]);
    for number in 0..5 {
        world.post("/in/shop", &form(&format!("U{number}"))).await;
    }
    world.until("it was tried", || world.orders().iter().any(|order| order["attempts"] != 0)).await;
    assert!(world.orders().iter().all(|order| order["state"] == "queued" || order["state"] == "sending"));
    world.stop();
    world.configure(&world.crm.api_url());
    world.serve(&[]);
    world.crm_has(5).await;
    assert_eq!(world.crm_posts(), 5);
}

/// POSTs are counted at the CRM: the HTTP library repeats none, whatever the answer.
#[tokio::test(flavor = "multi_thread")]
async fn the_library_never_repeats_a_post() {
    let kinds = [
        FaultKind::DropBefore,
        FaultKind::CommitThenDrop,
        FaultKind::RefuseBefore { status: 503 },
        FaultKind::RefuseBefore { status: 408 },
        FaultKind::HtmlBefore { status: 307 },
    ];
    for kind in kinds {
        let mut world = World::idle(Settings { quiet: "30s", ..Settings::default() }).await;
        world.channel("shop", SHOP);
        world.serve(&[]);
        world.crm.add_fault(Fault::once(FaultOn::Post, kind));
        world.post("/in/shop", &form("A")).await;
        world
            .until("its outcome is known", || {
                world.orders()[0]["state"] == "unconfirmed" || world.crm.orders().len() == 1
            })
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        assert_eq!(world.crm_posts(), 1);
    }
}
