//! Slow senders: a body that does not come, and an answer that is not read.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::places::Place;

/// A body, whoever reads it. Intake's own limits are narrower, and answer in words.
const WHOLE_BODY: Duration = Duration::from_secs(20);
/// How long a piece of an answer may wait for its reader …
const PIECE: Duration = Duration::from_secs(10);
/// … unless it reads so many bytes meanwhile: 500 a second.
const PIECE_BYTES: usize = 5_000;

/// A request's body that ends in an error when it does not come in time. While it comes, its connection is one of those that
/// wait for their sender.
pub(super) struct Coming {
    body: Incoming,
    place: Arc<Place>,
    limit: Option<Pin<Box<Sleep>>>,
}

impl Coming {
    pub(super) fn new(body: Incoming, place: Arc<Place>) -> Coming {
        if body.is_end_stream() {
            place.work();
        }
        Coming { body, place, limit: None }
    }
}

impl Body for Coming {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            if frame.is_none() || this.body.is_end_stream() {
                this.place.work();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let limit = this.limit.get_or_insert_with(|| Box::pin(sleep(WHOLE_BODY)));
        ready!(limit.as_mut().poll(cx));
        Poll::Ready(Some(Err("the body came too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that ends when its answer is not read.
#[derive(Debug)]
pub(super) struct Answered {
    stream: TcpStream,
    read: usize,
    limit: Option<Pin<Box<Sleep>>>,
}

impl Answered {
    pub(super) fn new(stream: TcpStream) -> Answered {
        Answered { stream, read: 0, limit: None }
    }

    /// The time runs while something waits to be read, and begins anew with each piece.
    fn watch(
        &mut self,
        cx: &mut Context<'_>,
        piece: usize,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(read)) if read >= piece => self.limit = None,
            Poll::Ready(Ok(read)) => self.read += read,
            Poll::Ready(Err(_)) => {}
            Poll::Pending => loop {
                let read = &mut self.read;
                let limit = self.limit.get_or_insert_with(|| {
                    *read = 0;
                    Box::pin(sleep(PIECE))
                });
                ready!(limit.as_mut().poll(cx));
                if self.read < PIECE_BYTES {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                self.limit = None;
            },
        }
        polled
    }
}

impl AsyncWrite for Answered {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, piece: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, piece);
        this.watch(cx, piece.len(), polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.watch(cx, pieces.iter().map(|piece| piece.len()).sum(), polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Answered {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, into)
    }
}
