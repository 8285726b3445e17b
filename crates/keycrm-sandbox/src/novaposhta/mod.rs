//! An imitation of Nova Poshta's directory API: one address, errors with HTTP 200, pages with a limit, throttling, and a
//! directory of the real one's size that is made up row by row, so that it takes no memory.

mod answer;
mod faults;
mod names;
mod rows;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use answer::answer;
pub use faults::{NovaPoshtaFault, NovaPoshtaFaultKind};
pub use rows::Size;

use rows::World;

/// One request to the directory as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NovaPoshtaCall {
    /// Milliseconds from the sandbox's start.
    pub at_ms: u64,
    /// `calledMethod`.
    pub method: String,
    /// `Page`; 0 where it named none.
    pub page: usize,
    /// Rows that it was given.
    pub rows: usize,
    /// The fault that was played on it.
    pub fault: Option<NovaPoshtaFaultKind>,
    /// A code of the answer's errors.
    pub error: Option<String>,
}

/// The imitated carrier.
#[derive(Debug)]
pub(crate) struct NovaPoshta {
    key: Option<String>,
    per_minute: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    world: World,
    faults: Vec<NovaPoshtaFault>,
    calls: Vec<NovaPoshtaCall>,
}

impl NovaPoshta {
    pub(crate) fn new(key: Option<String>, per_minute: u32, size: Size) -> Self {
        let state = State { world: World::new(size), faults: Vec::new(), calls: Vec::new() };
        Self { key, per_minute, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every request received.
    pub(crate) fn calls(&self) -> Vec<NovaPoshtaCall> {
        self.state().calls.clone()
    }

    /// Adds a fault after those that wait.
    pub(crate) fn add_fault(&self, fault: NovaPoshtaFault) {
        self.state().faults.push(fault);
    }

    /// Removes all faults.
    pub(crate) fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// The directory is another from now on.
    pub(crate) fn resize(&self, size: Size) {
        self.state().world = World::new(size);
    }

    /// Closes a branch, by its ref, as the carrier does now and then.
    pub(crate) fn close(&self, reference: &str) {
        self.state().world.close(reference);
    }
}
