//! XLSX: one sheet, its first row the header. A workbook is a zip, and says of itself what it likes: it is unpacked once to
//! count, and its cells are read one by one, since two of them in opposite corners would make a table of billions.

use std::io::{BufReader, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{DataRef, Reader, Xlsx};
use parom_core::limits;

use super::{Taken, header, object};

/// The file as it is.
const PACKED: u64 = 5 << 20;
/// All of it unpacked.
const UNPACKED: u64 = 50 << 20;
const RATIO: u64 = 100;
const ENTRIES: usize = 200;
const ROWS: u32 = 20_000;
/// Cells with something in them: fifty columns of all the rows.
const CELLS: usize = 1_000_000;
/// Texts that cells share, each of which is kept while the file is read.
const TEXTS: usize = 1_000_000;

/// The cells of a row that have something in them, by their columns.
type Cells = Vec<(u32, String)>;

pub(super) fn rows<R: Read + Seek>(
    mut source: R,
    sheet: Option<&str>,
    bytes: u64,
    read: &Arc<AtomicU64>,
) -> Result<super::Rows, String> {
    within_limits(&mut source, bytes)?;
    source.rewind().map_err(|error| error.to_string())?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(source)).map_err(|error| no_workbook(&error))?;
    let names = book.sheet_names();
    let name = match sheet {
        Some(name) => name.to_owned(),
        None => names.first().cloned().ok_or("the workbook has no sheet")?,
    };
    let found = cells(&mut book, &name).map_err(|error| match error {
        Unread::Sheet(error) => format!("the sheet `{name}`: {error}; there are: {}", names.join(", ")),
        Unread::Large(what) => format!("more than {what}; save it as .csv, which has no such limit"),
    })?;
    let mut found = found.into_iter();
    let (_, first) = found.next().ok_or("the sheet is empty")?;
    let left = first.first().map_or(0, |(column, _)| *column);
    let header = header(texts(&first, left, 0).ok_or("the sheet is empty")?)?;
    let read = Arc::clone(read);
    Ok(Box::new(found.map(move |(place, cells)| {
        read.store(bytes, Ordering::Relaxed);
        let row = match texts(&cells, left, header.len()) {
            Some(texts) => object(&header, texts.into_iter()),
            None => Err("a cell stands left of the header's first".to_owned()),
        };
        Taken { place: u64::from(place) + 1, row }
    })))
}

/// Cells as the texts of a row, from its first column on, at least so many; none if one stands before it.
fn texts(cells: &Cells, left: u32, least: usize) -> Option<Vec<String>> {
    let mut texts = vec![String::new(); least];
    for (column, text) in cells {
        let index = usize::try_from(column.checked_sub(left)?).ok()?;
        if index >= texts.len() {
            texts.resize(index + 1, String::new());
        }
        texts[index].clone_from(text);
    }
    Some(texts)
}

/// Why a sheet's cells are not there.
enum Unread {
    Sheet(calamine::XlsxError),
    Large(String),
}

/// The rows of a sheet that have something in them.
fn cells<R: Read + Seek>(book: &mut Xlsx<R>, name: &str) -> Result<Vec<(u32, Cells)>, Unread> {
    let mut reader = book.worksheet_cells_reader(name).map_err(Unread::Sheet)?;
    let mut rows: Vec<(u32, Cells)> = Vec::new();
    let mut count = 0;
    while let Some(cell) = reader.next_cell().map_err(Unread::Sheet)? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        count += 1;
        let first = rows.first().map_or(row, |(first, _)| *first);
        if row.saturating_sub(first) > ROWS {
            return Err(Unread::Large(format!("{ROWS} rows")));
        }
        if count > CELLS {
            return Err(Unread::Large(format!("{CELLS} cells")));
        }
        if usize::try_from(column).is_ok_and(|column| column >= limits::FORM_FIELDS) {
            return Err(Unread::Large(format!("{} columns", limits::FORM_FIELDS)));
        }
        match rows.last_mut() {
            Some((last, cells)) if *last == row => cells.push((column, text)),
            _ => rows.push((row, vec![(column, text)])),
        }
    }
    // A file may have them in any order, and a row in pieces.
    rows.sort_by_key(|(row, _)| *row);
    rows.dedup_by(|next, row| {
        let same = next.0 == row.0;
        if same {
            row.1.append(&mut next.1);
        }
        same
    });
    rows.iter_mut().for_each(|(_, cells)| cells.sort_by_key(|(column, _)| *column));
    Ok(rows)
}

/// Unpacks every part once, and keeps none of it.
fn within_limits<R: Read + Seek>(source: &mut R, bytes: u64) -> Result<(), String> {
    if bytes > PACKED {
        return Err(format!("the file is larger than {} MiB; save it as .csv, which has no such limit", PACKED >> 20));
    }
    let mut archive = zip::ZipArchive::new(BufReader::new(source)).map_err(|error| no_workbook(&error))?;
    if archive.len() > ENTRIES {
        return Err(format!("the workbook has more than {ENTRIES} parts"));
    }
    let most = UNPACKED.min(bytes.saturating_mul(RATIO));
    let (mut whole, mut buffer, mut tags) = (0u64, vec![0; 64 * 1024], Tags::default());
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| no_workbook(&error))?;
        loop {
            let count = part.read(&mut buffer).map_err(|error| no_workbook(&error))?;
            if count == 0 {
                break;
            }
            whole = whole.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            if whole > most {
                return Err(format!("the workbook unpacks to more than {most} bytes; save it as .csv"));
            }
            tags.look(&buffer[..count])?;
        }
    }
    Ok(())
}

fn no_workbook(error: &dyn std::fmt::Display) -> String {
    format!("this is not an .xlsx workbook: {error}")
}

/// Looks for what a workbook has no need of: a document type, and texts without end.
#[derive(Default)]
struct Tags {
    /// The start of the tag that passes by, and how much of it has come; nothing of it after that.
    tag: [u8; DOCTYPE.len()],
    came: Option<usize>,
    texts: usize,
}

const DOCTYPE: &[u8; 8] = b"!DOCTYPE";

impl Tags {
    fn look(&mut self, bytes: &[u8]) -> Result<(), String> {
        for byte in bytes {
            if *byte == b'<' {
                self.came = Some(0);
                continue;
            }
            let Some(came) = self.came else { continue };
            self.tag[came] = *byte;
            self.came = (came + 1 < self.tag.len()).then_some(came + 1);
            if came == 2 && self.tag.starts_with(b"si") && !byte.is_ascii_alphanumeric() {
                self.texts += 1;
                if self.texts > TEXTS {
                    return Err(format!("the workbook has more than {TEXTS} texts; save it as .csv"));
                }
            }
            if self.came.is_none() && self.tag.eq_ignore_ascii_case(DOCTYPE) {
                return Err("the workbook has a document type (DTD), which no workbook needs".into());
            }
        }
        Ok(())
    }
}

fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Empty => String::new(),
        // `#N/A` is no blank: whoever looks at the order must see that a value was meant.
        DataRef::Error(error) => error.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Float(number) => parom_core::convert::decimal_of_float(*number)
            .map_or_else(|| number.to_string(), |decimal| decimal.normalize().to_string()),
        DataRef::Int(number) => number.to_string(),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
    }
}
