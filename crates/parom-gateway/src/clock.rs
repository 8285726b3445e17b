//! The one place where time is read.

use jiff::Timestamp;
use parom_core::delivery::Mono;
use rustix::time::{ClockId, clock_gettime};

/// The time of day, UTC.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one clock module")]
    let now = Timestamp::now();
    #[cfg(debug_assertions)]
    let now = now.saturating_add(jiff::SignedDuration::from_millis(crate::config::clock_is_off_by())).unwrap_or(now);
    now
}

/// Milliseconds since the machine started, suspend included: Rust's own `Instant` stops in suspend, and a quiet period
/// must not.
#[must_use]
pub fn mono() -> Mono {
    #[cfg(target_os = "linux")]
    let id = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let id = ClockId::Monotonic;
    let at = clock_gettime(id);
    let seconds = u64::try_from(at.tv_sec).unwrap_or_default();
    let millis = u64::try_from(at.tv_nsec).unwrap_or_default() / 1_000_000;
    Mono(seconds * 1_000 + millis)
}
