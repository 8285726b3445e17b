//! Nodes that are cut off from the database, from the CRM, or from both: the links between them are real, and are taken down.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::cluster::Cluster;
use super::nodes::{BOT, LEASE, Node, epoch, holder, is_held_by};
use super::postgres;
use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::rows;
use super::proof::shop::Shop;
use super::world::{SHOP, Settings, World};

/// The database's place: a network namespace with a link to each node.
struct Place {
    name: String,
    links: Vec<String>,
}

impl Place {
    fn make() -> Place {
        let id = std::process::id();
        let place = Place { name: format!("parom-{id}"), links: (0..2).map(|n| format!("p{id}d{n}")).collect() };
        ip(&["netns", "add", &place.name]);
        for (number, link) in place.links.iter().enumerate() {
            let ours = format!("p{id}h{number}");
            ip(&["link", "add", &ours, "type", "veth", "peer", "name", link, "netns", &place.name]);
            ip(&["addr", "add", &format!("{}/30", place.address(number, 1)), "dev", &ours]);
            ip(&["link", "set", &ours, "up"]);
            ip(&["-n", &place.name, "addr", "add", &format!("{}/30", place.address(number, 2)), "dev", link]);
            ip(&["-n", &place.name, "link", "set", link, "up"]);
        }
        ip(&["-n", &place.name, "link", "set", "lo", "up"]);
        place
    }

    /// An address of a link: of this machine's end, or of the database's.
    fn address(&self, link: usize, end: usize) -> String {
        // Of two that run beside each other, neither sees the other's.
        let id = std::process::id() % 4_000;
        format!("10.{}.{}.{}", 220 + id / 250, id % 250, link * 4 + end)
    }

    fn cut(&self, link: usize) {
        ip(&["-n", &self.name, "link", "set", &self.links[link], "down"]);
    }

    fn heal(&self, link: usize) {
        ip(&["-n", &self.name, "link", "set", &self.links[link], "up"]);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Its links go with it.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A wire to the CRM that can be held: what is sent over it then arrives nowhere, and no connection is refused.
async fn crm_wire(to: u16) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/v1", listener.local_addr().unwrap().port());
    let (hold, held) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, to, held.clone()));
        }
    });
    (url, hold)
}

async fn carry(mut client: TcpStream, to: u16, mut held: watch::Receiver<bool>) {
    if *held.borrow() {
        // What was sent over it does not arrive later: that would be another fault than a cut.
        return until(&mut held, false).await;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        // In the midst of a request: it may have arrived, and its answer does not.
        () = until(&mut held, true) => until(&mut held, false).await,
    }
}

async fn until(held: &mut watch::Receiver<bool>, wanted: bool) {
    let _ = held.wait_for(|held| *held == wanted).await;
}

/// T20: each of two nodes is cut off from the database, from the CRM, and from both, while orders come in on both.
#[tokio::test(flavor = "multi_thread")]
async fn t20_a_node_that_is_cut_off_loses_nothing_and_sends_nothing_twice() {
    if postgres::server().is_none() || !rustix::process::getuid().is_root() {
        println!("skipped: it needs PostgreSQL (PAROM_TEST_STORE) and root, for network namespaces");
        return;
    }
    let runs = rows::runs(6);
    let place = Place::make();
    let (cluster, certificate) = Cluster::start_within(&place.name, &[place.address(0, 2), place.address(1, 2)]);
    let settings = Settings { quiet: "1s", gap: "500ms", ..Settings::default() };
    let mut world = World::of_server(settings, &cluster.by_socket()).await;
    world.channel("shop", SHOP);
    let crm_port = world.crm.addr().port();
    let plain = std::fs::read_to_string(world.config()).unwrap();
    let mut crms = Vec::new();
    let mut configure = async |world: &World, link: usize| {
        let (crm, hold) = crm_wire(crm_port).await;
        crms.push(hold);
        let far = format!("postgres://postgres@{}:{}", place.address(link, 2), cluster.port);
        let text = plain.replace(&world.crm.api_url(), &crm).replace(&cluster.by_socket(), &far);
        let text = text.replace("[store]\n", &format!("[store]\nroot_cert = \"{}\"\n", certificate.display()));
        std::fs::write(world.config(), text).unwrap();
    };
    configure(&world, 0).await;
    world.serve(&[LEASE, BOT]);
    configure(&world, 1).await;
    let node = Node::start(&world);
    let acks = Arc::new(Acks::new());
    let pause = Duration::from_millis(40);
    let shops = [Shop::open(&world, 2, pause, &acks), Shop::open_at(node.url("/in/shop"), 2, pause, &acks)];
    let mut slowest = Duration::ZERO;
    for run in 0..runs {
        world.until("somebody delivers", || epoch(&world) > 0).await;
        let before = (epoch(&world), acks.count());
        world.until("orders come in", || acks.count() > before.1 + 10).await;
        // Whoever delivers is cut off; from the CRM alone nobody takes over.
        let cut = if is_held_by(&world.log(), &holder(&world)) { 0 } else { 1 };
        let (from_database, from_crm) = ([true, false, true][run % 3], [false, true, true][run % 3]);
        let began = Instant::now();
        if from_crm {
            crms[cut].send_replace(true);
        }
        if from_database {
            place.cut(cut);
            world.until("it was taken over", || epoch(&world) > before.0).await;
            slowest = slowest.max(began.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        crms[cut].send_replace(false);
        place.heal(cut);
        let before = acks.count();
        world.until("orders come in on both", || acks.count() > before + 20).await;
    }
    for shop in shops {
        shop.close().await;
    }
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    // Well above the lease of five seconds something would be wrong; within two minutes it must be in any case.
    assert!(slowest < Duration::from_secs(30), "{slowest:?}");
    let figures = format!("{}; taken over within {} s", report.figures(), slowest.as_secs());
    rows::row("T20", "nodes cut off from the database, the CRM, or both", runs, None, &figures);
}
