//! The CRM's client: the only code that speaks to it. It sends once and says what it saw; what that means is the core's.

mod client;
mod lists;
mod reads;
mod writes;

pub use client::{Client, Lines, LookUp, Seen};
pub use lists::{List, Listed};
pub use reads::Read;
