//! Buyers' data goes when its time is over: a few orders at a time, behind whatever else the store has to do.

use std::sync::Arc;
use std::time::Duration;

use parom_core::delivery::Mono;
use tokio::sync::watch;

use crate::clock;
use crate::config::{Config, Retention};
use crate::store::{Cutoffs, Store, StoreError};

/// Between two batches: senders come first.
const REST: Duration = Duration::from_millis(50);

/// A time of day that moved so far against the running time was set by somebody.
const SET_MS: u64 = 3_600_000;
/// Then nothing is erased for so long: what is gone does not come back when the clock is put right.
const DOUBT_MS: u64 = 24 * 3_600_000;

/// Whether the time of day can be believed.
#[derive(Debug)]
struct Trust {
    apart: i64,
    from: Mono,
}

impl Trust {
    fn new(now: i64, mono: Mono) -> Trust {
        Trust { apart: apart(now, mono), from: mono }
    }

    /// Looks at both clocks; `false` for a day after one was set.
    fn holds(&mut self, now: i64, mono: Mono) -> bool {
        let apart = apart(now, mono);
        if apart.abs_diff(self.apart) > SET_MS {
            tracing::warn!("the time of day was set: buyers' data is erased again after a day");
            *self = Trust { apart, from: mono.after(DOUBT_MS) };
        }
        mono >= self.from
    }
}

fn apart(now: i64, mono: Mono) -> i64 {
    now.saturating_sub(i64::try_from(mono.0).unwrap_or(i64::MAX))
}

/// Looks for what is due until the process stops.
pub(crate) async fn run(config: Arc<Config>, store: Store, mut stop: watch::Receiver<bool>) {
    let retention = &config.retention;
    let mut cut_at = None;
    let mut trust = Trust::new(clock::now().as_millisecond(), clock::mono());
    loop {
        let holds = trust.holds(clock::now().as_millisecond(), clock::mono());
        tokio::select! {
            swept = sweep(retention, &store, &mut cut_at), if holds => {
                if let Err(error) = swept {
                    tracing::warn!(%error, "buyers' data could not be erased; it is tried again");
                }
            }
            () = std::future::ready(()), if !holds => {}
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
    let partitions = store.turn_partitions().await?;
    if partitions > 0 {
        tracing::info!(partitions, "submissions of orders that are all erased are gone");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_clock_was_set_nothing_is_erased_for_a_day() {
        let day = DOUBT_MS;
        let mut trust = Trust::new(1_000_000, Mono(5_000));
        assert!(trust.holds(1_060_000, Mono(65_000)), "both went on");
        let years = 315_360_000_000;
        assert!(!trust.holds(years, Mono(70_000)));
        assert!(!trust.holds(years + 1_000, Mono(71_000)));
        assert!(trust.holds(years + i64::try_from(day).unwrap(), Mono(70_000 + day)), "nobody put it right");
    }
}
