//! Spam: what is suspected is kept and held, its sender hears what all hear, and one click lets it go.

use serde_json::Value;

use super::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";
/// The tests' own machine is not looked at; behind a trusted proxy each test has its buyers.
const PROXY: &str = "trusted_proxies = [\"127.0.0.1\"]";

async fn world(rules: &str) -> World {
    let mut world = World::idle(Settings { top: PROXY, ..Settings::default() }).await;
    let rules = if rules.is_empty() { String::new() } else { format!("[spam]\n{rules}\n") };
    let access = "[access]\ntoken = { env = \"TEST_TOKEN\" }\norigins = [\"https://shop.example.ua\"]\n";
    world.channel("shop", &format!("{SHOP}{rules}"));
    world.channel("server", &format!("{SHOP}{access}{rules}"));
    world.serve(&[]);
    world
}

/// Whatever is suspected, the sender's answer is the same; the order's state and the reasons.
async fn sent(world: &World, path: &str, body: String, headers: &[(&str, &str)]) -> (String, Value) {
    let answer = world.send(path, FORM, body.into(), headers).await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &Value::from("accepted")), "{}", answer.text);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let order = world.order(&id);
    let found = order["problems"].as_array().unwrap();
    for problem in found {
        assert_eq!(problem["code"], "suspected_spam", "{order:#}");
        assert!(order["state"] == "held" || problem["effect"] != "hold", "{order:#}");
    }
    let reasons: Vec<&str> = found.iter().map(|problem| problem["message"].as_str().unwrap()).collect();
    (id, reasons.join("; ").into())
}

