//! One API request, read whole.

use http::request::Parts;
use http::{Method, header::CONTENT_TYPE};
use serde_json::Value;

use crate::faults::Asker;
use crate::ledger::EntryRef;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Create,
    List,
    Show(u64),
    Nothing,
}

/// A request and its place in the ledger.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) entry: EntryRef,
    pub(crate) target: Target,
    /// Decoded pairs, so that encoded and literal brackets are the same.
    pub(crate) query: Vec<(String, String)>,
    /// The JSON body; `None` where there is none that reads.
    pub(crate) body: Option<Value>,
}

impl Call {
    pub(crate) fn new(parts: &Parts, body: &[u8], entry: EntryRef) -> Self {
        let target = target(&parts.method, parts.uri.path());
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // Laravel reads a body as JSON only where its type says so; a missing type is forgiven here.
        let is_json = content_type.is_none_or(|value| value.to_ascii_lowercase().contains("json"));
        let reads = target == Target::Create && is_json;
        Self {
            entry,
            target,
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

    pub(crate) fn asker(&self) -> Asker {
        match self.target {
            Target::Create => Asker::Post,
            Target::List => Asker::List,
            Target::Show(_) => Asker::Show,
            Target::Nothing => Asker::Other,
        }
    }
}

fn target(method: &Method, path: &str) -> Target {
    let Some(rest) = path.strip_prefix("/v1/order") else {
        return Target::Nothing;
    };
    match (method.as_str(), rest.strip_prefix('/')) {
        ("POST", None) if rest.is_empty() => Target::Create,
        ("GET", None) if rest.is_empty() => Target::List,
        ("GET", Some(id)) => id.parse().map_or(Target::Nothing, Target::Show),
        _ => Target::Nothing,
    }
}
