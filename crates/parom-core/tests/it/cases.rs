//! Mapping cases as folders of text: add one without any Rust (CONTRIBUTING.md tells how).

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use parom_core::dictionary::{Dictionary, Kind};
use parom_core::mapping::{self, Given};
use parom_core::order::Verdict;
use parom_core::submission::{Submission, decode_json, decode_urlencoded};
use serde_json::{Value, json};

/// The clock of the cases: 08:30 UTC, 10:30 in Kyiv.
const RECEIVED_AT: &str = "2026-11-24T08:30:00Z";

#[test]
fn every_folder_maps_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 50, "the cases are missing: {}", folders.len());
    let mut failed = Vec::new();
    for folder in folders {
        let found = run(&folder);
        let file = folder.join("expected.json");
        if update() {
            fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap_or("null".into())).unwrap();
        if normal(&found) != normal(&expected) {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            failed.push(format!("{name}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

fn update() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test alone, documented in CONTRIBUTING.md")]
    std::env::var("UPDATE_CASES").is_ok()
}

fn run(folder: &Path) -> Value {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let (channel, findings) = parom_core::channel::parse("case", &read("channel.toml").unwrap());
    let Some(channel) = channel else { panic!("{}: {findings:?}", folder.display()) };
    let (form, flat) = match read("body.json") {
        Some(body) => (decode_json(body.as_bytes()).unwrap(), Vec::new()),
        None => decode_urlencoded(read("body.form").unwrap().trim_end_matches('\n').as_bytes()).unwrap(),
    };
    let pairs = |text: String| {
        let text = text.trim().to_owned();
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (decoded(a), decoded(b))).collect()
    };
    let submission = Submission {
        form,
        flat,
        query: read("query.txt").map(pairs).unwrap_or_default(),
        page: read("page.txt").map(|text| text.trim().to_owned()).unwrap_or_default(),
        ..Submission::empty(RECEIVED_AT.parse::<Timestamp>().unwrap())
    };
    let dictionary = read("dictionary.json").map(|text| dictionary(&text));
    let given = Given { dictionary: dictionary.as_ref(), directory: None, random: 0 };
    let (draft, verdict) = mapping::map(&channel, &submission, given);
    let verdict = match verdict {
        Verdict::Go => "go",
        Verdict::Hold => "hold",
        Verdict::Reject => "reject",
    };
    let problems: Vec<Value> =
        draft.problems.iter().map(|p| json!([p.path, p.code.as_str(), p.effect.as_str()])).collect();
    json!({ "verdict": verdict, "order": draft.body, "problems": problems })
}

/// Rows by the name of their kind, in the CRM's own form.
fn dictionary(text: &str) -> Dictionary {
    let kinds: Value = serde_json::from_str(text).unwrap();
    let mut dictionary = Dictionary::default();
    for (kind, rows) in kinds.as_object().unwrap() {
        dictionary.set(Kind::parse(kind).unwrap(), rows.as_array().unwrap());
    }
    dictionary
}

fn decoded(text: &str) -> String {
    let tree = decode_urlencoded(format!("x={text}").as_bytes()).unwrap().0;
    tree["x"].as_str().unwrap().to_owned()
}

/// Numbers by value: 1249.50 is 1249.5. Key order does not count.
fn normal(value: &Value) -> String {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            trimmed.to_owned()
        }
        Value::Array(items) => format!("[{}]", items.iter().map(normal).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let mut entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", normal(v))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}
