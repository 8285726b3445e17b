//! Conversions: tables of spellings, and properties over generated ones.

use jiff::tz::TimeZone;
use parom_core::convert::{Kind, Locale, boolean, convert, email, moment, money, phone, url};
use proptest::prelude::*;
use serde_json::{Value, json};

fn kyiv() -> Locale {
    Locale { zone: TimeZone::get("Europe/Kyiv").unwrap(), region: "UA".into(), keep_dates: false }
}

fn shown(kind: Kind, value: &str) -> String {
    match convert(kind, &Value::String(value.into()), &kyiv()) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(misfit) => format!("!{}", misfit.code),
    }
}

fn check(kind: Kind, table: &[(&str, &str)]) {
    for (input, expected) in table {
        assert_eq!(shown(kind, input), *expected, "{kind:?} of `{input}`");
    }
}

#[test]
fn money_in_many_spellings() {
    check(
        Kind::Money,
        &[
            ("1249.50", "1249.5"),
            ("1 249,50", "1249.5"),
            ("1\u{a0}249,50", "1249.5"),
            ("1\u{202f}249.5", "1249.5"),
            ("1,249.50", "1249.5"),
            ("1.249,50", "1249.5"),
            ("1,234,567.89", "1234567.89"),
            ("1.234.567", "1234567"),
            ("1'249.50", "1249.5"),
            ("500 грн", "500"),
            ("500 грн.", "500"),
            ("₴1 200", "1200"),
            ("1200 UAH", "1200"),
            ("12.30 гривні", "12.3"),
            ("$ 12.30", "!invalid_money"),
            ("100 USD", "!invalid_money"),
            ("5 zł", "!invalid_money"),
            ("€5", "!invalid_money"),
            ("0", "0"),
            (",5", "0.5"),
            ("12,", "12"),
            ("0.125", "0.125"),
            ("1,249", "!ambiguous_number"),
            ("1.249", "!ambiguous_number"),
            ("12 34", "!invalid_money"),
            ("1,24,50", "!invalid_money"),
            ("-5", "!out_of_range"),
            ("1e3", "!invalid_money"),
            ("NaN", "!invalid_money"),
            ("free", "!invalid_money"),
            ("99999999999", "!out_of_range"),
            ("1.2.3,4,5", "!invalid_money"),
        ],
    );
    assert_eq!(money("1.249", true).unwrap().to_string(), "1.249");
    assert_eq!(money("1e999", true).map_err(|m| m.code.as_str()).unwrap_err(), "invalid_money");
}

#[test]
fn phones_as_ukrainians_write_them() {
    let ukrainian = [
        "067 111 22 33",
        "0671112233",
        "(067) 111-22-33",
        "80 67 111 22 33",
        "80671112233",
        "380671112233",
        "+380671112233",
        "+38 (067) 111-22-33",
        "38 067 111 22 33",
        "+380 (067) 111 22 33",
        "00380671112233",
        "067-111-22-33",
        "671112233",
        "067.111.22.33",
        "tel:+380671112233",
        "+38 067 111 22 33 ",
    ];
    for text in ukrainian {
        assert_eq!(phone(text, "UA").as_deref(), Ok("+380671112233"), "`{text}`");
    }
    check(
        Kind::Phone,
        &[
            ("+48 601 234 567", "+48601234567"),
            ("+1 650-253-0000", "+16502530000"),
            ("044 278 00 00", "+380442780000"),
            ("12345", "!invalid_phone"),
            ("067 111 22", "!invalid_phone"),
            ("067 111 22 33 44", "!invalid_phone"),
            ("+38000", "!invalid_phone"),
            ("немає", "!invalid_phone"),
            ("0671112233 або 0501112233", "!invalid_phone"),
        ],
    );
    assert_eq!(phone("601 234 567", "PL").as_deref(), Ok("+48601234567"));
}

#[test]
fn dates_become_utc() {
    check(
        Kind::DateTime,
        &[
            ("2026-11-24 10:30:00", "2026-11-24 08:30:00"),
            ("2026-11-24T10:30", "2026-11-24 08:30:00"),
            ("2026-07-24 10:30", "2026-07-24 07:30:00"),
            ("2026-11-24T10:30:00Z", "2026-11-24 10:30:00"),
            ("2026-11-24T10:30:00+01:00", "2026-11-24 09:30:00"),
            ("24.11.2026 10:30", "2026-11-24 08:30:00"),
            ("24.11.2026, 10:30", "2026-11-24 08:30:00"),
            ("24/11/26", "2026-11-24"),
            ("2026-11-24", "2026-11-24"),
            ("1700000000", "2023-11-14 22:13:20"),
            ("1700000000000", "2023-11-14 22:13:20"),
            // The hour that the change to summer time skips counts on from before it.
            ("2026-03-29 03:30:00", "2026-03-29 01:30:00"),
            ("tomorrow", "!invalid_date"),
            ("31.02.2026", "!invalid_date"),
            ("1899-01-01", "!out_of_range"),
            ("2026-13-01", "!invalid_date"),
        ],
    );
    check(
        Kind::Date,
        &[("2026-11-24", "2026-11-24"), ("24.11.2026", "2026-11-24"), ("2026-11-23T23:30:00Z", "2026-11-24")],
    );
    let kept = convert(Kind::DateTime, &json!("2026-11-24 10:30:00"), &Locale { keep_dates: true, ..kyiv() });
    assert_eq!(kept.unwrap(), json!("2026-11-24 10:30:00"));
}

