//! Disks of a test's own: small ones in memory, and file systems in a file whose power can be cut.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::rows;

/// A mounted file system; dropping it unmounts it, also when the test panics.
#[derive(Debug)]
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// A file system in memory, or nothing where mounting is not allowed.
    pub(crate) fn in_memory(at: &Path, size: &str) -> Option<Disk> {
        Disk::mount(at, &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
    }

    fn mount(at: &Path, what: &[&str]) -> Option<Disk> {
        fs::create_dir_all(at).unwrap();
        run("mount", &[what, &[at.to_str().unwrap()]].concat()).then(|| Disk(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let at = self.0.to_str().unwrap();
        // Whoever still has a file open must not keep the mount in the way of other tests.
        let _ = run("umount", &[at]) || run("umount", &["-l", at]);
    }
}

/// An ext4 file system in a file in memory.
#[derive(Debug)]
pub(crate) struct Image {
    dir: TempDir,
    at: PathBuf,
    number: usize,
    disk: Option<Disk>,
}

impl Image {
    /// Makes one and mounts it, with a journal that waits for flushes and not for five seconds; or nothing where loop mounts are not allowed.
    pub(crate) fn new(at: &Path) -> Option<Image> {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let mut image = Image { dir, at: at.to_owned(), number: 0, disk: None };
        fs::File::create(image.file()).unwrap().set_len(48 << 20).unwrap();
        let made = run("mke2fs", &["-q", "-F", "-t", "ext4", image.file().to_str().unwrap()]);
        (made && image.mount()).then_some(image)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join(format!("image-{}", self.number))
    }

    fn mount(&mut self) -> bool {
        self.disk = Disk::mount(&self.at, &["-o", "loop,commit=300", self.file().to_str().unwrap()]);
        self.disk.is_some()
    }

    /// What the disk has at this moment. What the system has not written back yet is not in it, as after a power cut.
    pub(crate) fn copy(&self) -> Vec<u8> {
        loop {
            // The system may write while it is read: two readings that are equal are one moment.
            let first = fs::read(self.file()).unwrap();
            if fs::read(self.file()).unwrap() == first {
                return first;
            }
        }
    }

    /// Puts a copy in the place of the disk: the file system replays its journal when it is mounted.
    pub(crate) fn replace(&mut self, copy: &[u8]) {
        self.disk = None;
        fs::remove_file(self.file()).unwrap();
        self.number += 1;
        fs::write(self.file(), copy).unwrap();
        assert!(self.mount(), "the copy of the disk could not be mounted");
    }
}

/// Says that a test did not run here, and why.
pub(crate) fn skipped(plan: &str, what: &str, needs: &str) {
    rows::row(plan, what, 0, None, &format!("skipped: needs {needs}"));
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}
