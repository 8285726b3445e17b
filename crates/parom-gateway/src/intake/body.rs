//! Reading a body within its limits: size, time and speed.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt;
use parom_core::limits;

use super::answer::Refusal;
use crate::clock;

/// The whole body.
const WHOLE: Duration = Duration::from_secs(15);
/// From then on a sender must keep the least speed.
const GRACE_MS: u64 = 5_000;
/// Bytes a second.
const LEAST_SPEED: u64 = 500;
/// Between two pieces.
const PIECE: Duration = Duration::from_secs(5);

/// The body's bytes.
///
/// A sender that is still writing when its connection closes reads "broken pipe" in place of the answer. So what is
/// over the limit is read to its end and thrown away, unless it is far over, or the sender asked first (`Expect`).
///
/// # Errors
/// 413 for a large one, 408 for a slow one, 400 for one that breaks off.
pub(super) async fn read(body: Body, headers: &HeaderMap) -> Result<Bytes, Refusal> {
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

async fn pieces(mut body: Body) -> Result<Bytes, Refusal> {
    let started = clock::mono();
    let mut whole = BytesMut::new();
    let mut came = 0;
    loop {
        let frame = match tokio::time::timeout(PIECE, body.frame()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) if came > limits::BODY_BYTES => return Err(too_large()),
            Ok(None) => return Ok(whole.freeze()),
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
        } else {
            whole.extend_from_slice(&piece);
        }
        let elapsed = clock::mono().since(started);
        let expected = elapsed.saturating_sub(GRACE_MS) * LEAST_SPEED / 1_000;
        if u64::try_from(came).unwrap_or(u64::MAX) < expected {
            return Err(too_slow());
        }
    }
}

fn too_large() -> Refusal {
    Refusal::new(413, format!("the body is larger than {} bytes; send the order without files", limits::BODY_BYTES))
}

fn too_slow() -> Refusal {
    Refusal::new(408, "the body came too slowly; send it again").closing()
}
