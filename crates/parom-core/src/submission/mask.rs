//! What a submission shows of itself: its text without the channel's token, which senders that can set no header put among
//! their fields.

use serde_json::Value;

use crate::presets::TOKEN_FIELDS;

const HIDDEN: &str = "[hidden]";

/// A body as it may be shown: what stands under the name of a token is hidden. Of bytes that are no UTF-8 the rest is shown.
#[must_use]
pub fn masked(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    for name in TOKEN_FIELDS {
        hidden.extend(lower.match_indices(name).filter_map(|(at, _)| value_of(&lower, at, at + name.len())));
    }
    hidden.sort_unstable();
    let (mut shown, mut read) = (String::new(), 0);
    for (from, to) in hidden {
        if from >= read {
            shown.push_str(&text[read..from]);
            shown.push_str(HIDDEN);
            read = to;
        }
    }
    shown.push_str(&text[read..]);
    shown
}

/// The named values of an address, `[["name", "value"], …]`, as they may be shown.
#[must_use]
pub fn masked_query(mut query: Value) -> Value {
    for pair in query.as_array_mut().into_iter().flatten() {
        let name = pair.get(0).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        if let Some(value) = pair.get_mut(1).filter(|_| TOKEN_FIELDS.contains(&name.as_str())) {
            *value = Value::String(HIDDEN.to_owned());
        }
    }
    query
}

/// Where the value stands whose name is at `from..to`: of a form (`token=…&`), of a part (`name="token"` and an empty line),
/// or of JSON (`"token": "…"`).
fn value_of(text: &str, from: usize, to: usize) -> Option<(usize, usize)> {
    let (before, after) = (text[..from].chars().next_back(), &text[to..]);
    if let Some(value) = after.strip_prefix('=') {
        let whole = matches!(before, None | Some('&' | '\n'));
        let start = to + 1;
        return whole.then(|| (start, start + value.find(['&', '\r', '\n']).unwrap_or(value.len())));
    }
    let quoted = after.strip_prefix('"').filter(|_| before == Some('"'))?;
    if let Some(value) = quoted.strip_prefix("\r\n\r\n") {
        let start = text.len() - value.len();
        return Some((start, start + value.find("\r\n").unwrap_or(value.len())));
    }
    let rest = quoted.trim_start();
    let value = rest.strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let start = text.len() - value.len();
    let mut escaped = false;
    let end = value.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some((start, start + end.unwrap_or(value.len())))
}