async fn form_time(world: &World) -> String {
    let answer = world.get("/form-time/shop").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    // Nobody sends a form in the millisecond in which it was opened.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    answer.text
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_suspected_unless_the_channel_asks() {
    let world = world("").await;
    let from = [("x-forwarded-for", "203.0.113.5")];
    for number in 0..20 {
        let body = format!("{}&website=http://spam.example&parom_time=forged", form(&format!("A{number}")));
        assert_eq!(sent(&world, "/in/shop", body, &from).await.1, "");
    }
    assert_eq!(world.get("/form-time/shop").await.status, 404);
    world.crm_has(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_honeypot_holds_and_one_click_releases() {
    let world = world("honeypot = \"website\"").await;
    assert_eq!(sent(&world, "/in/shop", format!("{}&website=", form("Olena")), &[]).await.1, "");
    let (id, why) = sent(&world, "/in/shop", format!("{}&website=x", form("Bot")), &[]).await;
    assert_eq!(why, "the field `website` is filled in, and people do not see it");
    // A server may have passed on what a program filled in on its page.
    let held = sent(&world, "/in/server/right-token", format!("{}&website=x", form("Bot")), &[]).await;
    assert!(held.1.as_str().unwrap().contains("website"));
    let json = br#"{"name":"Json","phone":"0671112233","product":"Tea","website":"x"}"#.to_vec();
    let json = world.send("/in/shop", "application/json", json, &[]).await;
    assert_eq!(world.order(json.json()["id"].as_str().unwrap())["state"], "held");
    // A browser's person sees the page that all see.
    let page = world.send("/in/shop", FORM, format!("{}&website=y", form("Page")).into(), &[("accept", "text/html")]);
    let page = page.await;
    assert!(page.status == 200 && page.text.contains("P-"), "{}", page.text);
    world.crm_has(1).await;
    assert_eq!(world.orders().iter().filter(|order| order["state"] == "held").count(), 4);
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.crm_has(2).await;
    world.reaches(&id, "delivered").await;
    assert_eq!(world.order(&id)["problems"][0]["code"], "suspected_spam", "it stays readable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_time_is_good_once_and_over_a_restart() {
    let mut world = world("min = \"300ms\"\nmax = \"10s\"").await;
    let with = |name: &str, time: &str| format!("{}&parom_time={time}", form(name));
    let (first, second, third) = (form_time(&world).await, form_time(&world).await, form_time(&world).await);
    let quick = sent(&world, "/in/shop", with("Quick", &third), &[]).await.1;
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    let old = form_time(&world).await;
    let good = sent(&world, "/in/shop", with("Good", &first), &[]).await.1;
    world.stop();
    world.serve(&[]);
    let kept = sent(&world, "/in/shop", with("Kept", &second), &[]).await.1;
    let reused = sent(&world, "/in/shop", with("Again", &first), &[]).await.1;
    let missing = sent(&world, "/in/shop", form("None"), &[]).await.1;
    let forged = sent(&world, "/in/shop", with("Forged", &second.replace(&second[3..8], "AAAAA")), &[]).await.1;
    let token = sent(&world, "/in/server/right-token", form("Server"), &[]).await.1;
    assert_eq!((good.as_str(), kept.as_str(), token.as_str()), (Some(""), Some(""), Some("")));
    for (text, word) in [(quick, "sooner"), (reused, "another order"), (missing, "without"), (forged, "none that")] {
        assert!(text.as_str().unwrap().contains(word), "{text} {word}");
    }
    world.crm_has(3).await;
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    let late = sent(&world, "/in/shop", with("Old", &old), &[]).await.1;
    assert!(late.as_str().unwrap().contains("later"), "{late}");
    assert_eq!((world.crm.orders().len(), world.orders().len()), (3, 8), "nothing is dropped");
}

/// The same request again is the same order, not a form time that was used before.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_by_its_key_and_a_corrected_form_are_not_suspected() {
    let world = world("min = \"1ms\"\nper_form = \"2/1h\"").await;
    world.channel("strict", &format!("on_invalid = \"reject\"\n{SHOP}[spam]\nmin = \"1ms\"\n"));
    world.until("the new channel is read", || world.log().contains("\"channel\":\"strict\",\"version\"")).await;
    let body = format!("{}&parom_time={}", form("Olena"), form_time(&world).await);
    for times in 0..5 {
        let answer = world.send("/in/shop", FORM, body.clone().into(), &[("idempotency-key", "k")]).await;
        assert_eq!(answer.status, if times == 0 { 202 } else { 200 }, "{}", answer.text);
    }
    let time = world.get("/form-time/strict").await.text;
    let bad = format!("name=Ivan&phone=1&product=Mug&price=5&parom_time={time}");
    assert_eq!(world.post("/in/strict", &bad).await.status, 422);
    assert_eq!(sent(&world, "/in/strict", format!("{}&parom_time={time}", form("Ivan")), &[]).await.1, "");
    let second = format!("{}&parom_time={}", form("Second"), form_time(&world).await);
    assert_eq!(sent(&world, "/in/shop", second, &[]).await.1, "", "repeats do not count");
    world.crm_has(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_rate_is_held_and_an_address_is_its_own() {
    let world = world("per_address = \"3/1h\"\nper_form = \"8/1h\"").await;
    let from = |address: &'static str| [("x-forwarded-for", address)];
    let mut held = Vec::new();
    for number in 0..5 {
        let (id, why) = sent(&world, "/in/shop", form(&format!("A{number}")), &from("203.0.113.5")).await;
        assert_eq!(why.as_str().unwrap().contains("from one address"), number >= 3, "{number}: {why}");
        held.extend((number >= 3).then_some(id));
    }
    // This machine, and who holds the token, are not counted by address.
    for number in 0..3 {
        assert_eq!(sent(&world, "/in/shop", form(&format!("L{number}")), &[]).await.1, "");
        let path = "/in/server/right-token";
        assert_eq!(sent(&world, path, form(&format!("T{number}")), &from("203.0.113.5")).await.1, "");
    }
    let over = sent(&world, "/in/shop", form("Over"), &from("198.51.100.1")).await.1;
    assert!(over.as_str().unwrap().contains("through this channel"), "{over}");
    world.crm_has(9).await;
    assert_eq!(world.orders().len(), 12);
    for id in &held {
        assert_eq!(world.cli(&["orders", "retry", id]).code, 0);
    }
    world.crm_has(11).await;
}

/// Programs that fill in everything, from a thousand addresses, beside honest buyers.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_held_beside_honest_orders_and_all_of_it_is_kept() {
    let world = world("honeypot = \"website\"").await;
    for number in 0..300 {
        let body = format!("{}&website={number}", form(&format!("Bot{number}")));
        assert_eq!(world.post("/in/shop", &body).await.status, 202);
        if number % 10 == 0 {
            assert_eq!(world.post("/in/shop", &form(&format!("Buyer{number}"))).await.status, 202);
        }
    }
    world.crm_has(30).await;
    let orders = world.orders();
    let held = orders.iter().filter(|order| order["problems"][0]["code"] == "suspected_spam").count();
    assert_eq!((orders.len(), held, world.crm.orders().len()), (330, 300, 30));
    let figures = format!("{held} held, 30 of 30 honest delivered, 0 dropped");
    super::proof::rows::row("T35", "a flood of spam beside honest orders", 330, None, &figures);
}
