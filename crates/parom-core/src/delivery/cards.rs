//! Looking for a card. The CRM has no number for cards and no filter by contact: a card is found among those made since
//! the order came, by its title and its contact. An absence proves little, so a card is never sent again by itself.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::outcome::id;
use super::rows::{Finding, moment_of};
use crate::convert::plain;
use crate::limits;

/// A page of the CRM's list of cards.
#[derive(Clone, Debug, PartialEq)]
pub struct Cards {
    /// Its rows, as they came.
    pub rows: Vec<Value>,
    /// It is the last page.
    pub whole: bool,
}

/// Reads a page of cards; none for an answer of another shape.
#[must_use]
pub fn read(body: &[u8]) -> Option<Cards> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let rows = json.get("data")?.as_array()?.clone();
    let current = json.get("current_page").and_then(id)?;
    let next = json.get("next_page_url").is_some_and(|url| !url.is_null());
    let last = json.get("last_page").and_then(id).map_or(!next, |last| last <= current);
    rows.iter().all(|row| row.get("id").and_then(id).is_some()).then_some(Cards { rows, whole: last })
}

/// What a list of cards says of the card with this body, whose submission came at `received_at`.
#[must_use]
pub fn find(rows: &[Value], body: &Map<String, Value>, received_at: Timestamp) -> Finding {
    let floor = received_at.as_second() - limits::CRM_CLOCK_SLACK_S;
    let mut ours: Vec<i64> = rows
        .iter()
        .filter(|row| moment_of(row, "created_at").is_some_and(|at| at.as_second() >= floor))
        .filter(|row| {
            same_text(row.get("title"), body.get("title")) && same_contact(row.get("contact"), body.get("contact"))
        })
        .filter_map(|row| row.get("id").and_then(id))
        .collect();
    // A row may stand on two pages, when another came in between.
    ours.sort_unstable();
    ours.dedup();
    match ours.as_slice() {
        [] => Finding::Absent,
        [id] => Finding::Ours(*id),
        _ => Finding::Several(ours),
    }
}

fn same_text(left: Option<&Value>, right: Option<&Value>) -> bool {
    let text = |value: Option<&Value>| value.and_then(plain).map(|text| text.trim().to_lowercase()).unwrap_or_default();
    text(left) == text(right)
}

/// The buyer's id, else phone, e-mail or name: whichever the card was sent with.
fn same_contact(found: Option<&Value>, sent: Option<&Value>) -> bool {
    let part = |contact: Option<&Value>, name: &str| {
        contact.and_then(|contact| contact.get(name)).and_then(plain).filter(|text| !text.is_empty())
    };
    if let (Some(found), Some(sent)) = (part(found, "client_id"), part(sent, "client_id")) {
        // The CRM takes the known buyer's own phone and name then.
        return found == sent;
    }
    let digits = |text: String| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if let Some(phone) = part(sent, "phone") {
        return part(found, "phone").is_some_and(|known| digits(known) == digits(phone));
    }
    for name in ["email", "full_name", "client_id"] {
        if let Some(text) = part(sent, name) {
            return part(found, name)
                .is_some_and(|known| known.eq_ignore_ascii_case(&text) || known.to_lowercase() == text.to_lowercase());
        }
    }
    true
}
