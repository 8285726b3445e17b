//! A later request of a sender for the same order: it replaces what was not sent, and stands beside what was.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};
use serde_json::{Value, json};

use super::ui::person;
use super::world::{Answer, NO_CRM, Settings, World};

const WOO: &str = "format = \"woocommerce\"\naccess.token = { env = \"TEST_TOKEN\" }\norder.source_id = 22\n";

fn order(note: &str, minute: u32) -> Value {
    json!({
        "id": 5012, "number": "5012", "status": "processing", "customer_note": note,
        "date_modified_gmt": format!("2026-01-10T09:{minute:02}:00"),
        "billing": { "first_name": "Olena", "last_name": "K", "phone": "0671112233" },
        "line_items": [{ "name": "Mug", "quantity": 1, "price": 250 }],
    })
}

async fn send(world: &World, order: &Value) -> Answer {
    world.send("/in/woo/right-token", "application/json", order.to_string().into(), &[]).await
}

async fn world(channel: &str) -> World {
    world_of(channel, true).await
}

async fn world_of(channel: &str, with_crm: bool) -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("woo", channel);
    if !with_crm {
        world.configure(NO_CRM);
    }
    world.serve(&[]);
    world
}

fn only(world: &World) -> Value {
    let orders = world.orders();
    assert_eq!(orders.len(), 1, "{orders:?}");
    world.order(orders[0]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn before_delivery_it_replaces() {
    let mut world = world_of(WOO, false).await;
    let first = send(&world, &order("old", 0)).await;
    assert_eq!(first.status, 202);
    world.until("it was tried", || world.orders()[0]["attempts"].as_i64() > Some(0)).await;
    world.until("it waits", || world.orders()[0]["state"] == "queued").await;
    let second = send(&world, &order("new", 1)).await;
    assert_eq!((second.status, &second.json()["id"]), (200, &first.json()["id"]));
    // What came before comes again, or late: nothing changes.
    assert_eq!(send(&world, &order("new", 1)).await.status, 200);
    assert_eq!(send(&world, &order("older", 0)).await.status, 200);
    world.stop();
    world.configure(&world.crm.api_url());
    world.serve(&[]);
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["buyer_comment"], "new");
    let kept = only(&world);
    let results: Vec<&str> =
        kept["updates"].as_array().unwrap().iter().map(|u| u["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["replaced", "late"]);
    assert!(kept["submission"]["body"].as_str().unwrap().contains("\"new\""), "the newest is what a replay maps");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_delivery_it_is_kept_and_shown() {
    let world = world(WOO).await;
    send(&world, &order("old", 0)).await;
    world.until("it is delivered", || world.orders()[0]["state"] == "delivered").await;
    assert_eq!(send(&world, &order("new", 1)).await.status, 200);
    let kept = only(&world);
    assert_eq!((kept["state"].as_str(), kept["updates"][0]["result"].as_str()), (Some("delivered"), Some("kept")));
    assert_eq!(kept["order"]["buyer_comment"], "old");
    let id = kept["id"].as_str().unwrap();
    let page = world.cli(&["orders", "show", id]).out;
    assert!(page.contains("changed by its sender") && page.contains("kept beside what was sent"), "{page}");
    assert_eq!(world.crm.orders().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_what_was_held_and_holds_what_became_wrong() {
    let world = world_of(&format!("on_invalid = \"hold\"\n{WOO}"), false).await;
    let mut wrong = order("", 0);
    wrong["billing"]["phone"] = json!("call me");
    send(&world, &wrong).await;
    world.until("it is held", || world.orders()[0]["state"] == "held").await;
    send(&world, &order("right", 1)).await;
    world.until("it goes", || world.orders()[0]["state"] == "queued").await;
    wrong["date_modified_gmt"] = json!("2026-01-10T10:00:00");
    send(&world, &wrong).await;
    world.until("it is held again", || world.orders()[0]["state"] == "held").await;
    assert!(only(&world)["problems"].to_string().contains("invalid_phone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_undo_a_persons_edit() {
    let world = world_of(WOO, false).await;
    let mut wrong = order("", 0);
    wrong["billing"]["phone"] = json!("");
    wrong["billing"]["first_name"] = json!("");
    wrong["billing"]["last_name"] = json!("");
    send(&world, &wrong).await;
    world.until("it is held", || world.orders()[0]["state"] == "held").await;
    let id = world.orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "edit", &id, "--set", "buyer.phone=+380671112233"]).code, 0);
    send(&world, &order("changed in the shop", 1)).await;
    let kept = only(&world);
    assert_eq!(kept["updates"][0]["result"], "kept");
    assert_eq!(kept["order"]["buyer"]["phone"], "+380671112233");
    assert_eq!(kept["order"].get("buyer_comment"), None);
}

/// Nothing that is not signed may make two orders of one, or one of two.
#[tokio::test(flavor = "multi_thread")]
async fn the_senders_own_number_outranks_every_header() {
    let world = world(WOO).await;
    for key in ["a", "b", "sender:order:7"] {
        let headers = [("idempotency-key", key)];
        let body = order("same", 0).to_string().into();
        let answer = world.send("/in/woo/right-token?parom_again=zz", "application/json", body, &headers).await;
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    }
    world.until("it is delivered", || world.orders()[0]["state"] == "delivered").await;
    assert_eq!((world.orders().len(), world.crm.orders().len()), (1, 1));
}

/// What came while the order was on its way goes after a refusal, and never takes the place of something newer.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_word_goes_whatever_the_crm_answers() {
    let world = world(WOO).await;
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    let sources = world.crm.directory().sources;
    world.crm.change_directory(|directory| directory.sources.clear());
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::SlowBefore { ms: 500 }));
    send(&world, &order("v1", 0)).await;
    world.until("it is on its way", || world.orders()[0]["state"] == "sending").await;
    send(&world, &order("v2", 1)).await;
    let seen = || {
        let kept = only(&world);
        (kept["state"].clone(), kept["order"]["buyer_comment"].clone(), kept["updates"][0]["result"].clone())
    };
    world.until("the CRM refused both", || seen() == (json!("rejected"), json!("v2"), json!("replaced"))).await;
    world.crm.change_directory(|directory| directory.sources.clone_from(&sources));
    send(&world, &order("v3", 2)).await;
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["buyer_comment"], "v3");
}

/// An order of which nobody knows whether it arrived; nobody can look until the CRM's faults are cleared.
async fn in_doubt(kind: FaultKind, comment: &str) -> World {
    let world = world(WOO).await;
    let mut control = order("", 0);
    (control["id"], control["number"]) = (json!(1), json!("1"));
    send(&world, &control).await;
    world.until("a control is there", || world.orders()[0]["state"] == "delivered").await;
    world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::RefuseBefore { status: 503 }));
    world.crm.add_fault(Fault::once(FaultOn::Post, kind));
    send(&world, &order(comment, 0)).await;
    world.until("nobody knows", || world.orders()[0]["state"] == "unconfirmed").await;
    world
}

