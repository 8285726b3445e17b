//! What the orders that are sent tell of the account's key. While it is refused, their tries leave no turn to a fetch, which would
//! find it out.

use super::super::fetch::refused;
use super::Dispatcher;
use crate::clock;
use crate::store::StoreError;

/// The key, as the last answers tell of it.
#[derive(Debug, Default)]
pub(super) struct Key {
    /// By which status it was refused, until that is told.
    refused: Option<u16>,
    /// It was taken, and that is not told yet.
    works: bool,
    /// How the last fetch had ended when it was refused first, and when that began, milliseconds.
    before: Option<(String, i64)>,
}

impl Key {
    pub(super) fn is_refused(&mut self, status: u16) {
        if matches!(status, 401 | 403) {
            (self.refused, self.works) = (Some(status), false);
        }
    }

    pub(super) fn works(&mut self) {
        (self.refused, self.works) = (None, true);
    }
}

impl Dispatcher {
    /// Writes it where a fetch writes how it ended: for the pages, for `check`, and for the alerts.
    pub(super) async fn tell_key(&mut self) -> Result<(), StoreError> {
        if let Some(status) = self.key.refused.take() {
            let state = self.store.sync_state(&self.account).await?;
            if self.key.before.is_none() && !state.key_is_refused() {
                self.key.before = Some((state.outcome, state.done_at));
            }
            return self.store.end_sync(&self.account, &refused(status), None, clock::now().as_millisecond()).await;
        }
        if std::mem::take(&mut self.key.works)
            && let Some((outcome, began)) = self.key.before.take()
        {
            self.store.end_sync(&self.account, &outcome, None, began).await?;
            self.fetch.hurry(clock::mono());
        }
        Ok(())
    }
}
