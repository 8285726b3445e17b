//! What a process did to its files, as strace saw it, and what a disk may have of it after a power cut.
//!
//! The disk has all that was flushed. Of what came later it has, of each sector of 512 bytes, any version: the flushed one
//! or one that was written since. That covers writes that were lost, that came in another order, and that were torn.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::rows::Dice;

const SECTOR: usize = 512;
/// Sectors that a system writes together, mostly.
const PAGE: usize = 8;

/// One call, and when it began, in microseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: u64,
    /// The end of the file's name.
    pub(crate) file: String,
    pub(crate) what: What,
}

/// What it did.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Write(usize, Vec<u8>),
    Length(usize),
    Flush,
}

/// Strace's arguments, for files named `out` and a thread's number.
pub(crate) fn strace(out: &str) -> Vec<&str> {
    let calls = "trace=pwrite64,write,ftruncate,fsync,fdatasync";
    vec!["strace", "-D", "-ff", "-q", "-y", "-xx", "-s", "999999", "-ttt", "-o", out, "-e", calls]
}

/// Reads the calls on files below a folder, in the order of their times.
pub(crate) fn read(out: &Path, folder: &Path) -> Vec<Call> {
    let (dir, name) = (out.parent().unwrap(), out.file_name().unwrap().to_str().unwrap());
    let mut calls = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(&format!("{name}.")) {
            let text = fs::read_to_string(entry.path()).unwrap();
            calls.extend(text.lines().filter_map(|line| call(line, folder.to_str().unwrap())));
        }
    }
    calls.sort_by_key(|call| call.at);
    calls
}

fn call(line: &str, folder: &str) -> Option<Call> {
    let (time, rest) = line.split_once(' ')?;
    let (name, rest) = rest.split_once('(')?;
    let path = String::from_utf8(bytes(rest.split_once('<')?.1.split_once('>')?.0)?).ok()?;
    let file = path.strip_prefix(folder)?.trim_start_matches('/').to_owned();
    // A call that failed did nothing that anybody may count on.
    let (arguments, result) = rest.rsplit_once(") = ")?;
    let done: usize = result.split(' ').next()?.parse().ok()?;
    let last = |text: &str| text.rsplit_once(", ").and_then(|(_, last)| last.parse().ok());
    let what = match name {
        "pwrite64" => {
            let data = bytes(arguments.split('"').nth(1)?).unwrap();
            assert_eq!(data.len(), done, "strace cut a write off");
            What::Write(last(arguments)?, data)
        }
        "ftruncate" => What::Length(last(arguments)?),
        "fsync" | "fdatasync" => What::Flush,
        _ => return None,
    };
    let (seconds, micros) = time.split_once('.')?;
    Some(Call { at: seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?, file, what })
}

/// `\x2f\x74` as bytes; nothing where the text is of another form, as a pipe's name is.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let one = |four: &[u8]| match four {
        [b'\\', b'x', high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(4).map(one).collect()
}

/// A file on a disk: what is flushed, and what is not yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnDisk {
    flushed: Vec<u8>,
    waiting: Vec<What>,
}

impl OnDisk {
    pub(crate) fn new(bytes: Vec<u8>) -> OnDisk {
        OnDisk { flushed: bytes, waiting: Vec::new() }
    }

    /// Takes the next call.
    pub(crate) fn take(&mut self, what: &What) {
        match what {
            What::Flush => {
                let waiting = std::mem::take(&mut self.waiting);
                waiting.iter().for_each(|what| apply(&mut self.flushed, what));
            }
            other => self.waiting.push(other.clone()),
        }
    }

    /// What may be there if the power goes now.
    pub(crate) fn cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        let mode = dice.below(5);
        let upto = usize::try_from(dice.below(self.waiting.len() as u64 + 1)).unwrap();
        // The versions of each sector, as parts of the writes, in their order.
        let mut versions: BTreeMap<usize, Vec<(usize, &[u8])>> = BTreeMap::new();
        for (number, what) in self.waiting.iter().enumerate() {
            // In one mode the first writes are whole and the rest is lost, as on a disk that keeps the order.
            if let (What::Write(at, data), true) = (what, mode != 1 || number < upto) {
                for (start, part) in parts(*at, data) {
                    versions.entry(start / SECTOR).or_default().push((start, part));
                }
            }
        }
        let mut page = BTreeMap::new();
        for (sector, parts) in versions {
            let kept = match mode {
                0 => 0,
                1 | 2 => parts.len(),
                3 => usize::try_from(dice.below(parts.len() as u64 + 1)).unwrap(),
                _ if *page.entry(sector / PAGE).or_insert_with(|| dice.below(2) == 0) => parts.len(),
                _ => 0,
            };
            parts[..kept].iter().for_each(|(at, part)| write(&mut bytes, *at, part));
        }
        for what in &self.waiting {
            if let (What::Length(_), 0) = (what, dice.below(2)) {
                apply(&mut bytes, what);
            }
        }
        bytes
    }
}

/// A write, cut at the borders of sectors.
fn parts(at: usize, data: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut found, mut from) = (Vec::new(), 0);
    while from < data.len() {
        let to = data.len().min(from + SECTOR - (at + from) % SECTOR);
        found.push((at + from, &data[from..to]));
        from = to;
    }
    found
}

fn apply(bytes: &mut Vec<u8>, what: &What) {
    match what {
        What::Write(at, data) => write(bytes, *at, data),
        What::Length(length) => bytes.resize(*length, 0),
        What::Flush => {}
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    if bytes.len() < at + data.len() {
        bytes.resize(at + data.len(), 0);
    }
    bytes[at..at + data.len()].copy_from_slice(data);
}
