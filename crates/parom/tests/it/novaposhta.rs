//! Nova Poshta's directory: fetched, kept, refreshed and searched; and orders whose branch it finds.

use std::fs;

use keycrm_sandbox::{NovaPoshtaFault, NovaPoshtaFaultKind as Kind, NovaPoshtaSize};
use serde_json::Value;

use crate::browser::Browser;
use crate::ui::person;
use crate::ui_browser;
use crate::world::{Settings, World};

/// A directory that is fetched in a moment, with a few pages of branches.
pub(crate) const SMALL: NovaPoshtaSize = NovaPoshtaSize { settlements: 200, branches: 1_300 };

/// A channel whose branch comes as a text.
pub(crate) const SHOP: &str = r#"
account = "main"
on_repeat = "off"
[order]
source_id = 22
[order.buyer]
full_name = "{{ name }}"
phone = "{{ phone }}"
[order.shipping]
shipping_address_city = "{{ city }}"
warehouse_ref = "{{ ref or branch | np_branch(city) }}"
"#;

/// A world with a small directory that is not running yet.
pub(crate) async fn idle() -> World {
    let world = World::idle(Settings::default()).await;
    world.crm.resize_novaposhta(SMALL);
    let mut text = fs::read_to_string(world.config()).unwrap();
    text.push_str(&format!(
        "[novaposhta]\napi_key = {{ env = \"TEST_CRM_KEY\" }}\nurl = \"{}\"\n",
        world.crm.novaposhta_url()
    ));
    fs::write(world.config(), text).unwrap();
    world.channel("shop", SHOP);
    world
}

/// The same, serving, with its first directory in use.
pub(crate) async fn start() -> World {
    let mut world = idle().await;
    world.serve(&[]);
    fetched(&world, 1).await;
    world
}

/// Waits until so many directories were in use.
pub(crate) async fn fetched(world: &World, times: usize) {
    world.until("the directory is in use", || world.log().matches("directory is in use").count() >= times).await;
}

fn standing(world: &World) -> Value {
    serde_json::from_str(&world.cli(&["novaposhta", "show", "--json"]).out).unwrap()
}

