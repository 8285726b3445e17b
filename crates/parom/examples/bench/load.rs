//! The load: keep-alive connections that post forms of about 1 KB, each with its own content.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What one round saw.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) answered: usize,
    pub(crate) seconds: f64,
    pub(crate) micros: Vec<u64>,
}

impl Round {
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// Milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)] as f64 / 1_000.0
    }
}

/// Posts from so many connections for a time; every answer must be a success.
pub(crate) async fn run(port: u16, path: &'static str, connections: usize, time: Duration, first: usize) -> Round {
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|connection| {
            tokio::spawn(async move {
                let mut stream = connect(port).await;
                let mut micros = Vec::new();
                let mut number = first + connection * 10_000_000;
                while began.elapsed() < time {
                    let sent = Instant::now();
                    exchange(&mut stream, path, number).await;
                    micros.push(u64::try_from(sent.elapsed().as_micros()).unwrap());
                    number += 1;
                }
                micros
            })
        })
        .collect();
    let mut round = Round::default();
    for task in tasks {
        round.micros.extend(task.await.unwrap());
    }
    round.answered = round.micros.len();
    round.seconds = began.elapsed().as_secs_f64();
    round
}

/// One post on a connection of its own.
pub(crate) async fn one(port: u16, path: &'static str, number: usize) {
    exchange(&mut connect(port).await, path, number).await;
}

async fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn exchange(stream: &mut TcpStream, path: &str, number: usize) {
    let body = form(number);
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(512);
    loop {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the connection was closed");
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if rest.len() >= length.unwrap_or(0) {
                assert!(head.starts_with("HTTP/1.1 20") || head.starts_with("HTTP/1.1 30"), "{text}");
                return;
            }
        }
    }
}

/// The fields of the vendor's script, filled as buyers fill them: about 1 KB.
fn form(number: usize) -> String {
    format!(
        "name=%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0+{number}&email=olena{number}%40ukr.net&phone=067+111-22-33\
         &address_city=%D0%9A%D0%B8%D1%97%D0%B2&address_country=%D0%A3%D0%BA%D1%80%D0%B0%D1%97%D0%BD%D0%B0\
         &address_region=%D0%9A%D0%B8%D1%97%D0%B2%D1%81%D1%8C%D0%BA%D0%B0&address_zip=01001\
         &secondary_line=%D0%B2%D1%83%D0%BB.+%D0%A5%D1%80%D0%B5%D1%89%D0%B0%D1%82%D0%B8%D0%BA+1\
         &receive_poin=%D0%92%D1%96%D0%B4%D0%B4%D1%96%D0%BB%D0%B5%D0%BD%D0%BD%D1%8F+11\
         &recipient_full_name=&receive_phone=&warehouse_ref=&date=2026-12-01\
         &utm_source=instagram&utm_medium=cpc&utm_campaign=autumn&utm_term=&utm_content=a1\
         &product_name=%D0%93%D0%BE%D1%80%D0%BD%D1%8F%D1%82%D0%BA%D0%BE+350&product_sku=MUG-350\
         &product_price=1+249%2C50&quantity=1&color=Space+Gray&product_url=https%3A%2F%2Fshop.example.ua%2Fmug.jpg\
         &payment_method=Apple+Pay&amount=1+249%2C50&payment_status=not_paid&description=&payment_date=&value=gift\
         &comment=%D0%97%D0%B0%D1%82%D0%B5%D0%BB%D0%B5%D1%84%D0%BE%D0%BD%D1%83%D0%B9%D1%82%D0%B5"
    )
}
