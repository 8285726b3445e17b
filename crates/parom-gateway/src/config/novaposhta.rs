//! Nova Poshta's directory: whether it is kept, and by whose key.

use std::time::Duration;

use parom_core::channel::{SecretRef, parse_duration};
use serde::Deserialize;

use super::file::{RawSecret, https_or_loopback, secret};

/// The carrier's one address.
const URL: &str = "https://api.novaposhta.ua/v2.0/json/";
/// The vendor asks for a copy that is refreshed daily.
const EVERY: Duration = Duration::from_secs(24 * 3_600);
/// More often is no use to anybody, and loads the carrier.
const SOONEST: Duration = Duration::from_secs(3_600);

/// `[novaposhta]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNovaPoshta {
    api_key: RawSecret,
    url: Option<String>,
    refresh: Option<String>,
}

/// Where the directory comes from.
#[derive(Clone, Debug)]
pub struct NovaPoshta {
    /// The operator's key, by reference.
    pub api_key: SecretRef,
    /// The address.
    pub url: String,
    /// How old the directory may be.
    pub refresh: Duration,
}

pub(super) fn check(raw: RawNovaPoshta) -> Result<NovaPoshta, String> {
    let url = raw.url.unwrap_or_else(|| URL.to_owned());
    https_or_loopback(&url).map_err(|error| format!("novaposhta.url: {error}"))?;
    let refresh = match &raw.refresh {
        None => EVERY,
        Some(text) => parse_duration(text)
            .filter(|every| *every >= SOONEST)
            .ok_or_else(|| format!("novaposhta.refresh: `{text}` is not taken; write 24h, or 1h at least"))?,
    };
    let api_key = secret("novaposhta.api_key", raw.api_key)?;
    Ok(NovaPoshta { api_key, url, refresh })
}
