//! Targets for `cargo fuzz`, which needs a nightly compiler: see scripts/fuzz. The project's tests run the same functions over
//! the same corpora without one (crates/parom-core/tests/it/fuzz.rs, crates/parom/tests/it/fuzz.rs).

#[path = "../../crates/parom/src/cli/import/files/mod.rs"]
mod files;
mod of_core;
mod of_gateway;

/// Runs a target by its name.
///
/// # Panics
/// A name that no target has; and whatever the target finds.
pub fn run(name: &str, bytes: &[u8]) {
    let mut all = of_core::TARGETS.iter().chain(of_gateway::TARGETS);
    let target = all.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no target is called {name}"));
    (target.1)(bytes);
}
