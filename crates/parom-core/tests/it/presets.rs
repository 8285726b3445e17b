//! Each preset's folder: its mapping is a channel's, and its samples become the orders that stand beside them.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parom_core::channel::{Channel, parse};
use parom_core::mapping::{self, Given};
use parom_core::order::Verdict;
use parom_core::presets::{Encoding, Kind, Preset, Scheme, Unsigned, all, named};
use parom_core::submission::{Submission, decode_json, decode_urlencoded};
use proptest::prelude::*;

fn folder(preset: &Preset) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/presets").join(preset.name)
}

fn channel(preset: &Preset, more: &str) -> Channel {
    let secret = if preset.signing.is_some() { "access.secret = { env = \"SECRET\" }" } else { "" };
    let text = format!("format = \"{}\"\n{secret}\norder.source_id = 4\n{more}", preset.name);
    let (channel, findings) = parse("site", &text);
    assert!(findings.is_empty(), "{}: {findings:?}", preset.name);
    channel.unwrap()
}

/// A sample as it comes over HTTP: a line, headers, an empty line, the body.
fn read(file: &Path) -> (Submission, Vec<u8>) {
    let text = fs::read_to_string(file).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    let headers: Vec<(String, String)> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = body.trim_end_matches('\n').as_bytes().to_vec();
    let json = headers.iter().any(|(name, value)| name == "content-type" && value.contains("json"));
    let (form, flat) = if json { (decode_json(&body).unwrap(), Vec::new()) } else { decode_urlencoded(&body).unwrap() };
    let at: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    (Submission { form, flat, headers, ..Submission::empty(at) }, body)
}

