//! Channels in a store that several nodes share: what is pushed or edited on one is served by all.

use std::fs;

use super::nodes::two_of;
use super::ui::person;
use super::ui_channels::encoded;
use super::world::{Ran, SHOP, Settings, World, form};

fn rows(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.out).unwrap()
}

fn file(world: &World, name: &str) -> std::path::PathBuf {
    world.dir.path().join(format!("channels/{name}.toml"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_channel_is_served_by_every_node() {
    let Some((world, node)) = two_of(Settings::default(), |_| ()).await else { return };
    // What a node found in its files is taken once; what is changed there after that waits for a push.
    let other = SHOP.replace("source_id = 22", "source_id = 33");
    fs::write(file(&world, "shop"), &other).unwrap();
    let listed = world.cli(&["channel", "list", "--json"]);
    assert_eq!((listed.code, rows(&listed)[0]["state"].as_str()), (0, Some("ok")), "{}", listed.err);
    let pulled = world.cli(&["channel", "pull", "--json"]);
    assert_eq!((pulled.code, rows(&pulled)[0]["state"].as_str()), (1, Some("differs")), "{}", pulled.err);
    assert_eq!(fs::read_to_string(file(&world, "shop")).unwrap(), other);
    fs::write(file(&world, "second"), SHOP.replace("source_id = 22", "source_id = 44")).unwrap();
    let pushed = world.cli(&["channel", "push", "--json"]);
    assert_eq!(pushed.code, 0, "{}", pushed.err);
    let again = rows(&world.cli(&["channel", "push", "--json"]));
    assert!(again.as_array().unwrap().iter().all(|row| row["state"] == "same"), "{again}");
    world.until("the other node serves both", || node.log().matches("channel read").count() == 3).await;
    for (channel, url) in [("shop", node.url("/in/shop")), ("second", node.url("/in/second"))] {
        let request = world.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(request.body(form(channel)).send().await.unwrap().status().as_u16(), 202);
    }
    world.until("both go", || world.count(&["delivered"]) == 2).await;
    let sources: Vec<_> = world.posted().iter().map(|sent| sent.body.contains("\"source_id\":33")).collect();
    assert_eq!(sources.iter().filter(|is_33| **is_33).count(), 1, "{:?}", world.posted());
    // A broken file brings nothing in, the good one beside it neither.
    fs::write(file(&world, "second"), "account = ").unwrap();
    fs::write(file(&world, "third"), SHOP).unwrap();
    let refused = world.cli(&["channel", "push"]);
    assert!(refused.code == 2 && refused.err.contains("second.toml:1"), "{} {}", refused.code, refused.err);
    // Taken out: no node serves it, and no leftover file brings it back.
    fs::remove_file(file(&world, "second")).unwrap();
    let removed = rows(&world.cli(&["channel", "push", "--delete", "--json"]));
    assert!(removed.as_array().unwrap().iter().any(|row| row["name"] == "second" && row["state"] == "removed"));
    let url = node.url("/in/second");
    let mut status = 0;
    for _ in 0..60 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        status = world.http.post(&url).body(form("late")).send().await.unwrap().status().as_u16();
        if status == 404 {
            break;
        }
    }
    assert_eq!(status, 404, "{}", node.log());
    fs::remove_file(file(&world, "shop")).unwrap();
    let pulled = world.cli(&["channel", "pull", "shop"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert_eq!(fs::read_to_string(file(&world, "shop")).unwrap(), other);
}

/// Saved on one node's page, served by the other; who read an older text is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_edited_on_one_node_is_served_by_the_other() {
    let Some((world, node)) = two_of(Settings::default(), |_| ()).await else { return };
    let boss = person(&world, "boss", "admin", &[]).await;
    let page = boss.get(&world, "/channels/shop/edit?text").await.text;
    let base = page.split("name=\"base\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let text = SHOP.replace("{{ name }}", "{{ name | upper }}");
    let edit = encoded(&[("base", &base), ("text", &text), ("act", "save")]);
    let saved = boss.post(&world, "/channels/shop/edit", &edit).await;
    assert_eq!((saved.status, saved.header("location")), (303, "/channels/shop?saved=1"), "{}", saved.text);
    let stale = boss.post(&world, "/channels/shop/edit", &edit).await;
    assert_eq!(stale.status, 409);
    world.until("the other node serves it", || node.log().matches("channel read").count() == 2).await;
    let request = world.http.post(node.url("/in/shop")).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.body(form("Edited")).send().await.unwrap().status().as_u16(), 202);
    world.until("it goes", || world.count(&["delivered"]) == 1).await;
    assert!(world.posted()[0].body.contains("EDITED"), "{:?}", world.posted());
}

/// With a file of orders the files are the truth, and a push would do nothing.
#[tokio::test(flavor = "multi_thread")]
async fn push_says_what_it_is_for() {
    let world = World::of_file(Settings::default()).await;
    for command in ["push", "pull"] {
        let refused = world.cli(&["channel", command]);
        assert!(refused.code == 2 && refused.err.contains("PostgreSQL"), "{} {}", refused.code, refused.err);
    }
}
