//! The one place where time is read.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

/// A clock that counts from the start of the sandbox and also knows the time of day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    began: Timestamp,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one clock module")]
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), began: Self::now() }
    }

    /// Milliseconds since the start; never goes back.
    #[expect(clippy::disallowed_methods, reason = "the one clock module")]
    pub(crate) fn elapsed_ms(&self) -> u64 {
        let elapsed: Duration = Instant::now().duration_since(self.started);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// The time of day, UTC, of a moment that [`Self::elapsed_ms`] gave.
    pub(crate) fn time_of_day(&self, at_ms: u64) -> String {
        let at = self.began.checked_add(Duration::from_millis(at_ms)).unwrap_or(self.began);
        at.strftime("%H:%M:%S").to_string()
    }

    /// The time of day in whole seconds, as the CRM's database keeps it.
    #[expect(clippy::disallowed_methods, reason = "the one clock module")]
    pub(crate) fn now() -> Timestamp {
        let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
        Timestamp::from_second(now.as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
