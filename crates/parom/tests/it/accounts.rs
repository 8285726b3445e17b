//! Accounts in files of their own: they come, change and go while the gateway runs.

use std::fs;
use std::time::Duration;

use keycrm_sandbox::{Options, Sandbox};

use super::alerts;
use super::nodes::LEASE;
use super::world::{NO_CRM, SHOP, Settings, World, form};

const KEY: &str = "canary-key-1";

/// A world whose folder takes accounts, and keys in files.
async fn world() -> World {
    let mut world = World::idle(Settings::default()).await;
    fs::create_dir(world.dir.path().join("accounts")).unwrap();
    world.channel("shop", SHOP);
    world.serve(&[]);
    world
}

fn account(world: &World, name: &str, text: &str) {
    fs::write(world.dir.path().join(format!("accounts/{name}.toml")), text).unwrap();
}

fn key(world: &World, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = world.dir.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn of(crm: &str, more: &str) -> String {
    format!("url = \"{crm}\"\napi_key = {{ file = \"second.key\" }}\nrequests_per_minute = 6000\n{more}")
}

/// A channel of an account that is not there holds; with the account's file everything goes, without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_comes_is_delivered_for() {
    let world = world().await;
    world.channel("other", &SHOP.replace("\"main\"", "\"second\""));
    world.until("the channel is there", || world.log().contains("there is no account `second`")).await;
    assert_eq!(world.post("/in/other", &form("Before")).await.status, 202);
    assert_eq!(world.count(&["held"]), 1);
    // The key is not there yet: the account is read, and cannot be used.
    account(&world, "second", &of(&world.crm.api_url(), ""));
    world.until("it is told", || world.log().contains("the account cannot be used as it is now")).await;
    key(&world, "second.key", KEY);
    world.until("the held order goes", || world.count(&["delivered"]) == 1).await;
    assert_eq!(world.post("/in/other", &form("After")).await.status, 202);
    world.until("the next goes", || world.count(&["delivered"]) == 2).await;
    assert_eq!(world.log().matches("the account cannot be used as it is now").count(), 1, "{}", world.log());
}

/// A file that is broken keeps its last good version, and says so once; a changed address and a changed key are used.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_changes_is_read_again() {
    let world = world().await;
    let strict = Options { api_key: Some(KEY.into()), requests_per_minute: 0, ..Options::default() };
    let strict = Sandbox::start(strict).await.unwrap();
    key(&world, "second.key", "not-the-key");
    account(&world, "second", &of(NO_CRM, ""));
    world.channel("other", &SHOP.replace("\"main\"", "\"second\""));
    world.until("the channel is usable", || world.log().contains("\"channel\":\"other\",\"version\"")).await;
    assert_eq!(world.post("/in/other", &form("Waits")).await.status, 202);
    account(&world, "second", &of(&strict.api_url(), "typo = 1\n"));
    world.until("it is told", || world.log().contains("accounts/second.toml:4: unknown field `typo`")).await;
    assert_eq!(world.count(&["queued", "sending"]), 1);
    account(&world, "second", &of(&strict.api_url(), ""));
    world.until("the key is refused", || world.log().contains("refuses the key")).await;
    key(&world, "second.key", KEY);
    world.until("it goes with the new key", || world.count(&["delivered"]) == 1).await;
    assert_eq!(strict.ledger().iter().filter(|sent| sent.method == "POST" && sent.status == Some(201)).count(), 1);
    assert_eq!(world.log().matches("unknown field `typo`").count(), 1, "{}", world.log());
    // The account of parom.toml was never touched.
    assert_eq!(world.post("/in/shop", &form("Main")).await.status, 202);
    world.until("the other account goes on", || world.count(&["delivered"]) == 2).await;
}

/// Without its file an account is not delivered for; its orders wait, and go when it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_goes_leaves_its_orders_waiting() {
    let mut world = World::idle(Settings::default()).await;
    fs::create_dir(world.dir.path().join("accounts")).unwrap();
    world.channel("shop", SHOP);
    let (bot, heard) = alerts::http_server(0);
    let telegram = format!("[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1");
    alerts::configure(&world, &format!("language = \"en\"\ndigest = \"200ms\"\n{telegram}"));
    world.serve(&[("BOT", "1:x"), LEASE]);
    key(&world, "second.key", KEY);
    account(&world, "second", &of(&world.crm.api_url(), ""));
    world.channel("other", &SHOP.replace("\"main\"", "\"second\""));
    world.until("the channel is usable", || world.log().contains("\"channel\":\"other\",\"version\"")).await;
    world.until("its lease is held", || world.log().contains("begun")).await;
    fs::remove_file(world.dir.path().join("accounts/second.toml")).unwrap();
    world.until("it is gone", || world.log().contains("\"ended\":\"[\\\"second\\\"]\"")).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(world.post("/in/other", &form("Waits")).await.status, 202);
    let told = || heard.lock().unwrap().iter().any(|message| message.2.contains("not configured: second"));
    world.until("somebody is told", told).await;
    assert_eq!(world.count(&["delivered"]), 0);
    account(&world, "second", &of(&world.crm.api_url(), ""));
    world.until("it goes", || world.count(&["delivered"]) == 1).await;
}

