//! Writing a channel: whole or not at all, and never over what somebody else wrote meanwhile. Into its file, or into the
//! store where that is the truth.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use parom_core::Code;
use parom_core::channel::{Finding, Severity, parse};

use crate::config::{Config, read_secrets};
use crate::store::{Scope, Store};

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
    store: &Store,
    scope: &Scope,
    actor: &str,
    name: &str,
    before: Option<&str>,
    text: &str,
) -> Result<(), NotSaved> {
    check(config, scope, name, before, text)?;
    if !store.keeps_channels() {
        return into_file(config, name, before, text);
    }
    match store.replace_channel(name, before, text, actor).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(NotSaved::Changed),
        Err(error) => Err(NotSaved::Disk(error.to_string())),
    }
}

fn check(config: &Config, scope: &Scope, name: &str, before: Option<&str>, text: &str) -> Result<(), NotSaved> {
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
    if let Some(channel) = &channel
        && let Err((place, error)) = read_secrets(&config.dir, &channel.access)
    {
        // Served like this nobody could post: it is no file to be saved.
        let (code, severity, hint) = (Code::Unreadable, Severity::Error, "Set it, then save.".to_owned());
        let path = place.to_owned();
        return Err(NotSaved::Broken(vec![Finding {
            line: 1,
            column: 1,
            path,
            code,
            severity,
            message: error.to_string(),
            hint,
        }]));
    }
    let account = channel.map(|channel| channel.account).unwrap_or_default();
    if !scope.sees(&account) || !config.accounts.has(&account) {
        return Err(NotSaved::ForeignAccount);
    }
    Ok(())
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
