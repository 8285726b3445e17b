//! Rows out of a file of any known kind, one by one, with their places. What it costs to read a file is bounded, whatever
//! the file says of itself.

mod csv;
mod ndjson;
mod quotes;
mod xlsx;

use std::io::{Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parom_core::limits;
use serde_json::Value;

/// A row and where it stands, from 1: the line of a text, the row of a sheet.
pub(crate) struct Taken {
    pub(crate) place: u64,
    pub(crate) row: Result<Value, String>,
}

/// What is known of a file beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) delimiter: Option<char>,
    pub(crate) encoding: Option<&'a str>,
    pub(crate) sheet: Option<&'a str>,
}

type Rows = Box<dyn Iterator<Item = Taken> + Send>;

/// The rows of a file.
pub(crate) struct Reader {
    rows: Rows,
    bytes: u64,
    read: Arc<AtomicU64>,
}

impl Reader {
    /// The rows of what a file of this ending holds.
    pub(crate) fn new<R: Read + Seek + Send + 'static>(
        source: R,
        bytes: u64,
        ending: &str,
        asked: Asked<'_>,
    ) -> Result<Reader, String> {
        let read = Arc::new(AtomicU64::new(0));
        let rows = match ending {
            "csv" | "txt" | "tsv" => csv::rows(source, asked, &read),
            "ndjson" | "jsonl" => Ok(ndjson::rows(source, &read)),
            "xlsx" => xlsx::rows(source, asked.sheet, bytes, &read),
            other => Err(format!("`.{other}` files are not taken; export as .csv, .xlsx or .ndjson")),
        };
        Ok(Reader { rows: rows?, bytes, read })
    }

    /// The file's size.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that were read.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed).min(self.bytes)
    }
}

impl Iterator for Reader {
    type Item = Taken;

    fn next(&mut self) -> Option<Taken> {
        self.rows.next()
    }
}

/// A table's row under its header; a column without a name is taken by its number.
pub(super) fn object(header: &[String], cells: impl Iterator<Item = String>) -> Result<Value, String> {
    let mut map = serde_json::Map::new();
    for (index, cell) in cells.enumerate() {
        if cell.len() > limits::VALUE_BYTES {
            return Err(format!("column {}: longer than {} bytes", index + 1, limits::VALUE_BYTES));
        }
        let name = header.get(index).filter(|name| !name.is_empty());
        let name = name.cloned().unwrap_or_else(|| (index + 1).to_string());
        if !cell.is_empty() || header.len() > index {
            map.insert(name, Value::String(cell));
        }
    }
    Ok(Value::Object(map))
}

/// A header that can be used: within the limits, and no name twice.
pub(super) fn header(cells: Vec<String>) -> Result<Vec<String>, String> {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.trim().to_owned()).collect();
    if cells.iter().all(String::is_empty) {
        return Err("row 1: there is no header; the first row names the columns".into());
    }
    if cells.len() > limits::FORM_FIELDS {
        return Err(format!("row 1: more than {} columns", limits::FORM_FIELDS));
    }
    for (index, name) in cells.iter().enumerate() {
        if name.len() > limits::NAME_BYTES {
            return Err(format!("row 1: the name of column {} is longer than {} bytes", index + 1, limits::NAME_BYTES));
        }
        if !name.is_empty() && cells[..index].contains(name) {
            return Err(format!("row 1: two columns are called `{name}`; rename one"));
        }
    }
    Ok(cells)
}

/// Counts what passes through a reader.
pub(super) struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, read: &Arc<AtomicU64>) -> Counted<R> {
        Counted { inner, read: Arc::clone(read) }
    }
}

impl<R: std::io::Read> std::io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
        Ok(count)
    }
}
