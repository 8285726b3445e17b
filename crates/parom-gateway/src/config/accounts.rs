//! The accounts: those of `parom.toml`, and those of `accounts/*.toml`, which are read again while the gateway runs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Deserialize;

use super::file::{RawSecret, https_or_loopback, secret, wrong_at};
use super::{Account, ConfigError};

/// An account as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccount {
    #[serde(default = "default_url")]
    url: String,
    api_key: RawSecret,
    #[serde(default = "default_rate")]
    requests_per_minute: u32,
    order_url: Option<String>,
}

fn default_url() -> String {
    "https://openapi.keycrm.app/v1".into()
}

fn default_rate() -> u32 {
    54
}

type Set = BTreeMap<String, Account>;

/// The accounts by name, as they are now. A copy sees what another reads again.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    now: Arc<RwLock<Arc<Set>>>,
    read: Arc<Mutex<Read>>,
}

/// What was read last.
#[derive(Debug, Default)]
struct Read {
    /// Of `parom.toml`: they stay until the next start.
    fixed: Set,
    /// The files of the folder, by the accounts' names.
    files: BTreeMap<String, OwnFile>,
}

/// One file of the folder.
#[derive(Clone, Debug)]
struct OwnFile {
    text: String,
    /// By this text, or by the last that was good.
    account: Option<Account>,
    fault: Option<AccountFault>,
}

/// Why an account's own file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFault {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for AccountFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
    }
}

impl Accounts {
    /// Checks the accounts of `parom.toml` and reads those of the folder for the first time.
    pub(super) fn start(dir: &Path, file: &Path, raw: BTreeMap<String, RawAccount>) -> Result<Accounts, ConfigError> {
        let accounts = Accounts::default();
        let fixed = raw.into_iter().map(|(name, account)| {
            let told = |message| ConfigError(format!("{}: accounts.{name}: {message}", file.display()));
            Ok((name.clone(), check(&name, account).map_err(told)?))
        });
        accounts.reading().fixed = fixed.collect::<Result<_, ConfigError>>()?;
        // One shop's mistyped file is no reason to serve none of the others.
        accounts.reload(dir);
        Ok(accounts)
    }

    /// All of them now.
    #[must_use]
    pub fn current(&self) -> Arc<BTreeMap<String, Account>> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of them now.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Account> {
        self.current().get(name).cloned()
    }

    /// Whether there is such an account.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.current().contains_key(name)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.current().keys().cloned().collect()
    }

    /// The files that cannot be used, by the accounts' names.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<String, AccountFault> {
        let read = self.reading();
        read.files.iter().filter_map(|(name, file)| Some((name.clone(), file.fault.clone()?))).collect()
    }

    /// Whether an account stands in `parom.toml`, and not in a file of its own.
    #[must_use]
    pub fn is_fixed(&self, name: &str) -> bool {
        self.reading().fixed.contains_key(name)
    }

    /// Reads the folder again. A file that cannot be used keeps its last good text; what is newly wrong is told.
    pub fn reload(&self, dir: &Path) -> Vec<AccountFault> {
        let mut read = self.reading();
        let (mut files, mut faults) = (BTreeMap::new(), Vec::new());
        for (name, path, text) in texts(&dir.join("accounts")) {
            let before = read.files.remove(&name);
            if let Some(known) = before.as_ref().filter(|known| known.text == text) {
                files.insert(name, known.clone());
                continue;
            }
            let (account, fault) = match parse(&name, &text, read.fixed.contains_key(&name)) {
                Ok(account) => (Some(account), None),
                Err((line, message)) => {
                    let fault = AccountFault { file: path, line, message };
                    faults.push(fault.clone());
                    (before.and_then(|before| before.account), Some(fault))
                }
            };
            files.insert(name, OwnFile { text, account, fault });
        }
        read.files = files;
        let usable = read.files.iter().filter_map(|(name, file)| Some((name, file.account.as_ref()?)));
        let all: Set = read.fixed.iter().chain(usable).map(|(name, account)| (name.clone(), account.clone())).collect();
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if **now != all {
            *now = Arc::new(all);
        }
        faults
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of the folder; one that cannot be read has a text that is no account.
fn texts(folder: &Path) -> Vec<(String, PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let toml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let named = |path: PathBuf| Some((path.file_stem()?.to_str()?.to_owned(), path));
    let paths = entries.flatten().map(|entry| entry.path()).filter(toml).filter_map(named);
    let mut texts: Vec<_> = paths
        .map(|(name, path)| {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| format!("cannot be read: {error}"));
            (name, path, text)
        })
        .collect();
    texts.sort();
    texts
}

/// An account by its file; else the line and what is wrong there.
fn parse(name: &str, text: &str, is_fixed: bool) -> Result<Account, (usize, String)> {
    if is_fixed {
        return Err((1, format!("the account `{name}` stands in parom.toml too")));
    }
    let raw: RawAccount = toml::from_str(text).map_err(|error| match text.strip_prefix("cannot be read: ") {
        Some(_) => (1, text.to_owned()),
        None => wrong_at(text, &error),
    })?;
    check(name, raw).map_err(|message| (1, message))
}

fn check(name: &str, raw: RawAccount) -> Result<Account, String> {
    let url = raw.url.trim_end_matches('/').to_owned();
    https_or_loopback(&url)?;
    if raw.requests_per_minute == 0 {
        return Err("requests_per_minute must be at least 1".into());
    }
    let api_key = secret("api_key", raw.api_key)?;
    if let Some(page) = raw.order_url.as_deref().filter(|page| !page.starts_with("https://") || !page.contains("{id}"))
    {
        return Err(format!(
            "order_url: `{page}` must begin with https:// and have {{id}} where the order's number stands"
        ));
    }
    let (requests_per_minute, order_url) = (raw.requests_per_minute, raw.order_url);
    Ok(Account { name: name.to_owned(), url, api_key, requests_per_minute, order_url })
}
