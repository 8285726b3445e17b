//! What a world's store holds, read and changed behind the gateway's back.

use std::path::PathBuf;

use super::postgres;
use super::proof::checker;
use super::world::World;

impl World {
    /// The store's file; of a server, a copy of its rows as they are now.
    pub(crate) fn db(&self) -> PathBuf {
        let file = self.dir.path().join(self.settings.file);
        self.database.as_ref().inspect(|database| database.copy(&file));
        file
    }

    /// Changes rows behind the gateway's back; how many.
    pub(crate) fn alter(&self, sql: &str) -> usize {
        self.try_alter(sql).unwrap()
    }

    /// Tries to; why not.
    pub(crate) fn try_alter(&self, sql: &str) -> Result<usize, String> {
        match &self.database {
            Some(database) => database.alter(sql),
            None => postgres::alter_file(&self.db(), sql),
        }
    }

    /// Holds up whatever is to be kept, from now on and for so long: what comes meanwhile waits together.
    pub(crate) fn hold_up(&self, time: std::time::Duration) {
        match &self.database {
            Some(database) => database.hold_up(time),
            None => postgres::hold_up_file(&self.db(), time),
        }
    }

    /// How many orders are in these states, now.
    pub(crate) fn count(&self, states: &[&str]) -> usize {
        self.number(&format!("SELECT count(*) FROM orders WHERE state IN ('{}')", states.join("','")))
    }

    /// What a query counts, now.
    pub(crate) fn number(&self, sql: &str) -> usize {
        match &self.database {
            Some(database) => database.number(sql),
            None => checker::number(&self.db(), sql),
        }
    }

    /// Whether each order is where delivery does nothing more with it.
    pub(crate) fn is_settled(&self) -> bool {
        self.count(&["queued", "sending", "unconfirmed"]) == 0
    }
}
