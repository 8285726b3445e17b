//! The one place where time is read.

use jiff::Timestamp;
use parom_core::delivery::Mono;
use rustix::time::{ClockId, clock_gettime};

/// The time of day, UTC.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one clock module")]
    Timestamp::now()
}

/// Which start of the machine this is: milliseconds of [`mono`] compare within one alone.
#[must_use]
pub fn boot() -> &'static str {
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        // Where the system does not tell: nothing of before this process compares.
        if id.trim().is_empty() { uuid::Uuid::new_v4().to_string() } else { id.trim().to_owned() }
    })
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
