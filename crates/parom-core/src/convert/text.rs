//! Texts, addresses and UUIDs.

use serde_json::Value;

use super::Misfit;
use crate::problem::Code;

/// A scalar as text, trimmed; a list of scalars joined by commas; none for what is nested.
#[must_use]
pub fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(items) => {
            let parts: Option<Vec<String>> = items
                .iter()
                .filter(|item| !super::is_empty(item))
                .map(|item| if item.is_array() { None } else { plain(item) })
                .collect();
            parts.map(|parts| parts.join(", "))
        }
        Value::Object(_) => None,
    }
}

/// An absolute http(s) address.
///
/// # Errors
/// Anything else.
pub fn url(text: &str) -> Result<String, Misfit> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        text.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(|_| &text[scheme.len()..])
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let message = format!("`{text}` is not an absolute http(s) address");
        return Err(Misfit::new(Code::InvalidUrl, message, "Send the whole address, from https:// on."));
    }
    Ok(text.to_owned())
}

/// A UUID in its 8-4-4-4-12 form, in lower case.
///
/// # Errors
/// Anything else.
pub fn uuid(text: &str) -> Result<String, Misfit> {
    let groups: Vec<&str> = text.split('-').collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
    if sizes == [8, 4, 4, 4, 12] && hex {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Misfit::new(
        Code::InvalidUuid,
        format!("`{text}` is not a UUID"),
        "A Nova Poshta branch is named by its UUID (1ec09d2e-e1c2-11e3-8c4a-0050568002cf), not by its number.",
    ))
}
