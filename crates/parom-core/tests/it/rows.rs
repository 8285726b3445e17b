//! Which rows of a look-up are ours.

use parom_core::delivery::rows::{Finding, Wanted, read};

fn wanted() -> Wanted {
    Wanted { source_id: 22, number: "P-1".into(), received_at: "2026-11-24T08:30:00Z".parse().unwrap() }
}

fn found(rows: &str) -> Option<Finding> {
    let body = format!(r#"{{"current_page":1,"last_page":1,"next_page_url":null,"data":[{rows}]}}"#);
    read(body.as_bytes()).map(|list| list.find(&wanted()))
}

#[test]
fn a_row_is_ours_by_source_number_and_time() {
    let row = |id: u32, source: &str, number: &str, created: &str| {
        format!(r#"{{"id":{id},"source_id":{source},"source_uuid":{number},"created_at":"{created}"}}"#)
    };
    let ours = row(7, "22", "\"P-1\"", "2026-11-24T08:31:00.000000Z");
    assert_eq!(found(&ours), Some(Finding::Ours(7)));
    assert_eq!(found(&row(7, "\"22\"", "\" P-1 \"", "2026-11-24 08:31:00")), Some(Finding::Ours(7)));
    assert_eq!(found(""), Some(Finding::Absent));
    assert_eq!(found(&row(8, "22", "\"P-2\"", "2026-11-24 08:31:00")), Some(Finding::Absent));
    assert_eq!(found(&row(8, "23", "\"P-1\"", "2026-11-24 08:31:00")), Some(Finding::Absent));
    // A clock of the CRM that is up to five minutes behind is still believed.
    assert_eq!(found(&row(7, "22", "\"P-1\"", "2026-11-24 08:25:00")), Some(Finding::Ours(7)));
    assert_eq!(found(&row(9, "22", "\"P-1\"", "2026-11-24 08:24:59")), Some(Finding::Foreign(9)));
    assert_eq!(found(&row(9, "22", "\"P-1\"", "yesterday")), Some(Finding::Foreign(9)));
    let two = format!("{ours},{}", row(8, "22", "\"P-1\"", "2026-11-24 08:32:00"));
    assert_eq!(found(&two), Some(Finding::Several(vec![7, 8])));
}

#[test]
fn an_answer_of_another_shape_is_no_list() {
    for body in ["", "<html>", "[]", r#"{"data":[]}"#, r#"{"data":{},"current_page":1}"#, r#"{"current_page":1}"#] {
        assert_eq!(read(body.as_bytes()), None, "{body}");
    }
    assert_eq!(found(r#"{"source_uuid":"P-1"}"#), None);
}

#[test]
fn a_filter_that_was_not_applied_shows() {
    let body = r#"{"current_page":1,"last_page":3,"data":[{"id":1,"source_id":22,"source_uuid":"X"}]}"#;
    let list = read(body.as_bytes()).unwrap();
    assert!(!list.answers(&["P-1"]) && list.answers(&["P-1", "X"]) && list.answers(&["p-1", "x"]));
    assert!(!list.whole, "there are more pages");
}