/// A start with one mistyped file and one key that is not there serves all the others; what is wrong is said by file and line,
/// and mended without another start.
#[tokio::test(flavor = "multi_thread")]
async fn one_mistyped_account_stops_no_start() {
    let mut world = World::idle(Settings::default()).await;
    fs::create_dir(world.dir.path().join("accounts")).unwrap();
    world.channel("shop", SHOP);
    // It was the first account's once: by that version nothing may go any more.
    world.channel("other", SHOP);
    world.serve(&[]);
    key(&world, "second.key", KEY);
    account(&world, "second", &of(&world.crm.api_url(), ""));
    world.until("the account is there", || world.log().contains("begun")).await;
    world.channel("other", &SHOP.replace("\"main\"", "\"second\""));
    let read = || world.log().matches("\"channel\":\"other\",\"version\"").count();
    world.until("the channel is read again", || read() == 2).await;
    world.stop();
    fs::remove_file(world.dir.path().join("second.key")).unwrap();
    account(&world, "second", &of(&world.crm.api_url(), "typo = 1\n"));
    account(&world, "third", &of(&world.crm.api_url(), "").replace("second.key", "third.key"));
    account(&world, "fourth", "url = \"https://crm.example/v1\"\napi_key = \"literal-secret\"\n");
    let checked = world.cli(&["check", "--json"]);
    assert_eq!(checked.code, 1, "{}", checked.err);
    let found: Vec<serde_json::Value> = serde_json::from_str(&checked.out).unwrap();
    let of_path =
        |path: &str| found.iter().find(|finding| finding["path"] == path).unwrap_or_else(|| panic!("{found:?}"));
    let file = of_path("accounts.second");
    assert_eq!((file["line"].as_i64(), file["severity"].as_str()), (Some(4), Some("error")));
    assert!(file["message"].as_str().unwrap().contains("unknown field `typo`"), "{file}");
    assert!(of_path("accounts.fourth")["message"].as_str().unwrap().contains("api_key"), "{found:?}");
    assert!(of_path("accounts.third.api_key")["message"].as_str().unwrap().contains("third.key"));
    assert!(of_path("account")["hint"].as_str().unwrap().contains("second.toml:4"), "{found:?}");
    assert!(!found.iter().any(|finding| finding["path"] == "accounts.main.api_key"), "{found:?}");
    assert_eq!(world.cli(&["orders", "list"]).code, 0);

    world.serve(&[]);
    assert!(world.log().contains("second.toml:4: unknown field `typo`"), "{}", world.log());
    assert_eq!(world.post("/in/shop", &form("Main")).await.status, 202);
    world.until("the first account goes", || world.count(&["delivered"]) == 1).await;
    assert_eq!(world.post("/in/other", &form("Waits")).await.status, 202);
    assert_eq!((world.count(&["held"]), world.orders().len()), (1, 2));
    // Beside the gateway the keys that are in no file of this machine are named too.
    let checked = world.cli(&["check"]);
    assert!(checked.code == 1 && checked.out.contains("third.key"), "{}{}", checked.out, checked.err);
    key(&world, "second.key", KEY);
    account(&world, "second", &of(&world.crm.api_url(), ""));
    world.until("the mended one goes", || world.count(&["delivered"]) == 2).await;
}

/// A file that was copied with its key sends one shop's orders into the other's CRM, at twice the rate that it grants.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_with_one_key_are_told() {
    let world = World::idle(Settings::default()).await;
    fs::create_dir(world.dir.path().join("accounts")).unwrap();
    world.channel("shop", SHOP);
    key(&world, "second.key", KEY);
    account(&world, "second", &of(NO_CRM, ""));
    account(&world, "third", &of(NO_CRM, ""));
    let ran = world.cli(&["check", "--offline"]);
    let told = |name: &str| {
        ran.out.contains(&format!(
            "accounts/{name}.toml:2:1: warning: accounts.{name}.api_key: second, third have one key"
        ))
    };
    assert!(ran.code == 0 && told("second") && told("third"), "{}", ran.out);
    // The same key of another CRM is another account.
    account(&world, "third", &of("https://crm.example/v1", ""));
    assert!(!world.cli(&["check", "--offline"]).out.contains("have one key"));
}

/// A script's orders find their channel by its token, also where its account is not there yet: they are held, and go.
#[tokio::test(flavor = "multi_thread")]
async fn a_drop_in_of_an_account_that_is_not_there_keeps_its_orders() {
    let mut world = World::idle(Settings::default()).await;
    fs::create_dir(world.dir.path().join("accounts")).unwrap();
    world.channel(
        "script",
        "account = \"second\"\n[access]\ntoken = { env = \"TEST_TOKEN\" }\n[order]\nsource_id = 22\n",
    );
    world.serve(&[]);
    let bearer = [("authorization", "Bearer right-token")];
    for number in [r#""source_uuid":"S-1","#, ""] {
        let body = format!(
            r#"{{{number}"buyer":{{"full_name":"Olena","phone":"0671112233"}},"products":[{{"name":"Mug","price":5,"quantity":1}}]}}"#
        );
        let answer = world.send("/v1/order", "application/json", body.into(), &bearer).await;
        assert_eq!((answer.status, &answer.json()["status"]), (202, &"accepted".into()), "{}", answer.text);
    }
    let held = world.orders();
    assert!(
        held.iter().all(|order| order["state"] == "held" && order["problems"][0]["code"] == "channel_broken"),
        "{held:?}"
    );
    assert!(held.iter().any(|order| order["source_uuid"] == "S-1"), "{held:?}");
    key(&world, "second.key", KEY);
    account(&world, "second", &of(&world.crm.api_url(), ""));
    world.until("both go", || world.count(&["delivered"]) == 2).await;
    let numbers: Vec<_> = world.crm.orders().iter().map(|order| order["source_uuid"].clone()).collect();
    assert!(numbers.contains(&"S-1".into()), "{numbers:?}");
    let wrong = world.send("/v1/order", "application/json", "{}".into(), &[("authorization", "Bearer wrong")]).await;
    assert_eq!(wrong.status, 401);
}
