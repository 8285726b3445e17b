//! The witness of acknowledgements: what senders were told, flushed on another file system than the store's, so that
//! whatever befalls the store cannot take the memory of its promises along.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// A sender's 2xx.
#[derive(Clone, Debug)]
pub(crate) struct Ack {
    /// The order's id, as the sender was told.
    pub(crate) id: String,
    /// The key that the sender repeats with.
    pub(crate) key: String,
    /// What it had sent, byte for byte.
    pub(crate) body: String,
}

/// The file of acknowledgements: a line each, flushed before the sender goes on.
#[derive(Debug)]
pub(crate) struct Acks {
    dir: TempDir,
    file: Mutex<File>,
    count: AtomicUsize,
    senders: AtomicUsize,
}

impl Acks {
    pub(crate) fn new() -> Acks {
        // The worlds' folders are on the disk of /tmp.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let file = File::options().create(true).append(true).open(dir.path().join("acks")).unwrap();
        Acks { dir, file: Mutex::new(file), count: AtomicUsize::new(0), senders: AtomicUsize::new(0) }
    }

    pub(crate) fn add(&self, id: &str, key: &str, body: &str) {
        assert!(!body.contains(['\t', '\n']), "a line is a line");
        let mut file = self.file.lock().unwrap();
        file.write_all(format!("{id}\t{key}\t{body}\n").as_bytes()).unwrap();
        file.sync_data().unwrap();
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// A number for a sender, so that no two ever use the same keys.
    pub(crate) fn sender(&self) -> usize {
        self.senders.fetch_add(1, Ordering::SeqCst)
    }

    /// All of them, read back from the file.
    pub(crate) fn all(&self) -> Vec<Ack> {
        let text = fs::read_to_string(self.dir.path().join("acks")).unwrap();
        let ack = |line: &str| {
            let mut parts = line.splitn(3, '\t').map(str::to_owned);
            Some(Ack { id: parts.next()?, key: parts.next()?, body: parts.next()? })
        };
        text.lines().map(|line| ack(line).unwrap()).collect()
    }
}
