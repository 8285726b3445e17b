//! `[alerts]`: who is told of what needs a person.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parom_core::channel::{SecretRef, parse_duration};
use serde::Deserialize;

use crate::reach::Reach;

use super::file::{RawSecret, https_or_loopback, secret};

/// The longest time between two looks.
const LOOK_MAX: Duration = Duration::from_secs(300);

/// Who is told, how soon, and in which language.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// `uk`, `ru` or `en`.
    pub language: String,
    /// How often it is looked for news.
    pub look: Duration,
    /// From one message to the next, at least: what comes meanwhile is one message.
    pub digest: Duration,
    /// Which addresses messages may be sent to by HTTP.
    pub reach: Reach,
    /// Where backups come to lie, and how old the newest may be.
    pub backups: Option<(PathBuf, Duration)>,
    /// An address that is asked every minute while orders can be accepted: who watches it tells when it is not.
    pub ping: Option<SecretRef>,
    /// A chat of a Telegram bot.
    pub telegram: Option<Telegram>,
    /// Addresses by SMTP.
    pub email: Option<Email>,
    /// An address that is posted to, signed as Standard Webhooks are.
    pub webhook: Option<Webhook>,
}

/// A chat of a bot.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// The bot API's base.
    pub url: String,
    /// The bot's token, by reference.
    pub token: SecretRef,
    /// The chat's id.
    pub chat: String,
}

/// A mail server and addresses.
#[derive(Clone, Debug)]
pub struct Email {
    /// `smtps://host`, `smtp://host` (STARTTLS), or plain `smtp://` on loopback.
    pub server: String,
    /// Who signs in there.
    pub user: Option<String>,
    /// With what, by reference.
    pub password: Option<SecretRef>,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
}

/// An address that is posted to.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// https; plain http for loopback.
    pub url: String,
    /// The secret of the signature, by reference.
    pub secret: SecretRef,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlerts {
    language: Option<String>,
    look: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    backups: Option<PathBuf>,
    backup_age: Option<String>,
    ping: Option<RawSecret>,
    telegram: Option<RawTelegram>,
    email: Option<RawEmail>,
    webhook: Option<RawWebhook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTelegram {
    url: Option<String>,
    token: RawSecret,
    chat: toml::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEmail {
    server: String,
    user: Option<String>,
    password: Option<RawSecret>,
    from: String,
    to: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhook {
    url: String,
    secret: RawSecret,
}

pub(super) fn check(dir: &Path, raw: RawAlerts) -> Result<Alerts, String> {
    let time = |name: &str, text: Option<String>, default: u64| match text {
        None => Ok(Duration::from_secs(default)),
        Some(text) => match parse_duration(&text).filter(|time| *time >= Duration::from_millis(100)) {
            Some(time) => Ok(time),
            None => Err(format!("alerts.{name}: `{text}` is not a time; write 15s or 5m")),
        },
    };
    let language = raw.language.unwrap_or_else(|| "uk".into());
    if !["uk", "ru", "en"].contains(&language.as_str()) {
        return Err(format!("alerts.language: `{language}` is not known; write uk, ru or en"));
    }
    let reach = Reach::new(&raw.allow).map_err(|why| format!("alerts.allow: {why}"))?;
    if raw.backups.is_none() && raw.backup_age.is_some() {
        return Err("alerts.backup_age: say where backups lie: backups = \"/var/backups/parom\"".into());
    }
    let age = time("backup_age", raw.backup_age, 26 * 3_600)?;
    let look = time("look", raw.look, 15)?;
    if look > LOOK_MAX {
        return Err("alerts.look: at most 5m: what needs a person is told within minutes".into());
    }
    Ok(Alerts {
        language,
        backups: raw.backups.map(|path| (dir.join(path), age)),
        ping: raw.ping.map(|ping| secret("alerts.ping", ping)).transpose()?,
        look,
        digest: time("digest", raw.digest, 300)?,
        telegram: raw.telegram.map(|raw| telegram(raw, &reach)).transpose()?,
        email: raw.email.map(email).transpose()?,
        webhook: raw.webhook.map(|raw| webhook(raw, &reach)).transpose()?,
        reach,
    })
}

/// What is secret goes by https; and an address of the inner network is reached only where it is listed.
fn reachable(text: &str, reach: &Reach) -> Result<(), String> {
    https_or_loopback(text)?;
    let url = reqwest::Url::parse(text).map_err(|_| format!("`{text}` is not an address"))?;
    reach.may_ask(&url)
}

fn telegram(raw: RawTelegram, reach: &Reach) -> Result<Telegram, String> {
    let url = raw.url.unwrap_or_else(|| "https://api.telegram.org".into());
    reachable(&url, reach).map_err(|why| format!("alerts.telegram.url: {why}"))?;
    let chat = match raw.chat {
        toml::Value::String(text) => text,
        toml::Value::Integer(id) => id.to_string(),
        _ => return Err("alerts.telegram.chat: write the chat's id, as -1001234567890 or \"@name\"".into()),
    };
    Ok(Telegram { url: url.trim_end_matches('/').to_owned(), token: secret("alerts.telegram.token", raw.token)?, chat })
}

fn email(raw: RawEmail) -> Result<Email, String> {
    let url = reqwest::Url::parse(&raw.server).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps"));
    if url.and_then(|url| url.host_str().map(str::to_owned)).is_none() {
        return Err(format!("alerts.email.server: `{}` is no mail server; write smtps://mail.example.ua", raw.server));
    }
    for (name, address) in raw.to.iter().map(|to| ("to", to)).chain([("from", &raw.from)]) {
        if address.parse::<lettre::message::Mailbox>().is_err() {
            return Err(format!("alerts.email.{name}: `{address}` is no e-mail address"));
        }
    }
    if raw.to.is_empty() {
        return Err("alerts.email.to: name at least one address".into());
    }
    let password = raw.password.map(|password| secret("alerts.email.password", password)).transpose()?;
    Ok(Email { server: raw.server, user: raw.user, password, from: raw.from, to: raw.to })
}

fn webhook(raw: RawWebhook, reach: &Reach) -> Result<Webhook, String> {
    reachable(&raw.url, reach).map_err(|why| format!("alerts.webhook.url: {why}"))?;
    Ok(Webhook { secret: secret("alerts.webhook.secret", raw.secret)?, url: raw.url })
}
