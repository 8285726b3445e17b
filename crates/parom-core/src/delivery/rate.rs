//! The account's one budget: at most `limit` requests in any 60 s, so a quiet account sends a burst at once.
//!
//! A request counts from before it is sent until 60 s after it is known to be over: whatever its time on the way, the
//! CRM, which counts arrivals, never sees more than `limit` in a window of its own.

use std::collections::VecDeque;

use super::Mono;
use super::planted::{self, Planted};

/// The CRM's window.
pub const WINDOW_MS: u64 = 60_000;
/// Beyond the window, for the grain of the two clocks.
pub const MARGIN_MS: u64 = 50;

/// Names one taken place, to settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

#[derive(Clone, Copy, Debug)]
struct Taken {
    ticket: u64,
    /// When the request was over; none while it is under way.
    over: Option<Mono>,
}

/// The budget of one account.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: u32,
    taken: VecDeque<Taken>,
    next: u64,
    /// After a 429: from when, and at how many.
    slowed: Option<(Mono, u32)>,
    /// Nothing goes before this.
    rest_until: Mono,
}

impl Budget {
    /// A budget with nothing taken. A limit of 0 counts as 1.
    #[must_use]
    pub fn new(limit: u32) -> Budget {
        Budget { limit: limit.max(1), taken: VecDeque::new(), next: 0, slowed: None, rest_until: Mono(0) }
    }

    /// Requests allowed in a window, where the CRM did not ask for less.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Counts a request of before this process, by the ledger: it was over at `over`.
    pub fn inherit(&mut self, over: Mono) {
        let ticket = self.ticket();
        self.taken.push_back(Taken { ticket, over: Some(over) });
    }

    /// The same for one that began `age` milliseconds ago: what a process that died had handed over may still be on its way,
    /// for as long as its time-out.
    pub fn inherit_started(&mut self, now: Mono, age: u64, timeout: u64) {
        self.inherit(Mono(now.0.saturating_add(timeout).saturating_sub(age)));
    }

    /// Takes a place, if there is one now.
    pub fn take(&mut self, now: Mono) -> Option<Ticket> {
        self.forget(now);
        if now < self.rest_until || self.taken.len() >= self.ceiling(now) {
            return None;
        }
        let ticket = self.ticket();
        let over = planted::is(Planted::CountedFromStart).then_some(now);
        self.taken.push_back(Taken { ticket, over });
        Some(Ticket(ticket))
    }

    /// The request is over: its place is free a window from now.
    pub fn settle(&mut self, ticket: Ticket, now: Mono) {
        if let Some(taken) = self.taken.iter_mut().find(|taken| taken.ticket == ticket.0) {
            taken.over = taken.over.or(Some(now));
        }
    }

    /// The place was not used: nothing went out.
    pub fn give_back(&mut self, ticket: Ticket) {
        self.taken.retain(|taken| taken.ticket != ticket.0);
    }

    /// When the next place is free; `None` when that depends on requests under way.
    #[must_use]
    pub fn next_free(&self, now: Mono) -> Option<Mono> {
        let ceiling = self.ceiling(now);
        let ends: Vec<Option<Mono>> =
            self.taken.iter().map(|taken| taken.over.map(|over| over.after(WINDOW_MS + MARGIN_MS))).collect();
        let mut known: Vec<Mono> = ends.iter().copied().flatten().filter(|end| *end > now).collect();
        known.sort_unstable();
        let open = ends.iter().filter(|end| end.is_none()).count();
        let held = known.len() + open;
        let free = if held < ceiling { now } else { *known.get(held - ceiling)? };
        Some(free.max(self.rest_until))
    }

    /// When so many places are free at once; `None` when that depends on requests under way, or is more than a minute has.
    #[must_use]
    pub fn free_for(&self, now: Mono, places: usize) -> Option<Mono> {
        let ceiling = self.ceiling(now);
        let spare = ceiling.checked_sub(places)?;
        let mut ends: Vec<Mono> =
            self.taken.iter().filter_map(|taken| taken.over.map(|over| over.after(WINDOW_MS + MARGIN_MS))).collect();
        ends.retain(|end| *end > now);
        ends.sort_unstable();
        let open = self.taken.iter().filter(|taken| taken.over.is_none()).count();
        let held = ends.len() + open;
        let free = if held <= spare { now } else { *ends.get(held - spare - 1)? };
        Some(free.max(self.rest_until))
    }

    /// A 429: nothing for so long, then half of the limit, growing by a tenth of it each minute.
    pub fn limited(&mut self, now: Mono, rest_ms: u64) {
        if planted::is(Planted::LimitIgnored) {
            return;
        }
        let half = u32::try_from(self.ceiling(now) / 2).unwrap_or(1).max(1);
        self.rest_until = self.rest_until.max(now.after(rest_ms));
        self.slowed = Some((self.rest_until, half));
    }

    /// Whether the CRM asked for time that is not over.
    #[must_use]
    pub fn rests(&self, now: Mono) -> bool {
        now < self.rest_until
    }

    /// Places taken now.
    #[must_use]
    pub fn used(&self, now: Mono) -> usize {
        self.taken.iter().filter(|taken| !is_over(taken, now)).count()
    }

    /// Requests allowed in a window now.
    #[must_use]
    pub fn ceiling(&self, now: Mono) -> usize {
        let limit = match self.slowed {
            None => self.limit,
            Some((from, half)) => {
                let minutes = u32::try_from(now.since(from) / WINDOW_MS).unwrap_or(u32::MAX);
                half.saturating_add(minutes.saturating_mul((self.limit / 10).max(1))).min(self.limit)
            }
        };
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn forget(&mut self, now: Mono) {
        self.taken.retain(|taken| !is_over(taken, now));
    }
}

fn is_over(taken: &Taken, now: Mono) -> bool {
    taken.over.is_some_and(|over| over.after(WINDOW_MS + MARGIN_MS) <= now)
}
