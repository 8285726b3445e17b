//! `parom convert php`, beside what PHP itself sends for the same form.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use parom_core::channel::parse;
use parom_core::mapping::{self, Given};
use parom_core::order::Target;
use parom_core::php::convert;
use parom_core::submission::{Submission, decode_json, decode_urlencoded, lookup};
use serde_json::{Map, Value};

use super::world::{Settings, World};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../parom-core/tests/php-scripts")
}

/// What the script sends when PHP runs it: the address and the body.
fn php_sends(folder: &Path) -> (String, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut text, mut piece) = (Vec::new(), [0; 8192]);
        loop {
            let read = stream.read(&mut piece).unwrap();
            text.extend_from_slice(&piece[..read]);
            let whole = String::from_utf8_lossy(&text).into_owned();
            let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if body.len() >= length || read == 0 {
                let answer = "{\"id\":1}";
                write!(stream, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len()).unwrap();
                let path = head.split(' ').nth(1).unwrap().to_owned();
                return (path, body.to_owned());
            }
        }
    });
    let output = Command::new("php")
        .arg(corpus().join("run.php"))
        .arg(folder)
        .arg(format!("http://127.0.0.1:{port}"))
        .output()
        .expect("php is needed: scripts/install-tools installs it");
    assert!(output.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    let (path, body) = heard.join().unwrap();
    (path, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{}: {error}: {body}", folder.display())))
}

/// The request of a folder as a submission.
fn submission(folder: &Path) -> Submission {
    let text = fs::read_to_string(folder.join("request.txt")).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    let body = body.trim_end_matches('\n').as_bytes();
    let address = head.split(' ').nth(1).unwrap();
    let header = |name: &str| {
        let found = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (form, flat) = match header("content-type").contains("json") {
        true => (decode_json(body).unwrap(), Vec::new()),
        false => decode_urlencoded(body).unwrap(),
    };
    let query = address.split_once('?').map(|(_, query)| decode_urlencoded(query.as_bytes()).unwrap().1);
    let cookies = header("cookie");
    let cookies = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    Submission {
        form,
        flat,
        query: query.unwrap_or_default(),
        cookies: cookies.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
        page: header("referer"),
        ..Submission::empty("2026-11-24T08:30:00Z".parse().unwrap())
    }
}

fn decoded(text: &str) -> String {
    decode_urlencoded(format!("x={text}").as_bytes()).unwrap().1.remove(0).1
}

fn flat(path: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    let join = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flat(&join(key), value, out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| flat(&join(&at.to_string()), value, out))
        }
        other => drop(out.insert(path.to_owned(), other.to_string())),
    }
}

fn flattened(body: Map<String, Value>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    flat("", &Value::Object(body), &mut out);
    out
}

/// Both bodies are brought into the form in which Parom sends; then they are equal, or `differs.txt` names the place and
/// the line of the note that says why.
#[test]
fn each_script_becomes_a_channel_that_sends_what_php_sends() {
    let mut folders: Vec<PathBuf> = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 12);
    let mut failed = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (path, sent) = php_sends(&folder);
        let converted = convert(&fs::read_to_string(folder.join("script.php")).unwrap(), "main").unwrap();
        let target = if path.contains("cards") { Target::Card } else { Target::Order };
        assert_eq!(converted.target, target, "{name}");
        let channel = parse("script", &converted.channel).0.unwrap_or_else(|| panic!("{name}:\n{}", converted.channel));
        let submission = submission(&folder);
        let given = Given { dictionary: None, directory: None, random: 0 };
        let Value::Object(sent) = sent else { panic!("{name} sends no object") };
        let php = flattened(mapping::identity(&channel, target, &sent, submission.received_at, given).0.body);
        let ours = flattened(mapping::map(&channel, &submission, given).0.body);
        let listed = fs::read_to_string(folder.join("differs.txt")).unwrap_or_default();
        let expected: BTreeMap<&str, usize> = listed
            .lines()
            .filter_map(|line| line.split_once(" line "))
            .map(|(path, line)| (path, line.trim().parse().unwrap()))
            .collect();
        let paths: std::collections::BTreeSet<&String> = php.keys().chain(ours.keys()).collect();
        for path in paths {
            let (theirs, our) = (php.get(path), ours.get(path));
            // Marks that the script does not send are taken from query and page, whatever the mapping says.
            let completed = theirs.is_none()
                && path.contains("utm_")
                && lookup(&submission.query, path.rsplit('.').next().unwrap()).is_some();
            // The moment of sending, which is the moment of receiving.
            let now = path == "ordered_at" && converted.channel.contains("ordered_at = \"{{ received_at }}\"");
            if theirs == our || completed || now {
                continue;
            }
            match expected.get(path.as_str()) {
                Some(line) if converted.notes.iter().any(|note| note.line == *line) => {}
                Some(line) => failed.push(format!("{name} {path}: there is no note on line {line}")),
                None => failed.push(format!("{name} {path}: PHP sends {theirs:?}, the channel {our:?}")),
            }
        }
        for path in expected.keys().filter(|path| php.get(**path) == ours.get(**path)) {
            failed.push(format!("{name} {path}: it does not differ"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_a_channel_and_names_what_it_could_not_carry() {
    let world = World::idle(Settings::default()).await;
    let script = corpus().join("05-class/script.php");
    let ran = world.cli(&["convert", "php", script.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("script.php:") && ran.err.contains("key is a secret"), "{}", ran.err);
    assert!(!ran.err.contains("made-up-key") && !ran.out.contains("made-up-key"));
    world.channel("class", &ran.out);
    let checked = world.cli(&["check", "--offline"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    // Without a key and without a doubt there is nothing to say.
    let plain = world.dir.path().join("plain.php");
    fs::write(&plain, "<?php $d = ['source_id' => 1, 'buyer' => ['phone' => $_POST['tel']]]; send(json_encode($d));")
        .unwrap();
    let ran = world.cli(&["convert", "php", plain.to_str().unwrap(), "--account", "second"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("account = \"second\"") && ran.out.contains("phone = \"{{ tel }}\""), "{}", ran.out);
    // A script of old: its texts are read as windows-1251, and that is said.
    let old = world.dir.path().join("old.php");
    let text = "<?php $d = ['source_id' => 1, 'buyer' => ['phone' => $_POST['tel']], 'buyer_comment' => '\u{412}\u{456}\u{434}'];
        send(json_encode($d));";
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| match c {
            'В' => 0xC2,
            'і' => 0xB3,
            'д' => 0xE4,
            c => u8::try_from(c).unwrap(),
        })
        .collect();
    fs::write(&old, bytes).unwrap();
    let ran = world.cli(&["convert", "php", old.to_str().unwrap()]);
    assert!(ran.code == 1 && ran.err.contains("windows-1251"), "{}", ran.err);
    assert!(ran.out.contains("buyer_comment = \"Від\""), "{}", ran.out);
    let none = world.cli(&["convert", "php", world.config().to_str().unwrap()]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("no order was found"), "{}", none.err);
}

/// The script as the vendor publishes it, where it is at hand.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_script_converts_faults_and_all() {
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seed/order-script.php");
    let Ok(script) = fs::read_to_string(&published) else {
        return;
    };
    let converted = convert(&script, "main").unwrap();
    let world = World::idle(Settings::default()).await;
    world.channel("seed", &converted.channel);
    let checked = world.cli(&["check", "--offline"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    for word in ["comma", "given twice", "several fields in one index", "secret"] {
        assert!(converted.notes.iter().any(|note| note.text.contains(word)), "{word}: {:?}", converted.notes);
    }
}