pub(crate) async fn search(world: &World, path: &str) -> Value {
    let answer = world.http.get(world.url(path)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// The ref of the first settlement of a name.
pub(crate) async fn settlement(world: &World, name: &str) -> String {
    let found = search(world, &format!("/np/settlements?q={name}")).await;
    found["settlements"][0]["ref"].as_str().unwrap().to_owned()
}

fn fault(method: &'static str, kind: Kind, skip: u32, times: u32) -> NovaPoshtaFault {
    NovaPoshtaFault { method, kind, skip, times: Some(times) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_fetched_page_by_page_and_searched() {
    let world = start().await;
    let pages = |method: &str| world.crm.novaposhta_calls().iter().filter(|call| call.method == method).count();
    assert_eq!((pages("getSettlements"), pages("getCities"), pages("getWarehouses")), (2, 1, 3));
    let shown = standing(&world);
    assert_eq!((&shown["settlements"], &shown["outcome"]), (&200.into(), &"ok".into()), "{shown}");
    assert_eq!(shown["branches"].as_u64().unwrap() + shown["lockers"].as_u64().unwrap(), 1_300, "{shown}");
    // In either language, by its beginning, with a slip, and told apart by its oblast.
    for text in ["Київ", "киев", "ки", "Kyiv", "м. Київ"] {
        let found = search(&world, &format!("/np/settlements?q={text}")).await;
        assert_eq!(found["settlements"][0]["name"], "Київ", "{text}: {found}");
    }
    let slip = search(&world, "/np/settlements?q=запоріжа&lang=ru").await;
    assert_eq!(slip["settlements"][0]["name"], "Запорожье", "{slip}");
    let both = search(&world, "/np/settlements?q=миколаїв").await;
    let named = both["settlements"].as_array().unwrap().iter().filter(|one| one["name"] == "Миколаїв");
    assert_eq!(named.count(), 2, "{both}");
    let one = search(&world, "/np/settlements?q=миколаїв%20льв").await;
    assert_eq!(
        (&one["settlements"][0]["area"], one["settlements"].as_array().unwrap().len()),
        (&"Львівська".into(), 1)
    );
    let town = settlement(&world, "Київ").await;
    for text in ["5", "№5", "відділення 5", "отд. №5"] {
        let path = format!("/np/warehouses?settlement_ref={town}&q={}", text.replace('№', "%E2%84%96"));
        let found = search(&world, &path).await;
        assert_eq!(found["warehouses"][0]["number"], 5, "{text}: {found}");
    }
    let locker = search(&world, &format!("/np/warehouses?settlement_ref={town}&q=поштомат%20100")).await;
    assert_eq!(
        (&locker["warehouses"][0]["kind"], &locker["warehouses"][0]["number"]),
        (&"locker".into(), &1000.into())
    );
    let city = &search(&world, "/np/settlements?q=Київ").await["settlements"][0]["city_ref"];
    let by_city = search(&world, &format!("/np/warehouses?settlement_ref={}&q=5", city.as_str().unwrap())).await;
    assert_eq!(by_city["warehouses"][0]["number"], 5, "the other ref of the same town");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_carrier_does_wrong_is_waited_for_or_said() {
    let mut world = idle().await;
    for (method, kind) in [
        ("getSettlements", Kind::TooMany),
        ("getSettlements", Kind::ShortPage),
        ("getCities", Kind::Html),
        ("getWarehouses", Kind::TooMany429 { retry_after: 1 }),
        ("getWarehouses", Kind::ErrorsAsObject),
        ("getWarehouses", Kind::Truncated),
        ("getWarehouses", Kind::Drop),
    ] {
        world.crm.add_novaposhta_fault(fault(method, kind, 0, 1));
    }
    world.serve(&[]);
    fetched(&world, 1).await;
    assert_eq!(standing(&world)["settlements"], 200);
    // A refused key keeps what is there, and says so.
    world.crm.add_novaposhta_fault(fault("getCities", Kind::KeyRefused, 0, 1));
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    world.until("the refresh failed", || world.log().contains("could not be refreshed")).await;
    let shown = world.cli(&["novaposhta", "show"]);
    assert!(shown.code == 1 && shown.out.contains("the key is refused: API auth fail"), "{}", shown.out);
    assert_eq!(standing(&world)["settlements"], 200);
    // One that lost half of its branches is not taken.
    world.crm.resize_novaposhta(NovaPoshtaSize { settlements: 200, branches: 600 });
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    world.until("the short one was refused", || standing(&world)["outcome"].to_string().contains("before")).await;
    let town = settlement(&world, "Київ").await;
    assert_eq!(
        search(&world, &format!("/np/warehouses?settlement_ref={town}&q=5")).await["warehouses"][0]["number"],
        5
    );
    // Nor one whose rows came, and are none.
    world.crm.resize_novaposhta(SMALL);
    world.crm.add_novaposhta_fault(NovaPoshtaFault { times: None, ..fault("getWarehouses", Kind::NoRefs, 0, 1) });
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    world.until("the empty one was refused", || standing(&world)["outcome"].to_string().contains("0 of them")).await;
    assert_eq!(standing(&world)["branches"].as_u64().unwrap() + standing(&world)["lockers"].as_u64().unwrap(), 1_300);
    world.crm.clear_novaposhta_faults();
    // A larger one is in use from one moment to the next.
    world.crm.resize_novaposhta(NovaPoshtaSize { settlements: 300, branches: 1_500 });
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    fetched(&world, 2).await;
    assert_eq!(standing(&world)["settlements"], 300);
    // A restart needs no fetch.
    let calls = world.crm.novaposhta_calls().len();
    world.kill();
    world.serve(&[]);
    assert_eq!(search(&world, "/np/settlements?q=Київ").await["settlements"][0]["name"], "Київ");
    assert_eq!(world.crm.novaposhta_calls().len(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_killed_leaves_the_old_directory_and_is_made_again() {
    let mut world = start().await;
    world.crm.resize_novaposhta(NovaPoshtaSize { settlements: 300, branches: 1_500 });
    world.crm.add_novaposhta_fault(fault("getWarehouses", Kind::Slow { ms: 3_000 }, 1, 1));
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    let pages =
        |world: &World| world.crm.novaposhta_calls().iter().filter(|call| call.method == "getWarehouses").count();
    world.until("it is in the middle", || pages(&world) >= 5).await;
    world.kill();
    world.crm.clear_novaposhta_faults();
    assert_eq!(standing(&world)["settlements"], 200);
    if crate::postgres::server().is_none() {
        world.serve(&[]);
        world.until("it was made again", || standing(&world)["settlements"] == 300).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_becomes_a_branch_in_the_crm_or_a_look() {
    let world = start().await;
    let town = settlement(&world, "Одеса").await;
    let found = search(&world, &format!("/np/warehouses?settlement_ref={town}&q=7")).await;
    let branch = &found["warehouses"][0];
    let send = async |body: &str| world.post("/in/shop", &format!("name=Olena&phone=0671112233&{body}")).await;
    // Certain.
    send("city=Одеса&branch=отделение №7 (до 30 кг)").await;
    world.until("it is in the CRM", || world.crm.orders().len() == 1).await;
    let shipping = &world.crm.orders()[0]["shipping"];
    assert_eq!(shipping["warehouse_ref"], branch["ref"], "{shipping}");
    assert_eq!(shipping["shipping_receive_point"], "отделение №7 (до 30 кг)");
    assert_eq!(shipping["delivery_service_id"], 1);
    // Not certain: it goes with its text, marked.
    send("city=Миколаїв&branch=відділення 1").await;
    world.until("it is in the CRM", || world.crm.orders().len() == 2).await;
    let shipping = &world.crm.orders()[1]["shipping"];
    assert!(shipping["warehouse_ref"].is_null() && shipping["shipping_receive_point"] == "відділення 1", "{shipping}");
    let listed: Value = serde_json::from_str(&world.cli(&["orders", "list", "--json"]).out).unwrap();
    let marked =
        listed.as_array().unwrap().iter().find(|order| order["problems"].as_array().is_some_and(|all| !all.is_empty()));
    assert_eq!(marked.unwrap()["problems"][0]["code"], "unclear_branch", "{listed}");
    // A parcel that is heavier than its branch takes.
    let heavy = SHOP.replacen("on_repeat", "parcel_weight = \"{{ weight }}\"\nunclear_branch = \"hold\"\non_repeat", 1);
    world.channel("heavy", &heavy);
    world.until("the channel is there", || world.log().contains("\"channel\":\"heavy\",\"version\"")).await;
    let most = branch["max_weight_kg"].as_u64().unwrap();
    let weigh = async |kg: &str| {
        let body = format!("name=Olena&phone=0671112233&city=Одеса&branch=відділення 7&weight={kg}");
        world.post("/in/heavy", &body).await.json()["id"].as_str().unwrap().to_owned()
    };
    let held = weigh(&(most + 1).to_string()).await;
    let shown = world.cli(&["orders", "show", &held]).out;
    assert!(shown.contains("held") && shown.contains("parcel_too_heavy"), "{shown}");
    assert_eq!(world.cli(&["orders", "cancel", &held, "--reason", "too heavy"]).code, 0);
    weigh(&most.to_string()).await;
    world.until("it is in the CRM", || world.crm.orders().len() == 3).await;
    assert_eq!(world.crm.orders()[2]["shipping"]["warehouse_ref"], branch["ref"]);
    // A weight that nobody can read says so, and takes no branch away.
    let unread = weigh("heavy").await;
    world.until("it is in the CRM", || world.crm.orders().len() == 4).await;
    assert_eq!(world.crm.orders()[3]["shipping"]["warehouse_ref"], branch["ref"]);
    let shown = world.cli(&["orders", "show", &unread]).out;
    assert!(shown.contains("`heavy` is no weight in kilograms"), "{shown}");
    // A ref that does not exist, and one of a closed branch, are left out; their text is for the manager.
    let closed = branch["ref"].as_str().unwrap();
    world.crm.close_branch(closed);
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    fetched(&world, 2).await;
    for (at, reference) in [closed, "00000000-0000-0000-0000-000000000011"].into_iter().enumerate() {
        send(&format!("city=Одеса&ref={reference}")).await;
        world.until("it is in the CRM", || world.crm.orders().len() == 5 + at).await;
        let order = &world.crm.orders()[4 + at];
        assert!(order["shipping"]["warehouse_ref"].is_null(), "{order}");
        assert!(order["manager_comment"].as_str().unwrap().contains(reference), "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_first_directory_goes_by_itself_when_it_is_there() {
    let mut world = idle().await;
    world.crm.add_novaposhta_fault(fault("getSettlements", Kind::KeyRefused, 0, 1));
    world.channel("careful", &SHOP.replacen("on_repeat", "unclear_branch = \"hold\"\non_repeat", 1));
    world.serve(&[]);
    world.until("the refresh failed", || world.log().contains("could not be refreshed")).await;
    let send = async |text: &str| {
        let answer = world.post("/in/careful", &format!("name=Olena&phone=0671112233&{text}")).await;
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let certain = send("city=Одеса&branch=відділення 7").await;
    let unclear = send("city=Миколаїв&branch=відділення 1").await;
    let wrong = send("city=Одеса&branch=відділення 7&phone=12").await;
    for id in [&certain, &unclear, &wrong] {
        let held = world.order(id);
        assert!(held["state"] == "held" && held["problems"].to_string().contains("directory_missing"), "{held}");
    }
    assert_eq!(world.cli(&["novaposhta", "refresh"]).code, 0);
    world.reaches(&certain, "delivered").await;
    assert_eq!(world.crm.orders()[0]["shipping"]["warehouse_ref"].as_str().map(str::len), Some(36));
    world.until("the other is a look", || world.order(&unclear)["reason"] == "unclear_branch").await;
    for id in [&unclear, &wrong] {
        assert_eq!(world.order(id)["state"], "held");
    }
    assert_eq!(world.crm.orders().len(), 1);
}

/// Opens an order's page and clicks the first choice of this oblast.
async fn click_choice(browser: &Browser, world: &World, id: &str, area: &str) {
    browser.client.goto(&world.url(&format!("/orders/{id}"))).await.unwrap();
    let click = format!(
        "const found = [...document.querySelectorAll('.choices button')].find(one => one.innerText.includes('{area}'));
         found && setTimeout(() => found.click()); return found ? found.innerText : null"
    );
    let text = browser.js(&click).await;
    assert!(text.as_str().is_some_and(|text| text.contains("№1")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_settled_with_one_click_before_and_after_delivery() {
    let mut world = start().await;
    person(&world, "olena", "operator", &[]).await;
    world.channel("careful", &SHOP.replacen("on_repeat", "unclear_branch = \"hold\"\non_repeat", 1));
    world.until("the channel is there", || world.log().contains("\"channel\":\"careful\",\"version\"")).await;
    let send = async |channel: &str| {
        let body = "name=Olena&phone=0671112233&city=Миколаїв&branch=відділення 1";
        world.post(&format!("/in/{channel}"), body).await.json()["id"].as_str().unwrap().to_owned()
    };
    let browser = Browser::start().await;
    ui_browser::sign_in(&browser, &world).await;
    // Held: it goes with the branch.
    let held = send("careful").await;
    click_choice(&browser, &world, &held, "Львівська").await;
    world.until("it is in the CRM", || world.crm.orders().len() == 1).await;
    let shipping = world.crm.orders()[0]["shipping"].clone();
    assert_eq!(shipping["warehouse_ref"].as_str().map(str::len), Some(36), "{shipping}");
    assert_eq!(
        (&shipping["shipping_receive_point"], &shipping["delivery_service_id"]),
        (&"відділення 1".into(), &1.into())
    );
    // In the CRM: it is changed there, also when the process ends in the middle of it.
    let delivered = send("shop").await;
    world.until("it is in the CRM", || world.crm.orders().len() == 2).await;
    assert!(world.crm.orders()[1]["shipping"]["warehouse_ref"].is_null());
    world.stop();
    world.serve(&[("PAROM_CRASH_AT", "change.after_answer")]);
    click_choice(&browser, &world, &delivered, "Львівська").await;
    world.died().await;
    world.serve(&[]);
    let of = |at: usize| world.crm.orders()[at]["shipping"].clone();
    world.until("it is changed", || of(1)["warehouse_ref"] == of(0)["warehouse_ref"]).await;
    assert_eq!(of(1)["shipping_receive_point"], "відділення 1");
    world.until("it is told", || world.cli(&["orders", "show", &delivered]).out.contains("branch is in the CRM")).await;
    browser.client.goto(&world.url(&format!("/orders/{delivered}"))).await.unwrap();
    assert_eq!(browser.js("return document.querySelectorAll('.choices').length").await, 0, "it is settled");
    assert_eq!(world.crm.orders().len(), 2);
}
