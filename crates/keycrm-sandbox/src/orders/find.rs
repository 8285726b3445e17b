//! Selection of orders for a list.

use super::book::Book;
use super::record::Record;
use crate::filters::{Filter, Sort};

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

/// The rows that match all filters, sorted. Numbers are found by index, everything else by a walk over all orders.
pub(crate) fn find<'a>(book: &'a Book, filters: &[Filter], sort: Sort) -> Vec<&'a Record> {
    let numbers = filters.iter().find(|filter| filter.name == "source_uuid");
    let matches = |record: &&Record| filters.iter().all(|filter| fits(filter, record));
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

fn fits(filter: &Filter, record: &Record) -> bool {
    match filter.name.as_str() {
        "status_id" => filter.has(&record.status_id.to_string()),
        "source_id" => filter.has(&record.source_id.to_string()),
        "source_uuid" => record.source_uuid.as_deref().is_some_and(|number| filter.has(number)),
        "payment_status" => filter.has(&record.payment_status),
        "buyer_phone" => record.phone.as_deref().is_some_and(|phone| filter.has_phone(phone)),
        "buyer_email" => record.email.as_deref().is_some_and(|email| filter.has_email(email)),
        // The vendor's words: this one selects on the business date.
        "created_between" => filter.spans(Some(record.ordered_at)),
        "updated_between" => filter.spans(Some(record.updated_at)),
        "shipping_between" => filter.spans(record.shipping_date),
        "has_tracking_code" => filter.means(record.has_tracking_code),
        _ => true,
    }
}
