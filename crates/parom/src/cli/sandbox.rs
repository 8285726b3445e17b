//! `parom sandbox`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use keycrm_sandbox::{Options, Sandbox as Crm};

use super::{Failed, Outcome, print, stop_signal};

/// Run the sandbox CRM alone.
#[derive(Args)]
#[command(after_help = "Example: parom sandbox --port 8081 --data orders.ndjson\n\
    An account for it: url = \"http://127.0.0.1:8081/v1\", any key unless --api-key is given.")]
pub(super) struct Sandbox {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Keep orders in this file
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The only key that is accepted; without it, any
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Requests a minute; 0 takes all
    #[arg(long, default_value_t = 60)]
    requests_per_minute: u32,
}

impl Sandbox {
    pub(super) async fn run(self) -> Result<Outcome, Failed> {
        let options = Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            data: self.data,
            api_key: self.api_key,
            requests_per_minute: self.requests_per_minute,
            ..Options::default()
        };
        let crm = Crm::start(options).await.map_err(|error| format!("the sandbox cannot start: {error}"))?;
        print(&format!("sandbox CRM: {}\nAPI: {}\n", crm.page_url(), crm.api_url()));
        stop_signal().await;
        crm.stop().await;
        Ok(Outcome::Done)
    }
}
