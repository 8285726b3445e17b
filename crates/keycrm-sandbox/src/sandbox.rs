//! The handle that a test or the demo holds.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::crm::Crm;
use crate::directory::Directory;
use crate::faults::Fault;
use crate::ledger::LedgerEntry;
use crate::novaposhta::{NovaPoshtaCall, NovaPoshtaFault, Size as NovaPoshtaSize};
use crate::options::Options;
use crate::server;

/// A running sandbox. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    crm: Arc<Crm>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Reads the data file, listens, and serves on the current tokio runtime.
    ///
    /// # Errors
    /// Where the address is taken, or the data file cannot be read or holds something else than orders.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let addr = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let crm = Arc::new(Crm::open(options, format!("http://{}/v1", reachable(addr)), stopping)?);
        let server = tokio::spawn(server::run(listener, Arc::clone(&crm)));
        Ok(Self { addr, crm, stop, server })
    }

    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The API's base, such as `http://127.0.0.1:8081/v1`.
    pub fn api_url(&self) -> String {
        self.crm.api_url.clone()
    }

    /// The page of orders, such as `http://127.0.0.1:8081/`.
    pub fn page_url(&self) -> String {
        format!("http://{}/", reachable(self.addr))
    }

    /// Every order by ascending id, each as `GET /order/{id}` with all associations shows it.
    pub fn orders(&self) -> Vec<Value> {
        self.crm.orders()
    }

    /// Every card by ascending id, each as `GET /pipelines/cards/{id}` with all associations shows it.
    pub fn cards(&self) -> Vec<Value> {
        self.crm.cards()
    }

    /// Deletes an order, as a person does in the CRM; whether it was there. A data file keeps it.
    pub fn delete_order(&self, id: u64) -> bool {
        self.crm.account().orders.remove(id)
    }

    /// The account's dictionaries as they are now.
    pub fn directory(&self) -> Directory {
        Directory::clone(&self.crm.directory())
    }

    /// Changes the account's dictionaries, as its owner does in the cabinet.
    pub fn change_directory(&self, change: impl FnOnce(&mut Directory)) {
        self.crm.change_directory(change);
    }

    /// Every API request received, in order of arrival.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.crm.ledger.entries()
    }

    /// Adds a fault after those that wait already.
    pub fn add_fault(&self, fault: Fault) {
        self.crm.faults.add(fault, self.crm.clock.elapsed_ms());
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.crm.faults.clear();
    }

    /// The address of Nova Poshta's directory, such as `http://127.0.0.1:8081/v2.0/json/`.
    pub fn novaposhta_url(&self) -> String {
        format!("http://{}/v2.0/json/", reachable(self.addr))
    }

    /// Every request to Nova Poshta's directory.
    pub fn novaposhta_calls(&self) -> Vec<NovaPoshtaCall> {
        self.crm.novaposhta.calls()
    }

    /// Adds a fault of Nova Poshta's directory after those that wait already.
    pub fn add_novaposhta_fault(&self, fault: NovaPoshtaFault) {
        self.crm.novaposhta.add_fault(fault);
    }

    /// Removes all faults of Nova Poshta's directory.
    pub fn clear_novaposhta_faults(&self) {
        self.crm.novaposhta.clear_faults();
    }

    /// Makes Nova Poshta's directory another, with every branch open.
    pub fn resize_novaposhta(&self, size: NovaPoshtaSize) {
        self.crm.novaposhta.resize(size);
    }

    /// Closes a branch of Nova Poshta's, by its ref.
    pub fn close_branch(&self, reference: &str) {
        self.crm.novaposhta.close(reference);
    }

    /// The largest number of API requests that arrived within any sliding 60 s, refused ones included.
    pub fn requests_per_window_max(&self) -> usize {
        self.crm.ledger.busiest_window()
    }

    /// Stops listening, finishes the answers under way (for a moment), closes all connections.
    pub async fn stop(self) {
        // An error means that the server has ended already.
        let _ = self.stop.send(true);
        let _ = self.server.await;
    }
}

/// The address to connect to: a listener on all addresses is reached on loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}
