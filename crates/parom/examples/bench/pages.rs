//! The pages over a store of a million orders: the time to the first byte, page by page.

use std::path::Path;
use std::time::{Duration, Instant};

use parom_gateway::config::Role;
use parom_gateway::passwords;
use parom_gateway::store::{Operator, Scope, Store};

use crate::servers::Server;

const ORDERS: i64 = 1_000_000;
/// Requests of each page.
const TIMES: usize = 200;
const PASSWORD: &str = "four unrelated words 7";

/// Fills a store, opens the pages, and prints the rows of the table.
pub(crate) async fn measure(dir: &Path) {
    let gateway = Server::gateway(dir, "pages", "http://127.0.0.1:9/v1");
    drop(gateway);
    eprintln!("filling a store with {ORDERS} orders …");
    fill(&dir.join("pages.db"), ORDERS);
    person(dir).await;
    let gateway = Server::gateway(dir, "pages", "http://127.0.0.1:9/v1");
    let base = format!("http://127.0.0.1:{}", gateway.port);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let body = format!("name=olena&password={}", PASSWORD.replace(' ', "+"));
    let kind = "application/x-www-form-urlencoded";
    let signed = http.post(format!("{base}/login")).header("content-type", kind).body(body).send().await.unwrap();
    let cookie = signed.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for (what, path) in [
        ("orders, the first page", "/orders"),
        ("orders, a page in the middle", "/orders?before=500000"),
        ("orders that wait for a person", "/orders?state=person"),
        ("orders of a channel that is rare", "/orders?channel=rare"),
        ("orders by phone", "/orders?text=067+050+00+07"),
        ("orders by number", "/orders?text=P-0000000500007"),
        ("orders by a part of a name", "/orders?text=Rare"),
        ("overview", "/"),
    ] {
        let times = if path.contains("Rare") { TIMES / 20 } else { TIMES };
        let mut took: Vec<Duration> = Vec::new();
        for _ in 0..times {
            let started = Instant::now();
            let answer = http.get(format!("{base}{path}")).header("cookie", &cookie).send().await.unwrap();
            took.push(started.elapsed());
            assert_eq!(answer.status().as_u16(), 200, "{path}");
            let text = answer.text().await.unwrap();
            assert!(text.contains("href=\"/orders/") || path == "/", "{path} shows no order");
        }
        took.sort();
        let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64() * 1_000.0;
        let bar = if path.starts_with("/orders") && !path.contains("Rare") { "p95 < 100" } else { "" };
        println!("| first byte at {ORDERS} orders: {what}, ms | p50 {:.1} | p95 {:.1} | {bar} |", at(50), at(95));
    }
    println!("| memory with {ORDERS} orders stored, MB | {:.1} | | ≤ 80 |", gateway.memory());
}

async fn person(dir: &Path) {
    let config = parom_gateway::config::load(&dir.join("pages.toml")).unwrap();
    let store = Store::open(&config.store, parom_gateway::store::Role::Command).unwrap();
    let password = passwords::hash(PASSWORD).await.unwrap();
    let (name, role, language) = ("olena".to_owned(), Role::Admin, String::new());
    store
        .add_operator(Operator { name, password, role, scope: Scope::All, language, created_at: 0 }, "bench")
        .await
        .unwrap();
}

/// A year of orders, as the gateway would have kept them; one of a thousand waits for a person.
pub(crate) fn fill(file: &Path, orders: i64) {
    let mut store = rusqlite::Connection::open(file).unwrap();
    let now =
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let transaction = store.transaction().unwrap();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1),
                     o AS (SELECT i, ?2 - (?1 - i) * 31536 AS at,
                             CASE WHEN i % 100000 = 7 THEN 'rare' ELSE 'shop' END AS channel,
                             CASE WHEN i % 1000 = 0 THEN 'held' WHEN i % 100 = 1 THEN 'canceled' ELSE 'delivered' END AS state
                           FROM n)";
    for sql in [
        "INSERT INTO submissions SELECT i, channel, at, 'in', 'application/x-www-form-urlencoded', '{}',
           cast('name=Buyer&phone=067&product=Mug&price=250' AS BLOB) FROM o",
        "INSERT INTO orders (seq, id, channel, channel_version, account, state, source_id, number, owns_number, body, problems,
                             content, received_at, updated_at, due_at, attempts, crm_order_id, buyer, phone, email)
         SELECT i, printf('%08x-%04x-7000-8000-%012x', at >> 16, at & 65535, i), channel, 1, 'main', state, 22,
                printf('P-%013d', i), 1, '{\"source_id\":22,\"buyer\":{\"full_name\":\"Buyer\"}}', '[]', randomblob(16), at, at + 900, at, 1,
                CASE WHEN state = 'delivered' THEN i END, CASE WHEN i % 250000 = 7 THEN 'Rare Name' ELSE 'Buyer ' || i END,
                printf('+380%09d', 670000000 + i), printf('b%d@example.ua', i) FROM o",
        "INSERT INTO order_events (seq, at, state, actor, note) SELECT i, at, state, 'intake', '' FROM o",
    ] {
        let (head, tail) = sql.split_once("SELECT").map(|(head, tail)| (head, format!("SELECT{tail}"))).unwrap();
        transaction.execute(&format!("{head} {rows} {tail}"), rusqlite::params![orders, now]).unwrap();
    }
    transaction.commit().unwrap();
    store.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}
