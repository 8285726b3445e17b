//! Slow and greedy clients are cut off, and do not hold honest ones up.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::world::{World, form};

/// Sends what is given, then nothing; how long until the connection was closed, and the answer.
fn held_open(port: u16, start: &str) -> (Duration, String) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(start.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    (begun.elapsed(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_stalls_is_cut_off_while_others_are_served() {
    let world = World::start().await;
    let port = world.port();
    let stalled: Vec<_> = [
        "POST /in/shop HTTP/1.1\r\nHost: x\r\n",
        "POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\nname=",
        "",
    ]
    .into_iter()
    .map(|start| std::thread::spawn(move || held_open(port, start)))
    .collect();
    let mut times = Vec::new();
    for number in 0..20 {
        let begun = Instant::now();
        assert_eq!(world.post("/in/shop", &form(&format!("A{number}"))).await.status, 202);
        times.push(begun.elapsed());
    }
    // One may wait for the machine; those that wait for the stalled ones all do.
    times.sort();
    assert!(times[15] < Duration::from_secs(2), "{times:?}");
    let ended: Vec<(Duration, String)> = stalled.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(ended.iter().all(|(time, _)| *time < Duration::from_secs(25)), "{ended:?}");
    assert!(ended[1].1.starts_with("HTTP/1.1 408"), "{}", ended[1].1);
    world.crm_has(20).await;
}

/// A pause is no stall while what has come keeps the least speed.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_pause_as_long_as_it_keeps_the_least_speed() {
    let world = World::start().await;
    let (port, body) = (world.port(), format!("{}&comment={}", form("Slow"), "x".repeat(900)));
    let answer = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let kind = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close";
        let head = format!("POST /in/shop HTTP/1.1\r\nHost: x\r\n{kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..900]).unwrap();
        // 900 bytes are enough until 6.8 s after the start.
        std::thread::sleep(Duration::from_millis(5_600));
        stream.write_all(&body.as_bytes()[900..]).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    });
    let answer = tokio::task::spawn_blocking(|| answer.join().unwrap()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_have_a_limit() {
    let world = World::start().await;
    let large = format!("POST /in/shop HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(64 * 1024));
    let (_, answer) = held_open(world.port(), &large);
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(world.post("/in/shop", &form("A")).await.status, 202);
}

/// A phone's photos in the form: the answer must be read, not a broken connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_far_over_the_limit_is_answered_and_not_cut_off() {
    let world = World::start().await;
    for _ in 0..20 {
        let answer = world.post("/in/shop", &format!("name={}", "x".repeat(8 << 20))).await;
        assert_eq!(answer.status, 413, "{}", answer.text);
    }
    // One that asks first is told before it sends anything.
    let asks = "POST /in/shop HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n";
    let (_, answer) = held_open(world.port(), asks);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(world.orders().len(), 0);
}
