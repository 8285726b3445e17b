//! JSON bodies, and JSON inside a form's field.

use serde_json::Value;

use super::DecodeError;
use super::text::with_whole_letters;
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
    within_budget(body, most)?;
    let read = serde_json::from_slice(body).or_else(|error| match with_whole_letters(body) {
        Some(mended) => serde_json::from_slice(&mended),
        None => Err(error),
    });
    let tree: Value = read.map_err(|error| {
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
    within_budget(text.as_bytes(), limits::JSON_NODES).ok()?;
    let tree: Value = serde_json::from_str(text).ok()?;
    within_limits(&tree, limits::JSON_NODES).ok()?;
    Some(tree)
}

/// Counts values and levels before anything is made of them: a tree takes up to a hundred times the bytes of its text.
/// What is not JSON may pass; reading it says what is wrong.
fn within_budget(body: &[u8], most: usize) -> Result<(), DecodeError> {
    let (mut values, mut depth) = (1_usize, 0_usize);
    let (mut text, mut escaped, mut opened) = (false, false, false);
    for byte in body {
        if text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            // Another value, or the next name of an object.
            b',' => values += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            // The first value of what was opened.
            _ if opened => values += 1,
            _ => {}
        }
        opened = matches!(byte, b'[' | b'{');
        depth += usize::from(opened);
        text = *byte == b'"';
        if values > most {
            return Err(too_many(most));
        }
        if depth > limits::DEPTH {
            return Err(too_deep());
        }
    }
    Ok(())
}

fn too_many(most: usize) -> DecodeError {
    DecodeError::TooLarge(format!("the JSON has more than {most} values"))
}

fn too_deep() -> DecodeError {
    DecodeError::TooLarge(format!("the JSON is nested deeper than {}", limits::DEPTH))
}

fn within_limits(tree: &Value, most: usize) -> Result<(), DecodeError> {
    let mut left = most;
    walk(tree, 1, &mut left).map_err(|error| match error {
        Passed::Nodes => too_many(most),
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
        return Err(too_deep().into());
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
        // Numbers keep their text too.
        Value::Number(number) if number.as_str().len() > limits::NUMBER_BYTES => {
            Err(DecodeError::TooLarge(format!("a JSON number is longer than {} digits", limits::NUMBER_BYTES)).into())
        }
        _ => Ok(()),
    }
}
