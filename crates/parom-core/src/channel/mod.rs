//! A channel: one configured way in, read from one TOML file.

mod checks;
mod edit;
mod finding;
mod known;
mod lines;
mod read;
mod rules;
mod samples;
mod spam;
mod suggest;

pub use edit::{Line, edited, lines};
pub use finding::{Finding, Severity};
pub use known::{check_known, check_rate};
pub use read::{parse, parse_duration};
pub use samples::{check_samples, field_names};
pub use suggest::{merged, suggest};

use std::borrow::Cow;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::convert::Locale;
use crate::dictionary::UnknownSku;
use crate::mapping::{Assign, Expr, Place, Rules, UnclearBranch};
use crate::order::{OnInvalid, Target};
use crate::presets::Preset;
use crate::spam::SpamRules;
use crate::submission::Submission;

/// What a channel sends to in the CRM.
#[derive(Debug)]
pub enum TargetRule {
    /// Always the same.
    Always(Target),
    /// By an expression that gives `order` or `card`.
    By(Expr),
}

/// What happens to an equal form without a key, within minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRepeat {
    /// It waits for a person.
    Hold,
    /// It goes, marked.
    Flag,
    /// Nobody looks.
    Off,
}

/// A secret by reference: it never stands in a file of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable's name.
    Env(String),
    /// A file's path.
    File(String),
}

/// Who may post to the channel. Both absent: everybody, as to a form's action.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The sites whose pages may post (`https://shop.example.ua`).
    pub origins: Vec<String>,
    /// The token of servers.
    pub token: Option<SecretRef>,
    /// The secrets by which the sender signs; any of them, so that one can be changed for another.
    pub secrets: Vec<SecretRef>,
}

/// What stands for the order's number in the address of the page of thanks.
const NUMBER: &str = "{number}";

/// One configured way in.
#[derive(Debug)]
pub struct Channel {
    /// The file's name without its ending.
    pub name: String,
    /// The account that it sends to.
    pub account: String,
    /// What it sends to.
    pub target: TargetRule,
    /// The known sender whose requests it takes.
    pub preset: Option<&'static Preset>,
    /// The zone of times that carry none.
    pub timezone: TimeZone,
    /// The region of phones without a country code.
    pub region: String,
    /// What happens to an order with problems.
    pub on_invalid: OnInvalid,
    /// What happens to a repeated form.
    pub on_repeat: OnRepeat,
    /// What identifies a repeated submission.
    pub idempotency_key: Option<Expr>,
    /// Where a browser goes after the order was accepted; `{number}` in it stands for the order's number.
    pub thank_you_url: Option<String>,
    /// How long a drop-in request waits for the CRM's answer.
    pub wait: Duration,
    /// Who may post.
    pub access: Access,
    /// What makes a form suspected spam.
    pub spam: SpamRules,
    /// Whether the last submissions are kept as samples.
    pub learn: bool,
    /// What a SKU does that is not in the catalogue.
    pub unknown_sku: UnknownSku,
    /// What an order does whose branch is not certain, or does not take its parcel.
    pub unclear_branch: UnclearBranch,
    /// The parcel's weight in kilograms, which its branch must take.
    pub parcel_weight: Option<Expr>,
    /// The mapping; empty for a channel that only takes drop-in requests.
    pub rules: Rules,
    /// What a card has of its own, over what the mapping of the order gives it.
    pub card_rules: Rules,
    /// What a later request of the sender changes of an order that is in the CRM.
    pub update_rules: Rules,
}

impl Channel {
    /// How the channel reads local forms.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale { zone: self.timezone.clone(), region: self.region.clone(), keep_dates: false }
    }

    /// The submission as the mapping reads it.
    #[must_use]
    pub fn shaped<'a>(&self, submission: &'a Submission) -> Cow<'a, Submission> {
        self.preset.map_or(Cow::Borrowed(submission), |preset| preset.shaped(submission))
    }

    /// The source of the CRM, where it is a constant.
    #[must_use]
    pub fn source_id(&self) -> Option<i64> {
        match self.rules.find("source_id") {
            Some(Place::Value(Expr::Constant(value))) => {
                value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
            }
            _ => None,
        }
    }

    /// The page of thanks for an order of this number.
    #[must_use]
    pub fn thank_you_page(&self, number: &str) -> Option<String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let escaped = number.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") });
        self.thank_you_url.as_ref().map(|url| url.replace(NUMBER, &escaped.collect::<String>()))
    }

    /// Whether it has a mapping at all.
    #[must_use]
    pub fn has_mapping(&self) -> bool {
        let source = |assign: &Assign| assign.name == "source_id" || assign.name == "source";
        self.rules.order.iter().any(|assign| !source(assign)) || !self.card_rules.order.is_empty()
    }
}

/// What a constant of the file is in JSON.
pub(crate) fn constant(value: &toml::de::DeValue<'_>) -> Option<Value> {
    match value {
        toml::de::DeValue::String(text) => Some(Value::String(text.to_string())),
        toml::de::DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from)
        }
        // The text, not a float: 12.50 stays twelve and a half.
        toml::de::DeValue::Float(number) => Some(Value::String(number.as_str().to_owned())),
        toml::de::DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
        toml::de::DeValue::Datetime(at) => Some(Value::String(at.to_string())),
        toml::de::DeValue::Array(_) | toml::de::DeValue::Table(_) => None,
    }
}
