//! Channels between files and a store that several nodes share.

use parom_core::channel::Severity;

use super::save;
use super::texts::Kept;
use crate::config::{Config, LiveChannel, channel_of, read_channel_files};
use crate::store::{ChannelChange, Store, StoreError};

/// What became of a channel that was to be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It was not there before.
    New,
    /// It has the other side's text now.
    Changed,
    /// Both sides had the same text.
    Same,
    /// It was taken out.
    Removed,
    /// The file is another than the store's, and nobody said that it may be written over.
    Differs,
}

impl Became {
    /// Its word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Became::New => "new",
            Became::Changed => "changed",
            Became::Same => "same",
            Became::Removed => "removed",
            Became::Differs => "differs",
        }
    }
}

/// The channels that are served, or would be, read for a command.
///
/// # Errors
/// As any read of the store.
pub async fn read_all(config: &Config, store: &Store) -> Result<Vec<LiveChannel>, StoreError> {
    let written = Kept::default().look(config, store).await?;
    Ok(written.into_iter().map(|written| channel_of(config, written.name, written.file, written.text)).collect())
}

/// Brings files into the store, all or none; with `delete`, what has no file is taken out of it.
///
/// # Errors
/// In words: a file that is broken, a channel without a file, a store that does not write.
pub async fn push(
    config: &Config,
    store: &Store,
    names: &[String],
    delete: bool,
    actor: &str,
) -> Result<Vec<(String, Became)>, String> {
    let there = Kept::stored(store).await.map_err(|error| error.to_string())?;
    let files = read_channel_files(&config.channels_dir())?;
    if let Some(name) = names.iter().find(|name| !files.iter().any(|(known, ..)| known == *name)) {
        return Err(format!("there is no file {}", config.channels_dir().join(format!("{name}.toml")).display()));
    }
    let (mut moved, mut changes, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for (name, file, text) in files.iter().filter(|(name, ..)| names.is_empty() || names.contains(name)) {
        let live = channel_of(config, name.clone(), file.clone(), text.clone());
        // A secret that is not set here is the nodes' affair.
        let broken = |path: &str| !matches!(path, "access.token" | "access.secret");
        let errors = live.findings.iter().filter(|f| f.severity == Severity::Error && broken(&f.path));
        faults.extend(errors.map(|f| format!("{}:{}: {}: {}", file.display(), f.line, f.path, f.message)));
        let before = there.get(name).and_then(Option::as_ref);
        let became = match before {
            None => Became::New,
            Some(before) if *before == live.text => Became::Same,
            Some(_) => Became::Changed,
        };
        if became != Became::Same {
            changes.push(ChannelChange { name: name.clone(), text: Some(live.text) });
        }
        moved.push((name.clone(), became));
    }
    if !faults.is_empty() {
        return Err(format!("nothing was pushed:\n  {}", faults.join("\n  ")));
    }
    let served = there.iter().filter(|(_, text)| text.is_some()).map(|(name, _)| name);
    for name in served.filter(|name| delete && !files.iter().any(|(known, ..)| known == *name)) {
        changes.push(ChannelChange { name: name.clone(), text: None });
        moved.push((name.clone(), Became::Removed));
    }
    if !changes.is_empty() {
        store.change_channels(changes, actor).await.map_err(|error| error.to_string())?;
    }
    Ok(moved)
}

/// Writes the store's texts into files; one that is another is left as it is, unless `force` says otherwise.
///
/// # Errors
/// In words: a channel that the store does not have, a disk or a store that fails.
pub async fn pull(
    config: &Config,
    store: &Store,
    names: &[String],
    force: bool,
) -> Result<Vec<(String, Became)>, String> {
    let there = Kept::stored(store).await.map_err(|error| error.to_string())?;
    if let Some(name) = names.iter().find(|name| there.get(*name).is_none_or(Option::is_none)) {
        return Err(format!("the store has no channel `{name}`; see `parom channel list`"));
    }
    let files = read_channel_files(&config.channels_dir())?;
    let mut moved = Vec::new();
    for (name, text) in there.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        let Some(text) = text else { continue };
        let path = config.channels_dir().join(format!("{name}.toml"));
        let became = match files.iter().find(|(known, ..)| known == name) {
            None => Became::New,
            Some((_, _, Ok(file))) if file == text => Became::Same,
            Some(_) if force => Became::Changed,
            Some(_) => Became::Differs,
        };
        if matches!(became, Became::New | Became::Changed) {
            save::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        moved.push((name.clone(), became));
    }
    Ok(moved)
}