#[test]
fn every_sample_becomes_the_order_beside_it() {
    let mut failed = Vec::new();
    for preset in all() {
        let mut samples: Vec<PathBuf> =
            fs::read_dir(folder(preset).join("samples")).unwrap().map(|entry| entry.unwrap().path()).collect();
        samples.retain(|path| path.extension().is_some_and(|ending| ending == "http"));
        assert!(samples.len() >= 2, "{} has no samples", preset.name);
        samples.sort();
        for sample in samples {
            let found = outcome(preset, &sample);
            let file = sample.with_extension("txt");
            #[expect(clippy::disallowed_methods, reason = "a switch of this test alone, documented in CONTRIBUTING.md")]
            if std::env::var("UPDATE_CASES").is_ok() {
                fs::write(&file, &found).unwrap();
            }
            if fs::read_to_string(&file).unwrap_or_default() != found {
                failed.push(format!("{}\n{found}", sample.display()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The order that a preset makes of a JSON body.
fn order(name: &str, body: &str) -> serde_json::Value {
    let preset = named(name).unwrap();
    let at: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    let submission = Submission { form: decode_json(body.as_bytes()).unwrap(), ..Submission::empty(at) };
    let (draft, _) =
        mapping::map(&channel(preset, ""), &submission, Given { dictionary: None, directory: None, random: 0 });
    serde_json::Value::Object(draft.body)
}

/// Lines less discount plus delivery.
fn total(order: &serde_json::Value) -> f64 {
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_default();
    let lines = order["products"].as_array().into_iter().flatten();
    let lines: f64 = lines.map(|line| number(&line["price"]) * number(&line["quantity"])).sum();
    ((lines - number(&order["discount_amount"]) + number(&order["shipping_price"])) * 100.0).round() / 100.0
}

/// Taxes, fees, tips, several deliveries and deductions of every kind: the CRM's total is the shop's.
#[test]
fn the_total_is_the_shops() {
    let woo = order(
        "woocommerce",
        r#"{"id":1,"number":"1","discount_total":"10.00","shipping_total":"50.00","total_tax":"18.00","total":"203.00",
            "billing":{"first_name":"О"},"line_items":[{"name":"A","quantity":2,"subtotal":"120.00","total":"110.00"}],
            "fee_lines":[{"name":"Пакування","total":"30.00"},{"name":"Знижка клієнта","total":"-5.00"}],
            "tax_lines":[{"label":"ПДВ","tax_total":"18.00"}],"shipping_lines":[{"method_title":"НП"}]}"#,
    );
    assert_eq!(total(&woo), 203.0, "{woo:#}");
    assert_eq!(woo["products"][2]["name"], "ПДВ");
    let opencart = order(
        "opencart",
        r#"{"event":"order.created","order":{"order_id":"7","firstname":"О","telephone":"0671112233"},
            "products":[{"name":"A","price":"100.00","quantity":"1"}],
            "totals":[{"code":"sub_total","title":"Сума","value":"100.00"},{"code":"shipping","title":"НП","value":"70.00"},
                      {"code":"coupon","title":"Купон","value":"-10.00"},{"code":"voucher","title":"Сертифікат","value":"-20.00"},
                      {"code":"tax","title":"ПДВ 20%","value":"18.00"},{"code":"total","title":"Разом","value":"158.00"}]}"#,
    );
    assert_eq!(total(&opencart), 158.0, "{opencart:#}");
    // A gift certificate that is bought is in the sum of the products.
    let bought = order(
        "opencart",
        r#"{"event":"order.created","order":{"order_id":"8","firstname":"О","telephone":"0671112233"},"products":[],
            "vouchers":[{"description":"Сертифікат на 500 грн","amount":"500.0000"}],
            "totals":[{"code":"sub_total","value":"500.00"},{"code":"total","value":"500.00"}]}"#,
    );
    assert_eq!(
        (total(&bought), &bought["products"][0]["name"]),
        (500.0, &"Сертифікат на 500 грн".into()),
        "{bought:#}"
    );
    let shopify = order(
        "shopify",
        r##"{"id":9,"name":"#9","taxes_included":false,"total_tax":"6.00","total_tip_received":"4.00","total_discounts":"10.00",
            "total_price":"165.00","customer":{"first_name":"О"},"line_items":[{"title":"A","price":"100.00","quantity":1}],
            "shipping_lines":[{"title":"НП","price":"40.00"},{"title":"Кур'єр","price":"25.00"}],
            "tax_lines":[{"title":"VAT","price":"6.00"}],"note_attributes":[{"name":"Подарунок","value":"так"}]}"##,
    );
    assert_eq!(total(&shopify), 165.0, "{shopify:#}");
    let variant = order(
        "shopify",
        r##"{"id":9,"name":"#9","customer":{"first_name":"О"},"line_items":[{"title":"Mug","variant_title":"Red","price":"5","quantity":1}],
            "shipping_address":{"first_name":null,"last_name":"Коваль"}}"##,
    );
    assert_eq!(
        (&variant["products"][0]["name"], &variant["shipping"]["recipient_full_name"]),
        (&"Mug - Red".into(), &"Коваль".into())
    );
    assert!(shopify["manager_comment"].as_str().unwrap().contains("Подарунок: так"), "{shopify:#}");
}

/// Every answer of a form is in the order, in the place that it means or for the manager to read.
#[test]
fn answers_are_neither_lost_nor_mistaken() {
    let form = order(
        "cf7",
        r#"{"Name":"Олена","Прізвище":"Ковальчук","Пошта":"Нова Пошта","Номер":"12","Телефон":"0671112233","discount":"10",
            "Загальна сума":"540","Job title":"Флорист","address":{"city":"Київ","flat":"7"},"extras":[{"a":1}]}"#,
    );
    assert_eq!(form["buyer"]["full_name"], "Олена Ковальчук", "{form:#}");
    assert_eq!(form["buyer"]["phone"], "+380671112233", "{form:#}");
    assert!(form["buyer"].get("email").is_none() && form.get("products").is_none(), "{form:#}");
    let comment = form["manager_comment"].as_str().unwrap();
    for kept in
        ["Пошта: Нова Пошта", "Номер: 12", "discount: 10", "Загальна сума: 540", "Job title: Флорист", "{\"a\":1}"]
    {
        assert!(comment.contains(kept), "{kept} is lost: {form:#}");
    }
    assert_eq!(form["shipping"]["shipping_secondary_line"], "city: Київ, flat: 7", "{form:#}");
    // Of several products that were ticked nobody knows whose the quantity is.
    let ticked = order(
        "cf7",
        r#"{"name":"Олена","phone":"0671112233","product":["Носки","Кепка"],"quantity":"2","price":"120","photo":"https://a.ua/1.jpg"}"#,
    );
    assert_eq!(ticked["products"].as_array().map(Vec::len), Some(2), "{ticked:#}");
    for kept in ["quantity: 2", "price: 120", "photo: https://a.ua/1.jpg"] {
        assert!(ticked["manager_comment"].as_str().unwrap().contains(kept), "{kept} is lost: {ticked:#}");
    }
    // A name beside the buyer's is no product, and a firm's is no buyer's.
    for (name, value) in [("company-name", "ТОВ Ромашка"), ("recipient-name", "Іван"), ("telegram_username", "olena")]
    {
        for swapped in [false, true] {
            let own = r#""your-name":"Олена","your-phone":"0671112233""#;
            let other = format!("\"{name}\":\"{value}\"");
            let body = if swapped { format!("{{{other},{own}}}") } else { format!("{{{own},{other}}}") };
            let form = order("cf7", &body);
            assert!(form.get("products").is_none(), "{form:#}");
            if !swapped || name != "recipient-name" {
                assert_eq!(form["buyer"]["full_name"], "Олена", "{form:#}");
                assert_eq!(form["manager_comment"], format!("{name}: {value}"), "{form:#}");
            }
        }
    }
    let own = order("cf7", r#"{"user_name":"Олена","user_phone":"0671112233"}"#);
    assert_eq!(own["buyer"]["full_name"], "Олена", "{own:#}");
    // Two questions of one title.
    let twice = order(
        "elementor",
        r#"{"form":{"id":"1","name":"f"},"fields":{"a":{"id":"a","type":"text","title":"Розмір","value":"S","raw_value":"S"},
            "b":{"id":"b","type":"text","title":"Розмір","value":"L","raw_value":"L"},
            "p":{"id":"p","type":"tel","title":"","value":"0671112233","raw_value":"0671112233"}}}"#,
    );
    assert_eq!(twice["manager_comment"], "Розмір: S\nРозмір (2): L", "{twice:#}");
}

