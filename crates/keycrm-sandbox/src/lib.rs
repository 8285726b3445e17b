//! An independent imitation of KeyCRM's public API: the witness of the tests and the CRM of the demo.
//!
//! It shares no code with the gateway, so that a misreading on one side shows as a difference. Whatever the vendor
//! does not document is a switch in [`Options`]; whatever can go wrong between a client and the CRM is a [`Fault`].
//! Every request is written to a ledger before anything else happens to it.

mod account;
mod amount;
mod api;
mod buyers;
mod cards;
mod clock;
mod control;
mod crm;
mod dates;
mod directory;
mod email;
mod faults;
mod fields;
mod filters;
mod journal;
mod ledger;
mod lines;
mod novaposhta;
mod options;
mod orders;
mod pages;
mod rates;
mod rules;
mod sandbox;
mod server;

pub use directory::{
    CustomField, DeliveryService, Directory, FieldOption, Offer, PaymentMethod, Pipeline, PipelineStatus, Product,
    Property, Source, Status, Tag, User,
};
pub use faults::{Fault, FaultKind, FaultOn};
pub use ledger::LedgerEntry;
pub use novaposhta::{NovaPoshtaCall, NovaPoshtaFault, NovaPoshtaFaultKind, Size as NovaPoshtaSize};
pub use options::{
    DateStyle, DupMode, DupScope, Options, PipelineLabel, UnknownCustomField, UnknownFilter, UnknownPaymentMethod,
};
pub use sandbox::Sandbox;
