//! Signatures of senders, over the bytes as they came.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::limits;
use crate::submission::lookup;

/// How a sender signs with HMAC-SHA256.
#[derive(Debug)]
pub struct Signing {
    /// The header of the signature.
    pub header: &'static str,
    /// What stands before it there: `sha256=`.
    pub prefix: &'static str,
    /// How it is written.
    pub encoding: Encoding,
    /// What is signed.
    pub scheme: Scheme,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug)]
pub enum Encoding {
    /// Base64 with padding.
    Base64,
    /// Hexadecimal.
    Hex,
}

/// What is signed.
#[derive(Debug)]
pub enum Scheme {
    /// The body.
    Body,
    /// A time, a separator, the body.
    Stamped {
        /// The time's header.
        header: &'static str,
        /// Between time and body.
        separator: &'static str,
        /// The time's unit.
        unit: Unit,
    },
    /// `webhook-id.webhook-timestamp.body`, several signatures in one header, the secret in base64 after `whsec_`.
    StandardWebhooks,
}

/// A unit of time.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

/// Why a request is not its sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// A header of the signature is not there.
    Missing(&'static str),
    /// The signature is another one.
    Wrong,
    /// It was signed too long ago, or in the future.
    Old,
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsigned::Missing(header) => write!(f, "the request is not signed: it has no header {header}"),
            Unsigned::Wrong => f.write_str("the signature is wrong: the sender's secret and the channel's differ"),
            Unsigned::Old => {
                let minutes = limits::SIGNATURE_AGE_S / 60;
                write!(f, "the request was signed more than {minutes} minutes from now; send it again")
            }
        }
    }
}

impl Signing {
    /// Whether one of the secrets signed the body.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify(
        &self,
        secrets: &[&str],
        headers: &[(String, String)],
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Unsigned> {
        let get = |name: &'static str| lookup(headers, name).ok_or(Unsigned::Missing(name));
        let given = get(self.header)?;
        let (before, stamp) = match &self.scheme {
            Scheme::Body => (String::new(), None),
            Scheme::Stamped { header, separator, unit } => {
                let stamp = get(header)?;
                (format!("{stamp}{separator}"), Some(unit.read(stamp)))
            }
            Scheme::StandardWebhooks => {
                let (id, stamp) = (get("webhook-id")?, get("webhook-timestamp")?);
                (format!("{id}.{stamp}."), Some(Unit::Seconds.read(stamp)))
            }
        };
        let signatures: Vec<Vec<u8>> = given
            .split(' ')
            .filter_map(|one| self.decode(one.trim().strip_prefix(self.prefix)?))
            .take(limits::SIGNATURES)
            .collect();
        let right = secrets.iter().any(|secret| self.matches(secret, before.as_bytes(), body, &signatures));
        if !right {
            return Err(Unsigned::Wrong);
        }
        match stamp {
            None => Ok(()),
            Some(Some(at)) if now.duration_since(at).abs().as_secs() <= limits::SIGNATURE_AGE_S => Ok(()),
            Some(_) => Err(Unsigned::Old),
        }
    }

    /// The header's text for a body, as the sender would write it; for senders of our own and for tests.
    #[must_use]
    pub fn sign(&self, secret: &str, before: &str, body: &[u8]) -> String {
        let key = self.keys(secret).into_iter().next().unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
            return String::new();
        };
        mac.update(before.as_bytes());
        mac.update(body);
        let sum = mac.finalize().into_bytes();
        let text = match self.encoding {
            Encoding::Base64 => STANDARD.encode(sum),
            Encoding::Hex => sum.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        format!("{}{text}", self.prefix)
    }

    fn matches(&self, secret: &str, before: &[u8], body: &[u8], signatures: &[Vec<u8>]) -> bool {
        self.keys(secret).iter().any(|key| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
                return false;
            };
            mac.update(before);
            mac.update(body);
            // Each compares in constant time.
            signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        })
    }

    /// The key of a secret. Standard Webhooks write it as base64 behind `whsec_`; without that it may be either.
    fn keys(&self, secret: &str) -> Vec<Vec<u8>> {
        let bytes = secret.as_bytes().to_vec();
        match (&self.scheme, secret.strip_prefix("whsec_")) {
            (Scheme::StandardWebhooks, Some(coded)) => {
                STANDARD.decode(coded).into_iter().filter(|key| !key.is_empty()).collect()
            }
            (Scheme::StandardWebhooks, None) => STANDARD.decode(secret).into_iter().chain([bytes]).collect(),
            _ => vec![bytes],
        }
    }

    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Base64 => STANDARD.decode(text).ok(),
            Encoding::Hex => {
                let digits = text.as_bytes();
                let pairs = digits.chunks_exact(2);
                let whole = pairs.remainder().is_empty();
                let byte = |pair: &[u8]| {
                    let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
                    u8::from_str_radix(digits, 16).ok()
                };
                let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
                bytes.filter(|_| whole)
            }
        }
    }
}

impl Unit {
    /// A time as the sender writes it.
    #[must_use]
    pub fn write(self, at: Timestamp) -> String {
        match self {
            Unit::Seconds => at.as_second().to_string(),
            Unit::Millis => at.as_millisecond().to_string(),
        }
    }

    fn read(self, stamp: &str) -> Option<Timestamp> {
        let number: i64 = stamp.trim().parse().ok()?;
        match self {
            Unit::Seconds => Timestamp::from_second(number).ok(),
            Unit::Millis => Timestamp::from_millisecond(number).ok(),
        }
    }
}
