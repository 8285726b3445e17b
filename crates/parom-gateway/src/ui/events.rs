//! Server-sent events: that something in the store changed. The page then asks for itself again.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Ui;

/// How often the store is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A line goes at least so often, or something between would think that nobody is there.
const ALIVE: u32 = 15;
/// Pages that listen at once; the others are still right when they are loaded.
const LISTENERS: usize = 256;
/// A page asks again after so many seconds: a session that ended must not listen for ever.
const LONGEST: u32 = 600;

static PLACES: Semaphore = Semaphore::const_new(LISTENERS);

/// The version of the store that the page was made from.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Known {
    seen: Option<i64>,
}

pub(super) async fn listen(State(ui): State<Ui>, Query(known): Query<Known>) -> Response {
    let Ok(place) = PLACES.try_acquire() else {
        return (http::StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "60")]).into_response();
    };
    let store = ui.intake.store.clone();
    let first = match known.seen {
        Some(seen) => seen,
        None => store.version().await.unwrap_or_default(),
    };
    let lines = futures_util::stream::unfold(
        (store, ui.stopping, first, 0_u32, place),
        |(store, mut stop, mut seen, mut age, place)| async move {
            let mut quiet = 0;
            loop {
                if age >= LONGEST {
                    return None;
                }
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = stop.wait_for(|stop| *stop) => return None,
                }
                (age, quiet) = (age + 1, quiet + 1);
                let now = store.version().await.ok()?;
                let line = if now != seen { "event: changed\ndata: 1\n\n" } else { ": here\n\n" };
                if now != seen || quiet >= ALIVE {
                    seen = now;
                    let frame = Ok::<_, Infallible>(Frame::data(Bytes::from_static(line.as_bytes())));
                    return Some((frame, (store, stop, seen, age, place)));
                }
            }
        },
    );
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, Body::new(StreamBody::new(lines))).into_response()
}
