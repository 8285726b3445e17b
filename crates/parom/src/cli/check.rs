//! `parom check`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use parom_core::channel::Severity;
use parom_core::dictionary::Kind;
use parom_gateway::clock;
use parom_gateway::config::{Config, LiveChannel, load_channels};
use parom_gateway::delivery::fetch_now;
use parom_gateway::inspect::{self, AccountReport, Located};
use parom_gateway::store::{Role, Store};
use serde_json::Value;

use super::{Failed, Outcome, load, print, print_json};

/// A running `serve` is given so long to fetch what was asked for, and less where its last fetch is young.
const PATIENCE_MS: u64 = 60_000;
const PATIENCE_OF_YOUNG_MS: u64 = 3_000;
const LOOK: Duration = Duration::from_millis(200);

/// Look over every channel file, and over what the accounts really have.
#[derive(Args)]
#[command(after_help = "Errors exit 1; warnings exit 0, or 1 with --strict.\n\
    The account's dictionaries are fetched within its own rate: by the running `serve`, or by this command.\n\
    Example: parom check --json | jq '.[].message'")]
pub(super) struct Check {
    /// By the files alone, without asking the CRM
    #[arg(long)]
    offline: bool,
    /// Let warnings fail too
    #[arg(long)]
    strict: bool,
    /// An array of findings
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        let channels = if self.offline { load_channels(&config)? } else { super::channel::read(&config).await? };
        let (mut found, accounts) = if self.offline {
            (inspect::offline(channels.iter()), Vec::new())
        } else {
            let (accounts, unreadable) = up_to_date(&config).await?;
            let mut found = unreadable;
            found.extend(inspect::online(&config, channels.iter(), &accounts));
            (found, accounts)
        };
        found.extend(inspect::tokens(channels.iter()));
        found.extend(inspect::short_secrets(channels.iter()));
        found.extend(inspect::api_tokens(&config));
        found.extend(inspect::account_files(&config));
        found.extend(inspect::shared_keys(&config));
        found.extend(inspect::alerts(&config));
        // What was kept of real submissions needs no CRM, and no store that is not there yet.
        if config.store.exists()
            && let Ok(store) = Store::open(&config.store, Role::Command)
        {
            found.extend(inspect::by_samples(channels.iter(), &store).await.map_err(|error| error.to_string())?);
        }
        if self.json {
            print_json(&Value::Array(found.iter().map(Located::to_json).collect()));
        } else {
            report(&config, &channels, &found, &accounts);
        }
        let failing = |located: &Located| self.strict || located.finding.severity == Severity::Error;
        Ok(if found.iter().any(failing) { Outcome::Problems } else { Outcome::Done })
    }
}

/// Checks by what was fetched last, and prints what is found: the end of `init`.
pub(super) async fn by_the_last_fetch(config: &Path) -> Result<Outcome, Failed> {
    let config = load(config)?;
    let channels = super::channel::read(&config).await?;
    let store = Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?;
    let accounts = inspect::accounts(&config, &store, |_| true).await.map_err(|error| error.to_string())?;
    let found = inspect::online(&config, channels.iter(), &accounts);
    report(&config, &channels, &found, &accounts);
    let failed = found.iter().any(|located| located.finding.severity == Severity::Error);
    Ok(if failed { Outcome::Problems } else { Outcome::Done })
}

/// Fetches the dictionaries anew: through the `serve` that runs, or here where none does. Beside them, the keys that are
/// not there for it.
async fn up_to_date(config: &Config) -> Result<(Vec<AccountReport>, Vec<Located>), Failed> {
    let words = |error: parom_gateway::store::StoreError| error.to_string();
    // Whoever serves owns the accounts' budgets.
    if let Some(store) = alone(config).await? {
        let unreadable = inspect::keys(config);
        for account in config.accounts.names().iter().filter(|account| !unreadable.contains_key(*account)) {
            let shown = asking(account, "the CRM is asked for its dictionaries");
            let told = |what: &str| shown.suspend(|| eprintln!("parom: account {account}: {what}"));
            fetch_now(config, &store, account, told).await?;
            shown.finish_and_clear();
        }
        return reported(config, &store, unreadable).await;
    }
    let store = Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?;
    // `serve` may have what is in no file for this command; a file that is not there is there for neither.
    let mut unreadable = inspect::keys(config);
    unreadable.retain(|name, _| config.accounts.get(name).is_some_and(|account| account.lacks_its_key(&config.dir)));
    for account in config.accounts.names().iter().filter(|account| !unreadable.contains_key(*account)) {
        let asked = store.ask_sync(account).await.map_err(words)?;
        let shown = asking(account, "`serve` fetches its dictionaries");
        let late = wait(&store, account, asked).await?;
        shown.finish_and_clear();
        if let Some(late) = late {
            eprintln!("parom: account {account}: {late}");
        }
    }
    reported(config, &store, unreadable).await
}

