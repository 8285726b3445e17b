//! The command line: beside a running gateway, and alone.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::world::{SHOP, Settings, World, form};

#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_is_seen_mended_and_sent() {
    let world = World::start().await;
    let body = "name=Olena&phone=12345&product=Mug&price=250";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let list = world.cli(&["orders", "list", "--state", "held"]);
    assert!(list.out.contains("no_contact") && list.out.contains("Olena"), "{}", list.out);
    let show = world.cli(&["orders", "show", &id]);
    assert!(show.out.contains("`12345` is not a phone number") && show.out.contains(body), "{}", show.out);
    let retry = world.cli(&["orders", "retry", &id]);
    assert_eq!(retry.code, 1, "it still has no phone: {}", retry.out);
    // A name reaches nobody, and what was typed stays there to be read.
    let named = world.cli(&["orders", "edit", &id, "--set", "buyer.full_name=Olena K"]);
    assert!(named.code == 1 && named.out.contains("no usable phone"), "{}", named.out);
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 1);
    let show = world.cli(&["orders", "show", &id]);
    assert!(show.out.contains("no_contact") && show.out.contains("`12345` is not a phone number"), "{}", show.out);
    let wrong = world.cli(&["orders", "edit", &id, "--set", "buyer.phone=98"]);
    assert_eq!(wrong.code, 1, "{}", wrong.out);
    let typo = world.cli(&["orders", "edit", &id, "--set", "byer.phone=0671112233"]);
    assert!(typo.code == 1 && typo.out.contains("did you mean `buyer`"), "{}", typo.out);
    let edit = world.cli(&["orders", "edit", &id, "--set", "buyer.phone=0671112233", "--json"]);
    assert_eq!(edit.code, 0, "{}", edit.out);
    assert_eq!(serde_json::from_str::<Value>(&edit.out).unwrap()[0]["state"], "queued");
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["buyer"]["phone"], "+380671112233");
    world.reaches(&id, "delivered").await;
    let actors: Vec<String> =
        world.order(&id)["history"].as_array().unwrap().iter().map(|event| event["actor"].to_string()).collect();
    assert!(actors.contains(&"\"operator\"".to_owned()), "{actors:?}");
    for command in ["retry", "edit", "cancel"] {
        let extra: &[&str] = if command == "edit" { &["--set", "buyer.full_name=X"] } else { &[] };
        let ran = world.cli(&[&["orders", command, &id], extra].concat());
        assert_eq!(ran.code, i32::from(command != "retry"), "{command}: {}", ran.out);
    }
    world.assert_once(&[world.orders()[0]["source_uuid"].as_str().unwrap().to_owned()]);
}

