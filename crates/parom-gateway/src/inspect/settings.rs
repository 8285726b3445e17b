//! Findings about settings, which are no channel's: secrets that are not there, accounts' files that cannot be used.

use std::collections::BTreeMap;
use std::path::PathBuf;

use parom_core::Code;
use parom_core::channel::{Finding, SecretRef, Severity};
use parom_core::limits::SECRET_BYTES;
use secrecy::ExposeSecret;

use super::Located;
use crate::config::{Account, AccountFault, ApiToken, Config, read_secret};
use crate::intake::token_hash;

/// A finding about a setting, which is no channel's.
pub(super) fn setting(
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
        let steps: Vec<&str> = std::iter::once("alerts").chain(path.split('.')).collect();
        let place = config.place(&steps);
        let hint = "Set the variable, or write the file, for the user that runs `serve`.";
        let (what, message) = ((Code::Unreadable, Severity::Warning), format!("no alert can be sent: {why}"));
        Some(setting(place, format!("alerts.{path}"), what, message, hint))
    });
    missing.collect()
}

/// Tokens of the API without which `serve` does not start.
#[must_use]
pub fn api_tokens(config: &Config) -> Vec<Located> {
    let wrong = |token: &ApiToken| {
        let (severity, message) = match read_secret(&config.dir, &token.token) {
            Ok(secret) if secret.expose_secret().len() >= SECRET_BYTES => return None,
            Ok(_) => {
                (Severity::Error, format!("the token is shorter than {SECRET_BYTES} bytes, and `serve` does not start"))
            }
            // A variable may be there for `serve` alone.
            Err(error) if matches!(token.token, SecretRef::Env(_)) => (Severity::Warning, error.to_string()),
            Err(error) => (Severity::Error, error.to_string()),
        };
        let code = if severity == Severity::Error { Code::InvalidSetting } else { Code::Unreadable };
        let (place, path) =
            (config.place(&["api", "tokens", &token.name, "token"]), format!("api.tokens.{}.token", token.name));
        let hint = "Make one of 24 random characters or more, for the user that runs `serve`: `openssl rand -hex 24`.";
        Some(setting(place, path, (code, severity), message, hint))
    };
    config.api_tokens.iter().filter_map(wrong).collect()
}

/// The accounts' own files that cannot be used.
#[must_use]
pub fn account_files(config: &Config) -> Vec<Located> {
    let hint = |name: &str| match config.accounts.is_fixed(name) {
        true => "What parom.toml has of it is used; take it out of one of both.",
        false => {
            "A running `serve` goes on by what it read of it before, and reads it again by itself; one that starts now lets its orders wait."
        }
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
        let (place, what) = (config.account_place(name, "api_key"), (Code::Unreadable, Severity::Error));
        Some((name.clone(), setting(place, format!("accounts.{name}.api_key"), what, message, hint)))
    };
    config.accounts.current().iter().filter_map(missing).collect()
}

/// Accounts with one key, which are one account of the CRM: its orders and its requests a minute are counted as two.
#[must_use]
pub fn shared_keys(config: &Config) -> Vec<Located> {
    let accounts = config.accounts.current();
    let mut by_key: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for (name, account) in accounts.iter() {
        // One that cannot be read is told by `keys`.
        let Ok(key) = read_secret(&config.dir, &account.api_key) else { continue };
        by_key.entry((&account.url, token_hash(key.expose_secret()))).or_default().push(name);
    }
    let shared = by_key.into_values().filter(|names| names.len() > 1);
    let findings = shared.flat_map(|names| {
        let message = format!(
            "{} have one key: all their orders go into one account of the CRM, which grants its requests a minute once",
            names.join(", ")
        );
        let hint =
            "Give each the key of its own CRM account; where they are one, have their channels name one account.";
        names.into_iter().map(move |name| {
            let (place, what) = (config.account_place(name, "api_key"), (Code::InvalidSetting, Severity::Warning));
            setting(place, format!("accounts.{name}.api_key"), what, message.clone(), hint)
        })
    });
    findings.collect()
}
