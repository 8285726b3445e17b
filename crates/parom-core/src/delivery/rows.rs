//! The CRM's list of orders, as an answer to a look-up, and which rows are ours.

use jiff::Timestamp;
use serde_json::Value;

use super::outcome::{id, number_text};
use super::planted::{self, Planted};
use super::verify::Control;
use crate::convert::{Moment, moment};
use crate::limits;

/// One row of a list, as far as a look-up needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The CRM's number.
    pub id: i64,
    /// The source.
    pub source_id: Option<i64>,
    /// The order's number in the source, trimmed.
    pub number: Option<String>,
    /// When the CRM made it.
    pub created_at: Option<Timestamp>,
}

/// A list in the documented shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its rows.
    pub rows: Vec<Row>,
    /// It is the last page.
    pub whole: bool,
}

/// The order that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its source.
    pub source_id: i64,
    /// Its number.
    pub number: String,
    /// When we received it.
    pub received_at: Timestamp,
}

/// An order that was delivered, as a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The CRM's number.
    pub crm_order_id: i64,
    /// Its source.
    pub source_id: i64,
    /// Its number.
    pub number: String,
}

/// What a list says of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// One row is ours.
    Ours(i64),
    /// Several rows are ours.
    Several(Vec<i64>),
    /// The number is there, under this CRM number, but made before the order came or in another source.
    Foreign(i64),
    /// No row has the number.
    Absent,
}

/// Reads a list; none for an answer of another shape.
#[must_use]
pub fn read(body: &[u8]) -> Option<List> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let rows: Option<Vec<Row>> = json.get("data")?.as_array()?.iter().map(row).collect();
    let current = json.get("current_page").and_then(Value::as_i64)?;
    let next = json.get("next_page_url").is_some_and(|url| !url.is_null());
    let last = json.get("last_page").and_then(Value::as_i64).is_none_or(|last| last <= current);
    Some(List { rows: rows?, whole: last && !next })
}

/// Reads one order, bare as the CRM gives it, or under `data` as some of its clients expect it.
#[must_use]
pub fn read_one(body: &[u8]) -> Option<Row> {
    let json: Value = serde_json::from_slice(body).ok()?;
    row(&json).or_else(|| row(json.get("data")?))
}

fn row(value: &Value) -> Option<Row> {
    Some(Row {
        id: id(value.get("id")?)?,
        source_id: value.get("source_id").and_then(id),
        number: value.get("source_uuid").and_then(number_text),
        created_at: moment_of(value, "created_at"),
    })
}

/// A row's time in both live forms: ISO with a zone, and `YYYY-MM-DD HH:MM:SS`, which is UTC.
pub(super) fn moment_of(row: &Value, name: &str) -> Option<Timestamp> {
    match moment(row.get(name)?.as_str()?, &jiff::tz::TimeZone::UTC) {
        Ok(Moment::Instant(at)) => Some(at),
        _ => None,
    }
}

impl List {
    /// Whether every row really has one of the numbers that were asked for: else the filter was not applied. A database may
    /// find `a-1` for `A-1` too.
    #[must_use]
    pub fn answers(&self, numbers: &[&str]) -> bool {
        let asked: Vec<String> = numbers.iter().map(|number| number.to_lowercase()).collect();
        let is_asked = |number: &str| asked.contains(&number.to_lowercase());
        planted::is(Planted::FilterUnchecked) || self.rows.iter().all(|row| row.number.as_deref().is_some_and(is_asked))
    }

    /// How far an absence in the answer to `asked` numbers can be trusted, by the orders that must be in it; none where there
    /// is no such order yet, and the plain list must be asked.
    #[must_use]
    pub fn control(&self, controls: &[Delivered], asked: usize) -> Option<Control> {
        // By the CRM's own number: a clock that jumped while it was received must not hide it.
        let there = |control: &Delivered| {
            let number = control.number.trim();
            let same = |row: &Row| {
                row.id == control.crm_order_id
                    && row.source_id == Some(control.source_id)
                    && row.number.as_deref() == Some(number)
            };
            self.rows.iter().any(same)
        };
        if !self.whole && !planted::is(Planted::PartCountsAsWhole) {
            Some(Control::Failed)
        } else if controls.iter().any(there) || planted::is(Planted::ControlIgnored) {
            Some(Control::Found)
        } else {
            // Several numbers prove nothing without a control: perhaps commas do not split them.
            (!controls.is_empty() || asked > 1).then_some(Control::Failed)
        }
    }

    /// What the list without a filter adds: an order that the filter did not show is there all the same.
    pub fn add(&self, wanted: &Wanted, finding: &mut Finding) {
        if *finding == Finding::Absent {
            *finding = self.find(wanted);
        }
    }

    /// What the list says of an order.
    #[must_use]
    pub fn find(&self, wanted: &Wanted) -> Finding {
        let number = wanted.number.trim();
        let named: Vec<&Row> = self.rows.iter().filter(|row| row.number.as_deref() == Some(number)).collect();
        let in_source: Vec<&&Row> = named.iter().filter(|row| row.source_id == Some(wanted.source_id)).collect();
        let floor = wanted.received_at.as_second() - limits::CRM_CLOCK_SLACK_S;
        let ours: Vec<i64> = in_source
            .iter()
            .filter(|row| {
                row.created_at.is_some_and(|at| at.as_second() >= floor) || planted::is(Planted::AgeUnchecked)
            })
            .map(|row| row.id)
            .collect();
        match (ours.as_slice(), in_source.first()) {
            ([id], _) => Finding::Ours(*id),
            ([_, _, ..], _) => Finding::Several(ours),
            ([], Some(row)) => Finding::Foreign(row.id),
            // The same number in another source is another order's, and no sign of ours.
            ([], None) => Finding::Absent,
        }
    }
}
