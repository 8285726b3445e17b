//! Each preset through the public door: its samples become orders, a repeat does not, its test makes none, and whoever
//! cannot sign is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use parom_core::presets::{Answer as Wanted, Preset, Scheme, Signing, all, named};

use super::world::{Answer, Settings, World};

const SECRET: &str = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";

struct Sample {
    name: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What stands beside it: `ping`, `other: …`, `malformed: …` or an order.
    outcome: String,
}

fn samples(preset: &Preset) -> Vec<Sample> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../parom-core/src/presets").join(preset.name).join("samples");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "http"));
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Sample {
    let text = fs::read_to_string(file).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    // The times of the samples are long gone.
    let headers = headers.filter(|(name, _)| !name.ends_with("-timestamp"));
    Sample {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.trim_end_matches('\n').as_bytes().to_vec(),
        outcome: fs::read_to_string(file.with_extension("txt")).unwrap(),
    }
}

/// The headers of a signature over a body, made some seconds ago.
fn signature(signing: &Signing, secret: &str, id: &str, body: &[u8], ago: i64) -> Vec<(String, String)> {
    let now = Timestamp::try_from(SystemTime::now()).unwrap();
    let at = Timestamp::from_second(now.as_second() - ago).unwrap();
    let (before, mut headers) = match &signing.scheme {
        Scheme::Body => (String::new(), Vec::new()),
        Scheme::Stamped { header, separator, unit } => {
            (format!("{}{separator}", unit.write(at)), vec![((*header).to_owned(), unit.write(at))])
        }
        Scheme::StandardWebhooks => {
            let stamp = at.as_second().to_string();
            (format!("{id}.{stamp}."), vec![("webhook-timestamp".to_owned(), stamp)])
        }
    };
    headers.push((signing.header.to_owned(), signing.sign(secret, &before, body)));
    headers
}

async fn send(world: &World, path: &str, sample: &Sample, more: &[(String, String)]) -> Answer {
    let kind = sample.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value.as_str());
    let others = sample.headers.iter().filter(|(name, _)| name != "content-type");
    let headers: Vec<(&str, &str)> = others.chain(more).map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.send(path, kind, sample.body.clone(), &headers).await
}

fn signed(preset: &Preset, sample: &Sample, secret: &str, ago: i64) -> Vec<(String, String)> {
    let id = sample.headers.iter().find(|(name, _)| name == "webhook-id").map_or("", |(_, value)| value.as_str());
    let signing = preset.signing.as_ref();
    signing.map(|signing| signature(signing, secret, id, &sample.body, ago)).unwrap_or_default()
}

async fn world() -> World {
    let mut world = World::idle(Settings::default()).await;
    for preset in all() {
        let access = match preset.signing {
            Some(_) => "access.secret = [{ env = \"NEW\" }, { env = \"HOOK\" }]",
            None => "access.token = { env = \"TEST_TOKEN\" }",
        };
        let text = format!("format = \"{}\"\n{access}\norder.source_id = 22\non_repeat = \"off\"", preset.name);
        world.channel(preset.name, &text);
    }
    world.serve(&[("HOOK", SECRET), ("NEW", "whsec_bmV3")]);
    world
}

