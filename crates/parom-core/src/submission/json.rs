//! JSON bodies, and JSON inside a form's field.

use serde_json::Value;

use super::DecodeError;
use crate::limits;

/// Decodes a JSON body: an object, or an array of anything. Numbers keep their text, so no digit of an amount is lost.
///
/// # Errors
/// What is not JSON, with its place; a passed limit.
pub fn decode_json(body: &[u8]) -> Result<Value, DecodeError> {
    decode_json_within(body, limits::JSON_NODES)
}

/// As [`decode_json`], with another limit of values: a shop's whole order has dozens for each line.
///
/// # Errors
/// As [`decode_json`].
pub fn decode_json_within(body: &[u8], most: usize) -> Result<Value, DecodeError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let tree: Value = serde_json::from_slice(body).map_err(|error| {
        DecodeError::Malformed(format!("the body is not JSON: {error}; check the quotes and commas there"))
    })?;
    if !tree.is_object() && !tree.is_array() {
        return Err(DecodeError::Malformed("the JSON body is a single value; send an object".into()));
    }
    within_limits(&tree, most)?;
    Ok(tree)
}

/// The tree of a form's field whose text is itself JSON (Tilda's `payment`, many shops' `items`).
#[must_use]
pub fn embedded_json(text: &str) -> Option<Value> {
    let start = text.trim_start();
    if !start.starts_with('{') && !start.starts_with('[') {
        return None;
    }
    let tree: Value = serde_json::from_str(text).ok()?;
    within_limits(&tree, limits::JSON_NODES).ok()?;
    Some(tree)
}

fn within_limits(tree: &Value, most: usize) -> Result<(), DecodeError> {
    let mut left = most;
    walk(tree, 1, &mut left).map_err(|error| match error {
        Passed::Nodes => DecodeError::TooLarge(format!("the JSON has more than {most} values")),
        Passed::Other(error) => error,
    })
}

/// Which limit was passed.
enum Passed {
    Nodes,
    Other(DecodeError),
}

impl From<DecodeError> for Passed {
    fn from(error: DecodeError) -> Passed {
        Passed::Other(error)
    }
}

fn walk(value: &Value, depth: usize, left: &mut usize) -> Result<(), Passed> {
    *left = left.checked_sub(1).ok_or(Passed::Nodes)?;
    if depth > limits::DEPTH {
        return Err(DecodeError::TooLarge(format!("the JSON is nested deeper than {}", limits::DEPTH)).into());
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, depth + 1, left)),
        Value::Object(map) => map.iter().try_for_each(|(name, item)| {
            if name.len() > limits::NAME_BYTES {
                let max = limits::NAME_BYTES;
                return Err(DecodeError::TooLarge(format!("a JSON name is longer than {max} bytes")).into());
            }
            walk(item, depth + 1, left)
        }),
        Value::String(text) if text.len() > limits::VALUE_BYTES => {
            Err(DecodeError::TooLarge(format!("a JSON text is longer than {} bytes", limits::VALUE_BYTES)).into())
        }
        _ => Ok(()),
    }
}
