//! Planted secrets and a planted buyer, through everything that can go wrong: they must turn up nowhere else.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::alerts::{http_server, mail_server};
use super::proof::rows;
use super::ui::{PASSWORD, person};
use super::world::{SHOP, Settings, World, is_in};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What opens something: never anywhere but where it is used.
const SECRETS: &[&str] = &[
    "canary-key-1",
    "right-token",
    "canary-api+token/of 24 bytes",
    "123456:AAcanary-bot-token-of-a-bot",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "wrong-guess-of-a-token",
    PASSWORD,
];

/// Who buys: in the store, the CRM, the operators' pages and exports, and nowhere else.
const BUYER: &[&str] = &[
    "Petrenko",
    "olena.canary@example.ua",
    "+380671112233",
    "067 111-22-33",
    "067+111-22-33",
    "0671112233",
    "671112233",
];

const BODY: &str = "name=Olena+Petrenko&phone=067+111-22-33&email=olena.canary%40example.ua&product=Mug&price=250";

async fn planted() -> (World, super::alerts::Heard, super::alerts::Heard, super::alerts::Heard) {
    let (bot, bot_heard) = http_server(1);
    let (hook, hook_heard) = http_server(1);
    let (mail, mail_heard) = mail_server();
    let delivery = format!(
        "[api.tokens.hand]\ntoken = {{ env = \"API\" }}\nrole = \"operator\"\n\
         [alerts]\nlanguage = \"en\"\nlook = \"200ms\"\ndigest = \"200ms\"\nallow = [\"127.0.0.1\"]\n\
         [alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = -1\n\
         [alerts.webhook]\nurl = \"{hook}/told\"\nsecret = {{ env = \"HOOK\" }}\n\
         [alerts.email]\nserver = \"{mail}\"\nfrom = \"parom@shop.ua\"\nto = [\"boss@shop.ua\"]\n"
    );
    let mut world =
        World::idle(Settings { delivery: Box::leak(delivery.into_boxed_str()), ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.channel("ruled", &format!("{SHOP}[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n"));
    world.channel("strict", &SHOP.replacen("on_repeat", "on_invalid = \"reject\"\non_repeat", 1));
    world.serve(&[
        ("API", SECRETS[2]),
        ("BOT", SECRETS[3]),
        ("HOOK", SECRETS[4]),
        ("PAROM_CRASH_AT", "panic=intake.after_accept:5"),
    ]);
    (world, bot_heard, hook_heard, mail_heard)
}

/// What senders hear and see; none of it may hold a secret.
async fn as_a_sender(world: &World) -> String {
    let mut seen = String::new();
    let page = ("accept", "text/html");
    let bearer = |token: &str| format!("Bearer {token}");
    let (right, wrong) = (bearer(SECRETS[1]), bearer(SECRETS[5]));
    for (path, kind, body, headers) in [
        ("/in/shop", FORM, BODY.to_owned(), vec![]),
        ("/in/shop", FORM, format!("{BODY}&again=1"), vec![page]),
        ("/in/shop", FORM, BODY.replace("price=250", "price=1,249"), vec![]),
        ("/in/strict", FORM, BODY.replace("250", "x"), vec![page]),
        ("/in/strict", FORM, BODY.replace("250", "x"), vec![]),
        ("/in/ruled/right-token", FORM, BODY.to_owned(), vec![]),
        ("/in/ruled/wrong-guess-of-a-token", FORM, BODY.to_owned(), vec![]),
        ("/in/ruled/wrong-guess-of-a-token", FORM, BODY.to_owned(), vec![page]),
        ("/in/ruled", FORM, format!("{BODY}&to=ruled"), vec![("authorization", right.as_str())]),
        ("/in/ruled", FORM, BODY.to_owned(), vec![("authorization", wrong.as_str())]),
        ("/in/shop", JSON, format!("{{\"phone\":\"0671112233\", {BODY}"), vec![]),
        ("/in/shop", JSON, format!("{}\"{BODY}\"{}", "[".repeat(40), "]".repeat(40)), vec![page]),
        ("/in/shop", "image/png", BODY.to_owned(), vec![]),
        ("/in/shop", FORM, format!("{BODY}&x={}", "y".repeat(1 << 20)), vec![]),
        (
            "/v1/order",
            JSON,
            "{\"buyer\":{\"phone\":\"+380671112233\"}}".to_owned(),
            vec![("authorization", right.as_str())],
        ),
        (
            "/v1/order",
            JSON,
            "{\"buyer\":{\"phone\":\"+380671112233\"}}".to_owned(),
            vec![("authorization", wrong.as_str())],
        ),
        ("/login", FORM, format!("name=olena&password={}", PASSWORD.replace(' ', "+")), vec![]),
    ] {
        // A body over the limit may end the connection before it is all sent.
        if let Ok(answer) = world.try_send(path, kind, body.into(), &headers).await {
            seen.push_str(&format!("{} {:?}\n{}\n", answer.status, answer.headers, answer.text));
        }
    }
    seen
}

/// What machines and strangers read beside it.
async fn as_a_stranger(world: &World) -> String {
    let mut seen = String::new();
    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/login",
        "/api/openapi.json",
        "/assets/parom.js",
        "/assets/parom.php",
        "/orders?text=0671112233",
        "/start/0000",
    ] {
        let answer = world.get(path).await;
        seen.push_str(&format!("{}\n{}\n", answer.status, answer.text));
    }
    seen
}

/// What those who may see buyers read; it may hold buyers and no secret.
async fn as_an_operator(world: &World) -> String {
    let mut seen = String::new();
    let anna = person(world, "anna", "admin", &[]).await;
    let id = world.orders()[0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/".into(),
        "/orders".into(),
        format!("/orders/{id}"),
        format!("/orders/{id}/replay"),
        "/channels".into(),
        "/channels/ruled".into(),
        "/channels/ruled/edit".into(),
        "/channels/ruled/history".into(),
        "/accounts".into(),
        "/people".into(),
        "/tokens".into(),
        "/me".into(),
        "/orders/export?format=csv".into(),
        "/orders/export?format=ndjson".into(),
    ] {
        let answer = anna.get(world, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        seen.push_str(&answer.text);
    }
    let bearer = format!("Bearer {}", SECRETS[2]);
    for path in ["orders", "channels", "check", "dictionaries", &format!("orders/{id}")] {
        let answer = world.call("GET", &format!("/api/v1/{path}"), &[("authorization", &bearer)], "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        seen.push_str(&answer.text);
    }
    for command in [
        &["orders", "list"][..],
        &["orders", "show", &id],
        &["orders", "show", &id, "--json"],
        &["orders", "export", "--limit", "0"],
        &["channel", "list"],
        &["user", "list"],
        &["check"],
        &["orders", "retry", &id],
    ] {
        let ran = world.cli(command);
        seen.push_str(&ran.out);
        seen.push_str(&ran.err);
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_and_buyers_turn_up_nowhere() {
    let (world, bot, hook, mail) = planted().await;
    for kind in [FaultKind::CommitThenDrop, FaultKind::HtmlAfterCommit { status: 502 }, FaultKind::Validation] {
        world.crm.add_fault(Fault::once(FaultOn::Post, kind));
    }
    let senders = as_a_sender(&world).await;
    world
        .until("alerts are told by all", || {
            [&bot, &hook, &mail].iter().all(|heard| !heard.lock().unwrap().is_empty()) || {
                // The first was refused; the next try is half a minute away.
                let _ = world.try_alter("UPDATE alerts SET due_at = 0 WHERE state = 'waiting'");
                false
            }
        })
        .await;
    world.until("a part of it failed", || world.log().contains("a part of the program failed")).await;
    // A secret in a channel's file: it is broken, and its history has it without.
    let ruled = std::fs::read_to_string(world.dir.path().join("channels/ruled.toml")).unwrap();
    world.channel("ruled", &ruled.replace("{ env = \"TEST_TOKEN\" }", "\"right-token\""));
    world.until("a broken file is told", || world.log().contains("the channel's file is broken")).await;
    world.channel("ruled", &ruled);
    world.until("it is mended", || !world.cli(&["check"]).out.contains("secrets do not stand in files")).await;
    let strangers = as_a_stranger(&world).await;
    let operators = as_an_operator(&world).await;
    let told = |heard: &super::alerts::Heard| {
        let heard = heard.lock().unwrap();
        // The bot's token is in the address of its own message, and nowhere else of it.
        let rest = |head: &str| head.lines().skip(1).collect::<Vec<_>>().join("\n");
        heard.iter().map(|(to, head, body)| format!("{}{}{body}", rest(to), rest(head))).collect::<String>()
    };
    let alerts = [told(&bot), told(&hook), told(&mail)].concat();
    let read = |name: &str| std::fs::read(world.dir.path().join(name)).unwrap_or_default();
    let (mut looked, mut hits) = (0, Vec::new());
    let mut look = |place: &str, bytes: &[u8], words: &[&str]| {
        for word in words {
            looked += 1;
            if is_in(word, bytes) {
                hits.push(format!("{word} in {place}"));
            }
        }
    };
    look("the log", world.log().as_bytes(), SECRETS);
    look("the log", world.log().as_bytes(), BUYER);
    look("what senders hear", senders.as_bytes(), SECRETS);
    look("what strangers read", strangers.as_bytes(), SECRETS);
    look("what strangers read", strangers.as_bytes(), BUYER);
    look("the alerts", alerts.as_bytes(), SECRETS);
    look("the alerts", alerts.as_bytes(), BUYER);
    look("what operators read", operators.as_bytes(), SECRETS);
    world.db();
    look("the store", &read("parom.db"), SECRETS);
    look("the store's log", &read("parom.db-wal"), SECRETS);
    assert!(hits.is_empty(), "{hits:#?}\n{}", world.log());
    // The look itself works: what should be somewhere is found there.
    assert!(
        is_in("Petrenko", operators.as_bytes())
            && is_in("671112233", &[read("parom.db"), read("parom.db-wal")].concat())
    );
    rows::row(
        "T32",
        "secrets and buyers planted; places looked at raw, in percents and in base64",
        looked,
        None,
        "0 hits",
    );
}
