//! The breaker: when the CRM answers nothing that can be trusted, the queue waits, so that a storm makes a handful of
//! doubtful orders and not a queue of them.

use super::planted::{self, Planted};
use super::{Mono, backoff};

/// Unknown outcomes in a row that open it.
pub const TRIP: u32 = 3;

/// The breaker of one account.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// First rest after it opens, milliseconds; doubles with each failed try.
    base: u64,
    cap: u64,
    unknown: u32,
    failures: u32,
    closed_until: Option<Mono>,
    trying: bool,
}

/// What may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// As much as the budget has.
    Free,
    /// One POST, to see.
    One,
    /// Nothing before this.
    Wait(Mono),
    /// Nothing while the one try is under way.
    Trying,
}

impl Breaker {
    /// A closed breaker with its shortest and longest rest.
    #[must_use]
    pub fn new(base: u64, cap: u64) -> Breaker {
        Breaker { base: base.max(1), cap: cap.max(1), unknown: 0, failures: 0, closed_until: None, trying: false }
    }

    /// What may be sent.
    #[must_use]
    pub fn permit(&self, now: Mono) -> Permit {
        match self.closed_until {
            None => Permit::Free,
            Some(_) if self.trying => Permit::Trying,
            Some(until) if now < until => Permit::Wait(until),
            Some(_) => Permit::One,
        }
    }

    /// A POST goes out under [`Permit::One`].
    pub fn start_try(&mut self) {
        self.trying = self.closed_until.is_some();
    }

    /// A POST that was to try was not made after all.
    pub fn abandon_try(&mut self) {
        self.trying = false;
    }

    /// The CRM said something that can be trusted.
    pub fn known(&mut self) {
        *self = Breaker::new(self.base, self.cap);
    }

    /// Nobody knows what became of a POST.
    pub fn unknown(&mut self, now: Mono, random: f64) {
        self.unknown += 1;
        if self.trying || self.unknown >= TRIP {
            self.open(now, random);
        }
    }

    /// Nothing listens: the next order would meet the same. A try costs nothing then, so the rests are a tenth.
    pub fn unreachable(&mut self, now: Mono, random: f64) {
        let (base, cap) = (self.base, self.cap);
        (self.base, self.cap) = ((base / 10).max(1), (cap / 10).max(1));
        self.open(now, random);
        (self.base, self.cap) = (base, cap);
    }

    /// The key or the address is refused: every order would meet the same until a person mends it.
    pub fn refused(&mut self, now: Mono, random: f64) {
        self.open(now, random);
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed_until.is_some()
    }

    /// Unknown outcomes since the last trusted one.
    #[must_use]
    pub fn doubts(&self) -> u32 {
        self.unknown
    }

    fn open(&mut self, now: Mono, random: f64) {
        if planted::is(Planted::BreakerStuck) {
            return;
        }
        // Late results of requests that were under way when it opened must not lengthen the rest.
        if self.closed_until.is_some_and(|until| now < until) && !self.trying {
            return;
        }
        self.closed_until = Some(now.after(backoff::delay(self.base, self.cap, self.failures, random)));
        self.failures = self.failures.saturating_add(1);
        self.trying = false;
    }
}
