//! What `parom check` and the API say about channels and accounts: by the files, and by what the accounts really have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use parom_core::Code;
use parom_core::channel::{Finding, Severity, check_known, check_rate, check_samples};
use parom_core::dictionary::{Dictionary, Kind};
use parom_core::submission::Submission;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::config::{Account, AccountFault, Config, LiveChannel, read_secret};
use crate::intake;
use crate::store::{COMPLETE, Store, StoreError, SyncState};

/// A finding and where it is.
#[derive(Clone, Debug)]
pub struct Located {
    /// The channel; empty for an account's.
    pub channel: String,
    /// The file.
    pub file: PathBuf,
    /// The finding.
    pub finding: Finding,
}

/// How an account stands, by the last fetch of its dictionaries.
#[derive(Debug)]
pub struct AccountReport {
    /// Its name.
    pub name: String,
    /// The configured requests a minute.
    pub configured: u32,
    /// The last fetch.
    pub state: SyncState,
    /// The dictionaries.
    pub dictionary: Dictionary,
    /// When each was fetched, milliseconds.
    pub fetched_at: BTreeMap<Kind, i64>,
}

impl Located {
    /// The contract's form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let finding = &self.finding;
        json!({
            "channel": self.channel,
            "file": self.file.display().to_string(),
            "line": finding.line,
            "column": finding.column,
            "path": finding.path,
            "code": finding.code.as_str(),
            "severity": finding.severity.as_str(),
            "message": finding.message,
            "hint": finding.hint,
        })
    }
}

/// The findings of the files alone.
#[must_use]
pub fn offline<'a>(channels: impl Iterator<Item = &'a LiveChannel>) -> Vec<Located> {
    channels.flat_map(|live| live.findings.iter().map(|finding| located(live, finding.clone()))).collect()
}

/// Channels that have one token: `/v1/order` knows its channel by that alone.
#[must_use]
pub fn tokens<'a>(channels: impl Iterator<Item = &'a LiveChannel>) -> Vec<Located> {
    let mut by_token: BTreeMap<String, Vec<&LiveChannel>> = BTreeMap::new();
    for live in channels {
        if let Some(token) = &live.secrets.token {
            by_token.entry(intake::token_hash(token.expose_secret())).or_default().push(live);
        }
    }
    let shared = by_token.into_values().filter(|channels| channels.len() > 1);
    let findings = shared.flat_map(|channels| {
        let names: Vec<&str> = channels.iter().map(|live| live.name.as_str()).collect();
        let taken = names.iter().max().copied().unwrap_or_default();
        let message = format!("{} have one token: what comes to /v1/order with it goes to `{taken}`", names.join(", "));
        channels.into_iter().map(move |live| {
            let line = live.text.lines().position(|line| line.trim_start().starts_with("token")).map_or(1, |at| at + 1);
            let (path, code, severity) = ("access.token".to_owned(), Code::InvalidSetting, Severity::Warning);
            let hint = "Give each channel a token of its own.".to_owned();
            located(live, Finding { line, column: 1, path, code, severity, message: message.clone(), hint })
        })
    });
    findings.collect()
}

/// The accounts as they stand in the store.
///
/// # Errors
/// As any read.
pub async fn accounts(config: &Config, store: &Store) -> Result<Vec<AccountReport>, StoreError> {
    let mut reports = Vec::new();
    for account in config.accounts.current().values() {
        let (dictionary, fetched_at) = store.dictionary(&account.name).await?;
        reports.push(AccountReport {
            name: account.name.clone(),
            configured: account.requests_per_minute,
            state: store.sync_state(&account.name).await?,
            dictionary,
            fetched_at,
        });
    }
    Ok(reports)
}

/// The findings of the files and of the accounts' dictionaries.
#[must_use]
pub fn online<'a>(
    config: &Config,
    channels: impl Iterator<Item = &'a LiveChannel>,
    accounts: &[AccountReport],
) -> Vec<Located> {
    let mut found: Vec<Located> = accounts.iter().flat_map(|report| of_account(config, report)).collect();
    for live in channels {
        found.extend(live.findings.iter().map(|finding| located(live, finding.clone())));
        let Some(channel) = live.channel.as_ref().filter(|_| !live.is_broken()) else { continue };
        let report = accounts.iter().find(|report| report.name == channel.account);
        let Some(report) = report.filter(|report| !report.dictionary.is_empty()) else { continue };
        let known = check_known(channel, &live.text, &report.dictionary);
        found.extend(known.into_iter().map(|finding| located(live, finding)));
    }
    found
}

/// The samples of a channel as submissions; what this version cannot decode is left out.
///
/// # Errors
/// As any read.
pub async fn samples(store: &Store, channel: &str) -> Result<Vec<Submission>, StoreError> {
    let mut samples = Vec::new();
    for sample in store.samples(channel).await? {
        let at = Timestamp::from_millisecond(sample.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
        samples.extend(intake::submission_of(&sample.content_type, &sample.context, sample.body, at).await.ok());
    }
    Ok(samples)
}

/// Names of the channels that none of their samples has.
///
/// # Errors
/// As any read.
pub async fn by_samples<'a>(
    channels: impl Iterator<Item = &'a LiveChannel>,
    store: &Store,
) -> Result<Vec<Located>, StoreError> {
    let mut found = Vec::new();
    for live in channels {
        let Some(channel) = live.channel.as_ref().filter(|_| !live.is_broken()) else { continue };
        let samples = samples(store, &live.name).await?;
        let findings = check_samples(channel, &live.text, &samples);
        found.extend(findings.into_iter().map(|finding| located(live, finding)));
    }
    Ok(found)
}

