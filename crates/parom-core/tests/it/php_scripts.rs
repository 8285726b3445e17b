//! PHP scripts of many shapes, each beside the channel that it becomes and the notes that come with it.

use std::fs;
use std::path::{Path, PathBuf};

use parom_core::channel::{Severity, parse};
use parom_core::php::{ConvertError, convert};
use proptest::prelude::*;

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/php-scripts");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn every_script_becomes_the_channel_beside_it() {
    let folders = folders();
    assert!(folders.len() >= 12, "the scripts are missing: {}", folders.len());
    let mut failed = Vec::new();
    for folder in folders {
        let converted = convert(&fs::read_to_string(folder.join("script.php")).unwrap(), "main").unwrap();
        let notes: String = converted.notes.iter().map(|note| format!("{}: {}\n", note.line, note.text)).collect();
        for (name, found) in [("channel.toml", &converted.channel), ("notes.txt", &notes)] {
            #[expect(clippy::disallowed_methods, reason = "a switch of this test alone, documented in CONTRIBUTING.md")]
            if std::env::var("UPDATE_CASES").is_ok() {
                fs::write(folder.join(name), found).unwrap();
            }
            if fs::read_to_string(folder.join(name)).unwrap_or_default() != *found {
                failed.push(format!("{}/{name}\n{found}", folder.display()));
            }
        }
        let (_, findings) = parse("script", &converted.channel);
        let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{}: {errors:?}\n{}", folder.display(), converted.channel);
        assert!(!converted.channel.contains("made-up-key") && !notes.contains("made-up-key"), "{}", folder.display());
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The three faults for which PHP refuses the published script, and one that it takes in silence.
#[test]
fn faults_are_mended_and_named() {
    let script = r#"<?php
$data = ["source_id" => 22,
  "buyer" => ["full_name" => $_POST['name'], "phone" => $_POST['phone'] // the phone
    "email" => $_POST['email']],
  "shipping" => ["shipping_receive_point" => $_POST['a'], "shipping_receive_point" => $_POST['b']],
  "custom_fields" => [["uuid" => "LD_1", "value" => $_POST['x', 'y z']]]
];
$json = json_encode($data);
"#;
    let converted = convert(script, "main").unwrap();
    let notes: Vec<(usize, &str)> = converted.notes.iter().map(|note| (note.line, note.text.as_str())).collect();
    assert!(notes.iter().any(|(line, text)| *line == 3 && text.contains("comma")), "{notes:?}");
    assert!(notes.iter().any(|(line, text)| *line == 5 && text.contains("given twice")), "{notes:?}");
    assert!(notes.iter().any(|(line, text)| *line == 6 && text.contains("several fields in one index")), "{notes:?}");
    assert!(converted.channel.contains("email = \"{{ email }}\""), "{}", converted.channel);
    assert!(converted.channel.contains("value = [\"{{ x }}\", \"{{ form['y z'] }}\"]"), "{}", converted.channel);
    assert!(parse("script", &converted.channel).0.is_some());
}

#[test]
fn what_is_no_order_script_is_told_so() {
    let no = |text: &str| convert(text, "main").unwrap_err();
    assert!(matches!(no(""), ConvertError::NoOrder(_)));
    assert!(matches!(no("<?php echo json_encode(['a' => 1]);"), ConvertError::NoOrder(_)));
    assert!(matches!(no("name,phone\nOlena,067"), ConvertError::NoOrder(_)));
    assert_eq!(no(&"x".repeat(300_000)), ConvertError::TooLarge);
    assert_eq!(no(&format!("<?php $a = {}{};", "[".repeat(50_000), "]".repeat(50_000))), ConvertError::TooDeep);
    assert_eq!(no(&format!("<?php $a = {}1;", "1 . ".repeat(5_000))), ConvertError::TooDeep);
    // A function that calls itself for ever, and a loop within loops, end.
    let endless = "<?php function f($x) { return f([$x, f($x)]); } $d = ['source_id' => 1, 'buyer' => f($_POST)]; json_encode($d);";
    let _ = convert(endless, "main");
}

/// A letter to the shop is put together of hundreds of pieces; the order beside it is carried.
#[test]
fn a_long_text_is_no_deep_one() {
    let letter = "'<tr>' . $_POST['x'] . ".repeat(200);
    let text = format!(
        "<?php $letter = {letter} ''; mail('x', 'x', $letter); $d = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name']]]; \
         json_encode($d);"
    );
    let converted = convert(&text, "main").unwrap();
    assert!(converted.channel.contains("full_name = \"{{ name }}\""), "{}", converted.channel);
}

/// Wherever a key may stand, and however the script around it is broken, it is in no comment and in no note.
#[test]
fn a_key_is_never_shown() {
    let order = "$data = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name']], 'products' => []";
    let send = "]; $body = json_encode($data); $ch = curl_init('https://openapi.keycrm.app/v1/order');";
    let places = [
        "$token = 'SECRETq1w2e3';",
        "$token = 'SECRETq1w2e3;",
        "$token = SECRETq1w2e3-made-up-9f8e;",
        "$token = \u{201c}SECRETq1w2e3\u{201d};",
        "define(KEY, SECRETq1w2e3);",
        "$c = ['token' => 'SECRETq1w2e3' 'SECRETw2' => 1];",
        "$h = array(\"Content-type: application/json\" \"Authorization: Bearer SECRETq1w2e3\");",
        "if ($_GET['key'] !== 'SECRETq1w2e3') { die('no'); }",
        "foreach (load('SECRETq1w2e3') as $x) { $z = 1; }",
        "$data['manager_comment'] = hash_hmac('sha256', $_POST['phone'], 'SECRETq1w2e3');",
        "$data['buyer_comment'] = file_get_contents('https://x.example/?t=SECRETq1w2e3');",
        "$data['api_key'] = 'SECRETq1w2e3';",
        "$data['source_uuid'] = $_GET['token'] == 'SECRETq1w2e3' ? $_POST['id'] : null;",
    ];
    for place in places {
        for text in [
            format!("<?php {place}\n{order}{send}"),
            format!(
                "<?php {order}]; {place} json_encode($data); $ch = curl_init('https://openapi.keycrm.app/v1/order');"
            ),
            format!("<?php {order}\n{place}{send}"),
        ] {
            let (channel, notes) = match convert(&text, "main") {
                Ok(converted) => (converted.channel, converted.notes),
                Err(ConvertError::NoOrder(notes)) => (String::new(), notes),
                Err(error) => panic!("{error}: {text}"),
            };
            assert!(!channel.contains("SECRET"), "{text}\n{channel}");
            assert!(notes.iter().all(|note| !note.text.contains("SECRET")), "{text}\n{notes:?}");
        }
    }
}

/// What doubles with each line ends at a limit, and the rest of the order is still carried.
#[test]
fn a_value_that_grows_without_end_is_left_out() {
    let doubled = "$s = $s . $s;".repeat(60);
    let text = format!(
        "<?php $s = 'ab'; {doubled} $t = $_POST['a']; {} $d = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name']], \
         'products' => [], 'buyer_comment' => $s, 'manager_comment' => $t]; json_encode($d);",
        doubled.replace("$s", "$t"),
    );
    let converted = convert(&text, "main").unwrap();
    assert!(converted.channel.len() < 10_000 && converted.channel.contains("full_name = \"{{ name }}\""));
    for name in ["buyer_comment", "manager_comment"] {
        assert!(converted.notes.iter().any(|note| note.text.contains(name)), "{:?}", converted.notes);
    }
}

/// A text that depends on condition after condition, turn after turn of loops within loops, ends at its limit.
#[test]
fn a_value_that_doubles_in_loops_is_left_out() {
    let turn = |inner: &str| {
        format!("foreach (['a', 'b', 'c'] as $f) {{ if ($_POST[$f]) {{ $b = $f . $b . $_POST[$f]; }} {inner} }}")
    };
    let loops = turn(&turn(&turn("if ($_POST['q']) { $b = $_POST['n'] . $b; } else { $b = $b . $_POST['m']; }")));
    let text = format!(
        "<?php $b = $_POST['x']; {loops} $d = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name']], \
         'buyer_comment' => $b]; json_encode($d);"
    );
    let converted = convert(&text, "main").unwrap();
    assert!(converted.channel.len() < 10_000 && converted.channel.contains("full_name = \"{{ name }}\""));
    assert!(converted.notes.iter().any(|note| note.text.contains("buyer_comment")), "{:?}", converted.notes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Scripts that were cut, joined and spoilt are read without a panic, and what comes out is TOML.
    #[test]
    fn spoilt_scripts_do_no_harm(which in 0usize..21, from in 0usize..3000, len in 0usize..400, put in "[\\[\\](){};,'\"$=>.?:a-z \n]{0,12}") {
        let folders = folders();
        let mut text: Vec<char> = fs::read_to_string(folders[which % folders.len()].join("script.php")).unwrap().chars().collect();
        let start = from.min(text.len());
        let end = (start + len).min(text.len());
        text.splice(start..end, put.chars());
        let text: String = text.into_iter().collect();
        if let Ok(converted) = convert(&text, "main") {
            let (_, findings) = parse("script", &converted.channel);
            let broken = findings.iter().find(|finding| finding.code.as_str() == "invalid_toml");
            prop_assert!(broken.is_none(), "{broken:?}\n{}", converted.channel);
            let comments = converted.channel.lines().filter(|line| line.starts_with('#'));
            let mut said = converted.notes.iter().map(|note| note.text.as_str()).chain(comments);
            prop_assert!(!said.any(|text| text.contains("made-up")), "{text}\n{converted:?}");
        }
    }
}
