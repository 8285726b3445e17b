//! `make screens`: pictures of the pages, wide and on a phone, into docs/ui/. A gateway, a sandbox CRM and a few orders of
//! its own; a real browser.
#![expect(clippy::unwrap_used, reason = "a picture that cannot be taken should stop the command")]

#[path = "../../tests/it/browser.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod browser;

use std::path::{Path, PathBuf};
use std::time::Duration;

use browser::{Browser, Site};
use fantoccini::Locator;
use fantoccini::key::Key;
use keycrm_sandbox::{NovaPoshtaSize, Options, Sandbox};
use parom_gateway::config::{self, Role};
use parom_gateway::passwords;
use parom_gateway::server::Gateway;
use parom_gateway::store::{Filter, Operator, Scope};

const PASSWORD: &str = "four unrelated words 7";
const CHANNEL: &str = include_str!("../../src/cli/demo/shop.toml");
/// The demo's shop, and its style.
const SHOP: &str = include_str!("../../src/cli/demo/shop.html");
const STYLE: &str = include_str!("../../src/cli/demo/shop.css");
/// An order whose branch nobody can be certain of.
const UNCLEAR: &str = "name=Оксана Ткач&phone=0671112244&product_name=Чашка&product_price=250&quantity=1&address_city=Миколаїв&\
                       receive_poin=відділення 1";
const ORDERS: [&str; 6] = [
    "name=Олена Ковальчук&phone=067 111 22 33&email=olena@ukr.net&product_sku=MUG-1&product_name=Чашка&product_price=250&quantity=2",
    "name=Тарас Мельник&phone=0502223344&email=taras@&product_name=Футболка&product_price=1 249,50&quantity=1&color=чорна",
    "name=Ірина Бондар&phone=+380931234567&product_name=Плакат&product_price=180&quantity=1&utm_source=ig",
    "name=Андрій Шевчук&phone=0671234567&product_name=Сумка&product_price=3,890&quantity=1&address_city=Львів",
    "name=Марія Гнатюк&phone=123&product_name=Листівка&product_price=45&quantity=10",
    "name=Софія Лисенко&phone=0661112233&product_name=Наліпки&product_price=64&quantity=2&address_city=Київ",
];

