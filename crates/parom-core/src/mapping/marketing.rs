//! UTM marks that the form does not carry: from the query, then from the page's own address.

use serde_json::{Map, Value};

use crate::convert::is_empty;
use crate::submission::{Submission, lookup};

const MARKS: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// Fills each mark of an order that the rules left empty.
pub(super) fn complete_order(raw: &mut Map<String, Value>, submission: &Submission) {
    let mut marks = match raw.remove("marketing") {
        Some(Value::Object(marks)) => marks,
        Some(other) => {
            // Of another shape: the conversion says so.
            raw.insert("marketing".into(), other);
            return;
        }
        None => Map::new(),
    };
    complete(&mut marks, submission);
    if !marks.is_empty() {
        raw.insert("marketing".into(), Value::Object(marks));
    }
}

/// Fills each mark that the rules left empty.
pub(super) fn complete(marks: &mut Map<String, Value>, submission: &Submission) {
    let page = submission.page.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let page: Vec<(String, String)> =
        form_urlencoded::parse(page.unwrap_or_default().as_bytes()).into_owned().take(100).collect();
    for mark in MARKS {
        let has = marks.get(mark).is_some_and(|value| !is_empty(value));
        if has {
            continue;
        }
        let carried = submission.form.get(mark).and_then(Value::as_str);
        let candidates = [carried, submission.query_value(mark), lookup(&page, mark)];
        let Some(found) = candidates.into_iter().flatten().find(|text| !text.trim().is_empty()) else {
            continue;
        };
        marks.insert(mark.into(), Value::String(found.to_owned()));
    }
}