fn path(preset: &Preset) -> String {
    let token = if preset.signing.is_some() { "" } else { "/right-token" };
    format!("/in/{}{token}", preset.name)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_makes_what_stands_beside_it_and_a_repeat_makes_nothing() {
    let world = world().await;
    let mut orders = 0;
    for preset in all() {
        let mut keys = std::collections::BTreeSet::new();
        for sample in samples(preset) {
            let place = format!("{} {}", preset.name, sample.name);
            let answer = send(&world, &path(preset), &sample, &signed(preset, &sample, SECRET, 0)).await;
            let first = sample.outcome.lines().next().unwrap();
            match first.split([' ', ':']).next().unwrap() {
                "ping" | "other" => assert_eq!(answer.status, 200, "{place}: {}", answer.text),
                "malformed" => assert_eq!(answer.status, 400, "{place}: {}", answer.text),
                _ => {
                    let key = first.split(',').next().unwrap().to_owned();
                    let new = key == "key -" || keys.insert(key.clone());
                    orders += usize::from(new);
                    let expected = if new && preset.answer == Wanted::Accepted { 202 } else { 200 };
                    assert_eq!(answer.status, expected, "{place}: {}", answer.text);
                    let again = send(&world, &path(preset), &sample, &signed(preset, &sample, SECRET, 1)).await;
                    assert_eq!(again.status, if key == "key -" { expected } else { 200 }, "{place}: {}", again.text);
                    orders += usize::from(key == "key -");
                    if preset.answer == Wanted::Text {
                        assert_eq!((answer.text.as_str(), again.text.as_str()), ("ok", "ok"), "{place}");
                    } else if key != "key -" {
                        assert_eq!(again.json()["status"], "duplicate", "{place}");
                        assert_eq!(again.json()["id"], answer.json()["id"], "{place}");
                    }
                }
            }
            assert_eq!(world.orders().len(), orders, "{place}");
        }
    }
    assert!(orders > 25, "{orders}");
    world.crm_has(orders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_an_old_and_no_signature_are_refused_and_nothing_is_kept() {
    let world = world().await;
    for preset in all().iter().filter(|preset| preset.signing.is_some()) {
        let samples = samples(preset);
        let sample = samples.iter().find(|sample| sample.outcome.starts_with("key")).unwrap();
        let place = path(preset);
        for (headers, word) in [
            (Vec::new(), "not signed"),
            (signed(preset, sample, "another", 0), "wrong"),
            (one_character_off(signed(preset, sample, SECRET, 0)), "wrong"),
        ] {
            let answer = send(&world, &place, sample, &headers).await;
            assert_eq!(answer.status, 401, "{}: {}", preset.name, answer.text);
            assert!(answer.json()["message"].as_str().unwrap().contains(word), "{}: {}", preset.name, answer.text);
        }
        let mut changed = read_changed(sample);
        let answer = send(&world, &place, &changed, &signed(preset, sample, SECRET, 0)).await;
        assert_eq!(answer.status, 401, "{}: a changed body", preset.name);
        if !matches!(preset.signing.as_ref().unwrap().scheme, Scheme::Body) {
            for ago in [400, -400] {
                let answer = send(&world, &place, sample, &signed(preset, sample, SECRET, ago)).await;
                assert_eq!(answer.status, 401, "{} {ago}", preset.name);
                assert!(answer.json()["message"].as_str().unwrap().contains("5 minutes"), "{}", answer.text);
            }
        }
        // The ping alone goes unsigned, and a form cannot pass for one.
        changed.body = b"{}".to_vec();
        let empty = send(&world, &place, &changed, &[]).await;
        assert!(matches!(empty.status, 200 | 401), "{}: {}", preset.name, empty.text);
    }
    for preset in all().iter().filter(|preset| preset.signing.is_none()) {
        let samples = samples(preset);
        let sample = samples.iter().find(|sample| sample.outcome.starts_with("key")).unwrap();
        let answer = send(&world, &format!("/in/{}", preset.name), sample, &[]).await;
        assert_eq!(answer.status, 401, "{}: {}", preset.name, answer.text);
    }
    assert_eq!(world.orders().len(), 0);
}

/// The signature with another character of its alphabet.
fn one_character_off(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let text = &mut headers.last_mut().unwrap().1;
    let at = text.len() - 10;
    let other = if text.as_bytes()[at] == b'1' { "2" } else { "1" };
    text.replace_range(at..=at, other);
    headers
}

fn read_changed(sample: &Sample) -> Sample {
    let mut body = sample.body.clone();
    let at = body.iter().rposition(u8::is_ascii_digit).unwrap();
    body[at] = if body[at] == b'1' { b'2' } else { b'1' };
    Sample { name: sample.name.clone(), headers: sample.headers.clone(), body, outcome: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn tildas_key_comes_with_the_form_and_its_test_without() {
    let world = world().await;
    let ping = world.post("/in/tilda", "test=test").await;
    assert_eq!((ping.status, ping.text.as_str()), (200, "ok"));
    let wrong = world.post("/in/tilda", "Name=Olena&Phone=0671112233&API-key=wrong").await;
    assert_eq!(wrong.status, 401);
    let right = world.post("/in/tilda", "Name=Olena&Phone=0671112233&API-key=right-token").await;
    assert_eq!((right.status, right.text.as_str()), (200, "ok"));
    world.crm_has(1).await;
    assert!(!world.crm.orders()[0].to_string().contains("right-token"));
    // Nor does the terminal or the API show it.
    let id = world.orders()[0]["id"].as_str().unwrap().to_owned();
    for args in [vec!["orders", "show", &id], vec!["orders", "show", &id, "--json"]] {
        let shown = world.cli(&args);
        assert!(shown.out.contains("API-key=[hidden]") && !shown.out.contains("right-token"), "{}", shown.out);
    }
    // Or as a header, under a name of the shop's own.
    for (token, status) in [("wrong", 401), ("right-token", 200)] {
        let body = "Name=Petro&Phone=0671112234";
        let headers = [("x-shop-key", token)];
        let answer = world.send("/in/tilda", "application/x-www-form-urlencoded", body.into(), &headers).await;
        assert_eq!(answer.status, status, "{token}");
    }
    world.crm_has(2).await;
    // Or in the address.
    let answer = world.post("/in/tilda?from=ad&api_key=right-token", "Name=Taras&Phone=0671112235").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.crm_has(3).await;
    let id =
        world.orders().iter().max_by_key(|order| order["id"].to_string()).unwrap()["id"].as_str().unwrap().to_owned();
    let shown = world.cli(&["orders", "show", &id, "--json"]).out;
    let query = &serde_json::from_str::<serde_json::Value>(&shown).unwrap()["submission"]["context"]["query"];
    assert_eq!(query, &serde_json::json!([["from", "ad"], ["api_key", "[hidden]"]]), "{shown}");
}

/// Whoever is told of a new address tries whether somebody is there.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_try_of_any_sender_is_answered_and_makes_no_order() {
    let world = world().await;
    for preset in all() {
        for kind in ["application/json", "application/x-www-form-urlencoded", ""] {
            let answer = world.send(&format!("/in/{}", preset.name), kind, Vec::new(), &[]).await;
            assert_eq!(answer.status, 200, "{} {kind}: {}", preset.name, answer.text);
        }
    }
    assert_eq!(world.orders().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_file_was_broken_is_believed_only_if_it_is_signed() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("woo", "format = \"woocommerce\nbroken");
    world.serve(&[("HOOK", SECRET)]);
    let preset = named("woocommerce").unwrap();
    let orders: Vec<Sample> = samples(preset).into_iter().filter(|s| s.name.starts_with("order-created")).collect();
    for (sample, secret) in orders.iter().zip([SECRET, "another"]) {
        assert_eq!(send(&world, "/in/woo", sample, &signed(preset, sample, secret, 0)).await.status, 202);
    }
    world.channel("woo", "format = \"woocommerce\"\naccess.secret = { env = \"HOOK\" }\norder.source_id = 22");
    world.crm_has(1).await;
    world
        .until("the other waits for a person", || {
            world.orders().iter().any(|o| o["state"] == "held" && o["problems"].to_string().contains("wrong_token"))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tells_how_to_set_one_up() {
    let world = World::idle(Settings::default()).await;
    let table = world.cli(&["channel", "format"]).out;
    assert!(all().iter().all(|preset| table.contains(preset.name)), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(world.cli(&["channel", "format", "tilda"]).out.contains("format = \"tilda\""));
    assert!(world.cli(&["channel", "format", "opencart", "--snippet", "parom-oc4.php"]).out.starts_with("<?php"));
    assert!(world.cli(&["channel", "format", "tilda", "--mapping"]).out.contains("[order.buyer]"));
    let wrong = world.cli(&["channel", "format", "opencart", "--snippet", "nothing"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("parom-oc3.php"), "{}", wrong.err);
}

/// A hundred lines of a shop are an order like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_cart_is_taken_whole() {
    let world = world().await;
    let preset = named("shopify").unwrap();
    let mut sample = samples(preset).into_iter().find(|sample| sample.name == "orders-create").unwrap();
    let mut order: serde_json::Value = serde_json::from_slice(&sample.body).unwrap();
    let line = order["line_items"][0].clone();
    order["line_items"] = serde_json::Value::Array(vec![line; 150]);
    sample.body = order.to_string().into_bytes();
    let answer = send(&world, "/in/shopify", &sample, &signed(preset, &sample, SECRET, 0)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["products"].as_array().unwrap().len(), 150);
}
