//! `parom orders erase`.

use std::io::IsTerminal;

use clap::Args;
use inquire::Confirm;
use parom_gateway::config::Config;
use parom_gateway::store::{Found, Person};
use serde_json::{Value, json};

use super::open;
use crate::cli::{Failed, Outcome, print, print_json};

/// Who erases, in the audit.
const ACTOR: &str = "command line";

/// Erase a person's data.
#[derive(Args)]
#[command(
    after_help = "What is in the CRM stays there: erase it there too. Orders that are not settled (held, queued, sending, \
    unconfirmed,\nrejected, disputed) are erased as soon as they are delivered or canceled.\n\
    Exit 1 if some are left for later.\nExample: parom orders erase --phone +380671112233 --yes"
)]
pub(in crate::cli) struct Erase {
    /// The person's phone, in any form
    #[arg(long, value_name = "PHONE")]
    phone: Option<String>,
    /// The person's e-mail
    #[arg(long, value_name = "EMAIL")]
    email: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// What became of each
    #[arg(long)]
    json: bool,
}

impl Erase {
    pub(super) async fn run(self, config: &Config) -> Result<Outcome, Failed> {
        let person = Person::new(self.phone.as_deref(), self.email.as_deref())?;
        let store = open(config)?;
        let orders = store.orders_of(&person).await.map_err(|error| error.to_string())?;
        if !self.yes && !agreed(orders.len())? {
            return Err("nothing was erased".into());
        }
        let done = store.erase_person(&person, orders, ACTOR).await;
        let (erased, later) = done.map_err(|error| error.to_string())?;
        let cut = store.cut_log().await.map_err(|error| error.to_string())?;
        if self.json {
            let later: Vec<Value> =
                later.iter().map(|order| json!({ "id": order.id, "state": order.state.as_str() })).collect();
            print_json(&json!({ "erased": erased, "later": later }));
        } else {
            print(&told(erased, &later, cut));
        }
        Ok(if later.is_empty() { Outcome::Done } else { Outcome::Problems })
    }
}

/// Without a terminal nobody can be asked: the flag decides.
fn agreed(count: usize) -> Result<bool, Failed> {
    let question = format!("Erase the buyer's data from {count} orders? It cannot be brought back");
    if !std::io::stdin().is_terminal() {
        return Err(format!("{count} orders hold this person's data; say --yes to erase it for good"));
    }
    Confirm::new(&question).with_default(false).prompt().map_err(|error| error.to_string())
}

fn told(erased: usize, later: &[Found], cut: bool) -> String {
    let mut text = format!("erased from {erased} orders\n");
    for order in later {
        let next = match order.state.as_str() {
            "held" | "rejected" | "disputed" => "cancel it or have it delivered, then it is erased",
            "delivered" => "a change of it is on its way to the CRM; it is erased after that",
            _ => "it is on its way to the CRM; it is erased when that has ended",
        };
        text.push_str(&format!("{} is {}: {next}\n", order.id, order.state));
    }
    if !cut {
        text.push_str(
            "the write-ahead log is in use and still holds old pages; a running `parom serve` cuts it within minutes\n",
        );
    }
    text.push_str("Backups of before, exported files and the CRM hold it still.\n");
    text
}
