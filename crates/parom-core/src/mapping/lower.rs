//! An expression's value as JSON, within what an order can hold.

use minijinja::Value as Context;
use minijinja::value::ValueKind;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value};

use super::context::JsonText;
use crate::convert::{decimal_of_float, decimal_value};
use crate::limits;

/// What a value may still take.
pub(super) struct Left {
    values: usize,
    bytes: usize,
}

impl Left {
    /// All that an order's field may take.
    pub(super) fn all() -> Left {
        Left { values: limits::SHOP_JSON_NODES, bytes: limits::BODY_BYTES }
    }

    fn take(&mut self, bytes: usize) -> Option<()> {
        self.values = self.values.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(bytes)?;
        (bytes <= limits::EXPRESSION_BYTES).then_some(())
    }
}

/// An expression's value as JSON; none where it takes more than is left.
pub(super) fn lower(value: &Context, depth: usize, left: &mut Left) -> Option<Value> {
    left.take(value.as_str().map_or(0, str::len))?;
    if let Some(json) = value.downcast_object_ref::<JsonText>() {
        left.take(json.text.len())?;
        return Some(Value::String(json.text.clone()));
    }
    if depth > limits::DEPTH {
        return Some(Value::Null);
    }
    Some(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => lower_number(value),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().into_iter().flatten();
            Value::Array(items.map(|item| lower(&item, depth + 1, left)).collect::<Option<_>>()?)
        }
        ValueKind::Map => {
            let mut entries = Map::new();
            for key in value.try_iter().into_iter().flatten() {
                if let Ok(item) = value.get_item(&key) {
                    entries.insert(key.to_string(), lower(&item, depth + 1, left)?);
                }
            }
            Value::Object(entries)
        }
        _ => Value::String(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
    })
}

fn lower_number(value: &Context) -> Value {
    if value.is_integer()
        && let Some(whole) = value.as_i64()
    {
        return Value::from(whole);
    }
    let float: Option<f64> = f64::try_from(value.clone()).ok();
    match float.and_then(decimal_of_float) {
        Some(decimal) if decimal.fract().is_zero() => decimal.to_i64().map_or(decimal_value(decimal), Value::from),
        Some(decimal) => decimal_value(decimal),
        None => Value::String(value.to_string()),
    }
}
