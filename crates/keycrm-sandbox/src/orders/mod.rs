//! Orders: checked as a Laravel form request checks, numbered, kept, found again, changed.

mod associations;
mod book;
mod change;
mod check;
mod draft;
mod find;
mod record;
mod show;
mod totals;

pub(crate) use associations::{manager, payment};
pub(crate) use book::Book;
pub(crate) use change::{Change, add_payment};
pub(crate) use check::{MARKETING_TEXTS, check};
pub(crate) use draft::Draft;
pub(crate) use find::{FILTERS, find};
pub(crate) use record::{Record, compose, dated, numbered};
pub(crate) use show::{INCLUDES, Shape, render};
