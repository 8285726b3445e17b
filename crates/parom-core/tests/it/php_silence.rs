//! What a script does and its channel does not is told: each small script is run by a real `php`, and where its channel
//! sends anything else for the same form, the conversion has a note.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use parom_core::channel::parse;
use parom_core::mapping::{self, Given};
use parom_core::order::Target;
use parom_core::php::convert;
use parom_core::submission::{Submission, decode_json, decode_urlencoded};
use serde_json::{Map, Value};

/// Runs the script that comes on its input, over the request that is its argument, and prints what the script sends.
const RUN: &str = r#"
error_reporting(0);
$request = $argv[1];
if ($request !== '' && $request[0] !== '{') { parse_str($request, $_POST); }
$_REQUEST = $_POST;
$_SERVER['REQUEST_METHOD'] = 'POST';
function send($json) { fwrite(STDOUT, $json . "\n"); }
ob_start();
$code = str_replace('php://input', 'data://text/plain;base64,' . base64_encode($request), stream_get_contents(STDIN));
eval(substr($code, 5));
"#;

fn php_sends(script: &str, request: &str) -> Option<Map<String, Value>> {
    let spawned =
        Command::new("php").args(["-n", "-r", RUN, request]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.expect("php is needed: scripts/install-tools installs it");
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().rfind(|line| line.starts_with('{'));
    last.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{script}: {error}: {line}")))
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

/// Where the channel sends anything else than the script, one line for each place.
fn differences(script: &str, channel: &str, target: Target, request: &str) -> Vec<String> {
    let channel = parse("script", channel).0.unwrap_or_else(|| panic!("{script}\n{channel}"));
    let mut submission = Submission::empty("2026-11-24T08:30:00Z".parse().unwrap());
    if request.starts_with('{') {
        submission.form = decode_json(request.as_bytes()).unwrap();
    } else {
        (submission.form, submission.flat) = decode_urlencoded(request.as_bytes()).unwrap();
    }
    let given = Given { dictionary: None, directory: None, random: 0 };
    let Some(sent) = php_sends(script, request) else {
        return vec!["PHP sends nothing".to_owned()];
    };
    let (mut php, mut ours) = (BTreeMap::new(), BTreeMap::new());
    let theirs = mapping::identity(&channel, target, &sent, submission.received_at, given).0.body;
    flat("", &Value::Object(theirs), &mut php);
    flat("", &Value::Object(mapping::map(&channel, &submission, given).0.body), &mut ours);
    let mut paths: Vec<&String> = php.keys().chain(ours.keys()).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| php.get(*path) != ours.get(*path));
    paths.iter().map(|path| format!("{path}: PHP {:?}, the channel {:?}", php.get(*path), ours.get(*path))).collect()
}

/// A form with all that the small scripts read.
pub(super) const FORM: &str = "name=Olena&phone=0671112233&email=o@shop.ua&city=Kyiv&comment=ring&call=1&kind=gift&qty=2&price=10\
                    &items[0][name]=Tea&items[0][price]=5&items[0][qty]=1&items[1][name]=Cup&items[1][price]=7&items[1][qty]=2\
                    &tags[]=a&tags[]=b&opt[color]=red&opt[size]=L&button=x&sender_city=Kyiv\
                    &cart=[{\"name\":\"Tea\",\"price\":5,\"qty\":2,\"gift\":false},{\"name\":\"Cup\",\"price\":7,\"qty\":1,\"gift\":true}]";
/// The same with little in it.
pub(super) const LITTLE: &str = "name=Olena&phone=0671112233&call=0&kind=&qty=0&opt[color]=red&sender_city=\
    &cart=[{\"name\":\"Tea\",\"price\":5,\"qty\":3,\"gift\":0}]&items[0][name]=Tea&items[0][price]=5&items[0][qty]=1";
/// As JSON, with types.
pub(super) const TYPED: &str = r#"{"name":"Olena","phone":"0671112233","call":true,"kind":5,"qty":2,"note":null,"tags":["a"],"paid":1,
    "items":[{"name":"Tea","price":5,"qty":1}]}"#;
pub(super) const TYPED_NO: &str = r#"{"name":"Olena","phone":"0671112233","call":false,"kind":0,"qty":0,"note":"x","tags":[],"paid":0,
    "items":[{"name":"Tea","price":5,"qty":1}]}"#;

/// A script around statements that add to `$data`, or make it.
fn whole(statements: &str) -> String {
    let own = statements.contains("$data =") || statements.contains("$data;");
    let order = match own {
        true => "",
        false => "$data = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]];",
    };
    let send = if statements.contains("send(") { "" } else { "send(json_encode($data));" };
    format!("<?php {order}\n{statements}\n{send}")
}

/// The notes of a script's conversion, and where its channel differs from the script over these forms.
pub(super) fn converted(statements: &str, requests: &[&str]) -> (Vec<String>, Vec<String>) {
    let script = whole(statements);
    // No channel at all is told as well.
    let converted = match convert(&script, "main") {
        Ok(converted) => converted,
        Err(error) => return (vec![error.to_string()], vec![error.to_string()]),
    };
    let notes = converted.notes.iter().map(|note| format!("{}: {}", note.line, note.text)).collect();
    let differ = requests.iter().flat_map(|r| differences(&script, &converted.channel, converted.target, r)).collect();
    (notes, differ)
}

/// Scripts that a channel does not carry: each differs from PHP over one of the forms, and says so.
#[test]
fn what_is_not_carried_is_told() {
    let mut failed = Vec::new();
    for (case, notes, differ) in tried(include_str!("../php-silence/told.php")) {
        if differ.is_empty() {
            failed.push(format!("it does not differ any more:\n{case}\n{notes:?}"));
        } else if notes.is_empty() {
            failed.push(format!("nothing is told of\n{case}\n{}", differ.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Scripts that a channel carries whole: it sends what PHP sends, and there is nothing to say.
#[test]
fn what_is_carried_sends_what_php_sends() {
    let mut failed = Vec::new();
    for (case, notes, differ) in tried(include_str!("../php-silence/carried.php")) {
        if !differ.is_empty() || !notes.is_empty() {
            failed.push(format!("{case}\n{}\n{}", differ.join("\n"), notes.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Each small script of a file, its notes and where its channel differs.
fn tried(cases: &str) -> impl Iterator<Item = (&str, Vec<String>, Vec<String>)> {
    cases.split("\n//\n").skip(1).map(|case| {
        let (notes, differ) = converted(case, &requests(case));
        (case, notes, differ)
    })
}

fn requests(case: &str) -> [&'static str; 2] {
    if case.contains("php://input") { [TYPED, TYPED_NO] } else { [FORM, LITTLE] }
}
