//! `parom novaposhta`: the directory of branches, its age, and what a text about a branch comes to.

use std::path::Path;

use clap::Subcommand;
use comfy_table::{ContentArrangement, Table, presets};
use parom_core::novaposhta::{Branch, Candidate, Resolution, resolve};
use parom_gateway::clock;
use parom_gateway::config::Config;
use parom_gateway::novaposhta::NovaPoshta;
use parom_gateway::store::{Role, Store};
use serde_json::{Value, json};

use super::show::time;
use super::{Failed, Outcome, load, print, print_json};

/// Nova Poshta's directory of branches.
#[derive(Subcommand)]
pub(super) enum Carrier {
    /// Its age and how much it has; exit 1 if it was never fetched or the last refresh failed
    Show {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Ask the running gateway to fetch it now
    Refresh,
    /// What a text about a branch comes to; exit 1 if a person would have to look
    #[command(after_help = "Example: parom novaposhta find --town Київ \"відд. №11\"")]
    Find {
        /// The town, where it has a field of its own
        #[arg(long, default_value = "")]
        town: String,
        /// What the buyer wrote
        text: String,
        /// For machines
        #[arg(long)]
        json: bool,
    },
}

impl Carrier {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        if config.novaposhta.is_none() {
            let file = config.file.display();
            return Err(format!(
                "{file} keeps no directory of Nova Poshta; add [novaposhta] with an api_key (docs/nova-poshta.md)"
            ));
        }
        let store = Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?;
        match self {
            Carrier::Show { json } => show(&config, &store, json).await,
            Carrier::Refresh => {
                store.novaposhta_ask().await.map_err(|error| error.to_string())?;
                print("asked: the running gateway fetches it within seconds\n");
                Ok(Outcome::Done)
            }
            Carrier::Find { town, text, json } => find(&config, &store, &town, &text, json).await,
        }
    }
}

async fn show(config: &Config, store: &Store, as_json: bool) -> Result<Outcome, Failed> {
    let standing = store.novaposhta().await.map_err(|error| error.to_string())?;
    let carrier = NovaPoshta::start(config, store).await.map_err(|error| error.to_string())?;
    let counts = carrier.directory().map(|directory| directory.counts()).unwrap_or_default();
    let fetched = (standing.fetched_at > 0).then_some(standing.fetched_at);
    let hours = fetched.map(|at| (clock::now().as_millisecond() - at).max(0) / 3_600_000);
    if as_json {
        print_json(&json!({
            "fetched_at": fetched.map(time), "age_hours": hours, "outcome": standing.outcome,
            "settlements": counts.settlements, "cities": counts.cities, "branches": counts.branches,
            "lockers": counts.lockers,
        }));
    } else {
        let age = match (fetched, hours) {
            (Some(at), Some(hours)) => format!("{} UTC, {hours} h ago", time(at)),
            _ => "never".to_owned(),
        };
        print(&format!(
            "fetched      {age}\nlast refresh {}\nsettlements  {}\ncities       {}\nbranches     {}\nlockers      {}\n",
            if standing.outcome.is_empty() { "none yet" } else { &standing.outcome },
            counts.settlements,
            counts.cities,
            counts.branches,
            counts.lockers
        ));
    }
    let fine = fetched.is_some() && standing.outcome == parom_gateway::store::COMPLETE;
    Ok(if fine { Outcome::Done } else { Outcome::Problems })
}

async fn find(config: &Config, store: &Store, town: &str, text: &str, as_json: bool) -> Result<Outcome, Failed> {
    let carrier = NovaPoshta::start(config, store).await.map_err(|error| error.to_string())?;
    let directory = carrier.directory().filter(|directory| !directory.is_empty());
    let directory = directory.ok_or("the directory was never fetched; see `parom novaposhta show`")?;
    let found = resolve(&directory, town, text);
    let outcome = if matches!(found, Resolution::Look(..)) { Outcome::Problems } else { Outcome::Done };
    if as_json {
        print_json(&to_json(&found));
        return Ok(outcome);
    }
    match &found {
        Resolution::Empty => print("nothing: the text is empty\n"),
        Resolution::Courier => print("courier: an address of the buyer's, not a branch\n"),
        Resolution::Other => print("other: another carrier, or none\n"),
        Resolution::One(branch) => print(&format!("{}  {}\n", branch.reference, branch.text)),
        Resolution::Look(why, candidates) => {
            print(&format!("look: {}\n{}", why.words(), table(candidates)));
        }
    }
    Ok(outcome)
}

fn table(candidates: &[Candidate<'_>]) -> String {
    if candidates.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["REF", "SETTLEMENT", "OBLAST", "BRANCH"]);
    for Candidate { branch, settlement, .. } in candidates {
        table.add_row([&branch.reference.to_string(), &*settlement.name, &*settlement.area, &*branch.text]);
    }
    format!("{table}\n")
}

fn to_json(found: &Resolution<'_>) -> Value {
    let row = |branch: &Branch| json!({ "ref": branch.reference.to_string(), "number": branch.number, "kind": branch.kind.as_str(), "text": branch.text });
    match found {
        Resolution::Empty => json!({ "result": "empty" }),
        Resolution::Courier => json!({ "result": "courier" }),
        Resolution::Other => json!({ "result": "other" }),
        Resolution::One(branch) => json!({ "result": "one", "branch": row(branch) }),
        Resolution::Look(why, candidates) => {
            let rows = candidates.iter().map(|one| {
                let mut row = row(one.branch);
                row["settlement"] = one.settlement.name.as_ref().into();
                row["area"] = one.settlement.area.as_ref().into();
                row
            });
            json!({ "result": "look", "why": why.words(), "candidates": rows.collect::<Vec<_>>() })
        }
    }
}
