//! The servers that are compared, each a process of its own.

use std::path::Path;
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

impl Server {
    pub(crate) fn bare() -> Server {
        let port = free_port();
        Server::start(port, &["bare", &port.to_string()])
    }

    pub(crate) fn gateway(dir: &Path, name: &str, crm: &str) -> Server {
        let port = free_port();
        std::fs::write(dir.join("channels/shop.toml"), CHANNEL.replace("SHOP_ADDRESS", "127.0.0.1:1")).unwrap();
        std::fs::write(dir.join("key"), "bench-key").unwrap();
        let text = format!(
            "listen = \"127.0.0.1:{port}\"\n[store]\nurl = \"sqlite:{name}.db\"\n[accounts.main]\nurl = \"{crm}\"\n\
             api_key = {{ file = \"key\" }}\nrequests_per_minute = 60000\n"
        );
        let file = dir.join(format!("{name}.toml"));
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
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
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

fn free_port() -> u16 {
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
