//! `make bench`: ratios within one run. The servers run as processes of their own (this program, started again), the load
//! comes from this one; docs/BENCHMARKS.md tells how to read the table.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop there")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and names its own program")]
#![expect(clippy::cast_precision_loss, reason = "counts and microseconds for a table")]

mod crm;
mod load;
mod pages;
mod servers;

use std::time::Duration;

use load::Round;
use servers::Server;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
const QUEUED: usize = 100_000;
const IDLE_ORDERS: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match arguments.first().map(String::as_str) {
            Some("bare") => servers::bare(arguments[1].parse().unwrap()).await,
            Some("pages") => only_pages().await,
            Some("gateway") => servers::gateway(arguments[1].as_ref()).await,
            _ => compare().await,
        }
    });
}

/// `make bench` ends with this; by itself it takes a minute.
async fn only_pages() {
    let dir = std::env::temp_dir().join(format!("parom-bench-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("channels")).unwrap();
    pages::measure(&dir).await;
    let _ = std::fs::remove_dir_all(dir);
}

async fn compare() {
    let dir = std::env::temp_dir().join(format!("parom-bench-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("channels")).unwrap();
    let added = added_latency(&dir).await;
    let bare = Server::bare();
    let gateway = Server::gateway(&dir, "load", "http://127.0.0.1:9/v1");
    let idle = gateway.memory();
    let (mut rates, mut ratios, mut p50, mut p99, mut bare_rates) = (vec![], vec![], vec![], vec![], vec![]);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let left = load::run(bare.port, "/in/shop", CONNECTIONS, ROUND, 0).await;
        let right = load::run(gateway.port, "/in/shop", CONNECTIONS, ROUND, accepted).await;
        accepted += right.answered;
        eprintln!("round {}: bare {:.0}/s, parom {:.0}/s", round + 1, left.rate(), right.rate());
        ratios.push(right.rate() / left.rate());
        rates.push(right.rate());
        bare_rates.push(left.rate());
        p50.push(right.percentile(50));
        p99.push(right.percentile(99));
    }
    while accepted < QUEUED {
        let more: Round = load::run(gateway.port, "/in/shop", CONNECTIONS, Duration::from_secs(1), accepted).await;
        accepted += more.answered;
    }
    let full = gateway.memory();
    println!("| what | median | lowest – highest | bar |");
    println!("|---|---|---|---|");
    println!("| bare handler, forms/s | {} | {} | |", median(&mut bare_rates, 0), range(&bare_rates, 0));
    println!("| Parom, durable forms/s | {} | {} | |", median(&mut rates, 0), range(&rates, 0));
    println!("| Parom ÷ bare handler | {} | {} | ≥ 0.35 |", median(&mut ratios, 2), range(&ratios, 2));
    println!("| p50 at {CONNECTIONS} connections, ms | {} | {} | |", median(&mut p50, 1), range(&p50, 1));
    println!("| p99 at {CONNECTIONS} connections, ms | {} | {} | < 50 |", median(&mut p99, 1), range(&p99, 1));
    let (mut added_p50, mut added_p99) = (vec![added.percentile(50)], vec![added.percentile(99)]);
    println!("| idle: form posted → at the CRM, p50 ms | {} | | < 10 |", median(&mut added_p50, 1));
    println!("| idle: form posted → at the CRM, p99 ms | {} | | |", median(&mut added_p99, 1));
    println!("| memory idle, MB | {idle:.1} | | ≤ 25 |");
    println!("| memory with {accepted} orders queued, MB | {full:.1} | | ≤ 80 |");
    drop((bare, gateway));
    pages::measure(&dir).await;
    let _ = std::fs::remove_dir_all(dir);
}

/// From the moment before a form is posted to the arrival of its order at the CRM, one at a time.
async fn added_latency(dir: &std::path::Path) -> Round {
    let crm = crm::start().await;
    let gateway = Server::gateway(dir, "idle", &format!("http://127.0.0.1:{}/v1", crm.port));
    let mut round = Round::default();
    for number in 0..IDLE_ORDERS {
        let began = std::time::Instant::now();
        load::one(gateway.port, "/in/shop", 10_000_000 + number).await;
        let arrived = crm.next().await;
        round.micros.push(u64::try_from(arrived.saturating_duration_since(began).as_micros()).unwrap());
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    round
}

fn median(values: &mut [f64], digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    format!("{:.digits$}", values[values.len() / 2])
}

fn range(sorted: &[f64], digits: usize) -> String {
    format!("{:.digits$} – {:.digits$}", sorted[0], sorted[sorted.len() - 1])
}
