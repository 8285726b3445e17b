//! The faults that wait for requests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Fault, FaultKind, FaultOn};

/// What kind of request asks whether a fault is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Post,
    Import,
    Change,
    List,
    Show,
    Dictionary,
    Other,
}

/// A fault and how much of it is used up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActiveFault {
    pub(crate) fault: Fault,
    added_ms: u64,
    passed: u32,
    hits: u32,
}

impl ActiveFault {
    /// Requests that it will still hit; `None`: no end.
    pub(crate) fn left(&self) -> Option<u32> {
        self.fault.times.map(|times| times.saturating_sub(self.hits))
    }

    fn is_over(&self, now_ms: u64) -> bool {
        let late = self.fault.for_ms.is_some_and(|ms| now_ms >= self.added_ms.saturating_add(ms));
        late || self.left() == Some(0)
    }

    fn fits(&self, asker: Asker) -> bool {
        let on = match self.fault.on {
            FaultOn::Any => true,
            FaultOn::Post => asker == Asker::Post,
            FaultOn::Import => asker == Asker::Import,
            FaultOn::Change => asker == Asker::Change,
            FaultOn::Lookup => matches!(asker, Asker::List | Asker::Show),
            FaultOn::Dictionary => asker == Asker::Dictionary,
        };
        let only_lists = matches!(self.fault.kind, FaultKind::LookupEmpty | FaultKind::LookupIgnoresFilter);
        let only_imports = matches!(self.fault.kind, FaultKind::ImportPartly { .. });
        on && (!only_lists || asker == Asker::List) && (!only_imports || asker == Asker::Import)
    }
}

/// All faults in the order of adding.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<ActiveFault>>);

impl Faults {
    fn list(&self) -> MutexGuard<'_, Vec<ActiveFault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: Fault, now_ms: u64) {
        self.list().push(ActiveFault { fault, added_ms: now_ms, passed: 0, hits: 0 });
    }

    pub(crate) fn clear(&self) {
        self.list().clear();
    }

    /// Those that may still hit a request.
    pub(crate) fn active(&self, now_ms: u64) -> Vec<ActiveFault> {
        let mut list = self.list();
        list.retain(|active| !active.is_over(now_ms));
        list.clone()
    }

    /// The fault to play on this request, which uses it up by one.
    pub(crate) fn take(&self, asker: Asker, now_ms: u64) -> Option<FaultKind> {
        let mut list = self.list();
        list.retain(|active| !active.is_over(now_ms));
        for active in list.iter_mut().filter(|active| active.fits(asker)) {
            if active.passed < active.fault.skip {
                active.passed += 1;
                continue;
            }
            active.hits = active.hits.saturating_add(1);
            return Some(active.fault.kind);
        }
        None
    }
}
