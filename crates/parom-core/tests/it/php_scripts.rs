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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Scripts that were cut, joined and spoilt are read without a panic, and what comes out is TOML.
    #[test]
    fn spoilt_scripts_do_no_harm(which in 0usize..18, from in 0usize..3000, len in 0usize..400, put in "[\\[\\](){};,'\"$=>.?:a-z \n]{0,12}") {
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
        }
    }
}
