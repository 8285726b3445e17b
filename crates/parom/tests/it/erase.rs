//! Buyers' data goes: after its time, or when its person asks; what is left of an order is refused politely everywhere.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::proof::rows::{self, Dice};
use super::ui::person;
use super::world::{SHOP, Settings, World, form};

/// A channel that keeps samples, and whose keys are made of what the buyer typed.
const KEYED: &str = "learn = true\nidempotency_key = \"{{ phone }}/{{ form.order }}\"\nthank_you_url = \"https://shop.example.ua/thanks\"\n";

/// As a form writes it, as the CRM gets it, as a hash would not.
const OLENA: &[&str] = &[
    "067+111-22-33",
    "067 111-22-33",
    "+380671112233",
    "0671112233",
    "671112233",
    "olena@example.ua",
    "olena%40example",
    "Petrenko",
];

fn channel() -> String {
    SHOP.replacen("on_repeat = \"off\"\n", &format!("on_repeat = \"off\"\n{KEYED}"), 1)
}

fn order(number: usize, note: &str) -> String {
    format!(
        "order={number}&name=Olena+Petrenko&phone=067+111-22-33&email=olena%40example.ua&product=Mug&price=250&note={note}"
    )
}

async fn world(retention: &str) -> World {
    let mut world = World::idle(Settings {
        delivery: Box::leak(
            format!(
                "[retention]\n{retention}\n[api.tokens.hand]\ntoken = {{ env = \"TEST_HAND\" }}\nrole = \"operator\""
            )
            .into_boxed_str(),
        ),
        ..Settings::default()
    })
    .await;
    world.channel("shop", &channel());
    world.serve(&[("TEST_HAND", "hand-token-of-twenty-four")]);
    world
}

/// Where the bytes of a text are found: the file, its log, or neither.
fn found(world: &World, words: &[&str]) -> Vec<String> {
    let mut hits = Vec::new();
    world.db();
    for file in ["parom.db", "parom.db-wal"] {
        let bytes = std::fs::read(world.dir.path().join(file)).unwrap_or_default();
        for word in words {
            let lower = bytes.to_ascii_lowercase();
            if lower.windows(word.len()).any(|part| part == word.to_lowercase().as_bytes()) {
                hits.push(format!("{word} in {file}"));
            }
        }
    }
    hits
}

async fn api(world: &World, method: &str, path: &str, body: &str) -> super::world::Answer {
    world.call(method, path, &[("authorization", "Bearer hand-token-of-twenty-four")], body).await
}

