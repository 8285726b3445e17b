//! Parom through its public doors: the real binary, real HTTP, a sandbox CRM that accepts duplicates so that they show.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]
#![expect(clippy::disallowed_methods, reason = "a test measures how long the real thing takes")]

mod access;
mod alerts;
mod api;
mod browser;
mod bypass;
mod canaries;
mod cards;
mod changes;
mod cli;
mod client;
mod convert;
mod demo;
mod dictionary;
mod disk;
mod dropin;
mod erase;
mod failures;
mod import;
mod init;
mod intake;
mod kill;
mod learn;
mod limits;
mod load;
mod packaging;
mod overload;
mod presets;
mod proof;
mod rate;
mod reach;
mod regression;
mod script;
mod security;
mod seed_rules;
mod senders;
mod slow;
mod spam;
mod tidy;
mod ui;
mod ui_browser;
mod ui_channels;
mod ui_orders;
mod updates;
mod world;
