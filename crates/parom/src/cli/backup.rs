//! `parom backup` and `parom restore`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use parom_gateway::config::StoreSettings;
use parom_gateway::store::{self, Role, Store};
use serde_json::{Value, json};

use super::{Failed, Outcome, load, print, print_json};

/// Between two looks at how far a copy is.
const TICK: Duration = Duration::from_millis(100);

/// Copy the store while the gateway runs.
#[derive(Args)]
#[command(after_help = "The copy is checked and flushed before it takes the name, and holds no key of the CRM.\n\
    Every night: parom backup /var/backups/parom-$(date +%u).db")]
pub(super) struct Backup {
    /// Where to; an earlier backup of that name is replaced
    file: PathBuf,
    /// What it holds, as JSON
    #[arg(long)]
    json: bool,
}

/// Put a backup in the store's place.
#[derive(Args)]
#[command(after_help = "Stop the gateway first. The store that is there keeps another name beside it.\n\
    At the next start every order that is not settled is looked up in the CRM before anything is sent.\n\
    PostgreSQL is put back by its own tools: parom restore --verify-first then, before a node starts.")]
pub(super) struct Restore {
    /// The backup
    #[arg(required_unless_present = "verify_first")]
    file: Option<PathBuf>,
    /// Only try whether it would do: nothing is changed
    #[arg(long)]
    check: bool,
    /// PostgreSQL was put back: look up what is not settled before anything is sent
    #[arg(long, conflicts_with_all = ["file", "check"])]
    verify_first: bool,
    /// What it holds, as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let path = file_of(load(config)?.store)?;
        let (watched, file) = (store::part_of(&self.file), self.file.clone());
        let held = copied(path, watched, move |path| store::backup(path, &file)).await?;
        show(&held, self.json, &format!("{} is a whole copy", self.file.display()));
        Ok(Outcome::Done)
    }
}

impl Restore {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let settings = load(config)?.store;
        let Some(file) = self.file.clone().filter(|_| !self.verify_first) else {
            return self.verify_first(&settings).await;
        };
        let (path, check) = (file_of(settings)?, self.check);
        let (watched, shown) = (path.with_extension("restoring"), file.clone());
        let held =
            copied(
                path.clone(),
                watched,
                move |path| {
                    if check { store::drill(path, &file) } else { store::restore(path, &file) }
                },
            );
        let held = held.await?;
        let done = if check {
            format!("{} can be restored; nothing was changed", shown.display())
        } else {
            let before = held.before.as_ref().map(|old| format!("; the store of before is {}", old.display()));
            format!(
                "{} is the store now{}.\nStart the gateway: it looks up in the CRM what is not settled, then goes on",
                path.display(),
                before.unwrap_or_default()
            )
        };
        show(&held, self.json, &done);
        Ok(Outcome::Done)
    }
}

impl Restore {
    async fn verify_first(&self, settings: &StoreSettings) -> Result<Outcome, Failed> {
        if settings.file().is_some() {
            return Err(
                "the store is a file: `parom restore FILE` puts a backup in its place, and a start notices any other"
                    .into(),
            );
        }
        let store = Store::open(settings, Role::Command).map_err(|error| error.to_string())?;
        let nodes = store.neighbours().await.map_err(|error| error.to_string())?.nodes;
        if !nodes.is_empty() {
            let names: Vec<String> = nodes.into_iter().map(|node| node.name).collect();
            return Err(format!("these nodes run: {}; stop them first", names.join(", ")));
        }
        let doubtful = store.verify_first().await.map_err(|error| error.to_string())?;
        if self.json {
            print_json(&json!({ "unconfirmed": doubtful }));
        } else {
            print(&format!("{doubtful} orders are looked up in the CRM before they go.\nStart the nodes\n"));
        }
        Ok(Outcome::Done)
    }
}

/// The store's file; a server has its own tools.
fn file_of(settings: StoreSettings) -> Result<PathBuf, Failed> {
    settings.file().map(Path::to_owned).ok_or_else(|| {
        "the store is in PostgreSQL: back it up and restore it with pg_dump or pg_basebackup, and run \
         `parom restore --verify-first` before a node starts on what was put back"
            .into()
    })
}

/// Copies with a bar that follows the growing file.
async fn copied(
    path: PathBuf,
    watched: PathBuf,
    copy: impl FnOnce(&Path) -> Result<store::Backup, store::OpenError> + Send + 'static,
) -> Result<store::Backup, Failed> {
    let whole = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    let bar = ProgressBar::new(whole);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes} of about {total_bytes}") {
        bar.set_style(style);
    }
    let mut work = tokio::task::spawn_blocking(move || copy(&path));
    let ended = loop {
        tokio::select! {
            ended = &mut work => break ended,
            () = tokio::time::sleep(TICK) => {
                bar.set_position(std::fs::metadata(&watched).map_or(0, |meta| meta.len()).min(whole));
            }
        }
    };
    bar.finish_and_clear();
    ended.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn show(held: &store::Backup, json: bool, done: &str) {
    let newest = held.newest_at.and_then(|at| Timestamp::from_millisecond(at).ok()).map(|at| at.to_string());
    if json {
        let orders: serde_json::Map<String, Value> =
            held.orders.iter().map(|(state, count)| (state.clone(), json!(count))).collect();
        let before = held.before.as_ref().map(|path| path.display().to_string());
        return print_json(&json!({
            "bytes": held.bytes, "orders": orders, "newest_received_at": newest, "before": before,
        }));
    }
    let counts: Vec<String> = held.orders.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let counts = if counts.is_empty() { "no orders".to_owned() } else { counts.join(", ") };
    let newest = newest.map(|at| format!("; the newest came at {at}")).unwrap_or_default();
    print(&format!("{done}\n{} with {counts}{newest}\n", HumanBytes(held.bytes)));
}
