//! `parom.toml` as written, and its checks.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use parom_core::channel::{SecretRef, parse_duration};
use parom_core::limits;
use serde::Deserialize;

use super::accounts::{Accounts, RawAccount};
use super::alerts::RawAlerts;
use super::novaposhta::RawNovaPoshta;
use super::retention::RawRetention;
use super::store::{self, RawStore};
use super::{ApiToken, Config, ConfigError, DeliverySettings, Role};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default = "default_listen")]
    listen: String,
    ui_listen: Option<String>,
    public_url: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    #[serde(default)]
    store: RawStore,
    #[serde(default)]
    accounts: BTreeMap<String, RawAccount>,
    #[serde(default)]
    delivery: RawDelivery,
    #[serde(default)]
    api: RawApi,
    #[serde(default)]
    retention: RawRetention,
    alerts: Option<RawAlerts>,
    novaposhta: Option<RawNovaPoshta>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a reference: { env = \"NAME\" } or { file = \"PATH\" }")]
pub(super) struct RawSecret {
    env: Option<String>,
    file: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawDelivery {
    timeout: Option<String>,
    quiet_period: Option<String>,
    verify_gap: Option<String>,
    resend: Option<String>,
    in_flight: Option<usize>,
    bulk: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawApi {
    #[serde(default)]
    tokens: BTreeMap<String, RawToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    token: RawSecret,
    role: Option<String>,
    accounts: Option<Vec<String>>,
}

fn default_listen() -> String {
    "127.0.0.1:8080".into()
}

/// Reads and checks the configuration.
///
/// # Errors
/// What cannot be read or used, with the file, the place and what to do.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let raw: Raw = read(path)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let fail = |message: String| ConfigError(format!("{}: {message}", path.display()));
    let store = store::check(&dir, raw.store).map_err(fail)?;
    let delivery = check_delivery(&raw.delivery, store.file().is_none()).map_err(fail)?;
    Ok(Config {
        listen: parse_address("listen", &raw.listen).map_err(fail)?,
        ui_listen: raw.ui_listen.map(|text| parse_address("ui_listen", &text)).transpose().map_err(fail)?,
        public_url: raw.public_url.map(check_public).transpose().map_err(fail)?,
        hosts: raw.hosts.into_iter().map(check_host).collect::<Result<_, _>>().map_err(fail)?,
        trusted_proxies: raw
            .trusted_proxies
            .iter()
            .map(|text| {
                let one = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
                let wrong =
                    |_| fail(format!("trusted_proxies: `{text}` is neither an address nor a network as 10.0.0.0/8"));
                one.or_else(|_| text.parse::<IpNet>()).map_err(wrong)
            })
            .collect::<Result<_, _>>()?,
        store,
        accounts: Accounts::start(&dir, path, raw.accounts)?,
        delivery,
        api_tokens: raw
            .api
            .tokens
            .into_iter()
            .map(|(name, token)| {
                check_token(&name, token).map_err(|message| fail(format!("api.tokens.{name}: {message}")))
            })
            .collect::<Result<_, _>>()?,
        alerts: raw.alerts.map(|raw| super::alerts::check(&dir, raw)).transpose().map_err(fail)?,
        retention: super::retention::check(raw.retention).map_err(fail)?,
        novaposhta: raw.novaposhta.map(super::novaposhta::check).transpose().map_err(fail)?,
        file: path.to_owned(),
        dir,
    })
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError(format!("{}: {error}; name the file with --config, or start with `parom demo`", path.display()))
    })?;
    toml::from_str(&text).map_err(|error| ConfigError(format!("{}: {}", path.display(), wrong(&text, &error))))
}

/// The parser's text shows the line and a mark under the place; but for a secret that stands there itself.
fn wrong(text: &str, error: &toml::de::Error) -> String {
    if !is_secret(error) {
        return error.to_string();
    }
    let (line, message) = wrong_at(text, error);
    format!("line {line}: {message}")
}