async fn reported(
    config: &Config,
    store: &Store,
    unreadable: BTreeMap<String, Located>,
) -> Result<(Vec<AccountReport>, Vec<Located>), Failed> {
    let mut reports = inspect::accounts(config, store, |_| true).await.map_err(|error| error.to_string())?;
    // Of what was never fetched there is nothing to say but why.
    reports.retain(|report| !report.dictionary.is_empty() || !unreadable.contains_key(&report.name));
    Ok((reports, unreadable.into_values().collect()))
}

/// The store, where nobody serves it.
async fn alone(config: &Config) -> Result<Option<Store>, Failed> {
    if config.store.file().is_some() {
        return Ok(Store::open(&config.store, Role::Serve).ok());
    }
    let store = Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?;
    let nodes = store.neighbours().await.map_err(|error| error.to_string())?.nodes;
    Ok(nodes.is_empty().then_some(store))
}

/// What is waited for, at a terminal: a fetch takes as many seconds as the account's budget and the CRM do.
fn asking(account: &str, what: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    spinner.set_style(
        ProgressStyle::with_template("{spinner} {msg}, {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    spinner.set_message(format!("account {account}: {what}"));
    spinner.enable_steady_tick(LOOK);
    spinner
}

/// Waits until `serve` has fetched what orders are decided by; the catalogue may take longer, and is not waited for. What to say
/// where it took too long.
async fn wait(store: &Store, account: &str, asked: i64) -> Result<Option<String>, Failed> {
    let begun = clock::mono();
    loop {
        let state = store.sync_state(account).await.map_err(|error| error.to_string())?;
        let young = state.young(clock::now().as_millisecond());
        let (_, ages) = store.dictionary(account).await.map_err(|error| error.to_string())?;
        let fresh = |kind: &Kind| ages.get(kind).is_some_and(|at| *at >= asked);
        // Statuses come after all that orders are decided by.
        let began_after = fresh(&Kind::Sources) && fresh(&Kind::Statuses);
        if state.done_at >= asked || began_after {
            return Ok(None);
        }
        if clock::mono().since(begun) > young.map_or(PATIENCE_MS, |_| PATIENCE_OF_YOUNG_MS) {
            let age = young.map_or_else(String::new, |age| format!(", of {age} s ago"));
            let text = format!("`serve` has not fetched its dictionaries yet; checked by the last ones{age}");
            return Ok(Some(text));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn report(config: &Config, channels: &[LiveChannel], found: &[Located], accounts: &[AccountReport]) {
    accounts.iter().for_each(|account| print(&of_account(account)));
    found.iter().for_each(|located| print(&as_text(located)));
    let errors = found.iter().filter(|located| located.finding.severity == Severity::Error).count();
    let warnings = found.len() - errors;
    print(&format!("{} channels, {errors} errors, {warnings} warnings\n", channels.len()));
    if channels.is_empty() {
        print(&format!("no channel files in {}\n", config.channels_dir().display()));
    }
}

fn of_account(report: &AccountReport) -> String {
    let key = if report.key_is_refused() { "key refused" } else { "key accepted" };
    let key = if report.dictionary.is_empty() && !report.key_is_refused() { "key not known" } else { key };
    let granted = report.state.granted.map_or_else(String::new, |granted| format!(", {granted} granted by the CRM"));
    let paused = if report.paused { "; PAUSED: nothing new is sent until it is resumed on its page" } else { "" };
    let now = clock::now().as_millisecond();
    let kinds: Vec<String> = Kind::ALL
        .iter()
        .filter_map(|kind| {
            let age = (now - report.fetched_at.get(kind)?).max(0) / 1_000;
            let age = if age < 120 { format!("{age} s") } else { format!("{} min", age / 60) };
            Some(format!("{} {} ({age} old)", report.dictionary.count(*kind)?, kind.as_str().replace('_', " ")))
        })
        .collect();
    let kinds = if kinds.is_empty() { "no dictionaries".to_owned() } else { kinds.join(", ") };
    format!("account {}: {key}; {} requests a minute{granted}{paused}\n  {kinds}\n", report.name, report.configured)
}

fn as_text(located: &Located) -> String {
    let finding = &located.finding;
    let place = format!("{}:{}:{}", located.file.display(), finding.line, finding.column);
    let path = if finding.path.is_empty() { String::new() } else { format!("{}: ", finding.path) };
    let mut text = format!("{place}: {}: {path}{} [{}]\n", finding.severity.as_str(), finding.message, finding.code);
    if !finding.hint.is_empty() {
        text.push_str(&format!("    {}\n", finding.hint));
    }
    text
}
