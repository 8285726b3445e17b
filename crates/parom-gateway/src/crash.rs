//! Named points at which the crash tests kill the process, in debug builds only.

/// Kills the process here if a test armed this point (`PAROM_CRASH_AT=name` or `name:n` for the n-th passage), or panics with a
/// buyer in its text (`panic=name`).
#[cfg(debug_assertions)]
pub(crate) fn point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Some((armed, nth)) = crate::config::crash_point() else {
        return;
    };
    let (armed, panics) = armed.strip_prefix("panic=").map_or((armed.as_str(), false), |armed| (armed, true));
    if armed == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
        assert!(!panics, "with Olena Petrenko, +380671112233, olena.canary@example.ua");
        // SIGKILL runs no destructor and flushes nothing, as a real kill does.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// A point of a commit: `edge.verb` for each verb in it, so that what else is written does not move the point.
#[cfg(debug_assertions)]
pub(crate) fn commit(edge: &str, verbs: &[&str]) {
    if crate::config::crash_point().is_some() {
        verbs.iter().for_each(|verb| point(&format!("{edge}.{verb}")));
    }
}

/// Nothing in release builds.
#[cfg(not(debug_assertions))]
pub(crate) fn commit(_edge: &str, _verbs: &[&str]) {}

/// Nothing in release builds.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_name: &str) {}