/// Of several that came meanwhile, the newest.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_several_takes_the_place() {
    let world = in_doubt(FaultKind::DropBefore, "v1").await;
    send(&world, &order("v2", 1)).await;
    send(&world, &order("v3", 2)).await;
    world.crm.clear_faults();
    world.crm_has(2).await;
    world.until("it is delivered", || world.orders()[0]["state"] == "delivered").await;
    let kept = world.order("5012");
    assert_eq!(kept["order"]["buyer_comment"], "v3");
    let results: Vec<&str> =
        kept["updates"].as_array().unwrap().iter().map(|u| u["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["kept", "replaced"]);
}

/// A shop's times have no parts of a second: what waits for the same commit is taken as it came.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_together_is_taken_in_its_order() {
    let world = std::sync::Arc::new(world_of(WOO, false).await);
    assert_eq!(send(&world, &order("v0", 0)).await.status, 202);
    world.until("it was tried", || world.orders()[0]["attempts"].as_i64() > Some(0)).await;
    // No further try is under way while it is changed.
    world.alter("INSERT INTO paused_accounts (account, at, actor) VALUES ('main', 0, 'test')");
    world.until("it waits", || world.orders()[0]["state"] == "queued").await;
    world.hold_up(std::time::Duration::from_secs(2));
    let mut sent = tokio::task::JoinSet::new();
    for at in 1..=6 {
        let world = std::sync::Arc::clone(&world);
        sent.spawn(async move { send(&world, &order(&format!("v{at}"), 1)).await.status });
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    }
    assert_eq!(sent.join_all().await, [200; 6]);
    assert_eq!(only(&world)["order"]["buyer_comment"], "v6");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_old_order_that_never_came_waits_for_a_person() {
    let world = world(WOO).await;
    let headers = [("x-wc-webhook-topic", "order.updated")];
    let mut old = order("", 0);
    old["date_created_gmt"] = json!("2025-01-10T09:00:00");
    let path = "/in/woo/right-token";
    assert_eq!(world.send(path, "application/json", old.to_string().into(), &headers).await.status, 202);
    world.until("it waits", || world.orders()[0]["state"] == "held").await;
    assert!(only(&world)["problems"].to_string().contains("unknown_update"));
    let id = world.orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.crm_has(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_gives_a_number_twice_makes_no_update_of_it() {
    let world = world(WOO).await;
    for (name, created) in [("Olena", "2026-01-10T09:00:00"), ("Hanna", "2026-03-10T09:00:00")] {
        let mut order = order("", 0);
        order["billing"]["first_name"] = json!(name);
        order["date_created_gmt"] = json!(created);
        assert_eq!(send(&world, &order).await.status, 202);
    }
    world
        .until("the second waits for a person", || {
            let orders = world.orders();
            orders.len() == 2
                && orders.iter().any(|o| o["state"] == "held" && o["problems"].to_string().contains("number_taken"))
        })
        .await;
}

/// While the file is broken nobody knows the sender; when it is mended, its tests and repeats are seen for what they are.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_file_was_broken_is_sorted_out() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("woo", "format = \"woocommerce");
    world.serve(&[]);
    let post = async |body: Value, topic: &str| {
        let headers = [("x-wc-webhook-topic", topic)];
        world.send("/in/woo/right-token", "application/json", body.to_string().into(), &headers).await
    };
    for _ in 0..3 {
        assert_eq!(post(order("same", 0), "order.created").await.status, 202);
    }
    assert_eq!(post(json!({ "webhook_id": "5" }), "").await.status, 202);
    assert_eq!(post(json!({ "id": 5012 }), "order.deleted").await.status, 202);
    assert_eq!(post(order("changed", 1), "order.updated").await.status, 202);
    world.channel("woo", WOO);
    world.crm_has(1).await;
    world
        .until("all are sorted out", || {
            let orders = world.orders();
            let count = |state: &str| orders.iter().filter(|order| order["state"] == state).count();
            (count("delivered"), count("canceled"), count("held")) == (1, 5, 0)
        })
        .await;
    // The change is the first's, whether it went with it or stands beside it.
    let first = world.order("5012");
    assert!(first["updates"][0]["submission"].to_string().contains("changed") || first.to_string().contains("changed"));
    assert_eq!(first["updates"].as_array().unwrap().len(), 1);
    // And now it has its key.
    send(&world, &order("same", 0)).await;
    assert_eq!(world.orders().len(), 6);
}

/// A forged request owns no key: the true one of the same order goes, and what is forged stays for a person.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_while_the_file_was_broken_stands_in_nobodys_way() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("woo", "format = \"woocommerce");
    world.serve(&[]);
    for (path, note) in [("/in/woo/wrong-token", "forged"), ("/in/woo/right-token", "true")] {
        let answer = world.send(path, "application/json", order(note, 0).to_string().into(), &[]).await;
        assert_eq!(answer.status, 202);
    }
    world.channel("woo", WOO);
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["buyer_comment"], "true");
    world.until("the forged one waits", || world.orders()[1]["problems"].to_string().contains("wrong_token")).await;
    assert_eq!(send(&world, &order("true", 0)).await.json()["status"], "duplicate");
    // Its number is the other's: a person is told so, and nothing goes twice.
    let forged = world.orders()[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "retry", &forged]).code, 1);
    let problems = world.order(&forged)["problems"].to_string();
    assert!(problems.contains("number_taken") && world.crm.orders().len() == 1, "{problems}");
}

