//! How long to rest after a failure: doubling, with jitter, so that many accounts do not come back at once.

/// A rest of `base * 2^failures` milliseconds up to `cap`; `random` (0 to 1) takes up to half of it away.
#[must_use]
pub fn delay(base: u64, cap: u64, failures: u32, random: f64) -> u64 {
    let full = base.saturating_mul(1 << failures.min(20)).min(cap).max(1);
    let half = full / 2;
    // Both factors are far below 2^53.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a bounded number of milliseconds"
    )]
    let share = (half as f64 * random.clamp(0.0, 1.0)) as u64;
    full - share
}
