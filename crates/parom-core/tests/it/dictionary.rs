//! The CRM's lists as rows, in the forms that live answers have.

use parom_core::channel::{check_known, check_rate, parse};
use parom_core::convert::Locale;
use parom_core::dictionary::{Dictionary, Kind, UnknownSku, apply, read_page};
use parom_core::order::Draft;
use parom_core::{Code, Effect};
use serde_json::{Value, json};

fn read(kind: Kind, body: &Value) -> (Dictionary, bool) {
    let page = read_page(kind, body.to_string().as_bytes()).unwrap_or_else(|| panic!("not read: {body}"));
    let mut dictionary = Dictionary::default();
    dictionary.set(kind, &page.rows);
    (dictionary, page.last)
}

#[test]
fn lists_are_read_in_every_form_that_was_seen() {
    let body = json!({ "current_page": 1, "last_page": 3, "next_page_url": "x", "data": [
        { "id": "22", "name": " Landing ", "driver": "other", "unknown": { "a": 1 } },
        { "id": 4, "name": null, "alias": "promua" },
    ]});
    let (dictionary, last) = read(Kind::Sources, &body);
    let entries = dictionary.entries(Kind::Sources).unwrap();
    assert_eq!(
        (entries[0].id, entries[0].name.as_str(), entries[1].alias.as_str(), last),
        (22, "Landing", "promua", false)
    );
    // Funnels answer with `title`, payment methods with numbers for yes and no.
    let (dictionary, last) = read(Kind::Pipelines, &json!({ "total": 1, "data": [{ "id": 1, "title": "Продажі" }] }));
    assert_eq!((dictionary.entries(Kind::Pipelines).unwrap()[0].name.as_str(), last), ("Продажі", true));
    let (dictionary, _) = read(Kind::PaymentMethods, &json!({ "data": [{ "id": 1, "name": "x", "is_active": 0 }] }));
    assert!(!dictionary.entries(Kind::PaymentMethods).unwrap()[0].active);
    let (dictionary, last) = read(
        Kind::CustomFields,
        &json!([{ "uuid": "OR_1", "name": "A", "model": "order",
        "type": "select", "is_multiple": true, "options": [{ "id": 1, "value": "S" }, { "value": 5 }] }]),
    );
    let field = &dictionary.fields().unwrap()[0];
    assert_eq!((field.options.clone(), field.multiple, last), (vec!["S".to_owned(), "5".to_owned()], true, true));
    let (dictionary, _) =
        read(Kind::Skus, &json!({ "data": [{ "id": 1, "sku": null }, { "sku": "B" }, { "sku": 12 }] }));
    let known = ["B", " B ", "12", "A"].map(|sku| dictionary.has_sku(sku));
    assert_eq!(known, [Some(true), Some(true), Some(true), Some(false)]);
    assert_eq!(Dictionary::default().has_sku("B"), None, "what was never fetched decides nothing");
}

#[test]
fn an_answer_of_another_shape_is_no_page() {
    for body in ["", "<html>", "{}", "{\"data\":{}}", "{\"data\":[1]}", "{\"data\":[{\"name\":\"x\"}]}", "\"x\""] {
        assert!(read_page(Kind::Sources, body.as_bytes()).is_none(), "{body}");
    }
}

#[test]
fn rows_read_back_as_they_were_kept() {
    let kept = read_page(
        Kind::Pipelines,
        json!({ "data": [{ "id": 1, "title": "A", "statuses": [{ "id": 5, "title": "New" }] }] })
            .to_string()
            .as_bytes(),
    )
    .unwrap()
    .rows;
    let again = read_page(Kind::Pipelines, Value::Array(kept.clone()).to_string().as_bytes()).unwrap().rows;
    assert_eq!(kept, again);
    assert_eq!(kept[0]["statuses"][0]["name"], "New");
}

#[test]
fn a_channel_file_is_checked_against_the_account_with_line_and_column() {
    let mut dictionary = Dictionary::default();
    dictionary.set(Kind::Sources, &[json!({ "id": 22, "name": "Landing" })]);
    dictionary.set(Kind::PaymentMethods, &[json!({ "id": 2, "name": "Apple Pay" })]);
    dictionary
        .set(Kind::CustomFields, &[json!({ "uuid": "OR_1001", "name": "Розмір", "model": "order", "type": "text" })]);
    dictionary.set(Kind::Skus, &[json!("MUG-350")]);
    let text = "[order]\nsource = \"Lending\"\n[order.buyer]\nphone = \"{{ phone }}\"\n[[order.products]]\nsku = \"{{ sku }}\"\n\
                name = \"a\"\n[[order.products]]\n  sku = \"CUP-1\"\n[[order.payments]]\npayment_method_id = \"3\"\n\
                amount = 5\n[[order.custom_fields]]\nuuid = \"OR_1002\"\nvalue = \"{{ x }}\"\n";
    let (channel, findings) = parse("shop", text);
    assert!(findings.is_empty(), "{findings:?}");
    let found: Vec<String> = check_known(&channel.unwrap(), text, &dictionary)
        .iter()
        .map(|f| format!("{}:{} {} {} {}", f.line, f.column, f.severity.as_str(), f.path, f.code))
        .collect();
    assert_eq!(
        found,
        [
            "2:10 error order.source not_in_account",
            "11:21 error order.payments.0.payment_method_id not_in_account",
            "9:9 warning order.products.1.sku unknown_sku",
            "14:8 error order.custom_fields.0.uuid not_in_account",
        ]
    );
    assert!(check_rate(54, Some(60)).is_none() && check_rate(54, None).is_none());
    assert!(check_rate(90, Some(60)).is_some_and(|(_, message, _)| message.contains("60")));
}

/// Whoever wants unknown SKUs held is told where nobody could look.
#[test]
fn a_catalogue_that_is_not_there_yet_is_told_where_unknown_skus_are_held() {
    let (mut dictionary, _) = read(Kind::Sources, &json!({ "data": [{ "id": 22, "name": "Landing" }] }));
    let found = |dictionary: &Dictionary, policy| {
        let body = json!({ "source_id": 22, "products": [{ "sku": "A" }] });
        let mut draft = Draft { body: body.as_object().unwrap().clone(), ..Draft::default() };
        let locale = Locale { zone: jiff::tz::TimeZone::UTC, region: "UA".into(), keep_dates: false };
        apply(&mut draft, Some(dictionary), policy, &locale);
        draft.problems.iter().map(|problem| (problem.code, problem.effect)).collect::<Vec<_>>()
    };
    assert_eq!(found(&dictionary, UnknownSku::Hold), [(Code::DictionaryMissing, Effect::Warn)]);
    assert_eq!(found(&dictionary, UnknownSku::Warn), []);
    dictionary.set(Kind::Skus, &[json!("B")]);
    assert_eq!(found(&dictionary, UnknownSku::Hold), [(Code::UnknownSku, Effect::Hold)]);
}
