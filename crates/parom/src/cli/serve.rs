//! `parom serve`.

use std::path::Path;

use clap::Args;
use parom_gateway::server::Gateway;
use parom_gateway::ui;

use super::{Failed, Outcome, load, log, print, stop_signal};

/// Run the gateway.
#[derive(Args)]
#[command(after_help = "Stop it with Ctrl-C or SIGTERM: what is being sent is brought to its result first.")]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        log::start();
        let config = load(config)?;
        if config.accounts.current().is_empty() {
            let unusable = config.accounts.faults().into_values().next();
            return Err(unusable.map_or_else(
                || "no account: add [accounts.main] with url and api_key to the configuration".into(),
                |fault| fault.to_string(),
            ));
        }
        let pages = config.pages_url();
        let stopped = stop_signal();
        let mut gateway = Gateway::start(config).await?;
        tracing::info!(listen = %gateway.addr, channels = gateway.channels.current().len(), "serving");
        let store = gateway.store.clone();
        invite(&gateway, &pages).await?;
        let ended = tokio::select! {
            () = stopped => {
                tracing::info!("stopping");
                Ok(Outcome::Done)
            }
            part = gateway.failed() => {
                tracing::error!(part, "stopped at once");
                Err(format!("{part}; start again: what was under way is looked up first"))
            }
            reason = store.broken() => {
                // Nothing that is answered or sent now could be trusted: end, and let the next start look things up.
                tracing::error!(reason, "the store has failed; stopped at once");
                Err(format!("the store has failed: {reason}; check the disk, then start again"))
            }
        };
        if ended.is_ok() {
            gateway.stop().await;
            if let Some(reason) = store.failure() {
                return Err(format!("the store has failed: {reason}; check the disk, then start again"));
            }
            store.ended();
        }
        ended
    }
}

/// Where nobody can sign in yet: the link by which the first person is made. It goes to the terminal alone, never to the log.
async fn invite(gateway: &Gateway, pages: &str) -> Result<(), Failed> {
    let link = ui::first_link(&gateway.store).await.map_err(|error| error.to_string())?;
    if let Some(path) = link {
        print(&format!(
            "\nNobody can sign in to the pages yet. Open this link within 15 minutes and choose a name and a password:\n\n  \
             {pages}{path}\n\nIt works once; a restart prints another. Or: parom user add NAME --role admin\n\n"
        ));
    }
    Ok(())
}
