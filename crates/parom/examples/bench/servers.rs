//! The servers that are compared, each a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parom_gateway::config;
use parom_gateway::server::Gateway;

/// The demo's channel: every field of the vendor's script.
const CHANNEL: &str = include_str!("../../src/cli/demo/shop.toml");

pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

/// How a gateway is set up.
pub(crate) struct Setup {
    pub(crate) dir: PathBuf,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) crm: String,
    pub(crate) limit: u32,
    pub(crate) bulk: &'static str,
    /// What else stands in the configuration.
    pub(crate) more: String,
}

impl Setup {
    /// On a file of its own, with more requests a minute than can be made.
    pub(crate) fn new(dir: &Path, name: &str, crm: &str) -> Setup {
        let url = format!("sqlite:{name}.db");
        Setup {
            dir: dir.to_owned(),
            name: name.to_owned(),
            url,
            crm: crm.to_owned(),
            limit: 60_000,
            bulk: "off",
            more: String::new(),
        }
    }
}

/// One of several gateways on a database, with the accounts of a folder.
pub(crate) fn node(dir: &Path, at: usize, url: &str) -> Server {
    let port = free_port();
    let file = dir.join(format!("node-{at}.toml"));
    std::fs::write(&file, format!("listen = \"127.0.0.1:{port}\"\n[store]\nurl = \"{url}\"\n")).unwrap();
    Server::start(port, &["gateway", file.to_str().unwrap()])
}

/// An empty database of a PostgreSQL; its address.
pub(crate) async fn database(server: &str, name: &str) -> String {
    let name = name.replace('-', "_");
    let (client, connection) =
        tokio_postgres::connect(&format!("{server}/postgres"), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    format!("{server}/{name}")
}

impl Server {
    pub(crate) fn bare() -> Server {
        let port = free_port();
        Server::start(port, &["bare", &port.to_string()])
    }

    pub(crate) fn gateway(dir: &Path, name: &str, crm: &str) -> Server {
        Server::of(&Setup::new(dir, name, crm))
    }

    pub(crate) fn of(setup: &Setup) -> Server {
        let (port, dir) = (free_port(), &setup.dir);
        std::fs::write(dir.join("channels/shop.toml"), CHANNEL.replace("SHOP_ADDRESS", "127.0.0.1:1")).unwrap();
        std::fs::write(dir.join("key"), "bench-key").unwrap();
        let Setup { url, crm, limit, bulk, more, .. } = setup;
        let text = format!(
            "listen = \"127.0.0.1:{port}\"\n[store]\nurl = \"{url}\"\n[accounts.main]\nurl = \"{crm}\"\n\
             api_key = {{ file = \"key\" }}\nrequests_per_minute = {limit}\n[delivery]\nbulk = \"{bulk}\"\n{more}"
        );
        let file = dir.join(format!("{}.toml", setup.name));
        std::fs::write(&file, text).unwrap();
        Server::start(port, &["gateway", file.to_str().unwrap()])
    }

    fn start(port: u16, arguments: &[&str]) -> Server {
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
        Server { child, port }
    }

    /// Resident memory, MB.
    pub(crate) fn memory(&self) -> f64 {
        self.megabytes("VmRSS")
    }

    /// The most that was ever resident, MB.
    pub(crate) fn most(&self) -> f64 {
        self.megabytes("VmHWM")
    }

    fn megabytes(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes / 1_024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What nothing durable can beat: the same form parsed into pairs, and answered.
pub(crate) async fn bare(port: u16) {
    let handler = |body: String| async move {
        let fields = parom_core::submission::decode_urlencoded(body.as_bytes()).map_or(0, |decoded| decoded.1.len());
        (axum::http::StatusCode::ACCEPTED, format!("{{\"fields\":{fields}}}"))
    };
    let router = axum::Router::new().route("/in/shop", axum::routing::post(handler));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

/// The gateway as `parom serve` runs it, without its log.
pub(crate) async fn gateway(file: &Path) {
    let gateway = Gateway::start(config::load(file).unwrap()).await.unwrap();
    let reason = gateway.store.broken().await;
    eprintln!("{reason}");
}
