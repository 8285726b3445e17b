//! A submission: one request as received, decoded to a tree of fields, and immutable from then on.

mod json;
mod mask;
mod php;
mod recognise;
mod text;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use json::{decode_json, decode_json_within, embedded_json};
pub use mask::{masked, masked_query};
pub use php::fold;
pub use recognise::{cart, recognise, recognise_values};
pub use text::readable;

use crate::limits;

/// One request as received.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The body's tree: PHP's bracket names folded, or the JSON document.
    pub form: Value,
    /// The body's fields under the names that the sender wrote, last one wins; empty for JSON.
    pub flat: Vec<(String, String)>,
    /// The address's query, flat.
    pub query: Vec<(String, String)>,
    /// The cookies, flat.
    pub cookies: Vec<(String, String)>,
    /// The headers that presets read, under their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The page's address: the Referer, else the `page` of the query.
    pub page: String,
    /// When it was received, UTC.
    pub received_at: Timestamp,
}

/// Why a body cannot be decoded; each has its own HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes are not what the content type says: 400.
    Malformed(String),
    /// A named limit was passed: 413.
    TooLarge(String),
    /// A kind of body that is not taken, or a file in it: 415.
    Unsupported(String),
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::Malformed(text) | DecodeError::TooLarge(text) | DecodeError::Unsupported(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// A decoded body: its tree and its flat fields.
pub type Decoded = (Value, Vec<(String, String)>);

/// Decodes an urlencoded body as PHP fills `$_POST`; a JSON document in its place (WayForPay and others send one under
/// this content type, bare or as the only key) is taken as JSON.
///
/// # Errors
/// A passed limit, or a JSON document that is over one.
pub fn decode_urlencoded(body: &[u8]) -> Result<Decoded, DecodeError> {
    if matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
        && let Ok(tree) = decode_json(body)
    {
        return Ok((tree, Vec::new()));
    }
    let mut pairs: Vec<(String, String)> =
        form_urlencoded::parse(body).into_owned().take(limits::FORM_FIELDS + 1).collect();
    if pairs
        .iter()
        .any(|(name, value)| name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER))
    {
        pairs = text::pairs(body).take(limits::FORM_FIELDS + 1).collect();
    }
    if let [(name, value)] = pairs.as_slice() {
        let text = if value.is_empty() { name.clone() } else { format!("{name}={value}") };
        if name.trim_start().starts_with('{')
            && let Ok(tree) = decode_json(text.as_bytes())
        {
            return Ok((tree, Vec::new()));
        }
    }
    decode_pairs(pairs)
}

/// Folds named values (of a form or of a multipart body's text parts) into a tree.
///
/// # Errors
/// A passed limit, with the field's name.
pub fn decode_pairs(pairs: Vec<(String, String)>) -> Result<Decoded, DecodeError> {
    if pairs.len() > limits::FORM_FIELDS {
        return Err(DecodeError::TooLarge(format!("the form has more than {} fields", limits::FORM_FIELDS)));
    }
    for (name, value) in &pairs {
        if name.len() > limits::NAME_BYTES {
            let start: String = name.chars().take(40).collect();
            let max = limits::NAME_BYTES;
            return Err(DecodeError::TooLarge(format!("the field name `{start}…` is longer than {max} bytes")));
        }
        if value.len() > limits::VALUE_BYTES {
            let max = limits::VALUE_BYTES;
            return Err(DecodeError::TooLarge(format!("the value of `{name}` is longer than {max} bytes")));
        }
    }
    let tree = fold(&pairs)?;
    Ok((tree, pairs))
}

impl Submission {
    /// The content that makes two submissions the same one: the tree in canonical form (object keys sorted).
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        write_canonical(&self.form, &mut out);
        out
    }

    /// A named value of the query.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        lookup(&self.query, name)
    }

    /// An empty submission, for the checks of constants.
    #[must_use]
    pub fn empty(received_at: Timestamp) -> Submission {
        Submission {
            form: Value::Object(Map::new()),
            flat: Vec::new(),
            query: Vec::new(),
            cookies: Vec::new(),
            headers: Vec::new(),
            page: String::new(),
            received_at,
        }
    }
}

/// The last value under a name.
#[must_use]
pub fn lookup<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                push_json(key, out);
                out.push(':');
                write_canonical(&map[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => push_json(scalar, out),
    }
}

fn push_json(value: &(impl serde::Serialize + ?Sized), out: &mut String) {
    // A text or a number always has a JSON form.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}
