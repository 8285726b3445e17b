//! The account's dictionaries: fetched, kept, used, and checked again when they change.

use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};
use serde_json::{Value, json};

use super::world::{SHOP, Settings, World, form};

/// A channel that names rows of the account.
const NAMES: &str = r#"
account = "main"
on_repeat = "off"
[order]
source = "Landing"
[order.buyer]
full_name = "{{ name }}"
[order.shipping]
delivery_service = "Нова Пошта"
shipping_address_city = "{{ city }}"
[[order.payments]]
payment_method = "{{ pay }}"
amount = "{{ sum }}"
[[order.custom_fields]]
name = "Розмір"
value = "{{ size }}"
"#;

async fn named() -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", NAMES);
    world.serve(&[]);
    world
}

async fn fetched(world: &World) {
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
}

/// Asks the running gateway for a fetch and waits for it, as a person does.
fn refresh(world: &World) {
    let ran = world.cli(&["check", "--json"]);
    assert_ne!(ran.code, 2, "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_go_to_the_crm_as_ids() {
    let world = named().await;
    fetched(&world).await;
    let body = "name=Olena&city=Kyiv&pay=apple+pay&sum=5&size=m";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let sent: Value = serde_json::from_str(&world.posted()[0].body).unwrap();
    let methods = world.crm.directory().payment_methods;
    let apple = methods.iter().find(|method| method.name == "Apple Pay").unwrap().id;
    assert_eq!(sent["source_id"], 22);
    assert_eq!(sent["shipping"]["delivery_service_id"], 1);
    assert_eq!(sent["payments"][0]["payment_method_id"], apple);
    assert_eq!(sent["custom_fields"], json!([{ "uuid": "OR_1001", "value": ["M"] }]));
    // What only a channel file knows never reaches the CRM.
    assert!(sent.get("source").is_none() && sent["shipping"].get("delivery_service").is_none());
    assert!(sent["payments"][0].get("payment_method").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_held_for_the_dictionarys_sake_goes_when_it_is_mended() {
    let world = named().await;
    fetched(&world).await;
    let body = "name=Olena&city=Kyiv&pay=Bitcoin&sum=5&size=S";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "held").await;
    let problem = &world.order(&id)["problems"][0];
    assert_eq!((&problem["code"], &problem["path"]), (&json!("not_in_account"), &json!("payments.0.payment_method")));
    let page =
        super::ui::person(&world, "olena", "operator", &[]).await.get(&world, &format!("/orders/{id}")).await.text;
    let page = page.replace("&quot;", "\"").replace("&#x2f;", "/").replace("&#x27;", "'");
    assert!(page.contains(problem["hint"].as_str().unwrap()), "the names that are there: {page}");
    world.crm.change_directory(|account| account.payment_methods[4].name = "Bitcoin".into());
    refresh(&world);
    world.reaches(&id, "delivered").await;
    let actors = world.order(&id)["history"].to_string();
    assert!(actors.contains("\"dictionaries\""), "{actors}");
}

/// What a person keeps here on purpose does not go because the dictionary is mended; the person sends it.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_a_person_keeps_stays_when_the_dictionary_is_mended() {
    let world = named().await;
    fetched(&world).await;
    let body = "name=Olena&city=Kyiv&pay=Bitcoin&sum=5&size=S";
    let kept = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let plain = world.post("/in/shop", &body.replace("Olena", "Petro")).await.json()["id"].as_str().unwrap().to_owned();
    // One that was only mended, as far as it could be, was meant to go.
    let mended =
        world.post("/in/shop", &body.replace("Olena", "Taras")).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "edit", &mended, "--set", "buyer.full_name=Taras K"]).code, 1);
    let edited = world.cli(&["orders", "edit", &kept, "--set", "buyer.full_name=Olena K", "--keep"]);
    assert_eq!(world.order(&kept)["order"]["buyer"]["full_name"], "Olena K", "{}{}", edited.out, edited.err);
    world.crm.change_directory(|account| account.payment_methods[4].name = "Bitcoin".into());
    refresh(&world);
    world.reaches(&plain, "delivered").await;
    world.reaches(&mended, "delivered").await;
    assert_eq!(world.order(&kept)["state"], "held");
    assert_eq!(world.cli(&["orders", "retry", &kept]).code, 0);
    world.reaches(&kept, "delivered").await;
}

