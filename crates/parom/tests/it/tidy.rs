//! The project's own rules, as tests: what ARCHITECTURE.md says is absent is absent.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(under: &str, ending: &str) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut open = vec![root.join(under)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{under} has no {ending}");
    found
}

fn must_not_name(under: &str, words: &[&str]) {
    for (name, text) in files(under, ".rs") {
        for word in words {
            assert!(!text.contains(word), "{name} names `{word}`");
        }
    }
}

fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let section = text.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap().to_owned();
    section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_core_has_no_io() {
    let allowed = [
        "base64",
        "email_address",
        "encoding_rs",
        "form_urlencoded",
        "hmac",
        "jiff",
        "minijinja",
        "percent-encoding",
        "phonenumber",
        "regex",
        "rust_decimal",
        "serde",
        "serde_json",
        "sha2",
        "toml",
        "toml_edit",
        "tree-sitter",
        "tree-sitter-php",
    ];
    for name in dependencies("crates/parom-core/Cargo.toml") {
        assert!(allowed.contains(&name.as_str()), "parom-core depends on {name}");
    }
    must_not_name(
        "crates/parom-core/src",
        &["std::fs", "std::net", "std::env", "std::io", "std::thread", "SystemTime", "Instant::now"],
    );
}

#[test]
fn the_sandbox_is_an_independent_witness() {
    let names = dependencies("crates/keycrm-sandbox/Cargo.toml");
    assert!(names.iter().all(|name| !name.starts_with("parom")), "{names:?}");
    let gateway = dependencies("crates/parom-gateway/Cargo.toml");
    assert!(!gateway.contains(&"keycrm-sandbox".to_owned()));
}

#[test]
fn each_room_keeps_to_itself() {
    let gateway = "crates/parom-gateway/src";
    must_not_name(&format!("{gateway}/intake"), &["crate::crm", "crate::delivery", "rusqlite", "reqwest"]);
    must_not_name(
        &format!("{gateway}/alerts"),
        &["crate::crm", "crate::delivery", "crate::intake", "rusqlite", "axum"],
    );
    must_not_name(&format!("{gateway}/ui"), &["crate::crm", "crate::delivery", "rusqlite", "reqwest"]);
    must_not_name(&format!("{gateway}/operate"), &["crate::crm", "crate::delivery", "rusqlite", "reqwest"]);
    must_not_name(&format!("{gateway}/delivery"), &["crate::intake", "crate::server", "axum", "rusqlite", "reqwest"]);
    must_not_name(&format!("{gateway}/crm"), &["crate::intake", "crate::delivery", "crate::store", "axum", "rusqlite"]);
    must_not_name(
        &format!("{gateway}/novaposhta"),
        &["crate::crm", "crate::delivery", "crate::intake", "rusqlite", "axum"],
    );
    must_not_name(&format!("{gateway}/store"), &["crate::intake", "crate::delivery", "crate::crm", "axum", "reqwest"]);
    for (name, text) in files(gateway, ".rs") {
        let sql = ["SELECT ", "INSERT INTO", "UPDATE orders"].iter().any(|word| text.contains(word));
        assert!(!sql || name.contains("/store/"), "{name} has SQL");
    }
}

#[test]
fn the_stores_legal_changes_are_the_cores() {
    let mut kept: Vec<String> = Vec::new();
    for (_, text) in files("crates/parom-gateway/src/store/sqlite/migrations", ".sql") {
        for listed in text.split("INSERT INTO transitions VALUES").skip(1) {
            let rows = listed.split(';').next().unwrap().split(')').filter_map(|row| row.split('(').nth(1));
            kept.extend(rows.map(|row| row.replace('\'', "")));
        }
    }
    let mut known: Vec<String> =
        parom_core::delivery::state::TRANSITIONS.iter().map(|(from, to)| format!("{from},{to}")).collect();
    kept.sort();
    known.sort();
    assert_eq!(kept, known);
}

#[test]
fn files_and_names_keep_the_house_rules() {
    for (name, text) in files("crates", ".rs") {
        assert!(text.lines().count() <= 500, "{name} is longer than 500 lines");
        let stem = Path::new(&name).file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!["util", "utils", "common", "helper", "helpers", "types", "misc"].contains(&stem.as_str()), "{name}");
        if name.contains("/src/") && !name.ends_with("main.rs") {
            assert!(text.starts_with("//!"), "{name} does not say what it is");
        }
    }
}

/// A comparison that ends at the first wrong byte tells how much of a guess was right.
#[test]
fn secrets_are_compared_in_constant_time() {
    let mut compared = 0;
    for (name, text) in
        files("crates/parom-gateway/src", ".rs").into_iter().chain(files("crates/parom-core/src", ".rs"))
    {
        let text = text.split("#[cfg(test)]").next().unwrap();
        compared += text.matches(".ct_eq(").count() + text.matches(".verify_slice(").count();
        for line in text.lines().filter(|line| line.contains("expose_secret()")) {
            // Of a hash that was made of it nothing can be guessed byte by byte.
            let plain = (line.contains("==") || line.contains("!=")) && !line.contains("token_hash(");
            assert!(!plain, "{name}: {line}");
        }
    }
    assert!(compared >= 4, "{compared}");
}

/// Keys of a map that come from outside are hashed with a random seed, as std does.
#[test]
fn no_map_can_be_flooded() {
    for place in ["crates/parom-core/src", "crates/parom-gateway/src", "crates/parom/src"] {
        must_not_name(place, &["FxHash", "ahash", "fnv::", "BuildHasherDefault", "nohash", "XxHash"]);
    }
}

/// Who meets a code in a log or on a page finds it in the documents.
#[test]
fn every_code_of_a_problem_is_documented() {
    let text = fs::read_to_string(root().join("docs/problems.md")).unwrap();
    let missing: Vec<&str> = parom_core::problem::Code::ALL.iter().map(|code| code.as_str()).collect();
    let missing: Vec<&str> = missing.into_iter().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/problems.md lacks {missing:?}");
}

#[test]
fn architecture_names_only_what_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut named = 0;
    for word in text.split('`').skip(1).step_by(2) {
        let path = word.contains('/') && word.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
        if !path || word.starts_with('/') {
            continue;
        }
        named += 1;
        // From the root: who copies a path finds it.
        assert!(root().join(word).exists(), "ARCHITECTURE.md names `{word}`");
    }
    assert!(named > 10);
}
