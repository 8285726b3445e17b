//! Who may post to a channel.

use http::HeaderMap;
use http::header::{AUTHORIZATION, ORIGIN};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::answer::Refusal;
use crate::config::LiveChannel;

/// What a sender may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Post.
    Open,
    /// Nothing without the channel's token.
    NeedsToken,
    /// Nothing with a token: the channel has none.
    HasNoToken,
    /// The page that posts is not one of the channel's.
    Foreign,
}

impl Entry {
    /// Who may not post is told so; a browser's person is not, and the order waits.
    pub(super) fn refuse(self, page: bool) -> Result<(), Refusal> {
        match self {
            Entry::NeedsToken => Err(Refusal::new(401, "this channel needs its token")),
            Entry::HasNoToken => {
                Err(Refusal::new(401, "this channel has no token (access.token): post to its address without one"))
            }
            Entry::Foreign if !page => Err(Refusal::new(403, "this page's origin is not one of the channel's")),
            Entry::Open | Entry::Foreign => Ok(()),
        }
    }
}

/// The bearer token of a request.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The origin that a browser names.
pub(super) fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(ORIGIN).and_then(|value| value.to_str().ok())
}

/// A hash by which a token can be compared later without being kept.
#[must_use]
pub fn token_hash(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in constant time: the hashes have one length, and tell nothing of how much of a guess was right.
pub(crate) fn is_token(live: &LiveChannel, given: &str) -> bool {
    let Some(token) = &live.secrets.token else {
        return false;
    };
    let (known, given) = (Sha256::digest(token.expose_secret().as_bytes()), Sha256::digest(given.as_bytes()));
    known.as_slice().ct_eq(given.as_slice()).into()
}

/// The rule: with a token set, it or a listed origin must be right; with origins alone, no browser on another site may post;
/// without both, everybody may. A channel that
/// could never be read keeps no rule: it takes all, and holds all.
pub(super) fn enter(live: &LiveChannel, headers: &HeaderMap, path_token: Option<&str>) -> Entry {
    let Some(channel) = &live.channel else {
        return Entry::Open;
    };
    let access = &channel.access;
    if let (Some(given), true) = (path_token.or_else(|| bearer(headers)), live.secrets.token.is_some()) {
        return if is_token(live, given) { Entry::Open } else { Entry::NeedsToken };
    }
    if path_token.is_some() {
        return Entry::HasNoToken;
    }
    match (origin(headers), access.origins.is_empty()) {
        (Some(origin), false) if allows(&access.origins, origin) => Entry::Open,
        (Some(_), false) => Entry::Foreign,
        _ if live.secrets.token.is_some() => Entry::NeedsToken,
        _ => Entry::Open,
    }
}

/// Whether an origin is one of the channel's.
pub(super) fn allows(origins: &[String], origin: &str) -> bool {
    origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
}
