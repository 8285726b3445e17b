//! `make bench`: ratios within one run. The servers run as processes of their own (this program, started again), the load
//! comes from this one; docs/BENCHMARKS.md tells how to read the table.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop there")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and names its own program")]
#![expect(clippy::cast_precision_loss, reason = "counts and microseconds for a table")]

mod accounts;
mod branches;
mod claims;
mod crm;
mod drain;
mod load;
mod pages;
mod php;
mod plot;
mod servers;

use std::path::Path;
use std::time::Duration;

use load::Round;
use servers::{Server, Setup};

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
            Some("gateway") => servers::gateway(arguments[1].as_ref()).await,
            Some("load") => on_any(arguments[1].parse().unwrap()).await,
            part => compare(part, arguments.get(1).and_then(|number| number.parse().ok())).await,
        }
    });
}

/// The load on a server that runs already, whatever it is.
async fn on_any(port: u16) {
    let mut accepted = 0;
    for _ in 0..ROUNDS {
        let round = load::run(port, "/in/shop", CONNECTIONS, ROUND, accepted).await;
        accepted += round.answered;
        println!("{:.0}/s, p99 {:.1} ms", round.rate(), round.percentile(99));
    }
}

/// One part, or all of them.
async fn compare(part: Option<&str>, number: Option<usize>) {
    let dir = std::env::temp_dir().join(format!("parom-bench-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("channels")).unwrap();
    let postgres = postgres();
    let asked = |name: &str| part.is_none_or(|part| part == name);
    println!("| what | median | lowest – highest | bar |");
    println!("|---|---|---|---|");
    if asked("intake") {
        intake(&dir, postgres.as_deref()).await;
    }
    if asked("drain") {
        drain::measure(&dir).await;
    }
    if asked("claims") {
        claims::measure(&dir, postgres.as_deref()).await;
    }
    if let (true, Some(server)) = (asked("accounts"), postgres.as_deref()) {
        accounts::measure(&dir, server, number).await;
    }
    if asked("branches") {
        branches::measure(&dir).await;
    }
    if asked("pages") {
        pages::measure(&dir).await;
    }
    let _ = std::fs::remove_dir_all(dir);
}

/// A PostgreSQL of the tests' own, where one is installed.
fn postgres() -> Option<String> {
    let ran = std::process::Command::new("scripts/postgres").arg("start").output().ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}

/// All servers in turns, so that what the machine does meanwhile meets each of them.
async fn intake(dir: &Path, postgres: Option<&str>) {
    let added = added_latency(dir).await;
    let crm = crm::start().await;
    let gateway = Server::gateway(dir, "load", "http://127.0.0.1:9/v1");
    let idle = gateway.memory();
    let mut servers = vec![("bare handler", Some(Server::bare()), 0), ("Parom on SQLite, durable", Some(gateway), 0)];
    if let Some(server) = postgres {
        let url = servers::database(server, "bench_load").await;
        let setup = Setup { url, ..Setup::new(dir, "pg-load", "http://127.0.0.1:9/v1") };
        servers.push(("Parom on PostgreSQL, durable", Some(Server::of(&setup)), 0));
    }
    let php = php::Php::start(dir, crm.port);
    if php.is_some() {
        servers.push(("nginx + php-fpm with the script, CRM of 0 ms", None, 0));
    }
    let mut rounds: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (at, (name, server, accepted)) in servers.iter_mut().enumerate() {
            let port = server.as_ref().map_or_else(|| php.as_ref().map_or(0, |php| php.port), |server| server.port);
            let round = load::run(port, "/in/shop", CONNECTIONS, ROUND, *accepted).await;
            *accepted += round.answered;
            eprintln!("{name}: {:.0}/s", round.rate());
            rounds[at].push(round);
        }
    }
    for ((name, ..), rounds_of) in servers.iter().zip(&rounds) {
        let mut rates: Vec<f64> = rounds_of.iter().map(Round::rate).collect();
        let mut ratios: Vec<f64> =
            rounds_of.iter().zip(&rounds[0]).map(|(own, bare)| own.rate() / bare.rate()).collect();
        let mut p99: Vec<f64> = rounds_of.iter().map(|round| round.percentile(99)).collect();
        let bar = if name.contains("SQLite") { "≥ 0.35" } else { "" };
        println!("| {name}, forms/s | {} | {} | |", median(&mut rates, 0), range(&rates, 0));
        println!("| … ÷ bare handler | {} | {} | {bar} |", median(&mut ratios, 2), range(&ratios, 2));
        println!("| … p99 at {CONNECTIONS} connections, ms | {} | {} | < 50 |", median(&mut p99, 1), range(&p99, 1));
    }
    if php.is_some() {
        let times = |at: usize| -> Vec<f64> {
            rounds[at].iter().zip(&rounds[rounds.len() - 1]).map(|(own, php)| own.rate() / php.rate()).collect()
        };
        let mut times = times(1);
        println!("| Parom on SQLite ÷ the script | {} | {} | ≥ 5 |", median(&mut times, 1), range(&times, 1));
    }
    drop(php);
    let (sent, came) = (servers.last().map_or(0, |(.., answered)| *answered), crm.count().await);
    eprintln!("the script answered {sent} times, and {came} orders came to the CRM");
    let (_, Some(gateway), accepted) = &mut servers[1] else { return };
    while *accepted < QUEUED {
        *accepted += load::run(gateway.port, "/in/shop", CONNECTIONS, Duration::from_secs(1), *accepted).await.answered;
    }
    let (mut added_p50, mut added_p99) = (vec![added.percentile(50)], vec![added.percentile(99)]);
    println!("| idle: form posted → at the CRM, p50 ms | {} | | < 10 |", median(&mut added_p50, 1));
    println!("| idle: form posted → at the CRM, p99 ms | {} | | |", median(&mut added_p99, 1));
    println!("| memory idle, MB | {idle:.1} | | ≤ 25 |");
    println!("| memory with {accepted} orders queued, MB | {:.1} | | ≤ 80 |", gateway.memory());
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
