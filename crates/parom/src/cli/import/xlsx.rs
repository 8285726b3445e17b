//! XLSX: one sheet, its first row the header. A workbook is a zip: its size is looked at before it is unpacked.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{Data, Reader, Xlsx};

use super::rows::{Taken, header, object};

/// The file as it is.
const PACKED: u64 = 5 << 20;
/// All of it unpacked.
const UNPACKED: u64 = 50 << 20;
const RATIO: u64 = 100;
const ENTRIES: usize = 200;
const ROWS: usize = 20_000;

pub(super) fn rows(
    path: &Path,
    sheet: Option<&str>,
    bytes: u64,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn Iterator<Item = Taken> + Send>, String> {
    within_limits(path, bytes)?;
    let file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut book: Xlsx<_> = Xlsx::new(file).map_err(|error| format!("this is not an .xlsx workbook: {error}"))?;
    let names = book.sheet_names();
    let name = match sheet {
        Some(name) => name.to_owned(),
        None => names.first().cloned().ok_or("the workbook has no sheet")?,
    };
    let range = book
        .worksheet_range(&name)
        .map_err(|error| format!("the sheet `{name}`: {error}; there are: {}", names.join(", ")))?;
    if range.height() > ROWS + 1 {
        return Err(format!("more than {ROWS} rows; save it as .csv, which has no such limit"));
    }
    let first = range.start().map_or(0, |(row, _)| row);
    let mut rows = range.rows().map(|cells| cells.iter().map(text).collect::<Vec<_>>()).collect::<Vec<_>>().into_iter();
    let header = header(rows.next().ok_or("the sheet is empty")?)?;
    let read = Arc::clone(read);
    let places = (u64::from(first) + 2)..;
    Ok(Box::new(places.zip(rows).filter_map(move |(place, cells)| {
        read.store(bytes, Ordering::Relaxed);
        let blank = cells.iter().all(|cell| cell.trim().is_empty());
        (!blank).then(|| Taken { place, row: object(&header, cells.into_iter()) })
    })))
}

fn within_limits(path: &Path, bytes: u64) -> Result<(), String> {
    if bytes > PACKED {
        return Err(format!("the file is larger than {} MiB; save it as .csv, which has no such limit", PACKED >> 20));
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| format!("this is not an .xlsx workbook: {error}"))?;
    if archive.len() > ENTRIES {
        return Err(format!("the workbook has more than {ENTRIES} parts"));
    }
    let mut whole = 0u64;
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).map_err(|error| format!("this is not an .xlsx workbook: {error}"))?;
        whole = whole.saturating_add(part.size());
    }
    if whole > UNPACKED || whole / bytes.max(1) > RATIO {
        return Err(format!("the workbook unpacks to {whole} bytes, which is more than is taken"));
    }
    Ok(())
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.trim().to_owned(),
        Data::Float(number) => parom_core::convert::decimal_of_float(*number)
            .map_or_else(|| number.to_string(), |decimal| decimal.normalize().to_string()),
        Data::Int(number) => number.to_string(),
        Data::Bool(flag) => flag.to_string(),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
    }
}
