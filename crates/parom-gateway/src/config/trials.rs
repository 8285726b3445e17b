//! What tests may turn in debug builds: where the process dies, and how it cheats so that a test shows its teeth. Release
//! builds have none of it.

use std::sync::OnceLock;

/// The crash point that a test armed, and the passage at which it strikes.
pub(crate) fn crash_point() -> Option<&'static (String, u32)> {
    static ARMED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    ARMED
        .get_or_init(|| {
            let armed = variable("PAROM_CRASH_AT")?;
            let (name, nth) = armed.split_once(':').unwrap_or((&armed, "1"));
            Some((name.to_owned(), nth.parse().ok()?))
        })
        .as_ref()
}

/// Whether commits are left to the system's leisure (`PAROM_CARELESS`): the power-cut test must then lose orders.
pub(crate) fn is_careless() -> bool {
    static CARELESS: OnceLock<bool> = OnceLock::new();
    *CARELESS.get_or_init(|| variable("PAROM_CARELESS").is_some())
}

/// Pages after which the log is written back (`PAROM_CHECKPOINT_PAGES`), so that a test need not wait for a long one.
pub(crate) fn checkpoint_pages() -> Option<i64> {
    static PAGES: OnceLock<Option<i64>> = OnceLock::new();
    *PAGES.get_or_init(|| variable("PAROM_CHECKPOINT_PAGES")?.parse().ok())
}

/// How long a node's lease lasts that is not renewed (`PAROM_LEASE_MS`), so that a test need not wait for a long one.
pub(crate) fn lease_ms() -> Option<i64> {
    static LEASE: OnceLock<Option<i64>> = OnceLock::new();
    *LEASE.get_or_init(|| variable("PAROM_LEASE_MS")?.parse().ok())
}

/// A step of PostgreSQL's schema that this version does not have, and the oldest schema that may live beside it
/// (`PAROM_NEXT_STEP`, as `1;ALTER TABLE …`): a test's next version.
pub(crate) fn next_schema_step() -> Option<(String, i64)> {
    let step = variable("PAROM_NEXT_STEP")?;
    let (oldest, sql) = step.split_once(';')?;
    Some((sql.to_owned(), oldest.parse().ok()?))
}

/// Orders in one partition (`PAROM_PARTITION_ROWS`), so that a test need not make many.
pub(crate) fn partition_rows() -> Option<i64> {
    static ROWS: OnceLock<Option<i64>> = OnceLock::new();
    *ROWS.get_or_init(|| variable("PAROM_PARTITION_ROWS")?.parse().ok())
}

/// How far the time of day is off: milliseconds in a file (`PAROM_CLOCK_FILE`), read at each look at the clock, so that a
/// test can let it jump.
pub(crate) fn clock_is_off_by() -> i64 {
    static FILE: OnceLock<Option<String>> = OnceLock::new();
    let file = FILE.get_or_init(|| variable("PAROM_CLOCK_FILE"));
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "config/ is where the environment is read")]
    std::env::var(name).ok()
}
