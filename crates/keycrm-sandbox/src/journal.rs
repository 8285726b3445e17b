//! The NDJSON file that keeps orders, buyers and cards across restarts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// An append-only file, one entry a line, each on disk before its request is answered.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    end: u64,
}

impl Journal {
    /// Opens or creates the file and hands each line to `read`, which says whether it is an entry. A torn last line,
    /// which a crash in the middle of a write leaves behind and which was never answered, is cut off; any other
    /// broken line is an error.
    pub(crate) fn open(path: &Path, mut read: impl FnMut(&str) -> bool) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut end = 0;
        for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let last = end + line.len() == bytes.len();
            let whole = line.ends_with(b"\n");
            let is_entry = whole && std::str::from_utf8(line).is_ok_and(|text| read(text.trim_end()));
            if !is_entry && last {
                eprintln!("keycrm-sandbox: dropped a torn last line of {}", path.display());
                break;
            }
            if !is_entry {
                return Err(broken(path, at + 1));
            }
            end += line.len();
        }
        let end = end as u64;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { file, end })
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