/// What the preset makes of a sample, as text.
fn outcome(preset: &Preset, sample: &Path) -> String {
    let (submission, _) = read(sample);
    let mark = match preset.kind(&submission) {
        Kind::Order(mark) => mark,
        Kind::Ping => return "ping\n".into(),
        Kind::Other(why) => return format!("other: {why}\n"),
        Kind::Malformed(why) => return format!("malformed: {why}\n"),
    };
    let channel = channel(preset, "");
    let (draft, verdict) = mapping::map(&channel, &submission, Given { dictionary: None, directory: None, random: 0 });
    assert_eq!(verdict, Verdict::Go, "{}: {:?}", sample.display(), draft.problems);
    let mut out = format!("key {}", mark.key.as_deref().unwrap_or("-"));
    out.push_str(if mark.updates { ", updated by later ones" } else { "" });
    out.extend(mark.changed_at.map(|at| format!(", changed at {at}")));
    out.push_str(&format!("\n{}\n", serde_json::to_string_pretty(&draft.body).unwrap()));
    draft.problems.iter().for_each(|problem| out.push_str(&format!("{problem} ({})\n", problem.effect.as_str())));
    out
}

#[test]
fn every_folder_is_whole() {
    for preset in all() {
        let folder = folder(preset);
        assert!(folder.join("mapping.toml").is_file(), "{}", preset.name);
        let readme = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        assert!(readme.contains(&format!("format = \"{}\"", preset.name)), "{} has no README", preset.name);
        assert!(std::ptr::eq(named(preset.name).unwrap(), *preset));
    }
}

#[test]
fn a_channels_line_replaces_the_presets_and_leaves_the_rest() {
    let preset = named("woocommerce").unwrap();
    let (submission, _) = read(&folder(preset).join("samples/order-created.http"));
    let more = "order.buyer.full_name = \"{{ billing.last_name }}\"\norder.promocode = \"\"\n\
                [[order.products]]\neach = \"{{ line_items }}\"\nsku = \"{{ item.sku }}\"\nprice = 1\nquantity = 1";
    let map = |channel: &Channel| {
        mapping::map(channel, &submission, Given { dictionary: None, directory: None, random: 0 }).0.body
    };
    let (plain, own) = (map(&channel(preset, "")), map(&channel(preset, more)));
    assert_eq!(own["buyer"]["full_name"], "Коваленко");
    assert_eq!(own["buyer"]["phone"], plain["buyer"]["phone"]);
    assert_eq!(own["shipping"], plain["shipping"]);
    assert_eq!(own["products"].as_array().unwrap().len(), 1);
    assert_eq!((own["products"][0].get("name"), own["products"][0]["price"].as_i64()), (None, Some(1)));
}

#[test]
fn an_unknown_format_is_told_with_the_known_ones() {
    let (channel, findings) = parse("site", "format = \"tlida\"\norder.source_id = 4");
    assert!(channel.is_none());
    assert!(findings[0].hint.contains("tilda") && findings[0].line == 1, "{findings:?}");
}

/// What stands before the body in what is signed, and the headers of a request that is signed right.
fn signed(preset: &Preset, secret: &str, body: &[u8], at: Timestamp) -> Vec<(String, String)> {
    let signing = preset.signing.as_ref().unwrap();
    let mut headers = Vec::new();
    let before = match &signing.scheme {
        Scheme::Body => String::new(),
        Scheme::Stamped { header, separator, unit } => {
            let stamp = unit.write(at);
            headers.push(((*header).to_owned(), stamp.clone()));
            format!("{stamp}{separator}")
        }
        Scheme::StandardWebhooks => {
            headers.push(("webhook-id".to_owned(), "msg_1".to_owned()));
            headers.push(("webhook-timestamp".to_owned(), at.as_second().to_string()));
            format!("msg_1.{}.", at.as_second())
        }
    };
    headers.push((signing.header.to_owned(), signing.sign(secret, &before, body)));
    headers
}

