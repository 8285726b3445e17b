//! How fast a backlog goes: singly, and by the bulk call, to a sandbox CRM that enforces 60 requests a minute.
//!
//! What a minute allows goes at its beginning, so the second minute is counted from five seconds before it to five before its
//! end: a count at the edge itself would take part of a burst to the one or to the other.

use std::path::Path;
use std::time::{Duration, Instant};

use keycrm_sandbox::{Options, Sandbox};

use crate::load;
use crate::servers::{Server, Setup};

/// Prints a row for each way: the orders of the second minute, when the burst of the first is over.
pub(crate) async fn measure(dir: &Path) {
    for (name, bulk, orders, bar) in [("singly", "off", 150, "≥ 51"), ("by the bulk call", "auto", 3_500, "≥ 900")]
    {
        let sandbox = Sandbox::start(Options { requests_per_minute: 60, ..Options::default() }).await.unwrap();
        let store = format!("drain-{bulk}");
        let nowhere = Setup::new(dir, &store, "http://127.0.0.1:9/v1");
        let gateway = Server::of(&nowhere);
        for number in 0..orders {
            load::one(gateway.port, "/in/shop", number).await;
        }
        drop(gateway);
        let file = rusqlite::Connection::open(dir.join(format!("{store}.db"))).unwrap();
        file.execute("UPDATE orders SET received_at = received_at - 300000", []).unwrap();
        drop(file);
        let crm = sandbox.api_url();
        let gateway = Server::of(&Setup { limit: 54, bulk, ..Setup::new(dir, &store, &crm) });
        let began = Instant::now();
        tokio::time::sleep(Duration::from_secs(55).saturating_sub(began.elapsed())).await;
        let first = sandbox.orders().len();
        tokio::time::sleep(Duration::from_secs(115).saturating_sub(began.elapsed())).await;
        let second = sandbox.orders().len() - first;
        let refused = sandbox.ledger().iter().filter(|entry| entry.status == Some(429)).count();
        println!(
            "| backlog of {orders} {name}: orders in the first, and in the second minute | {first} | {second} | {bar} |"
        );
        println!(
            "| … answers of 429 meanwhile; most requests in any 60 s | {refused} | {} | 0 |",
            sandbox.requests_per_window_max()
        );
        drop(gateway);
    }
}
