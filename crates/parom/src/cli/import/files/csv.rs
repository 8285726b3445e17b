//! CSV as shops export it: any usual delimiter, UTF-8, UTF-16 or windows-1251.

use std::io::{BufReader, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, WINDOWS_1251};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::quotes::{Quoted, Wrong};
use super::{Asked, Counted, Taken, header, object};

/// Enough of the file to tell its encoding and its delimiter.
const LOOK: u64 = 64 * 1024;

/// One row; a quote that is never closed would make one of the whole file.
const ROW_BYTES: u64 = 4 << 20;

type Decoded<R> = DecodeReaderBytes<Counted<BufReader<R>>, Vec<u8>>;
/// Every line ends with one `\n`, the last one too: a record's line can be told then.
type Source<R> = std::io::Chain<Quoted<OneRow<WithoutReturns<Decoded<R>>>>, &'static [u8]>;

pub(super) fn rows<R: Read + Seek + Send + 'static>(
    mut source: R,
    asked: Asked<'_>,
    read: &Arc<AtomicU64>,
) -> Result<super::Rows, String> {
    let start = start(&mut source).map_err(|error| error.to_string())?;
    let encoding = match asked.encoding {
        Some(name) => Some(
            Encoding::for_label(name.as_bytes())
                .ok_or_else(|| format!("--encoding: `{name}` is not known; write utf-8, windows-1251 or utf-16le"))?,
        ),
        None => guessed(&start),
    };
    let delimiter = match asked.delimiter {
        Some(c) => u8::try_from(c).map_err(|_| format!("--delimiter: `{c}` is not one byte"))?,
        None => likely(&decoded(&start, encoding)),
    };
    let source = DecodeReaderBytesBuilder::new().encoding(encoding).build(Counted::new(BufReader::new(source), read));
    let row = Arc::new(AtomicU64::new(0));
    let source = OneRow { inner: WithoutReturns(source), came: Arc::clone(&row) };
    let (source, quotes) = Quoted::new(source, delimiter);
    let source = source.chain(&b"\n"[..]);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(source);
    let mut first = StringRecord::new();
    if !reader.read_record(&mut first).map_err(|error| words(&error))? {
        return Err("the file is empty".into());
    }
    // By this line Excel knows the delimiter.
    let hint = first.len() <= 2 && first.get(0).is_some_and(|cell| cell.to_lowercase().starts_with("sep="));
    if hint && !reader.read_record(&mut first).map_err(|error| words(&error))? {
        return Err("there is no header after the line `sep=`".into());
    }
    let header = header(first.iter().map(str::to_owned).collect())?;
    Ok(Box::new(Rows {
        reader,
        delimiter: char::from(delimiter),
        row,
        quotes,
        header,
        last: 1 + u64::from(hint),
        over: false,
    }))
}

struct Rows<R> {
    reader: csv::Reader<Source<R>>,
    delimiter: char,
    /// Where quotes are wrong.
    quotes: Wrong,
    /// Bytes that came since the last row.
    row: Arc<AtomicU64>,
    header: Vec<String>,
    /// The last row's line; the header is somewhere before.
    last: u64,
    over: bool,
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Taken;

