//! The dispatcher's decisions together, and the holes that the simulation found in them.

use std::collections::HashMap;

use parom_core::delivery::Mono;
use parom_core::delivery::checks::{self, Checked};
use parom_core::delivery::dispatch::{Dispatch, DoubtRow, Looked};
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rows::{Delivered, Finding, List, Row};
use parom_core::delivery::verify::{Control, Plan, Verdict};
use parom_core::order::Target;

const PLAN: Plan = Plan { quiet: 180_000, gap: 60_000, resend: true };

/// An order that was sent once, and of which nothing was heard.
fn doubtful(seq: i64) -> DoubtRow {
    DoubtRow {
        seq,
        taken: false,
        said: None,
        asked: false,
        restored: false,
        bulk: false,
        attempts: 1,
        resends: 0,
        target: Target::Order,
    }
}

fn dispatch(limit: u32, doubts: i64) -> Dispatch {
    let mut dispatch = Dispatch::new(limit, PLAN, 4);
    dispatch.refresh((1..=doubts).map(doubtful), Mono(1_000));
    dispatch
}

fn row(id: i64, source_id: i64, number: &str, created_at: &str) -> Row {
    let created_at = Some(created_at.parse().unwrap());
    Row { id, source_id: Some(source_id), number: Some(number.into()), created_at }
}

/// On a new account nothing proves that commas split numbers: several that are absent at once prove nothing.
#[test]
fn several_absent_numbers_without_a_control_prove_nothing() {
    let empty = List { rows: Vec::new(), whole: true };
    assert_eq!(empty.control(&[], 2), Some(Control::Failed));
    assert_eq!(empty.control(&[], 1), None, "one alone: the plain list is asked");
}

/// A control is known by the CRM's number: its own times say nothing where a clock jumped while it came in.
#[test]
fn a_control_is_known_by_the_crms_number_and_by_its_source() {
    let control = Delivered { crm_order_id: 7, source_id: 22, number: "A".into() };
    let list = |row| List { rows: vec![row], whole: true };
    let controls = [control];
    let long_ago = row(7, 22, "A", "2001-01-01T00:00:00Z");
    assert_eq!(list(long_ago).control(&controls, 1), Some(Control::Found));
    let other_source = row(7, 23, "A", "2026-01-01T00:00:00Z");
    assert_eq!(list(other_source).control(&controls, 1), Some(Control::Failed));
    let part = List { rows: vec![row(7, 22, "A", "2026-01-01T00:00:00Z")], whole: false };
    assert_eq!(part.control(&controls, 1), Some(Control::Failed));
}

/// A look whose places are not free yet is waited for, and not asked for every millisecond.
#[test]
fn the_next_look_is_when_all_its_places_are_free() {
    let mut dispatch = dispatch(4, 3);
    let mut look = dispatch.look(Mono(10_000)).unwrap();
    // Commas do not work here: from now on one number a request.
    let found: HashMap<i64, Finding> = look.seqs.iter().map(|seq| (*seq, Finding::Absent)).collect();
    let looked = Looked { control: Control::Failed, found, rest: None, strange: false };
    look.tickets.truncate(2);
    dispatch.looked(look, &looked, Mono(10_100));
    let mut now = Mono(16_000);
    let mut asked = 0;
    while dispatch.look(now).is_none() {
        asked += 1;
        assert!(asked < 5, "it is asked for at {now:?} again");
        now = dispatch.next_look(now).unwrap();
    }
    assert!(now.since(Mono(10_100)) >= 60_000, "two places were taken until a minute after");
}

#[test]
fn a_look_that_is_due_goes_before_sends_and_a_429_stops_them() {
    let mut dispatch = dispatch(54, 1);
    assert_eq!(dispatch.ready(Mono(1_000)), Ok(()));
    assert_eq!(dispatch.ready(Mono(10_000)), Err(None));
    let look = dispatch.look(Mono(10_000)).unwrap();
    assert_eq!(dispatch.ready(Mono(10_000)), Ok(()), "it is under way");
    let looked = Looked { control: Control::Found, found: HashMap::new(), rest: None, strange: false };
    dispatch.looked(look, &looked, Mono(10_100));
    let ticket = dispatch.place(Mono(11_000)).unwrap();
    dispatch.sends();
    dispatch.weigh(ticket, &Outcome::RateLimited(60), Mono(11_500), 0.5);
    assert!(!dispatch.still(Mono(12_000)));
    assert_eq!(dispatch.place(Mono(12_000)), Err(Some(Mono(71_500))));
}

/// After a restore nobody knows what the last minute had: it counts as full.
#[test]
fn a_row_of_the_ledger_may_stand_for_all_places() {
    let mut dispatch = Dispatch::new(54, PLAN, 4);
    dispatch.inherit(Mono(100_000), 5_000, 30_000, u32::MAX);
    assert_eq!(dispatch.place(Mono(100_000)), Err(Some(Mono(185_050))), "the youngest may be on its way until then");
}

