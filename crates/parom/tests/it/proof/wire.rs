//! The wire between gateway and CRM, which can be cut at any byte, held, or made to carry another answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// It goes through.
    Pass,
    /// The CRM gets so many bytes of the request; then both sides find the connection closed.
    CutRequest(usize),
    /// The gateway gets this part of the answer, in thousandths.
    CutAnswer(usize),
    /// The CRM gets so many bytes of the request; then nothing moves any more.
    HoldRequest(usize),
    /// The gateway gets this part of the answer, in thousandths; then nothing moves any more.
    HoldAnswer(usize),
    /// The CRM takes the request, the gateway gets these bytes as an answer.
    Instead(Vec<u8>),
    /// The CRM hears nothing, the gateway gets these bytes as an answer.
    Refuse(Vec<u8>),
    /// One text in the place of another in the answer; of the same length.
    Replace(&'static str, &'static str),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// All of it.
    pub(crate) bytes: Vec<u8>,
    /// An order that is to be made.
    pub(crate) post: bool,
    /// The order's number, where one is in the body.
    pub(crate) number: String,
}

/// A running wire; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Wire {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Wire {
    /// Lies between the gateway and a CRM; `plan` says what becomes of each request.
    pub(crate) async fn lay(crm: SocketAddr, plan: impl Fn(&Heard) -> Plan + Send + Sync + 'static) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let plan = Arc::new(plan);
        let task = tokio::spawn(async move {
            loop {
                let Ok((gateway, _)) = listener.accept().await else { return };
                let plan = Arc::clone(&plan);
                tokio::spawn(async move {
                    // Whoever closes first ends the connection: that is what this wire is for.
                    let _ = carry(gateway, crm, |heard| plan(heard)).await;
                });
            }
        });
        Wire { addr, task }
    }

    /// The API's base on this side.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut gateway: TcpStream, crm: SocketAddr, plan: impl Fn(&Heard) -> Plan) -> io::Result<()> {
    let heard = hear(&mut gateway).await?;
    let plan = plan(&heard);
    if let Plan::Refuse(answer) = plan {
        gateway.write_all(&answer).await?;
        return gateway.shutdown().await;
    }
    let mut crm = TcpStream::connect(crm).await?;
    let whole = heard.bytes.len();
    let sent = match plan {
        Plan::CutRequest(bytes) | Plan::HoldRequest(bytes) => bytes.min(whole),
        _ => whole,
    };
    crm.write_all(&heard.bytes[..sent]).await?;
    match plan {
        Plan::CutRequest(_) => return Ok(()),
        Plan::HoldRequest(_) => std::future::pending().await,
        _ => {}
    }
    let mut answer = Vec::new();
    crm.read_to_end(&mut answer).await?;
    let part = |thousandths: usize| (answer.len() * thousandths).div_ceil(1_000).min(answer.len());
    match plan {
        Plan::CutAnswer(thousandths) => gateway.write_all(&answer[..part(thousandths)]).await?,
        Plan::HoldAnswer(thousandths) => {
            gateway.write_all(&answer[..part(thousandths)]).await?;
            std::future::pending::<()>().await;
        }
        Plan::Instead(other) => gateway.write_all(&other).await?,
        Plan::Replace(from, to) => {
            let text = String::from_utf8_lossy(&answer).replace(from, to);
            gateway.write_all(text.as_bytes()).await?;
        }
        _ => gateway.write_all(&answer).await?,
    }
    gateway.shutdown().await
}

/// Reads one request; each connection carries one, so that the end of an answer is the end of its connection.
async fn hear(gateway: &mut TcpStream) -> io::Result<Heard> {
    let mut bytes = Vec::new();
    let head = loop {
        if gateway.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while bytes.len() < head + 4 + length {
        if gateway.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let body: serde_json::Value = serde_json::from_slice(&bytes[head + 4..]).unwrap_or_default();
    let number = body["source_uuid"].as_str().unwrap_or_default().to_owned();
    bytes.splice(head..head, b"\r\nconnection: close".iter().copied());
    Ok(Heard { post: bytes.starts_with(b"POST /v1/order "), number, bytes })
}
