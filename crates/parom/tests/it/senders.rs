//! The senders that we hand out, through an outage of a minute: the order is kept on the sender's side and arrives once.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fantoccini::Locator;
use tempfile::TempDir;

use super::browser::{Browser, Site};
use super::world::{SHOP, Settings, World};

/// How long the gateway is away.
const OUTAGE: Duration = Duration::from_secs(60);

async fn world() -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world
}

fn page(gateway: &str) -> String {
    format!(
        "<!doctype html><html lang=\"uk\"><meta name=\"viewport\" content=\"width=device-width\"><title>Shop</title>\
         <script src=\"/parom.js\" defer></script>\
         <form data-parom method=\"post\" action=\"{gateway}\"><input name=\"name\"><input name=\"phone\">\
         <input name=\"product\" value=\"Mug\"><input name=\"price\" value=\"250\"><button>Buy</button></form></html>"
    )
}

async fn fill(browser: &Browser, name: &str) {
    for (field, value) in [("name", name), ("phone", "0671112233")] {
        let field = browser.client.find(Locator::Css(&format!("[name={field}]"))).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }
    browser.client.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
}

/// Accepted orders are taken out of the browser.
async fn nothing_waits(browser: &Browser) {
    for _ in 0..200 {
        if browser.js("return Parom.pending()").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("an order waits in the browser still");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_served_small_and_as_what_it_is() {
    let world = world().await;
    let script = world.get("/assets/parom.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert!(script.text.len() < 6 * 1024, "{} bytes", script.text.len());
    let php = world.get("/assets/parom.php").await;
    assert_eq!((php.status, php.header("content-type")), (200, "text/plain; charset=utf-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browsers_order_survives_a_minute_without_the_gateway_and_arrives_once() {
    let mut world = world().await;
    let site = Site::start();
    site.put("/", "text/html", &page(&world.url("/in/shop")));
    site.put("/parom.js", "text/javascript", &world.get("/assets/parom.js").await.text);
    let browser = Browser::start().await;

    // The answer is lost: the order is there, and the repeat by its key makes no other.
    world.stop();
    world.serve(&[("PAROM_CRASH_AT", "intake.after_accept")]);
    browser.client.goto(&format!("{}/?utm_source=ig", site.url)).await.unwrap();
    fill(&browser, "Lost").await;
    world.died().await;
    world.serve(&[]);
    world.crm_has(1).await;
    nothing_waits(&browser).await;

    // The gateway is away for a minute; the buyer clicks twice, and leaves the page.
    browser.client.goto(&format!("{}/?utm_source=ig", site.url)).await.unwrap();
    world.kill();
    let away = Instant::now();
    fill(&browser, "Olena").await;
    browser.js("document.querySelector('form').requestSubmit()").await;
    let said = browser.js("return document.querySelector('[role=status]').textContent").await;
    assert_eq!(said, "Замовлення збережено, буде надіслано.");
    tokio::time::sleep(Duration::from_secs(5)).await;
    browser.client.goto(&site.url).await.unwrap();
    assert_eq!(browser.js("return Parom.pending()").await, 1, "kept over a reload");
    tokio::time::sleep(OUTAGE.saturating_sub(away.elapsed())).await;
    world.serve(&[]);
    world.crm_has(2).await;
    nothing_waits(&browser).await;
    let orders = world.crm.orders();
    assert_eq!((orders.len(), world.orders().len()), (2, 2));
    assert_eq!(orders[1]["buyer"]["full_name"], "Olena");
    assert_eq!(orders[1]["marketing"]["utm_source"], "ig", "the page's marks come along");
}

/// The script asks for the form time when the page is opened, and for another one after each order.
#[tokio::test(flavor = "multi_thread")]
async fn the_script_fills_in_the_form_time() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", &format!("{SHOP}[spam]\nmin = \"1ms\"\nhoneypot = \"website\"\n"));
    world.serve(&[]);
    let site = Site::start();
    let hidden = "<input type=\"hidden\" name=\"parom_time\"><input name=\"website\" hidden><button>";
    site.put("/", "text/html", &page(&world.url("/in/shop")).replace("<button>", hidden));
    site.put("/parom.js", "text/javascript", &world.get("/assets/parom.js").await.text);
    let browser = Browser::start().await;
    browser.client.goto(&site.url).await.unwrap();
    let mut used = Vec::new();
    for name in ["Olena", "Ivan"] {
        for _ in 0..100 {
            let time = browser.js("return document.querySelector('[name=parom_time]').value").await;
            if time != "" && !used.contains(&time) {
                used.push(time);
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        browser.js("document.querySelectorAll('button').forEach(button => button.disabled = false)").await;
        fill(&browser, name).await;
        nothing_waits(&browser).await;
    }
    world.crm_has(2).await;
    assert!(used.len() == 2 && world.orders().iter().all(|order| order["problems"] == serde_json::json!([])));
}

/// The page's language is the buyer's: why an order is not taken is said in it, and what was typed stays in the form.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_buyer_reads_why_in_the_language_of_the_page() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", &SHOP.replacen("on_repeat", "on_invalid = \"reject\"\non_repeat", 1));
    world.serve(&[]);
    let site = Site::start();
    let text = page(&world.url("/in/shop"))
        .replace("value=\"250\">", "value=\"250\"><input name=\"email\" value=\"o@@shop\">");
    site.put("/", "text/html", &text);
    site.put("/parom.js", "text/javascript", &world.get("/assets/parom.js").await.text);
    let browser = Browser::start().await;
    browser.client.goto(&site.url).await.unwrap();
    fill(&browser, "Olena").await;
    nothing_waits(&browser).await;
    let said = browser.js("return document.querySelector('[role=status]').textContent").await;
    assert_eq!(said, "Не прийнято. Це не схоже на адресу пошти: перевірте її.");
    assert_eq!(browser.js("return document.querySelector('[name=name]').value").await, "Olena");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_the_form_is_posted_all_the_same() {
    let world = world().await;
    let site = Site::start();
    // The script is not there: what is left is a form.
    site.put("/", "text/html", &page(&world.url("/in/shop")));
    let browser = Browser::start().await;
    browser.client.goto(&site.url).await.unwrap();
    fill(&browser, "Plain").await;
    world.crm_has(1).await;
    assert!(browser.client.source().await.unwrap().contains("P-"), "the thank-you page shows the number");
}

/// What a shop's script does with the lines of PHP.
const ORDER: &str = "<?php require __DIR__ . '/parom.php';\n\
    echo parom_send(['name' => 'Olena', 'phone' => '0671112233', 'product' => 'Mug', 'price' => 250]) ? 'safe' : 'lost';";

fn php(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new("php")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("php is needed: scripts/install-tools installs it");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn phps_order_survives_a_minute_without_the_gateway_and_arrives_once() {
    let mut world = world().await;
    let shop = TempDir::new().unwrap();
    let lines = world.get("/assets/parom.php").await.text;
    assert!(lines.contains("https://gateway.example/in/shop"));
    let lines = lines.replace("https://gateway.example/in/shop", &world.url("/in/shop"));
    fs::write(shop.path().join("parom.php"), lines).unwrap();
    fs::write(shop.path().join("order.php"), ORDER).unwrap();

    // The answer is lost: kept beside the script, and the repeat makes no second order.
    world.stop();
    world.serve(&[("PAROM_CRASH_AT", "intake.after_accept")]);
    assert_eq!(php(shop.path(), &["order.php"]), (0, "safe".into()));
    world.died().await;
    world.serve(&[]);
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (0, "accepted 1, refused 0, waiting 0".into()));
    world.crm_has(1).await;

    world.kill();
    let away = Instant::now();
    assert_eq!(php(shop.path(), &["order.php"]), (0, "safe".into()));
    while away.elapsed() < OUTAGE {
        assert_eq!(php(shop.path(), &["parom.php", "drain"]), (1, "accepted 0, refused 0, waiting 1".into()));
        tokio::time::sleep(Duration::from_secs(15).min(OUTAGE.saturating_sub(away.elapsed()))).await;
    }
    world.serve(&[]);
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (0, "accepted 1, refused 0, waiting 0".into()));
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (0, "accepted 0, refused 0, waiting 0".into()));
    world.crm_has(2).await;
    assert_eq!((world.crm.orders().len(), world.orders().len()), (2, 2));
}

/// What is not the gateway's word about the order refuses none: it waits until the token is right.
#[tokio::test(flavor = "multi_thread")]
async fn phps_order_waits_for_its_token_and_a_refusal_is_told_by_cron() {
    let mut world = World::idle(Settings::default()).await;
    let locked = format!(
        "{}[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n",
        SHOP.replacen("on_repeat", "on_invalid = \"reject\"\non_repeat", 1)
    );
    world.channel("shop", &locked);
    world.serve(&[]);
    let shop = TempDir::new().unwrap();
    let lines = world.get("/assets/parom.php").await.text;
    let lines = lines.replace("https://gateway.example/in/shop", &world.url("/in/shop"));
    let with = |token: &str| {
        let text = lines.replace("PAROM_TOKEN = ''", &format!("PAROM_TOKEN = '{token}'"));
        fs::write(shop.path().join("parom.php"), text).unwrap();
    };
    fs::write(shop.path().join("order.php"), ORDER).unwrap();
    with("wrong-token");
    assert_eq!(php(shop.path(), &["order.php"]), (0, "safe".into()));
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (1, "accepted 0, refused 0, waiting 1".into()));
    with("right-token");
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (0, "accepted 1, refused 0, waiting 0".into()));
    world.crm_has(1).await;
    // Kept while the gateway was away, and refused by it when it is back.
    fs::write(shop.path().join("order.php"), ORDER.replace("0671112233", "12")).unwrap();
    world.stop();
    assert_eq!(php(shop.path(), &["order.php"]), (0, "safe".into()));
    world.serve(&[]);
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (1, "accepted 0, refused 1, waiting 0".into()));
    assert_eq!(php(shop.path(), &["parom.php", "drain"]), (0, "accepted 0, refused 0, waiting 0".into()));
}