/// Every place in which an order is seen or worked upon, with one whose buyer is gone.
async fn refuses_everywhere(world: &World, id: &str) {
    let shown = world.order(id);
    assert_eq!((&shown["order"], &shown["submission"]["body"]), (&json!({}), &json!("")), "{shown}");
    assert!(shown["erased_at"].is_string() && !shown["history"].as_array().unwrap().is_empty());
    assert!(world.cli(&["orders", "show", id]).out.contains("erased"));
    assert!(world.cli(&["orders", "list"]).out.contains("(erased)"));
    for format in ["csv", "ndjson"] {
        assert_eq!(world.cli(&["orders", "export", "--format", format, "--limit", "0"]).code, 0);
    }
    for command in
        [&["orders", "retry", id][..], &["orders", "cancel", id], &["orders", "edit", id, "--set", "buyer.phone=1"]]
    {
        let ran = world.cli(command);
        assert_eq!((ran.code, ran.out.contains("erased from it on")), (1, true), "{command:?}: {}{}", ran.out, ran.err);
    }
    let anna = person(world, "anna", "admin", &[]).await;
    for path in [
        "/orders".to_owned(),
        format!("/orders/{id}"),
        format!("/orders/{id}/replay"),
        "/orders/export?format=xlsx".into(),
        "/channels/shop".into(),
        "/channels/shop/edit".into(),
        "/".into(),
    ] {
        assert_eq!(anna.get(world, &path).await.status, 200, "{path}");
    }
    assert!(anna.get(world, &format!("/orders/{id}")).await.text.contains("data was erased"));
    for act in ["retry", "cancel", "accept", "edit"] {
        let answer =
            anna.post(world, &format!("/orders/{id}/{act}"), "reason=x&crm_order_id=1&set:buyer.phone=1").await;
        assert!(
            answer.header("location").contains("did=wrong"),
            "{act}: {} {}",
            answer.status,
            answer.header("location")
        );
    }
    let order = format!("/api/v1/orders/{id}");
    for (method, path, body, status) in [
        ("GET", order.clone(), "", 200),
        ("PATCH", order.clone(), r#"{"set":{"buyer.phone":"1"}}"#, 409),
        ("POST", format!("{order}/retry"), "", 409),
        ("POST", format!("{order}/cancel"), "", 409),
        ("POST", format!("{order}/accept"), r#"{"crm_order_id":1}"#, 409),
        ("GET", "/api/v1/orders".into(), "", 200),
    ] {
        let answer = api(world, method, &path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
}

/// What is settled goes after its time, what waits for a person stays; a repeat is still told, and an update keeps nothing.
#[tokio::test(flavor = "multi_thread")]
async fn buyers_data_goes_after_its_time_and_the_numbers_stay() {
    let world = world("delivered = \"1s\"\ncanceled = \"1s\"\nlook = \"200ms\"").await;
    let sent = world.post("/in/shop", &order(1, "call+0671112233")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&sent, "delivered").await;
    let given_up = world.post("/in/shop", &order(2, "x").replace("price=250", "price=1,249")).await;
    let given_up = given_up.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "cancel", &given_up, "--reason", "Petrenko called from 0671112233"]).code, 0);
    let held = world.post("/in/shop", "order=3&name=Ivan+Held&phone=0501112233&product=Mug&price=1,249").await;
    let held = held.json()["id"].as_str().unwrap().to_owned();
    for id in [&sent, &given_up] {
        world.until("erased", || world.order(id)["erased_at"].is_string()).await;
    }
    world.until("the bytes are gone", || found(&world, OLENA).is_empty()).await;
    let stays = world.order(&held);
    assert!(stays["erased_at"].is_null() && stays["order"]["buyer"]["full_name"] == "Ivan Held", "{stays}");
    let skeleton = world.order(&sent);
    assert_eq!((skeleton["state"].as_str(), skeleton["crm_order_id"].is_i64()), (Some("delivered"), true));
    // The key was made of the phone: it is a hash now, and tells the repeat all the same.
    let again = world.post("/in/shop", &order(1, "call+0671112233")).await;
    assert_eq!((again.status, again.json()["id"].as_str()), (200, Some(sent.as_str())), "{}", again.text);
    assert_eq!(world.crm.orders().len(), 1);
    refuses_everywhere(&world, &sent).await;
    assert_eq!(world.cli(&["orders", "cancel", &held]).code, 0);
    world.until("the canceled one too", || world.order(&held)["erased_at"].is_string()).await;
    // Nobody but the erasure may change what came, and it can only take away.
    for sql in [
        "UPDATE submissions SET door = 'x'",
        "UPDATE submissions SET channel = 'x'",
        "UPDATE order_events SET note = 'x'",
        "DELETE FROM order_events",
        "DELETE FROM audit",
    ] {
        assert!(world.try_alter(sql).is_err(), "{sql}");
    }
    rows::row(
        "T32",
        "buyers' data after its retention: bytes in the store and its log",
        3,
        None,
        "0 left, skeleton, key and counts stay",
    );
}

/// A later request of the sender for an erased order changes nothing that could be sent twice, and nothing of it is kept.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_an_erased_order_keeps_nothing_and_pays_nothing_twice() {
    let mut world =
        World::idle(Settings { delivery: "[retention]\ndelivered = \"1s\"\nlook = \"200ms\"", ..Settings::default() })
            .await;
    let woo = "format = \"woocommerce\"\naccess.token = { env = \"TEST_TOKEN\" }\norder.source_id = 22\n\
               [[update.payments]]\npayment_method_id = 1\namount = \"{{ total }}\"\nstatus = \"paid\"\n";
    world.channel("woo", woo);
    world.serve(&[]);
    let body = |status: &str, minute: u32| {
        json!({
            "id": 5012, "number": "5012", "status": status, "total": "250", "date_modified_gmt": format!("2026-01-10T09:{minute:02}:00"),
            "billing": { "first_name": "Olena", "last_name": "Petrenko", "phone": "0671112233", "email": "olena@example.ua" },
            "line_items": [{ "name": "Mug", "quantity": 1, "price": 250 }],
        })
    };
    let send =
        async |body: Value| world.send("/in/woo/right-token", "application/json", body.to_string().into(), &[]).await;
    let first = send(body("processing", 0)).await;
    let id = first.json()["id"].as_str().unwrap_or_else(|| panic!("{}", first.text)).to_owned();
    world.until("erased", || world.order(&id)["erased_at"].is_string()).await;
    let posts = world.crm_posts();
    let later = send(body("completed", 5)).await;
    assert_eq!((later.status, later.json()["id"].as_str()), (200, Some(id.as_str())), "{}{}", later.text, world.log());
    let shown = world.order(&id);
    assert_eq!(shown["updates"][0]["body"], "", "{shown}");
    assert!(shown["history"].to_string().contains("what came is not kept"));
    assert!(shown["problems"].to_string().contains("data was erased before it came"), "a person looks: {shown}");
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(world.crm_posts(), posts, "a payment may be in the CRM already");
    assert_eq!(world.cli(&["orders", "erase", "--phone", "0671112233", "--yes"]).code, 0);
    assert!(found(&world, OLENA).is_empty(), "{:?}", found(&world, OLENA));
}