#[tokio::main]
async fn main() {
    let dir = tempfile::TempDir::new().unwrap();
    let crm = Sandbox::start(Options::default()).await.unwrap();
    crm.resize_novaposhta(NovaPoshtaSize { settlements: 600, branches: 4_000 });
    let gateway = gateway(dir.path(), &crm).await;
    while gateway.store.novaposhta().await.unwrap().generation == 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let base = format!("http://{}", gateway.addr);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for order in ORDERS.into_iter().chain([UNCLEAR]) {
        let body: String = form(order);
        let kind = "application/x-www-form-urlencoded";
        http.post(format!("{base}/in/shop")).header("content-type", kind).body(body).send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let browser = Browser::start().await;
    browser.client.goto(&format!("{base}/login")).await.unwrap();
    shoot(&browser, "sign-in").await;
    browser.client.find(Locator::Css("[value=uk]")).await.unwrap().click().await.unwrap();
    browser.client.find(Locator::Css("[name=name]")).await.unwrap().send_keys("olena").await.unwrap();
    browser.client.find(Locator::Css("[name=password]")).await.unwrap().send_keys(PASSWORD).await.unwrap();
    browser.client.find(Locator::Css("main button")).await.unwrap().click().await.unwrap();
    while browser.js("return location.pathname").await != "/" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    browser.client.goto(&format!("{base}/orders?state=held")).await.unwrap();
    let held = browser.js("return document.querySelector('tbody a').getAttribute('href')").await;
    let held = held.as_str().unwrap().to_owned();
    for (name, path) in [
        ("overview", "/".to_owned()),
        ("orders", "/orders".to_owned()),
        ("order", held.clone()),
        ("replay", format!("{held}/replay")),
        ("channel", "/channels/shop".to_owned()),
        ("editor", "/channels/shop/edit".to_owned()),
        ("accounts", "/accounts".to_owned()),
        ("problem", "/problems/ambiguous_number".to_owned()),
    ] {
        browser.client.goto(&format!("{base}{path}")).await.unwrap();
        shoot(&browser, name).await;
    }
    let unclear = gateway.store.orders(&Scope::All, Filter { limit: 100, ..Filter::default() }).await.unwrap();
    let unclear = unclear.iter().find(|order| order.problems.iter().any(|one| one.code.is_of_branch())).unwrap();
    browser.client.goto(&format!("{base}/orders/{}", unclear.id)).await.unwrap();
    shoot(&browser, "branch").await;
    picker(&browser, &gateway.addr.to_string()).await;
    browser.client.close().await.unwrap();
    gateway.stop().await;
    crm.stop().await;
}

/// The shop's form while a branch is chosen in it.
async fn picker(browser: &Browser, gateway: &str) {
    let site = Site::start();
    site.put("/", "text/html", &SHOP.replace("{{GATEWAY}}", gateway));
    site.put("/shop.css", "text/css", STYLE);
    browser.client.set_window_size(1280, 900).await.unwrap();
    browser.client.goto(&site.url).await.unwrap();
    let settle = || tokio::time::sleep(Duration::from_secs(1));
    for (name, text, down) in [("address_city", "микола", "town"), ("receive_poin", "1", "branch")] {
        let input = browser.client.find(Locator::Css(&format!("[name={name}]"))).await.unwrap();
        input.click().await.unwrap();
        input.send_keys(text).await.unwrap();
        settle().await;
        input.send_keys(&char::from(Key::Down).to_string()).await.unwrap();
        shoot(browser, &format!("picker-{down}")).await;
        browser.js(&format!("document.querySelector('[name={name}]').focus()")).await;
        input.send_keys(&format!("{}", char::from(Key::Enter))).await.unwrap();
        settle().await;
    }
}

fn form(text: &str) -> String {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let one = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    pairs.map(|(name, value)| format!("{name}={}", one(value))).collect::<Vec<_>>().join("&")
}

async fn gateway(dir: &Path, sandbox: &Sandbox) -> Gateway {
    let (crm, carrier) = (sandbox.api_url(), sandbox.novaposhta_url());
    std::fs::create_dir(dir.join("channels")).unwrap();
    std::fs::write(dir.join("channels/shop.toml"), CHANNEL.replace("SHOP_ADDRESS", "127.0.0.1:1")).unwrap();
    std::fs::write(dir.join("key"), "key-of-the-sandbox").unwrap();
    let text = format!(
        "listen = \"127.0.0.1:0\"\npublic_url = \"http://orders.example.ua\"\n[store]\nurl = \"sqlite:parom.db\"\nintake_min_free = \"1MiB\"\n\
         delivery_min_free = \"1MiB\"\n[accounts.main]\nurl = \"{crm}\"\napi_key = {{ file = \"key\" }}\n\
         [novaposhta]\nurl = \"{carrier}\"\napi_key = {{ file = \"key\" }}\n"
    );
    let file = dir.join("parom.toml");
    std::fs::write(&file, text).unwrap();
    let gateway = Gateway::start(config::load(&file).unwrap()).await.unwrap();
    let password = passwords::hash(PASSWORD).await.unwrap();
    let (name, role, language) = ("olena".to_owned(), Role::Admin, String::new());
    let operator = Operator { name, password, role, scope: Scope::All, language, created_at: 0 };
    gateway.store.add_operator(operator, "screens").await.unwrap();
    gateway
}

/// The page as it is on a wide screen and on a phone, as far as a first look goes.
async fn shoot(browser: &Browser, name: &str) {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ui");
    for (size, width, height) in [("wide", 1280, 900), ("phone", 390, 844)] {
        browser.client.set_window_size(width, height).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let picture = browser.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}-{size}.png")), picture).unwrap();
    }
}
