//! T11: a CRM that is slow, hangs, or takes connections and never reads: few requests are under way, the memory stays, and
//! another account is not held up.

use std::fs;
use std::time::{Duration, Instant};

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Options, Sandbox};
use tokio::net::TcpListener;

use super::super::world::{SHOP, Settings, World, form};
use super::acks::Acks;
use super::{checker, rows, shop};

/// Bytes that the memory may grow by.
const GROWS: usize = 20 << 20;
/// POSTs under way, by default.
const IN_FLIGHT: usize = 4;
const UNDER_WAY: &str = "SELECT count(*) FROM orders WHERE account = 'main' AND state = 'sending'";

#[tokio::test(flavor = "multi_thread")]
async fn t11_a_slow_crm_holds_up_nobody_else() {
    // The time-out is a second: 3.5 s stand for the 35 s that are longer than the real one.
    let kinds = [
        Some(FaultKind::HangBefore),
        Some(FaultKind::HangAfterCommit),
        Some(FaultKind::DripAnswer),
        Some(FaultKind::Slow { ms: 3_500 }),
        Some(FaultKind::SlowBefore { ms: 3_500 }),
        Some(FaultKind::Slow { ms: 700 }),
        Some(FaultKind::HugeAnswer),
        None,
    ];
    let (mut most, mut grown) = (0, 0);
    for kind in kinds {
        let (under_way, bytes) = one(kind).await;
        most = most.max(under_way);
        grown = grown.max(bytes);
    }
    let figures = format!("at most {most} under way, {} KiB more memory, the other account at once", grown >> 10);
    rows::row("T11", "slow and hanging CRM", kinds.len(), None, &figures);
}

/// One kind of slowness; none is a CRM that takes connections and never reads. The most requests that were under way at
/// once, and the bytes that the memory grew by.
async fn one(kind: Option<FaultKind>) -> (usize, usize) {
    let mut world = World::idle(Settings { quiet: "4s", gap: "150ms", ..Settings::default() }).await;
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = Sandbox::start(Options { requests_per_minute: 0, ..Options::default() }).await.unwrap();
    if kind.is_none() {
        world.configure(&format!("http://{}/v1", deaf.local_addr().unwrap()));
    }
    let text = fs::read_to_string(world.config()).unwrap();
    let account = "api_key = { env = \"TEST_CRM_KEY\" }\nrequests_per_minute = 6000";
    fs::write(world.config(), format!("{text}[accounts.other]\nurl = \"{}\"\n{account}\n", other.api_url())).unwrap();
    world.channel("shop", SHOP);
    world.channel("other", &SHOP.replace("account = \"main\"", "account = \"other\""));
    world.serve(&[]);
    // The other account's control and dictionaries.
    world.post("/in/other", &form("First")).await;
    world.until("the other account delivers", || other.orders().len() == 1).await;
    if let Some(kind) = kind {
        world.post("/in/shop", &form("First")).await;
        world.crm_has(1).await;
        world.crm.add_fault(Fault::always(FaultOn::Post, kind));
    }
    let before = resident(&world);
    let acks = Acks::new();
    for number in 0..60 {
        let key = format!("s{number}");
        assert!(shop::ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
    }
    let (mut most, mut memory) = (0, 0);
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        let began = Instant::now();
        let key = format!("o{number}");
        assert!(shop::ordered(&world.http, &world.url("/in/other"), &key, &form(&key), &acks).await);
        while other.orders().len() < number + 2 {
            assert!(began.elapsed() < Duration::from_secs(20), "{kind:?} holds the other account up");
            most = most.max(checker::number(&world.db(), UNDER_WAY));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        slowest = slowest.max(began.elapsed());
        memory = memory.max(resident(&world));
        tokio::time::sleep(Duration::from_millis(75)).await;
    }
    assert!(most <= IN_FLIGHT, "{kind:?}: {most} requests were under way");
    let grown = memory.saturating_sub(before);
    assert!(grown < GROWS, "{kind:?}: {grown} bytes more");
    assert!(slowest < Duration::from_secs(10), "{kind:?} held the other account up for {slowest:?}");
    assert!(checker::lost(&world.db(), &acks).is_empty());
    assert_eq!(other.orders().len(), 21);
    (most, grown)
}

/// Bytes of memory that the gateway has.
fn resident(world: &World) -> usize {
    let text = fs::read_to_string(format!("/proc/{}/status", world.pid().as_raw_nonzero())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
}
