//! Small requests and files that would be large if they were believed: refused at once, in words, at a bounded cost.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::import::{workbook, workbook_of};
use super::proof::rows::{row, runs};
use super::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTI: &str = "multipart/form-data; boundary=b";
const TIMES: usize = 20;
const MEMORY: u64 = 32 << 20;

struct Bomb {
    what: &'static str,
    kind: &'static str,
    body: String,
    /// The answers that are right; an order that is kept all the same waits for a person, or goes without the value.
    statuses: &'static [u16],
}

fn bombs() -> Vec<Bomb> {
    let bomb = |what, kind, body: String, statuses| Bomb { what, kind, body, statuses };
    let deep = 100_000;
    let keys = |count: usize| (0..count).map(|key| format!("\"k{key}\":1")).collect::<Vec<_>>().join(",");
    // Each pair of letters has the same hash in PHP's array: 2^10 names that collide there.
    let colliding =
        |number: usize| -> String { (0..10).map(|bit| if number >> bit & 1 == 0 { "Ez" } else { "FY" }).collect() };
    let parts: String = (0..10_000)
        .map(|part| format!("--b\r\nContent-Disposition: form-data; name=\"p{part}\"\r\n\r\n1\r\n"))
        .collect();
    let order = |price: &str| format!("{}&price={price}&qty={price}", form("Bomb"));
    vec![
        bomb("deep lists", JSON, format!("{}{}", "[".repeat(deep), "]".repeat(deep)), &[413]),
        bomb("deep lists, open", JSON, "[".repeat(deep), &[413]),
        bomb("deep objects", JSON, format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep)), &[413]),
        bomb("deep in a field", FORM, format!("items={}", "[".repeat(60_000)), &[202]),
        bomb("deep brackets", FORM, format!("a{}=1", "[a]".repeat(deep)), &[413]),
        bomb("many keys", JSON, format!("{{{}}}", keys(90_000)), &[413]),
        bomb("a million keys", JSON, format!("{{{}}}", keys(1_000_000)), &[413]),
        bomb("many values", JSON, format!("[{}1]", "1,".repeat(500_000)), &[413]),
        bomb("many empty lists", JSON, format!("[{}[]]", "[],".repeat(340_000)), &[413]),
        bomb("many nested lists", JSON, format!("[{}[]]", "[[[[[[[[[]]]]]]]]],".repeat(55_000)), &[413]),
        bomb("many fields", FORM, "a=1&".repeat(260_000), &[413]),
        bomb("many empty fields", FORM, "&".repeat(1_000_000), &[202]),
        bomb("colliding names", FORM, (0..1_024).map(|n| format!("{}=1&", colliding(n))).collect(), &[413]),
        bomb("colliding names, few", FORM, (0..1_000).map(|n| format!("{}=1&", colliding(n))).collect(), &[202]),
        bomb("colliding indexes", FORM, (0..1_000).map(|n: u64| format!("a[{}]=1&", n << 32)).collect(), &[202]),
        bomb("many parts", MULTI, format!("{parts}--b--\r\n"), &[413]),
        bomb(
            "a part without end",
            MULTI,
            format!("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}", "x".repeat(900_000)),
            &[400, 413],
        ),
        bomb(
            "headers of a part",
            MULTI,
            format!("--b\r\n{}\r\n1\r\n--b--\r\n", "X-A: b\r\n".repeat(100_000)),
            &[202, 400, 413],
        ),
        bomb("1e308", FORM, order("1e308"), &[202]),
        bomb("1e999999999", FORM, order("1e999999999"), &[202]),
        bomb("many digits", FORM, order(&"9".repeat(60_000)), &[202]),
        bomb("1e308 in JSON", JSON, "{\"name\":\"B\",\"phone\":\"0671112233\",\"price\":1e308}".into(), &[202]),
        bomb("a long number", JSON, format!("{{\"price\":{}}}", "9".repeat(900_000)), &[413]),
        bomb("an endless phone", FORM, format!("name=x&phone={}", "+".repeat(60_000)), &[202]),
        bomb("an endless e-mail", FORM, format!("name=x&email={}@x.ua", "a.".repeat(30_000)), &[202]),
    ]
}

