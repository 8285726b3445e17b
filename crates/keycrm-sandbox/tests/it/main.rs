//! The sandbox as a client meets it: real HTTP over real sockets, by a client of our own.

mod client;
mod control;
mod faults;
mod lists;
mod orders;
mod persistence;
mod rates;
