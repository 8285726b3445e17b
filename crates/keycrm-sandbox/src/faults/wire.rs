//! Faults as JSON and in words.

use serde_json::{Map, Value, json};

use super::{ActiveFault, Fault, FaultKind, FaultOn};

const KEYS: &[&str] = &["on", "kind", "times", "skip", "for_ms", "status", "ms", "retry_after", "orders"];

/// The names of all kinds.
pub(crate) const KINDS: &[&str] = &[
    "refuse_before",
    "validation",
    "commit_then_drop",
    "drop_before",
    "html_after_commit",
    "html_before",
    "hang_before",
    "hang_after_commit",
    "slow",
    "slow_before",
    "rate_limited",
    "wrong_json",
    "empty_after_commit",
    "truncated_after_commit",
    "wrong_number",
    "late_commit",
    "drop_and_late_commit",
    "lookup_empty",
    "lookup_ignores_filter",
    "import_partly",
    "huge_answer",
    "drip_answer",
];

/// The names of what a fault can be on.
pub(crate) const ONS: &[&str] = &["post", "import", "change", "lookup", "dictionary", "any"];

/// Delay of a slow fault that names none.
const DEFAULT_MS: u64 = 1000;

impl FaultKind {
    /// The name in the ledger and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RefuseBefore { .. } => "refuse_before",
            Self::Validation => "validation",
            Self::CommitThenDrop => "commit_then_drop",
            Self::DropBefore => "drop_before",
            Self::HtmlAfterCommit { .. } => "html_after_commit",
            Self::HtmlBefore { .. } => "html_before",
            Self::HangBefore => "hang_before",
            Self::HangAfterCommit => "hang_after_commit",
            Self::Slow { .. } => "slow",
            Self::SlowBefore { .. } => "slow_before",
            Self::RateLimited { .. } => "rate_limited",
            Self::WrongJson => "wrong_json",
            Self::EmptyAfterCommit { .. } => "empty_after_commit",
            Self::TruncatedAfterCommit => "truncated_after_commit",
            Self::WrongNumber => "wrong_number",
            Self::LateCommit { .. } => "late_commit",
            Self::DropAndLateCommit { .. } => "drop_and_late_commit",
            Self::LookupEmpty => "lookup_empty",
            Self::LookupIgnoresFilter => "lookup_ignores_filter",
            Self::ImportPartly { .. } => "import_partly",
            Self::HugeAnswer => "huge_answer",
            Self::DripAnswer => "drip_answer",
        }
    }

    fn status(&self) -> Option<u16> {
        match *self {
            Self::RefuseBefore { status }
            | Self::HtmlAfterCommit { status }
            | Self::HtmlBefore { status }
            | Self::EmptyAfterCommit { status }
            | Self::LateCommit { status, .. } => Some(status),
            _ => None,
        }
    }
}

impl FaultOn {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Post => "post",
            Self::Import => "import",
            Self::Change => "change",
            Self::Lookup => "lookup",
            Self::Dictionary => "dictionary",
        }
    }
}

impl ActiveFault {
    /// The fault as the control API lists it.
    pub(crate) fn to_json(self) -> Value {
        let Fault { on, kind, skip, for_ms, .. } = self.fault;
        json!({
            "on": on.name(), "kind": kind.name(), "status": kind.status(),
            "left": self.left(), "skip": skip, "for_ms": for_ms,
        })
    }

    /// The fault in a few words for the page.
    pub(crate) fn describe(&self) -> String {
        let status = self.fault.kind.status().map_or_else(String::new, |status| format!(" {status}"));
        let left = self.left().map_or_else(|| "until cleared".to_owned(), |left| format!("{left} more"));
        format!("{}{status} on {}, {left}", self.fault.kind.name().replace('_', " "), self.fault.on.name())
    }
}

impl Fault {
    /// Reads `{"on": "post", "kind": "commit_then_drop", "times": 1}`; the error is a sentence.
    pub(crate) fn from_json(value: &Value) -> Result<Self, String> {
        let fields = value.as_object().ok_or("a fault is a JSON object")?;
        if let Some(unknown) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("unknown key `{unknown}`; known are {}", KEYS.join(", ")));
        }
        let on = match fields.get("on").and_then(Value::as_str) {
            Some("any") | None => FaultOn::Any,
            Some("post") => FaultOn::Post,
            Some("import") => FaultOn::Import,
            Some("change") => FaultOn::Change,
            Some("lookup") => FaultOn::Lookup,
            Some("dictionary") => FaultOn::Dictionary,
            Some(other) => {
                return Err(format!("unknown `on`: {other}; it is any, post, import, change, lookup or dictionary"));
            }
        };
        Ok(Self {
            on,
            kind: kind(fields)?,
            times: small(fields, "times")?,
            skip: small(fields, "skip")?.unwrap_or(0),
            for_ms: number(fields, "for_ms")?,
        })
    }
}

fn kind(fields: &Map<String, Value>) -> Result<FaultKind, String> {
    let ms = number(fields, "ms")?.unwrap_or(DEFAULT_MS);
    let status = status(fields)?;
    let or = |default: u16| status.unwrap_or(default);
    let name = fields.get("kind").and_then(Value::as_str).ok_or("a fault needs a `kind`")?;
    Ok(match name {
        "refuse_before" => FaultKind::RefuseBefore { status: or(503) },
        "validation" => FaultKind::Validation,
        "commit_then_drop" => FaultKind::CommitThenDrop,
        "drop_before" => FaultKind::DropBefore,
        "html_after_commit" => FaultKind::HtmlAfterCommit { status: or(502) },
        "html_before" => FaultKind::HtmlBefore { status: or(502) },
        "hang_before" => FaultKind::HangBefore,
        "hang_after_commit" => FaultKind::HangAfterCommit,
        "slow" => FaultKind::Slow { ms },
        "slow_before" => FaultKind::SlowBefore { ms },
        "rate_limited" => FaultKind::RateLimited { retry_after: number(fields, "retry_after")? },
        "wrong_json" => FaultKind::WrongJson,
        "empty_after_commit" => FaultKind::EmptyAfterCommit { status: or(201) },
        "truncated_after_commit" => FaultKind::TruncatedAfterCommit,
        "wrong_number" => FaultKind::WrongNumber,
        "late_commit" => FaultKind::LateCommit { ms, status: or(504) },
        "drop_and_late_commit" => FaultKind::DropAndLateCommit { ms },
        "lookup_empty" => FaultKind::LookupEmpty,
        "lookup_ignores_filter" => FaultKind::LookupIgnoresFilter,
        "import_partly" => FaultKind::ImportPartly { orders: small(fields, "orders")?.unwrap_or(0) },
        "huge_answer" => FaultKind::HugeAnswer,
        "drip_answer" => FaultKind::DripAnswer,
        other => return Err(format!("unknown `kind`: {other}")),
    })
}

fn number(fields: &Map<String, Value>, key: &str) -> Result<Option<u64>, String> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("`{key}` is a whole number")),
    }
}

fn small(fields: &Map<String, Value>, key: &str) -> Result<Option<u32>, String> {
    let number = number(fields, key)?;
    number.map(|number| u32::try_from(number).map_err(|_| format!("`{key}` is too large"))).transpose()
}

fn status(fields: &Map<String, Value>) -> Result<Option<u16>, String> {
    let number = number(fields, "status")?;
    let fits = |number: &u16| (200..=599).contains(number);
    number.map(|n| u16::try_from(n).ok().filter(fits).ok_or_else(|| "`status` is 200 to 599".to_owned())).transpose()
}
