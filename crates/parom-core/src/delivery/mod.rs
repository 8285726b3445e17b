//! Every decision of delivery: states, outcome classes, the rate, the breaker, backoff and verification.
//!
//! The principle: the intent is written durably, then the order is sent once, then the result is written durably. What
//! lies between and is neither provably applied nor provably not applied is `unconfirmed`, and only look-ups lead out.

pub mod backoff;
pub mod breaker;
pub mod bulk;
pub mod cards;
pub mod change;
pub mod checks;
pub mod dispatch;
pub mod outcome;
pub mod planted;
pub mod rate;
pub mod reason;
pub mod rows;
pub mod share;
pub mod state;
pub mod verify;

/// Milliseconds of a clock that only goes forward, suspend included. Not a time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mono(pub u64);

impl Mono {
    /// This moment and so many milliseconds.
    #[must_use]
    pub fn after(self, millis: u64) -> Mono {
        Mono(self.0.saturating_add(millis))
    }

    /// Milliseconds since an earlier moment; 0 for a later one.
    #[must_use]
    pub fn since(self, earlier: Mono) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
