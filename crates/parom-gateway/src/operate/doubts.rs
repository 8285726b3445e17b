//! What nobody looked at while a channel could not be used: who sent a form, whether it is spam, whether it came twice.

use jiff::Timestamp;
use parom_core::channel::{Channel, OnRepeat};
use parom_core::spam;
use parom_core::{Code, Effect, Problem};
use serde_json::Value;

use crate::config::LiveChannel;
use crate::intake;
use crate::store::{OrderDetail, Store, StoreError};

/// What the channel's access rule would have said, had the channel been usable then.
pub(super) async fn entry_problem(live: &LiveChannel, channel: &Channel, order: &OrderDetail) -> Option<Problem> {
    use secrecy::ExposeSecret;
    let context = &order.context;
    let at = Timestamp::from_millisecond(order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let headers: Vec<(String, String)> =
        context.get("headers").and_then(|headers| serde_json::from_value(headers.clone()).ok()).unwrap_or_default();
    if let Some(Err(error)) = channel.preset.map(|preset| intake::verify(live, preset, &headers, &order.raw, at)) {
        let hint = "Release it if you know its sender.";
        return Some(Problem::new("", Code::WrongToken, Effect::Hold, error.to_string(), hint));
    }
    let given = context.get("token_sha256").and_then(Value::as_str);
    let origin = context.get("origin").and_then(Value::as_str).filter(|origin| !origin.is_empty());
    let listed = origin.is_some_and(|origin| channel.access.origins.iter().any(|o| o.eq_ignore_ascii_case(origin)));
    let right =
        live.secrets.token.as_ref().is_some_and(|t| given == Some(intake::token_hash(t.expose_secret()).as_str()));
    if listed || right || brings_token(live, order, at).await {
        return None;
    }
    if origin.is_some() && !channel.access.origins.is_empty() {
        let message = "the form was sent from a site that the channel does not list";
        let hint = "Release it if the site is yours, and add it to access.origins.";
        return Some(Problem::new("", Code::ForeignOrigin, Effect::Hold, message, hint));
    }
    live.secrets.token.is_some().then(|| {
        let message = "it came without the channel's token while the channel's file was broken";
        Problem::new("", Code::WrongToken, Effect::Hold, message, "Release it if you know its sender.")
    })
}

/// What nobody looked at while the channel's file was broken. Form times and rates cannot be judged later.
pub(super) async fn honeypot_problem(channel: &Channel, order: &OrderDetail) -> Option<Problem> {
    channel.spam.honeypot.as_ref()?;
    let at = Timestamp::from_millisecond(order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let decoded = intake::submission_of(&order.content_type, &order.context, order.raw.clone(), at).await;
    spam::honeypot(&channel.spam, &decoded.ok()?)
}

/// A sender that can set no header brings the channel's token with the form.
async fn brings_token(live: &LiveChannel, order: &OrderDetail, at: Timestamp) -> bool {
    let decoded = intake::submission_of(&order.content_type, &order.context, order.raw.clone(), at).await;
    decoded.is_ok_and(|submission| intake::brings_token(live, &submission))
}

/// The same form a moment before, which nobody looked for while the channel's file was broken.
pub(super) async fn twin_problem(
    store: &Store,
    order: &OrderDetail,
    channel: &Channel,
) -> Result<Option<Problem>, StoreError> {
    let is_form = order.door == "in" && (!order.content_type.contains("json") || channel.preset.is_some());
    if !is_form || channel.on_repeat == OnRepeat::Off {
        return Ok(None);
    }
    let effect = if channel.on_repeat == OnRepeat::Hold { Effect::Hold } else { Effect::Warn };
    let twin = store.earlier_twin(order.summary.seq).await?;
    Ok(twin.map(|id| {
        let message = format!("the same form came within 10 minutes, as the order {id}");
        let hint = "Release it if the buyer meant both; cancel it if it was a double click.";
        Problem::new("", Code::SuspectedDuplicate, effect, message, hint)
    }))
}
