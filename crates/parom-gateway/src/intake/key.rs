//! What identifies a repeated submission: a known sender's id, the header, our own page's key, the channel's expression.

use http::HeaderMap;
use parom_core::Problem;
use parom_core::channel::Channel;
use parom_core::limits;
use parom_core::mapping;
use parom_core::presets::Mark;
use parom_core::submission::Submission;

use super::access::token_hash;
use super::answer::Refusal;
use super::keep::Context;
use crate::config::LiveChannel;
use crate::store::ERASED_KEY;

/// What tells a repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    pub(super) text: Option<String>,
    /// It is the sender's own id of the order.
    pub(super) of_sender: bool,
    /// Why there is none, where the channel's expression failed.
    pub(super) problem: Option<Problem>,
}

/// Before a sender's own id, and before the key of our own page: no header may pass for one of them, nor for an erased order's.
const SENDERS: &str = "sender:";
const PAGES: &str = crate::store::PAGES_KEY;

/// The `Idempotency-Key` header.
pub(super) fn of_header(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| Refusal::new(400, "the Idempotency-Key is not plain text"))?.trim();
    if key.len() > limits::IDEMPOTENCY_KEY_BYTES {
        let max = limits::IDEMPOTENCY_KEY_BYTES;
        return Err(Refusal::new(400, format!("the Idempotency-Key is longer than {max} bytes")));
    }
    let own = [SENDERS, PAGES, ERASED_KEY].iter().any(|prefix| key.starts_with(prefix));
    Ok((!key.is_empty()).then(|| if own { format!("header:{key}") } else { key.to_owned() }))
}

/// A known sender's id of the order: nothing that is not signed may make two of one. Else the header, the channel's
/// expression, the key of our own page, which it carries from its first request to its last.
pub(super) fn of_form(
    live: &LiveChannel,
    headers: &HeaderMap,
    (context, pages): (&Context, Option<&str>),
    submission: &Submission,
    mark: &Mark,
) -> Result<Key, Refusal> {
    if let Some(key) = of_sender(mark) {
        return Ok(Key { text: Some(key), of_sender: true, problem: None });
    }
    if let Some(key) = of_header(headers)? {
        return Ok(Key { text: Some(key), ..Key::default() });
    }
    let (key, problem) =
        live.channel.as_ref().map(|channel| mapping::idempotency_key(channel, submission)).unwrap_or_default();
    let pages = || Some(format!("{PAGES}{}", context.again().or(pages)?));
    Ok(Key { text: key.or_else(pages).map(short), of_sender: false, problem })
}

/// Whether a key tells apart what its sender meant: the key of our own page tells its repeats alone, and no double click.
pub(super) fn tells_orders(key: &str) -> bool {
    !key.starts_with(PAGES)
}

/// The key of a kept request that came without one while its channel could not be used, and whether it is its sender's own id.
#[must_use]
pub fn of_kept(channel: &Channel, submission: &Submission, mark: &Mark) -> Option<(String, bool)> {
    let own = of_sender(mark).map(|key| (key, true));
    own.or_else(|| Some((short(mapping::idempotency_key(channel, submission).0?), false)))
}

/// What identifies a row of a file: the column that was named, or what tells the channel's other orders apart, so that a row
/// of an order that came in already adds nothing; or else all of its content.
pub(super) fn of_row(channel: &Channel, submission: &Submission, named: Option<String>) -> Key {
    let hashed = |text: String| Some(format!("import:{}", token_hash(&text)));
    if let Some(named) = named {
        return Key { text: hashed(format!("key:{named}")), ..Key::default() };
    }
    let (own, problem) = mapping::idempotency_key(channel, submission);
    let text = own.map(short).or_else(|| hashed(format!("content:{}", submission.canonical())));
    Key { text, of_sender: false, problem }
}

/// The key of a sender's own id, as it is kept.
fn of_sender(mark: &Mark) -> Option<String> {
    mark.key.as_ref().map(|key| short(format!("{SENDERS}{key}")))
}

/// Nobody is turned away for what an expression made of a long text, or of one with a sign that no database keeps: its hash tells
/// repeats as well.
fn short(key: String) -> String {
    if key.len() > limits::IDEMPOTENCY_KEY_BYTES || key.contains('\0') { token_hash(&key) } else { key }
}
