//! `parom orders`.

mod change;
mod erase;
mod export;
mod select;

use std::path::Path;

use clap::Subcommand;
use parom_gateway::api::shape;
use parom_gateway::config::Config;
use parom_gateway::store::{Role, Scope, Store};
use serde_json::Value;

use super::{Failed, Outcome, load, print, print_json, show};
use change::{Accept, Cancel, Edit, Retry};
use erase::Erase;
use export::Export;
use select::Select;

/// Orders of a list where no number is named.
const LISTED: usize = 50;

/// The journal of orders.
#[derive(Subcommand)]
pub(super) enum Orders {
    /// Orders, newest first
    #[command(after_help = "Examples:\n  parom orders list --state held,disputed\n  \
        parom orders list --text 0671112233 --since 2026-11-01\n  parom orders list --json")]
    List {
        #[command(flatten)]
        select: Select,
        /// An array of orders
        #[arg(long)]
        json: bool,
    },
    /// One order: what came, what it became, its problems and its history
    Show {
        /// The order's id, the start of it, or its number
        order: String,
        /// The whole order
        #[arg(long)]
        json: bool,
    },
    /// Send again: a held order through today's mapping, a rejected one, a disputed one after a look-up
    Retry(Retry),
    /// Change fields of a held or rejected order, and send it
    Edit(Edit),
    /// Say which order of the CRM a disputed one is: it is delivered, and never sent again
    Accept(Accept),
    /// Give an order up, with a reason
    Cancel(Cancel),
    /// Write orders to a file or to stdout
    Export(Export),
    /// Erase a person's data from every order
    Erase(Erase),
}

impl Orders {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        match self {
            Orders::List { select, json } => list(&config, select, json).await,
            Orders::Show { order, json } => show_one(&config, &order, json).await,
            Orders::Retry(command) => command.run(&config).await,
            Orders::Edit(command) => command.run(&config).await,
            Orders::Accept(command) => command.run(&config).await,
            Orders::Cancel(command) => command.run(&config).await,
            Orders::Export(command) => command.run(&config).await,
            Orders::Erase(command) => command.run(&config).await,
        }
    }
}

/// The store beside a running `serve`; nothing is made where there is none.
fn open(config: &Config) -> Result<Store, Failed> {
    if let Some(path) = config.store.file()
        && !path.exists()
    {
        return Err(format!("there is no store at {} yet; `parom serve` makes it", path.display()));
    }
    Store::open(&config.store, Role::Command).map_err(|error| error.to_string())
}

async fn list(config: &Config, select: Select, json: bool) -> Result<Outcome, Failed> {
    let filter = select.filter(LISTED)?;
    let limit = filter.limit;
    let orders = open(config)?.orders(&Scope::All, filter).await.map_err(|error| error.to_string())?;
    let more = format!("the newest {limit}; see more with --limit, or fewer with --state, --text, --since\n");
    if json {
        print_json(&Value::Array(orders.iter().map(shape::summary_json).collect()));
        if orders.len() == limit {
            eprint!("{more}");
        }
        return Ok(Outcome::Done);
    }
    if orders.is_empty() {
        print("no orders\n");
        return Ok(Outcome::Done);
    }
    print(&format!("{}\n", show::table(&orders)));
    if orders.len() == limit {
        print(&more);
    }
    Ok(Outcome::Done)
}

async fn show_one(config: &Config, name: &str, json: bool) -> Result<Outcome, Failed> {
    let order = open(config)?.order(&Scope::All, name).await.map_err(|error| error.to_string())?;
    let order = order.ok_or_else(|| format!("there is no order `{name}`; see `parom orders list`"))?;
    if json {
        print_json(&shape::detail_json(&order));
    } else {
        print(&show::page(&order));
    }
    Ok(Outcome::Done)
}
