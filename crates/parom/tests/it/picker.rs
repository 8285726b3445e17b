//! The picker of branches in a real browser, wide and as a phone, by mouse and by keyboard, and where it does not run.

use std::time::Duration;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::Value;

use super::browser::{Browser, Site};
use super::novaposhta;
use super::ui::person;
use super::ui_browser::{self, axe};
use super::world::World;

/// Whether the first that is offered is number 9.
const FIRST_IS_9: &str = "const first = document.querySelector('.parom-np:not([hidden]) li');
                          return !!first && first.innerText.includes('№9')";

fn page(gateway: &str, script: &str) -> String {
    format!(
        "<!doctype html><html lang=\"uk\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Крамниця</title><script src=\"{script}\" defer></script></head><body><main><h1>Замовлення</h1>\
         <form method=\"post\" action=\"{gateway}\"><label>Ім’я <input name=\"name\" value=\"Олена\"></label>\
         <label>Телефон <input name=\"phone\" value=\"0671112233\"></label>\
         <label>Місто <input name=\"city\" data-np-city></label>\
         <label>Відділення <input name=\"branch\" data-np-branch data-np-ref=\"ref\"></label>\
         <button>Замовити</button></form></main></body></html>"
    )
}

/// A shop's page beside a gateway with a directory.
async fn shop(world: &World) -> (Site, Browser) {
    let site = Site::start();
    site.put("/", "text/html", &page(&world.url("/in/shop"), &world.url("/assets/picker.js")));
    let browser = Browser::start().await;
    browser.client.goto(&site.url).await.unwrap();
    (site, browser)
}

