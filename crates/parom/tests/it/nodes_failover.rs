//! The database of two nodes dies, comes back, answers no COMMIT, or falls over to its standby.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::cluster::Cluster;
use super::nodes::{BOT, LEASE, Node, holder, is_held_by};
use super::postgres;
use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::rows;
use super::proof::shop::{Shop, ordered};
use super::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";

fn is_skipped() -> bool {
    let skipped = postgres::server().is_none();
    if skipped {
        println!("skipped: several nodes need PostgreSQL (PAROM_TEST_STORE)");
    }
    skipped
}

/// Two nodes whose database is at an address; the world itself looks at the rows by another.
async fn two(looks_at: &str, address: &str) -> (World, Node) {
    let settings = Settings { quiet: "1s", gap: "500ms", ..Settings::default() };
    let mut world = World::of_server(settings, looks_at).await;
    world.channel("shop", SHOP);
    let config = std::fs::read_to_string(world.config()).unwrap();
    std::fs::write(world.config(), config.replace(looks_at, address)).unwrap();
    world.serve(&[LEASE, BOT]);
    let node = Node::start(&world);
    (world, node)
}

/// Orders on both nodes while something happens; each is repeated with its key until it is acknowledged.
struct Trade(Shop, Shop);

impl Trade {
    fn open(world: &World, node: &Node, acks: &Arc<Acks>) -> Trade {
        let pause = Duration::from_millis(30);
        let own = Shop::open(world, 2, pause, acks);
        Trade(own, Shop::open_at(node.url("/in/shop"), 2, pause, acks))
    }

    async fn close(self) {
        self.0.close().await;
        self.1.close().await;
    }
}

async fn settled(world: &World) {
    world.until("all are settled", || world.is_settled()).await;
}

/// T21: the server is killed while orders come in and go out, and started again.
#[tokio::test(flavor = "multi_thread")]
async fn t21_a_database_that_is_killed_and_comes_back_loses_nothing() {
    if is_skipped() {
        return;
    }
    let runs = rows::runs(4);
    let cluster = Cluster::start("");
    let (world, node) = two(&cluster.server(), &cluster.server()).await;
    let acks = Arc::new(Acks::new());
    let trade = Trade::open(&world, &node, &acks);
    for _ in 0..runs {
        let before = acks.count();
        world.until("orders come in", || acks.count() > before + 20).await;
        cluster.dies();
        tokio::time::sleep(Duration::from_millis(700)).await;
        cluster.up();
    }
    trade.close().await;
    settled(&world).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    rows::row("T21", "the database of two nodes killed and started", runs, None, &report.figures());
}

/// T21: the connection is lost when COMMIT was sent, and its answer never comes.
#[tokio::test(flavor = "multi_thread")]
async fn t21_a_commit_without_an_answer_is_neither_lost_nor_repeated() {
    if is_skipped() {
        return;
    }
    let runs = rows::runs(25);
    let cluster = Cluster::start("");
    let (port, cut) = wire(cluster.port, false).await;
    let address = format!("postgres://postgres@127.0.0.1:{port}");
    let (world, node) = two(&cluster.server(), &address).await;
    let acks = Arc::new(Acks::new());
    let trade = Trade::open(&world, &node, &acks);
    for run in 0..runs {
        let before = acks.count();
        world.until("orders come in", || acks.count() > before + 3).await;
        // Each commit of the next moments, or one alone.
        cut.send_replace(true);
        tokio::time::sleep(Duration::from_millis(if run % 5 == 0 { 200 } else { 5 })).await;
        cut.send_replace(false);
    }
    trade.close().await;
    settled(&world).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    rows::row("T21", "COMMITs whose answers were cut off", runs, None, &report.figures());
}

fn of(world: &World, channel: &str) -> usize {
    world.orders().iter().filter(|order| order["channel"] == channel).count()
}

