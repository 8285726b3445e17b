//! JSON bodies, and JSON inside a form's field.

use serde_json::Value;

use super::DecodeError;
use crate::limits;

/// Decodes a JSON body: an object, or an array of anything. Numbers keep their text, so no digit of an amount is lost.
///
/// # Errors
/// What is not JSON, with its place; a passed limit.
pub fn decode_json(body: &[u8]) -> Result<Value, DecodeError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let tree: Value = serde_json::from_slice(body).map_err(|error| {
        DecodeError::Malformed(format!("the body is not JSON: {error}; check the quotes and commas there"))
    })?;
    if !tree.is_object() && !tree.is_array() {
        return Err(DecodeError::Malformed("the JSON body is a single value; send an object".into()));
    }
    within_limits(&tree)?;
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
    within_limits(&tree).ok()?;
    Some(tree)
}

fn within_limits(tree: &Value) -> Result<(), DecodeError> {
    let mut nodes = 0;
    walk(tree, 1, &mut nodes)
}

fn walk(value: &Value, depth: usize, nodes: &mut usize) -> Result<(), DecodeError> {
    *nodes += 1;
    if *nodes > limits::JSON_NODES {
        return Err(DecodeError::TooLarge(format!("the JSON has more than {} values", limits::JSON_NODES)));
    }
    if depth > limits::DEPTH {
        return Err(DecodeError::TooLarge(format!("the JSON is nested deeper than {}", limits::DEPTH)));
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, depth + 1, nodes)),
        Value::Object(map) => map.iter().try_for_each(|(name, item)| {
            if name.len() > limits::NAME_BYTES {
                let max = limits::NAME_BYTES;
                return Err(DecodeError::TooLarge(format!("a JSON name is longer than {max} bytes")));
            }
            walk(item, depth + 1, nodes)
        }),
        Value::String(text) if text.len() > limits::VALUE_BYTES => {
            Err(DecodeError::TooLarge(format!("a JSON text is longer than {} bytes", limits::VALUE_BYTES)))
        }
        _ => Ok(()),
    }
}
