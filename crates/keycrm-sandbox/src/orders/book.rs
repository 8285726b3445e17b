//! All orders of the account, in memory, with the index of their numbers.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::draft::Draft;
use super::fields::FieldErrors;
use super::journal::Journal;
use super::record::{Record, compose};
use crate::options::{DupMode, DupScope, Options};

/// Why an order was not created.
#[derive(Debug)]
pub(crate) enum CreateError {
    /// Its number is taken.
    Taken(FieldErrors),
    /// The journal could not be written.
    Disk(io::Error),
}

/// Orders by ascending id.
#[derive(Debug)]
pub(crate) struct Book {
    records: Vec<Record>,
    /// Places in `records` by number; the list is one long unless numbers repeat.
    by_number: HashMap<Box<str>, Vec<usize>>,
    journal: Option<Journal>,
    dup_mode: DupMode,
    dup_scope: DupScope,
}

impl Book {
    /// An empty book, or the one that the data file holds.
    pub(crate) fn open(options: &Options) -> io::Result<Self> {
        let (journal, mut records) = match options.data.as_deref().map(Path::new) {
            Some(path) => {
                let (journal, records) = Journal::open(path)?;
                (Some(journal), records)
            }
            None => (None, Vec::new()),
        };
        records.sort_by_key(|record| record.id);
        let mut book = Self {
            records: Vec::new(),
            by_number: HashMap::new(),
            journal,
            dup_mode: options.dup_mode,
            dup_scope: options.dup_scope,
        };
        for record in records {
            book.insert(record);
        }
        Ok(book)
    }

    /// Numbers the order and keeps it: on disk first, where there is a file.
    pub(crate) fn create(&mut self, draft: Draft, now: Timestamp) -> Result<&Record, CreateError> {
        if self.dup_mode == DupMode::Reject && self.is_taken(&draft) {
            let errors = FieldErrors::one("source_uuid", "The source uuid has already been taken.");
            return Err(CreateError::Taken(errors));
        }
        let id = self.records.last().map_or(0, |record| record.id) + 1;
        let line = compose(draft, id, now).to_string();
        let record = Record::from_line(&line)
            .ok_or_else(|| CreateError::Disk(io::Error::other("the order does not read back")))?;
        if let Some(journal) = &mut self.journal {
            journal.append(&line).map_err(CreateError::Disk)?;
        }
        let place = self.insert(record);
        Ok(&self.records[place])
    }

    fn is_taken(&self, draft: &Draft) -> bool {
        let Some(number) = draft.source_uuid.as_deref() else {
            return false;
        };
        let mut holders = self.numbered(number);
        holders.any(|record| self.dup_scope == DupScope::Account || record.source_id == draft.source_id)
    }

    fn insert(&mut self, record: Record) -> usize {
        let place = self.records.len();
        if let Some(number) = record.source_uuid.clone() {
            self.by_number.entry(number).or_default().push(place);
        }
        self.records.push(record);
        place
    }

    /// The orders with this number.
    pub(crate) fn numbered(&self, number: &str) -> impl Iterator<Item = &Record> {
        self.by_number.get(number).into_iter().flatten().map(|place| &self.records[*place])
    }

    /// The order with this id.
    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        let place = self.records.binary_search_by_key(&id, |record| record.id).ok()?;
        self.records.get(place)
    }

    /// All orders by ascending id.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether creating an order waits for the disk.
    pub(crate) fn is_durable(&self) -> bool {
        self.journal.is_some()
    }
}