/// The vectors of the specification's own libraries.
#[test]
fn standard_webhooks_are_signed_as_their_libraries_sign() {
    let signing = named("standardwebhooks").unwrap().signing.as_ref().unwrap();
    let vectors = [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330),
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553),
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ];
    for (secret, (id, at), body, signature) in vectors {
        let headers = |signature: &str| {
            let stamp = at.to_string();
            [("webhook-id", id), ("webhook-timestamp", &stamp), ("webhook-signature", signature)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let now = Timestamp::from_second(at).unwrap();
        let verify = |given: &str| signing.verify(&[secret], &headers(given), body.as_bytes(), now);
        assert_eq!(verify(signature), Ok(()));
        let bare = secret.trim_start_matches("whsec_");
        assert_eq!(
            signing.verify(&[bare], &headers(signature), body.as_bytes(), now),
            Ok(()),
            "the prefix may be left out"
        );
        // Others in the list, of another version or of a secret that was changed, do no harm.
        assert_eq!(verify(&format!("v1a,AAAA v1,AAAA {signature}")), Ok(()));
        for short in ["v1,", "v1", "", &signature[..signature.len() - 4], &signature[3..]] {
            assert_eq!(verify(short), Err(Unsigned::Wrong), "{short}");
        }
    }
}

#[test]
fn signatures_wrong_old_and_changed_are_refused() {
    let now: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    let later = |seconds: i64| Timestamp::from_second(now.as_second() + seconds).unwrap();
    let body = br#"{"id":1,"n":"x"}"#;
    for preset in all().iter().filter(|preset| preset.signing.is_some()) {
        let signing = preset.signing.as_ref().unwrap();
        let headers = signed(preset, "s3cret", body, now);
        let verify =
            |headers: &[(String, String)], body: &[u8], now| signing.verify(&["old", "s3cret"], headers, body, now);
        assert_eq!(verify(&headers, body, now), Ok(()), "{}", preset.name);
        assert_eq!(signing.verify(&["other"], &headers, body, now), Err(Unsigned::Wrong));
        assert_eq!(signing.verify(&[], &headers, body, now), Err(Unsigned::Wrong));
        assert!(matches!(verify(&[], body, now), Err(Unsigned::Missing(_))));
        for at in 0..body.len() {
            let mut changed = body.to_vec();
            changed[at] ^= 1;
            assert_eq!(verify(&headers, &changed, now), Err(Unsigned::Wrong), "{} byte {at}", preset.name);
        }
        let text = headers.last().unwrap().1.clone();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            // Another character of the same alphabet.
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let mut changed = headers.clone();
            changed.last_mut().unwrap().1 = String::from_utf8(bytes).unwrap();
            assert_eq!(verify(&changed, body, now), Err(Unsigned::Wrong), "{} character {at}", preset.name);
        }
        let stamped = !matches!(signing.scheme, Scheme::Body);
        for seconds in [-301, 301] {
            let expected = if stamped { Err(Unsigned::Old) } else { Ok(()) };
            assert_eq!(verify(&headers, body, later(seconds)), expected, "{} {seconds}", preset.name);
        }
        assert_eq!(verify(&headers, body, later(299)), Ok(()));
        if stamped {
            // A new time over an old signature.
            let mut moved = headers.clone();
            let time = moved.iter_mut().find(|(name, _)| name.ends_with("timestamp")).unwrap();
            time.1 = signed(preset, "x", body, later(600))
                .iter()
                .find(|(name, _)| name.ends_with("timestamp"))
                .unwrap()
                .1
                .clone();
            assert_eq!(verify(&moved, body, later(600)), Err(Unsigned::Wrong));
        }
    }
}

proptest! {
    #[test]
    fn no_preset_panics_over_any_body(body in any::<Vec<u8>>(), text in "[\\[\\]{}\",:a-z0-9=&%;|]{0,200}") {
        let at: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
        for body in [body.as_slice(), text.as_bytes()] {
            let decoded = decode_json(body).map(|tree| (tree, Vec::new())).or_else(|_| decode_urlencoded(body));
            let Ok((form, flat)) = decoded else { continue };
            let submission = Submission { form, flat, ..Submission::empty(at) };
            for preset in all() {
                let _ = preset.kind(&submission);
                let _ = preset.shaped(&submission);
            }
        }
    }

    #[test]
    fn no_signature_header_panics(text in any::<String>(), stamp in any::<String>()) {
        for preset in all() {
            let Some(signing) = &preset.signing else { continue };
            let _ = matches!(signing.encoding, Encoding::Hex);
            let names = ["webhook-id", "webhook-timestamp", "x-webflow-timestamp", "x-parom-timestamp"];
            let mut headers: Vec<(String, String)> = names.map(|name| (name.to_owned(), stamp.clone())).to_vec();
            headers.push((signing.header.to_owned(), text.clone()));
            prop_assert!(signing.verify(&["s3cret"], &headers, b"x", Timestamp::UNIX_EPOCH).is_err());
        }
    }
}
