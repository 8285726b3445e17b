//! The CRM's rate limit: so many requests in any 60 seconds to one key from one address.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const WINDOW_MS: u64 = 60_000;
/// Windows of callers that left are swept when there are more than this.
const CALLERS_KEPT: usize = 10_000;

/// What the limit says to one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// No limit is set.
    Unlimited,
    /// Goes ahead; so many more may follow at once.
    Granted {
        /// Requests left in the window.
        remaining: u32,
    },
    /// Refused and not counted.
    Refused {
        /// Whole seconds until a place is free.
        retry_after: u64,
    },
}

type Windows = HashMap<(IpAddr, String), VecDeque<u64>>;

/// The windows of all callers.
#[derive(Debug)]
pub(crate) struct Rates {
    limit: u32,
    windows: Mutex<Windows>,
}

impl Rates {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, windows: Mutex::default() }
    }

    /// Requests a minute; 0 where there is no limit.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Counts a request that arrived at `now_ms`, if there is a place for it.
    pub(crate) fn take(&self, caller: IpAddr, key: &str, now_ms: u64) -> Verdict {
        if self.limit == 0 {
            return Verdict::Unlimited;
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > CALLERS_KEPT {
            windows.retain(|_, times| times.back().is_some_and(|last| now_ms < last + WINDOW_MS));
        }
        let times = windows.entry((caller, key.to_owned())).or_default();
        while times.front().is_some_and(|first| now_ms >= first + WINDOW_MS) {
            times.pop_front();
        }
        let used = u32::try_from(times.len()).unwrap_or(u32::MAX);
        if used >= self.limit {
            let free_at = times.front().map_or(now_ms, |first| first + WINDOW_MS);
            return Verdict::Refused { retry_after: free_at.saturating_sub(now_ms).div_ceil(1000).max(1) };
        }
        times.push_back(now_ms);
        Verdict::Granted { remaining: self.limit - used - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rates, Verdict};
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn the_window_slides_and_refusals_are_free() {
        let rates = Rates::new(2);
        let me = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(matches!(rates.take(me, "k", 0), Verdict::Granted { remaining: 1 }));
        assert!(matches!(rates.take(me, "k", 30_000), Verdict::Granted { remaining: 0 }));
        assert!(matches!(rates.take(me, "k", 59_999), Verdict::Refused { retry_after: 1 }));
        assert!(matches!(rates.take(me, "other", 59_999), Verdict::Granted { remaining: 1 }));
        assert!(matches!(rates.take(me, "k", 60_000), Verdict::Granted { remaining: 0 }));
        assert!(matches!(rates.take(me, "k", 60_001), Verdict::Refused { retry_after: 30 }));
    }
}
