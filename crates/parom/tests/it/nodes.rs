//! Several nodes on one PostgreSQL: each account is delivered by one of them, another takes over, and nothing goes twice.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Options, Sandbox};
use parom_core::delivery::share::{self, Node as Seen};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::alerts::{self, http_server};
use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::shop::ordered;
use super::world::{SHOP, Settings, World, form, free_port};

const FORM: &str = "application/x-www-form-urlencoded";

/// A test's lease; all that waits for one is as much shorter.
pub(super) const BOT: (&str, &str) = ("BOT", "1:x");
pub(super) const LEASE: (&str, &str) = ("PAROM_LEASE_MS", "5000");

/// Another `serve` on the world's database, with a folder of its own.
pub(super) struct Node {
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Node {
    pub(super) fn start(world: &World) -> Node {
        Node::of(world, &fs::read_to_string(world.config()).unwrap())
    }

    /// The same with another configuration.
    pub(super) fn of(world: &World, text: &str) -> Node {
        let dir = TempDir::new().unwrap();
        let port = free_port();
        let own = text.replace(&format!("127.0.0.1:{}", world.port()), &format!("127.0.0.1:{port}"));
        fs::write(dir.path().join("parom.toml"), own).unwrap();
        fs::create_dir(dir.path().join("channels")).unwrap();
        for file in fs::read_dir(world.dir.path().join("channels")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), dir.path().join("channels").join(file.file_name())).unwrap();
        }
        let mut node = Node { dir, port, child: None };
        node.serve(&[]);
        node
    }

    pub(super) fn serve(&mut self, env: &[(&str, &str)]) {
        let before = self.log().matches("\"message\":\"serving\"").count();
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_parom"));
        command.arg("--config").arg(self.dir.path().join("parom.toml")).arg("serve");
        command
            .env("TEST_CRM_KEY", "canary-key-1")
            .env("TEST_TOKEN", "right-token")
            .env(LEASE.0, LEASE.1)
            .env(BOT.0, BOT.1);
        command.envs(env.iter().copied());
        self.child = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(20);
        while self.log().matches("\"message\":\"serving\"").count() == before {
            assert!(Instant::now() < until, "the second node does not listen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as it should.
    pub(super) fn stop(&mut self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
        assert!(self.child.take().unwrap().wait().unwrap().success(), "{}", self.log());
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Two nodes; none where the orders of this run are not in a server.
async fn two(settings: Settings) -> Option<(World, Node)> {
    two_of(settings, |_| ()).await
}

/// The same, after something was done to the world's configuration.
pub(super) async fn two_of(settings: Settings, configure: impl FnOnce(&World)) -> Option<(World, Node)> {
    if super::postgres::server().is_none() {
        println!("skipped: several nodes need PostgreSQL (PAROM_TEST_STORE)");
        return None;
    }
    let mut world = World::idle(settings).await;
    world.channel("shop", SHOP);
    configure(&world);
    world.serve(&[LEASE, BOT]);
    let node = Node::start(&world);
    shared_out(&world, &node).await;
    Some((world, node))
}

/// Waits until the account is with the node whose share it is: who comes later may get it a moment after the other began.
async fn shared_out(world: &World, node: &Node) {
    let accounts: BTreeSet<String> = ["main".to_owned()].into();
    let named = |log: String| Seen { name: name(&log), accounts: accounts.clone() };
    let nodes = [named(world.log()), named(node.log())];
    world.until("it is shared out", || share::owner("main", &nodes) == Some(&holder(world))).await;
}

/// What a node called itself when it last began.
fn name(log: &str) -> String {
    let begun = log.lines().rfind(|line| line.contains("the store is shared")).unwrap();
    serde_json::from_str::<serde_json::Value>(begun).unwrap()["node"].as_str().unwrap().to_owned()
}

/// Who holds the account's lease: the node's name.
pub(super) fn holder(world: &World) -> String {
    let file = checker::open(&world.db());
    let sql = "SELECT node FROM leases WHERE account = 'main'";
    file.query_row(sql, [], |row| row.get(0)).unwrap()
}

pub(super) fn epoch(world: &World) -> usize {
    checker::number(&world.db(), "SELECT coalesce(max(epoch), 0) FROM leases WHERE account = 'main'")
}

/// Whether the world's own process holds the lease: nodes log their names when they begin.
pub(super) fn is_held_by(log: &str, holder: &str) -> bool {
    log.contains(&format!("\"node\":\"{holder}\""))
}

async fn all_settled(world: &World, acks: &Acks) {
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(world, acks).sound(world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
}

/// Both nodes take orders; one delivers.
#[tokio::test(flavor = "multi_thread")]
async fn each_account_is_delivered_by_one_node() {
    let Some((world, node)) = two(Settings::default()).await else { return };
    let acks = Acks::new();
    for number in 0..20 {
        let url = if number % 2 == 0 { world.url("/in/shop") } else { node.url("/in/shop") };
        let key = format!("n{number}");
        assert!(ordered(&world.http, &url, &key, &form(&key), &acks).await);
    }
    all_settled(&world, &acks).await;
    let held = holder(&world);
    assert!(is_held_by(&world.log(), &held) != is_held_by(&node.log(), &held), "{held}");
}

/// The node that delivers is killed in the midst of a send: the other takes over at once, and looks first.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_taken_over_and_nothing_goes_twice() {
    let settings = Settings { quiet: "2s", gap: "1s", ..Settings::default() };
    let Some((mut world, mut node)) = two(settings).await else { return };
    let acks = Acks::new();
    assert!(ordered(&world.http, &world.url("/in/shop"), "first", &form("first"), &acks).await);
    all_settled(&world, &acks).await;
    for round in 0..4 {
        world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::HangAfterCommit));
        let key = format!("k{round}");
        assert!(ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
        world.until("it is being sent", || world.count(&["sending"]) == 1).await;
        let before = epoch(&world);
        if is_held_by(&world.log(), &holder(&world)) {
            world.kill();
            world.until("it was taken over", || epoch(&world) > before).await;
            world.serve(&[LEASE]);
        } else {
            kill_process(node.pid(), Signal::KILL).unwrap();
            node.child.take().unwrap().wait().unwrap();
            world.until("it was taken over", || epoch(&world) > before).await;
            node.serve(&[]);
        }
        all_settled(&world, &acks).await;
    }
}

/// The node that delivers stands still for longer than a lease with an intent that is not sent yet, and wakes up when
/// another delivers: it sends nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_node_that_wakes_up_sends_nothing_twice() {
    let settings = Settings { quiet: "2s", gap: "1s", ..Settings::default() };
    let Some((world, node)) = two(settings).await else { return };
    let acks = Acks::new();
    for round in 0..3 {
        assert!(ordered(&world.http, &world.url("/in/shop"), &format!("a{round}"), &form("a"), &acks).await);
        all_settled(&world, &acks).await;
        let before = epoch(&world);
        let own = is_held_by(&world.log(), &holder(&world));
        let (frozen, url) = if own { (world.pid(), node.url("/in/shop")) } else { (node.pid(), world.url("/in/shop")) };
        for number in 0..6 {
            let key = format!("f{round}-{number}");
            assert!(ordered(&world.http, &url, &key, &form(&key), &acks).await);
            if number == 2 {
                kill_process(frozen, Signal::STOP).unwrap();
            }
        }
        world.until("it was taken over", || epoch(&world) > before).await;
        world.until("the other delivers", || world.count(&["queued", "sending"]) == 0).await;
        kill_process(frozen, Signal::CONT).unwrap();
        all_settled(&world, &acks).await;
        shared_out(&world, &node).await;
    }
}

/// What a node hears of the CRM after another has taken over decides nothing, but it is the CRM's word that the order is there:
/// it does not go again, though no look finds it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_hears_too_late_keeps_the_other_from_sending_again() {
    let settings = Settings { timeout: "20s", quiet: "6s", gap: "1s", ..Settings::default() };
    let Some((world, node)) = two(settings).await else { return };
    let acks = Acks::new();
    assert!(ordered(&world.http, &world.url("/in/shop"), "first", &form("first"), &acks).await);
    all_settled(&world, &acks).await;
    let before = epoch(&world);
    let own = is_held_by(&world.log(), &holder(&world));
    let (frozen, url) = if own { (world.pid(), node.url("/in/shop")) } else { (node.pid(), world.url("/in/shop")) };
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::Slow { ms: 4_000 }));
    let answer = world.http.post(url).body(form("late")).header("content-type", FORM).send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let id = answer["id"].as_str().unwrap();
    world.crm_has(2).await;
    kill_process(frozen, Signal::STOP).unwrap();
    assert!(world.crm.delete_order(world.crm.orders()[1]["id"].as_u64().unwrap()));
    world.until("it was taken over", || epoch(&world) > before).await;
    kill_process(frozen, Signal::CONT).unwrap();
    world.until("it is heard", || world.order(id)["history"].to_string().contains("late result")).await;
    world.reaches(id, "disputed").await;
    assert!(world.order(id)["reason"].as_str().unwrap().contains("took it"), "{}", world.order(id));
    assert_eq!(world.crm_posts(), 2);
}

