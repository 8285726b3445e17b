//! What identifies a repeated submission: the sender's header, our own page's key, the channel's expression.

use http::HeaderMap;
use parom_core::limits;
use parom_core::mapping;
use parom_core::presets::Mark;
use parom_core::submission::Submission;

use super::access::token_hash;
use super::answer::Refusal;
use super::keep::Context;
use crate::config::LiveChannel;

/// Before the sender's own id of an order.
const SENDERS: &str = "sender:";

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
    Ok((!key.is_empty()).then(|| key.to_owned()))
}

/// Whether a key is the sender's own id of the order.
pub(super) fn is_senders(key: Option<&str>) -> bool {
    key.is_some_and(|key| key.starts_with(SENDERS))
}

/// The header, then the key of our own page, then the sender's id of the order, then the channel's expression.
pub(super) fn of_form(
    live: &LiveChannel,
    headers: &HeaderMap,
    context: &Context,
    submission: &Submission,
    mark: &Mark,
) -> Result<Option<String>, Refusal> {
    if let Some(key) = of_header(headers)? {
        return Ok(Some(key));
    }
    let again = context.again().map(|key| format!("again:{key}"));
    let own = mark.key.as_ref().map(|key| format!("{SENDERS}{key}"));
    let key = again
        .or(own)
        .or_else(|| live.channel.as_ref().and_then(|channel| mapping::idempotency_key(channel, submission)));
    // Nobody is turned away for what an expression made of a long text: its hash tells repeats as well.
    Ok(key.map(|key| if key.len() > limits::IDEMPOTENCY_KEY_BYTES { token_hash(&key) } else { key }))
}
