//! Rows out of a file of any known kind, one by one, with their places.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parom_core::limits;
use serde_json::Value;

use super::{Import, csv, ndjson, xlsx};
use crate::cli::Failed;

/// A row and where it stands, from 1: the line of a text, the row of a sheet.
pub(super) struct Taken {
    pub(super) place: u64,
    pub(super) row: Result<Value, String>,
}

/// The rows of a file.
pub(super) struct Reader {
    rows: Box<dyn Iterator<Item = Taken> + Send>,
    bytes: u64,
    read: Arc<AtomicU64>,
}

impl Reader {
    pub(super) fn open(asked: &Import) -> Result<Reader, Failed> {
        let path = asked.file.as_path();
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = std::fs::metadata(path).map_err(|error| named(&error))?.len();
        let read = Arc::new(AtomicU64::new(0));
        let rows = match ending(path).as_str() {
            "csv" | "txt" | "tsv" => csv::rows(path, asked.delimiter, asked.encoding.as_deref(), &read),
            "ndjson" | "jsonl" => ndjson::rows(path, &read),
            "xlsx" => xlsx::rows(path, asked.sheet.as_deref(), bytes, &read),
            other => Err(format!("`.{other}` files are not taken; export as .csv, .xlsx or .ndjson")),
        };
        Ok(Reader { rows: rows.map_err(|error| named(&error))?, bytes, read })
    }

    /// The file's size.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that were read.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed).min(self.bytes)
    }
}

impl Iterator for Reader {
    type Item = Taken;

    fn next(&mut self) -> Option<Taken> {
        self.rows.next()
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
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