/// The line, from 1, and what is wrong in one: never with a secret that stands there itself.
pub(super) fn wrong_at(text: &str, error: &toml::de::Error) -> (usize, String) {
    let before = &text[..error.span().map_or(0, |span| span.start)];
    let (line, key) = (before.matches('\n').count() + 1, before.lines().last().unwrap_or_default());
    let message = match is_secret(error) {
        true => format!(
            "{key}…: expected a reference: {{ env = \"NAME\" }} or {{ file = \"PATH\" }}, never the secret itself"
        ),
        false => error.message().to_owned(),
    };
    (line, message)
}

fn is_secret(error: &toml::de::Error) -> bool {
    error.message().contains("expected a reference")
}

/// An address that what is secret may go to.
pub(super) fn https_or_loopback(text: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(text).map_err(|_| format!("`{text}` is not an address"))?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        _ => Err(format!("`{text}` must be https (plain http is for loopback addresses alone)")),
    }
}

/// Whether an address is this machine's own.
#[must_use]
pub fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether an address is plain http of another machine.
#[must_use]
pub fn is_plain_elsewhere(address: &str) -> bool {
    reqwest::Url::parse(address).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
}

pub(super) fn secret(name: &str, raw: RawSecret) -> Result<SecretRef, String> {
    match (raw.env, raw.file) {
        (Some(env), None) => Ok(SecretRef::Env(env)),
        (None, Some(file)) => Ok(SecretRef::File(file)),
        _ => Err(format!("{name} takes {{ env = \"NAME\" }} or {{ file = \"/path\" }}")),
    }
}

fn check_token(name: &str, raw: RawToken) -> Result<ApiToken, String> {
    let role = match raw.role.as_deref() {
        None => Role::Viewer,
        Some(word) => {
            Role::parse(word).ok_or_else(|| format!("role: `{word}` is not taken; write viewer, operator or admin"))?
        }
    };
    Ok(ApiToken { name: name.to_owned(), token: secret("token", raw.token)?, role, accounts: raw.accounts })
}

fn check_public(text: String) -> Result<String, String> {
    let url = reqwest::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(|_| text.clone())
        .ok_or_else(|| format!("public_url: `{text}` is not an address; write https://orders.example.ua"))
}

fn check_host(text: String) -> Result<String, String> {
    let strange = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    if text.is_empty() || text.contains(strange) || (text.contains(':') && text.parse::<IpAddr>().is_err()) {
        return Err(format!("hosts: `{text}` is not a name; write orders.example.ua, without https:// and port"));
    }
    Ok(text)
}

fn check_delivery(raw: &RawDelivery, shared: bool) -> Result<DeliverySettings, String> {
    let time = |name: &str, text: &Option<String>, default: u64| match text {
        None => Ok(Duration::from_secs(default)),
        Some(text) => {
            parse_duration(text).ok_or_else(|| format!("delivery.{name}: `{text}` is not a time; write 30s or 500ms"))
        }
    };
    let resend = match raw.resend.as_deref() {
        None | Some("auto") => true,
        Some("ask") => false,
        Some(other) => {
            return Err(format!("delivery.resend: `{other}` is not taken; write auto or ask"));
        }
    };
    let bulk = match raw.bulk.as_deref() {
        None | Some("off") => false,
        Some("auto") => true,
        Some(other) => return Err(format!("delivery.bulk: `{other}` is not taken; write auto or off")),
    };
    let timeout = time("timeout", &raw.timeout, 30)?;
    if timeout.is_zero() {
        return Err("delivery.timeout: a POST needs some time; write 30s".into());
    }
    let most = if shared { limits::TIMEOUT_SHARED_S } else { limits::TIMEOUT_S };
    if timeout.as_secs_f64() > f64::from(most) {
        let why =
            if shared { "another node may take the account over after that" } else { "a start counts with no more" };
        return Err(format!("delivery.timeout: at most {most}s, {why}; write 30s"));
    }
    if raw.in_flight == Some(0) {
        return Err(
            "delivery.in_flight: 0 would send nothing; write 1 or more, or pause the account (docs/run.md)".into()
        );
    }
    Ok(DeliverySettings {
        timeout,
        quiet_period: time("quiet_period", &raw.quiet_period, 180)?,
        verify_gap: time("verify_gap", &raw.verify_gap, 60)?,
        resend,
        bulk,
        in_flight: raw.in_flight.unwrap_or(4),
    })
}

fn parse_address(name: &str, text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{name}: `{text}` is not an address; write 127.0.0.1:8080"))
}
