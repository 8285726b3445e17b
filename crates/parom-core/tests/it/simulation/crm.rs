//! The CRM: it accepts numbers twice unless told otherwise, may apply late, and its lists may lie.

use jiff::Timestamp;
use parom_core::delivery::rows::{List, Row};

use super::{MINUTE, SOURCE};

/// The wall clock's reading at the beginning of a life.
pub(crate) const EPOCH: i64 = 1_700_000_000_000;

/// Rows of a list without a filter: more than the controls and their namesakes, as a page has.
const PAGE: usize = 5;

#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) at: u64,
    pub(crate) body: u64,
    /// Not ours: there before.
    pub(crate) stranger: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Crm {
    pub(crate) rows: Vec<Kept>,
    /// Arrivals of requests on the account's key.
    pub(crate) arrivals: Vec<u64>,
    /// The named exceptions: orders that were applied later than any quiet period, and those of an account without any
    /// delivered order whose lists lied. They may be there twice, and must be seen then.
    pub(crate) excepted: Vec<String>,
}

/// How a list answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Honest,
    Empty,
    /// The filter is not applied: the newest, or the oldest rows.
    All {
        newest: bool,
        says_whole: bool,
    },
    /// Rows younger than a minute are not there yet.
    Lagging,
    /// The first rows only, and it says that there are more.
    Part,
    /// Every row shows another source.
    OtherSource,
    /// The connection is lost, or the answer is of another shape.
    NoAnswer,
    /// 429.
    Limited,
}

impl Crm {
    /// Applies a POST; the CRM's number, or none where the number is taken.
    pub(crate) fn apply(&mut self, number: &str, body: u64, now: u64, rejects_taken: bool) -> Option<i64> {
        if rejects_taken && self.rows.iter().any(|row| row.number == number) {
            return None;
        }
        let id = i64::try_from(self.rows.len()).unwrap() + 500;
        self.rows.push(Kept { id, number: number.to_owned(), at: now, body, stranger: false });
        Some(id)
    }

    pub(crate) fn stranger(&mut self, number: &str) {
        let id = i64::try_from(self.rows.len()).unwrap() + 500;
        self.rows.push(Kept { id, number: number.to_owned(), at: 0, body: 0, stranger: true });
    }

    /// The answer to a filter by numbers; `None`: no answer in shape.
    pub(crate) fn list(&self, numbers: &[String], commas: bool, mood: Mood, now: u64) -> Option<List> {
        let whole_text = numbers.join(",");
        let named = |row: &&Kept| {
            if commas { numbers.contains(&row.number) } else { row.number == whole_text }
        };
        let mut rows: Vec<&Kept> = match mood {
            Mood::NoAnswer | Mood::Limited => return None,
            Mood::Empty => Vec::new(),
            Mood::All { newest: true, .. } => self.rows.iter().rev().take(PAGE).collect(),
            Mood::All { newest: false, .. } => self.rows.iter().take(PAGE).collect(),
            Mood::Lagging => self.rows.iter().filter(named).filter(|row| row.at + MINUTE < now).collect(),
            _ => self.rows.iter().filter(named).collect(),
        };
        let whole = match mood {
            Mood::All { says_whole, .. } => says_whole || self.rows.len() <= PAGE,
            mood => mood != Mood::Part,
        };
        if mood == Mood::Part {
            rows.truncate(1);
        }
        let source = if mood == Mood::OtherSource { SOURCE + 1 } else { SOURCE };
        let rows = rows.into_iter().map(|row| shown(row, source)).collect();
        Some(List { rows, whole })
    }
}

impl Crm {
    /// The list without a filter: the newest rows.
    pub(crate) fn newest(&self, mood: Mood) -> Option<List> {
        match mood {
            Mood::NoAnswer | Mood::Limited => None,
            Mood::Empty => Some(List { rows: Vec::new(), whole: true }),
            mood => {
                let source = if mood == Mood::OtherSource { SOURCE + 1 } else { SOURCE };
                let rows = self.rows.iter().rev().take(PAGE).map(|row| shown(row, source)).collect();
                Some(List { rows, whole: self.rows.len() <= PAGE })
            }
        }
    }
}

fn shown(row: &Kept, source: i64) -> Row {
    // A stranger's order is older than any of ours, by the CRM's clock.
    let at = if row.stranger { EPOCH - 3_600_000 } else { EPOCH + i64::try_from(row.at).unwrap() };
    Row {
        id: row.id,
        source_id: Some(source),
        number: Some(row.number.clone()),
        created_at: Timestamp::from_millisecond(at).ok(),
    }
}