fn located(live: &LiveChannel, finding: Finding) -> Located {
    Located { channel: live.name.clone(), file: live.file.clone(), finding }
}

/// A finding about a setting, which is no channel's.
fn setting(
    (file, line): (PathBuf, usize),
    path: String,
    (code, severity): (Code, Severity),
    message: String,
    hint: &str,
) -> Located {
    let finding = Finding { line, column: 1, path, code, severity, message, hint: hint.to_owned() };
    Located { channel: String::new(), file, finding }
}

/// Secrets of the alerts that are not there: nobody would be told of anything.
#[must_use]
pub fn alerts(config: &Config) -> Vec<Located> {
    let Some(alerts) = &config.alerts else { return Vec::new() };
    let secrets = [
        ("ping", alerts.ping.as_ref()),
        ("telegram.token", alerts.telegram.as_ref().map(|telegram| &telegram.token)),
        ("email.password", alerts.email.as_ref().and_then(|email| email.password.as_ref())),
        ("webhook.secret", alerts.webhook.as_ref().map(|webhook| &webhook.secret)),
    ];
    let missing = secrets.into_iter().filter_map(|(path, secret)| {
        let why = read_secret(&config.dir, secret?).err()?.to_string();
        let table = path.split('.').next().unwrap_or_default();
        let place = config.place(&[format!("[alerts.{table}]"), "[alerts]".to_owned()]);
        let hint = "Set the variable, or write the file, for the user that runs `serve`.";
        let (what, message) = ((Code::Unreadable, Severity::Warning), format!("no alert can be sent: {why}"));
        Some(setting(place, format!("alerts.{path}"), what, message, hint))
    });
    missing.collect()
}

/// The accounts' own files that cannot be used.
#[must_use]
pub fn account_files(config: &Config) -> Vec<Located> {
    let hint = |name: &str| match config.accounts.is_fixed(name) {
        true => "What parom.toml has of it is used; take it out of one of both.",
        false => "Its orders wait until the file is mended; a running `serve` reads it again by itself.",
    };
    let located = |(name, fault): (String, AccountFault)| {
        let what = (Code::InvalidSetting, Severity::Error);
        setting((fault.file, fault.line), format!("accounts.{name}"), what, fault.message, hint(&name))
    };
    config.accounts.faults().into_iter().map(located).collect()
}

/// The accounts whose keys this process cannot read.
#[must_use]
pub fn keys(config: &Config) -> BTreeMap<String, Located> {
    let missing = |(name, account): (&String, &Account)| {
        let message = read_secret(&config.dir, &account.api_key).err()?.to_string();
        let hint = "Set the variable, or write the file, for the user that runs the command and `serve`.";
        let (place, what) = (config.account_place(name), (Code::Unreadable, Severity::Error));
        Some((name.clone(), setting(place, format!("accounts.{name}.api_key"), what, message, hint)))
    };
    config.accounts.current().iter().filter_map(missing).collect()
}

fn of_account(config: &Config, report: &AccountReport) -> Vec<Located> {
    let at = |path: &str, code, severity, message: String, hint: &str| {
        let (place, path) = (config.account_place(&report.name), format!("accounts.{}.{path}", report.name));
        setting(place, path, (code, severity), message, hint)
    };
    let mut found = Vec::new();
    let outcome = report.state.outcome.as_str();
    if report.key_is_refused() {
        let hint = "Make a key in the CRM (Settings → API), and put it where api_key points.";
        found.push(at("api_key", Code::KeyRefused, Severity::Error, outcome.to_owned(), hint));
    } else if outcome != COMPLETE {
        // With dictionaries of an earlier fetch the channels can still be checked.
        let severity = if report.dictionary.is_empty() { Severity::Error } else { Severity::Warning };
        let message = format!("the account's dictionaries could not be fetched whole: {outcome}");
        let hint = "Check the address and the network, then run check again.";
        found.push(at("url", Code::CrmUnreachable, severity, message, hint));
    }
    if let Some((code, message, hint)) = check_rate(report.configured, report.state.granted) {
        found.push(at("requests_per_minute", code, Severity::Warning, message, hint));
    }
    found
}

impl AccountReport {
    /// The last fetch was refused for its key.
    #[must_use]
    pub fn key_is_refused(&self) -> bool {
        self.state.outcome.contains("refuses the key")
    }

    /// The report for machines.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let kinds = Kind::ALL.iter().filter_map(|kind| {
            let at = self.fetched_at.get(kind)?;
            let at = jiff::Timestamp::from_millisecond(*at).ok()?;
            let row = json!({ "count": self.dictionary.count(*kind), "fetched_at": at.to_string() });
            Some((kind.as_str().to_owned(), row))
        });
        json!({
            "account": self.name,
            "outcome": self.state.outcome,
            "key": if self.key_is_refused() { "refused" } else if self.dictionary.is_empty() { "unknown" } else { "ok" },
            "requests_per_minute": self.configured,
            "granted_per_minute": self.state.granted,
            "dictionaries": kinds.collect::<serde_json::Map<_, _>>(),
        })
    }
}
