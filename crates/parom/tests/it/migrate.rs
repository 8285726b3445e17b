//! From a SQLite file to PostgreSQL: every row comes over, and the gateway goes on as if nothing had been.

use std::collections::BTreeMap;
use std::path::Path;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};
use rusqlite::Connection;

use super::alerts::BAD;
use super::postgres::{self, Database};
use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::shop::ordered;
use super::world::{NO_CRM, SHOP, Settings, World, form};

/// A file with orders in every state that waits for something, and a person.
async fn stopped_shop() -> (World, Acks) {
    let mut world = World::of_file(Settings { quiet: "600ms", gap: "200ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let acks = Acks::new();
    for number in 0..5 {
        let key = format!("d{number}");
        assert!(ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
    }
    world.until("five are delivered", || world.count(&["delivered"]) == 5).await;
    world.post("/in/shop", BAD).await;
    assert_eq!(world.cli_with(&["user", "add", "anna", "--role", "operator"], "correct horse battery\n").code, 0);
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::HangAfterCommit));
    assert!(ordered(&world.http, &world.url("/in/shop"), "cut", &form("cut"), &acks).await);
    world.until("one is being sent", || world.count(&["sending"]) == 1).await;
    world.kill();
    world.configure(NO_CRM);
    world.serve(&[]);
    for number in 0..20 {
        let key = format!("q{number}");
        assert!(ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
    }
    world.stop();
    (world, acks)
}

/// Each table's rows as texts, sorted.
fn rows(file: &Path) -> BTreeMap<String, Vec<String>> {
    let file = Connection::open(file).unwrap();
    let mut names =
        file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut tables = BTreeMap::new();
    for name in names {
        let mut columns =
            file.prepare("SELECT name FROM pragma_table_info(?1) WHERE name <> 'tx' ORDER BY name").unwrap();
        let columns: Vec<String> =
            columns.query_map([&name], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect();
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let mut all = file.prepare(&format!("SELECT {} FROM {name}", quoted.join(" || ',' || "))).unwrap();
        let mut rows: Vec<String> = all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        rows.sort_unstable();
        tables.insert(name, rows);
    }
    tables
}

const KEY: (&str, &str) = ("TEST_CRM_KEY", "canary-key-1");

#[tokio::test(flavor = "multi_thread")]
async fn every_row_comes_over_and_the_gateway_goes_on() {
    let Some(server) = postgres::server() else {
        println!("skipped: it needs PostgreSQL (PAROM_TEST_STORE)");
        return;
    };
    for point in ["", "migrate.before_commit", "migrate.after_commit"] {
        let (mut world, acks) = stopped_shop().await;
        let file = world.dir.path().join("parom.db");
        world.database = Some(Database::create(&server).await);
        world.settings.file = "copy.db";
        world.configure(&world.crm.api_url());
        let command = ["migrate", "sqlite-to-postgres", file.to_str().unwrap()];
        if !point.is_empty() {
            assert!(world.killed(&command, point));
        }
        let before = rows(&file);
        // A command that runs for minutes, such as an import.
        let other = Connection::open(&file).unwrap();
        let ran = world.cli(&command);
        assert_eq!(ran.code, 0, "{point}: {}", ran.err);
        let late = other.execute("UPDATE orders SET buyer = 'late'", []).unwrap_err().to_string();
        assert!(late.contains("moved to PostgreSQL"), "{late}");
        let after = rows(&world.db());
        let left = ["crm_requests", "alert_mark", "facts", "transitions"];
        for (table, rows) in before.iter().filter(|(table, _)| !left.contains(&table.as_str())) {
            assert_eq!(Some(rows), after.get(table), "{point}: {table}");
        }
        assert_eq!((before["orders"].len(), before["operators"].len()), (27, 1));
        // The file is done with: nothing starts on it, and it is not moved twice.
        let config = std::fs::read_to_string(world.config()).unwrap();
        let old = world.dir.path().join("old.toml");
        let url = world.database.as_ref().unwrap().url();
        std::fs::write(&old, config.replace(&url, "sqlite:parom.db")).unwrap();
        let serve = std::process::Command::new(env!("CARGO_BIN_EXE_parom"))
            .args(["serve", "--config"])
            .arg(&old)
            .env(KEY.0, KEY.1)
            .env("TEST_TOKEN", "right-token")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&serve.stderr).into_owned();
        assert!(serve.status.code() == Some(2) && told.contains("was moved to PostgreSQL"), "{told}");
        if point.is_empty() {
            // A minute long it is not known what the CRM heard: once is enough.
            goes_on(&mut world, &acks).await;
            let again = world.cli(&command);
            assert!(again.code == 2 && again.err.contains("was moved"), "{}", again.err);
        }
    }
}

/// On PostgreSQL, senders repeat and hear of the same orders; what waited goes, and nothing twice.
async fn goes_on(world: &mut World, acks: &Acks) {
    world.serve(&[]);
    for number in 0..20 {
        let key = format!("q{number}");
        assert!(ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), acks).await);
    }
    world.until("all but one go", || world.count(&["delivered"]) == 26).await;
    checker::check(world, acks).sound(world);
    assert_eq!((world.crm.orders().len(), world.count(&["held"])), (26, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_moved_is_told() {
    let world = World::of_file(Settings::default()).await;
    let nothing = world.cli(&["migrate", "sqlite-to-postgres", "none.db"]);
    assert!(nothing.code == 2 && nothing.err.contains("store.url names a file"), "{}", nothing.err);
    let Some(server) = postgres::server() else { return };
    let (mut world, _) = stopped_shop().await;
    let file = world.dir.path().join("parom.db");
    let mut running = World::of_file(Settings::default()).await;
    running.channel("shop", SHOP);
    running.serve(&[]);
    world.database = Some(Database::create(&server).await);
    world.settings.file = "copy.db";
    world.configure(&world.crm.api_url());
    let used = running.db();
    let busy = world.cli(&["migrate", "sqlite-to-postgres", used.to_str().unwrap()]);
    assert!(busy.code == 2 && busy.err.contains("another `parom serve` runs on this store"), "{}", busy.err);
    let none = world.cli(&["migrate", "sqlite-to-postgres", "none.db"]);
    assert!(none.code == 2 && none.err.contains("there is no such file"), "{}", none.err);
    world.serve(&[]);
    world.post("/in/shop", &form("n")).await;
    world.stop();
    let full = world.cli(&["migrate", "sqlite-to-postgres", file.to_str().unwrap()]);
    assert!(full.code == 2 && full.err.contains("is not empty"), "{}", full.err);
    // What was refused leaves the file as it was: the shop goes on with it.
    (world.database, world.settings.file) = (None, "parom.db");
    world.configure(NO_CRM);
    world.serve(&[]);
    assert_eq!(world.post("/in/shop", &form("on")).await.status, 202);
}
