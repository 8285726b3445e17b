//! The core's tests: through its public functions, most of them text in and text out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod breaker;
mod cards;
mod cases;
mod channel;
mod channel_edit;
mod convert;
mod dictionary;
mod mask;
mod outcome;
mod php;
mod php_scripts;
mod presets;
mod rate;
mod rows;
mod silence;
mod state;
mod suggest;
mod verify;
