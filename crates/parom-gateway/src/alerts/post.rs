//! Messages by HTTP: a Telegram bot, and an address that is posted to.

use parom_core::presets;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::clock;
use crate::config::{Telegram, Webhook};
use crate::reach::{Reach, words};
use crate::store::DueAlert;

// A client of its own each time: messages are rare, and nothing of one is to be in another.

pub(super) async fn telegram(
    settings: &Telegram,
    reach: &Reach,
    token: &SecretString,
    text: &str,
) -> Result<(), String> {
    let address = format!("{}/bot{}/sendMessage", settings.url, token.expose_secret());
    let body = json!({ "chat_id": settings.chat, "text": text, "disable_web_page_preview": true }).to_string();
    let request = reach.client()?.post(&address)?.header("content-type", "application/json").body(body);
    answered(request).await
}

pub(super) async fn webhook(
    settings: &Webhook,
    reach: &Reach,
    secret: &SecretString,
    alert: &DueAlert,
) -> Result<(), String> {
    let signing = presets::named("standardwebhooks").and_then(|preset| preset.signing.as_ref());
    let signing = signing.ok_or("no signature")?;
    let (id, now) = (format!("alert_{}", alert.id), clock::now());
    let body =
        json!({ "type": "parom.alert", "timestamp": now.to_string(), "data": { "text": alert.text } }).to_string();
    let stamp = now.as_second().to_string();
    let signature = signing.sign(secret.expose_secret(), &format!("{id}.{stamp}."), body.as_bytes());
    let request = reach
        .client()?
        .post(&settings.url)?
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", stamp)
        .header("webhook-signature", signature)
        .body(body);
    answered(request).await
}

/// The answer's body is not read: what it says is nothing that we act upon. Addresses may hold a token and are not named.
async fn answered(request: reqwest::RequestBuilder) -> Result<(), String> {
    let response = request.send().await.map_err(words)?;
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(format!("the answer was {status}")) }
}