/// T21: a browser's order was kept, and the answer to its COMMIT is lost: the page that sends the form again makes no second
/// one, whether the channel tells its orders apart or not.
#[tokio::test(flavor = "multi_thread")]
async fn t21_the_page_after_a_commit_without_an_answer_repeats_nothing() {
    if is_skipped() {
        return;
    }
    let cluster = Cluster::start("");
    let (port, cut) = wire(cluster.port, false).await;
    let mut world = World::of_server(Settings::default(), &cluster.server()).await;
    world.channel("shop", SHOP);
    world.channel("keyed", &SHOP.replace("on_repeat", "idempotency_key = \"{{ name }}\"\non_repeat"));
    let config = std::fs::read_to_string(world.config()).unwrap();
    let address = format!("postgres://postgres@127.0.0.1:{port}");
    std::fs::write(world.config(), config.replace(&cluster.server(), &address)).unwrap();
    world.serve(&[]);
    assert_eq!(world.send("/in/shop", FORM, form("first").into(), &[]).await.status, 202);
    settled(&world).await;
    for channel in ["shop", "keyed"] {
        let before = of(&world, channel);
        let at = format!("/in/{channel}");
        let post = async |at: &str| world.send(at, FORM, form(channel).into(), &[("accept", "text/html")]).await;
        cut.send_replace(true);
        let page = post(&at).await;
        cut.send_replace(false);
        assert_eq!(page.status, 503, "{}", page.text);
        let action = page.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        world.until("it was kept", || of(&world, channel) == before + 1).await;
        let began = std::time::Instant::now();
        while post(&action).await.status != 200 {
            assert!(began.elapsed().as_secs() < 60, "{}", world.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(of(&world, channel), before + 1, "{:#?}", world.orders());
        // Who sends the same form from a page of its own is told apart by the channel's rule alone.
        assert_eq!(post(&at).await.status, 200);
        assert_eq!(of(&world, channel), before + if channel == "shop" { 2 } else { 1 });
    }
    settled(&world).await;
    assert_eq!(world.crm.orders().len(), 4);
}

/// T21: the server goes when an intent was written, before the node hears so, and comes back as it was: the one node looks the
/// order up by itself.
#[tokio::test(flavor = "multi_thread")]
async fn t21_an_intent_that_was_written_as_the_server_went_is_looked_up() {
    if is_skipped() {
        return;
    }
    let cluster = Cluster::start("");
    let (port, cut) = wire(cluster.port, true).await;
    let settings = Settings { quiet: "1s", gap: "500ms", ..Settings::default() };
    let mut world = World::of_server(settings, &cluster.server()).await;
    world.channel("shop", SHOP);
    let config = std::fs::read_to_string(world.config()).unwrap();
    let address = format!("postgres://postgres@127.0.0.1:{port}");
    std::fs::write(world.config(), config.replace(&cluster.server(), &address)).unwrap();
    world.serve(&[]);
    let runs = rows::runs(3);
    let mut orders = 0;
    for run in 0..runs {
        world.alter("INSERT INTO paused_accounts (account, at, actor) VALUES ('main', 0, 'test')");
        // The next COMMIT is an intent's.
        assert_eq!(world.post("/in/shop", &form(&format!("W{run}"))).await.status, 202);
        orders += 1;
        cut.send_replace(true);
        world.alter("DELETE FROM paused_accounts");
        tokio::time::sleep(Duration::from_millis(600)).await;
        cut.send_replace(false);
        let since = std::time::Instant::now();
        while world.count(&["delivered"]) < orders {
            assert!(since.elapsed().as_secs() < 60, "it stays as it was:\n{}", world.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(world.crm.orders().len(), orders);
    assert!(world.log().contains("the account is taken anew"), "{}", world.log());
    rows::row("T21", "intents written as the server went", runs, None, "all looked up, none twice");
}

/// T22: the server dies and its synchronous standby takes over: whatever was acknowledged is there.
#[tokio::test(flavor = "multi_thread")]
async fn t22_a_failover_to_a_synchronous_standby_loses_nothing() {
    if is_skipped() {
        return;
    }
    let runs = rows::runs(1);
    let mut figures = String::new();
    for _ in 0..runs {
        let primary = Cluster::start("");
        let standby = primary.standby("second");
        primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'second'");
        primary.ask("SELECT pg_reload_conf()");
        wait_for(|| primary.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1").await;
        let both = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}", primary.port, standby.port);
        let (world, node) = two(&both, &both).await;
        let acks = Arc::new(Acks::new());
        let trade = Trade::open(&world, &node, &acks);
        world.until("orders come in", || acks.count() > 60).await;
        primary.dies();
        let before = acks.count();
        standby.promote();
        world.until("orders come in again", || acks.count() > before + 40).await;
        trade.close().await;
        settled(&world).await;
        assert!(
            (world.log() + &node.log()).contains("PostgreSQL is not the server that wrote last"),
            "{}",
            world.log()
        );
        let report = checker::check(&world, &acks).sound(&world);
        assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
        figures = report.figures();
    }
    rows::row("T22", "failovers to a synchronous standby", runs, None, &figures);
}

/// T22: the standby is behind, and has never heard of orders that were sent: nothing goes twice, and what senders repeat by
/// its key is looked up first.
#[tokio::test(flavor = "multi_thread")]
async fn t22_a_failover_to_a_standby_that_is_behind_sends_nothing_twice() {
    if is_skipped() {
        return;
    }
    let runs = rows::runs(1);
    let mut figures = String::new();
    for _ in 0..runs {
        let primary = Cluster::start("");
        let standby = primary.standby("second");
        let both = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}", primary.port, standby.port);
        let (world, node) = two(&both, &both).await;
        let (acks, url) = (Acks::new(), world.url("/in/shop"));
        for number in 0..10 {
            let key = format!("a{number}");
            assert!(ordered(&world.http, &url, &key, &form(&key), &acks).await);
        }
        // From here on the standby hears nothing.
        standby.stops();
        for number in 0..10 {
            let key = format!("b{number}");
            assert!(ordered(&world.http, &url, &key, &form(&key), &acks).await);
        }
        world.until("all twenty are in the CRM", || world.crm.orders().len() == 20).await;
        // A mapping that the standby never heard of: what is repeated goes by the one that it has.
        world.channel("shop", &SHOP.replace("source_id = 22", "source_id = 33"));
        let read = |log: String, times: usize| log.matches("channel read").count() == times;
        world.until("both serve it", || read(world.log(), 2) && read(node.log(), 2)).await;
        primary.dies();
        standby.up();
        standby.promote();
        let kept = world.database.as_ref().unwrap().number("SELECT count(*) FROM orders");
        assert!(kept < 20, "the standby was not behind");
        world.until("both serve the old mapping", || read(world.log(), 3) && read(node.log(), 3)).await;
        for number in 0..10 {
            let key = format!("b{number}");
            let url = if number % 2 == 0 { world.url("/in/shop") } else { node.url("/in/shop") };
            let again = Acks::new();
            while !ordered(&world.http, &url, &key, &form(&key), &again).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        settled(&world).await;
        let numbers: Vec<_> = world.crm.orders().iter().map(|order| order["source_uuid"].to_string()).collect();
        assert_eq!(
            numbers.len(),
            20,
            "an order is there twice: {numbers:#?}\n{:#?}\n{}\n{}",
            world.orders(),
            world.log(),
            node.log()
        );
        assert_eq!(world.count(&["delivered"]), 20, "{:#?}", world.orders());
        figures = format!("{} of 20 orders forgotten, repeated by key, 0 twice", 20 - kept);
    }
    rows::row("T22", "failovers to a standby that was behind", runs, None, &figures);
}

async fn wait_for(mut done: impl FnMut() -> bool) {
    for _ in 0..300 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never");
}

/// A wire to the server that, while it is told to, passes a COMMIT on and ends before the answer. With `all`, whatever else goes
/// over it ends then too, and nothing begins for a second: the server itself went.
async fn wire(to: u16, all: bool) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (cut, cuts) = watch::channel(false);
    let (end, ends) = watch::channel(std::time::Instant::now());
    let end = Arc::new(end);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if *ends.borrow() > std::time::Instant::now() {
                continue;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
            let (cuts, end, mut ends) = (cuts.clone(), Arc::clone(&end), ends.clone());
            ends.mark_unchanged();
            tokio::spawn(async move {
                tokio::select! {
                    cut = pass(client, server, cuts) => if cut && all {
                        end.send_replace(std::time::Instant::now() + Duration::from_secs(1));
                    },
                    _ = ends.changed() => {}
                }
            });
        }
    });
    (port, cut)
}

/// Whether it ended at a COMMIT.
async fn pass(mut client: TcpStream, mut server: TcpStream, cuts: watch::Receiver<bool>) -> bool {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(read @ 1..) = read else { return false };
                if server.write_all(&up[..read]).await.is_err() {
                    return false;
                }
                if *cuts.borrow() && up[..read].windows(7).any(|text| text == b"COMMIT\0") {
                    // The server has it, and commits.
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    return true;
                }
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return false };
                if client.write_all(&down[..read]).await.is_err() {
                    return false;
                }
            }
        }
    }
}

