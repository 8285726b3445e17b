//! Configuration: the file as written, then checked. The environment is read here and nowhere else.

mod accounts;
mod alerts;
mod channels;
mod file;
mod novaposhta;
mod retention;
mod secrets;
mod store;
#[cfg(debug_assertions)]
mod trials;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use parom_core::channel::SecretRef;
use toml::de::{DeTable, DeValue};

pub use accounts::{AccountFault, Accounts};
pub use alerts::{Alerts, Email, Telegram, Webhook};
pub use channels::{ChannelFile, ChannelSet, LiveChannel, channel_of, load_channels, read_channel_files};
pub use file::{is_loopback, is_plain_elsewhere, load};
pub use novaposhta::NovaPoshta;
pub use retention::Retention;
pub use secrets::{SecretError, Secrets, read_secret, read_secrets};
pub use store::{Place, Server, StoreSettings};
#[cfg(debug_assertions)]
pub(crate) use trials::{checkpoint_pages, clock_is_off_by, crash_point, is_careless, next_schema_step};
#[cfg(debug_assertions)]
use trials::{lease_ms, partition_rows};

/// A test's shorter lease; none in release builds.
pub(crate) fn trial_lease_ms() -> Option<i64> {
    #[cfg(debug_assertions)]
    let lease = lease_ms();
    #[cfg(not(debug_assertions))]
    let lease = None;
    lease
}

/// A test's smaller partitions; none in release builds.
pub(crate) fn trial_partition_rows() -> Option<i64> {
    #[cfg(debug_assertions)]
    let rows = partition_rows();
    #[cfg(not(debug_assertions))]
    let rows = None;
    rows
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of `parom.toml`: relative paths resolve there, and `channels/` stands in it.
    pub dir: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// Intake, drop-in and health.
    pub listen: SocketAddr,
    /// The pages, the API and the metrics, where they have an address of their own.
    pub ui_listen: Option<SocketAddr>,
    /// The address that senders see.
    pub public_url: Option<String>,
    /// Further names by which the pages and the API may be asked for.
    pub hosts: Vec<String>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The store.
    pub store: StoreSettings,
    /// The accounts by name, as they are now.
    pub accounts: Accounts,
    /// Delivery's times and bounds.
    pub delivery: DeliverySettings,
    /// The tokens of the API.
    pub api_tokens: Vec<ApiToken>,
    /// Who is told of what needs a person.
    pub alerts: Option<Alerts>,
    /// How long buyers' data is kept.
    pub retention: Retention,
    /// Nova Poshta's directory, where it is kept.
    pub novaposhta: Option<NovaPoshta>,
}

/// One account of the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name here.
    pub name: String,
    /// The API's base, without a slash at the end.
    pub url: String,
    /// The key, by reference.
    pub api_key: SecretRef,
    /// The ceiling of all requests together.
    pub requests_per_minute: u32,
    /// Where a person sees an order in the CRM, with `{id}` in the place of its number.
    pub order_url: Option<String>,
}

impl Account {
    /// The file that holds its key is not there; of a variable only the process itself knows.
    #[must_use]
    pub fn lacks_its_key(&self, dir: &Path) -> bool {
        matches!(&self.api_key, SecretRef::File(path) if matches!(dir.join(path).try_exists(), Ok(false)))
    }
}

/// Who may use the API.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Its name here, which the history shows.
    pub name: String,
    /// The token, by reference.
    pub token: SecretRef,
    /// What it may do.
    pub role: Role,
    /// The accounts that it may see; none: all.
    pub accounts: Option<Vec<String>>,
}

/// What an operator or a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks, with buyers masked.
    Viewer,
    /// Looks, mends and sends again.
    Operator,
    /// All of it.
    Admin,
}

impl Role {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Role> {
        [Role::Viewer, Role::Operator, Role::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// Delivery's settings; none has a hidden floor.
#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// A real backlog goes by the bulk call.
    pub bulk: bool,
    /// One POST, whole.
    pub timeout: Duration,
    /// No absence counts before.
    pub quiet_period: Duration,
    /// Between two absences that count.
    pub verify_gap: Duration,
    /// Whether a proven absence sends again by itself.
    pub resend: bool,
    /// POSTs under way, at most.
    pub in_flight: usize,
}

/// A configuration that cannot be used; its text names the file, the place and what to do.
#[derive(Debug)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The folder of the channel files.
    #[must_use]
    pub fn channels_dir(&self) -> PathBuf {
        self.dir.join("channels")
    }

    /// Where a key of an account stands: in its own file, or in the configuration.
    #[must_use]
    pub fn account_place(&self, name: &str, key: &str) -> (PathBuf, usize) {
        let own = self.dir.join("accounts").join(format!("{name}.toml"));
        if own.exists() {
            let line = line_of(&own, &[key]);
            return (own, line);
        }
        self.place(&["accounts", name, key])
    }

    /// The configuration's file, and the line of a key or of what stands around it.
    #[must_use]
    pub fn place(&self, path: &[&str]) -> (PathBuf, usize) {
        (self.file.clone(), line_of(&self.file, path))
    }

    /// The address of the pages, without a slash at the end: the public one, unless the pages have their own.
    #[must_use]
    pub fn pages_url(&self) -> String {
        match (self.ui_listen, &self.public_url) {
            (Some(own), _) => format!("http://{own}"),
            (None, Some(url)) => url.trim_end_matches('/').to_owned(),
            (None, None) => format!("http://{}", self.listen),
        }
    }

    /// Whether browsers come by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// A path of the configuration, resolved beside the file.
    #[must_use]
    pub fn resolve(&self, path: &str) -> PathBuf {
        let path = Path::new(path);
        if path.is_absolute() { path.to_owned() } else { self.dir.join(path) }
    }
}

fn line_of(file: &Path, path: &[&str]) -> usize {
    line_in(&std::fs::read_to_string(file).unwrap_or_default(), path)
}

/// The line of a key in a text of settings; where it is not there, of the table that it belongs to.
pub(crate) fn line_in(text: &str, path: &[&str]) -> usize {
    let Ok(whole) = DeTable::parse(text) else { return 1 };
    let (mut table, mut at) = (whole.get_ref(), 0);
    for step in path {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == step) else { break };
        at = key.span().start;
        let DeValue::Table(inner) = value.get_ref() else { break };
        table = inner;
    }
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}
