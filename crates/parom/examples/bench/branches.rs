//! Nova Poshta's directory at its full size: a refresh, what intake feels of it, and the search of a form.

use std::path::Path;
use std::time::{Duration, Instant};

use keycrm_sandbox::{Options, Sandbox};
use parom_core::novaposhta::resolve;
use parom_gateway::config;
use parom_gateway::store::{Role, Store};

use crate::load::{self, Round};
use crate::servers::{Server, Setup};
use crate::{CONNECTIONS, median, range};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
/// Times that each search is asked.
const TIMES: usize = 100;

/// Prints the rows of the table.
pub(crate) async fn measure(dir: &Path) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let setup = Setup { more: carrier(&sandbox), ..Setup::new(dir, "branches", "http://127.0.0.1:9/v1") };
    let began = Instant::now();
    let gateway = Server::of(&setup);
    let store = Store::open(&config::load(&dir.join("branches.toml")).unwrap().store, Role::Command).unwrap();
    in_use(&store, 1).await;
    let pages = sandbox.novaposhta_calls().len();
    println!(
        "| refresh of 12,000 settlements and 50,000 branches, {pages} pages: s | {:.1} | | |",
        began.elapsed().as_secs_f64()
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!(
        "| … memory with the directory in use, MB; most ever | {:.1} | {:.1} | |",
        gateway.memory(),
        gateway.most()
    );
    search(gateway.port).await;
    resolving(&store).await;
    meanwhile(&gateway, &store).await;
}

fn carrier(sandbox: &Sandbox) -> String {
    format!("[novaposhta]\napi_key = {{ file = \"key\" }}\nurl = \"{}\"\n", sandbox.novaposhta_url())
}

async fn in_use(store: &Store, generation: i64) {
    while store.novaposhta().await.unwrap().generation < generation {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a person types, letter by letter: towns, then branches of the largest town.
async fn search(port: u16) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let began = Instant::now();
        let answer = http.get(format!("http://127.0.0.1:{port}{path}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        (answer.text().await.unwrap(), u64::try_from(began.elapsed().as_micros()).unwrap())
    };
    let town: serde_json::Value = serde_json::from_str(&get("/np/settlements?q=Київ").await.0).unwrap();
    let town = town["settlements"][0]["ref"].as_str().unwrap().to_owned();
    let towns =
        ["ки", "київ", "киев", "івано", "микол", "миколаїв льв", "запоріжа", "бела цер", "кременчк", "олександрів"];
    let branches = ["", "5", "№11", "відділення 1", "поштомат 10", "шевч", "шевченко 12", "соборная", "хрещатик"];
    for (what, paths) in [
        ("towns", towns.iter().map(|text| format!("/np/settlements?q={text}")).collect::<Vec<_>>()),
        ("branches", branches.iter().map(|text| format!("/np/warehouses?settlement_ref={town}&q={text}")).collect()),
    ] {
        let mut round = Round::default();
        for _ in 0..TIMES {
            for path in &paths {
                round.micros.push(get(path).await.1);
            }
        }
        println!(
            "| search of {what}: p50, p95 ms | {:.1} | {:.1} | p95 < 10 |",
            round.percentile(50),
            round.percentile(95)
        );
    }
}

/// What finding a branch in a text costs.
async fn resolving(store: &Store) {
    let generation = store.novaposhta().await.unwrap().generation;
    let (directory, _) = store.novaposhta_directory(generation).await.unwrap();
    for (town, line) in [("Київ", "Відділення №11"), ("", "м.Київ, вул. Хрещатик, 22, відд 5"), ("Кременчг", "отд 3")]
    {
        let began = Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(resolve(&directory, town, line));
        }
        let each = began.elapsed().as_secs_f64() * 1_000_000.0 / TIMES as f64;
        println!("| a branch found in `{town}` `{line}`, µs | {each:.0} | | |");
    }
}

/// Rounds of forms in turns: nothing else going on, and a refresh under way.
async fn meanwhile(gateway: &Server, store: &Store) {
    let (mut ratios, mut quiet_p99, mut busy_p99, mut accepted) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let quiet = load::run(gateway.port, "/in/shop", CONNECTIONS, ROUND, accepted).await;
        accepted += quiet.answered;
        let generation = store.novaposhta().await.unwrap().generation;
        store.novaposhta_ask().await.unwrap();
        while store.novaposhta().await.unwrap().taken_until == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let busy = load::run(gateway.port, "/in/shop", CONNECTIONS, ROUND, accepted).await;
        accepted += busy.answered;
        assert!(store.novaposhta().await.unwrap().taken_until > 0, "the refresh was over before the round");
        ratios.push(busy.rate() / quiet.rate());
        quiet_p99.push(quiet.percentile(99));
        busy_p99.push(busy.percentile(99));
        in_use(store, generation + 1).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    println!("| intake during a refresh ÷ without one | {} | {} | |", median(&mut ratios, 2), range(&ratios, 2));
    println!("| … p99 without, and during, ms | {} | {} | < 50 |", median(&mut quiet_p99, 1), median(&mut busy_p99, 1));
}
