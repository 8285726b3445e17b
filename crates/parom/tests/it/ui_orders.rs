//! Orders on the pages: found, mended, settled, held back and taken away.

use keycrm_sandbox::FaultKind;

use super::failures::{asking, one};
use super::ui::person;
use super::world::{SHOP, Settings, World, form};

#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_is_mended_on_its_page_and_many_at_once() {
    let world = World::start().await;
    let olena = person(&world, "olena", "operator", &[]).await;
    let body = "name=Ivan&phone=0671112233&product=Mug&price=1,249";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let page = olena.get(&world, &format!("/orders/{id}")).await.text;
    for part in
        ["name=\"set:products.0.price\"", "The number reads both ways", "price = 1,249", "/problems/ambiguous_number"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let replay = olena.get(&world, &format!("/orders/{id}/replay")).await.text;
    assert!(replay.contains("ambiguous_number") && replay.contains("buyer.full_name"), "{replay}");
    let fields =
        "was:products.0.price=&set:products.0.price=1249&was:buyer.full_name=Ivan&set:buyer.full_name=Ivan+Franko";
    let mended = olena.post(&world, &format!("/orders/{id}/edit"), fields).await;
    assert!(mended.header("location").contains("did=queued"), "{}", mended.header("location"));
    world.reaches(&id, "delivered").await;
    let sent = &world.crm.orders()[0];
    assert_eq!((&sent["products"][0]["price"], &sent["buyer"]["full_name"]), (&1249.into(), &"Ivan Franko".into()));
    let page = olena.get(&world, &format!("/orders/{id}")).await.text;
    assert!(page.contains("olena") && page.contains("HTTP 201") && !page.contains("name=\"set:"), "{page}");
    // A wrong field is said, and nothing is lost.
    let held = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let other_field = olena.post(&world, &format!("/orders/{held}/edit"), "path=buyer.email&value=a@ukr.net").await;
    assert!(other_field.header("location").contains("did=kept"), "the price is still missing");
    let wrong = olena.post(&world, &format!("/orders/{held}/edit"), "path=buyer.fone&value=1").await;
    assert_eq!(wrong.header("location"), format!("/orders/{held}?did=wrong"));
    assert!(
        wrong.header("set-cookie").contains("why=") && wrong.header("set-cookie").contains("fone"),
        "it is told why"
    );
    let other = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let many = format!("act=cancel&reason=test&id={held}&id={other}&id={id}&place=/orders?state=held");
    let done = olena.post(&world, "/orders", &many.replace("?state=", "%3Fstate%3D")).await;
    assert_eq!(done.header("location"), "/orders?state=held&done=2&left=1");
    assert_eq!(
        (world.order(&held)["state"].as_str(), world.order(&other)["state"].as_str()),
        (Some("canceled"), Some("canceled"))
    );
    assert!(world.cli(&["orders", "show", &held]).out.contains("olena"));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_what_a_person_has_at_hand() {
    let world = World::start().await;
    let olena = person(&world, "olena", "operator", &[]).await;
    world.post("/in/shop", "name=Марія+Заньковецька&phone=050+222+33+44&email=Maria@ukr.net&product=Mug&price=5").await;
    world.crm_has(1).await;
    world.post("/in/shop", &form("Ivan")).await;
    world.until("both are delivered", || world.orders().iter().all(|order| order["state"] == "delivered")).await;
    let number = world.orders()[1]["source_uuid"].as_str().unwrap().to_owned();
    for text in
        ["0502223344", "%2B38+(050)+222-33-44", "222-33-44", "maria%40ukr.net", "заньков", "Марія", "1", &number]
    {
        let page = olena.get(&world, &format!("/orders?text={text}")).await.text;
        assert!(page.contains("Заньковецька") && !page.contains("Ivan"), "{text}: {page}");
    }
    for (query, found) in [
        ("state=delivered", true),
        ("state=held", false),
        ("state=person", false),
        ("state=queued", false),
        ("state=sending", false),
        ("state=unconfirmed", false),
        ("channel=shop", true),
        ("channel=other", false),
        ("since=2020-01-01", true),
        ("until=2020-01-01", false),
        ("since=nonsense&before=x", true),
    ] {
        let page = olena.get(&world, &format!("/orders?{query}")).await;
        assert_eq!((page.status, page.text.contains("Ivan")), (200, found), "{query}");
    }
}

/// A person looked into the CRM and says which order it is: delivered, and never sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_order_is_settled_by_a_persons_word() {
    let world = asking().await;
    let id = one(&world, FaultKind::DropBefore).await["id"].as_str().unwrap().to_owned();
    let olena = person(&world, "olena", "operator", &[]).await;
    let page = olena.get(&world, &format!("/orders/{id}")).await.text;
    assert!(page.contains("Look it up again") && page.contains("never send again"), "{page}");
    let path = format!("/orders/{id}/accept");
    for wrong in ["crm_order_id=0", "crm_order_id=x", ""] {
        assert!(olena.post(&world, &path, wrong).await.header("location").contains("did=wrong"), "{wrong}");
    }
    // That of another order of the shop's is not this one's too.
    let taken = format!("crm_order_id={}", world.crm.orders()[0]["id"]);
    assert!(olena.post(&world, &path, &taken).await.header("location").contains("did=wrong"));
    assert_eq!(world.order(&id)["state"], "disputed");
    assert!(olena.post(&world, &path, "crm_order_id=5012").await.header("location").contains("did=delivered"));
    let order = world.order(&id);
    assert_eq!((&order["state"], &order["crm_order_id"]), (&"delivered".into(), &5012.into()));
    assert!(olena.post(&world, &path, "crm_order_id=7").await.header("location").contains("did=wrong"));
    let posts = world.crm_posts();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!((world.crm_posts(), world.crm.orders().len()), (posts, 1));
}