/// Watches the gateway's memory while something is done.
async fn most_memory(world: &World, done: &AtomicBool, most: &AtomicU64) {
    while !done.load(Ordering::SeqCst) {
        most.fetch_max(world.memory(), Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A request with many header lines: what is answered.
fn with_headers(port: u16, lines: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let _ = stream.write_all(format!("POST /in/shop HTTP/1.1\r\nHost: x\r\n{lines}\r\n").as_bytes());
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_costs_more_than_it_is_worth() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    for number in 0..200 {
        assert_eq!(world.post("/in/shop", &form(&format!("W{number}"))).await.status, 202);
    }
    world.crm_has(200).await;
    let (before, done, most) = (world.memory(), AtomicBool::new(false), AtomicU64::new(0));
    let (mut kept, mut slowest, bombs) = (0, (Duration::ZERO, ""), bombs());
    let attack = async {
        for bomb in &bombs {
            let one = || async {
                let begun = Instant::now();
                let answer = world.send("/in/shop", bomb.kind, bomb.body.clone().into_bytes(), &[]).await;
                (begun.elapsed(), answer)
            };
            for _ in 0..runs(TIMES / 4) {
                let answers = tokio::join!(one(), one(), one(), one());
                for (time, answer) in [answers.0, answers.1, answers.2, answers.3] {
                    assert!(bomb.statuses.contains(&answer.status), "{}: {} {}", bomb.what, answer.status, answer.text);
                    assert!(
                        answer.status == 202 || answer.json()["message"].as_str().unwrap().len() > 20,
                        "{}",
                        bomb.what
                    );
                    kept += usize::from(answer.status == 202);
                    slowest = slowest.max((time, bomb.what));
                }
            }
        }
        let lines = "X-Many: 1\r\n".repeat(10_000);
        for lines in [lines.as_str(), &lines[..11 * 100], &format!("X: {}\r\n", "x".repeat(1 << 20))] {
            let answer = with_headers(world.port(), lines);
            // One that goes on writing may find the connection closed.
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
        }
        let packed = world.send("/in/shop", FORM, vec![0x1f, 0x8b, 8, 0], &[("content-encoding", "gzip")]).await;
        assert_eq!(packed.status, 415, "{}", packed.text);
        done.store(true, Ordering::SeqCst);
    };
    tokio::join!(attack, most_memory(&world, &done, &most));
    let grown = most.load(Ordering::SeqCst).saturating_sub(before);
    let figures = format!("slowest {} ms ({}), +{} MiB", slowest.0.as_millis(), slowest.1, grown >> 20);
    row("T33", "bombs by HTTP: refused at once", bombs.len() * runs(TIMES / 4) * 4, None, &figures);
    assert!(grown < MEMORY, "{figures}");
    assert!(slowest.0 < Duration::from_secs(5), "{figures}");
    assert_eq!(world.orders().len(), 200 + kept, "what was accepted is there, and nothing else");
    assert_eq!(world.post("/in/shop", &form("After")).await.status, 202);
}

/// A workbook and a table in which little stands for much; a file is read by a command, whose memory is measured.
#[tokio::test(flavor = "multi_thread")]
async fn no_file_costs_more_than_it_is_worth() {
    let world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let far = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    let wide = far.replace("1048576", "2");
    let rows: String = (0..20_010).map(|n| format!("<row><c><v>{}</v></c></row>", n * 7_919)).collect();
    let doctype = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bbbb\">]><worksheet/>".to_owned();
    let texts = format!("<sst>{}</sst>", "<si/>".repeat(1_100_000));
    let quote = format!("name;phone\n\"{}", "x;y\n".repeat(6 << 20)).into_bytes();
    let line = format!("{{\"a\":{}", "[".repeat(500_000)).into_bytes();
    let part = |name: &str, text: String| workbook_of(&[(name, text)]);
    let files: Vec<(&str, &str, Vec<u8>, &str)> = vec![
        ("a zip of 1:1000", "a.xlsx", workbook(&" ".repeat(49 << 20)), "unpacks to more"),
        ("a zip that lies", "b.xlsx", lying(workbook(&" ".repeat(49 << 20))), "xlsx"),
        ("opposite corners", "c.xlsx", workbook(far), "more than 20000 rows"),
        ("a wide row", "d.xlsx", workbook(&wide), "more than 1000 columns"),
        ("many rows", "e.xlsx", workbook(&rows), "more than 20000 rows"),
        ("a document type", "f.xlsx", part("xl/worksheets/sheet1.xml", doctype), "document type"),
        ("many texts", "g.xlsx", part("xl/sharedStrings.xml", texts), "unpacks to more"),
        ("many parts", "h.xlsx", many_parts(), "more than 200 parts"),
        ("an open quote", "i.csv", quote, "a quote may not be closed"),
        ("a deep line", "j.ndjson", line, "nested deeper"),
    ];
    let (mut slowest, mut most) = ((Duration::ZERO, ""), 0);
    for (what, name, bytes, word) in &files {
        let path = world.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let begun = Instant::now();
        let (ran, memory) = world.cli_measured(&["import", "shop", path.to_str().unwrap()]);
        most = most.max(memory);
        slowest = slowest.max((begun.elapsed(), what));
        assert!(
            ran.code != 0 && (ran.err.contains(word) || ran.out.contains(word)),
            "{what}: {} {}",
            ran.code,
            ran.err
        );
    }
    assert_eq!(world.orders().len(), 0);
    let figures = format!("slowest {} ms ({}), {} MiB at most", slowest.0.as_millis(), slowest.1, most >> 20);
    row("T33", "bombs as files: refused at once", files.len(), None, &figures);
    assert!(most < 128 << 20, "{figures}");
    assert!(slowest.0 < Duration::from_secs(20), "{figures}");
}

/// The sizes that a zip says of its parts, made small.
fn lying(mut bytes: Vec<u8>) -> Vec<u8> {
    for at in 0..bytes.len() - 46 {
        let place = match &bytes[at..at + 4] {
            b"PK\x01\x02" => at + 24,
            b"PK\x03\x04" => at + 22,
            _ => continue,
        };
        bytes[place..place + 4].copy_from_slice(&1_000_u32.to_le_bytes());
    }
    bytes
}

fn many_parts() -> Vec<u8> {
    let parts: Vec<(String, String)> = (0..2_000).map(|part| (format!("p{part}"), String::new())).collect();
    let parts: Vec<(&str, String)> = parts.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    workbook_of(&parts)
}
