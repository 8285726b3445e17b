//! A client for each account, and what became of them when the files of accounts changed.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;

use parom_core::channel::SecretRef;

use crate::config::{Account, Config, read_secret};
use crate::crm::{Client, Lines};

/// An account with its client.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) account: Account,
    pub(super) client: Client,
    stamp: Stamp,
}

/// How a key's file stood when it was read: a key is changed without a restart.
type Stamp = Option<(u64, i64, i64, u64)>;

pub(super) struct Connections {
    lines: Lines,
    all: HashMap<String, Connected>,
    /// What was told already of accounts that cannot be used.
    told: HashMap<String, String>,
}

/// What a look at the accounts found.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Accounts that are there for the first time.
    pub(super) begun: Vec<String>,
    /// Accounts that are not there any more, or in another form: what delivers for them must end.
    pub(super) ended: Vec<String>,
}

impl Connections {
    /// Connects every account. One of a file of its own that cannot be used is told of and left out, as later.
    ///
    /// # Errors
    /// A key of an account of `parom.toml` that cannot be had, in words.
    pub(super) fn start(config: &Config) -> Result<Connections, String> {
        let mut connections =
            Connections { lines: Lines::new(config.delivery.timeout)?, all: HashMap::new(), told: HashMap::new() };
        for (name, account) in config.accounts.current().iter().filter(|(name, _)| config.accounts.is_fixed(name)) {
            connections.all.insert(name.clone(), connect(config, account, &connections.lines)?);
        }
        connections.meet(config);
        Ok(connections)
    }

    pub(super) fn get(&self, account: &str) -> Option<&Connected> {
        self.all.get(account)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.all.keys().cloned().collect()
    }

    /// Brings the clients up to the accounts as they are now. One whose new form cannot be used keeps its last.
    pub(super) fn meet(&mut self, config: &Config) -> Changes {
        let (now, mut changes) = (config.accounts.current(), Changes::default());
        self.all.retain(|name, _| {
            now.contains_key(name) || {
                changes.ended.push(name.clone());
                false
            }
        });
        self.told.retain(|name, _| now.contains_key(name));
        for (name, account) in now.iter() {
            let old = self.all.get(name);
            if old.is_some_and(|old| old.account == *account && old.stamp == stamp(config, account)) {
                self.told.remove(name);
                continue;
            }
            let list = if old.is_some() { &mut changes.ended } else { &mut changes.begun };
            match connect(config, account, &self.lines) {
                Ok(connected) => {
                    list.push(name.clone());
                    self.all.insert(name.clone(), connected);
                    self.told.remove(name);
                }
                Err(why) if self.told.get(name) != Some(&why) => {
                    tracing::error!(account = name, why, "the account cannot be used as it is now");
                    self.told.insert(name.clone(), why);
                }
                Err(_) => {}
            }
        }
        changes
    }
}

fn connect(config: &Config, account: &Account, lines: &Lines) -> Result<Connected, String> {
    // The stamp first: a key that is written meanwhile is read again.
    let stamp = stamp(config, account);
    let key = read_secret(&config.dir, &account.api_key)
        .map_err(|error| format!("accounts.{}.api_key: {error}", account.name))?;
    Ok(Connected { account: account.clone(), client: Client::new(account, &key, lines)?, stamp })
}

fn stamp(config: &Config, account: &Account) -> Stamp {
    let SecretRef::File(path) = &account.api_key else { return None };
    let file = std::fs::metadata(config.dir.join(path)).ok()?;
    Some((file.ino(), file.mtime(), file.mtime_nsec(), file.size()))
}
