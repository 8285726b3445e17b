//! Where the texts of channels come from. With SQLite the files are the truth. With PostgreSQL the store is, for every node;
//! a file of a channel that the store never had is taken into it once, and does nothing after that.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::{Config, channel_of, read_channel_files};
use crate::store::{Store, StoreError};

/// A channel's text, or why it cannot be read.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) text: Result<String, String>,
}

/// The store's texts as they were read last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The number of the last change among them.
    change: i64,
    all: BTreeMap<String, Option<String>>,
}

impl Kept {
    /// Every channel that the store has or had.
    pub(super) async fn stored(store: &Store) -> Result<BTreeMap<String, Option<String>>, StoreError> {
        let mut kept = Kept::default();
        kept.catch_up(store).await?;
        Ok(kept.all)
    }

    /// The texts now.
    pub(super) async fn look(&mut self, config: &Config, store: &Store) -> Result<Vec<Written>, StoreError> {
        let files = match read_channel_files(&config.channels_dir()) {
            // Where the store is the truth, the folder only brings new names.
            Err(_) if store.keeps_channels() => Vec::new(),
            files => files.map_err(StoreError::Refused)?,
        };
        let mut all: Vec<_> = files.into_iter().map(|(name, file, text)| Written { name, file, text }).collect();
        if !store.keeps_channels() {
            return Ok(all);
        }
        self.catch_up(store).await?;
        all.retain(|written| !self.all.contains_key(&written.name));
        let folder = config.channels_dir();
        let kept = self.all.iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        all.extend(kept.map(|(name, text)| {
            let file = folder.join(format!("{name}.toml"));
            Written { name: name.clone(), file, text: Ok(text) }
        }));
        all.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(all)
    }

    /// The texts now, after files of channels that the store never had were taken into it. One that is broken is not taken:
    /// it accepts and holds, as any broken one, until it is mended.
    pub(super) async fn adopt(&mut self, config: &Config, store: &Store) -> Result<Vec<Written>, StoreError> {
        let all = self.look(config, store).await?;
        let new = |written: &&Written| store.keeps_channels() && !self.all.contains_key(&written.name);
        let mut taken = false;
        for written in all.iter().filter(new).filter(|written| is_usable(config, written)) {
            let Ok(text) = &written.text else { continue };
            tracing::info!(channel = %written.name, "the channel's file is taken into the store");
            store.adopt_channel(&written.name, text).await?;
            taken = true;
        }
        // Another node may have been first, with another file.
        if taken { self.look(config, store).await } else { Ok(all) }
    }

    async fn catch_up(&mut self, store: &Store) -> Result<(), StoreError> {
        let changed = match store.channels_since(self.change).await? {
            Some(changed) => changed,
            None => {
                *self = Kept::default();
                store.channels_since(0).await?.unwrap_or_default()
            }
        };
        for changed in changed {
            self.change = changed.change.max(self.change);
            self.all.insert(changed.name, changed.text);
        }
        Ok(())
    }
}

fn is_usable(config: &Config, written: &Written) -> bool {
    !channel_of(config, written.name.clone(), written.file.clone(), written.text.clone()).is_broken()
}
