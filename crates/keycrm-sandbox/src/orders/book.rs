//! All orders of the account, in memory, with the index of their numbers.

use std::collections::HashMap;

use super::draft::Draft;
use super::record::Record;
use crate::options::{DupMode, DupScope, Options};

/// Orders by ascending id.
#[derive(Debug)]
pub(crate) struct Book {
    records: Vec<Record>,
    /// Places in `records` by number; the list is one long unless numbers repeat.
    by_number: HashMap<Box<str>, Vec<usize>>,
    /// The highest id ever: the CRM gives none twice.
    highest: u64,
    dup_mode: DupMode,
    dup_scope: DupScope,
}

impl Book {
    /// A book of stored orders; of several with one id the last counts.
    pub(crate) fn new(options: &Options, mut records: Vec<Record>) -> Self {
        records.sort_by_key(|record| record.id);
        let mut book = Self {
            records: Vec::new(),
            by_number: HashMap::new(),
            highest: 0,
            dup_mode: options.dup_mode,
            dup_scope: options.dup_scope,
        };
        for record in records {
            book.put(record);
        }
        book
    }

    /// The id of the next order.
    pub(crate) fn next_id(&self) -> u64 {
        self.highest + 1
    }

    /// Whether the order's number is refused.
    pub(crate) fn is_taken(&self, draft: &Draft) -> bool {
        let Some(number) = draft.source_uuid.as_deref().filter(|_| self.dup_mode == DupMode::Reject) else {
            return false;
        };
        let mut holders = self.numbered(number);
        holders.any(|record| self.dup_scope == DupScope::Account || record.source_id == draft.source_id)
    }

    /// Adds a new order, or takes the place of the one with its id.
    pub(crate) fn put(&mut self, record: Record) {
        if let Some(place) = self.place(record.id) {
            // Nothing changes an order's number.
            self.records[place] = record;
            return;
        }
        if let Some(number) = record.source_uuid.clone() {
            self.by_number.entry(number).or_default().push(self.records.len());
        }
        self.highest = self.highest.max(record.id);
        self.records.push(record);
    }

    /// Takes an order out; whether it was there.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        if self.place(id).is_none() {
            return false;
        }
        self.by_number.clear();
        let records = std::mem::take(&mut self.records);
        records.into_iter().filter(|record| record.id != id).for_each(|record| self.put(record));
        true
    }

    /// The orders with this number.
    pub(crate) fn numbered(&self, number: &str) -> impl Iterator<Item = &Record> {
        self.by_number.get(number).into_iter().flatten().map(|place| &self.records[*place])
    }

    /// The order with this id.
    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        self.records.get(self.place(id)?)
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.records.binary_search_by_key(&id, |record| record.id).ok()
    }

    /// All orders by ascending id.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }
}
