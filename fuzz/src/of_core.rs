//! What is fuzzed of the core: each takes any bytes, and must neither panic nor take long. The tests of the core run the same.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use parom_core::channel::{self, Channel};
use parom_core::delivery::change::{has_payment, outcome};
use parom_core::delivery::outcome::{Answer, classify};
use parom_core::delivery::{cards, rows};
use parom_core::dictionary::{self, Dictionary, Kind};
use parom_core::mapping::{self, Given};
use parom_core::novaposhta::{self, Branch, Builder, Directory, Ref, Settlement};
use parom_core::order::Target;
use parom_core::presets;
use parom_core::spam::{self, Allowance, FormTime, SpamRules};
use parom_core::submission::{Decoded, Submission, decode_json_within, decode_urlencoded, masked};
use parom_core::{limits, php};
use serde_json::Value;

/// Its name, and what it does with any bytes.
type Named = (&'static str, fn(&[u8]));

/// Every target by its name, which is its corpus' too.
pub(crate) const TARGETS: &[Named] = &[
    ("urlencoded", urlencoded),
    ("json", json),
    ("preset", preset),
    ("expression", expression),
    ("signature", signature),
    ("crm", crm),
    ("channel", channel_file),
    ("php", script),
    ("form_time", form_time),
    ("branch", branch),
];

const SHOP: &str = "idempotency_key = \"{{ number }}\"\n[order]\nsource_id = 22\n[order.buyer]\nfull_name = \"{{ name }}\"\n\
    phone = \"{{ phone }}\"\nemail = \"{{ email }}\"\n[order.shipping]\nshipping_date = \"{{ date }}\"\n\
    warehouse_ref = \"{{ ref | np_branch(city) }}\"\ndelivery_service_id = \"{{ service }}\"\n[[order.products]]\neach = \"{{ items }}\"\n\
    name = \"{{ item.name }}\"\nsku = \"{{ item.sku }}\"\nprice = \"{{ item.price }}\"\nquantity = \"{{ item.qty | default(1) }}\"\n\
    [[order.payments]]\npayment_method = \"{{ pay }}\"\namount = \"{{ amount }}\"\nstatus = \"{{ paid }}\"\n\
    [[order.custom_fields]]\nuuid = \"LD_1022\"\nvalue = [\"{{ color }}\", \"{{ size }}\"]\n";

static CHANNELS: LazyLock<Vec<Channel>> = LazyLock::new(|| {
    let card = format!("target = \"{{{{ 'order' if price else 'card' }}}}\"\n{SHOP}");
    [SHOP, card.as_str()].iter().filter_map(|text| channel::parse("shop", text).0).collect()
});

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut dictionary = Dictionary::default();
    let row = serde_json::json!({ "id": 22, "name": "Site" });
    Kind::ALL.iter().for_each(|kind| dictionary.set(*kind, std::slice::from_ref(&row)));
    dictionary
});

static DIRECTORY: LazyLock<Arc<Directory>> = LazyLock::new(|| {
    let (town, branch) = (Ref(1), Ref(2));
    let mut builder = Builder::default();
    builder.settlement(Settlement {
        reference: town,
        name: "Київ".into(),
        kind: "місто".into(),
        ..Settlement::default()
    });
    for (number, kind) in [(5, novaposhta::Kind::Branch), (3_021, novaposhta::Kind::Locker)] {
        let text = format!("№{number}: вул. Хрещатик, {number}");
        let row = Branch {
            reference: Ref(branch.0 + u128::from(number)),
            settlement: town,
            city: town,
            number,
            kind,
            max_kg: 30,
            works: true,
            text: text.into(),
            text_ru: "".into(),
        };
        builder.branch(row);
    }
    Arc::new(builder.build().0)
});

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap_or_default()
}

