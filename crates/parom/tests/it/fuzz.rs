//! The fuzz targets of the gateway and of files, as tests; and raw requests to the running binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::proof::mutate;
use super::proof::rows::{Dice, row, runs, seed};
use super::world::{SHOP, Settings, World, form};

#[path = "../../src/cli/import/files/mod.rs"]
mod files;
#[path = "../../../../fuzz/src/of_gateway.rs"]
mod targets;

macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test] fn $name() {
            let (name, target) = targets::TARGETS.iter().find(|(name, _)| *name == stringify!($name)).unwrap();
            mutate::fuzz(name, *target);
        })*

        #[test]
        fn every_target_is_a_test() {
            let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets!(multipart, sniff, csv, xlsx, ndjson);

/// Requests with cookies, hosts, forwarded addresses and languages, as nobody sends them.
fn requests() -> Vec<Vec<u8>> {
    let host = "Host: shop.example.ua\r\nX-Forwarded-For: 203.0.113.5, 10.0.0.1\r\nAccept-Language: uk-UA,uk;q=0.9,en\r\n\
                Cookie: lang=uk; sid=abc; TILDAUTM=utm_source%3Dig%7C%7C%7Cutm_medium%3Dcpc\r\nConnection: close\r\n";
    let body = form("Olena");
    let post = |path: &str, more: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\n{host}Content-Type: application/x-www-form-urlencoded\r\n{more}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let get =
        |path: &str| format!("GET {path} HTTP/1.1\r\n{host}Accept: text/html\r\nReferer: https://a.ua/?b=c\r\n\r\n");
    [
        post(
            "/in/shop?utm_source=ig&page=https%3A%2F%2Fa.ua",
            "Accept: text/html\r\nOrigin: https://shop.example.ua\r\n",
        ),
        post("/in/shop/token", "Authorization: Bearer x\r\nIdempotency-Key: k-1\r\nReferer: https://a.ua/%D0%B0\r\n"),
        post("/v1/order", "Authorization: Bearer right-token\r\nExpect: 100-continue\r\n"),
        post("/login", "Origin: http://shop.example.ua\r\nSec-Fetch-Site: same-origin\r\n"),
        get("/"),
        get("/orders?state=held&channel=shop&q=067&page=2"),
        get("/form-time/shop"),
        get("/api/v1/orders?limit=5&before=x"),
        get("/assets/%2e%2e/%2e%2e/etc/passwd"),
        format!(
            "OPTIONS /in/shop HTTP/1.1\r\n{host}Origin: https://a.ua\r\nAccess-Control-Request-Method: POST\r\n\r\n"
        ),
        format!("POST /in/shop HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n5\r\na=b&c\r\n0\r\n\r\n"),
    ]
    .map(String::into_bytes)
    .into()
}

fn mutated(dice: &mut Dice, all: &[Vec<u8>]) -> Vec<u8> {
    let index = |dice: &mut Dice, end: usize| usize::try_from(dice.below(u64::try_from(end).unwrap())).unwrap();
    let mut input = all[index(dice, all.len())].clone();
    for _ in 0..1 + dice.below(4) {
        let at = index(dice, input.len());
        match dice.below(5) {
            0 => input[at] = u8::try_from(dice.below(256)).unwrap(),
            1 => input.truncate(at + 1),
            2 => {
                let piece = input[at..(at + 20).min(input.len())].repeat(1 + index(dice, 40));
                input.splice(at..at, piece);
            }
            3 => {
                let other = &all[index(dice, all.len())];
                let from = index(dice, other.len());
                input.splice(at.., other[from..].to_vec());
            }
            _ => {
                let token: &[u8] = [&b"\0"[..], b"\xff", b";", b"=", b",", b"[::1]", b"%", b"\r\n", b":", b"\xd0\xb0"]
                    [index(dice, 10)];
                input.splice(at..at, token.to_vec());
            }
        }
    }
    input
}

/// The answer's status; none for a closed connection.
fn sent(port: u16, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let _ = stream.write_all(request);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer[9..]).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_any_bytes_get_an_answer_and_harm_nobody() {
    let mut world = World::idle(Settings { top: "trusted_proxies = [\"127.0.0.1\"]", ..Settings::default() }).await;
    world.channel("shop", &format!("{SHOP}[spam]\nhoneypot = \"website\"\nmin = \"1ms\"\nper_address = \"5/1m\"\n"));
    world.serve(&[]);
    let (seed, all, begun) = (seed(), requests(), Instant::now());
    let (mut dice, mut count, mut answered) = (Dice(seed), 0, 0);
    let seconds = u64::try_from(runs(6)).unwrap();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let request = if count < all.len() { all[count].clone() } else { mutated(&mut dice, &all) };
        let status = sent(world.port(), &request);
        count += 1;
        answered += usize::from(status.is_some());
        assert!(status.is_none_or(|status| status < 500), "seed {seed}: {status:?} to \"{}\"", request.escape_ascii());
    }
    assert!(!world.log().contains("panicked"), "seed {seed}: {}", world.log());
    assert_eq!(world.post("/in/shop", &form("After")).await.status, 202);
    row("T26", "fuzz: requests", count, Some(seed), &format!("0 panics, 0 x 5xx, {answered} answered"));
}
