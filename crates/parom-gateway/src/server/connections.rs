//! Connections: how many, and how long a sender may take to say what it wants.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use super::places::Places;
use super::slow::{Answered, Coming};

/// From the first byte of a request to the end of its headers; it also ends idle connections.
const HEADERS: Duration = Duration::from_secs(10);
/// Bytes of a request's headers.
const HEADER_BYTES: usize = 16 * 1024;
/// Header lines.
const HEADER_LINES: usize = 64;
/// How long requests under way may take when the process stops.
const GRACE: Duration = Duration::from_secs(20);
/// Connections that the system holds until they are taken: a flood of new ones must not cost an honest sender the second
/// after which it knocks again.
const BACKLOG: u32 = 4_096;
/// Of an answer that nobody reads, what the system holds for one connection: left to itself, it grows to megabytes.
const SEND_BUFFER: u32 = 128 * 1024;
/// Rest after a failed accept: out of descriptors, most likely.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Listens; connections have the listener's settings.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait until the last connections are forgotten.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

pub(super) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Places::new();
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        let place = tokio::select! {
            place = places.take() => place,
            () = stopped(&mut stop) => break,
        };
        let _ = stream.set_nodelay(true);
        place.wait();
        let waiting = Arc::clone(&place);
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let place = Arc::clone(&waiting);
            let answer = routes.call(request.map(|body| Coming::new(body, Arc::clone(&place))));
            async move {
                let answer = answer.await;
                place.wait();
                answer
            }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADER_LINES);
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(Answered::new(stream)), service));
        tokio::spawn(async move {
            // A sender that goes away is no failure of ours.
            tokio::select! {
                _ = connection => {}
                () = place.ended() => {}
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}