/// A submission through everything that looks at one.
fn through((form, flat): Decoded, channel: &Channel) {
    let submission = Submission { form, flat, ..Submission::empty(now()) };
    let given = Given { dictionary: Some(&DICTIONARY), directory: Some(&DIRECTORY), random: 7 };
    let (draft, _) = mapping::map(channel, &submission, given);
    assert!(serde_json::to_string(&draft.body).is_ok());
    assert!(draft.problems.len() <= limits::PROBLEMS + 1, "{} problems", draft.problems.len());
    let revised =
        mapping::revise(draft.target, &draft.body, &channel.locale(), channel.unknown_sku, None, Some(&DIRECTORY));
    assert!(serde_json::to_string(&revised.0.body).is_ok());
    let _ = mapping::idempotency_key(channel, &submission);
    let _ = submission.canonical();
    let rules = SpamRules { honeypot: Some("website".into()), ..SpamRules::default() };
    let _ = spam::honeypot(&rules, &submission);
    if let Value::Object(body) = &submission.form {
        let _ = mapping::identity(channel, Target::Order, body, now(), given);
    }
}

/// One of several, by the input's length: the same input takes the same way each time.
fn one_of<'a, T>(all: &'a [T], bytes: &[u8]) -> Option<&'a T> {
    all.get(bytes.len() % all.len().max(1))
}

fn urlencoded(bytes: &[u8]) {
    let _ = masked(bytes);
    if let (Ok(decoded), Some(channel)) = (decode_urlencoded(bytes), one_of(&CHANNELS, bytes)) {
        let submission = Submission { form: decoded.0.clone(), flat: decoded.1.clone(), ..Submission::empty(now()) };
        let _ = channel::suggest("main", 22, &submission);
        through(decoded, channel);
    }
}

fn json(bytes: &[u8]) {
    let _ = masked(bytes);
    if let (Ok(tree), Some(channel)) = (decode_json_within(bytes, limits::JSON_NODES), one_of(&CHANNELS, bytes)) {
        // What is taken within the limit is the same when it is written and read again.
        let again = decode_json_within(tree.to_string().as_bytes(), limits::JSON_NODES);
        assert_eq!(again.as_ref().ok(), Some(&tree));
        through((tree, Vec::new()), channel);
    }
}

/// A known sender's name, a line end, a body.
fn preset(bytes: &[u8]) {
    static FORMATS: LazyLock<Vec<(&str, Channel)>> = LazyLock::new(|| {
        let channel = |name: &str| channel::parse("shop", &format!("format = \"{name}\"\norder.source_id = 22\n")).0;
        presets::all().iter().filter_map(|preset| Some((preset.name, channel(preset.name)?))).collect()
    });
    let (name, body) = split(bytes);
    let named = FORMATS.iter().find(|(known, _)| known.as_bytes() == name);
    let Some((name, channel)) = named.or_else(|| one_of(&FORMATS, bytes)) else { return };
    let decoded = decode_json_within(body, limits::SHOP_JSON_NODES).map(|tree| (tree, Vec::new()));
    let Ok((form, flat)) = decoded.or_else(|_| decode_urlencoded(body)) else { return };
    let submission = Submission { form, flat, ..Submission::empty(now()) };
    let Some(preset) = presets::named(name) else { return };
    let _ = preset.kind(&submission);
    let _ = mapping::changes(channel, &submission, Given { dictionary: None, directory: None, random: 7 });
    through((submission.form, submission.flat), channel);
}

/// A town, a line end, a text about a branch; then an answer of the carrier's.
fn branch(bytes: &[u8]) {
    let (town, line) = split(bytes);
    let (town, line) = (String::from_utf8_lossy(town), String::from_utf8_lossy(line));
    let _ = novaposhta::resolve(&DIRECTORY, &town, &line);
    let _ = novaposhta::settlements(&DIRECTORY, &line, 20);
    let _ = novaposhta::branches(&DIRECTORY, Ref(1), &line, 20);
    for list in novaposhta::List::ALL {
        if let novaposhta::Answer::Rows(page) = novaposhta::answer(list, bytes) {
            novaposhta::take(&mut Builder::default(), list, &page.kept);
        }
    }
}

