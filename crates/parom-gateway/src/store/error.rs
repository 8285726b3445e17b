//! Store errors, by what the caller does next.

use std::fmt;

use rusqlite::ErrorCode;

use super::sqlite::ADVICE;

/// Why a verb did nothing, or may have done nothing.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// The disk is full or the file is busy: nothing was kept; try again later.
    Unavailable(String),
    /// A server was asked to commit and did not answer: the verb may be kept. Ask again, by the same key.
    NotKnown(String),
    /// The file cannot be trusted any more: whether the verb was kept is unknown. The process must end.
    Broken(String),
    /// The verb is not legal now (the order has moved on, the number is taken): ask again with fresh eyes.
    Refused(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Unavailable(text) => write!(f, "the store cannot write now: {text}"),
            StoreError::NotKnown(text) => write!(f, "the store did not say whether it has written: {text}"),
            StoreError::Broken(text) => write!(f, "the store has failed: {text}"),
            StoreError::Refused(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let text = words(&error);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Unavailable(text)
            }
            // No code: the verb itself asked for what is not there; the file is as good as before.
            Some(ErrorCode::ConstraintViolation) | None => StoreError::Refused(text),
            // A statement of ours that SQLite does not understand meets a schema that is no longer ours; no check of the file
            // reads a trigger's words.
            Some(ErrorCode::Unknown) => StoreError::Broken(format!("{text}; {ADVICE}")),
            Some(_) => StoreError::Broken(text),
        }
    }
}

/// Why the store could not be opened; its text says what to do.
#[derive(Debug)]
pub struct OpenError(pub String);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> OpenError {
        OpenError(match error {
            StoreError::Unavailable(text)
            | StoreError::NotKnown(text)
            | StoreError::Broken(text)
            | StoreError::Refused(text) => text,
        })
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> OpenError {
        OpenError(words(&error))
    }
}

/// SQLite's words, and what to do where the file is damaged.
fn words(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => format!("{error}; {ADVICE}"),
        _ => error.to_string(),
    }
}