/// A buyer with no usable phone: another field that is edited sends nothing; named with an empty value, the phone is done without.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_without_a_phone_by_a_persons_word_alone() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let answer = world.post("/in/shop", "name=Olena&phone=12345&product=Mug&price=250").await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let olena = person(&world, "olena", "operator", &[]).await;
    assert!(olena.get(&world, &format!("/orders/{id}")).await.text.contains("To send it without"));
    let path = format!("/orders/{id}/edit");
    let edited = olena.post(&world, &path, "set:buyer.full_name=Olena+K&was:buyer.full_name=Olena").await;
    assert!(edited.header("location").contains("did=kept"), "{}", edited.header("location"));
    assert_eq!(world.count(&["held"]), 1);
    let edited = olena.post(&world, &path, "path=buyer.phone&value=").await;
    assert!(edited.header("location").contains("did=queued"), "{}", edited.header("location"));
    world.until("it goes", || world.count(&["delivered"]) == 1).await;
    assert_eq!(world.crm.orders()[0]["buyer"]["full_name"], "Olena K");
}

/// Paused: orders are taken and wait, over a restart too; resumed: they go, each once.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_account_gets_nothing_until_it_is_resumed() {
    let mut world = World::start().await;
    let olena = person(&world, "olena", "operator", &[]).await;
    assert_eq!(olena.post(&world, "/accounts/main/pause", "").await.header("location"), "/accounts");
    assert!(olena.get(&world, "/accounts").await.text.contains("Paused by olena"));
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(world.post("/in/shop", &form(name)).await.json()["id"].as_str().unwrap().to_owned());
    }
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    world.stop();
    world.serve(&[]);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!((world.crm_posts(), world.order(&ids[0])["state"].as_str()), (0, Some("queued")));
    assert_eq!(olena.post(&world, "/accounts/other/resume", "").await.status, 404);
    olena.post(&world, "/accounts/main/resume", "").await;
    world.crm_has(3).await;
    assert_eq!(world.crm_posts(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_away_as_files_that_run_no_formula() {
    let world = World::start().await;
    let olena = person(&world, "olena", "operator", &[]).await;
    world.post("/in/shop", &form("%3DHYPERLINK(1)")).await;
    world.post("/in/shop", &form("Ivan")).await;
    world.crm_has(2).await;
    let csv = olena.get(&world, "/orders/export?format=csv").await;
    assert!(csv.header("content-disposition").contains("orders.csv"), "{csv:?}");
    assert!(csv.text.starts_with("\u{feff}id,state,") && csv.text.contains("\"'=HYPERLINK(1)\""), "{}", csv.text);
    assert!(csv.text.contains("\"'+380671112233\"") && csv.text.lines().count() == 3, "{}", csv.text);
    let one = olena.get(&world, "/orders/export?format=ndjson&text=Ivan").await;
    let row: serde_json::Value = serde_json::from_str(one.text.trim()).unwrap();
    assert_eq!(row["order"]["buyer"]["full_name"], "Ivan");
    let book = world.http.get(world.url("/orders/export?format=xlsx")).header("cookie", &olena.cookie);
    let book = book.send().await.unwrap().bytes().await.unwrap();
    assert!(book.starts_with(b"PK"));
    // Our own reader finds the rows in it, as texts.
    let file = world.dir.path().join("orders.xlsx");
    std::fs::write(&file, &book).unwrap();
    world.channel("again", "account = \"main\"\non_repeat = \"off\"\n[order]\nsource_id = 22\n[order.buyer]\nfull_name = \"{{ buyer }}\"\nphone = \"{{ phone }}\"\n");
    let read = world.cli(&["import", "again", file.to_str().unwrap(), "--dry-run"]);
    assert_eq!(read.code, 0, "{}{}", read.out, read.err);
    let said = format!("{}{}", read.out, read.err);
    assert!(said.contains("2 rows: 2 queued"), "{said}");
    let anna = person(&world, "anna", "admin", &[]).await;
    assert!(anna.get(&world, "/people").await.text.contains("orders exported"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_links_to_the_crms_page_of_it() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let with = |page: &str| text.replace("[accounts.main]", &format!("[accounts.main]\norder_url = \"{page}\""));
    for wrong in ["http://crm.example/{id}", "https://crm.example/"] {
        std::fs::write(world.config(), with(wrong)).unwrap();
        assert_eq!(world.cli(&["check", "--offline"]).code, 2, "{wrong}");
    }
    std::fs::write(world.config(), with("https://crm.example/orders/{id}/view")).unwrap();
    world.serve(&[]);
    let olena = person(&world, "olena", "operator", &[]).await;
    let id = world.post("/in/shop", &form("Ivan")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let page = olena.get(&world, &format!("/orders/{id}")).await.text.replace("&#x2f;", "/");
    assert!(page.contains("href=\"https://crm.example/orders/1/view\""), "{page}");
}

/// What a person saw is what they change: after another's edit, with Enter in a field, or with nothing changed, nothing is
/// sent.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_that_nobody_meant() {
    let world = World::start().await;
    let olena = person(&world, "olena", "operator", &[]).await;
    let body = "name=Ivan&phone=0671112233&product=Mug&price=1,249";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let page = olena.get(&world, &format!("/orders/{id}")).await.text;
    let read = page.split("name=\"read\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "edit", &id, "--set", "buyer.email=a@ukr.net", "--keep"]).code, 1);
    let late = format!("read={read}&was:products.0.price=&set:products.0.price=5");
    let late = olena.post(&world, &format!("/orders/{id}/edit"), &late).await;
    assert!(late.header("location").contains("did=stays"), "{}", late.header("location"));
    let kept = olena.post(&world, &format!("/orders/{id}/edit"), "keep=on").await;
    assert_eq!(kept.header("location"), format!("/orders/{id}"));
    let body = "keep=on&was:buyer.full_name=Ivan&set:buyer.full_name=Ivan+K";
    let kept = olena.post(&world, &format!("/orders/{id}/edit"), body).await;
    assert_eq!(kept.header("location"), format!("/orders/{id}?did=saved"), "as it was wanted: no alarm");
    for act in ["", "act=nothing&"] {
        let enter = olena.post(&world, "/orders", &format!("{act}id={id}&reason=x&place=/orders")).await;
        assert_eq!(enter.header("location"), "/orders");
    }
    let order = world.order(&id);
    assert_eq!((order["state"].as_str(), order["order"]["buyer"]["email"].as_str()), (Some("held"), Some("a@ukr.net")));
    assert_eq!(world.crm_posts(), 0);
}
