//! Buyers' data goes when its time is over: a few orders at a time, behind whatever else the store has to do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock;
use crate::config::{Config, Retention};
use crate::store::{Cutoffs, Store, StoreError};

/// Between two batches: senders come first.
const REST: Duration = Duration::from_millis(50);

/// Looks for what is due until the process stops.
pub(crate) async fn run(config: Arc<Config>, store: Store, mut stop: watch::Receiver<bool>) {
    let retention = &config.retention;
    let mut cut_at = None;
    loop {
        tokio::select! {
            swept = sweep(retention, &store, &mut cut_at) => {
                if let Err(error) = swept {
                    tracing::warn!(%error, "buyers' data could not be erased; it is tried again");
                }
            }
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(retention.look) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Erases all that is due. `cut_at` is the newest erasure of which the log is clean.
async fn sweep(retention: &Retention, store: &Store, cut_at: &mut Option<i64>) -> Result<(), StoreError> {
    let now = clock::now().as_millisecond();
    let before = |kept: Option<Duration>| Some(now - i64::try_from(kept?.as_millis()).unwrap_or(now));
    let cutoffs = Cutoffs { delivered: before(retention.delivered), canceled: before(retention.canceled) };
    let mut erased = 0;
    loop {
        let some = store.erase_due(cutoffs).await?;
        if some == 0 {
            break;
        }
        erased += some;
        tokio::time::sleep(REST).await;
    }
    let forgotten = store.forget(cutoffs.delivered, before(retention.audit)).await?;
    // A command erases too, and may have found the log in use.
    let newest = store.last_erased().await?;
    if (newest > *cut_at || forgotten > 0) && store.cut_log().await? {
        *cut_at = newest;
    }
    if erased > 0 {
        tracing::info!(orders = erased, "buyers' data erased");
    }
    Ok(())
}
