//! The disk's free space: intake stops early, so that results can still be written; delivery stops before it sends what it
//! could not record.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::statvfs;

use crate::clock;
use crate::config::StoreSettings;

/// Intake's gate: at least this, or 2 % of the disk.
const INTAKE_MIN_FREE: u64 = 256 << 20;
/// Delivery's gate.
const DELIVERY_MIN_FREE: u64 = 64 << 20;
/// A reading is used for so long.
const FRESH_MS: u64 = 500;

/// The gates.
#[derive(Debug)]
pub(in crate::store) struct Space {
    dir: PathBuf,
    intake_min: Option<u64>,
    delivery_min: u64,
    read_at: AtomicU64,
    free: AtomicU64,
    total: AtomicU64,
}

impl Space {
    pub(super) fn new(path: &Path, settings: &StoreSettings) -> Space {
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        Space {
            dir: parent.map_or_else(|| PathBuf::from("."), Path::to_owned),
            intake_min: settings.intake_min_free,
            delivery_min: settings.delivery_min_free.unwrap_or(DELIVERY_MIN_FREE),
            read_at: AtomicU64::new(0),
            free: AtomicU64::new(u64::MAX),
            total: AtomicU64::new(0),
        }
    }

    /// Whether a new order may be accepted; else the bytes that are free and the bytes that must be.
    ///
    /// # Errors
    /// Free and needed bytes, when the gate is shut.
    pub(in crate::store) fn intake(&self) -> Result<(), (u64, u64)> {
        self.refresh();
        self.gate(self.intake_needs())
    }

    /// Whether less than twice of that is free.
    pub(in crate::store) fn is_low(&self) -> bool {
        self.refresh();
        self.gate(self.intake_needs().saturating_mul(2)).is_err()
    }

    fn intake_needs(&self) -> u64 {
        self.intake_min.unwrap_or(INTAKE_MIN_FREE.max(self.total.load(Ordering::Relaxed) / 50))
    }

    /// Whether an order may be sent.
    ///
    /// # Errors
    /// Free and needed bytes, when the gate is shut.
    pub(in crate::store) fn delivery(&self) -> Result<(), (u64, u64)> {
        self.refresh();
        self.gate(self.delivery_min)
    }

    fn gate(&self, needed: u64) -> Result<(), (u64, u64)> {
        let free = self.free.load(Ordering::Relaxed);
        if free < needed { Err((free, needed)) } else { Ok(()) }
    }

    fn refresh(&self) {
        let now = clock::mono().0;
        let last = self.read_at.load(Ordering::Relaxed);
        if last != 0 && now.saturating_sub(last) < FRESH_MS {
            return;
        }
        self.read_at.store(now, Ordering::Relaxed);
        if let Ok(stat) = statvfs(&self.dir) {
            self.free.store(stat.f_bavail.saturating_mul(stat.f_frsize), Ordering::Relaxed);
            self.total.store(stat.f_blocks.saturating_mul(stat.f_frsize), Ordering::Relaxed);
        }
    }
}
