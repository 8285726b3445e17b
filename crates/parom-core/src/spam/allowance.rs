//! How many orders one party may send: so many at once, and one more whenever its share of the time has passed.

use std::collections::HashMap;
use std::time::Duration;

use crate::delivery::Mono;

/// So many orders in a time: `5/10m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Orders; at least 1.
    pub count: u32,
    /// The time in which they are allowed again.
    pub window: Duration,
}

impl Allowance {
    /// Milliseconds after which one order more is allowed.
    fn share(self) -> u64 {
        (self.window_ms() / u64::from(self.count.max(1))).max(1)
    }

    fn window_ms(self) -> u64 {
        u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX)
    }
}

/// What each party has used. A party is one number, the time at which it may send its whole allowance again, so a flood
/// of addresses costs a known amount of memory.
#[derive(Clone, Debug)]
pub struct Allowances {
    whole_at: HashMap<String, Mono>,
    most: usize,
}

impl Allowances {
    /// Remembers at most so many parties; beyond them, those are forgotten first that have used least.
    #[must_use]
    pub fn new(most: usize) -> Allowances {
        Allowances { whole_at: HashMap::new(), most: most.max(2) }
    }

    /// Counts an order; `false` when it is over the allowance, and then it does not count.
    pub fn take(&mut self, party: &str, allowance: Allowance, now: Mono) -> bool {
        let whole_at = self.whole_at.get(party).copied().unwrap_or(now).max(now);
        let next = whole_at.after(allowance.share());
        if next.since(now) > allowance.window_ms() {
            return false;
        }
        if !self.whole_at.contains_key(party) && self.whole_at.len() >= self.most {
            self.forget(now);
        }
        self.whole_at.insert(party.to_owned(), next);
        true
    }

    /// Takes an order back that was counted, and not kept.
    pub fn give_back(&mut self, party: &str, allowance: Allowance) {
        if let Some(whole_at) = self.whole_at.get_mut(party) {
            *whole_at = Mono(whole_at.0.saturating_sub(allowance.share()));
        }
    }

    /// How many parties are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole_at.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole_at.is_empty()
    }

    fn forget(&mut self, now: Mono) {
        self.whole_at.retain(|_, whole_at| *whole_at > now);
        if self.whole_at.len() < self.most {
            return;
        }
        // Half at once, so that it costs little for each.
        let mut times: Vec<Mono> = self.whole_at.values().copied().collect();
        let (_, middle, _) = times.select_nth_unstable(self.most / 2);
        let middle = *middle;
        self.whole_at.retain(|_, whole_at| *whole_at > middle);
    }
}
