//! The security bar over HTTP: by which names, with which headers, within which limits, and by which addresses.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::proof::rows;
use super::world::{SHOP, Settings, World, form};

/// A request as its bytes stand, and the status and text of the answer.
fn raw(world: &World, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port())).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default();
    (status, answer)
}

async fn named(top: &'static str) -> World {
    let mut world = World::idle(Settings { top, ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world
}

/// A name that somebody points at this machine opens neither the pages nor the API, and shops may point theirs at intake.
#[tokio::test(flavor = "multi_thread")]
async fn pages_and_api_answer_to_their_own_names_alone() {
    let world = named("public_url = \"https://Orders.example.ua/\"\nhosts = [\"gate.lan\", \"192.168.7.7\"]").await;
    let private = ["/", "/login", "/orders", "/metrics", "/api/openapi.json", "/api/v1/orders", "/assets/ui.css"];
    let ours = [
        "orders.example.ua",
        "ORDERS.EXAMPLE.UA:443",
        "gate.lan:8080",
        "192.168.7.7",
        "localhost",
        "127.0.0.1",
        "[::1]:8080",
    ];
    let foreign = [
        "evil.example",
        "orders.example.ua.evil.example",
        "xorders.example.ua",
        "10.0.0.1",
        "0x7f.1",
        "localhost.evil.example",
    ];
    let mut tried = 0;
    for path in private {
        for host in ours {
            let answer = world.call("GET", path, &[("host", host)], "").await;
            assert_ne!(answer.status, 421, "{path} as {host}");
            tried += 1;
        }
        for host in foreign {
            let answer = world.call("GET", path, &[("host", host)], "").await;
            assert_eq!(answer.status, 421, "{path} as {host}");
            assert!(answer.text.contains("hosts in parom.toml") && !answer.text.contains("evil"), "{}", answer.text);
            tried += 1;
        }
    }
    for request in [
        "GET /login HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /login HTTP/1.0\r\n\r\n",
        "GET /login HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        "GET http://evil.example/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET http://localhost/login HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    ] {
        let (status, answer) = raw(&world, request);
        assert!(matches!(status, 400 | 421), "{request}: {answer}");
        tried += 1;
    }
    for host in ours.iter().chain(&foreign) {
        let headers = [("host", *host), ("x-forwarded-host", "evil.example")];
        let kind = "application/x-www-form-urlencoded";
        assert_eq!(world.send("/in/shop", kind, form("A").into(), &headers).await.status, 202, "{host}");
        for path in ["/healthz", "/readyz", "/assets/parom.js"] {
            assert_eq!(world.call("GET", path, &[("host", host)], "").await.status, 200, "{path} as {host}");
        }
    }
    for (setting, why) in [
        ("hosts = [\"https://gate.lan\"]", "hosts"),
        ("hosts = [\"gate.lan:8080\"]", "hosts"),
        ("hosts = [\"\"]", "hosts"),
        ("public_url = \"orders.example.ua\"", "public_url"),
    ] {
        let wrong = World::idle(Settings { top: setting, ..Settings::default() }).await;
        let checked = wrong.cli(&["check", "--offline"]);
        assert!(checked.code == 2 && checked.err.contains(why), "{setting}: {}", checked.err);
    }
    rows::row(
        "T28",
        "pages, API and metrics by foreign host names",
        tried,
        None,
        "every one 421 or 400; intake open to any name",
    );
}
