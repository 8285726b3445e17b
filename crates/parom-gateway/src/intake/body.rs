//! Reading a body within its limits: size, time and speed.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
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
/// # Errors
/// 413 for a large one, 408 for a slow one, 400 for one that breaks off.
pub(super) async fn read(body: Body, announced: Option<u64>) -> Result<Bytes, Refusal> {
    let max = u64::try_from(limits::BODY_BYTES).unwrap_or(u64::MAX);
    if announced.is_some_and(|length| length > max) {
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
    loop {
        let frame = match tokio::time::timeout(PIECE, body.frame()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(Err(_))) => return Err(Refusal::new(400, "the body broke off before its end")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if whole.len() + piece.len() > limits::BODY_BYTES {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
        let elapsed = clock::mono().since(started);
        let expected = elapsed.saturating_sub(GRACE_MS) * LEAST_SPEED / 1_000;
        if u64::try_from(whole.len()).unwrap_or(u64::MAX) < expected {
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