async fn until(browser: &Browser, what: &str, script: &str) -> Value {
    for _ in 0..100 {
        let found = browser.js(script).await;
        if found.as_bool() != Some(false) && !found.is_null() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let html = browser.client.source().await.unwrap();
    panic!("never: {what}\n{html}");
}

async fn options(browser: &Browser) -> Vec<String> {
    let script = "const list = [...document.querySelectorAll('.parom-np')].find(list => !list.hidden);
                  return list ? [...list.children].map(item => item.innerText) : null";
    let found = until(browser, "a list is open", script).await;
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

async fn typed(browser: &Browser, name: &str, text: &str) {
    let input = browser.client.find(Locator::Css(&format!("[name={name}]"))).await.unwrap();
    input.click().await.unwrap();
    input.send_keys(text).await.unwrap();
}

async fn press(browser: &Browser, keys: &str) {
    browser.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
}

async fn value(browser: &Browser, name: &str) -> String {
    let value = browser.js(&format!("return document.querySelector('[name={name}]').value")).await;
    value.as_str().unwrap().to_owned()
}

/// The shipping of the CRM's so-many-th order.
async fn shipping(world: &World, orders: usize) -> Value {
    world.until("it is in the CRM", || world.crm.orders().len() == orders).await;
    world.crm.orders()[orders - 1]["shipping"].clone()
}

async fn no_findings(browser: &Browser) {
    browser.js(&axe()).await;
    let run = "const done = arguments[0]; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})
        .then(found => done(found.violations.map(one => [one.id, one.impact, one.nodes.map(node => node.html)])))";
    let found = browser.client.execute_async(run, Vec::new()).await.unwrap();
    assert_eq!(found.as_array().map(Vec::len), Some(0), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_chosen_by_mouse_and_arrives_with_its_ref() {
    let world = novaposhta::start().await;
    let (_site, browser) = shop(&world).await;
    for (at, (width, height)) in [(390, 844), (1280, 900)].into_iter().enumerate() {
        browser.client.set_window_size(width, height).await.unwrap();
        browser.client.goto(&_site.url).await.unwrap();
        typed(&browser, "city", "микола").await;
        let towns = options(&browser).await;
        assert!(towns.iter().any(|town| town.contains("Львівська обл.")), "{towns:?}");
        let overflow = "return document.documentElement.scrollWidth > innerWidth";
        assert_eq!(browser.js(overflow).await, false, "nothing is wider than the screen at {width}");
        no_findings(&browser).await;
        let place = towns.iter().position(|town| town.contains("Львівська обл.")).unwrap();
        let item = format!(".parom-np:not([hidden]) li:nth-child({})", place + 1);
        browser.client.find(Locator::Css(&item)).await.unwrap().click().await.unwrap();
        assert!(value(&browser, "city").await.starts_with("Миколаїв (Стрийський р-н, Львівська обл."));
        typed(&browser, "branch", "1").await;
        // The list of all gives way to that of the number.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let branches = options(&browser).await;
        assert!(branches[0].starts_with("Відділення №1"), "{branches:?}");
        no_findings(&browser).await;
        browser.client.find(Locator::Css(".parom-np:not([hidden]) li")).await.unwrap().click().await.unwrap();
        let (reference, text) = (value(&browser, "ref").await, value(&browser, "branch").await);
        assert_eq!((reference.len(), text.as_str()), (36, branches[0].lines().next().unwrap()));
        browser.client.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
        let sent = shipping(&world, at + 1).await;
        assert_eq!((&sent["warehouse_ref"], &sent["delivery_service_id"]), (&reference.into(), &1.into()), "{sent}");
        assert!(sent["shipping_address_city"].as_str().unwrap().starts_with("Миколаїв"), "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_chosen_by_keyboard_and_forgotten_when_the_text_changes() {
    let world = novaposhta::start().await;
    let (_site, browser) = shop(&world).await;
    let (down, enter, tab, escape) =
        (char::from(Key::Down), char::from(Key::Enter), char::from(Key::Tab), char::from(Key::Escape));
    browser.js("document.querySelector('[name=city]').focus()").await;
    press(&browser, "киев").await;
    assert!(options(&browser).await[0].starts_with("Київ"));
    press(&browser, &down.to_string()).await;
    let active = "const input = document.activeElement, id = input.getAttribute('aria-activedescendant');
                  return id ? [input.getAttribute('aria-expanded'), document.getElementById(id).getAttribute('aria-selected')] : null";
    assert_eq!(until(&browser, "an option is active", active).await, serde_json::json!(["true", "true"]));
    press(&browser, &enter.to_string()).await;
    assert_eq!(value(&browser, "city").await, "Київ");
    assert_eq!(browser.js("return location.pathname").await, "/", "Enter chose, and did not send the form");
    press(&browser, &tab.to_string()).await;
    assert!(options(&browser).await.len() >= 20, "a branch's list opens by itself");
    press(&browser, "поштомат 1001").await;
    until(&browser, "one locker", "return document.querySelectorAll('.parom-np:not([hidden]) li').length === 1").await;
    press(&browser, &format!("{down}{enter}")).await;
    assert!(value(&browser, "branch").await.contains("№1001"));
    assert_eq!(value(&browser, "ref").await.len(), 36);
    // Another letter, and it is a text again; Escape closes the list, and the text stays.
    press(&browser, " б").await;
    assert_eq!(value(&browser, "ref").await, "");
    press(&browser, &escape.to_string()).await;
    until(&browser, "it is closed", "return !document.querySelector('.parom-np:not([hidden])')").await;
    assert!(value(&browser, "branch").await.ends_with(" б"));
}

/// The branch that a buyer picked is closed by now: no text leads to another, so an operator searches for one, or types it.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_finds_another_branch_on_the_orders_page() {
    let world = novaposhta::start().await;
    person(&world, "olena", "operator", &[]).await;
    let careful = novaposhta::SHOP.replacen("on_repeat", "unclear_branch = \"hold\"\non_repeat", 1);
    world.channel("careful", &careful);
    world.until("the channel is there", || world.log().contains("\"channel\":\"careful\",\"version\"")).await;
    let town = novaposhta::settlement(&world, "Одеса").await;
    let found = novaposhta::search(&world, &format!("/np/warehouses?settlement_ref={town}&q=7")).await;
    let closed = found["warehouses"][0]["ref"].as_str().unwrap();
    world.crm.close_branch(closed);
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    novaposhta::fetched(&world, 2).await;
    let browser = Browser::start().await;
    ui_browser::sign_in(&browser, &world).await;
    for searches in [true, false] {
        let body = format!("name=Olena&phone=0671112233&city=Одеса&ref={closed}");
        let id = world.post("/in/careful", &body).await.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(world.order(&id)["reason"], "branch_closed");
        browser.client.goto(&world.url(&format!("/orders/{id}"))).await.unwrap();
        no_findings(&browser).await;
        typed(&browser, "town", "Одеса").await;
        if searches {
            typed(&browser, "line", "9").await;
            until(&browser, "the one of the number is first", FIRST_IS_9).await;
            browser.client.find(Locator::Css(".parom-np:not([hidden]) li")).await.unwrap().click().await.unwrap();
            assert_eq!(value(&browser, "ref").await.len(), 36);
        } else {
            typed(&browser, "line", "відд. №9").await;
            press(&browser, &char::from(Key::Escape).to_string()).await;
        }
        browser
            .js("const own = document.querySelector('[name=line]').form; setTimeout(() => own.requestSubmit())")
            .await;
        let sent = shipping(&world, if searches { 1 } else { 2 }).await;
        let text = sent["shipping_receive_point"].as_str().unwrap();
        assert!(text.contains("№9") && !text.contains("№7"), "the closed one's words would name another: {sent}");
        let fit = sent["warehouse_ref"].as_str().is_some_and(|chosen| chosen.len() == 36 && chosen != closed);
        assert!(fit, "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_picker_does_not_run_the_form_is_the_plain_form() {
    let world = novaposhta::start().await;
    let (site, browser) = shop(&world).await;
    // The script does not come; then it comes, and the search does not answer.
    site.put("/blocked", "text/html", &page(&world.url("/in/shop"), "http://127.0.0.1:1/picker.js"));
    for (at, path) in ["/blocked", "/"].into_iter().enumerate() {
        browser.client.goto(&format!("{}{path}", site.url)).await.unwrap();
        if path == "/" {
            browser.js("window.fetch = () => Promise.reject(new TypeError('blocked'))").await;
        }
        typed(&browser, "city", "Одеса").await;
        typed(&browser, "branch", "відділення 3").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(browser.js("return document.querySelectorAll('.parom-np:not([hidden])').length").await, 0);
        assert_eq!(
            (value(&browser, "city").await, value(&browser, "branch").await),
            ("Одеса".into(), "відділення 3".into())
        );
        browser.client.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
        let sent = shipping(&world, at + 1).await;
        // The text is certain, so the branch is found in it.
        assert_eq!(sent["warehouse_ref"].as_str().map(str::len), Some(36), "{sent}");
        assert_eq!(
            (&sent["shipping_receive_point"], &sent["delivery_service_id"]),
            (&"відділення 3".into(), &1.into())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_is_for_the_channels_pages_and_says_what_is_wrong() {
    let world = novaposhta::start().await;
    let script = world.get("/assets/picker.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert!(script.text.len() < 12 * 1024, "{} bytes", script.text.len());
    let path = "/np/settlements?q=%D0%9A%D0%B8";
    let open = world.get(path).await;
    assert_eq!((open.status, open.header("cache-control")), (200, "public, max-age=3600"));
    let again = world.http.get(world.url(path)).header("if-none-match", open.header("etag")).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let rule = "[access]\norigins = [\"https://shop.example.ua\"]\n[order]\n";
    world.channel("shop", &novaposhta::SHOP.replacen("[order]\n", rule, 1));
    world
        .until("the channel is read again", || world.log().matches("\"channel\":\"shop\",\"version\"").count() >= 2)
        .await;
    let from = async |origin: &str, path: &str| {
        let answer = world.http.get(world.url(path)).header("origin", origin).send().await.unwrap();
        let allowed =
            answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), allowed)
    };
    assert_eq!(from("https://shop.example.ua", path).await, (200, Some("https://shop.example.ua".into())));
    assert_eq!(from("https://evil.example", path).await, (403, None));
    assert_eq!(from("https://evil.example", &format!("{path}&channel=shop")).await, (403, None));
    for (path, status) in [
        ("/np/settlements?q=x&channel=none", 200),
        ("/np/warehouses?settlement_ref=5&q=1", 422),
        ("/np/warehouses?q=1", 422),
        ("/np/warehouses?settlement_ref=00000000-0000-0000-0000-000000000001", 404),
        ("/np/settlements?q=x&lang=de", 422),
        ("/np/settlements?q=x&limit=many", 400),
        ("/np/settlements", 200),
    ] {
        assert_eq!(world.get(path).await.status, status, "{path}");
    }
    assert_eq!(world.get(&format!("/np/settlements?q={}", "x".repeat(501))).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_searches_so_often_and_others_go_on() {
    let mut world = novaposhta::idle().await;
    let text = std::fs::read_to_string(world.config()).unwrap();
    std::fs::write(world.config(), format!("trusted_proxies = [\"127.0.0.1\"]\n{text}")).unwrap();
    world.serve(&[]);
    world.until("the directory is in use", || world.log().contains("directory is in use")).await;
    let from = async |address: &str| {
        let request = world.http.get(world.url("/np/settlements?q=x")).header("x-forwarded-for", address);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    let mut passed = 0;
    let refused = loop {
        match from("203.0.113.7").await {
            (200, _) => passed += 1,
            refused => break refused,
        }
        assert!(passed < 1_000, "no end of it");
    };
    assert!(passed >= 600, "{passed} passed");
    // The first refusal: a moment later one more may pass.
    assert_eq!(refused, (429, true));
    assert_eq!(from("203.0.113.8").await, (200, false));
}
