//! The sandbox as a client meets it: real HTTP over real sockets, by a client of our own.

mod buyers;
mod cards;
mod changes;
mod client;
mod contract;
mod control;
mod directory;
mod faults;
mod import;
mod lists;
mod novaposhta;
mod odd_input;
mod orders;
mod pages;
mod persistence;
mod rates;