/// One person of two among many orders of all sizes: every byte of hers goes, none of his, whatever the pages split into.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_at_once_and_nobody_else() {
    let world = world("delivered = \"off\"\ncanceled = \"off\"\nlook = \"1h\"").await;
    let seed = rows::seed();
    let mut dice = Dice(seed);
    let count = rows::runs(60);
    for number in 0..count {
        let note = "n".repeat(usize::try_from(dice.below(6_000)).unwrap());
        let body = if number % 2 == 0 {
            order(number, &note)
        } else {
            format!(
                "order={number}&name=Ivan+Other&phone=0501112233&email=ivan%40example.ua&product=Tea&price=10&note={note}"
            )
        };
        assert_eq!(world.post("/in/shop", &body).await.status, 202);
    }
    world.crm_has(count).await;
    let held = world.post("/in/shop", &order(9_999, "x").replace("price=250", "price=1,249")).await;
    let held = held.json()["id"].as_str().unwrap().to_owned();
    world
        .until("all are settled", || {
            world.orders().iter().filter(|order| order["state"] == "delivered").count() == count
        })
        .await;
    assert!(found(&world, OLENA).len() >= 4, "what is looked for is there: {:?}", found(&world, OLENA));
    for (arguments, why) in [
        (&["orders", "erase"][..], "--phone"),
        (&["orders", "erase", "--phone", "12"], "not a phone number"),
        (&["orders", "erase", "--email", "nobody"], "not an e-mail"),
        (&["orders", "erase", "--phone", "+380671112233"], "--yes"),
    ] {
        let ran = world.cli(arguments);
        assert!(ran.code == 2 && ran.err.contains(why), "{arguments:?}: {}", ran.err);
    }
    let ran = world.cli(&["orders", "erase", "--phone", "(067) 111 22 33", "--yes", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, told["erased"].as_u64()), (1, Some(count.div_ceil(2) as u64)), "{}{}", ran.out, ran.err);
    assert_eq!(
        (told["later"][0]["id"].as_str(), told["later"][0]["state"].as_str()),
        (Some(held.as_str()), Some("held"))
    );
    // The held one waits for a person; it goes when it is settled.
    assert_eq!(world.cli(&["orders", "cancel", &held]).code, 0);
    let rest = world.cli(&["orders", "erase", "--email", "Olena@example.ua", "--yes"]);
    assert!(rest.code == 0 && rest.out.starts_with("erased from 1 orders"), "{}{}", rest.out, rest.err);
    world
        .until("the bytes are gone", || {
            world.cli(&["orders", "erase", "--phone", "0671112233", "--yes"]);
            found(&world, OLENA).is_empty()
        })
        .await;
    let left = world.cli(&["orders", "list", "--json", "--limit", "1000", "--text", "0501112233"]);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&left.out).unwrap().len(), count / 2, "his are all there");
    assert!(world.cli(&["channel", "samples", "shop"]).out.contains("note"), "his samples too");
    let store = Connection::open(world.db()).unwrap();
    let audited: String = store
        .query_row("SELECT detail FROM audit WHERE what = 'a person''s data erased' ORDER BY id LIMIT 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(audited, format!("by phone: {} orders, 1 when they are settled", count.div_ceil(2)));
    let whole: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    rows::row(
        "T32",
        "a person erased out of a store of two: bytes left of hers, orders lost of his",
        count,
        Some(seed),
        "0 and 0",
    );
}

