//! F3 and F20: a disk that is full, or fails.

use std::fs;
use std::process::{Command, Stdio};

use fantoccini::Locator;

use super::browser::{Browser, Site};
use super::ui_browser::wait;
use super::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";

/// F20: intake stops first; nothing is sent that could not be recorded; both recover by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn f20_below_its_gate_intake_says_so_and_keeps_the_buyers_input() {
    let mut world = World::of_file(Settings {
        store: "intake_min_free = \"1000TiB\"\ndelivery_min_free = \"1MiB\"",
        ..Settings::default()
    })
    .await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let answer = world.post("/in/shop", &form("A")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "10"));
    assert_eq!(world.get("/readyz").await.status, 503);
    assert_eq!(world.get("/healthz").await.status, 200);
    let body = format!("{}&note=%3Cb%3E%22hi%22", form("A"));
    let page = world.send("/in/shop?from=ad", FORM, body.into(), &[("accept", "text/html")]).await;
    assert_eq!((page.status, page.header("retry-after")), (503, "10"));
    assert!(page.text.contains("name=\"phone\"") && page.text.contains("067 111-22-33"), "{}", page.text);
    assert!(page.text.contains("&lt;b&gt;&quot;hi&quot;"), "what the buyer typed is text, not markup");
    let action = page.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(action.starts_with("/in/shop?from=ad&parom_again="), "{action}");
    assert_eq!(world.orders().len(), 0);
    // There is room again: the page's own repeats make one order.
    world.stop();
    let text = fs::read_to_string(world.config()).unwrap().replace("1000TiB", "1MiB");
    fs::write(world.config(), text).unwrap();
    world.serve(&[]);
    for _ in 0..3 {
        assert!(world.post(&action, &form("A")).await.status < 300);
    }
    world.crm_has(1).await;
    assert_eq!(world.orders().len(), 1);
}

