//! The operator's pages in a real browser: as a manager uses them, on a phone, by keyboard, and by the rules for those who
//! see or hear less.

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::Locator;
use fantoccini::key::Key;

use super::browser::{Browser, Site};
use super::ui::{PASSWORD, person};
use super::world::{World, form};

/// The rules' file, as scripts/install-tools puts it.
pub(crate) fn axe() -> String {
    let cache = std::env::var("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache"));
    let files =
        std::fs::read_dir(cache.join("parom-tests")).expect("axe-core is needed: scripts/install-tools installs it");
    let mut found: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    found.sort();
    std::fs::read_to_string(found.last().expect("scripts/install-tools installs axe-core")).unwrap()
}

pub(crate) async fn sign_in(browser: &Browser, world: &World) {
    browser.client.goto(&world.url("/orders")).await.unwrap();
    browser.client.find(Locator::Css("[name=name]")).await.unwrap().send_keys("olena").await.unwrap();
    let password = browser.client.find(Locator::Css("[name=password]")).await.unwrap();
    password.send_keys(&format!("{PASSWORD}{}", char::from(Key::Enter))).await.unwrap();
    wait(browser, "the orders", "return location.pathname === '/orders'").await;
}

pub(crate) async fn wait(browser: &Browser, what: &str, script: &str) {
    for _ in 0..300 {
        if browser.client.execute(script, Vec::new()).await.is_ok_and(|value| value == true) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let text = browser.js("return location.href + '\\n' + document.body.innerText").await;
    panic!("never: {what}\n{text}");
}

async fn click(browser: &Browser, css: &str) {
    browser.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
}

async fn press(browser: &Browser, key: Key) {
    let focused = browser.client.active_element().await.unwrap();
    focused.send_keys(&char::from(key).to_string()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_finds_an_order_by_phone_mends_it_and_sees_it_delivered() {
    let world = World::start().await;
    person(&world, "olena", "operator", &[]).await;
    world.post("/in/shop", &form("Ivan").replace("067", "050")).await;
    let body = "name=Olha&phone=0671112233&product=Mug&price=1,249";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let browser = Browser::start().await;
    sign_in(&browser, &world).await;
    let search = browser.client.find(Locator::Css("[name=text]")).await.unwrap();
    search.send_keys(&format!("067 111 22 33{}", char::from(Key::Enter))).await.unwrap();
    wait(&browser, "the one order", "return document.querySelectorAll('tbody tr').length === 1").await;
    click(&browser, "tbody a[href^='/orders/']").await;
    wait(&browser, "the order's page", "return !!document.querySelector('[name=\"set:products.0.price\"]')").await;
    click(&browser, "a[href$='/replay']").await;
    wait(&browser, "the difference", "return !!document.querySelector('table.difference')").await;
    browser.client.back().await.unwrap();
    let price = browser.client.find(Locator::Css("[name='set:products.0.price']")).await.unwrap();
    price.send_keys("1249").await.unwrap();
    // The button at the top sends what was just written.
    click(&browser, ".actions button.main").await;
    // Nobody loads the page again: it follows the order by itself.
    wait(&browser, "delivered", "return !!document.querySelector('h1 .state.delivered')").await;
    world.reaches(&id, "delivered").await;
    click(&browser, "button[name=language][value=ru]").await;
    wait(&browser, "Russian", "return document.documentElement.lang === 'ru'").await;
    assert_eq!(browser.js("return document.querySelector('h1 .state').textContent").await, "В CRM");
    assert_eq!(browser.js("return location.pathname").await, format!("/orders/{id}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_keyboard_on_a_phone_and_by_the_rules() {
    let world = World::start().await;
    person(&world, "olena", "admin", &[]).await;
    let held = world.post("/in/shop", "name=Olha&phone=0671112233&product=Mug&price=1,249&email=bad").await;
    let id = held.json()["id"].as_str().unwrap().to_owned();
    world.post("/in/shop", &form("Ivan")).await;
    world.crm_has(1).await;
    let browser = Browser::start().await;
    let rules = axe();
    check(&browser, &world, &rules, "/login").await;
    sign_in(&browser, &world).await;
    let order = format!("/orders/{id}");
    let replay = format!("{order}/replay");
    for path in [
        "/",
        "/orders",
        &order,
        &replay,
        "/channels",
        "/channels/shop",
        "/channels/shop/edit",
        "/channels/shop/history",
        "/new-channel",
        "/accounts",
        "/problems/required",
        "/people",
        "/tokens",
        "/me",
    ] {
        check(&browser, &world, &rules, path).await;
    }
    // The first key goes to what skips the menu, then through the menu.
    browser.client.goto(&world.url("/")).await.unwrap();
    press(&browser, Key::Tab).await;
    assert_eq!(browser.js("return document.activeElement.className").await, "skip");
    press(&browser, Key::Enter).await;
    assert_eq!(browser.js("return document.activeElement.id").await, "main");
    browser.client.goto(&world.url("/")).await.unwrap();
    for _ in 0..4 {
        press(&browser, Key::Tab).await;
    }
    press(&browser, Key::Enter).await;
    wait(&browser, "the orders by keyboard", "return location.pathname === '/orders'").await;
    // A box is ticked and the chosen are sent without a mouse.
    browser.js("document.querySelector('tbody input[name=id]').focus()").await;
    press(&browser, Key::Space).await;
    assert_eq!(browser.js("return document.querySelectorAll('[name=id]:checked').length").await, 1);
    browser.js("document.querySelector('[name=act][value=retry]').focus()").await;
    press(&browser, Key::Enter).await;
    wait(&browser, "what came of it", "return !!document.querySelector('[role=status]')").await;
}

/// The demo's shop, the page of thanks and the one of refusal: the first that anybody sees.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_buyer_sees_by_the_rules() {
    let world = World::start().await;
    let shop = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo");
    let read = |name: &str| std::fs::read_to_string(shop.join(name)).unwrap();
    let gateway = format!("127.0.0.1:{}", world.port());
    let site = Site::start();
    site.put("/", "text/html", &read("shop.html").replace("{{GATEWAY}}", &gateway));
    site.put("/wrong", "text/html", &read("shop.html").replace("{{GATEWAY}}/in/shop", &format!("{gateway}/in/none")));
    site.put("/thanks", "text/html", &read("thanks.html").replace("{{CRM}}", &gateway));
    site.put("/shop.css", "text/css", &read("shop.css"));
    let browser = Browser::start().await;
    let rules = axe();
    for (path, heading) in [("/", "Дякуємо"), ("/wrong", "не прийнято")] {
        browser.client.goto(&format!("{}{path}", site.url)).await.unwrap();
        hold(&browser, &rules, "the shop").await;
        browser.js("document.querySelector('[name=name]').value = 'Ivan'; document.querySelector('[name=phone]').value = '0671112233'; document.querySelector('form').submit()").await;
        wait(
            &browser,
            heading,
            "return location.port !== '' && location.pathname.startsWith('/in/') && !!document.querySelector('h1')",
        )
        .await;
        hold(&browser, &rules, heading).await;
    }
    browser.client.goto(&format!("{}/thanks", site.url)).await.unwrap();
    hold(&browser, &rules, "the shop's thanks").await;
}

/// No serious finding, and nothing wider than the phone.
async fn check(browser: &Browser, world: &World, rules: &str, path: &str) {
    browser.client.goto(&world.url(path)).await.unwrap();
    hold(browser, rules, path).await;
}

async fn hold(browser: &Browser, rules: &str, what: &str) {
    let wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.js(wide).await, false, "{what} is wider than a phone");
    browser.js(rules).await;
    let run = "const done = arguments[0]; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})
        .then(r => done(r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
            .map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))), e => done([String(e)]))";
    let found = browser.client.execute_async(run, Vec::new()).await.unwrap();
    assert_eq!(found, serde_json::json!([]), "{what}");
}
