//! The breaker and the rests between tries.

use parom_core::delivery::Mono;
use parom_core::delivery::backoff::delay;
use parom_core::delivery::breaker::{Breaker, Permit};

#[test]
fn three_unknown_outcomes_open_it_and_one_try_closes_it() {
    let mut breaker = Breaker::new(1_000, 8_000);
    breaker.unknown(Mono(0), 0.0);
    breaker.unknown(Mono(0), 0.0);
    assert_eq!(breaker.permit(Mono(0)), Permit::Free);
    breaker.unknown(Mono(0), 0.0);
    assert_eq!(breaker.permit(Mono(10)), Permit::Wait(Mono(1_000)));
    // A result that was still under way does not lengthen the rest.
    breaker.unknown(Mono(20), 0.0);
    assert_eq!(breaker.permit(Mono(30)), Permit::Wait(Mono(1_000)));
    assert_eq!(breaker.permit(Mono(1_000)), Permit::One);
    breaker.start_try();
    assert_eq!(breaker.permit(Mono(1_001)), Permit::Trying);
    breaker.unknown(Mono(1_500), 0.0);
    assert_eq!(breaker.permit(Mono(1_500)), Permit::Wait(Mono(3_500)));
    breaker.start_try();
    breaker.known();
    assert_eq!(breaker.permit(Mono(1_600)), Permit::Free);
}

#[test]
fn an_unreachable_crm_opens_it_at_once_for_a_tenth() {
    let mut breaker = Breaker::new(10_000, 80_000);
    breaker.unreachable(Mono(0), 0.0);
    assert_eq!(breaker.permit(Mono(1)), Permit::Wait(Mono(1_000)));
    let mut breaker = Breaker::new(10_000, 80_000);
    breaker.refused(Mono(0), 0.0);
    assert_eq!(breaker.permit(Mono(1)), Permit::Wait(Mono(10_000)));
}

#[test]
fn rests_double_to_a_cap_with_jitter_downwards() {
    assert_eq!(delay(1_000, 8_000, 0, 0.0), 1_000);
    assert_eq!(delay(1_000, 8_000, 2, 0.0), 4_000);
    assert_eq!(delay(1_000, 8_000, 40, 0.0), 8_000);
    assert_eq!(delay(1_000, 8_000, 2, 1.0), 2_000);
    assert_eq!(delay(0, 0, 0, 0.5), 1);
}
