//! Bodies that a healthy server does not send.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

/// Time for the first half to leave before the connection breaks.
const TEAR_AFTER: Duration = Duration::from_millis(20);
const DRIP_EVERY: Duration = Duration::from_secs(1);

/// Sends pieces with a pause after each; a torn body breaks off after its last piece.
#[derive(Debug)]
pub(super) struct OddBody {
    rest: Bytes,
    piece: usize,
    pause: Duration,
    torn: bool,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl OddBody {
    /// The first half of the text, then an error.
    pub(super) fn torn(text: &str) -> Self {
        let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
        Self { piece: half.len().max(1), rest: half, pause: TEAR_AFTER, torn: true, waiting: None }
    }

    /// One byte a second.
    pub(super) fn dripping(text: String) -> Self {
        Self { rest: Bytes::from(text), piece: 1, pause: DRIP_EVERY, torn: false, waiting: None }
    }
}

impl hyper::body::Body for OddBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let body = self.get_mut();
        if let Some(waiting) = &mut body.waiting {
            if waiting.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            body.waiting = None;
        }
        if body.rest.is_empty() {
            let torn = io::Error::new(io::ErrorKind::ConnectionAborted, "torn by a fault");
            return Poll::Ready(body.torn.then_some(Err(torn)));
        }
        let piece = body.rest.split_to(body.piece.min(body.rest.len()));
        body.waiting = Some(Box::pin(sleep(body.pause)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
