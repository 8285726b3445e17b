//! `parom orders retry`, `edit`, `accept` and `cancel`.

use std::sync::Arc;

use clap::Args;
use parom_core::delivery::state::State;
use parom_gateway::channels::Channels;
use parom_gateway::config::{ChannelSet, Config};
use parom_gateway::dictionaries::Dictionaries;
use parom_gateway::novaposhta::NovaPoshta;
use parom_gateway::operate::{self, Change, Desk, Done, OperateError};
use parom_gateway::store::{Scope, Store};
use serde_json::{Value, json};

use super::open;
use crate::cli::show::printable;
use crate::cli::{Failed, Outcome, print, print_json};

/// Who changes, in the history.
const ACTOR: &str = "operator";

/// Send again.
#[derive(Args)]
#[command(after_help = "A disputed order is looked up first, and sent only if it is not in the CRM.\n\
    Exit 1 if an order stays where it is because of its problems.")]
pub(in crate::cli) struct Retry {
    /// Ids, starts of ids, or numbers
    #[arg(required = true, value_name = "ORDER")]
    orders: Vec<String>,
    /// What became of each
    #[arg(long)]
    json: bool,
}

/// Change fields.
#[derive(Args)]
#[command(after_help = "Examples:\n  parom orders edit P-4XKQ0T7MZB2NR --set buyer.phone=+380671112233\n  \
    parom orders edit 0197a2 --set products.0.price=250 --unset shipping.warehouse_ref")]
pub(in crate::cli) struct Edit {
    /// The order's id, the start of it, or its number
    order: String,
    /// Put a value at a field
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Take a field out
    #[arg(long, value_name = "FIELD")]
    unset: Vec<String>,
    /// Do not send it yet
    #[arg(long)]
    keep: bool,
    /// What became of it
    #[arg(long)]
    json: bool,
}

/// Say which order of the CRM a disputed one is.
#[derive(Args)]
#[command(after_help = "It is delivered then, and never sent again. Example: parom orders accept P-4XKQ0T7MZB2NR 5012")]
pub(in crate::cli) struct Accept {
    /// The order's id, the start of it, or its number
    order: String,
    /// The CRM's number of it
    #[arg(value_name = "CRM_ORDER_ID")]
    crm_order_id: i64,
    /// What became of it
    #[arg(long)]
    json: bool,
}

/// Give up.
#[derive(Args)]
pub(in crate::cli) struct Cancel {
    /// Ids, starts of ids, or numbers
    #[arg(required = true, value_name = "ORDER")]
    orders: Vec<String>,
    /// Why, for whoever looks later
    #[arg(long, default_value = "canceled by the operator", value_name = "TEXT")]
    reason: String,
    /// What became of each
    #[arg(long)]
    json: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE")?;
    Ok((field.trim().to_owned(), value.to_owned()))
}

impl Retry {
    pub(super) async fn run(self, config: &Config) -> Result<Outcome, Failed> {
        let room = Room::open(config).await?;
        let mut report = Report::new(self.json);
        for name in &self.orders {
            report.add(name, operate::retry(room.desk(), name).await)?;
        }
        Ok(report.end())
    }
}

impl Edit {
    pub(super) async fn run(self, config: &Config) -> Result<Outcome, Failed> {
        if self.set.is_empty() && self.unset.is_empty() {
            return Err("nothing to change: give --set FIELD=VALUE or --unset FIELD".into());
        }
        let room = Room::open(config).await?;
        let sets = self.set.into_iter().map(|(field, value)| Change::Set(field, Value::String(value)));
        let changes: Vec<Change> = sets.chain(self.unset.into_iter().map(Change::Unset)).collect();
        let mut report = Report::new(self.json);
        let done = operate::edit(room.desk(), &self.order, &changes, self.keep, None).await;
        let kept = self.keep && matches!(&done, Ok(Done::Kept(_, text)) if text.starts_with("edited"));
        report.add(&self.order, done)?;
        let outcome = report.end();
        Ok(if kept { Outcome::Done } else { outcome })
    }
}

impl Accept {
    pub(super) async fn run(self, config: &Config) -> Result<Outcome, Failed> {
        let room = Room::open(config).await?;
        let mut report = Report { wanted: &[State::Delivered], ..Report::new(self.json) };
        report.add(&self.order, operate::accept(room.desk(), &self.order, self.crm_order_id).await)?;
        Ok(report.end())
    }
}

impl Cancel {
    pub(super) async fn run(self, config: &Config) -> Result<Outcome, Failed> {
        let store = open(config)?;
        let mut report = Report { wanted: &[State::Canceled], ..Report::new(self.json) };
        for name in &self.orders {
            report.add(name, operate::cancel(&store, &Scope::All, name, &self.reason, ACTOR).await)?;
        }
        Ok(report.end())
    }
}

/// What a command needs to decide about an order again.
struct Room {
    store: Store,
    channels: Arc<ChannelSet>,
    dictionaries: Dictionaries,
}

impl Room {
    async fn open(config: &Config) -> Result<Room, Failed> {
        let store = open(config)?;
        let channels = Channels::start(config, &store).await.map_err(|error| error.to_string())?.current();
        let carrier = NovaPoshta::start(config, &store).await.map_err(|error| error.to_string())?;
        let dictionaries = Dictionaries::start(&config.accounts.names(), &store, Arc::new(carrier)).await;
        Ok(Room { store, channels, dictionaries: dictionaries.map_err(|error| error.to_string())? })
    }

    fn desk(&self) -> Desk<'_> {
        let Room { store, channels, dictionaries } = self;
        Desk { store, channels, dictionaries, scope: &Scope::All, actor: ACTOR }
    }
}

/// What became of each order; problems make the command exit 1.
struct Report {
    json: bool,
    /// States in which an order that stays is as it was asked to be.
    wanted: &'static [State],
    rows: Vec<Value>,
    problems: bool,
}

impl Report {
    fn new(json: bool) -> Report {
        // On its way or there already is what was wanted of a retry or an edit.
        let wanted = &[State::Queued, State::Sending, State::Unconfirmed, State::Delivered];
        Report { json, wanted, rows: Vec::new(), problems: false }
    }

    fn add(&mut self, name: &str, done: Result<Done, OperateError>) -> Result<(), Failed> {
        let (state, text) = match done {
            Ok(Done::Now(state)) => (Some(state), String::new()),
            Ok(Done::Stays(state, text) | Done::Kept(state, text)) => {
                self.problems |= !self.wanted.contains(&state);
                (Some(state), text)
            }
            Err(OperateError::Store(error)) => return Err(error.to_string()),
            Err(other) => {
                self.problems = true;
                (None, other.to_string())
            }
        };
        let state = state.map(State::as_str);
        if self.json {
            self.rows.push(json!({ "order": name, "state": state, "message": text }));
        } else {
            let mut line = format!("{name}: {}", state.unwrap_or("not changed"));
            if !text.is_empty() {
                line.push_str(&format!("; {}", printable(&text)));
            }
            print(&format!("{line}\n"));
        }
        Ok(())
    }

    fn end(self) -> Outcome {
        if self.json {
            print_json(&Value::Array(self.rows));
        }
        if self.problems { Outcome::Problems } else { Outcome::Done }
    }
}