/// An e-mail in place of the phone is enough, and so is a person's word that it goes without.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_a_usable_phone_goes_by_another_way_or_by_a_persons_word() {
    let world = World::start().await;
    for (number, change) in [["--set", "buyer.email=a@ukr.net"], ["--unset", "buyer.phone"]].into_iter().enumerate() {
        let body = format!("name=Olena&phone=1234{number}&product=Mug&price=250");
        let id = world.post("/in/shop", &body).await.json()["id"].as_str().unwrap().to_owned();
        world.reaches(&id, "held").await;
        let other = world.cli(&["orders", "edit", &id, "--set", "buyer_comment=please call"]);
        assert_eq!(other.code, 1, "{change:?}: {}", other.out);
        let ran = world.cli(&["orders", "edit", &id, change[0], change[1]]);
        assert_eq!(ran.code, 0, "{change:?}: {}{}", ran.out, ran.err);
        world.reaches(&id, "delivered").await;
    }
    let sent = world.crm.orders();
    assert_eq!(sent[0]["buyer"]["email"], "a@ukr.net");
    assert!(sent.iter().all(|order| order["buyer_comment"] == "please call" && order["buyer"]["phone"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_channel_lets_its_held_orders_go_by_retry() {
    let world = World::start().await;
    let id =
        world.post("/in/shop", "tel=0671112233&product=Mug&price=250").await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "held").await;
    world.channel("shop", &SHOP.replace("{{ phone }}", "{{ tel }}"));
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.crm_has(1).await;
    assert_eq!(world.order(&id)["source_uuid"], world.crm.orders()[0]["source_uuid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_what_people_know_of_them() {
    let world = World::start().await;
    let id = world.post("/in/shop", &format!("{}&email=Olena%40Ukr.net", form("Olena"))).await.json()["id"].clone();
    world.post("/in/shop", "name=Petro&phone=0501112233&product=Tea&price=5").await;
    world.crm_has(2).await;
    world.until("both are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    let first = &world.orders()[1];
    let (number, crm) = (first["source_uuid"].as_str().unwrap(), first["crm_order_id"].to_string());
    let texts =
        ["067 111 22 33", "+380671112233", "80671112233", "olena@ukr.net", "Olena", number, &crm, id.as_str().unwrap()];
    for text in texts {
        let ran = world.cli(&["orders", "list", "--text", text, "--json"]);
        let found: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        assert!(found.len() == 1 && found[0]["id"] == id, "`{text}` found {found:?}");
    }
    assert_eq!(world.cli(&["orders", "list", "--state", "lost"]).code, 2);
    assert_eq!(world.cli(&["orders", "list", "--since", "yesterday"]).code, 2);
    let none = world.cli(&["orders", "list", "--until", "2020-01-01", "--json"]);
    assert_eq!(none.out.trim(), "[]");
    assert_eq!(world.cli(&["orders", "show", "nothing"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_a_failure() {
    let world = World::start().await;
    world.post("/in/shop", &form("Olena")).await;
    world.crm_has(1).await;
    for command in ["orders list --json", "channel list", "channel format", "check --offline --json", "orders export"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = world.command(&[]).args(command.split(' ')).stdout(full).output().unwrap();
        let err = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.code() == Some(2) && err.contains("No space left"), "{command}: {:?} {err}", ran.status);
    }
    // What a shell reads with `| head` is no failure.
    let ran = std::process::Command::new("sh")
        .args(["-c", "\"$0\" --config \"$1\" channel format tilda --mapping | head -1; exit ${PIPESTATUS:-0}"])
        .args([env!("CARGO_BIN_EXE_parom"), world.config().to_str().unwrap()])
        .output()
        .unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_files_path_stands_for_its_channel_in_a_dry_run() {
    let world = World::idle(Settings::default()).await;
    let file = world.config().with_file_name("other.toml");
    std::fs::write(&file, SHOP).unwrap();
    let ran = world.cli_with(&["map", file.to_str().unwrap(), "-"], &form("Olena"));
    assert!(ran.code == 0 && ran.out.contains("Olena"), "{}{}", ran.out, ran.err);
    for (form, verdict) in [(form("Olena").as_str(), "go"), ("name=Olena&phone=1&product=Mug&price=5", "hold")] {
        let ran = world.cli_with(&["map", file.to_str().unwrap(), "-", "--json"], form);
        let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&told["verdict"], told["order"]["buyer"]["full_name"].as_str()), (&verdict.into(), Some("Olena")));
        assert!(ran.err.is_empty() && (ran.code == 1) == (told["problems"] != serde_json::json!([])), "{told}");
    }
    std::fs::write(&file, SHOP.replace("[order.buyer]", "[order.bayer]")).unwrap();
    let ran = world.cli_with(&["map", file.to_str().unwrap(), "-"], &form("Olena"));
    assert!(ran.code == 2 && ran.err.contains("other.toml:") && ran.err.contains("bayer"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_every_order_and_no_formula() {
    let world = World::start().await;
    world.post("/in/shop", "name=%3DHYPERLINK(1)&phone=0671112233&product=Mug&price=5").await;
    world.post("/in/shop", &form("Second")).await;
    world.crm_has(2).await;
    let csv = world.cli(&["orders", "export", "--format", "csv", "--limit", "0"]).out;
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.contains("\"'=HYPERLINK(1)\"") && csv.contains("\"'+380671112233\""), "{csv}");
    let file = world.dir.path().join("out.ndjson");
    let ran = world.cli(&["orders", "export", "--limit", "0", "-o", file.to_str().unwrap()]);
    assert_eq!(ran.code, 0);
    let text = fs::read_to_string(&file).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["order"]["buyer"]["full_name"]), (2, &json!("Second")));
    // More than a list shows, and nobody named a number.
    for number in 0..50 {
        assert_eq!(world.post("/in/shop", &form(&format!("E{number}"))).await.status, 202);
    }
    assert_eq!(world.cli(&["orders", "export"]).out.lines().count(), 52);
    assert!(!world.dir.path().join("out.ndjson.part").exists());
    let listed = world.cli(&["orders", "list", "--json"]);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&listed.out).unwrap().len(), 50);
    assert!(listed.err.contains("the newest 50"), "{}", listed.err);
    let all = world.cli(&["orders", "list", "--json", "--limit", "0"]).out;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&all).unwrap().len(), 52);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_each_fault_with_file_and_line() {
    let world = World::idle(Settings::default()).await;
    world.channel("good", SHOP);
    let clean = world.cli(&["check", "--offline"]);
    assert_eq!((clean.code, clean.out.trim()), (0, "1 channels, 0 errors, 0 warnings"));
    // What a newcomer meets first has nothing to say of itself.
    world.channel("demo", &include_str!("../../src/cli/demo/shop.toml").replace("SHOP_ADDRESS", "127.0.0.1:1"));
    assert!(world.cli(&["check", "--offline"]).out.contains("2 channels, 0 errors, 0 warnings"));
    world.channel("hyphen", &SHOP.replace("{{ name }}", "{{ your-name }}"));
    assert_eq!(world.cli(&["check", "--offline"]).code, 0);
    assert_eq!(world.cli(&["check", "--offline", "--strict"]).code, 1);
    world.channel("bad", &SHOP.replace("source_id", "sorce_id").replace("\"main\"", "\"mian\""));
    let ran = world.cli(&["check", "--offline", "--json"]);
    assert_eq!(ran.code, 1);
    let found: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let typo = found.iter().find(|finding| finding["code"] == "unknown_key").unwrap();
    assert_eq!(
        (&typo["line"], &typo["path"], &typo["hint"]),
        (&json!(5), &json!("order.sorce_id"), &json!("Did you mean `source_id`?"))
    );
    assert!(typo["file"].as_str().unwrap().ends_with("channels/bad.toml"));
    let keys: Vec<&String> = typo.as_object().unwrap().keys().collect();
    for key in ["channel", "file", "line", "path", "code", "severity", "message", "hint"] {
        assert!(keys.contains(&&key.to_owned()), "{key}");
    }
    let text = world.cli(&["check", "--offline"]).out;
    assert!(text.contains("bad.toml:5:1: error: order.sorce_id"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn map_shows_the_order_of_a_form_or_of_json() {
    let world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let map = |body: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_parom"))
            .args(["map", "shop", "-", "--config"])
            .arg(world.config())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let order: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), order, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, order, err) = map("name=Olena&phone=0671112233&product=Mug&price=1+249,50\n");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        (&order["buyer"]["phone"], order["products"][0]["price"].to_string()),
        (&json!("+380671112233"), "1249.5".into())
    );
    let (code, _, err) = map(r#"{"name":"Olena","phone":"12","product":"Mug"}"#);
    assert!(code == 1 && err.contains("buyer.phone") && err.contains("no_contact"), "{err}");
    let (code, _, err) = map("{\"name\":");
    assert!(code == 2 && err.contains("not JSON"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_and_configuration_exit_2_and_say_what_to_do() {
    let world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    assert_eq!(world.cli(&["orders", "lst"]).code, 2);
    assert_eq!(world.cli(&["map", "nobody", "/dev/null"]).code, 2);
    let early = world.cli(&["orders", "list"]);
    assert!(early.code == 2 && early.err.contains("no store"), "{}", early.err);
    let good = fs::read_to_string(world.config()).unwrap();
    let cases = [
        ("listen = ", "lissten = ", "lissten"),
        ("http://127.0.0.1", "http://crm.example", "https"),
        ("{ env = \"TEST_CRM_KEY\" }", "\"literal-secret\"", "api_key"),
        ("timeout = \"1s\"", "timeout = \"soon\"", "delivery.timeout"),
        ("timeout = \"1s\"", "timeout = \"5m\"", "delivery.timeout"),
        ("sqlite:parom.db", "mysql://x", "store.url"),
        ("requests_per_minute = 6000", "requests_per_minute = 0", "requests_per_minute"),
        ("TEST_CRM_KEY", "NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE"),
    ];
    for (from, to, word) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        fs::write(world.config(), bad).unwrap();
        let ran = world.cli(&["serve"]);
        assert!(ran.code == 2 && ran.err.contains(word), "{from} → {to}: {} {}", ran.code, ran.err);
        assert!(!ran.err.contains("literal-secret"), "{}", ran.err);
    }
    fs::write(world.config(), good).unwrap();
    let list = world.cli(&["channel", "list"]);
    assert!(list.code == 0 && list.out.contains("/in/shop"), "{}{}", list.out, list.err);
    assert!(world.cli(&["--help"]).out.contains("parom demo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_stops_gracefully_with_requests_under_way() {
    let mut world = World::start().await;
    world.crm.add_fault(keycrm_sandbox::Fault::once(
        keycrm_sandbox::FaultOn::Post,
        keycrm_sandbox::FaultKind::Slow { ms: 400 },
    ));
    world.post("/in/shop", &form("A")).await;
    world.until("it is being sent", || world.crm_posts() == 1).await;
    assert_eq!(world.stop(), 0);
    assert_eq!(world.orders()[0]["state"], "delivered", "its result was waited for");
}

/// A server that is away, of no trusted name, or without a password: what is wrong, and no failure of the program.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_had_is_told() {
    let world = World::of_file(Settings::default()).await;
    let plain = fs::read_to_string(world.config()).unwrap();
    let mut stores = vec![
        ("url = \"postgres://parom@127.0.0.1:1/parom\"".to_owned(), "PostgreSQL at 127.0.0.1:1 cannot be used: "),
        ("url = \"postgres://parom@db.invalid/parom\"\nroot_cert = \"none.pem\"".to_owned(), "store.root_cert: "),
        ("url = \"postgres://127.0.0.1/p\"\npassword = { file = \"none\" }".to_owned(), "store.password: "),
        ("url = \"postgres://127.0.0.1:x/p\"".to_owned(), "store.url: "),
        ("url = \"postgres://127.0.0.1/p\"\npassword = \"plain\"".to_owned(), "{ env = "),
    ];
    if let Some(server) = super::postgres::server() {
        stores.push((format!("url = \"{server}/not_there\""), "does not exist"));
    }
    for (store, why) in stores {
        fs::write(world.config(), plain.replace("url = \"sqlite:parom.db\"", &store)).unwrap();
        for command in [vec!["orders", "list"], vec!["serve"], vec!["migrate", "sqlite-to-postgres", "x.db"]] {
            let ran = world.cli(&command);
            let told = ran.err.contains(why) || (command[0] == "migrate" && ran.err.contains("there is no such file"));
            assert!(ran.code == 2 && told && !ran.err.contains("failed at"), "{store} {command:?}: {}", ran.err);
        }
    }
}