/// Without a time of change, what was kept before the newest came does not undo it, though it is looked at later.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_that_was_kept_does_not_undo_a_newer_one() {
    let timeless = |note: &str| {
        let mut order = order(note, 0);
        order.as_object_mut().unwrap().remove("date_modified_gmt");
        order
    };
    let mut world = world_of("format = \"woocommerce", false).await;
    for note in ["first", "second"] {
        assert_eq!(send(&world, &timeless(note)).await.status, 202);
    }
    let second = world.orders()[0]["id"].as_str().unwrap().to_owned();
    world.stop();
    world.alter(&format!("UPDATE orders SET reason = 'aside' WHERE id = '{second}'"));
    world.channel("woo", WOO);
    world.serve(&[]);
    world.until("the first is taken", || world.orders()[1]["state"] != "held").await;
    assert_eq!(send(&world, &timeless("third")).await.status, 200);
    world.stop();
    world.alter(&format!("UPDATE orders SET reason = 'channel_broken' WHERE id = '{second}'"));
    world.configure(&world.crm.api_url());
    world.serve(&[]);
    world.until("the second is the first's", || world.orders()[0]["state"] == "canceled").await;
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["buyer_comment"], "third");
}

/// An order that a person edited while its file was broken has its sender's id when it goes: what comes later is no second order.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_order_of_a_broken_file_has_its_key() {
    let mut world = world_of("format = \"woocommerce", true).await;
    let id = send(&world, &order("first", 0)).await.json()["id"].as_str().unwrap().to_owned();
    let edits = ["source_id=22", "buyer.full_name=Olena", "buyer.phone=0671112233"];
    let sets: Vec<&str> = edits.iter().flat_map(|edit| ["--set", edit]).collect();
    world.cli(&[&["orders", "edit", &id, "--keep"], sets.as_slice()].concat());
    world.stop();
    world.channel("woo", WOO);
    world.serve(&[]);
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.reaches(&id, "delivered").await;
    let later = send(&world, &order("later", 1)).await;
    assert_eq!((later.status, later.json()["id"].as_str()), (200, Some(id.as_str())));
    assert_eq!((world.orders().len(), world.crm.orders().len()), (1, 1));
}