/// An expression, a line end, a form.
fn expression(bytes: &[u8]) {
    let (expression, form) = split(bytes);
    let text = String::from_utf8_lossy(expression);
    let quoted = Value::String(text.into_owned()).to_string().replace('\x7f', "");
    let file = format!(
        "idempotency_key = {quoted}\n[order]\nsource_id = 22\nmanager_comment = {quoted}\nordered_at = {quoted}\n\
         [order.buyer]\nphone = {quoted}\nemail = {quoted}\n[[order.products]]\neach = {quoted}\nname = \"{{{{ item }}}}\"\n\
         price = {quoted}\nquantity = {quoted}\n[[order.custom_fields]]\nuuid = \"LD_1\"\nvalue = [{quoted}]\n"
    );
    let _ = channel::field_names(&file);
    // One that cannot stand in some places may stand in others.
    let plain =
        format!("[order]\nsource_id = 22\nmanager_comment = {quoted}\n[order.buyer]\nphone = \"{{{{ phone }}}}\"\n");
    for file in [file, plain] {
        if let (Some(channel), Ok(decoded)) = (channel::parse("shop", &file).0, decode_urlencoded(form)) {
            through(decoded, &channel);
        }
    }
}

/// A signature, a time, an id, each on its line, and a body.
fn signature(bytes: &[u8]) {
    let (given, rest) = split(bytes);
    let (stamp, rest) = split(rest);
    let (id, body) = split(rest);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for signing in presets::all().iter().filter_map(|preset| preset.signing.as_ref()) {
        let mut headers: Vec<(String, String)> =
            presets::HEADERS.iter().map(|name| ((*name).to_owned(), text(stamp))).collect();
        headers.push(("webhook-id".into(), text(id)));
        headers.push((signing.header.to_owned(), text(given)));
        let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a secret of the test's"];
        assert!(signing.verify(&secrets, &headers, body, now()).is_err(), "a signature was guessed");
    }
}

/// A status, a line end, a body: what the CRM, or what stands before it, may answer to anything.
fn crm(bytes: &[u8]) {
    let (status, body) = split(bytes);
    let status = std::str::from_utf8(status).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(200);
    for number in [Some("P-0123456789ABC"), None] {
        let answer = |has_rate_header| Answer::Response { status, retry_after: Some(u64::MAX), has_rate_header, body };
        let _ = (classify(answer(true), number), classify(answer(false), number), outcome(answer(true)));
    }
    let _ = (rows::read(body), rows::read_one(body), has_payment(body, "P-0123456789ABC"));
    if let Some(found) = cards::read(body) {
        let _ = cards::find(&found.rows, &serde_json::Map::new(), now());
    }
    for kind in Kind::ALL {
        if let Some(page) = dictionary::read_page(*kind, body) {
            Dictionary::default().set(*kind, &page.rows);
        }
    }
    let _ = (dictionary::read_buyers(body), dictionary::read_offers(body), dictionary::read_products(body));
}

fn channel_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (found, findings) = channel::parse("shop", &text);
    let lines = text.matches('\n').count() + 1;
    assert!(findings.iter().all(|finding| finding.line <= lines && !finding.message.is_empty()));
    let _ = channel::field_names(&text);
    for target in [Target::Order, Target::Card] {
        if let Ok(lines) = channel::lines(&text, target) {
            let changes: Vec<(String, String)> =
                lines.into_iter().step_by(7).map(|line| (line.path, "{{ phone }}".into())).collect();
            if let Ok(edited) = channel::edited(&text, &changes) {
                let _ = channel::parse("shop", &edited);
            }
        }
    }
    let form = decode_urlencoded(b"name=Olena&phone=0671112233&items[0][name]=Mug&items[0][price]=5&items[0][qty]=1");
    if let (Some(channel), Ok(decoded)) = (found, form) {
        through(decoded, &channel);
    }
}

fn script(bytes: &[u8]) {
    if let Ok(converted) = php::convert(&String::from_utf8_lossy(bytes), "main") {
        let _ = channel::parse("shop", &converted.channel);
    }
}

fn form_time(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let judged = spam::judge(&[7; 32], "shop", &text, FormTime::default(), now());
    assert!(judged.is_err(), "a form time was guessed");
    let rate = Allowance { count: 3, window: Duration::from_secs(60) };
    let mut allowances = spam::Allowances::new(16);
    for (at, party) in bytes.chunks(2).enumerate() {
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        allowances.take(&String::from_utf8_lossy(party), rate, parom_core::delivery::Mono(at * 1_000));
        assert!(allowances.len() <= 16);
    }
}

/// The first line, and what is after it.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..at], bytes.get(at + 1..).unwrap_or_default())
}
