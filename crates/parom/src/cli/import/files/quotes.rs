//! Quotes of a CSV file that are wrong. A reader of CSV takes them as well as it can, and a row that is never closed then has
//! all the next ones in it.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a text goes on with its quote closed, though its column does not end there; and where one is still open at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrong(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    /// Bytes from the start, growing.
    closed_inside: Vec<u64>,
    open: Option<u64>,
}

impl Wrong {
    /// Whether one stands between two places; earlier ones are forgotten.
    pub(super) fn is_in(&self, from: u64, to: u64) -> bool {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.closed_inside.retain(|at| *at >= from);
        found.closed_inside.first().is_some_and(|at| *at < to)
    }

    /// Whether the row that begins here is the last, and its quote is never closed.
    pub(super) fn is_open_in(&self, from: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open.is_some_and(|at| at >= from)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begins,
    Plain,
    Inside,
    /// After a quote inside: another one is a quote of the text, else the text is over.
    Closing,
}

/// A text on its way to the reader of its rows.
#[derive(Debug)]
pub(super) struct Quoted<R> {
    inner: R,
    delimiter: u8,
    state: State,
    at: u64,
    opened: u64,
    wrong: Wrong,
}

impl<R> Quoted<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> (Quoted<R>, Wrong) {
        let wrong = Wrong::default();
        (Quoted { inner, delimiter, state: State::Begins, at: 0, opened: 0, wrong: wrong.clone() }, wrong)
    }

    fn step(&mut self, byte: u8) {
        let ends = byte == self.delimiter || byte == b'\n';
        self.state = match (self.state, byte) {
            (State::Begins, b'"') => {
                self.opened = self.at;
                State::Inside
            }
            (State::Inside, b'"') => State::Closing,
            (State::Inside, _) | (State::Closing, b'"') => State::Inside,
            (State::Begins | State::Plain, _) => {
                if ends {
                    State::Begins
                } else {
                    State::Plain
                }
            }
            (State::Closing, _) if ends => State::Begins,
            (State::Closing, _) => {
                self.wrong.0.lock().unwrap_or_else(PoisonError::into_inner).closed_inside.push(self.at);
                State::Plain
            }
        };
        self.at += 1;
    }
}

impl<R: Read> Read for Quoted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        buffer[..count].iter().for_each(|byte| self.step(*byte));
        if count == 0 && !buffer.is_empty() && self.state == State::Inside {
            self.wrong.0.lock().unwrap_or_else(PoisonError::into_inner).open = Some(self.opened);
        }
        Ok(count)
    }
}