/// What the channel refuses of a later state changes nothing, and a person sees it.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_state_that_the_channel_refuses_waits_for_a_person() {
    let world = world_of("format = \"woocommerce", true).await;
    send(&world, &order("first", 0)).await;
    let mut wrong = order("later", 1);
    wrong["line_items"][0]["quantity"] = json!("many");
    send(&world, &wrong).await;
    world.channel("woo", &format!("on_invalid = \"reject\"\n{WOO}"));
    world.crm_has(1).await;
    world.until("the later one waits", || world.orders()[0]["problems"].to_string().contains("key_reused")).await;
    assert_eq!(
        (world.orders()[0]["state"].as_str(), world.crm.orders()[0]["buyer_comment"].as_str()),
        (Some("held"), Some("first"))
    );
}

/// Killed while it is sorted out what came for a broken file: the next start goes on, and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_mended_file_sorts_out_changes_nothing() {
    let mut world = World::idle(Settings::default()).await;
    for (round, verb) in ["claim_key", "revise", "move_order", "take_later_state"].into_iter().enumerate() {
        for (turn, edge) in ["store.before_commit", "store.after_commit"].into_iter().enumerate() {
            let (id, name) = (6_000 + round * 2 + turn, format!("woo-{verb}-{turn}").replace('_', "-"));
            world.channel(&name, "format = \"woocommerce");
            world.serve(&[]);
            for (note, minute) in [("first", 0), ("first", 0), ("later", 1)] {
                let mut body = order(note, minute);
                (body["id"], body["number"]) = (json!(id), json!(id.to_string()));
                let path = format!("/in/{name}/right-token");
                let answer = world.send(&path, "application/json", body.to_string().into(), &[]).await;
                assert_eq!(answer.status, 202);
            }
            world.stop();
            world.channel(&name, WOO);
            world.serve(&[("PAROM_CRASH_AT", &format!("{edge}.{verb}"))]);
            assert_eq!(world.died().await, None, "{edge}.{verb} was not met:\n{}", world.log());
            world.serve(&[]);
            let done = round * 2 + turn + 1;
            world
                .until("all is sorted out", || {
                    world.count(&["delivered"]) == done && world.count(&["canceled"]) == 2 * done
                })
                .await;
            world.stop();
        }
    }
    let numbers: Vec<String> = (6_000..6_008).map(|id| id.to_string()).collect();
    assert_eq!(world.crm.orders().len(), numbers.len());
    world.assert_once(&numbers);
}

