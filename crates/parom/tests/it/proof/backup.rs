//! Backup and restore: a copy under load, a way back that sends nothing twice, and kills at each point of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::rows;
use crate::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";

async fn running() -> World {
    let mut world = World::of_file(Settings { quiet: "300ms", gap: "100ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world
}

fn numbers(world: &World) -> Vec<String> {
    world.orders().iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect()
}

fn all_delivered(world: &World) -> bool {
    world.orders().iter().all(|order| order["state"] == "delivered")
}

/// Sends orders, each under its key until it is acknowledged, and remembers what was.
async fn sender(url: String, name: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let key = format!("{name}-{number}");
        loop {
            let request = client.post(&url).header("content-type", FORM).header("idempotency-key", &key);
            let answer = request.body(form(&format!("B{name}x{number}"))).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                acknowledged.push(key);
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if stop.load(Ordering::SeqCst) {
            return acknowledged;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    acknowledged
}

/// F19, T23: the store is lost, an older backup takes its place while senders go on, and nothing is in the CRM twice. What
/// was acknowledged after the backup and not yet delivered is lost, as with any backup: that is told, and not more.
#[tokio::test(flavor = "multi_thread")]
async fn f19_an_older_backup_under_load_sends_nothing_twice() {
    let runs = rows::runs(1);
    let (mut restored, mut back) = (0, 0);
    for _ in 0..runs {
        let mut world = running().await;
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> =
            (0..4).map(|name| tokio::spawn(sender(world.url("/in/shop"), name, Arc::clone(&stop)))).collect();
        world.crm_has(30).await;
        // A few are doubtful when the copy is made, and some are queued.
        world.crm.add_fault(
            keycrm_sandbox::Fault::always(
                keycrm_sandbox::FaultOn::Post,
                keycrm_sandbox::FaultKind::HtmlAfterCommit { status: 502 },
            )
            .times(3),
        );
        let file = world.dir.path().join("copy.db");
        let copied = world.cli(&["backup", file.to_str().unwrap(), "--json"]);
        assert_eq!(copied.code, 0, "{}", copied.err);
        let had = world.crm.orders().len();
        world.crm_has(had + 60).await;
        world.kill();
        let put = world.cli(&["restore", file.to_str().unwrap()]);
        assert_eq!(put.code, 0, "{}", put.err);
        world.serve(&[]);
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.store(true, Ordering::SeqCst);
        for sender in senders {
            back += sender.await.unwrap().len();
        }
        world.until("all are delivered", || all_delivered(&world)).await;
        let mut there: Vec<String> =
            world.crm.orders().iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
        let whole = there.len();
        there.sort();
        there.dedup();
        assert_eq!(there.len(), whole, "an order is there twice after a restore\n{}", world.log());
        let ours = numbers(&world);
        assert!(ours.iter().all(|number| there.contains(number)), "an order of the restored store is not in the CRM");
        assert!(world.log().contains("it was restored from a backup"));
        restored += ours.len();
    }
    let figures = format!("0 twice; {restored} orders in the restored stores, {back} acknowledged");
    rows::row("T23", "F19: restore of an older backup under load", runs, None, &figures);
}

/// An order that was held in the backup, and released and sent after it, is released again: it is looked up first.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_in_the_backup_is_looked_up_when_it_is_released_again() {
    let mut world = running().await;
    world.post("/in/shop", &form("First")).await;
    world.crm_has(1).await;
    let held = world.post("/in/shop", &form("Held").replace("1+249,50", "1.249")).await;
    let id = held.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.order(&id)["state"], "held", "{}", world.order(&id));
    let file = world.dir.path().join("copy.db");
    assert_eq!(world.cli(&["backup", file.to_str().unwrap()]).code, 0);
    let edit = ["orders", "edit", &id, "--set", "products.0.price=12.5"];
    let released = world.cli(&edit);
    assert_eq!(released.code, 0, "{}{}", released.out, released.err);
    world.reaches(&id, "delivered").await;
    world.stop();
    assert_eq!(world.cli(&["restore", file.to_str().unwrap()]).code, 0);
    world.serve(&[]);
    assert_eq!(world.order(&id)["state"], "held");
    let again = world.cli(&edit);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    world.reaches(&id, "delivered").await;
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 2), "{}", world.order(&id));
    // What is imported now is looked up first too, and waits for nobody.
    let rows = world.dir.path().join("rows.csv");
    std::fs::write(&rows, "name,phone,product,price\nOlena,0671112233,Mug,5\n").unwrap();
    let ran = world.cli(&["import", "shop", rows.to_str().unwrap(), "--json"]);
    assert!(ran.code == 0 && !ran.err.contains("held"), "{}{}", ran.out, ran.err);
    world.crm_has(3).await;
    assert_eq!(world.crm_posts(), 3);
}

/// A sender repeats its key an hour after the restore what was delivered before it: the order is found, by its number.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_repeated_long_after_a_restore_is_found() {
    let mut world = running().await;
    world.post("/in/shop", &form("First")).await;
    world.crm_has(1).await;
    let file = world.dir.path().join("copy.db");
    assert_eq!(world.cli(&["backup", file.to_str().unwrap()]).code, 0);
    let key = [("idempotency-key", "order-7")];
    assert_eq!(world.send("/in/shop", FORM, form("Second").into(), &key).await.status, 202);
    world.crm_has(2).await;
    world.stop();
    assert_eq!(world.cli(&["restore", file.to_str().unwrap()]).code, 0);
    let clock = world.dir.path().join("clock");
    std::fs::write(&clock, "3600000").unwrap();
    world.serve(&[("PAROM_CLOCK_FILE", clock.to_str().unwrap())]);
    let again = world.send("/in/shop", FORM, form("Second").into(), &key).await;
    let id = again.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    assert_eq!((world.crm.orders().len(), world.crm_posts()), (2, 2), "{}", world.order(&id));
}

