//! Orders: checked as a Laravel form request checks, numbered, kept, found again.

mod book;
mod check;
mod draft;
mod email;
mod fields;
mod find;
mod journal;
mod lines;
mod record;
mod show;

pub(crate) use book::{Book, CreateError};
pub(crate) use check::check;
pub(crate) use draft::Draft;
pub(crate) use fields::FieldErrors;
pub(crate) use find::{FILTERS, Query, Sort};
pub(crate) use record::Record;
pub(crate) use show::{INCLUDES, Shape, render};