/// A node that ends as it should hands its accounts over at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_hands_over_at_once() {
    let Some((mut world, node)) = two(Settings::default()).await else { return };
    let acks = Acks::new();
    world.until("somebody delivers", || epoch(&world) > 0).await;
    world.stop();
    let began = Instant::now();
    assert!(ordered(&world.http, &node.url("/in/shop"), "late", &form("late"), &acks).await);
    world.until("it is delivered", || world.count(&["delivered"]) == 1).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    all_settled(&world, &acks).await;
}

/// An order is told of once, whichever node finds it; and a node that is gone by those that are not.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_told_by_one_node() {
    let (bot, heard) = http_server(0);
    let alerts = format!(
        "language = \"en\"\ndigest = \"300ms\"\n[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1"
    );
    let two = two_of(Settings::default(), |world| alerts::configure(world, &alerts)).await;
    let Some((world, mut node)) = two else { return };
    for round in 1..=5 {
        let url = if round % 2 == 0 { world.url("/in/shop") } else { node.url("/in/shop") };
        let request = world.http.post(url).header("content-type", FORM);
        request.body(alerts::BAD).send().await.unwrap();
        world.until("it is told", || heard.lock().unwrap().len() >= round).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(heard.lock().unwrap().len(), round, "{:?}", heard.lock().unwrap());
    }
    kill_process(node.pid(), Signal::KILL).unwrap();
    node.child.take().unwrap().wait().unwrap();
    world.until("the loss is told", || heard.lock().unwrap().len() == 6).await;
    let text = heard.lock().unwrap()[5].2.clone();
    assert!(text.contains("A node ended without a word"), "{text}");
}

