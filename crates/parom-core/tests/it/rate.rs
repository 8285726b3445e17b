//! The budget against a strict CRM: no window of its own ever sees more than the limit, and none of it lies idle.

use parom_core::delivery::Mono;
use parom_core::delivery::rate::{Budget, WINDOW_MS};
use proptest::prelude::*;

/// The most arrivals in any window of the CRM's.
fn most_in_a_window(arrivals: &[u64]) -> usize {
    let mut sorted = arrivals.to_vec();
    sorted.sort_unstable();
    (0..sorted.len())
        .map(|first| sorted[first..].iter().take_while(|at| **at < sorted[first] + WINDOW_MS).count())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_burst_goes_at_once_and_the_ceiling_is_used() {
    let mut budget = Budget::new(54);
    let (mut now, mut sent) = (Mono(1_000), 0);
    let start = now;
    while now.since(start) < 10 * WINDOW_MS {
        while let Some(ticket) = budget.take(now) {
            budget.settle(ticket, now.after(40));
            sent += 1;
        }
        if now == start {
            assert_eq!(sent, 54, "a quiet account sends its burst at once");
        }
        now = budget.next_free(now).unwrap().max(now.after(1));
    }
    assert!(sent >= 54 * 10 * 95 / 100, "{sent} of {} were used", 54 * 10);
}

#[test]
fn after_a_429_it_rests_slows_and_grows_again() {
    let mut budget = Budget::new(60);
    budget.limited(Mono(0), 60_000);
    assert!(budget.take(Mono(59_999)).is_none());
    assert!(budget.take(Mono(60_000)).is_some());
    assert_eq!(budget.ceiling(Mono(60_000)), 30);
    assert_eq!(budget.ceiling(Mono(60_000 + 2 * WINDOW_MS)), 42);
    assert_eq!(budget.ceiling(Mono(60_000 + 20 * WINDOW_MS)), 60);
}

#[test]
fn requests_of_before_a_restart_count() {
    let mut budget = Budget::new(3);
    budget.inherit(Mono(100_000));
    budget.inherit(Mono(110_000));
    assert!(budget.take(Mono(120_000)).is_some());
    assert!(budget.take(Mono(120_000)).is_none());
    assert_eq!(budget.next_free(Mono(120_000)), Some(Mono(160_050)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the time on the way out and back, the CRM's own windows stay within the limit.
    #[test]
    fn no_window_of_the_crm_is_over_the_limit(
        limit in 1u32..80,
        trips in prop::collection::vec((0u64..2_000, 0u64..3_000, 0u64..4_000), 1..400),
    ) {
        let mut budget = Budget::new(limit);
        let mut now = Mono(5_000);
        let mut arrivals = Vec::new();
        for (pause, out, back) in trips {
            now = now.after(pause);
            let ticket = loop {
                match budget.take(now) {
                    Some(ticket) => break ticket,
                    None => now = budget.next_free(now).unwrap_or(now).max(now.after(1)),
                }
            };
            arrivals.push(now.after(out).0);
            budget.settle(ticket, now.after(out + back));
        }
        prop_assert!(most_in_a_window(&arrivals) <= usize::try_from(limit).unwrap());
    }
}

#[test]
fn several_places_are_free_when_the_last_of_them_is() {
    let mut budget = Budget::new(4);
    let tickets: Vec<_> = (0..3).map(|_| budget.take(Mono(0)).unwrap()).collect();
    assert_eq!(budget.free_for(Mono(0), 1), Some(Mono(0)));
    assert_eq!(budget.free_for(Mono(0), 2), None, "it depends on what is under way");
    assert_eq!(budget.free_for(Mono(0), 5), None, "a minute has no five");
    tickets.into_iter().zip([10, 20, 30]).for_each(|(ticket, at)| budget.settle(ticket, Mono(at)));
    let window = 60_050;
    assert_eq!(budget.free_for(Mono(30), 2), Some(Mono(10 + window)));
    assert_eq!(budget.free_for(Mono(30), 4), Some(Mono(30 + window)));
}