/// The page of a browser whose form has fields that scripts stumble over, sent from the one site that the channel lists: it
/// goes again by itself, as what it first was.
#[tokio::test(flavor = "multi_thread")]
async fn f20_the_page_sends_itself_again_when_there_is_room() {
    let store = "intake_min_free = \"1000TiB\"\ndelivery_min_free = \"1MiB\"";
    let mut world = World::of_file(Settings { store, ..Settings::default() }).await;
    let site = Site::start();
    let origin = site.url.trim_end_matches('/');
    world.channel("shop", &format!("{SHOP}[access]\norigins = [\"{origin}\"]\n"));
    world.serve(&[]);
    let fields = "<input name=\"name\" value=\"Ivan\"><input name=\"phone\" value=\"0671112233\">\
                  <input name=\"product\" value=\"Mug\"><input name=\"price\" value=\"250\">\
                  <input name=\"dataset\" value=\"x\"><input type=\"submit\" name=\"submit\" value=\"Send\">";
    let html = format!("<form method=\"post\" action=\"{}\">{fields}</form>", world.url("/in/shop"));
    site.put("/", "text/html", &html);
    let browser = Browser::start().await;
    browser.client.goto(&site.url).await.unwrap();
    browser.client.find(Locator::Css("[type=submit]")).await.unwrap().click().await.unwrap();
    wait(&browser, "it waits", "return !!document.querySelector('#wait:not([hidden])')").await;
    assert_eq!(world.orders().len(), 0);
    world.stop();
    let text = fs::read_to_string(world.config()).unwrap().replace("1000TiB", "1MiB");
    fs::write(world.config(), text).unwrap();
    world.serve(&[]);
    wait(&browser, "thanks", "return !!document.querySelector('.mark.good')").await;
    world.crm_has(1).await;
    let order = world.order(world.orders()[0]["id"].as_str().unwrap());
    assert_eq!((world.orders().len(), &order["state"]), (1, &"delivered".into()), "{order}");
    let context = &order["submission"]["context"];
    assert!(context["page"].as_str().unwrap().starts_with(&site.url), "the page that it came from: {context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f20_below_its_gate_delivery_stops_before_it_sends() {
    let mut world = World::of_file(Settings {
        store: "intake_min_free = \"1MiB\"\ndelivery_min_free = \"1000TiB\"",
        ..Settings::default()
    })
    .await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let answer = world.post("/in/shop", &form("A")).await;
    assert_eq!(answer.status, 202);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!((world.crm_posts(), world.orders()[0]["state"].as_str().unwrap()), (0, "queued"));
}

/// F3, F20 on a real file system that is full: what is answered 2xx is there, what is not kept is 503, and when there is
/// room again it goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn f20_a_disk_that_is_really_full_loses_nothing() {
    let mut world = World::of_file(Settings {
        store: "intake_min_free = \"1B\"\ndelivery_min_free = \"1B\"",
        ..Settings::default()
    })
    .await;
    let mount = world.dir.path().join("disk");
    fs::create_dir(&mount).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&mount).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this test mounts a small disk, which only root may");
        return;
    }
    let _unmount = Unmount(mount.clone());
    let text = fs::read_to_string(world.config()).unwrap().replace("sqlite:parom.db", "sqlite:disk/parom.db");
    fs::write(world.config(), text).unwrap();
    world.channel("shop", SHOP);
    world.serve(&[]);
    let (mut kept, mut refused) = (0, 0);
    for number in 0..400 {
        let body = format!("{}&filler={}", form(&format!("F{number}")), "x".repeat(4_000));
        match world.post("/in/shop", &body).await.status {
            202 => kept += 1,
            503 => refused += 1,
            other => panic!("answered {other}"),
        }
        if refused == 20 {
            break;
        }
    }
    assert!(kept >= 5 && refused == 20, "{kept} kept, {refused} refused");
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&mount).status().unwrap();
    assert!(grown.success());
    world.until("it accepts again", || std::net::TcpStream::connect(("127.0.0.1", world.port())).is_ok()).await;
    // It looks at the disk now and then.
    let mut last = 503;
    for _ in 0..200 {
        last = world.post("/in/shop", &form("Last")).await.status;
        if last == 202 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(last, 202);
    world.crm_has(kept + 1).await;
    world.until("all are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    let numbers: Vec<String> =
        world.orders().iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers.len(), kept + 1);
    world.assert_once(&numbers);
    world.stop();
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A file that is no database is not opened, and not touched.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_refused_and_left_alone() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    let damaged = b"this is no database, and long enough to be looked at as one".repeat(100);
    fs::write(world.dir.path().join("parom.db"), &damaged).unwrap();
    world.serve(&[]);
    assert_eq!(world.died().await, Some(2));
    assert_eq!(fs::read(world.dir.path().join("parom.db")).unwrap(), damaged);
}

/// One `serve` a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_serve_on_the_same_store_is_refused() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let text = fs::read_to_string(world.config()).unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let moved = world.dir.path().join("other.toml");
    fs::write(&moved, text.replace(&format!("127.0.0.1:{}", world.port()), &format!("127.0.0.1:{other}"))).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_parom"))
        .args(["serve", "--config"])
        .arg(&moved)
        .env("TEST_CRM_KEY", "k")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another `parom serve` runs on this store"));
}

/// The log's disk is full, or nobody reads it any more: lines are lost, and orders are taken and delivered.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_ends_nothing() {
    let world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut gateway = world.command(&[]).arg("serve").stdout(Stdio::null()).stderr(full).spawn().unwrap();
    while world.http.get(world.url("/healthz")).send().await.is_err() {
        assert!(gateway.try_wait().unwrap().is_none(), "it ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for name in ["First", "Second"] {
        assert_eq!(world.post("/in/shop", &form(name)).await.status, 202);
    }
    world.crm_has(2).await;
    assert!(gateway.try_wait().unwrap().is_none(), "it ended");
    gateway.kill().unwrap();
    gateway.wait().unwrap();
}
