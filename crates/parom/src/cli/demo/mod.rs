//! `parom demo`: the gateway, a sandbox CRM and a shop page in one process, with nothing to configure.

mod files;
mod shop;
mod watch;

use std::path::PathBuf;

use clap::Args;
use keycrm_sandbox::{NovaPoshtaSize, Options, Sandbox};
use parom_gateway::config::Role;
use parom_gateway::passwords;
use parom_gateway::server::Gateway;
use parom_gateway::store::{Operator, Scope, Store};

use super::{Failed, Outcome, load, print, stop_signal};
use files::Ports;

/// Who signs in to the demo's pages.
const NAME: &str = "demo";

/// Enough of a directory to choose from, and fetched before anybody has opened the shop.
const CARRIER: NovaPoshtaSize = NovaPoshtaSize { settlements: 600, branches: 4_000 };

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
            novaposhta_key: Some(files::KEY.into()),
            novaposhta_size: CARRIER,
            ..Options::default()
        })
        .await
        .map_err(|error| format!("the sandbox CRM cannot start on {}: {error}; try --port 9080", ports.crm))?;
        let gateway = Gateway::start(config).await?;
        // Last: who sees the shop's form can send it.
        let shop = shop::start(ports).await?;
        let password = person(&gateway.store).await?;
        print(&welcome(ports, &config_path.display().to_string(), &crm.page_url(), &password));
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

/// The demo's operator, with another password at each start: the files of a demo may lie about.
async fn person(store: &Store) -> Result<String, Failed> {
    let password: String = passwords::secret().chars().take(20).collect();
    let hash = passwords::hash(&password).await?;
    let known = store.set_password(NAME, hash.clone(), "demo").await.map_err(|error| error.to_string())?;
    if !known {
        let (role, scope) = (Role::Admin, Scope::All);
        let operator =
            Operator { name: NAME.into(), password: hash, role, scope, language: String::new(), created_at: 0 };
        store.add_operator(operator, "demo").await.map_err(|error| error.to_string())?;
    }
    Ok(password)
}

fn welcome(ports: Ports, config: &str, crm: &str, password: &str) -> String {
    format!(
        "\nParom demo\n\n\
         1. shop     http://{shop}/          fill in the order form and send it\n\
         2. CRM      {crm}          see the order arrive, with all its fields; play a fault\n\
         3. gateway  http://{gateway}/          every order: sign in as {NAME} / {password}\n\n\
         In another terminal:\n\
         \x20  parom orders list --config {config}\n\
         \x20  (in a checkout: cargo run -q -- orders list --config {config})\n\n\
         Ctrl-C stops. Orders from now on:\n\n",
        shop = ports.shop,
        gateway = ports.gateway,
    )
}
