//! Places for connections. When all are taken, a newcomer gets the place of whoever has kept its own without saying what it
//! wants for the longest time: many slow senders together hold nobody up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Connections at once.
const CONNECTIONS: usize = 4_096;
/// Descriptors kept for the store, for deliveries and for files.
const OTHER_DESCRIPTORS: u64 = 128;
/// How long a place is waited for before the next slow sender has to go.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

/// Connections that wait for their sender: the one that has waited longest is the first.
#[derive(Debug, Default)]
struct Idle {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
}

impl Places {
    pub(super) fn new() -> Arc<Places> {
        let free = Arc::new(Semaphore::new(connections()));
        Arc::new(Places { free, idle: Mutex::default() })
    }

    /// A place for a new connection.
    pub(super) async fn take(self: &Arc<Places>) -> Arc<Place> {
        loop {
            self.make_room();
            let free = Arc::clone(&self.free);
            if let Ok(Ok(permit)) = tokio::time::timeout(LOOK_AGAIN, free.acquire_owned()).await {
                let place = Place {
                    places: Arc::clone(self),
                    ended: Arc::new(Notify::new()),
                    waits: Mutex::new(None),
                    _permit: permit,
                };
                return Arc::new(place);
            }
        }
    }

    /// Makes room, if there is none.
    fn make_room(&self) {
        if self.free.available_permits() == 0
            && let Some((_, slowest)) = self.idle().waiting.pop_first()
        {
            slowest.notify_one();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    ended: Arc<Notify>,
    waits: Mutex<Option<u64>>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The connection waits for its sender from now on.
    pub(super) fn wait(&self) {
        let mut idle = self.places.idle();
        let number = idle.next;
        idle.next += 1;
        idle.waiting.insert(number, Arc::clone(&self.ended));
        if let Some(before) = self.waits().replace(number) {
            idle.waiting.remove(&before);
        }
    }

    /// A request is there, whole: its sender is not ended before the answer.
    pub(super) fn work(&self) {
        let mut idle = self.places.idle();
        if let Some(number) = self.waits().take() {
            idle.waiting.remove(&number);
        }
    }

    /// Waits until the place is another's.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }

    fn waits(&self) -> MutexGuard<'_, Option<u64>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.work();
    }
}

/// As many as there are descriptors for: a shell often grants 1,024, of which the store and deliveries need some. What the
/// system allows beyond that is asked for first.
fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 4 * u64::try_from(CONNECTIONS).unwrap_or(u64::MAX);
    let wanted = limit.maximum.map_or(wanted, |most| most.min(wanted));
    let mut granted = limit.current.unwrap_or(wanted);
    let asked = Rlimit { current: Some(wanted), maximum: limit.maximum };
    if granted < wanted && setrlimit(Resource::Nofile, asked).is_ok() {
        granted = wanted;
    }
    // Two listeners at most, and a connection to the CRM for what they bring.
    let each = granted.saturating_sub(OTHER_DESCRIPTORS) / 2;
    usize::try_from(each).unwrap_or(CONNECTIONS).clamp(16, CONNECTIONS)
}