#[test]
fn looks_back_come_soon_after_a_doubt_and_on_three_days() {
    let hour = 3_600_000;
    let minute = hour / 60;
    assert_eq!(checks::next(true, 0, 5), Some(5 + 10 * minute));
    let days: Vec<Option<i64>> = (0..4).map(|looks| checks::next(false, looks, 25 * minute)).collect();
    assert_eq!(days, [Some(25 * hour), Some(25 * hour), Some(25 * hour), None]);
    assert_eq!(checks::next(true, 3, 0), Some(24 * hour));
    assert_eq!(checks::next(true, 4, 0), None);
    assert!(checks::is_due(10, 10) && !checks::is_due(11, 10) && checks::is_due(i64::MAX, 10));
}

#[test]
fn a_look_back_tells_one_from_two_and_gone_from_unknown() {
    let back = |rows: Vec<Row>, trusted| checks::weigh(&List { rows, whole: true }, 22, " A ", 7, trusted);
    let ours = || row(7, 22, "A", "2026-01-01T00:00:00Z");
    assert_eq!(back(vec![ours()], false), Checked::Fine);
    assert!(matches!(back(vec![ours(), row(8, 22, "A", "2001-01-01T00:00:00Z")], false), Checked::Wrong(_)));
    assert!(matches!(back(vec![row(8, 22, "A", "2026-01-01T00:00:00Z")], true), Checked::Wrong(_)));
    assert_eq!(back(vec![row(8, 23, "A", "2026-01-01T00:00:00Z")], true), Checked::Gone);
    assert_eq!(back(Vec::new(), true), Checked::Gone);
    assert_eq!(back(Vec::new(), false), Checked::Unclear);
}

/// A result that comes late, from a node that another has taken over from, is the CRM's word in a doubt that is known already.
#[test]
fn what_the_crm_said_is_heard_in_the_midst_of_a_doubt() {
    for said in [None, Some(7)] {
        let mut dispatch = dispatch(54, 1);
        let row = DoubtRow { said, ..doubtful(1) };
        dispatch.refresh([row], Mono(100_000));
        let absent = HashMap::from([(1, Finding::Absent)]);
        let looked = |found| Looked { control: Control::Found, found, rest: None, strange: false };
        let mut verdicts = Vec::new();
        for at in [200_000, 300_000] {
            let look = dispatch.look(Mono(at)).unwrap();
            verdicts = dispatch.looked(look, &looked(absent.clone()), Mono(at));
        }
        let goes = verdicts.contains(&(1, Verdict::Resend));
        assert_eq!((verdicts.len(), goes), (1, said.is_none()), "{verdicts:?}");
    }
}

/// A try that was not applied tells nothing of whose the number is: the row that the next one meets was there before.
#[test]
fn a_number_that_is_taken_after_tries_that_were_not_applied_is_anothers() {
    for (attempts, resends, anothers) in [(1, 0, true), (3, 0, true), (2, 1, false)] {
        let mut dispatch = Dispatch::new(54, PLAN, 4);
        let row = DoubtRow { taken: true, attempts, resends, ..doubtful(1) };
        dispatch.refresh([row], Mono(1_000));
        let look = dispatch.look(Mono(1_000)).unwrap();
        let found = HashMap::from([(1, Finding::Ours(7))]);
        let verdicts =
            dispatch.looked(look, &Looked { control: Control::Found, found, rest: None, strange: false }, Mono(1_500));
        assert_eq!(matches!(verdicts[0].1, Verdict::Dispute(_)), anothers, "{attempts} {resends}: {verdicts:?}");
    }
}

/// A look that works proves nothing of what is sent.
#[test]
fn a_look_for_a_change_closes_no_breaker() {
    let mut dispatch = Dispatch::new(54, PLAN, 4);
    let now = Mono(1_000);
    for _ in 0..3 {
        let ticket = dispatch.place(now).unwrap();
        dispatch.weigh(ticket, &Outcome::Unknown("no answer"), now, 0.0);
        let ticket = dispatch.place(now).unwrap();
        dispatch.weigh_look(ticket, &Outcome::Delivered(7), now, 0.0);
    }
    assert!(dispatch.breaker.is_open());
    let ticket = dispatch.place(now).unwrap();
    dispatch.weigh(ticket, &Outcome::Delivered(7), now, 0.0);
    assert!(!dispatch.breaker.is_open());
}

/// One number to which the CRM answers with another's row takes no other's look with it.
#[test]
fn rows_that_nobody_asked_for_part_the_numbers_until_the_odd_one_is_out_of_doubt() {
    let mut dispatch = dispatch(54, 3);
    let look = dispatch.look(Mono(10_000)).unwrap();
    assert!(!look.alone && look.seqs.len() == 3);
    let strange = Looked { control: Control::Failed, found: HashMap::new(), rest: None, strange: true };
    dispatch.looked(look, &strange, Mono(10_100));
    // Singly the others are found; the odd one stays.
    let look = dispatch.look(Mono(60_000)).unwrap();
    assert!(look.alone);
    let found = HashMap::from([(1, Finding::Ours(7)), (2, Finding::Ours(8))]);
    let verdicts =
        dispatch.looked(look, &Looked { control: Control::Found, found, rest: None, strange: true }, Mono(60_100));
    assert_eq!(verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Delivered(_))).count(), 2);
    let look = dispatch.look(Mono(200_000)).unwrap();
    assert!(look.alone);
    let found = HashMap::from([(3, Finding::Absent)]);
    dispatch.looked(look, &Looked { control: Control::Found, found, rest: None, strange: false }, Mono(200_100));
    assert!(!dispatch.look(Mono(400_000)).unwrap().alone);
}
