//! What intake and delivery tell each other beside the rows. It holds nothing that must survive: rows do.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use parom_core::delivery::state::State;
use tokio::sync::{Notify, broadcast};

/// Changes that a slow listener may miss before it has to look itself.
const CHANGES: usize = 1_024;

/// What delivery did.
#[derive(Clone, Debug)]
pub enum Changed {
    /// An order, by its id, reached a state.
    Order(String, State),
    /// Some order of an account changed, by another process.
    Elsewhere(String),
}

/// How an account's delivery stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// It rests: the breaker is open, or the CRM asked for time.
    pub resting: bool,
    /// Requests that could go at once.
    pub free_places: usize,
}

/// Wake-ups and pulses.
#[derive(Debug)]
pub struct Board {
    wakes: Mutex<HashMap<String, Arc<Notify>>>,
    pulses: Mutex<HashMap<String, Pulse>>,
    paused: Mutex<HashSet<String>>,
    changes: broadcast::Sender<Changed>,
    /// Grows when rows were changed from outside of intake and delivery.
    hand: AtomicU64,
}

impl Default for Board {
    fn default() -> Board {
        Board {
            wakes: Mutex::default(),
            pulses: Mutex::default(),
            paused: Mutex::default(),
            changes: broadcast::channel(CHANGES).0,
            hand: AtomicU64::new(0),
        }
    }
}

impl Board {
    /// What an account's delivery sleeps on.
    #[must_use]
    pub fn wake_of(&self, account: &str) -> Arc<Notify> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(account.to_owned()).or_default())
    }

    /// Wakes every account's delivery: rows were changed by a person's word, or by another process.
    pub fn wake_all(&self) {
        self.hand.fetch_add(1, Ordering::Release);
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.values().for_each(|wake| wake.notify_one());
    }

    /// Wakes one account's delivery, for the same reason.
    pub fn wake(&self, account: &str) {
        self.hand.fetch_add(1, Ordering::Release);
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.get(account).inspect(|wake| wake.notify_one());
    }

    /// A number that grows with each [`Board::wake_all`] and [`Board::wake`].
    #[must_use]
    pub fn hand(&self) -> u64 {
        self.hand.load(Ordering::Acquire)
    }

    /// How an account's delivery stands; an account without delivery rests.
    #[must_use]
    pub fn pulse(&self, account: &str) -> Pulse {
        let pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.get(account).copied().unwrap_or(Pulse { resting: true, free_places: 0 })
    }

    /// Delivery tells how it stands.
    pub fn set_pulse(&self, account: &str, pulse: Pulse) {
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.insert(account.to_owned(), pulse);
    }

    /// Whether a person has paused an account, as far as this process was told; the rows decide.
    #[must_use]
    pub fn is_paused(&self, account: &str) -> bool {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).contains(account)
    }

    /// A person paused an account or let it go on.
    pub fn set_paused(&self, account: &str, paused: bool) {
        {
            let mut set = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
            if paused {
                set.insert(account.to_owned())
            } else {
                set.remove(account)
            };
        }
        self.wake_of(account).notify_one();
    }

    /// Which accounts are paused, as the rows say.
    pub fn set_all_paused(&self, accounts: HashSet<String>) {
        let changed: Vec<String> = {
            let mut set = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = set.symmetric_difference(&accounts).cloned().collect();
            *set = accounts;
            changed
        };
        changed.iter().for_each(|account| self.wake_of(account).notify_one());
    }

    /// Listens for changes from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// Delivery tells of a change that is committed.
    pub fn tell(&self, id: &str, state: State) {
        let _ = self.changes.send(Changed::Order(id.to_owned(), state));
    }

    /// Another process changed orders of an account: its delivery wakes, and whoever waits for one of them looks.
    pub fn tell_of_others(&self, account: &str) {
        self.wake(account);
        let _ = self.changes.send(Changed::Elsewhere(account.to_owned()));
    }
}