    fn next(&mut self) -> Option<Taken> {
        let mut record = StringRecord::new();
        loop {
            if self.over {
                return None;
            }
            self.row.store(0, Ordering::Relaxed);
            let began = self.reader.position().byte();
            let read = self.reader.read_record(&mut record);
            // The line in the file: blank ones count, as they do in an editor.
            let own: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
            let ended = self.reader.position().line().saturating_sub(1);
            let place = ended.saturating_sub(u64::try_from(own).unwrap_or_default());
            // A quote that is still open at the end has the last line's end inside of it.
            let place = place.max(self.last + 1);
            match read {
                Ok(false) => return None,
                Ok(true) if record.iter().all(|cell| cell.trim().is_empty()) => self.last = place,
                Ok(true) if self.swallows(&record, began) => {
                    let more: usize = record.iter().map(|cell| cell.trim_end().matches('\n').count()).sum();
                    let to = place.saturating_add(u64::try_from(more).unwrap_or_default());
                    let message =
                        format!("a quote that opens here is not closed rightly: lines {place} to {to} are not taken");
                    self.last = place;
                    return Some(Taken { place, row: Err(format!("{message}; mend it, and run the import again")) });
                }
                Ok(true) if record.len() > self.header.len() => {
                    self.last = place;
                    let message = format!("{} columns, and the header has {}", record.len(), self.header.len());
                    return Some(Taken { place, row: Err(format!("{message}; a quote or a delimiter may be wrong")) });
                }
                Ok(true) => {
                    self.last = place;
                    return Some(Taken { place, row: object(&self.header, record.iter().map(str::to_owned)) });
                }
                Err(error) => {
                    // The file itself may be unreadable from here on.
                    self.over = error.is_io_error();
                    self.last = place;
                    return Some(Taken { place, row: Err(words(&error)) });
                }
            }
        }
    }
}

impl<R: Read> Rows<R> {
    /// Whether a quote has made one record of several rows: one that is closed inside of a column or never, or a cell that begins
    /// as the end of one row and ends as the beginning of another, with whole rows between.
    fn swallows(&self, record: &StringRecord, began: u64) -> bool {
        let wrong = self.quotes.is_in(began, self.reader.position().byte());
        let columns = |line: &str| line.matches(self.delimiter).count() + 1;
        let holds_rows = |(at, cell): (usize, &str)| {
            let lines: Vec<&str> = cell.trim_end().lines().collect();
            let [first, between @ .., last] = lines.as_slice() else { return false };
            let whole = self.header.len() > 2 && between.iter().all(|line| columns(line) == self.header.len());
            wrong || (whole && columns(first) == record.len() - at && columns(last) == at + 1)
        };
        record.iter().enumerate().any(holds_rows) || self.quotes.is_open_in(began)
    }
}

/// A text that ends in an error where one row of it is too large.
struct OneRow<R> {
    inner: R,
    came: Arc<AtomicU64>,
}

impl<R: Read> Read for OneRow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let more = u64::try_from(count).unwrap_or(u64::MAX);
        if self.came.fetch_add(more, Ordering::Relaxed) > ROW_BYTES {
            let message = format!("a row is larger than {ROW_BYTES} bytes: a quote may not be closed there");
            return Err(std::io::Error::other(message));
        }
        Ok(count)
    }
}

/// A text without its carriage returns.
struct WithoutReturns<R>(R);

impl<R: Read> Read for WithoutReturns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.0.read(buffer)?;
            let mut kept = 0;
            for at in 0..count {
                if buffer[at] != b'\r' {
                    buffer[kept] = buffer[at];
                    kept += 1;
                }
            }
            // Nothing kept is not the end.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

fn start<R: Read + Seek>(source: &mut R) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    source.by_ref().take(LOOK).read_to_end(&mut start)?;
    source.rewind()?;
    Ok(start)
}

/// What is no UTF-8, and has no mark of UTF-16, is what Ukrainian Excel writes.
fn guessed(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return None;
    }
    let cut = match std::str::from_utf8(start) {
        Ok(_) => return None,
        Err(error) => error,
    };
    // A character that the look cut in two is no sign.
    if cut.error_len().is_none() { None } else { Some(WINDOWS_1251) }
}

fn decoded(start: &[u8], encoding: Option<&'static Encoding>) -> String {
    let mut text = String::new();
    let mut reader = DecodeReaderBytesBuilder::new().encoding(encoding).build(start);
    // A cut character at the end does not matter for the first line.
    let _ = reader.read_to_string(&mut text);
    text
}

/// The delimiter that the header line has most of, outside of quotes.
fn likely(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: char| {
        let mut quoted = false;
        line.chars()
            .filter(|c| {
                quoted ^= *c == '"';
                *c == delimiter && !quoted
            })
            .count()
    };
    [b';', b',', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| count(char::from(*delimiter))).unwrap_or(b',')
}

fn words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "the text is in another encoding; name it with --encoding".into(),
        _ => error.to_string(),
    }
}
