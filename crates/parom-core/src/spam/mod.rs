//! Spam: what makes an order suspected, as pure decisions. A suspected order is held for a person, never dropped.

mod allowance;
mod form_time;

use std::time::Duration;

use serde_json::Value;

pub use allowance::{Allowance, Allowances};
pub use form_time::{Doubt, FIELD, KEY_BYTES, NONCE_BYTES, Stamp, issue, judge};

use crate::limits;
use crate::problem::{Code, Effect, Problem};
use crate::submission::{Submission, lookup};

/// What a channel looks at; nothing, unless its file turns it on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpamRules {
    /// A field that people do not see: who fills it in is a program.
    pub honeypot: Option<String>,
    /// How long the form must have stood open.
    pub form_time: Option<FormTime>,
    /// Orders of one client's address.
    pub per_address: Option<Allowance>,
    /// Orders of the channel.
    pub per_form: Option<Allowance>,
}

/// Between which times after it was opened a form may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormTime {
    /// A person needs at least so long.
    pub min: Duration,
    /// Nobody leaves a form open for longer.
    pub max: Duration,
}

impl Default for FormTime {
    fn default() -> FormTime {
        let seconds = Duration::from_secs;
        FormTime { min: seconds(limits::FORM_TIME_MIN_S), max: seconds(limits::FORM_TIME_MAX_S) }
    }
}

/// The problem of a form in which the field was filled in that people do not see.
#[must_use]
pub fn honeypot(rules: &SpamRules, submission: &Submission) -> Option<Problem> {
    let field = rules.honeypot.as_ref().filter(|field| is_filled(submission, field))?;
    Some(suspected(format!("the field `{field}` is filled in, and people do not see it")))
}

/// Whether a field has more in it than blanks, under the name that the sender wrote, or as the document's own.
fn is_filled(submission: &Submission, field: &str) -> bool {
    let flat = lookup(&submission.flat, field).map(|text| !text.trim().is_empty());
    flat.unwrap_or_else(|| match submission.form.get(field) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(_) => true,
    })
}

/// The problem of a suspected order.
#[must_use]
pub fn suspected(message: impl Into<String>) -> Problem {
    Problem::new("", Code::SuspectedSpam, Effect::Hold, message, "Release it if a person sent it; cancel it if not.")
}