/// What concerns an account that one node alone has is told once: the other, which sees nothing of it, does not say that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_alone_sees_is_told_once() {
    let strict = Options { api_key: Some("another-key".into()), ..Options::default() };
    let strict = Sandbox::start(strict).await.unwrap();
    let (bot, heard) = http_server(0);
    let alerts = format!(
        "language = \"en\"\ndigest = \"200ms\"\n[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1"
    );
    let two = two_of(Settings::default(), |world| {
        alerts::configure(world, &alerts);
        let folder = world.dir.path().join("accounts");
        fs::create_dir(&folder).unwrap();
        let account = format!("url = \"{}\"\napi_key = {{ env = \"TEST_CRM_KEY\" }}\n", strict.api_url());
        fs::write(folder.join("second.toml"), account).unwrap();
    });
    let Some((world, _node)) = two.await else { return };
    let told = || heard.lock().unwrap().iter().filter(|message| message.2.contains(": second")).count();
    world.until("the refused key is told", || told() > 0).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(told(), 1, "{:?}", heard.lock().unwrap());
}

/// The drop-in gives the CRM's own answer on either node, and either knows the dictionaries that one of them fetched.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_deliver_answers_as_the_other_does() {
    let script = "account = \"main\"\n[access]\ntoken = { env = \"TEST_TOKEN\" }\n[order]\nsource_id = 22\n";
    let named = SHOP.replace("source_id = 22", "source = \"Landing\"");
    let configure = |world: &World| {
        world.channel("script", script);
        world.channel("shop", &named);
    };
    let Some((world, node)) = two_of(Settings::default(), configure).await else { return };
    world
        .until("the dictionaries are fetched", || {
            [world.log(), node.log()].iter().any(|log| log.contains("dictionaries fetched"))
        })
        .await;
    // Each hears of the other's accounts at its next look.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for (at, to) in [world.url("/"), node.url("/")].iter().enumerate() {
        let body = format!("{{\"source_uuid\":\"D-{at}\",\"buyer\":{{\"full_name\":\"Olena\"}}}}");
        let request = world.http.post(format!("{to}v1/order")).bearer_auth("right-token");
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201, "node {at}");
        let request = world.http.post(format!("{to}in/shop")).header("content-type", FORM);
        request.body(form(&format!("n{at}"))).send().await.unwrap();
    }
    world.until("all four go", || world.count(&["delivered"]) == 4).await;
    let sent = world.posted();
    assert!(sent.iter().all(|sent| sent.body.contains("\"source_id\":22")), "{sent:?}");
}
