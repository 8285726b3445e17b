//! Writing a channel: whole or not at all, and never over what somebody else wrote meanwhile. Into its file, or into the
//! store where that is the truth.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use parom_core::Code;
use parom_core::channel::{Finding, Severity, parse};
use secrecy::ExposeSecret;

use crate::config::{Config, LiveChannel, Secrets, read_secrets};
use crate::intake;
use crate::operate::Desk;

/// Bytes of a channel file.
const LONGEST: usize = 256 * 1024;

static TURN: Mutex<()> = Mutex::new(());

/// Why a channel was not written.
#[derive(Debug)]
pub enum NotSaved {
    /// It is another file than the one that was read: somebody changed it, or it is there already.
    Changed,
    /// It could not be used as it is.
    Broken(Vec<Finding>),
    /// Its account is not one of the writer's.
    ForeignAccount,
    /// Its name is none that a channel can have.
    Name,
    /// The disk or the store, in words.
    Disk(String),
}

/// Writes a channel in the place of `before`; without one it must not be there yet.
///
/// # Errors
/// Why nothing was written.
pub async fn save(
    config: &Config,
    desk: Desk<'_>,
    name: &str,
    before: Option<&str>,
    text: &str,
) -> Result<(), NotSaved> {
    check(config, desk, name, before, text)?;
    if !desk.store.keeps_channels() {
        return into_file(config, name, before, text);
    }
    match desk.store.replace_channel(name, before, text, desk.actor).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(NotSaved::Changed),
        Err(error) => Err(NotSaved::Disk(error.to_string())),
    }
}

fn check(config: &Config, desk: Desk<'_>, name: &str, before: Option<&str>, text: &str) -> Result<(), NotSaved> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    // A file of a person may have another name; a new one is made with a plain one.
    if name.is_empty() || name.len() > 64 || (before.is_none() && !name.bytes().all(plain)) {
        return Err(NotSaved::Name);
    }
    let (channel, mut findings) = parse(name, text);
    findings.retain(|finding| finding.severity == Severity::Error);
    if !findings.is_empty() || text.len() > LONGEST {
        return Err(NotSaved::Broken(findings));
    }
    if let Some(channel) = &channel {
        // Served like this nobody could post: it is no file to be saved.
        let secrets = read_secrets(&config.dir, &channel.access)
            .map_err(|(place, error)| broken(place, Code::Unreadable, error.to_string(), "Set it, then save."))?;
        if takes_anothers(desk, name, &secrets) {
            // What comes by it to /v1/order would come here: another's orders.
            let message = "another account's channel has this token".to_owned();
            return Err(broken("access.token", Code::InvalidSetting, message, "Give this one a token of its own."));
        }
    }
    let account = channel.map(|channel| channel.account).unwrap_or_default();
    if !desk.scope.sees(&account) || !config.accounts.has(&account) {
        return Err(NotSaved::ForeignAccount);
    }
    Ok(())
}

fn broken(place: &str, code: Code, message: String, hint: &str) -> NotSaved {
    let (path, severity, hint) = (place.to_owned(), Severity::Error, hint.to_owned());
    NotSaved::Broken(vec![Finding { line: 1, column: 1, path, code, severity, message, hint }])
}

/// Whether the token is that of a channel that who writes does not see.
fn takes_anothers(desk: Desk<'_>, name: &str, secrets: &Secrets) -> bool {
    let Some(token) = &secrets.token else { return false };
    let hidden = |live: &LiveChannel| {
        let account = live.channel.as_ref().map(|channel| channel.account.as_str()).unwrap_or_default();
        live.name != name && !desk.scope.sees(account)
    };
    let has = |live: &LiveChannel| intake::is_token(live, token.expose_secret());
    let had = desk.channels.get(name).is_some_and(|own| has(own));
    !had && desk.channels.values().any(|live| hidden(live) && has(live))
}

fn into_file(config: &Config, name: &str, before: Option<&str>, text: &str) -> Result<(), NotSaved> {
    // Two at once must not both find the file unchanged.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let path = config.channels_dir().join(format!("{name}.toml"));
    let there = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(NotSaved::Disk(error.to_string())),
    };
    if there.as_deref() != before {
        return Err(NotSaved::Changed);
    }
    write(&path, text).map_err(|error| NotSaved::Disk(format!("{}: {error}", path.display())))
}

/// By a file beside it, flushed, that takes its name.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    fs::create_dir_all(&folder)?;
    let beside = path.with_extension("toml.new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if let Ok(there) = fs::metadata(path) {
        fs::set_permissions(&beside, there.permissions())?;
    }
    fs::rename(&beside, path)?;
    fs::File::open(&folder)?.sync_all()
}