/// The update comes while the order is on its way: it goes if the first never arrived, and stands beside it if it did.
#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_on_its_way_it_waits_for_how_that_ends() {
    for (kind, comment) in [(FaultKind::DropBefore, "new"), (FaultKind::CommitThenDrop, "old")] {
        let world = in_doubt(kind, "old").await;
        assert_eq!(send(&world, &order("new", 1)).await.status, 200);
        world.crm.clear_faults();
        world.until("it is delivered", || world.orders()[0]["state"] == "delivered").await;
        let there: Vec<Value> = world.crm.orders().into_iter().filter(|o| o["source_uuid"] == "5012").collect();
        assert_eq!((there.len(), &there[0]["buyer_comment"]), (1, &json!(comment)));
        let kept = world.order("5012");
        let result = if comment == "new" { "replaced" } else { "kept" };
        assert_eq!(kept["updates"][0]["result"], result);
        assert_eq!(kept["order"]["buyer_comment"], comment);
    }
}

/// A person asks to look again for a disputed order: where the first content never arrived, the newest goes.
#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_disputed_the_newest_waits_too() {
    let world = in_doubt(FaultKind::DropBefore, "v1").await;
    send(&world, &order("v2", 1)).await;
    world.alter("UPDATE orders SET state = 'disputed', reason = 'test' WHERE state = 'unconfirmed'");
    assert_eq!(send(&world, &order("v3", 2)).await.status, 200);
    world.crm.clear_faults();
    assert_eq!(world.cli(&["orders", "retry", "5012"]).code, 0);
    world.until("it is delivered", || world.orders()[0]["state"] == "delivered").await;
    assert_eq!(world.order("5012")["order"]["buyer_comment"], "v3");
    let there: Vec<Value> = world.crm.orders().into_iter().filter(|o| o["source_uuid"] == "5012").collect();
    assert_eq!((there.len(), &there[0]["buyer_comment"]), (1, &json!("v3")));
}

/// A viewer's token reads nothing of what the sender sent, first or later.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewers_token_reads_no_update() {
    let world = world(WOO).await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let made = anna.post(&world, "/tokens", "name=eye&role=viewer").await.text;
    let token = format!("Bearer parom_{}", made.split("parom_").nth(1).unwrap().split('<').next().unwrap());
    send(&world, &order("canary-first", 0)).await;
    world.crm_has(1).await;
    send(&world, &order("canary-later", 1)).await;
    let id = world.order("5012")["id"].as_str().unwrap().to_owned();
    let seen = world.call("GET", &format!("/api/v1/orders/{id}"), &[("authorization", &token)], "").await;
    assert!(seen.status == 200 && seen.json()["updates"].as_array().unwrap().len() == 1, "{}", seen.text);
    assert!(!seen.text.contains("canary"), "{}", seen.text);
}
