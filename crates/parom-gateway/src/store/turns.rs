//! The queue before the writer, for orders that come in: bounded, so that each is kept soon or refused at once. What
//! delivery writes (intents, results) never waits behind this bound: a result that is not written makes a doubtful order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Store;

/// Orders between their arrival and their commit: as many as one transaction of the writer takes. More would only wait longer.
/// Where 2,000 a second are kept, that is an eighth of a second of orders, and a burst above it is told to come again.
pub const TURNS: usize = 256;

/// The turns that are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<AtomicUsize>);

/// A turn of one order in the queue; another's when it is dropped.
#[derive(Debug)]
pub struct Turn(Arc<AtomicUsize>);

impl Store {
    /// A turn for an order that came in; none while too many wait: its sender should send it again later.
    #[must_use]
    pub fn turn(&self) -> Option<Turn> {
        let taken = &self.inner.turns.0;
        let more = |taken| (taken < TURNS).then_some(taken + 1);
        taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Turn(Arc::clone(taken)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
