//! Nova Poshta's directory as it is used: one generation in memory, the next one fetched beside it.

mod client;
mod refresh;

use std::sync::{Arc, PoisonError, RwLock};

use parom_core::novaposhta::Directory;
use tokio::sync::Notify;

use crate::config::Config;
use crate::store::{Standing, Store, StoreError};

pub use refresh::run;

/// What is in use.
#[derive(Debug, Default)]
struct Held {
    directory: Option<Arc<Directory>>,
    generation: i64,
}

/// The directory; empty where the configuration has none.
#[derive(Debug, Default)]
pub struct NovaPoshta {
    held: RwLock<Held>,
    came: Notify,
}

impl NovaPoshta {
    /// Reads the generation that the store has in use.
    ///
    /// # Errors
    /// As any read.
    pub async fn start(config: &Config, store: &Store) -> Result<NovaPoshta, StoreError> {
        let configured = config.novaposhta.is_some();
        let held = Held { directory: configured.then(Arc::default), generation: 0 };
        let carrier = NovaPoshta { held: RwLock::new(held), came: Notify::new() };
        if configured {
            carrier.catch_up(&store.novaposhta().await?, store).await?;
        }
        Ok(carrier)
    }

    /// The directory in use: none where the configuration has none, and an empty one before the first was fetched.
    #[must_use]
    pub fn directory(&self) -> Option<Arc<Directory>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).directory.clone()
    }

    /// The number of the generation in use; 0: none.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.held.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Waits until the first directory is in use: what came before it was held for its sake.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// Reads another generation, where the store has one in use: this node's own, or another's.
    async fn catch_up(&self, standing: &Standing, store: &Store) -> Result<(), StoreError> {
        if standing.generation == self.generation() || standing.generation == 0 {
            return Ok(());
        }
        let (directory, strays) = store.novaposhta_directory(standing.generation).await?;
        if strays > 0 {
            tracing::warn!(strays, "branches of Nova Poshta stand in no settlement of its list; they are left out");
        }
        let counts = directory.counts();
        tracing::info!(
            generation = standing.generation,
            settlements = counts.settlements,
            branches = counts.branches,
            lockers = counts.lockers,
            "Nova Poshta's directory is in use"
        );
        let held = Held { directory: Some(Arc::new(directory)), generation: standing.generation };
        let before = std::mem::replace(&mut *self.held.write().unwrap_or_else(PoisonError::into_inner), held);
        if before.directory.is_none_or(|before| before.is_empty()) {
            self.came.notify_one();
        }
        Ok(())
    }
}
