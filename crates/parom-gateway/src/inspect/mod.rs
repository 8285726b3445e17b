//! What `parom check` and the API say about channels and accounts: by the files, and by what the accounts really have.

mod accounts;
mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use parom_core::channel::{Finding, Severity, check_known, check_samples};
use parom_core::submission::Submission;
use parom_core::{Code, limits};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

pub use accounts::{AccountReport, accounts};
pub use settings::{account_files, alerts, api_tokens, keys, shared_keys};

use crate::config::{Config, LiveChannel, line_in};
use crate::intake;
use crate::store::{Store, StoreError};

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
            let line = line_in(&live.text, &["access", "token"]);
            let (path, code, severity) = ("access.token".to_owned(), Code::InvalidSetting, Severity::Warning);
            let hint = "Give each channel a token of its own.".to_owned();
            located(live, Finding { line, column: 1, path, code, severity, message: message.clone(), hint })
        })
    });
    findings.collect()
}

/// Secrets by which a sender signs that could be guessed from one signed order: all short ones can be tried.
#[must_use]
pub fn short_secrets<'a>(channels: impl Iterator<Item = &'a LiveChannel>) -> Vec<Located> {
    let short =
        |live: &&LiveChannel| live.secrets.signing.iter().any(|s| s.expose_secret().len() < limits::SECRET_BYTES);
    let told = |live: &LiveChannel| {
        let line = line_in(&live.text, &["access", "secret"]);
        let (path, code, severity) = ("access.secret".to_owned(), Code::InvalidSetting, Severity::Warning);
        let message = format!("the secret is shorter than {} bytes, and can be guessed", limits::SECRET_BYTES);
        let hint = "Make a longer one on the sender's side, and put it here too.".to_owned();
        located(live, Finding { line, column: 1, path, code, severity, message, hint })
    };
    channels.filter(short).map(told).collect()
}

/// The findings of the files and of the accounts' dictionaries.
#[must_use]
pub fn online<'a>(
    config: &Config,
    channels: impl Iterator<Item = &'a LiveChannel>,
    accounts: &[AccountReport],
) -> Vec<Located> {
    let mut found: Vec<Located> = accounts.iter().flat_map(|report| accounts::of_account(config, report)).collect();
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
