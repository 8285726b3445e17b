//! Hundreds of senders that write or read as slowly as they can, beside honest ones.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::proof::percentile;
use super::proof::rows::{row, runs};
use super::world::{World, form};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Slow {
    Headers,
    Body,
    Reader,
}

/// Stays as long as the gateway lets it; how long that was.
async fn stay(port: u16, slow: Slow) -> Duration {
    let socket = TcpSocket::new_v4().unwrap();
    // What is not read must not lie in this machine's memory.
    socket.set_recv_buffer_size(4_096).unwrap();
    let address = ([127, 0, 0, 1], port).into();
    let Ok(mut stream) = socket.connect(address).await else { return Duration::ZERO };
    let begun = Instant::now();
    let start = match slow {
        Slow::Headers => "POST /in/shop HTTP/1.1\r\nHost: x\r\nX: ".to_owned(),
        Slow::Body => "POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nname=".to_owned(),
        // More answers than the gateway's side of the connection holds.
        Slow::Reader => "GET /assets/parom.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_200),
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(start.as_bytes())).await;
    let every = Duration::from_millis(if slow == Slow::Body { 100 } else { 500 });
    loop {
        tokio::time::sleep(every).await;
        if is_gone(&stream, slow) || begun.elapsed() > Duration::from_secs(60) {
            return begun.elapsed();
        }
    }
}

/// Writes one byte more; a writer also reads, to see the end.
fn is_gone(stream: &TcpStream, slow: Slow) -> bool {
    let blocked = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    let written = stream.try_write(b"x");
    let read = if slow == Slow::Reader { Ok(1) } else { stream.try_read(&mut [0; 512]) };
    matches!(read, Ok(0)) || [written, read].into_iter().any(|done| done.is_err_and(|error| !blocked(&error)))
}

async fn honest(world: &World, sender: usize, end: Instant) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        // A connection each: to get one is a part of the time.
        let close = [("connection", "close")];
        let body = form(&format!("H{sender}N{}", times.len())).into_bytes();
        let answer = world.send("/in/shop", "application/x-www-form-urlencoded", body, &close).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_slow_senders_and_readers_hold_nobody_up_and_are_dropped() {
    let world = World::start().await;
    let count = if runs(1) > 1 { 5_000 } else { 500 };
    let port = world.port();
    let before = world.memory();
    let kinds = [Slow::Headers, Slow::Body, Slow::Reader];
    let slow: Vec<_> =
        (0..count).map(|number| (kinds[number % 3], tokio::spawn(stay(port, kinds[number % 3])))).collect();
    let end = Instant::now() + Duration::from_secs(16);
    let (a, b, c, memory) =
        tokio::join!(honest(&world, 1, end), honest(&world, 2, end), honest(&world, 3, end), async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            world.memory()
        });
    let mut times = [a, b, c].concat();
    times.sort();
    let mut longest = kinds.map(|kind| (kind, Duration::ZERO));
    for (kind, task) in slow {
        let stayed = task.await.unwrap();
        let of_kind = longest.iter_mut().find(|(other, _)| *other == kind).unwrap();
        of_kind.1 = of_kind.1.max(stayed);
    }
    let stayed: Vec<String> =
        longest.iter().map(|(kind, time)| format!("{kind:?} {:.1} s", time.as_secs_f64())).collect();
    let figures = format!(
        "{} honest orders, p99 {} ms; dropped after {}; +{} MiB",
        times.len(),
        percentile(&times, 99),
        stayed.join(", "),
        memory.saturating_sub(before) >> 20
    );
    row("T25", "slow headers, bodies and readers", count, None, &figures);
    // A second is the goal. The tests share two cores with all others, and the machine may stand still for seconds: whoever is
    // held up by slow ones is so each time, and for as long as they stay.
    assert!(percentile(&times, 90) < 3_000, "{figures}");
    assert!(longest.iter().all(|(_, time)| *time < Duration::from_secs(25)), "{figures}");
    world.crm_has(times.len()).await;
}
