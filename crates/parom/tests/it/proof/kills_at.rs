//! T3, what `kill.rs` does not have: kill −9 in the middle of the request's and of the answer's bytes, around the log's
//! writing back, and in each step of a schema's change.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;

use super::super::world::{NO_CRM, SHOP, Settings, World, form};
use super::acks::Acks;
use super::shop::Shop;
use super::wire::{Heard, Plan, Wire};
use super::{checker, rows, shop};

const ROUNDS: usize = 20;

async fn ready() -> World {
    let world = World::of_file(Settings { quiet: "200ms", gap: "60ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world
}

async fn end(world: &World, acks: &Acks, point: &str, runs: usize) {
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(world, acks).sound(world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{point}: {:?}", report.states);
    rows::row("T3", &format!("kill -9: {point}"), runs, None, "0 lost, 0 twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_kill_in_the_middle_of_a_request() {
    // Places in the line, the headers and the body.
    held("in the middle of the request", |round, heard| {
        Plan::HoldRequest(heard.bytes.len() * (round % ROUNDS) / ROUNDS + 1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_kill_in_the_middle_of_an_answer() {
    held("in the middle of the answer", |round, _| Plan::HoldAnswer(1_000 * (round % ROUNDS) / ROUNDS)).await;
}

/// Each round one order's first request is held somewhere, and the gateway is killed while it is.
async fn held(point: &str, plan: impl Fn(usize, &Heard) -> Plan + Send + Sync + 'static) {
    let runs = rows::runs(ROUNDS);
    let mut world = ready().await;
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let wire = Wire::lay(world.crm.addr(), {
        let seen = Arc::clone(&seen);
        move |heard| {
            let mut seen = seen.lock().unwrap();
            let round = seen.len();
            // The first is the control.
            if heard.post && seen.insert(heard.number.clone()) && round > 0 {
                plan(round - 1, heard)
            } else {
                Plan::Pass
            }
        }
    })
    .await;
    world.configure(&wire.url());
    world.serve(&[]);
    let acks = Acks::new();
    let url = world.url("/in/shop");
    assert!(shop::ordered(&world.http, &url, "control", &form("Control"), &acks).await);
    world.until("a control is there", || world.count(&["delivered"]) == 1).await;
    for round in 0..runs {
        let key = format!("h{round}");
        assert!(shop::ordered(&world.http, &url, &key, &form(&key), &acks).await);
        world.until("the request is under way", || seen.lock().unwrap().len() == round + 2).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        world.kill();
        world.serve(&[]);
        world.until("it is settled", || world.is_settled()).await;
    }
    end(&world, &acks, point, runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_kill_around_the_logs_writing_back() {
    for point in ["store.before_checkpoint", "store.after_checkpoint"] {
        let runs = rows::runs(ROUNDS);
        let mut world = ready().await;
        world.serve(&[]);
        let acks = Arc::new(Acks::new());
        let shop = Shop::open(&world, 4, Duration::ZERO, &acks);
        for round in 0..runs {
            world.kill();
            // The second and third time too, when the log begins anew.
            let armed = format!("{point}:{}", 1 + round % 3);
            world.serve(&[("PAROM_CRASH_AT", &armed), ("PAROM_CHECKPOINT_PAGES", "50")]);
            assert_eq!(world.died().await, None, "{point} ended by itself:\n{}", world.log());
        }
        world.serve(&[]);
        shop.close().await;
        end(&world, &acks, point, runs).await;
        assert_eq!(checker::integrity(&world.db()), "ok");
    }
}

/// The steps of the schema, as they are.
fn steps() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parom-gateway/src/store/sqlite/migrations");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// A store of an older version, with an order that it had accepted.
fn older(world: &World, steps: &[String]) {
    for ending in ["", "-wal", "-shm", ".lock", ".mark"] {
        let _ = fs::remove_file(format!("{}{ending}", world.db().display()));
    }
    let file = Connection::open(world.db()).unwrap();
    steps.iter().for_each(|step| file.execute_batch(step).unwrap());
    file.pragma_update(None, "user_version", steps.len() as i64).unwrap();
    if !steps.is_empty() {
        let body = r#"{"source_id":22,"source_uuid":"OLD-1","buyer":{"full_name":"Olena","phone":"+380671112244"}}"#;
        file.execute_batch(&format!(
            "INSERT INTO orders (seq, id, channel, channel_version, account, state, source_id, number, owns_number, body,
               problems, content, received_at, updated_at, due_at, buyer, phone, email)
             VALUES (1, 'old', 'shop', 1, 'main', 'queued', 22, 'OLD-1', 1, '{body}', '[]', x'00', 1790000000000,
               1790000000000, 1790000000000, 'Olena', '', '');
             INSERT INTO submissions VALUES (1, 'shop', 1790000000000, 'form', '', '{{}}', x'00');
             INSERT INTO order_events (seq, at, state, actor, note) VALUES (1, 1790000000000, 'queued', 'intake', '');"
        ))
        .unwrap();
    }
}

/// From each older version, killed after the first and the last step and around the commit: the next start does it all, and
/// the order is there.
#[tokio::test(flavor = "multi_thread")]
async fn t3_kill_in_the_steps_of_a_schemas_change() {
    let mut world = ready().await;
    world.configure(NO_CRM);
    let (steps, mut runs) = (steps(), 0);
    for version in 0..steps.len() {
        let last = format!("store.migration_step:{}", steps.len() - version);
        for point in ["store.migration_step", &last, "store.before_migration", "store.after_migration"] {
            older(&world, &steps[..version]);
            world.serve(&[("PAROM_CRASH_AT", point)]);
            assert_eq!(world.died().await, None, "{version}, {point}: it ended by itself:\n{}", world.log());
            let reached = checker::number(&world.db(), "PRAGMA user_version");
            let done = point == "store.after_migration";
            assert_eq!(reached, if done { steps.len() } else { version }, "{point}: a part of the steps was kept");
            world.serve(&[]);
            assert_eq!(checker::number(&world.db(), "PRAGMA user_version"), steps.len());
            assert_eq!(world.count(&["queued", "sending"]), version.min(1), "{version}, {point}");
            world.kill();
            runs += 1;
        }
    }
    rows::row("T3", "kill -9: in the steps of a schema's change", runs, None, "all or nothing, done by the next start");
}
