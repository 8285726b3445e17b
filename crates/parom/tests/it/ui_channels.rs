//! Channels on the pages: edited as a person would write the file, previewed over what came, and taken back.

use std::fs;

use fantoccini::Locator;

use super::browser::Browser;
use super::ui::{Person, person};
use super::ui_browser::{sign_in, wait};
use super::world::{SHOP, Settings, World, form};

pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    let one = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{}={}", one(name), one(value))).collect::<Vec<_>>().join("&")
}

async fn base(person: &Person, world: &World, path: &str) -> String {
    let page = person.get(world, path).await.text;
    page.split("name=\"base\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn file(world: &World, name: &str) -> String {
    fs::read_to_string(world.dir.path().join(format!("channels/{name}.toml"))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_edited_previewed_saved_and_taken_back() {
    let world = World::start().await;
    let commented = format!("# Our landing page.\n{}", SHOP.trim_start());
    world.channel("shop", &commented);
    world.until("the file is read again", || world.log().matches("channel read").count() == 2).await;
    world.post("/in/shop", &format!("{}&city=Lviv", form("Ivan"))).await;
    world.crm_has(1).await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let read = base(&anna, &world, "/channels/shop/edit").await;
    let page = anna.get(&world, "/channels/shop/edit").await.text;
    for part in [
        "name=\"set:order.buyer.phone\"",
        "<datalist id=\"list-sources\">",
        "Landing",
        "&quot;full_name&quot;: &quot;Ivan&quot;",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let city = ("set:order.shipping.shipping_address_city", "{{ city }}");
    let preview =
        anna.post(&world, "/channels/shop/edit", &encoded(&[("base", &read), city, ("act", "preview")])).await;
    assert!(preview.text.contains("&quot;shipping_address_city&quot;: &quot;Lviv&quot;"), "{}", preview.text);
    assert_eq!(file(&world, "shop"), commented, "a preview writes nothing");
    let input = "name=\"was:order.shipping.shipping_address_city\" value=\"\"";
    assert!(preview.text.contains(input), "without a script the next save is still the difference to the file");
    let secret = format!("{commented}[access]\ntoken = {{ env = \"NOT_SET\" }}\n");
    let unset = [("base", read.as_str()), ("text", secret.as_str()), ("act", "save")];
    let unset = anna.post(&world, "/channels/shop/edit", &encoded(&unset)).await;
    assert!(unset.status == 422 && unset.text.contains("NOT_SET"), "nobody could post to it: {}", unset.text);
    let wrong = ("set:order.buyer.phone", "{{ phone");
    let broken = anna.post(&world, "/channels/shop/edit", &encoded(&[("base", &read), wrong, ("act", "save")])).await;
    assert!(broken.status == 422 && broken.text.contains("not saved"), "{}", broken.text);
    assert_eq!(file(&world, "shop"), commented);
    let saved = anna.post(&world, "/channels/shop/edit", &encoded(&[("base", &read), city, ("act", "save")])).await;
    assert_eq!((saved.status, saved.header("location")), (303, "/channels/shop?saved=1"), "{}", saved.text);
    let after = file(&world, "shop");
    assert!(
        after.starts_with(commented.trim_end())
            && after.contains("[order.shipping]\nshipping_address_city = \"{{ city }}\""),
        "{after}"
    );
    // It is served already.
    world.post("/in/shop", &format!("{}&city=Kyiv", form("Olena"))).await;
    world.crm_has(2).await;
    assert_eq!(world.crm.orders()[1]["shipping"]["shipping_address_city"], "Kyiv");
    // Who read the file before cannot write over it.
    let late = anna
        .post(
            &world,
            "/channels/shop/edit",
            &encoded(&[("base", &read), ("text", "account = \"main\""), ("act", "save")]),
        )
        .await;
    assert!(late.status == 409 && file(&world, "shop") == after, "{}", late.status);
    // Back to the first version, by its row.
    let history = anna.get(&world, "/channels/shop/history").await.text;
    assert!(history.contains("+ shipping_address_city"), "{history}");
    let ids: Vec<&str> =
        history.split("name=\"id\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let read = base(&anna, &world, "/channels/shop/history").await;
    let back = anna.post(&world, "/channels/shop/back", &encoded(&[("base", &read), ("id", ids[0])])).await;
    assert_eq!(back.header("location"), "/channels/shop?saved=1", "{}", back.text);
    assert_eq!(file(&world, "shop"), commented);
    assert!(anna.get(&world, "/people").await.text.contains("channel saved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_channel_is_made_of_a_script_and_of_nothing_dangerous() {
    let world = World::start().await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let script = "<?php $key = 'Bearer SECRETq1w2e3';\n$d = ['source_id' => 22, 'buyer' => ['full_name' => $_POST['fio'], 'phone' => $_POST['tel']],\n\
                  'products' => [['name' => $_POST['what'], 'price' => '250', 'quantity' => 1]]]; json_encode($d); header(\"Authorization: $key\");";
    let converted = anna.post(&world, "/new-channel", &encoded(&[("act", "convert"), ("script", script)])).await;
    assert!(
        converted.status == 200 && converted.text.contains("full_name = &quot;{{ fio }}&quot;"),
        "{}",
        converted.text
    );
    let text = converted
        .text
        .split("name=\"text\"")
        .nth(1)
        .unwrap()
        .split('>')
        .nth(1)
        .unwrap()
        .split("</textarea")
        .next()
        .unwrap();
    assert!(!text.contains("SECRET"), "{text}");
    let text = text.replace("&quot;", "\"").replace("&#x2f;", "/").replace("&#x27;", "'");
    for name in ["../shop", "a/b", "", "Ünïcode", "shop"] {
        let refused =
            anna.post(&world, "/new-channel", &encoded(&[("act", "save"), ("name", name), ("text", &text)])).await;
        assert!(matches!(refused.status, 409 | 422), "{name}: {}", refused.status);
    }
    let foreign = text.replace("account = \"main\"", "account = \"other\"");
    let refused =
        anna.post(&world, "/new-channel", &encoded(&[("act", "save"), ("name", "x"), ("text", &foreign)])).await;
    assert_eq!(refused.status, 403);
    let made =
        anna.post(&world, "/new-channel", &encoded(&[("act", "save"), ("name", "landing"), ("text", &text)])).await;
    assert_eq!(made.header("location"), "/channels/landing?saved=1", "{}", made.text);
    assert_eq!(world.post("/in/landing", "fio=Ivan&tel=0671112233&what=Mug").await.status, 202);
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["buyer"]["full_name"], "Ivan");
    let none = anna.post(&world, "/new-channel", &encoded(&[("act", "convert"), ("script", "<?php echo 1;")])).await;
    assert_eq!(none.status, 422);
}

/// Who sees one account makes no channel with the token of another's: that one's orders would come to it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_anothers_token() {
    let mut world = World::idle(Settings::default()).await;
    let other = "[accounts.other]\nurl = \"http://127.0.0.1:1/v1\"\napi_key = { env = \"TEST_CRM_KEY\" }\n[delivery]";
    let text = fs::read_to_string(world.config()).unwrap();
    fs::write(world.config(), text.replace("[delivery]", other)).unwrap();
    let locked = format!("{SHOP}[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n");
    world.channel("shop", &locked);
    world.serve(&[]);
    let client = person(&world, "client", "admin", &["other"]).await;
    let all = person(&world, "all", "admin", &[]).await;
    let theirs = locked.replace("\"main\"", "\"other\"");
    let save = [("act", "save"), ("name", "zzz"), ("text", theirs.as_str())];
    let refused = client.post(&world, "/new-channel", &encoded(&save)).await;
    assert!(refused.status == 422 && refused.text.contains("another account"), "{}", refused.text);
    assert!(!world.dir.path().join("channels/zzz.toml").exists());
    // Who sees both may.
    assert_eq!(all.post(&world, "/new-channel", &encoded(&save)).await.status, 303);
}

/// As a person does it: what is typed shows at once what it becomes.
#[tokio::test(flavor = "multi_thread")]
async fn the_preview_follows_what_is_typed() {
    let world = World::start().await;
    person(&world, "olena", "admin", &[]).await;
    world.post("/in/shop", &format!("{}&city=Lviv", form("Ivan"))).await;
    world.crm_has(1).await;
    let browser = Browser::start().await;
    sign_in(&browser, &world).await;
    browser.client.goto(&world.url("/channels/shop/edit")).await.unwrap();
    browser.client.find(Locator::Css("details summary")).await.unwrap().click().await.unwrap();
    let field = browser.client.find(Locator::Css("[name='set:order.shipping.shipping_address_city']")).await.unwrap();
    field.send_keys("{{ city }}").await.unwrap();
    wait(&browser, "the city", "return document.querySelector('#preview pre').textContent.includes('\"Lviv\"')").await;
    field.send_keys(" {{").await.unwrap();
    wait(&browser, "the fault", "return !!document.querySelector('#preview .notice.bad')").await;
    field.clear().await.unwrap();
    field.send_keys("{{ city }}").await.unwrap();
    // Asked for by its button, it is where the page stands then: on a phone it is far below.
    browser.client.set_window_size(390, 844).await.unwrap();
    browser.client.find(Locator::Css("form[data-preview] button[value=preview]")).await.unwrap().click().await.unwrap();
    wait(&browser, "it is looked at", "return location.hash === '#preview' && scrollY > 500").await;
    browser.client.find(Locator::Css("form[data-preview] button[value=save]")).await.unwrap().click().await.unwrap();
    wait(&browser, "saved", "return !!document.querySelector('[role=status]')").await;
    assert!(file(&world, "shop").contains("shipping_address_city = \"{{ city }}\""));
}

/// A script is pasted, looked over, named and saved, with the keyboard's Enter at the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_script_becomes_a_channel_in_the_browser() {
    let world = World::start().await;
    person(&world, "olena", "admin", &[]).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    // The script as the vendor publishes it, where it is at hand; else one of its kind.
    let script = fs::read_to_string(folder.join("../../../shared/seed/order-script.php"))
        .or_else(|_| fs::read_to_string(folder.join("../parom-core/tests/php-scripts/01-vendor-style/script.php")))
        .unwrap();
    let browser = Browser::start().await;
    sign_in(&browser, &world).await;
    browser.client.goto(&world.url("/new-channel")).await.unwrap();
    let fill = "document.getElementById('script').value = arguments[0]";
    browser.client.execute(fill, vec![script.into()]).await.unwrap();
    browser.client.find(Locator::Css("button[value=convert]")).await.unwrap().click().await.unwrap();
    wait(&browser, "the mapping", "return document.getElementById('text').value.includes('[order.buyer]')").await;
    wait(&browser, "the notes", "return document.querySelectorAll('.problems li').length > 0").await;
    let name = browser.client.find(Locator::Css("[name=name]")).await.unwrap();
    name.send_keys(&format!("pasted{}", char::from(fantoccini::key::Key::Enter))).await.unwrap();
    wait(&browser, "saved", "return location.pathname === '/channels/pasted'").await;
    assert!(file(&world, "pasted").contains("[order.buyer]"));
}
