//! Reading a body within its limits: size, time and speed.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt;
use parom_core::limits;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answer::Refusal;
use crate::clock;

/// The whole body.
const WHOLE: Duration = Duration::from_secs(15);
/// From then on a sender must keep the least speed.
const GRACE_MS: u64 = 5_000;
/// Bytes a second.
const LEAST_SPEED: u64 = 500;

/// Of each body so much is free; what is more is taken from all large bodies' budget.
const SMALL: usize = 64 * 1024;
/// KiB of all large bodies that are held at once: four thousand connections with a megabyte each would be four gigabytes.
const LARGE_KIB: usize = 32 * 1024;
static LARGE: Semaphore = Semaphore::const_new(LARGE_KIB);

/// A body, and its share of the budget.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    _share: Option<SemaphorePermit<'static>>,
}

/// The body's bytes.
///
/// A sender that is still writing when its connection closes reads "broken pipe" in place of the answer. So what is
/// over the limit is read to its end and thrown away, unless it is far over, or the sender asked first (`Expect`).
///
/// # Errors
/// 413 for a large one, 408 for a slow one, 400 for one that breaks off, 415 for a packed one, 503 while too many large ones
/// are on their way.
pub(super) async fn read(body: Body, headers: &HeaderMap) -> Result<Whole, Refusal> {
    if let Some(packed) = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).filter(is_packed) {
        let message = format!("a body packed with {packed:?} is not taken; send it as it is");
        return Err(Refusal::new(415, message).closing());
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let most = if headers.contains_key(EXPECT) { limits::BODY_BYTES } else { limits::BODY_DRAIN_BYTES };
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(WHOLE, pieces(body)).await {
        Ok(read) => read,
        Err(_) => Err(too_slow()),
    }
}

/// Some senders write their character set there, which packs nothing.
fn is_packed(encoding: &&str) -> bool {
    ["gzip", "deflate", "br", "zstd", "compress"].iter().any(|packer| encoding.to_ascii_lowercase().contains(packer))
}

/// Takes what a body needs of the budget; no more than it has already, mostly.
fn share(share: &mut Option<SemaphorePermit<'static>>, bytes: usize) -> Result<(), Refusal> {
    let needed = bytes.saturating_sub(SMALL).div_ceil(1_024);
    let more = needed.saturating_sub(share.as_ref().map_or(0, SemaphorePermit::num_permits));
    if more == 0 {
        return Ok(());
    }
    let full = || Refusal::unavailable("too many large orders come at once; send it again").closing();
    let taken = LARGE.try_acquire_many(u32::try_from(more).map_err(|_| full())?).map_err(|_| full())?;
    match share {
        Some(share) => share.merge(taken),
        None => *share = Some(taken),
    }
    Ok(())
}

async fn pieces(mut body: Body) -> Result<Whole, Refusal> {
    let mut held = None;
    let started = clock::mono();
    let mut whole = BytesMut::new();
    let mut came = 0;
    loop {
        // The next piece is waited for as long as what has come keeps the least speed.
        let until = started.after(GRACE_MS + came as u64 * 1_000 / LEAST_SPEED);
        let wait = Duration::from_millis(until.since(clock::mono()));
        let frame = match tokio::time::timeout(wait, body.frame()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) if came > limits::BODY_BYTES => return Err(too_large()),
            Ok(None) => return Ok(Whole { bytes: whole.freeze(), _share: held }),
            Ok(Some(Err(_))) => return Err(Refusal::new(400, "the body broke off before its end")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        came += piece.len();
        if came > limits::BODY_DRAIN_BYTES {
            return Err(too_large());
        }
        if came > limits::BODY_BYTES {
            whole = BytesMut::new();
            held = None;
        } else {
            share(&mut held, came)?;
            whole.extend_from_slice(&piece);
        }
    }
}

fn too_large() -> Refusal {
    Refusal::new(413, format!("the body is larger than {} bytes; send the order without files", limits::BODY_BYTES))
}

fn too_slow() -> Refusal {
    Refusal::new(408, "the body came too slowly; send it again").closing()
}
