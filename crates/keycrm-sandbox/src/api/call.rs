//! One API request, read whole.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::Value;

use super::target::Target;
use crate::ledger::EntryRef;

/// A request and its place in the ledger.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) entry: EntryRef,
    pub(crate) target: Target,
    pub(crate) path: String,
    /// Decoded pairs, so that encoded and literal brackets are the same.
    pub(crate) query: Vec<(String, String)>,
    /// The JSON body; `None` where there is none that reads.
    pub(crate) body: Option<Value>,
}

impl Call {
    pub(crate) fn new(parts: &Parts, body: &[u8], entry: EntryRef) -> Self {
        let target = Target::of(&parts.method, parts.uri.path());
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // Laravel reads a body as JSON only where its type says so; a missing type is forgiven here.
        let is_json = content_type.is_none_or(|value| value.to_ascii_lowercase().contains("json"));
        let reads = target.reads_body() && is_json;
        Self {
            entry,
            target,
            path: parts.uri.path().to_owned(),
            query: query.into_owned().collect(),
            body: if reads { serde_json::from_slice(body).ok() } else { None },
        }
    }

    /// The first value of a query key that is not empty.
    pub(crate) fn param(&self, key: &str) -> Option<&str> {
        let found = self.query.iter().find(|(name, value)| name == key && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The order's number that the request is about.
    pub(crate) fn source_uuid(&self) -> Option<String> {
        match self.body.as_ref().and_then(|body| body.get("source_uuid")) {
            Some(Value::String(number)) => Some(number.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => self.param("filter[source_uuid]").map(str::to_owned),
        }
    }
}