#[test]
fn the_other_kinds() {
    check(Kind::Integer, &[("22", "22"), ("22.0", "22"), ("0", "!out_of_range"), ("2x", "!invalid_integer")]);
    check(
        Kind::Quantity,
        &[
            ("1", "1"),
            ("0,5", "0.5"),
            ("0,250", "0.25"),
            ("2.000", "2"),
            ("1,000", "!ambiguous_number"),
            ("0", "!out_of_range"),
            ("-1", "!out_of_range"),
        ],
    );
    check(Kind::Percent, &[("11.5", "11.5"), ("0", "0"), ("15%", "15"), ("101", "!out_of_range")]);
    check(
        Kind::Email,
        &[
            ("john.doe@mail.app", "john.doe@mail.app"),
            ("mailto:a@b.ua", "a@b.ua"),
            ("a@b", "!invalid_email"),
            ("a@@b.ua", "!invalid_email"),
            ("оlena@ukr.net", "!invalid_email"),
            ("Olena <o@ukr.net>", "!invalid_email"),
        ],
    );
    check(
        Kind::Uuid,
        &[("1EC09D2E-e1c2-11e3-8c4a-0050568002cf", "1ec09d2e-e1c2-11e3-8c4a-0050568002cf"), ("11", "!invalid_uuid")],
    );
    check(Kind::PaymentStatus, &[("PAID", "paid"), ("refund", "refund"), ("cancelled", "!invalid_choice")]);
    check(Kind::OrderNumber, &[("WEB-1007", "WEB-1007"), ("1,2", "!invalid_order_number")]);
    assert_eq!(url("https://shop.example.ua/a?b"), Ok("https://shop.example.ua/a?b".into()));
    assert!(url("/img/mug.jpg").is_err() && url("https:///x").is_err() && url("ftp://x/y").is_err());
    for (word, flag) in [("on", true), ("Так", true), ("1", true), ("ні", false), ("FALSE", false)] {
        assert_eq!(boolean(&json!(word)), Ok(flag));
    }
    assert_eq!(convert(Kind::CustomValue, &json!(["a", "", "b"]), &kyiv()).unwrap(), json!(["a", "b"]));
    assert_eq!(convert(Kind::Text, &json!(["a", "b"]), &kyiv()).unwrap(), json!("a, b"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every amount survives each of its spellings.
    #[test]
    fn an_amount_survives_its_spellings(whole in 0u64..1_000_000_000, cents in 0u8..100) {
        let digits = whole.to_string();
        let grouped = |mark: char| {
            let mut out = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index) % 3 == 0 {
                    out.push(mark);
                }
                out.push(digit);
            }
            out
        };
        let expected = money(&format!("{whole}.{cents:02}"), true).unwrap();
        for text in [
            format!("{whole}.{cents:02}"),
            format!("{whole},{cents:02}"),
            format!("{},{cents:02}", grouped(' ')),
            format!("{},{cents:02} грн", grouped('\u{a0}')),
            format!("{}.{cents:02}", grouped(',')),
            format!("{},{cents:02}", grouped('.')),
        ] {
            prop_assert_eq!(money(&text, false), Ok(expected), "{}", text);
        }
    }

    /// Whatever a sender types, a conversion answers, and what it accepts it accepts again as it wrote it.
    #[test]
    fn no_text_breaks_a_conversion(text in "\\PC{0,40}") {
        for kind in [Kind::Money, Kind::Quantity, Kind::Percent, Kind::Integer, Kind::Phone, Kind::Email, Kind::Date,
                     Kind::DateTime, Kind::Uuid, Kind::Url, Kind::Boolean, Kind::OrderNumber] {
            let first = convert(kind, &Value::String(text.clone()), &kyiv());
            if let (Ok(value), true) = (&first, matches!(kind, Kind::Phone | Kind::Email | Kind::Date | Kind::Money)) {
                prop_assert_eq!(convert(kind, value, &kyiv()).ok(), Some(value.clone()));
            }
        }
        let _ = moment(&text, &TimeZone::UTC);
        let _ = email(&text);
    }

    /// Every local spelling of a mobile number comes to the same E.164.
    #[test]
    fn a_mobile_survives_its_spellings(operator in prop::sample::select(vec!["50", "63", "66", "67", "68", "73", "93", "95", "96", "97", "98", "99"]), rest in 1_000_000u32..9_999_999) {
        let expected = format!("+380{operator}{rest}");
        let r = rest.to_string();
        let (a, b, c) = (&r[..3], &r[3..5], &r[5..]);
        for text in [
            format!("0{operator}{rest}"), format!("(0{operator}) {a}-{b}-{c}"), format!("80{operator}{rest}"),
            format!("380{operator}{rest}"), format!("+38 0{operator} {a} {b} {c}"), format!("8 0{operator} {a} {b} {c}"),
        ] {
            prop_assert_eq!(phone(&text, "UA").ok(), Some(expected.clone()), "{}", text);
        }
    }
}
