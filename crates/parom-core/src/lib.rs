//! What Parom decides, as pure functions: submissions, mapping, validation, orders, problems and delivery.
//!
//! Nothing here reads a clock, a file, the network or the environment: `now` and randomness are arguments, so the same
//! code runs in production, in tests and in a simulation.

pub mod channel;
pub mod convert;
pub mod delivery;
pub mod dictionary;
pub mod limits;
pub mod mapping;
pub mod novaposhta;
pub mod number;
pub mod order;
pub mod php;
pub mod presets;
pub mod problem;
pub mod redact;
pub mod silence;
pub mod spam;
pub mod submission;

pub use problem::{Code, Effect, Problem};