/// What waits for delivery is checked again before it is claimed, once the dictionaries changed.
#[tokio::test(flavor = "multi_thread")]
async fn queued_orders_are_checked_again_before_they_go() {
    // The disk's gate keeps orders in the queue, and lists are fetched beside it.
    let shut = "intake_min_free = \"1MiB\"\ndelivery_min_free = \"1000TiB\"";
    let mut world = World::of_file(Settings { store: shut, ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    fetched(&world).await;
    let id = world.post("/in/shop", &form("Olena")).await.json()["id"].as_str().unwrap().to_owned();
    world.crm.change_directory(|account| account.sources.retain(|source| source.id != 22));
    refresh(&world);
    world.reaches(&id, "held").await;
    assert_eq!(world.order(&id)["problems"][0]["code"], "not_in_account");
    // The source is back: it goes as it came.
    world.crm.change_directory(|account| *account = keycrm_sandbox::Directory::default());
    refresh(&world);
    world.reaches(&id, "queued").await;
    world.stop();
    let text = std::fs::read_to_string(world.config()).unwrap().replace("1000TiB", "1MiB");
    std::fs::write(world.config(), text).unwrap();
    world.serve(&[]);
    world.reaches(&id, "delivered").await;
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_an_outage_do_not_blind_the_gateway() {
    let mut world = named().await;
    fetched(&world).await;
    world.stop();
    world.crm.add_fault(Fault::always(FaultOn::Any, FaultKind::DropBefore));
    world.serve(&[]);
    let bad = world.post("/in/shop", "name=Olena&pay=Bitcoin&sum=5").await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&bad, "held").await;
    let good = world.post("/in/shop", "name=Olena&pay=LiqPay&sum=5").await.json()["id"].as_str().unwrap().to_owned();
    assert_ne!(world.order(&good)["state"], "held", "names are known from the store");
    world.crm.clear_faults();
    world.reaches(&good, "delivered").await;
}

/// With a CRM that has no dictionaries at all, orders by id go, marked.
#[tokio::test(flavor = "multi_thread")]
async fn without_any_dictionary_the_first_order_goes_unchecked_and_says_so() {
    let mut world = World::idle(Settings::default()).await;
    world.crm.add_fault(Fault::always(FaultOn::Dictionary, FaultKind::RefuseBefore { status: 404 }));
    world.channel("shop", SHOP);
    world.serve(&[]);
    let id = world.post("/in/shop", &form("Olena")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    assert!(world.order(&id)["history"].to_string().contains("unchecked"), "{}", world.order(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_another_shape_are_no_dictionaries_and_stop_nothing() {
    for kind in [FaultKind::HtmlBefore { status: 200 }, FaultKind::WrongJson, FaultKind::HtmlBefore { status: 502 }] {
        let mut world = World::idle(Settings::default()).await;
        world.crm.add_fault(Fault::always(FaultOn::Dictionary, kind));
        world.channel("shop", SHOP);
        world.serve(&[]);
        let id = world.post("/in/shop", &form("Olena")).await.json()["id"].as_str().unwrap().to_owned();
        world.reaches(&id, "delivered").await;
    }
}

/// A fetch that was asked for and fails rests all the same: the budget is the orders'.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_fails_is_not_hurried_by_who_asked_for_it() {
    let mut world = World::idle(Settings::default()).await;
    world.crm.add_fault(Fault::always(FaultOn::Dictionary, FaultKind::RefuseBefore { status: 502 }));
    world.channel("shop", SHOP);
    world.serve(&[]);
    let failed = || world.log().matches("could not be fetched whole").count();
    world.until("it failed", || failed() > 0).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    world.alter(&format!("UPDATE dictionary_syncs SET asked_at = {now}"));
    world.until("it was tried at once", || failed() > 1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(failed() < 4, "{}", world.log());
}

/// 20,000 SKUs and 300 custom fields: the catalogue takes what orders leave, and orders do not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_catalogue_does_not_delay_orders() {
    let mut world = World::idle(Settings { crm_limit: 6_000, limit: 5_400, ..Settings::default() }).await;
    world.crm.change_directory(|account| {
        let template = account.products[0].clone();
        let offer = template.offers[0].clone();
        for number in 0..20_000u32 {
            let mut product = template.clone();
            product.id = 1_000 + number;
            product.offers = vec![offer.clone()];
            product.offers[0].id = 100_000 + number;
            product.offers[0].sku = format!("BULK-{number:05}");
            account.products.push(product);
        }
        let field = account.custom_fields[0].clone();
        for number in 0..300u32 {
            let mut field = field.clone();
            field.id = 5_000 + number;
            field.uuid = format!("OR_{}", 5_000 + number);
            account.custom_fields.push(field);
        }
    });
    world.channel("shop", &SHOP.replace("name = \"{{ product }}\"", "name = \"{{ product }}\"\nsku = \"{{ sku }}\""));
    world.serve(&[]);
    let mut slowest = Duration::ZERO;
    for number in 0..30 {
        let began = std::time::Instant::now();
        let before = world.crm.orders().len();
        world.post("/in/shop", &format!("{}&sku=BULK-{number:05}", form("Olena"))).await;
        while world.crm.orders().len() == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "an order waited {slowest:?}");
    fetched(&world).await;
    let pages = world.crm.ledger().iter().filter(|entry| entry.path == "/v1/offers").count();
    assert!(pages > 400, "{pages} pages of 50");
    world.post("/in/shop", &format!("{}&sku=BULK-19999", form("Known"))).await;
    world.post("/in/shop", &format!("{}&sku=BULK-X", form("Unknown"))).await;
    world.crm_has(32).await;
    let marked: Vec<Value> = world.orders().into_iter().filter(|order| !order["problems"][0].is_null()).collect();
    assert_eq!((marked.len(), &marked[0]["problems"][0]["code"]), (1, &json!("unknown_sku")));
    assert!(world.crm.ledger().iter().all(|entry| entry.status != Some(429)));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_asks_the_account_and_names_each_place() {
    let world = World::idle(Settings { crm_limit: 60, limit: 90, ..Settings::default() }).await;
    world.channel("shop", &NAMES.replace("Landing", "Lending").replace("Розмір", "Розмір взуття"));
    // Without a running gateway the command asks by itself.
    let ran = world.cli(&["check", "--json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let found: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let codes: Vec<(&str, i64)> =
        found.iter().map(|f| (f["code"].as_str().unwrap(), f["line"].as_i64().unwrap())).collect();
    assert!(codes.contains(&("not_in_account", 5)) && codes.contains(&("not_in_account", 15)), "{codes:?}");
    let settings = std::fs::read_to_string(world.config()).unwrap();
    let rate = settings.lines().position(|line| line.starts_with("requests_per_minute")).unwrap() + 1;
    assert!(codes.contains(&("rate_above_grant", i64::try_from(rate).unwrap())), "{codes:?}");
    let source = found.iter().find(|f| f["path"] == "order.source").unwrap();
    assert!(source["hint"].as_str().unwrap().contains("`Landing`"), "{source}");
    world.channel("shop", NAMES);
    let ran = world.cli(&["check"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("key accepted") && ran.out.contains("60 granted by the CRM"), "{}", ran.out);
    assert_eq!(world.cli(&["check", "--strict"]).code, 1, "a rate above what is granted is a warning");
    assert!(world.crm.ledger().iter().all(|entry| entry.status != Some(429)));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_takes_a_young_fetch_where_the_minute_is_used() {
    let mut world = World::idle(Settings { limit: 15, ..Settings::default() }).await;
    world.channel("shop", NAMES);
    let ran = world.cli(&["check"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for running in [false, true] {
        if running {
            world.serve(&[]);
        }
        // Mistakes are still found, and at once.
        world.channel("shop", &NAMES.replace("Landing", "Lending"));
        let ran = world.cli(&["check"]);
        assert!(ran.code == 1 && ran.out.contains("no source `Lending`"), "{}{}", ran.out, ran.err);
        let said =
            if running { "checked by the last ones, of " } else { "the minute's requests are used: what was fetched" };
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    assert!(world.crm.ledger().iter().all(|entry| entry.status != Some(429)));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_that_the_key_is_refused() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    world.crm.add_fault(Fault::always(FaultOn::Any, FaultKind::RefuseBefore { status: 401 }));
    for running in [false, true] {
        if running {
            world.serve(&[]);
        }
        let ran = world.cli(&["check", "--json"]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        let found: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(found[0]["code"], "key_refused");
        assert_eq!(found[0]["file"].as_str().unwrap().rsplit('/').next(), Some("parom.toml"));
        assert!(found[0]["line"].as_i64().unwrap() > 1, "{}", found[0]);
    }
}

/// The key is refused while orders wait: their tries leave no turn to a fetch, and tell of it themselves; and of its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_while_orders_wait_is_told() {
    let world = World::start().await;
    assert_eq!(world.post("/in/shop", &form("First")).await.status, 202);
    world.until("it is delivered", || world.count(&["delivered"]) == 1).await;
    let refused = || world.cli(&["check", "--json"]).out.contains("key_refused");
    assert!(!refused());
    world.crm.add_fault(Fault::always(FaultOn::Post, FaultKind::RefuseBefore { status: 401 }));
    assert_eq!(world.post("/in/shop", &form("Second")).await.status, 202);
    world.until("check says so", refused).await;
    world.crm.clear_faults();
    world.until("it goes", || world.count(&["delivered"]) == 2).await;
    world.until("check says no more", || !refused()).await;
}
