//! What arrived, in order of arrival, and what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;

/// Characters of a request's body that are kept.
pub(crate) const BODY_KEPT: usize = 64 * 1024;
/// Bodies kept in all; beyond it the oldest lose theirs, so that a long run cannot fill the memory.
const BODIES_KEPT: usize = 256 * 1024 * 1024;
/// The window of the CRM's rate limit.
const WINDOW_MS: u64 = 60_000;

/// One request as it was received.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    /// Milliseconds from the sandbox's start to the request's arrival; never decreases.
    pub at_ms: u64,
    /// The method, such as `POST`.
    pub method: String,
    /// The path, such as `/v1/order`.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: String,
    /// The body as text, at most 64 KiB.
    pub body: String,
    /// A number for the key that came along, the same for the same key; 0 where none did.
    pub key: u64,
    /// The status that was answered; `None`: dropped or still open.
    pub status: Option<u16>,
    /// The number in the body or in `filter[source_uuid]`.
    pub source_uuid: Option<String>,
    /// The fault that was played on it.
    pub fault: Option<String>,
    /// The id of the order that it created, whatever was answered.
    pub applied_order: Option<u64>,
    /// The id of the card that it created, whatever was answered.
    pub applied_card: Option<u64>,
}

/// Points at one entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryRef(usize);

#[derive(Debug, Default)]
struct Book {
    entries: Vec<LedgerEntry>,
    bodies: usize,
    oldest_body: usize,
}

/// Every request that reached the API.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Book>);

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the arrival. The time is read under the lock, so that times follow the order of entries.
    pub(crate) fn arrive(&self, clock: &Clock, method: &str, path: &str, query: &str) -> (EntryRef, u64) {
        let mut book = self.book();
        let at_ms = clock.elapsed_ms();
        book.entries.push(LedgerEntry {
            at_ms,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: String::new(),
            key: 0,
            status: None,
            source_uuid: None,
            fault: None,
            applied_order: None,
            applied_card: None,
        });
        (EntryRef(book.entries.len() - 1), at_ms)
    }

    /// Notes the body, which arrives after the head.
    pub(crate) fn body(&self, entry: EntryRef, body: &[u8], source_uuid: Option<String>) {
        let kept = &body[..body.len().min(BODY_KEPT)];
        let mut book = self.book();
        book.bodies += kept.len();
        book.entries[entry.0].body = String::from_utf8_lossy(kept).into_owned();
        book.entries[entry.0].source_uuid = source_uuid;
        while book.bodies > BODIES_KEPT && book.oldest_body < entry.0 {
            let oldest = book.oldest_body;
            let freed = std::mem::take(&mut book.entries[oldest].body);
            book.bodies = book.bodies.saturating_sub(freed.len());
            book.oldest_body += 1;
        }
    }

    /// Changes one entry.
    pub(crate) fn note(&self, entry: EntryRef, change: impl FnOnce(&mut LedgerEntry)) {
        change(&mut self.book().entries[entry.0]);
    }

    pub(crate) fn entries(&self) -> Vec<LedgerEntry> {
        self.book().entries.clone()
    }

    /// How many entries there are, and the newest of them, newest first, without their bodies.
    pub(crate) fn newest(&self, count: usize) -> (usize, Vec<LedgerEntry>) {
        let book = self.book();
        let bare = |entry: &LedgerEntry| LedgerEntry {
            at_ms: entry.at_ms,
            method: entry.method.clone(),
            path: entry.path.clone(),
            query: entry.query.clone(),
            body: String::new(),
            key: entry.key,
            status: entry.status,
            source_uuid: entry.source_uuid.clone(),
            fault: entry.fault.clone(),
            applied_order: entry.applied_order,
            applied_card: entry.applied_card,
        };
        (book.entries.len(), book.entries.iter().rev().take(count).map(bare).collect())
    }

    /// The largest number of requests that arrived within any sliding 60 seconds.
    pub(crate) fn busiest_window(&self) -> usize {
        let book = self.book();
        let mut first = 0;
        let mut most = 0;
        for (last, entry) in book.entries.iter().enumerate() {
            while entry.at_ms - book.entries[first].at_ms >= WINDOW_MS {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }
}
