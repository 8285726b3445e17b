//! Whether a channel's silence is unusual for it.

use parom_core::silence::unusual;

const HOUR: i64 = 3_600_000;

/// Times of orders, newest first, the last of them at 0 before now.
fn times(gaps: &[i64]) -> Vec<i64> {
    let mut at = 1_000 * HOUR;
    let mut times = vec![at];
    for gap in gaps {
        at -= gap;
        times.push(at);
    }
    times
}

#[test]
fn a_silence_is_unusual_by_the_channels_own_habit() {
    let newest = 1_000 * HOUR;
    // An order each half an hour, with nights of eight hours.
    let mut gaps = vec![HOUR / 2; 90];
    gaps.extend([8 * HOUR; 10]);
    let busy = times(&gaps);
    assert_eq!(unusual(&busy, newest + 23 * HOUR), None, "three nights long is not yet strange");
    assert_eq!(unusual(&busy, newest + 25 * HOUR), Some(25 * HOUR));
    // Steady day and night: two hours are the least that is worth a word.
    let steady = times(&[60_000; 50]);
    assert_eq!(unusual(&steady, newest + HOUR), None);
    assert_eq!(unusual(&steady, newest + 3 * HOUR), Some(3 * HOUR));
    // One strange gap is no habit.
    let mut gaps = vec![HOUR; 60];
    gaps.push(900 * HOUR);
    assert_eq!(unusual(&times(&gaps), newest + 5 * HOUR), Some(5 * HOUR));
    // Too few orders to know, and a clock that went back.
    assert_eq!(unusual(&times(&[HOUR; 5]), newest + 500 * HOUR), None);
    assert_eq!(unusual(&steady, newest - HOUR), None);
    assert_eq!(unusual(&[], newest), None);
}
