//! The core's tests: through its public functions, most of them text in and text out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod branches;
mod breaker;
mod bulk;
mod cards;
mod cases;
mod channel;
mod channel_edit;
mod convert;
#[path = "../../../parom/tests/it/proof/rows.rs"]
#[expect(clippy::disallowed_methods, reason = "seeds and factors come from outside of the tests")]
mod dice;
mod dictionary;
mod dispatch;
mod fuzz;
mod mask;
mod outcome;
mod php;
mod php_random;
mod php_scripts;
mod php_silence;
mod presets;
mod rate;
mod rows;
mod silence;
#[cfg(debug_assertions)]
mod simulation;
mod spam;
mod state;
mod suggest;
mod verify;
