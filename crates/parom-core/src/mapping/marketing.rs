//! UTM marks that the form does not carry: from the query, then from the page's own address.

use serde_json::{Map, Value};

use crate::convert::is_empty;
use crate::submission::{Submission, lookup};

const MARKS: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// Fills each mark that the rules left empty.
pub(super) fn complete(raw: &mut Map<String, Value>, submission: &Submission) {
    let page = submission.page.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let page: Vec<(String, String)> =
        form_urlencoded::parse(page.unwrap_or_default().as_bytes()).into_owned().take(100).collect();
    for mark in MARKS {
        let has = raw.get("marketing").and_then(|group| group.get(mark)).is_some_and(|value| !is_empty(value));
        if has {
            continue;
        }
        let carried = submission.form.get(mark).and_then(Value::as_str);
        let candidates = [carried, submission.query_value(mark), lookup(&page, mark)];
        let Some(found) = candidates.into_iter().flatten().find(|text| !text.trim().is_empty()) else {
            continue;
        };
        let group = raw.entry("marketing").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(group) = group {
            group.insert(mark.into(), Value::String(found.to_owned()));
        }
    }
}
