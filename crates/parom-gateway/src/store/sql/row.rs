//! Rows that come out of a query.

use std::error::Error;

use rusqlite::types::ValueRef;
use tokio_postgres::types::{FromSql, Type};

use super::super::StoreError;

/// A row of either database.
pub(in crate::store) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// One value of a row. A truth is 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Cell<'r> {
    Null,
    Int(i64),
    Text(&'r str),
    Blob(&'r [u8]),
}

/// What a value can be read as.
pub(in crate::store) trait Column: Sized {
    /// `None` where the value is something else.
    fn read(cell: Cell<'_>) -> Option<Self>;
}

impl Row<'_> {
    /// A column of the row, from 0.
    pub(in crate::store) fn get<T: Column>(&self, at: usize) -> Result<T, StoreError> {
        let cell = self.cell(at)?;
        T::read(cell).ok_or_else(|| {
            let kind = std::any::type_name::<T>();
            StoreError::Refused(format!("column {at} cannot be read as {kind}"))
        })
    }

    /// Text or bytes of a column, without a copy; nothing where it is neither.
    pub(in crate::store) fn bytes(&self, at: usize) -> Result<&[u8], StoreError> {
        Ok(match self.cell(at)? {
            Cell::Text(text) => text.as_bytes(),
            Cell::Blob(bytes) => bytes,
            _ => &[],
        })
    }

    fn cell(&self, at: usize) -> Result<Cell<'_>, StoreError> {
        match self {
            Row::Sqlite(row) => Ok(match row.get_ref(at)? {
                ValueRef::Integer(number) => Cell::Int(number),
                ValueRef::Text(text) => {
                    let text = std::str::from_utf8(text);
                    Cell::Text(text.map_err(|error| StoreError::Refused(format!("column {at}: {error}")))?)
                }
                ValueRef::Blob(bytes) => Cell::Blob(bytes),
                ValueRef::Null | ValueRef::Real(_) => Cell::Null,
            }),
            Row::Postgres(row) => Ok(row.try_get(at)?),
        }
    }
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Cell<'r>, Box<dyn Error + Sync + Send>> {
        match *kind {
            Type::INT8 => Ok(Cell::Int(i64::from_be_bytes(raw.try_into()?))),
            Type::INT4 => Ok(Cell::Int(i64::from(i32::from_be_bytes(raw.try_into()?)))),
            Type::BOOL => Ok(Cell::Int(i64::from(raw != [0]))),
            Type::TEXT | Type::VARCHAR | Type::NAME => Ok(Cell::Text(std::str::from_utf8(raw)?)),
            Type::BYTEA => Ok(Cell::Blob(raw)),
            _ => Err(format!("nothing is read from a {kind}").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Cell<'r>, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Column for i64 {
    fn read(cell: Cell<'_>) -> Option<i64> {
        if let Cell::Int(number) = cell { Some(number) } else { None }
    }
}

impl Column for u32 {
    fn read(cell: Cell<'_>) -> Option<u32> {
        i64::read(cell)?.try_into().ok()
    }
}

impl Column for u16 {
    fn read(cell: Cell<'_>) -> Option<u16> {
        i64::read(cell)?.try_into().ok()
    }
}

impl Column for bool {
    fn read(cell: Cell<'_>) -> Option<bool> {
        Some(i64::read(cell)? != 0)
    }
}

impl Column for String {
    fn read(cell: Cell<'_>) -> Option<String> {
        if let Cell::Text(text) = cell { Some(text.to_owned()) } else { None }
    }
}

impl Column for Vec<u8> {
    fn read(cell: Cell<'_>) -> Option<Vec<u8>> {
        if let Cell::Blob(bytes) = cell { Some(bytes.to_owned()) } else { None }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(cell: Cell<'_>) -> Option<[u8; N]> {
        if let Cell::Blob(bytes) = cell { bytes.try_into().ok() } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(cell: Cell<'_>) -> Option<Option<T>> {
        if cell == Cell::Null { Some(None) } else { T::read(cell).map(Some) }
    }
}
