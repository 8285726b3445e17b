//! An independent imitation of KeyCRM's order API: the witness of the tests and the CRM of the demo.
//!
//! It shares no code with the gateway, so that a misreading on one side shows as a difference. Whatever the vendor
//! does not document is a switch in [`Options`]; whatever can go wrong between a client and the CRM is a [`Fault`].
//! Every request is written to a ledger before anything else happens to it.

mod amount;
mod api;
mod clock;
mod control;
mod crm;
mod dates;
mod faults;
mod ledger;
mod options;
mod orders;
mod pages;
mod rates;
mod sandbox;
mod server;
mod sources;

pub use faults::{Fault, FaultKind, FaultOn};
pub use ledger::LedgerEntry;
pub use options::{DateStyle, DupMode, DupScope, Options, UnknownFilter};
pub use sandbox::Sandbox;
