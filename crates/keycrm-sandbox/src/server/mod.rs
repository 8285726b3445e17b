//! The HTTP server: an own accept loop, so that a handler can close its connection without an answer.

mod routes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::crm::Crm;

/// How long answers under way may take after a stop.
const STOP_GRACE: Duration = Duration::from_millis(500);
/// A pause after a failed accept, which is what running out of descriptors looks like.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// As an extension of a response: close the connection instead of sending it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropConnection;

/// The address of the client, an extension of every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Serves until the stop.
pub(crate) async fn run(listener: TcpListener, crm: Arc<Crm>) {
    let router = routes::router(Arc::clone(&crm));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = crm.stopped() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(stream, peer, router.clone(), Arc::clone(&crm)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    // Connections that are not done by then are closed by dropping the set.
    let _ = tokio::time::timeout(STOP_GRACE, finished).await;
}

async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, crm: Arc<Crm>) {
    // A socket that refuses this is gone already, and the first read will say so.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answer = router.call(request);
        async move { answered_or_dropped(answer.await) }
    });
    // Idle connections stay open: a client that reuses one must not race with our closing it.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // An error here is a client that left, or a drop that a fault asked for.
        _ = connection.as_mut() => return,
        () = crm.stopped() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

fn answered_or_dropped<E>(answer: Result<Response<Body>, E>) -> io::Result<Response<Body>> {
    let response = answer.map_err(|_| io::Error::other("the router failed"))?;
    if response.extensions().get::<DropConnection>().is_some() {
        return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "dropped by a fault"));
    }
    Ok(response)
}