/// Killed before and after an erasure is committed, by the gateway and by the command: whole, or erased by the next try.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_an_order_is_whole_or_erased() {
    let mut tried = 0;
    for point in ["store.before_commit.erase_due", "store.after_commit.erase_due"] {
        let mut world =
            World::idle(Settings { delivery: "[retention]\nlook = \"200ms\"", ..Settings::default() }).await;
        world.channel("shop", &channel());
        world.serve(&[]);
        let id = world.post("/in/shop", &order(1, "x")).await.json()["id"].as_str().unwrap().to_owned();
        world.reaches(&id, "delivered").await;
        world.stop();
        let text = std::fs::read_to_string(world.config()).unwrap();
        std::fs::write(world.config(), text.replace("look =", "delivered = \"1ms\"\nlook =")).unwrap();
        world.serve(&[("PAROM_CRASH_AT", point)]);
        assert_eq!(world.died().await, None, "{point}");
        let left = world.order(&id);
        let (erased, body) = (left["erased_at"].is_string(), left["order"] == json!({}));
        assert!(erased == body && erased == point.contains("after"), "{point}: {left}");
        world.serve(&[]);
        world.until("erased, and the log is cut", || found(&world, OLENA).is_empty()).await;
        tried += 1;
    }
    for point in
        ["store.before_commit.erase_person", "store.after_commit.erase_person", "store.before_commit.erase_samples"]
    {
        let world = world("delivered = \"off\"").await;
        let id = world.post("/in/shop", &order(1, "x")).await.json()["id"].as_str().unwrap().to_owned();
        world.reaches(&id, "delivered").await;
        let erase = ["orders", "erase", "--email", "olena@example.ua", "--yes"];
        assert!(world.killed(&erase, point), "{point}");
        let left = world.order(&id);
        assert_eq!(left["erased_at"].is_string(), left["order"] == json!({}), "{point}: {left}");
        world
            .until("erased by the same command", || {
                assert_eq!(world.cli(&erase).code, 0);
                found(&world, OLENA).is_empty()
            })
            .await;
        tried += 1;
    }
    rows::row("T3", "kill -9 within an erasure, of the gateway and of the command", tried, None, "0 halves");
}

/// Where orders are in a server, submissions go by whole partitions, once every order of one is erased.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_go_when_all_of_their_orders_are_erased() {
    if super::postgres::server().is_none() {
        println!("skipped: partitions are PostgreSQL's (PAROM_TEST_STORE)");
        return;
    }
    let settings = Settings { delivery: "[retention]\nlook = \"200ms\"", ..Settings::default() };
    let mut world = World::idle(settings).await;
    world.channel("shop", SHOP);
    let small = [("PAROM_PARTITION_ROWS", "10")];
    world.serve(&small);
    let kept = |world: &World, sql: &str| world.database.as_ref().unwrap().number(sql);
    let partitions = "SELECT count(*) FROM pg_class WHERE relname LIKE 'submissions\\_%\\_%' AND relkind = 'r'";
    for number in 0..35 {
        assert_eq!(world.post("/in/shop", &form(&format!("P{number}"))).await.status, 202);
    }
    world.until("all are delivered", || world.count(&["delivered"]) == 35).await;
    world.until("more are made ahead", || kept(&world, partitions) >= 7).await;
    assert_eq!(kept(&world, "SELECT count(*) FROM submissions_rest"), 0);
    // One order of the second partition is not to be erased: its partition stays.
    let held = world.alter("UPDATE orders SET updated_at = updated_at + 3600000 WHERE seq = 15");
    assert_eq!(held, 1);
    world.stop();
    let text = std::fs::read_to_string(world.config()).unwrap();
    std::fs::write(world.config(), text.replace("look =", "delivered = \"1ms\"\nlook =")).unwrap();
    world.serve(&small);
    let gone = || kept(&world, "SELECT count(*) FROM submissions WHERE seq < 10 OR seq BETWEEN 20 AND 29") == 0;
    world.until("the first and the third are gone", gone).await;
    assert_eq!(kept(&world, "SELECT count(*) FROM submissions WHERE seq BETWEEN 10 AND 19"), 10);
    assert_eq!(kept(&world, "SELECT count(*) FROM orders"), 35);
    let first = world.orders().last().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.order(&first)["state"], "delivered");
    assert_eq!(world.post("/in/shop", &form("After")).await.status, 202);
    world.until("it goes on", || world.crm.orders().len() == 36).await;
}
