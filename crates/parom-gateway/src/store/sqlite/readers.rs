//! A few read-only connections; a query runs on a blocking thread, so that a slow one holds nobody up.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::super::StoreError;
use super::super::sql::Db;

#[derive(Debug)]
pub(super) struct Readers {
    free: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
    /// Kept apart: it notices changes by its own connection's counter.
    watcher: Arc<Mutex<Connection>>,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>, watcher: Connection) -> Readers {
        let places = Arc::new(Semaphore::new(connections.len()));
        Readers { free: Arc::new(Mutex::new(connections)), places, watcher: Arc::new(Mutex::new(watcher)) }
    }

    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let gone = || StoreError::Unavailable("no reader".into());
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone())?;
        let free = Arc::clone(&self.free);
        let ran = tokio::task::spawn_blocking(move || {
            // As long as the connection is used, also where whoever asked is gone.
            let _place = place;
            let taken = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = taken.ok_or_else(gone)?;
            let result = query(&Db::Sqlite(&connection));
            free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        });
        ran.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// SQLite's own counter of other connections' commits.
    pub(super) async fn watch(&self) -> Result<i64, StoreError> {
        let watcher = Arc::clone(&self.watcher);
        let ran = tokio::task::spawn_blocking(move || {
            let connection = watcher.lock().unwrap_or_else(PoisonError::into_inner);
            connection.pragma_query_value(None, "data_version", |row| row.get(0))
        });
        Ok(ran.await.map_err(|error| StoreError::Unavailable(error.to_string()))??)
    }
}
