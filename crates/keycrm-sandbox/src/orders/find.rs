//! Selection of orders for a list.

use super::book::Book;
use super::record::{NEW_STATUS, Record};
use crate::dates;

/// The filters that the vendor documents for `/order`.
pub(crate) const FILTERS: &[&str] = &[
    "status_id",
    "source_id",
    "source_uuid",
    "buyer_phone",
    "buyer_email",
    "created_between",
    "updated_between",
    "shipping_between",
    "payment_status",
    "has_tracking_code",
];

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// Filters by name, all of which a row must match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    filters: Vec<Filter>,
}

#[derive(Clone, Debug)]
struct Filter {
    name: String,
    /// The listed values, or the one whole text.
    values: Vec<String>,
    text: String,
}

impl Query {
    /// Adds a filter; `by_comma` splits its text into a list.
    pub(crate) fn add(&mut self, name: &str, text: &str, by_comma: bool) {
        let values = if by_comma {
            text.split(',').map(|value| value.trim().to_owned()).collect()
        } else {
            vec![text.to_owned()]
        };
        self.filters.push(Filter { name: name.to_owned(), values, text: text.to_owned() });
    }

    /// The rows that match, sorted. Numbers are found by index, everything else by a walk over all orders.
    pub(crate) fn run<'a>(&self, book: &'a Book, sort: Sort) -> Vec<&'a Record> {
        let numbers = self.filters.iter().find(|filter| filter.name == "source_uuid");
        let matches = |record: &&Record| self.filters.iter().all(|filter| filter.matches(record));
        let mut found: Vec<&Record> = match numbers {
            Some(filter) => filter.values.iter().flat_map(|number| book.numbered(number)).filter(matches).collect(),
            None => book.records().iter().filter(matches).collect(),
        };
        if numbers.is_some() {
            found.sort_by_key(|record| record.id);
            found.dedup_by_key(|record| record.id);
        }
        if sort == Sort::Descending {
            found.reverse();
        }
        found
    }
}

impl Filter {
    fn matches(&self, record: &Record) -> bool {
        match self.name.as_str() {
            "status_id" => self.has(&NEW_STATUS.to_string()),
            "source_id" => self.has(&record.source_id.to_string()),
            "source_uuid" => record.source_uuid.as_deref().is_some_and(|number| self.has(number)),
            "payment_status" => self.has(&record.payment_status),
            "buyer_phone" => record.phone.as_deref().is_some_and(|phone| {
                let wanted = digits(phone);
                self.values.iter().any(|value| digits(value) == wanted)
            }),
            "buyer_email" => record
                .email
                .as_deref()
                .is_some_and(|email| self.values.iter().any(|value| value.to_lowercase() == email.to_lowercase())),
            "created_between" => self.spans(Some(record.ordered_at)),
            "updated_between" => self.spans(Some(record.created_at)),
            "shipping_between" => self.spans(record.shipping_date),
            "has_tracking_code" => ["1", "true"].contains(&self.text.as_str()) == record.has_tracking_code,
            _ => true,
        }
    }

    fn has(&self, value: &str) -> bool {
        self.values.iter().any(|wanted| wanted == value)
    }

    /// `FROM, TO`, both ends included; a range that does not read selects nothing.
    fn spans(&self, at: Option<i64>) -> bool {
        let ends = self
            .text
            .split_once(',')
            .and_then(|(from, to)| Some((dates::parse(from)?.as_second(), dates::parse_end(to)?.as_second())));
        matches!((ends, at), (Some((from, to)), Some(at)) if (from..=to).contains(&at))
    }
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}