/// A command that writes into an older file first does not hide that it is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_before_serve_does_not_hide_an_older_file() {
    let mut world = running().await;
    let file = world.dir.path().join("parom.db");
    world.post("/in/shop", &form("A")).await;
    world.crm_has(1).await;
    world.until("it is delivered", || all_delivered(&world)).await;
    world.stop();
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
    }
    // A new file in the old one's place, which gets events of its own before anybody compares.
    let rows = world.dir.path().join("rows.csv");
    std::fs::write(&rows, "name,phone,product,price\nB,0671112233,Mug,5\n").unwrap();
    let refused = world.cli(&["import", "shop", rows.to_str().unwrap()]);
    assert!(refused.code == 2 && refused.err.contains("restore a backup"), "{}{}", refused.out, refused.err);
    assert_eq!(world.crm_posts(), 1);
}

/// A file that was merely copied over the store is noticed by its mark; a store that is gone is not made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_put_in_the_stores_place_is_noticed() {
    let mut world = running().await;
    let path = world.dir.path().join("parom.db");
    let old = world.dir.path().join("old.db");
    // The file and its log, as somebody copies them who knows SQLite.
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        for ending in ["", "-wal"] {
            let (from, to) = (format!("{}{ending}", from.display()), format!("{}{ending}", to.display()));
            let _ = std::fs::remove_file(&to);
            let _ = std::fs::copy(from, to);
        }
    };
    world.configure(crate::world::NO_CRM);
    world.kill();
    world.serve(&[]);
    world.post("/in/shop", &form("A")).await;
    world.stop();
    copy(&path, &old);
    world.configure(&world.crm.api_url());
    world.serve(&[]);
    world.crm_has(1).await;
    world.until("it is delivered", || all_delivered(&world)).await;
    world.stop();
    copy(&old, &path);
    world.serve(&[]);
    world.until("it is found", || all_delivered(&world)).await;
    assert!(world.log().contains("it is older than its mark"), "{}", world.log());
    assert_eq!(world.crm_posts(), 1, "{}", world.log());
    world.stop();
    copy(&world.dir.path().join("none"), &path);
    let refused = world.cli(&["serve"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("restore a backup"), "{}", refused.err);
    let listed = world.cli(&["orders", "list"]);
    assert!(listed.code == 2 && listed.err.contains("restore a backup"), "{}", listed.err);
}

/// What is refused, and that nothing is touched by it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_backup_is_refused_and_the_store_stays() {
    let mut world = running().await;
    let id = world.post("/in/shop", &form("A")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let dir = world.dir.path().to_owned();
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let good = path("good.db");
    assert_eq!(world.cli(&["backup", &good]).code, 0);
    assert_eq!(world.cli(&["backup", &good]).code, 0, "an earlier backup is replaced");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&good).unwrap().permissions().mode() & 0o777, 0o600);
    for secret in ["canary-key-1", "right-token"] {
        assert!(!crate::world::is_in(secret, &std::fs::read(&good).unwrap()), "a backup holds {secret}");
    }
    assert_eq!(world.cli(&["backup", &path("parom.db")]).code, 2, "the store itself");
    assert_eq!(world.cli(&["backup", &path("parom.toml")]).code, 2, "another file");
    let running = world.cli(&["restore", &good]);
    assert!(running.code == 2 && running.err.contains("another `parom serve` runs"), "{}", running.err);
    let drill = world.cli(&["restore", &good, "--check"]);
    assert!(drill.code == 0 && drill.out.contains("1 delivered"), "{}{}", drill.out, drill.err);
    world.stop();
    let mut bytes = std::fs::read(&good).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4_096].fill(0xa5);
    std::fs::write(path("bad.db"), &bytes).unwrap();
    std::fs::write(path("text.db"), "no database").unwrap();
    for name in ["bad.db", "text.db", "none.db"] {
        let refused = world.cli(&["restore", &path(name)]);
        assert_eq!(refused.code, 2, "{name}: {}", refused.out);
    }
    assert_eq!(world.orders().len(), 1);
    let left = std::fs::read_dir(world.dir.path()).unwrap().flatten();
    let left: Vec<String> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(
        !left.iter().any(|name| name.contains(".restoring") || name.contains(".part") || name.contains(".drill")),
        "{left:?}"
    );
}

/// kill −9 at each point of a backup and a restore: the earlier file, or the new one, and no order twice.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_point_of_a_backup_and_a_restore() {
    let runs = rows::runs(3);
    for round in 0..runs {
        let mut world = running().await;
        let file = world.dir.path().join("copy.db");
        let file = file.to_str().unwrap();
        world.post("/in/shop", &form(&format!("A{round}"))).await;
        world.crm_has(1).await;
        assert_eq!(world.cli(&["backup", file]).code, 0);
        for point in ["backup.after_copy", "backup.before_rename", "backup.after_rename"] {
            assert!(world.killed(&["backup", file], point), "{point}");
            assert_eq!(world.cli(&["restore", file, "--check"]).code, 0, "{point}");
        }
        world.post("/in/shop", &form(&format!("B{round}"))).await;
        world.crm_has(2).await;
        for point in ["restore.after_copy", "restore.before_rename", "restore.after_rename"] {
            world.stop();
            assert!(world.killed(&["restore", file], point), "{point}");
            world.serve(&[]);
            world.until("all are delivered", || all_delivered(&world)).await;
            assert_eq!(world.crm_posts(), 2, "{point}: {}", world.log());
        }
        assert_eq!(world.orders().len(), 1, "the last point is after the change of files");
    }
    rows::row("T3", "kill -9: six points of backup and restore", runs * 6, None, "0 lost, 0 twice");
}
