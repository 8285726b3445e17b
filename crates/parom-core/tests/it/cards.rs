//! A card is found by time, title and contact.

use parom_core::delivery::cards::{find, read};
use parom_core::delivery::rows::Finding;
use serde_json::{Value, json};

fn page(rows: &Value) -> Vec<u8> {
    json!({ "current_page": 1, "last_page": 1, "next_page_url": null, "data": rows }).to_string().into_bytes()
}

#[test]
fn title_contact_and_time_must_all_agree() {
    let sent = json!({ "title": "P-1", "contact": { "full_name": "Olena", "phone": "+380671112233" } });
    let row = |id: i64, title: &str, phone: &str, at: &str| json!({ "id": id, "title": title, "created_at": at, "contact": { "full_name": "Olena", "phone": phone } });
    let now = "2026-11-24T10:00:30.000000Z";
    let ours = row(7, "P-1", "380671112233", now);
    let others = [
        row(1, "P-2", "380671112233", now),
        row(2, "P-1", "380501112233", now),
        row(3, "P-1", "380671112233", "2026-11-24 09:00:00"),
    ];
    let look = |rows: &[Value]| {
        let cards = read(&page(&Value::Array(rows.to_vec()))).unwrap();
        assert!(cards.whole);
        find(&cards.rows, sent.as_object().unwrap(), "2026-11-24T10:00:00Z".parse().unwrap())
    };
    assert_eq!(look(&others), Finding::Absent);
    assert_eq!(look(&[&others[..], std::slice::from_ref(&ours)].concat()), Finding::Ours(7));
    assert_eq!(look(&[ours.clone(), row(8, "p-1", "+38 067 111 22 33", now)]), Finding::Several(vec![7, 8]));
}

#[test]
fn a_card_without_a_phone_is_told_by_its_mail_or_its_name() {
    let at = "2026-11-24T10:00:00Z".parse().unwrap();
    let row = json!([{ "id": "9", "title": "T", "created_at": "2026-11-24 10:00:01",
                       "contact": { "full_name": "Олена", "email": "Olena@ukr.net", "phone": null } }]);
    let rows = read(&page(&row)).unwrap().rows;
    for (contact, found) in [
        (json!({ "email": "olena@ukr.net" }), true),
        (json!({ "full_name": "олена" }), true),
        (json!({ "full_name": "Petro" }), false),
        (json!({ "phone": "+380671112233", "full_name": "Олена" }), false),
    ] {
        let sent = json!({ "title": "T", "contact": contact });
        assert_eq!(find(&rows, sent.as_object().unwrap(), at) == Finding::Ours(9), found, "{sent}");
    }
}

#[test]
fn an_answer_of_another_shape_is_no_list() {
    for body in ["", "<html>", "[]", "{\"data\":[]}", "{\"data\":[{}],\"current_page\":1}"] {
        assert!(read(body.as_bytes()).is_none(), "{body}");
    }
}
