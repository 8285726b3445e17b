//! Presets: what is known of a sender beforehand. Each is a folder with its code, its default mapping, samples of what it
//! sends, and a README.
//!
//! A preset tells a test ping from an order, knows the sender's own id of the order and how its requests are signed, and
//! brings what it sent into a shape that a mapping can read. It decides over a decoded request and reads nothing else.

mod cf7;
mod charges;
mod elementor;
mod fields;
mod googleforms;
mod opencart;
mod prom;
mod shopify;
mod signing;
mod standardwebhooks;
mod tilda;
mod typeform;
mod webflow;
mod woocommerce;

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use signing::{Encoding, Scheme, Signing, Unit, Unsigned};

use crate::limits;
use crate::submission::{Submission, lookup};

/// A sender of a known kind.
#[derive(Debug)]
pub struct Preset {
    /// Its name in a channel's `format`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How it signs, where it can.
    pub signing: Option<Signing>,
    /// How it wants to be answered.
    pub answer: Answer,
    /// Where its orders name their currency, where they do: the CRM takes a source's for all of its orders.
    pub currency: Option<&'static str>,
    /// A channel file's `[order]` for it.
    pub mapping: &'static str,
    /// What a person does on its side, and how each fact was confirmed.
    pub readme: &'static str,
    /// Files to paste there, by name.
    pub snippets: &'static [(&'static str, &'static str)],
    kind: fn(&Submission) -> Kind,
    shape: fn(&Submission) -> Option<Value>,
}

/// How a sender wants an accepted order answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As everybody: 202, and 200 for a repeat.
    Accepted,
    /// 200 alone counts.
    Ok,
    /// 200 and the text `ok`.
    Text,
}

/// What a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An order, or its later state.
    Order(Mark),
    /// The sender's test: answered, and nothing is kept.
    Ping,
    /// An event that is no order, in words: answered, so that the sender does not repeat it, and nothing is kept.
    Other(String),
    /// Not what this sender sends, in words: refused.
    Malformed(String),
}

/// How an order is told from others of its sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The sender's own id of the order.
    pub key: Option<String>,
    /// A later request with this key and another content is the same order, changed.
    pub updates: bool,
    /// When the sender changed it last: an older state that comes late changes nothing.
    pub changed_at: Option<Timestamp>,
    /// Why an order that never came here should wait for a person: it may be in the CRM by another way, or be given up.
    pub doubt: Option<String>,
}

/// The request headers that presets read; they are kept with a submission.
pub const HEADERS: [&str; 14] = [
    "x-wc-webhook-topic",
    "x-wc-webhook-signature",
    "x-webflow-timestamp",
    "x-webflow-signature",
    "x-shopify-topic",
    "x-shopify-hmac-sha256",
    "x-shopify-webhook-id",
    "x-shopify-test",
    "typeform-signature",
    "x-parom-timestamp",
    "x-parom-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// Names, in small letters, under which a sender that can set no header sends the channel's token with the form.
pub const TOKEN_FIELDS: [&str; 4] = ["api-key", "api_key", "apikey", "token"];

static ALL: [&Preset; 11] = [
    &tilda::PRESET,
    &woocommerce::PRESET,
    &webflow::PRESET,
    &elementor::PRESET,
    &cf7::PRESET,
    &opencart::PRESET,
    &shopify::PRESET,
    &prom::PRESET,
    &typeform::PRESET,
    &googleforms::PRESET,
    &standardwebhooks::PRESET,
];

/// How the scripts that we hand out sign: `sha256=` and hex over `seconds.body`.
const PAROM: Signing = Signing {
    header: "x-parom-signature",
    prefix: "sha256=",
    encoding: Encoding::Hex,
    scheme: Scheme::Stamped { header: "x-parom-timestamp", separator: ".", unit: Unit::Seconds },
};

/// Every preset.
#[must_use]
pub fn all() -> &'static [&'static Preset] {
    &ALL
}

/// The preset of a channel's `format`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Preset> {
    ALL.iter().copied().find(|preset| preset.name == name)
}

impl Preset {
    /// What a request is.
    #[must_use]
    pub fn kind(&self, submission: &Submission) -> Kind {
        (self.kind)(submission)
    }

    /// The submission in the shape that the preset's mapping reads. What is not as this sender sends it stays as it is.
    #[must_use]
    pub fn shaped<'a>(&self, submission: &'a Submission) -> Cow<'a, Submission> {
        match (self.shape)(submission) {
            Some(form) => Cow::Owned(Submission { form, ..submission.clone() }),
            None => Cow::Borrowed(submission),
        }
    }
}

/// An order whose sender's id stands at a path of the tree.
fn keyed(submission: &Submission, pointer: &str) -> Option<String> {
    let value = submission.form.pointer(pointer)?;
    crate::convert::plain(value).filter(|key| !key.trim().is_empty())
}

/// Why an order should wait that is told of for the first time: by a change of it, and older than an hour.
fn stale(submission: &Submission, created: Option<Timestamp>) -> Option<String> {
    let age = submission.received_at.duration_since(created?).as_secs();
    (age > limits::UNKNOWN_UPDATE_S).then(|| {
        "its sender tells of a change of an older order that never came here: it may be in the CRM by another way"
            .to_owned()
    })
}

/// Why an order should wait that was given up before it came.
fn given_up(status: &str) -> Option<String> {
    let given_up = matches!(status, "cancelled" | "canceled" | "failed" | "refunded" | "voided");
    given_up.then(|| format!("the order is `{status}` and never came here before"))
}

fn header<'a>(submission: &'a Submission, name: &str) -> &'a str {
    lookup(&submission.headers, name).unwrap_or_default()
}

/// The items of a list.
fn list<'a>(form: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    form.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A list of `{key, value}` as one object.
fn by_key(list: Option<&Value>, key: &str, value: &str) -> Map<String, Value> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some((item.get(key)?.as_str()?.to_owned(), item.get(value)?.clone()))).collect()
}

/// The one order of an API's answer: at one of the places, alone in a list there, or the body itself.
fn single<'a>(form: &'a Value, places: &[&str]) -> Result<&'a Value, Kind> {
    let found = places.iter().find_map(|place| form.pointer(place)).unwrap_or(form);
    match found.as_array().map(Vec::as_slice) {
        None => Ok(found),
        Some([only]) => Ok(only),
        Some([]) => Err(Kind::Other("the list of orders is empty".into())),
        Some(many) => Err(Kind::Malformed(format!("{} orders came at once: send each by itself", many.len()))),
    }
}
