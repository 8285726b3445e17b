//! The vendor's published script, run by a real PHP with only its address and its key changed.
//!
//! `script.php` has its fields and its shape, written anew and corrected only where PHP cannot parse the published one: a
//! missing comma, and a list inside one index.

use std::process::Command;

use super::world::{Settings, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_script_works_with_its_address_and_key_changed() {
    let mut world = World::idle(Settings::default()).await;
    world
        .channel("script", "account = \"main\"\n[access]\ntoken = { env = \"TEST_TOKEN\" }\n[order]\nsource_id = 22\n");
    world.serve(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/script.php");
    let output = Command::new("php")
        .args(["-d", "display_errors=stderr", script])
        .env("ORDER_URL", world.url("/v1/order"))
        .env("ORDER_KEY", "right-token")
        .output()
        .expect("php is needed: scripts/install-tools installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    let order = &world.crm.orders()[0];
    assert_eq!(answer["id"], order["id"], "the script reads the CRM's own answer");
    assert_eq!(order["buyer"]["phone"], "+380671112233");
    assert_eq!(order["products"][0]["properties"][0]["value"], "Space Gray");
    assert_eq!(order["payments"][0]["status"], "paid");
    assert_eq!(order["marketing"]["utm_source"], "ig");
    let value = &order["custom_fields"][1]["value"];
    assert_eq!(value.to_string(), "[\"one\",\"two\"]");
    assert_eq!(world.orders().len(), 1);
}
