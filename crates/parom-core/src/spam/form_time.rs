//! The signed time at which a form was opened, with a nonce that is good for one order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::FormTime;

/// The field of a form that carries it.
pub const FIELD: &str = "parom_time";
/// Bytes of the key that signs.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 16;

const TIME_BYTES: usize = 8;
/// Half of the hash: nobody guesses 128 bits, and a form's field stays short.
const SIGNATURE_BYTES: usize = 16;
const SIGNED_BYTES: usize = TIME_BYTES + NONCE_BYTES;

/// A form time that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What makes it good for one order.
    pub nonce: [u8; NONCE_BYTES],
    /// From then on it is too old, so that its nonce need not be remembered: milliseconds.
    pub until: i64,
}

/// Why a form time is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The form has none.
    Missing,
    /// It is none of ours, or another channel's.
    Wrong,
    /// The form was sent sooner than a person can fill it in.
    Quick,
    /// The form stood open for too long.
    Old,
}

impl Doubt {
    /// What is wrong, in a sentence.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Doubt::Missing => "the form came without its form time, which the page's script puts into it",
            Doubt::Wrong => "the form time is none that this channel gave out",
            Doubt::Quick => "the form was sent sooner after it was opened than a person fills it in",
            Doubt::Old => "the form was sent later after it was opened than the channel allows",
        }
    }
}

/// A form time for a form that is opened now.
#[must_use]
pub fn issue(key: &[u8; KEY_BYTES], channel: &str, now: Timestamp, nonce: [u8; NONCE_BYTES]) -> String {
    let mut bytes = Vec::with_capacity(SIGNED_BYTES + SIGNATURE_BYTES);
    bytes.extend_from_slice(&now.as_millisecond().to_be_bytes());
    bytes.extend_from_slice(&nonce);
    if let Some(mac) = mac(key, channel, &bytes) {
        bytes.extend_from_slice(&mac.finalize().into_bytes()[..SIGNATURE_BYTES]);
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Looks at the form time of a form that came now. Whether its nonce was used already, the store knows.
///
/// # Errors
/// Why it is not believed.
pub fn judge(key: &[u8; KEY_BYTES], channel: &str, text: &str, rule: FormTime, now: Timestamp) -> Result<Stamp, Doubt> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Doubt::Missing);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Doubt::Wrong)?;
    let (signed, signature) = bytes.split_at_checked(SIGNED_BYTES).ok_or(Doubt::Wrong)?;
    if signature.len() != SIGNATURE_BYTES {
        return Err(Doubt::Wrong);
    }
    // Compared in constant time.
    mac(key, channel, signed).ok_or(Doubt::Wrong)?.verify_truncated_left(signature).map_err(|_| Doubt::Wrong)?;
    let (time, nonce) = signed.split_at_checked(TIME_BYTES).ok_or(Doubt::Wrong)?;
    let opened = i64::from_be_bytes(time.try_into().map_err(|_| Doubt::Wrong)?);
    let nonce = nonce.try_into().map_err(|_| Doubt::Wrong)?;
    let millis = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let age = now.as_millisecond().saturating_sub(opened);
    if age < millis(rule.min) {
        return Err(Doubt::Quick);
    }
    if age > millis(rule.max) {
        return Err(Doubt::Old);
    }
    Ok(Stamp { nonce, until: opened.saturating_add(millis(rule.max)) })
}

fn mac(key: &[u8; KEY_BYTES], channel: &str, signed: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in [b"form time".as_slice(), &[0], channel.as_bytes(), &[0], signed] {
        mac.update(part);
    }
    Some(mac)
}
