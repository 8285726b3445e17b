//! Suspected spam: form times and allowances, decided by arguments alone.

use std::time::Duration;

use jiff::Timestamp;
use parom_core::channel::parse;
use parom_core::delivery::Mono;
use parom_core::spam::{Allowance, Allowances, Doubt, FormTime, issue, judge};
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 16] = [9; 16];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

#[test]
fn a_form_time_is_good_between_its_times_and_for_its_channel() {
    let rule = FormTime::default();
    let text = issue(&KEY, "shop", at(0), NONCE);
    let judged = |seconds| judge(&KEY, "shop", &text, rule, at(seconds)).map(|stamp| stamp.nonce);
    assert_eq!(judged(-5), Err(Doubt::Quick));
    assert_eq!(judged(2), Err(Doubt::Quick));
    assert_eq!(judged(3), Ok(NONCE));
    assert_eq!(judged(86_400), Ok(NONCE));
    assert_eq!(judged(86_401), Err(Doubt::Old));
    assert_eq!(judge(&KEY, "other", &text, rule, at(10)), Err(Doubt::Wrong));
    assert_eq!(judge(&[8; 32], "shop", &text, rule, at(10)), Err(Doubt::Wrong));
    assert_eq!(judge(&KEY, "shop", " ", rule, at(10)), Err(Doubt::Missing));
}

#[test]
fn no_changed_byte_of_a_form_time_is_believed() {
    let text = issue(&KEY, "shop", at(0), NONCE);
    for place in 0..text.len() {
        for other in [b'A', b'z', b'_', b'=', b' '] {
            let mut changed = text.clone().into_bytes();
            if changed[place] == other {
                continue;
            }
            changed[place] = other;
            let changed = String::from_utf8(changed).unwrap();
            if changed.trim() != text {
                assert!(judge(&KEY, "shop", &changed, FormTime::default(), at(10)).is_err(), "{changed}");
            }
        }
        assert!(judge(&KEY, "shop", &text[..place], FormTime::default(), at(10)).is_err());
    }
}

#[test]
fn an_allowance_is_a_burst_and_then_its_share_of_the_time() {
    let five = Allowance { count: 5, window: Duration::from_secs(600) };
    let mut allowances = Allowances::new(100);
    let mut taken = |seconds: u64| allowances.take("a", five, Mono(seconds * 1_000));
    assert_eq!((0..6).map(|_| taken(0)).collect::<Vec<_>>(), [true, true, true, true, true, false]);
    assert!(!taken(119));
    assert!(taken(120), "one more after a fifth of the time");
    assert!(!taken(121));
    assert_eq!((0..6).filter(|_| taken(2_000)).count(), 5, "all of them after a rest");
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let one = Allowance { count: 1, window: Duration::from_secs(60) };
    let mut allowances = Allowances::new(100);
    assert!(allowances.take("a", one, Mono(0)) && !allowances.take("a", one, Mono(1)));
    allowances.give_back("a", one);
    assert!(allowances.take("a", one, Mono(2)));
    assert!(allowances.take("b", one, Mono(2)), "another party has its own");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// A flood of addresses costs a known amount of memory, and never lets one party over a burst and its shares.
    #[test]
    fn memory_and_orders_stay_within_their_limits(steps in prop::collection::vec((0_u64..2_000, 0_u64..400), 1..2_000)) {
        let rate = Allowance { count: 3, window: Duration::from_secs(60) };
        let (mut allowances, mut now, mut of_one) = (Allowances::new(100), 0, 0);
        for (wait, party) in steps {
            now += wait;
            of_one += u64::from(allowances.take("one", rate, Mono(now)));
            allowances.take(&format!("p{party}"), rate, Mono(now));
            prop_assert!(allowances.len() <= 100);
        }
        // Forgetting may cost a party's count, never more than its allowance at once; without it the bound is exact.
        let mut alone = Allowances::new(100);
        let exact = (0..=now / 100).filter(|step| alone.take("one", rate, Mono(step * 100))).count();
        prop_assert!(u64::try_from(exact).unwrap() <= 3 + now / 20_000);
        prop_assert!(of_one >= 1);
    }
}

#[test]
fn the_spam_table_is_read_and_its_faults_are_named() {
    let base = "[order]\nsource_id = 22\n[order.buyer]\nphone = \"{{ phone }}\"\n[spam]\n";
    let read = |lines: &str| {
        let (channel, found) = parse("shop", &format!("{base}{lines}\n"));
        let texts: Vec<String> = found.iter().map(|f| format!("{} {} {}", f.line, f.path, f.code)).collect();
        (channel.map(|channel| channel.spam), texts)
    };
    let rules = read("honeypot = \"website\"\nmin = \"5s\"\nper_address = \"5/10m\"\nper_form = \"60/1m\"").0.unwrap();
    assert_eq!(rules.honeypot.as_deref(), Some("website"));
    let minutes = |count: u32, minutes: u64| Allowance { count, window: Duration::from_secs(60 * minutes) };
    assert_eq!((rules.per_address, rules.per_form), (Some(minutes(5, 10)), Some(minutes(60, 1))));
    assert_eq!(rules.form_time.unwrap().min, Duration::from_secs(5));
    assert_eq!(read("form_time = true").0.unwrap().form_time, Some(FormTime::default()));
    assert_eq!(read("form_time = false\nmin = \"5s\"").0.unwrap().form_time, None);
    assert_eq!(read("").0.unwrap(), parom_core::spam::SpamRules::default());
    for (lines, finding) in [
        ("honypot = \"x\"", "6 spam.honypot unknown_key"),
        ("honeypot = \"\"", "6 spam.honeypot invalid_setting"),
        ("honeypot = \"parom_time\"", "6 spam.honeypot invalid_setting"),
        ("form_time = \"yes\"", "6 spam.form_time invalid_setting"),
        ("min = 3", "6 spam.min invalid_setting"),
        ("min = \"2h\"\nmax = \"1h\"", "7 spam.min invalid_setting"),
        ("max = \"30d\"", "6 spam.max invalid_setting"),
        ("per_address = \"5\"", "6 spam.per_address invalid_setting"),
        ("per_address = \"0/1m\"", "6 spam.per_address invalid_setting"),
        ("per_form = \"5/0s\"", "6 spam.per_form invalid_setting"),
        ("per_form = \"5/2d\"", "6 spam.per_form invalid_setting"),
    ] {
        let (rules, texts) = read(lines);
        assert_eq!((rules, texts.as_slice()), (None, [finding.to_owned()].as_slice()), "{lines}");
    }
    let (channel, found) = parse("shop", "format = \"tilda\"\norder.source_id = 22\n[spam]\nform_time = true\n");
    assert!(channel.is_some());
    assert!(found.iter().any(|f| f.path == "spam.form_time" && f.message.contains("Tilda")), "{found:?}");
}