/// What a held wire does.
const PASSES: u8 = 0;
/// It passes the next COMMIT on, and holds then.
const ARMED: u8 = 1;
/// Nothing goes either way, and nothing ends.
const HOLDS: u8 = 2;

/// A wire to the server that holds all that comes over it, from the moment on when a COMMIT was passed on.
async fn holding_wire(to: u16) -> (u16, watch::Sender<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (state, _) = watch::channel(PASSES);
    let own = state.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(hold(client, to, own.clone()));
        }
    });
    (port, state)
}

async fn hold(mut client: TcpStream, to: u16, state: watch::Sender<u8>) {
    let mut goes = state.subscribe();
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        passing(&mut goes).await;
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(read @ 1..) = read else { return };
                passing(&mut goes).await;
                if server.write_all(&up[..read]).await.is_err() {
                    return;
                }
                let commits = up[..read].windows(7).any(|text| text == b"COMMIT\0");
                state.send_if_modified(|state| {
                    let holds = commits && *state == ARMED;
                    *state = if holds { HOLDS } else { *state };
                    holds
                });
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                passing(&mut goes).await;
                if client.write_all(&down[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn passing(state: &mut watch::Receiver<u8>) {
    let _ = state.wait_for(|state| *state != HOLDS).await;
}

/// F17: the answer to a claim's COMMIT comes when another node has taken over, looked, and sent the order: it is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn f17_a_claim_whose_answer_comes_late_is_not_sent() {
    if is_skipped() {
        return;
    }
    let cluster = Cluster::start("");
    let (port, state) = holding_wire(cluster.port).await;
    let (world, node) = two(&cluster.server(), &format!("postgres://postgres@127.0.0.1:{port}")).await;
    // The other node goes to the server by itself.
    drop(node);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let own = text.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", cluster.port));
    let (acks, mut late) = (Acks::new(), 0);
    assert!(ordered(&world.http, &world.url("/in/shop"), "first", &form("first"), &acks).await);
    world.until("it goes", || world.count(&["delivered"]) == 1).await;
    for round in 0..rows::runs(3) {
        // This node alone, so that it delivers.
        world.until("it delivers", || is_held_by(&world.log(), &holder(&world))).await;
        let key = format!("late-{round}");
        assert!(ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
        state.send_replace(ARMED);
        let Ok(_) = tokio::time::timeout(Duration::from_secs(5), state.subscribe().wait_for(|s| *s == HOLDS)).await
        else {
            state.send_replace(PASSES);
            continue;
        };
        late += usize::from(world.count(&["sending"]) == 1);
        let other = Node::of(&world, &own);
        world.until("the other delivers", || world.is_settled()).await;
        state.send_replace(PASSES);
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(other);
    }
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    rows::row("F17", "claims answered after another node had sent", late, None, &report.figures());
}
