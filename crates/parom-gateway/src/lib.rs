//! Parom's I/O: configuration, intake, store, the CRM's client and delivery.
//!
//! Intake and delivery meet only in the store; SQL stands only in `store/`; only `crm/` speaks to the CRM.

pub mod alerts;
pub mod api;
pub mod channels;
pub mod clock;
pub mod config;
mod crash;
pub mod crm;
pub mod delivery;
pub mod dictionaries;
pub mod export;
pub mod inspect;
pub mod intake;
pub mod metering;
pub mod novaposhta;
pub mod operate;
pub mod passwords;
mod peers;
pub mod reach;
pub mod redact;
mod retention;
pub mod server;
pub mod store;
pub mod ui;
