//! The NDJSON file that keeps orders across restarts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::record::Record;

/// An append-only file, one order a line, each on disk before its order is answered.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    end: u64,
}

impl Journal {
    /// Opens or creates the file and reads its orders. A torn last line, which a crash in the middle of a write
    /// leaves behind and which was never answered, is cut off; any other broken line is an error.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut records = Vec::new();
        let mut end = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let last = end + line.len() == bytes.len();
            let whole = line.ends_with(b"\n");
            let record = std::str::from_utf8(line).ok().and_then(|text| Record::from_line(text.trim_end()));
            match record {
                Some(record) if whole => records.push(record),
                _ if last => {
                    eprintln!("keycrm-sandbox: dropped a torn last line of {}", path.display());
                    break;
                }
                _ => return Err(broken(path, records.len() + 1)),
            }
            end += line.len();
        }
        let end = end as u64;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok((Self { file, end }, records))
    }

    /// Appends one line and waits for the disk; after an error the file is as it was.
    pub(crate) fn append(&mut self, line: &str) -> io::Result<()> {
        let written = self.write(line);
        if written.is_err() {
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
        }
        written
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let bytes = [line.as_bytes(), b"\n"].concat();
        self.file.write_all(&bytes)?;
        self.file.flush()?;
        self.file.sync_data()?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

fn broken(path: &Path, line: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: line {line} is not an order", path.display()))
}
