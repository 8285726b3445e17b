//! `parom channel`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use comfy_table::{Table, presets};
use parom_core::channel::suggest;
use parom_core::submission::Submission;
use parom_gateway::config::load_channels;
use parom_gateway::store::{Role, Store};
use parom_gateway::{clock, intake};
use serde_json::{Value, json};

use super::{Failed, Outcome, load, print, print_json};

/// The channels.
#[derive(Subcommand)]
pub(super) enum Channel {
    /// Each channel with its account, its address and its state
    List {
        /// An array of channels
        #[arg(long)]
        json: bool,
    },
    /// Propose a channel file from a sample of what the site sends
    #[command(after_help = "Example: parom channel suggest form.txt --source 22 > channels/site.toml")]
    Suggest {
        /// A form's body or JSON, as sent; - is stdin
        file: PathBuf,
        /// The id of the source in the CRM
        #[arg(long, default_value_t = 1, value_name = "ID")]
        source: i64,
        /// The account
        #[arg(long, default_value = "main", value_name = "NAME")]
        account: String,
    },
}

async fn propose(file: &Path, source: i64, account: &str) -> Result<Outcome, Failed> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let body = super::map::read(file).map_err(|error| named(&error))?;
    let (form, flat) = intake::sniff(body.into()).await.map_err(|error| named(&error))?;
    let sample = Submission { form, flat, ..Submission::empty(clock::now()) };
    print(&suggest(account, source, &sample));
    Ok(Outcome::Done)
}

impl Channel {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let as_json = match self {
            Channel::List { json } => json,
            Channel::Suggest { file, source, account } => return propose(&file, source, &account).await,
        };
        let config = load(config)?;
        let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
        let store = if config.store.path.exists() {
            Some(Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?)
        } else {
            None
        };
        let mut rows = Vec::new();
        for live in load_channels(&config) {
            let versions = match &store {
                Some(store) => store.versions(&live.name).await.map_err(|error| error.to_string())?,
                None => 0,
            };
            rows.push(json!({
                "name": live.name,
                "account": live.channel.as_ref().map(|channel| channel.account.clone()),
                "address": format!("{}/in/{}", base.trim_end_matches('/'), live.name),
                "file": live.file.display().to_string(),
                "state": if live.is_broken() { "broken" } else { "ok" },
                "versions": versions,
                "fault": if live.is_broken() { Value::String(live.fault()) } else { Value::Null },
            }));
        }
        if as_json {
            print_json(&Value::Array(rows));
            return Ok(Outcome::Done);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["CHANNEL", "ACCOUNT", "STATE", "VERSIONS", "ADDRESS"]);
        for row in &rows {
            let cell = |key: &str| match &row[key] {
                Value::String(text) => text.clone(),
                Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            table.add_row([cell("name"), cell("account"), cell("state"), cell("versions"), cell("address")]);
        }
        print(&format!("{table}\n"));
        rows.iter().filter_map(|row| row["fault"].as_str()).for_each(|fault| print(&format!("broken: {fault}\n")));
        Ok(Outcome::Done)
    }
}
