//! A channel that sends no more: whether the time since its last order is unusual for it.

/// Orders from which a habit is read.
pub const ORDERS: i64 = 100;
/// And at least.
const HABIT: usize = 10;
/// No silence shorter than this is worth a word, milliseconds.
const SHORTEST_MS: i64 = 2 * 3_600_000;
/// How many times the longest usual gap a silence must last.
const TIMES: i64 = 3;

/// For how long a channel has been unusually silent, milliseconds; none where it is not, or where its habit is not known.
/// The times are those of its last orders, newest first.
#[must_use]
pub fn unusual(times: &[i64], now: i64) -> Option<i64> {
    if times.len() < HABIT {
        return None;
    }
    let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[0] - pair[1]).collect();
    gaps.sort_unstable();
    // Nights and weekends are among them; one strange gap is not a habit.
    let longest = gaps[(gaps.len() * 95 / 100).min(gaps.len() - 1)];
    let silent = now - times[0];
    (silent > SHORTEST_MS && silent > longest * TIMES).then_some(silent)
}
