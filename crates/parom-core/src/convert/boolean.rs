//! Yes and no, as forms and shops write them.

use serde_json::Value;

use super::{Misfit, plain};
use crate::problem::Code;

/// True or false.
///
/// # Errors
/// A word that is neither.
pub fn boolean(value: &Value) -> Result<bool, Misfit> {
    if let Value::Bool(flag) = value {
        return Ok(*flag);
    }
    let text = plain(value).unwrap_or_default();
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "y" | "on" | "так" | "да" => Ok(true),
        "0" | "false" | "no" | "n" | "off" | "ні" | "нет" => Ok(false),
        _ => Err(Misfit::new(
            Code::InvalidBoolean,
            format!("`{text}` is neither yes nor no"),
            "Send 1 or 0; a checkbox sends `on` or nothing.",
        )),
    }
}
