//! Many accounts on several nodes: how much of its own limit each one uses while orders wait.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use keycrm_sandbox::{Options, Sandbox};
use tokio_postgres::NoTls;

use crate::plot;
use crate::servers::{self, Server};

const NODES: usize = 3;
/// Requests a minute of each account.
const LIMIT: u32 = 12;
/// Orders of each account: more than can go while it is measured.
const ORDERS: usize = 90;
/// When what is measured begins: dictionaries are fetched, and each node has its share.
const BEGINS: Duration = Duration::from_secs(120);
/// Each account sends in bursts, a minute apart: so many minutes are measured.
const MINUTES: u32 = 3;

/// Prints a row for each number of accounts: what the slowest of them used of its limit, and the median.
pub(crate) async fn measure(dir: &Path, server: &str, only: Option<usize>) {
    let mut points = Vec::new();
    for accounts in only.map_or_else(|| vec![1, 10, 100, 1_000], |only| vec![only]) {
        let sandbox = Sandbox::start(Options { requests_per_minute: 60, ..Options::default() }).await.unwrap();
        let opened = Instant::now();
        let url = servers::database(server, &format!("bench_accounts_{accounts}")).await;
        let dir = dir.join(format!("accounts-{accounts}"));
        configure(&dir, accounts, &sandbox.api_url());
        let node = |at: usize| servers::node(&dir, at, &url);
        drop(node(0));
        queue(&url, accounts).await;
        let nodes: Vec<Server> = (0..NODES).map(node).collect();
        let begins = opened.elapsed() + BEGINS;
        tokio::time::sleep(BEGINS + Duration::from_secs(60) * (MINUTES + 1)).await;
        let begins = u64::try_from(begins.as_millis()).unwrap();
        let mut shares: Vec<f64> = requests(&sandbox, begins).values().map(|times| share(times)).collect();
        assert_eq!(shares.len(), accounts, "an account without a request");
        shares.sort_by(f64::total_cmp);
        let refused = sandbox.ledger().iter().filter(|entry| entry.status == Some(429)).count();
        let memory = nodes.iter().map(Server::memory).fold(0.0, f64::max);
        let (least, median) = (shares[0], shares[shares.len() / 2]);
        println!(
            "| {accounts} accounts of {LIMIT} a minute on {NODES} nodes: of its limit, the slowest, and the median | {least:.2} | {median:.2} | ≥ 0.95 |"
        );
        println!("| … answers of 429; memory of the largest node, MB | {refused} | {memory:.1} | 0 |");
        points.push((accounts as f64, least));
    }
    if only.is_none() {
        let series = [("the slowest".to_owned(), points)];
        let title = "What an account uses of its own limit, on three nodes";
        plot::write("docs/bench/accounts.svg".as_ref(), title, "accounts", "share", &series);
    }
}

fn configure(dir: &Path, accounts: usize, crm: &str) {
    std::fs::create_dir_all(dir.join("channels")).unwrap();
    std::fs::create_dir_all(dir.join("accounts")).unwrap();
    for account in 0..accounts {
        std::fs::write(dir.join(format!("key-{account}")), format!("key-{account}")).unwrap();
        let text =
            format!("url = \"{crm}\"\napi_key = {{ file = \"key-{account}\" }}\nrequests_per_minute = {LIMIT}\n");
        std::fs::write(dir.join(format!("accounts/a{account}.toml")), text).unwrap();
    }
}

/// Orders that wait, as intake would have kept them; each names its account.
async fn queue(url: &str, accounts: usize) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let now = "(extract(epoch FROM now()) * 1000)::bigint";
    let sql = format!(
        "INSERT INTO orders (id, channel, channel_version, account, state, source_id, number, owns_number, body, problems,
                             content, received_at, updated_at, due_at, buyer, phone, email)
         SELECT 'id-' || a || '-' || i, 'shop', 1, 'a' || a, 'queued', 22, 'N-' || a || '-' || i, 1,
                '{{\"source_id\":22,\"source_uuid\":\"N-' || a || '-' || i || '\",\"manager_comment\":\"a' || a || '\",\"buyer\":{{\"full_name\":\"Buyer\"}}}}',
                '[]', decode(md5(a || '-' || i), 'hex'), {now}, {now}, 0, 'Buyer', '', ''
         FROM generate_series(1, {ORDERS}) i, generate_series(0, {accounts} - 1) a"
    );
    client.batch_execute(&sql).await.unwrap();
}

/// When each key's requests came, of those that came after the beginning.
fn requests(sandbox: &Sandbox, begins: u64) -> BTreeMap<u64, Vec<u64>> {
    let mut times: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for entry in sandbox.ledger().iter().filter(|entry| entry.at_ms >= begins) {
        times.entry(entry.key).or_default().push(entry.at_ms);
    }
    times
}

/// What an account used of its limit. It sends in bursts, so that the time is taken from one request to the same one of a
/// later burst.
fn share(times: &[u64]) -> f64 {
    let wanted = (LIMIT * MINUTES) as usize;
    let Some(last) = times.get(wanted) else { return times.len() as f64 / wanted as f64 };
    f64::from(MINUTES) * 60_000.0 / (last - times[0]) as f64
}
