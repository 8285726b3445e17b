//! The log: lines for a person at a terminal, JSON for a machine, each looked over once more before it goes.

use std::io::{self, IsTerminal, Write};

use parom_gateway::redact::redacted;
use tracing_subscriber::fmt;

/// Where lines go: to stderr, without secrets and buyers. The subscriber writes a line at a time.
#[derive(Clone, Copy)]
struct Sink;

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A full disk of the log, or nobody who reads it, must not end what takes orders: the line is lost.
        let _ = io::stderr().lock().write_all(redacted(&String::from_utf8_lossy(line)).as_bytes());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the log, from `INFO` on: what libraries say below that holds whole requests.
pub(super) fn start() {
    let level = tracing::Level::INFO;
    // A second call (the demo's) finds a subscriber set, which is as good.
    if io::stderr().is_terminal() {
        let lines = fmt().log_internal_errors(false).with_max_level(level).with_target(false);
        let _ = lines.with_writer(|| Sink).try_init();
    } else {
        let json = fmt().json().flatten_event(true).log_internal_errors(false).with_max_level(level).with_target(false);
        let _ = json.with_writer(|| Sink).try_init();
    }
}

/// What a failure of the program itself leaves: its place. Its text may hold what was being worked on.
pub(super) fn hide_panics() {
    std::panic::set_hook(Box::new(|failure| {
        let place = failure.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        if tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!(place, thread, "a part of the program failed; its text is not logged, as it may hold data");
        } else {
            let line = format!("parom: a part of the program failed at {place}; please report the place\n");
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }));
}
