//! A hand-written HTTP client: what it cannot read is a result, not a panic.

use std::net::SocketAddr;
use std::time::Duration;

use keycrm_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Enough for any answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Silence of this length is a hang, where one is expected.
pub(crate) const HANG: Duration = Duration::from_millis(300);

/// What came back.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Answer),
    /// The connection ended before a whole answer; the text is what had come.
    Dropped(String),
    /// The connection stayed open and silent.
    Hung,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(addr: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> Outcome {
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n{body}"
    );
    exchange(addr, &request, PATIENCE).await
}

async fn exchange(addr: SocketAddr, request: &str, patience: Duration) -> Outcome {
    let mut stream = TcpStream::connect(addr).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut bytes = Vec::new();
    match tokio::time::timeout(patience, stream.read_to_end(&mut bytes)).await {
        Err(_) => Outcome::Hung,
        Ok(_) => parse(&String::from_utf8_lossy(&bytes)),
    }
}

fn parse(text: &str) -> Outcome {
    let dropped = || Outcome::Dropped(text.to_owned());
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return dropped();
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let answer = Answer { status: status.expect("a status"), head: head.to_owned(), text: body.to_owned() };
    let wanted = answer.header("content-length").and_then(|length| length.parse().ok());
    if wanted.is_some_and(|wanted: usize| body.len() < wanted) {
        return dropped();
    }
    Outcome::Answer(answer)
}

pub(crate) const KEY: &str =
    "Authorization: Bearer key\r\nAccept: application/json\r\nContent-Type: application/json\r\n";

/// A post that is given up after a silence.
pub(crate) async fn post_within(sandbox: &Sandbox, body: &Value, patience: Duration) -> Outcome {
    let (addr, body) = (sandbox.addr(), body.to_string());
    let length = body.len();
    let request = format!(
        "POST /v1/order HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{KEY}\r\n{body}"
    );
    exchange(addr, &request, patience).await
}

pub(crate) async fn try_post(sandbox: &Sandbox, body: &Value) -> Outcome {
    post_within(sandbox, body, PATIENCE).await
}

pub(crate) async fn post(sandbox: &Sandbox, body: &Value) -> Answer {
    answered(try_post(sandbox, body).await)
}

pub(crate) async fn get(sandbox: &Sandbox, target: &str) -> Answer {
    answered(send(sandbox.addr(), "GET", target, KEY, "").await)
}

/// A request with a body, or without where it is null.
pub(crate) async fn call(sandbox: &Sandbox, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    answered(send(sandbox.addr(), method, target, KEY, &body).await)
}

pub(crate) fn answered(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Answer(answer) => answer,
        other => panic!("no answer: {other:?}"),
    }
}

pub(crate) async fn start(options: Options) -> Sandbox {
    Sandbox::start(options).await.expect("starts")
}

/// Without a rate limit, which most tests do not look at.
pub(crate) fn unlimited() -> Options {
    Options { requests_per_minute: 0, ..Options::default() }
}

/// The smallest order that the CRM takes.
pub(crate) fn order(number: &str) -> Value {
    json!({"source_id": 22, "source_uuid": number, "buyer": {"full_name": "John Doe"}})
}
