//! How the accounts stand: by the last fetch of their dictionaries, and by what the CRM grants.

use std::collections::BTreeMap;

use parom_core::Code;
use parom_core::channel::{Severity, check_rate};
use parom_core::dictionary::{Dictionary, Kind};
use serde_json::{Value, json};

use super::Located;
use super::settings::setting;
use crate::config::Config;
use crate::store::{COMPLETE, Store, StoreError, SyncState};

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
    /// A person has paused it: nothing new is sent.
    pub paused: bool,
}

/// The accounts that are asked for, as they stand in the store. Each brings its whole catalogue.
///
/// # Errors
/// As any read.
pub async fn accounts(
    config: &Config,
    store: &Store,
    asked: impl Fn(&str) -> bool,
) -> Result<Vec<AccountReport>, StoreError> {
    let (mut reports, pauses) = (Vec::new(), store.pauses().await?);
    for account in config.accounts.current().values().filter(|account| asked(&account.name)) {
        let (dictionary, fetched_at) = store.dictionary(&account.name).await?;
        reports.push(AccountReport {
            name: account.name.clone(),
            configured: account.requests_per_minute,
            state: store.sync_state(&account.name).await?,
            dictionary,
            fetched_at,
            paused: pauses.contains_key(&account.name),
        });
    }
    Ok(reports)
}

pub(super) fn of_account(config: &Config, report: &AccountReport) -> Vec<Located> {
    let at = |path: &str, code, severity, message: String, hint: &str| {
        let (place, path) = (config.account_place(&report.name, path), format!("accounts.{}.{path}", report.name));
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
        self.state.key_is_refused()
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
            "paused": self.paused,
            "dictionaries": kinds.collect::<serde_json::Map<_, _>>(),
        })
    }
}
