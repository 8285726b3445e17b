//! Values that go into a statement.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// What both databases store. A truth is 0 or 1. PostgreSQL is told the kind of each value: by itself it would take some
/// for text.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Value<'v> {
    /// Nothing, where one of this kind could be.
    Null(Kind),
    Int(i64),
    Text(&'v str),
    Blob(&'v [u8]),
}

/// The kinds of values.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Kind {
    Int,
    Text,
    Blob,
}

impl Value<'_> {
    /// PostgreSQL's type.
    pub(in crate::store) fn kind(&self) -> Type {
        match self {
            Value::Int(_) | Value::Null(Kind::Int) => Type::INT8,
            Value::Text(_) | Value::Null(Kind::Text) => Type::TEXT,
            Value::Blob(_) | Value::Null(Kind::Blob) => Type::BYTEA,
        }
    }
}

/// A value that a statement was built with, piece by piece.
#[derive(Clone, Debug)]
pub(in crate::store) enum Argument {
    Int(i64),
    Text(String),
}

/// The arguments in their order, as a statement takes them.
pub(in crate::store) fn bound(arguments: &[Argument]) -> Vec<Value<'_>> {
    arguments.iter().map(Bind::bind).collect()
}

/// What can be bound to a placeholder.
pub(in crate::store) trait Bind {
    fn bind(&self) -> Value<'_>;
}

/// The values of a statement, in the order of its placeholders.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Bind::bind(&$value)),*] };
}
pub(in crate::store) use params;

impl Bind for Value<'_> {
    fn bind(&self) -> Value<'_> {
        *self
    }
}

impl Bind for Argument {
    fn bind(&self) -> Value<'_> {
        match self {
            Argument::Int(number) => Value::Int(*number),
            Argument::Text(text) => Value::Text(text),
        }
    }
}

/// What has a kind even where there is none of it.
pub(in crate::store) trait Kept: Bind {
    const KIND: Kind;
}

impl<T: Kept> Bind for Option<T> {
    fn bind(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(T::KIND), Bind::bind)
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    fn bind(&self) -> Value<'_> {
        (**self).bind()
    }
}

impl<T: Kept + ?Sized> Kept for &T {
    const KIND: Kind = T::KIND;
}

/// A type, its kind, and how a value of it is bound.
macro_rules! kept {
    ($($kept:ty, $kind:ident, |$value:ident| $bound:expr;)*) => { $(
        impl Bind for $kept {
            fn bind(&self) -> Value<'_> {
                let $value = self;
                Value::$kind($bound)
            }
        }
        impl Kept for $kept {
            const KIND: Kind = Kind::$kind;
        }
    )* };
}

kept! {
    i64, Int, |number| *number;
    u32, Int, |number| i64::from(*number);
    u16, Int, |number| i64::from(*number);
    bool, Int, |truth| i64::from(*truth);
    str, Text, |text| text;
    String, Text, |text| text;
    [u8], Blob, |bytes| bytes;
}

impl<const N: usize> Bind for [u8; N] {
    fn bind(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null(_) => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, kind) {
            (Value::Null(_), _) => return Ok(IsNull::Yes),
            (Value::Int(number), &Type::INT8) => out.put_i64(*number),
            // The one sign that no text of PostgreSQL may have.
            (Value::Text(text), &Type::TEXT) => out.put_slice(text.replace('\0', "\u{fffd}").as_bytes()),
            (Value::Blob(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (value, kind) => return Err(format!("{value:?} cannot stand for a {kind}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
