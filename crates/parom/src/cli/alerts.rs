//! `parom alerts`.

use std::path::Path;

use clap::Subcommand;
use comfy_table::{ContentArrangement, Table, presets};
use parom_gateway::alerts;
use serde_json::{Value, json};

use super::{Failed, Outcome, load, print, print_json};

/// Messages about what needs a person.
#[derive(Subcommand)]
pub(super) enum Alerts {
    /// Send a test by each way that is configured; exit 1 if one does not take it
    #[command(after_help = "It runs with this shell's variables: set those that the secrets of [alerts] name.\n\
        Example: sudo -u parom parom --config /etc/parom/parom.toml alerts test")]
    Test {
        /// An array of {receiver, sent, why}
        #[arg(long)]
        json: bool,
    },
}

impl Alerts {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let Alerts::Test { json } = self;
        let config = load(config)?;
        let file = config.file.display();
        let none = || {
            format!(
                "{file} names nobody to tell; add [alerts.telegram], [alerts.email] or [alerts.webhook] (docs/run.md)"
            )
        };
        let alerts = config.alerts.as_ref().ok_or_else(none)?;
        let tried = alerts::test(&config, alerts).await;
        if tried.is_empty() {
            return Err(none());
        }
        let failed = tried.iter().any(|(_, said)| said.is_err());
        let why = |said: &Result<(), String>| said.as_ref().err().cloned().unwrap_or_default();
        if json {
            let row = |(receiver, said): &alerts::Tried| json!({ "receiver": receiver, "sent": said.is_ok(), "why": why(said) });
            print_json(&Value::Array(tried.iter().map(row).collect()));
        } else {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(["RECEIVER", "SENT", "WHY NOT"]);
            for (receiver, said) in &tried {
                table.add_row([*receiver, if said.is_ok() { "yes" } else { "no" }, &why(said)]);
            }
            print(&format!("{table}\n"));
        }
        Ok(if failed { Outcome::Problems } else { Outcome::Done })
    }
}
