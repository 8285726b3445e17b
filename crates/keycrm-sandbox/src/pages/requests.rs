//! The newest requests of the ledger.

use super::html::{escape, frame};
use super::table::{table, tight};
use crate::crm::Crm;
use crate::ledger::LedgerEntry;

/// Requests on the page.
const SHOWN: usize = 200;
const HEADS: &[&str] = &["Time", "Method", "Path", "Status", "Fault"];

pub(super) fn page(crm: &Crm) -> String {
    let (count, newest) = crm.ledger.newest(SHOWN);
    let rows: Vec<Vec<String>> = newest.iter().map(|entry| row(entry, crm)).collect();
    let table = table("Requests", count, HEADS, &rows, "No request has arrived yet.");
    let refresh = "<p><a href=\"/ledger\">Refresh</a> · <a href=\"/_sandbox/ledger\">Raw JSON</a></p>";
    frame("Requests", "", &format!("<header><h1>Requests</h1>{refresh}</header>\n<main>\n{table}</main>\n"))
}

fn row(entry: &LedgerEntry, crm: &Crm) -> Vec<String> {
    let query = if entry.query.is_empty() { String::new() } else { format!("?{}", entry.query) };
    vec![
        tight(&crm.clock.time_of_day(entry.at_ms)),
        escape(&entry.method),
        escape(&format!("{}{query}", entry.path)),
        entry.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
        entry.fault.as_deref().map(escape).unwrap_or_default(),
    ]
}
