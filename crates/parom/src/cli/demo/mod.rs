//! `parom demo`: the gateway, a sandbox CRM and a shop page in one process, with nothing to configure.

mod files;
mod shop;
mod watch;

use std::path::PathBuf;

use clap::Args;
use keycrm_sandbox::{Options, Sandbox};
use parom_gateway::server::Gateway;

use super::{Failed, Outcome, load, print, stop_signal};
use files::Ports;

/// Run the gateway, a sandbox CRM and an example shop.
#[derive(Args)]
#[command(after_help = "The shop and the CRM take the two ports after --port.\n\
    On the CRM's page a fault can be played for the next order; this terminal shows how it is healed.")]
pub(super) struct Demo {
    /// The gateway's port on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the demo keeps its files
    #[arg(long, default_value = "parom-demo", value_name = "DIR")]
    dir: PathBuf,
}

impl Demo {
    pub(super) async fn run(self) -> Result<Outcome, Failed> {
        let ports = Ports::of(self.port)?;
        files::write(&self.dir, ports)?;
        let config_path = self.dir.join("parom.toml");
        let config = load(&config_path)?;
        let crm = Sandbox::start(Options {
            listen: ports.crm,
            api_key: Some(files::KEY.into()),
            data: Some(self.dir.join("crm-orders.ndjson")),
            ..Options::default()
        })
        .await
        .map_err(|error| format!("the sandbox CRM cannot start on {}: {error}; try --port 9080", ports.crm))?;
        let gateway = Gateway::start(config).await?;
        // Last: who sees the shop's form can send it.
        let shop = shop::start(ports).await?;
        print(&welcome(ports, &config_path.display().to_string(), &crm.page_url()));
        let store = gateway.store.clone();
        tokio::select! {
            () = watch::watch(&store) => {}
            () = stop_signal() => {}
        }
        print("\nstopping: what is being sent is brought to its result\n");
        shop.abort();
        gateway.stop().await;
        crm.stop().await;
        Ok(Outcome::Done)
    }
}

fn welcome(ports: Ports, config: &str, crm: &str) -> String {
    format!(
        "\nParom demo\n\n\
         1. shop     http://{shop}/          fill in the order form and send it\n\
         2. CRM      {crm}          see the order arrive, with all its fields; play a fault\n\
         3. gateway  http://{gateway}/in/shop   takes the form\n\n\
         There is nothing to sign in to. In another terminal:\n\
         \x20  parom orders list --config {config}\n\
         \x20  (in a checkout: cargo run -q -- orders list --config {config})\n\n\
         Ctrl-C stops. Orders from now on:\n\n",
        shop = ports.shop,
        gateway = ports.gateway,
    )
}
