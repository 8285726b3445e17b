//! Verification: what leads out of doubt, and what does not.

use parom_core::delivery::Mono;
use parom_core::delivery::reason;
use parom_core::delivery::rows::Finding;
use parom_core::delivery::verify::{Control, Doubt, Plan, Verdict};
use parom_core::order::Target;

const PLAN: Plan = Plan { quiet: 180_000, gap: 60_000, resend: true };

fn at(seconds: u64) -> Mono {
    Mono(1_000_000 + seconds * 1_000)
}

fn doubt() -> Doubt {
    Doubt::new(at(0), &PLAN, false, 0, Target::Order)
}

#[test]
fn a_found_row_counts_at_once_even_without_a_control() {
    assert_eq!(doubt().weigh(&Finding::Ours(7), Control::Failed, at(1), &PLAN), Verdict::Delivered(7));
    assert!(matches!(doubt().weigh(&Finding::Several(vec![7, 8]), Control::Found, at(1), &PLAN), Verdict::Dispute(_)));
    assert!(matches!(doubt().weigh(&Finding::Foreign(9), Control::Found, at(1), &PLAN), Verdict::Dispute(_)));
}

#[test]
fn the_looks_come_at_5_15_60_and_180_seconds_and_two_absences_resend() {
    let mut doubt = doubt();
    let mut looks = Vec::new();
    let mut verdict = Verdict::Wait;
    while verdict == Verdict::Wait {
        let now = doubt.next_look();
        looks.push(now.since(at(0)) / 1_000);
        verdict = doubt.weigh(&Finding::Absent, Control::Found, now, &PLAN);
    }
    assert_eq!(looks, [5, 15, 60, 180, 240]);
    assert_eq!(verdict, Verdict::Resend);
}

#[test]
fn without_a_delivered_order_the_quiet_period_counts_double() {
    let mut doubt = doubt();
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Weak, at(200), &PLAN), Verdict::Wait);
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Weak, at(300), &PLAN), Verdict::Wait);
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Weak, at(360), &PLAN), Verdict::Wait);
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Weak, at(420), &PLAN), Verdict::Resend);
}

#[test]
fn an_absence_before_the_quiet_period_or_without_its_control_never_counts() {
    let mut doubt = doubt();
    for seconds in 0..180 {
        assert_eq!(doubt.weigh(&Finding::Absent, Control::Found, at(seconds), &PLAN), Verdict::Wait);
    }
    for minutes in 4..600 {
        assert_eq!(doubt.weigh(&Finding::Absent, Control::Failed, at(minutes * 60), &PLAN), Verdict::Wait);
    }
    // One that counts, then one too soon after it, then one that counts.
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Found, at(40_000), &PLAN), Verdict::Wait);
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Found, at(40_059), &PLAN), Verdict::Wait);
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Found, at(40_060), &PLAN), Verdict::Resend);
}

#[test]
fn while_the_control_fails_the_looks_become_rarer_and_never_stop() {
    let mut doubt = doubt();
    let mut last = 0;
    for _ in 0..40 {
        let now = doubt.next_look();
        doubt.weigh(&Finding::Absent, Control::Failed, now, &PLAN);
        last = doubt.next_look().since(now);
        assert!((1..=600_000).contains(&last));
    }
    assert_eq!(last, 600_000);
}

/// A look takes along all that are doubtful: each of a hundred was looked at for the others' sake, and rested 10 minutes
/// after a moment in which look-ups failed.
#[test]
fn looks_for_the_sake_of_others_do_not_make_ones_own_rarer() {
    let (mut alone, mut among) = (doubt(), doubt());
    for second in 1..300 {
        if second % 60 == 0 {
            alone.weigh(&Finding::Absent, Control::Failed, at(second), &PLAN);
        }
        among.weigh(&Finding::Absent, Control::Failed, at(second), &PLAN);
    }
    let (alone, among) = (alone.next_look().since(at(300)), among.next_look().since(at(300)));
    assert!(among <= alone.max(PLAN.gap * 2), "alone it waits {alone} ms, among others {among} ms");
}

fn twice(mut doubt: Doubt, plan: &Plan) -> Verdict {
    doubt.weigh(&Finding::Absent, Control::Found, at(180), plan);
    doubt.weigh(&Finding::Absent, Control::Found, at(240), plan)
}

#[test]
fn a_person_decides_where_sending_again_would_be_a_guess() {
    let taken = Doubt::new(at(0), &PLAN, true, 0, Target::Order);
    assert_eq!(taken.next_look(), at(0), "the CRM has just said that a row exists");
    assert!(matches!(twice(taken, &PLAN), Verdict::Dispute(_)));
    assert!(matches!(twice(Doubt::new(at(0), &PLAN, false, 2, Target::Order), &PLAN), Verdict::Dispute(_)));
    let ask = Plan { resend: false, ..PLAN };
    assert!(matches!(twice(Doubt::new(at(0), &ask, false, 0, Target::Order), &ask), Verdict::Dispute(_)));
}

#[test]
fn a_card_that_is_not_found_is_never_sent_again() {
    let card = Doubt::new(at(0), &PLAN, false, 0, Target::Card);
    assert!(matches!(twice(card, &PLAN), Verdict::Dispute(why) if why.contains("card")));
}

/// It made an order that a look for this number does not find: another try would make a second one.
#[test]
fn what_the_crm_took_under_another_number_is_never_sent_again() {
    let mut doubt = doubt().said(Some(7), 1);
    assert_eq!(doubt.weigh(&Finding::Absent, Control::Found, at(200), &PLAN), Verdict::Wait);
    assert!(matches!(doubt.weigh(&Finding::Absent, Control::Found, at(260), &PLAN), Verdict::Dispute(_)));
    for (finding, verdict) in [
        (Finding::Ours(7), Verdict::Delivered(7)),
        (Finding::Ours(8), Verdict::Dispute(reason::ANOTHER_ROW)),
        (Finding::Foreign(5), Verdict::Dispute(reason::TAKEN_ELSEWHERE)),
    ] {
        let mut said = Doubt::new(at(0), &PLAN, false, 0, Target::Order).said(Some(7), 2).because(true, true);
        assert_eq!(said.weigh(&finding, Control::Found, at(5), &PLAN), verdict, "{finding:?}");
    }
    for (said, attempts) in [(0, 2), (7, 1)] {
        let mut which = Doubt::new(at(0), &PLAN, false, 0, Target::Order).said(Some(said), attempts);
        let verdict = which.weigh(&Finding::Ours(8), Control::Found, at(5), &PLAN);
        assert_eq!(verdict, Verdict::Delivered(8), "not known which, or of one POST");
    }
    let mut asked = Doubt::new(at(0), &PLAN, false, 0, Target::Order).said(Some(7), 1).because(true, false);
    assert_eq!(asked.weigh(&Finding::Absent, Control::Found, at(200), &PLAN), Verdict::Wait);
    assert!(
        matches!(asked.weigh(&Finding::Absent, Control::Found, at(260), &PLAN), Verdict::Dispute(_)),
        "nor by asking"
    );
}
