//! Intake: what senders send, and what they hear.

use serde_json::json;

use super::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_in_the_crm_with_its_fields() {
    let world = World::start().await;
    let answer = world.post("/in/shop", &form("%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0")).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["status"], "accepted");
    world.crm_has(1).await;
    let order = &world.crm.orders()[0];
    assert_eq!(order["buyer"]["full_name"], "Олена");
    assert_eq!(order["buyer"]["phone"], "+380671112233");
    assert_eq!(order["grand_total"].to_string(), "1249.5");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let row = &world.orders()[0];
    assert_eq!(row["crm_order_id"], order["id"]);
    assert_eq!(row["source_uuid"], order["source_uuid"]);
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    let contract = ["id", "state", "channel", "source_uuid", "crm_order_id", "received_at", "attempts", "problems"];
    assert_eq!(keys, contract);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_body_is_read() {
    let world = World::start().await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nMulti\r\n\
        --b\r\nContent-Disposition: form-data; name=\"phone\"\r\n\r\n0671112233\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n\r\n\
        --b\r\nContent-Disposition: form-data; name=\"product\"\r\n\r\nTea\r\n--b--\r\n";
    let json = r#"{"name":"Json","phone":"0671112233","product":"Tea"}"#;
    let percent: String = json.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let bodies = [
        ("multipart/form-data; boundary=b", multipart),
        ("application/json", json),
        ("application/json; charset=utf-8", json),
        ("text/plain;charset=UTF-8", json),
        (FORM, json),
        (FORM, percent.as_str()),
        ("", "name=Plain&phone=0671112233&product=Tea"),
    ];
    for (kind, body) in bodies {
        let answer = world.send("/in/shop", kind, body.into(), &[]).await;
        assert_eq!(answer.status, 202, "{kind} {body}: {}", answer.text);
    }
    world.crm_has(bodies.len()).await;
    assert!(world.crm.orders().iter().all(|order| order["products"][0]["name"] == "Tea"), "{:#?}", world.crm.orders());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_clear_answer_and_leaves_nothing() {
    let world = World::start().await;
    let file = "--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"me.png\"\r\n\r\nPNG\r\n--b--\r\n";
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let long = format!("{}=1", "n".repeat(300));
    let many: String = (0..1_001).map(|i| format!("f{i}=1&")).collect();
    let nodes = format!("[{}1]", "1,".repeat(5_000));
    let value = format!("name={}", "x".repeat(65 * 1024));
    let big = format!("name={}", "x".repeat(1 << 20));
    let brackets = format!("a{}=1", "[x]".repeat(32));
    let cases = [
        ("/in/nobody", FORM, "name=x", 404, "nobody"),
        ("/in/shop", "application/json", "{\"name\":", 400, "line 1 column 8"),
        ("/in/shop", "application/json", "5", 400, "object"),
        ("/in/shop", "application/xml", "<a/>", 415, "application/xml"),
        ("/in/shop", "multipart/form-data", "x", 400, "boundary"),
        ("/in/shop", "multipart/form-data; boundary=b", file, 415, "me.png"),
        ("/in/shop", "application/json", deep.as_str(), 413, "deeper than 32"),
        ("/in/shop", "application/json", nodes.as_str(), 413, "5000"),
        ("/in/shop", FORM, long.as_str(), 413, "256"),
        ("/in/shop", FORM, many.as_str(), 413, "1000"),
        ("/in/shop", FORM, value.as_str(), 413, "65536"),
        ("/in/shop", FORM, brackets.as_str(), 413, "deeper than 32"),
        ("/in/shop", FORM, big.as_str(), 413, "1048576"),
    ];
    for (path, kind, body, status, word) in cases {
        let answer = world.send(path, kind, body.into(), &[]).await;
        let start: String = body.chars().take(40).collect();
        assert_eq!(answer.status, status, "{path} {kind} {start}: {}", answer.text);
        assert!(answer.json()["message"].as_str().unwrap().contains(word), "{start}: {}", answer.text);
        // A browser's person reads the same in a page.
        let page = world.send(path, kind, body.into(), &[("accept", "text/html")]).await;
        assert_eq!((page.status, page.header("content-type")), (status, "text/html; charset=utf-8"));
    }
    assert_eq!(world.orders().len(), 0);
    assert_eq!(world.get("/nothing").await.status, 404);
    assert_eq!(world.get("/in/shop").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_sent_to_the_configured_page_and_nowhere_else() {
    let world = World::start().await;
    world.channel("far", &format!("thank_you_url = \"https://shop.example.ua/thanks\"\n{SHOP}"));
    let html = [("accept", "text/html,application/xhtml+xml"), ("accept-language", "en-GB,en")];
    world.until("the new channel is read", || world.log().contains("\"channel\":\"far\",\"version\"")).await;
    let body = format!("{}&thank_you_url=https://evil.example&redirect=https://evil.example", form("A"));
    let far = world.send("/in/far?thank_you_url=https://evil.example", FORM, body.into(), &html).await;
    assert_eq!((far.status, far.header("location")), (303, "https://shop.example.ua/thanks"));
    // The order's number is in it where the file says so, and is no part of the address otherwise.
    let thanks = "thank_you_url = \"https://shop.example.ua/thanks?order={number}#{number}\"";
    let numbered = SHOP.replacen("[order]", "[order]\nsource_uuid = \"{{ order_number }}\"", 1);
    world.channel("numbered", &format!("{thanks}\n{numbered}"));
    world.until("the new channel is read", || world.log().contains("\"channel\":\"numbered\",\"version\"")).await;
    let body = format!("{}&order_number=A%2F1%3A%26x%3D%D1%96", form("N"));
    let known = world.send("/in/numbered", FORM, body.into(), &html).await;
    let place = "https://shop.example.ua/thanks?order=A%2F1%3A%26x%3D%D1%96#A%2F1%3A%26x%3D%D1%96";
    assert_eq!((known.status, known.header("location")), (303, place), "{}", known.text);
    let near = world.send("/in/shop", FORM, form("B").into(), &html).await;
    assert_eq!(near.status, 200);
    assert!(near.text.contains("Thank you!") && near.text.contains("P-"), "{}", near.text);
    assert!(near.header("content-security-policy").contains("default-src 'none'"));
    // Neither the case of a media type nor a slash at the end of an address loses an order.
    let loud = world.send("/in/shop/", FORM, form("Loud").into(), &[("accept", "TEXT/HTML")]).await;
    assert!(loud.status == 200 && loud.text.contains("P-"), "{}", loud.text);
    let ukrainian = world.send("/in/shop", FORM, form("C").into(), &html[..1]).await;
    assert!(ukrainian.text.contains("Дякуємо"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_by_key_is_the_same_order() {
    let world = World::start().await;
    world.channel("keyed", &format!("idempotency_key = \"{{{{ order_number }}}}\"\n{SHOP}"));
    world.until("the new channel is read", || world.log().contains("\"channel\":\"keyed\",\"version\"")).await;
    let key = [("idempotency-key", "abc")];
    let first = world.send("/in/shop", FORM, form("A").into(), &key).await;
    let second = world.send("/in/shop", FORM, form("A").into(), &key).await;
    assert_eq!((second.status, &second.json()["id"]), (200, &first.json()["id"]));
    assert_eq!(second.json()["status"], "duplicate");
    let other = world.send("/in/shop", FORM, form("B").into(), &key).await;
    assert_eq!(other.status, 409);
    // A browser's buyer is never turned away: kept, and held for a person.
    let html = [("idempotency-key", "abc"), ("accept", "text/html")];
    assert_eq!(world.send("/in/shop", FORM, form("B").into(), &html).await.status, 200);
    let body = format!("{}&order_number=77", form("D"));
    let keyed = world.post("/in/keyed", &body).await;
    assert_eq!(world.post("/in/keyed", &body).await.json()["id"], keyed.json()["id"]);
    assert_eq!(world.post("/in/keyed", &form("E")).await.status, 202, "no key, no repeat");
    // A key is no reason to turn anybody away, however long what the expression found.
    let long = format!("{}&order_number={}", form("F"), "9".repeat(2_000));
    let first = world.post("/in/keyed", &long).await;
    assert_eq!((first.status, &world.post("/in/keyed", &long).await.json()["id"]), (202, &first.json()["id"]));
    world.crm_has(4).await;
    let held: Vec<String> =
        world.orders().iter().filter(|o| o["state"] == "held").map(|o| o["problems"][0]["code"].to_string()).collect();
    assert_eq!(held, ["\"key_reused\""]);
    assert_eq!(world.crm.orders().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_parallel_repeats_make_one_order() {
    let world = World::start().await;
    let key = [("idempotency-key", "one")];
    let body = form("A");
    let posts = (0..50).map(|_| world.send("/in/shop", FORM, body.clone().into(), &key));
    let answers = futures(posts).await;
    let new = answers.iter().filter(|answer| answer.status == 202).count();
    let same = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((new, same), (1, 49));
    world.crm_has(1).await;
    assert_eq!(world.orders().len(), 1);
}

/// Those that come at the same moment share a commit, and perhaps a statement: what one of them is to another is seen all
/// the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_one_moment_is_told_apart_as_if_it_came_one_by_one() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", &SHOP.replace("on_repeat = \"off\"\n", ""));
    world.channel("numbered", &SHOP.replace("source_id = 22", "source_id = 22\nsource_uuid = \"{{ nr }}\""));
    world.serve(&[]);
    let mut crowd: Vec<(&str, String, Option<String>)> = Vec::new();
    for at in 0..10 {
        for time in 0..4 {
            crowd.push(("/in/shop", form(&format!("Same{at}")), Some(format!("same-{at}"))));
            crowd.push(("/in/shop", form(&format!("Other{at}-{time}")), Some(format!("other-{at}"))));
            crowd.push(("/in/shop", form(&format!("Twice{at}")), None));
            crowd.push(("/in/numbered", format!("{}&nr=n{at}", form(&format!("Number{at}-{time}"))), None));
            crowd.push(("/in/shop", form(&format!("Plain{at}-{time}")), None));
        }
    }
    let posts = crowd.into_iter().map(|(path, body, key)| {
        let world = &world;
        async move {
            let key: Vec<(&str, &str)> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
            world.send(path, FORM, body.into(), &key).await
        }
    });
    let answers = futures(posts).await;
    let told = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((told(202), told(200), told(409)), (140, 30, 30), "a key is one order's, with one content");
    // One of each four, and every plain one.
    world.crm_has(80).await;
    let orders = world.orders();
    let of = |code: &str| orders.iter().filter(|order| order["problems"][0]["code"] == code).count();
    assert_eq!((of("suspected_duplicate"), of("number_taken")), (30, 30));
    let mut names: Vec<String> =
        world.crm.orders().iter().map(|order| order["buyer"]["full_name"].to_string()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 80, "every one of them once");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_database_refuses_takes_none_with_it() {
    let world = World::start().await;
    let sql = if world.database.is_some() {
        "ALTER TABLE orders ADD CONSTRAINT poison CHECK (buyer <> 'Poison')"
    } else {
        "CREATE TRIGGER poison BEFORE INSERT ON orders WHEN NEW.buyer = 'Poison' BEGIN SELECT RAISE(ABORT, 'no'); END"
    };
    world.alter(sql);
    let names: Vec<String> =
        (0..60).map(|at| if at % 20 == 7 { "Poison".to_owned() } else { format!("Fine{at}") }).collect();
    let posts = names.iter().map(|name| {
        let (world, body) = (&world, form(name));
        async move { world.post("/in/shop", &body).await }
    });
    for (name, answer) in names.iter().zip(futures(posts).await) {
        assert_eq!(answer.status, if name == "Poison" { 503 } else { 202 }, "{name}: {}", answer.text);
    }
    world.crm_has(57).await;
    assert_eq!(world.orders().len(), 57);
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (task, slot) in running.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = task.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_comes_twice_is_held_until_a_person_releases_it() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", &SHOP.replace("on_repeat = \"off\"\n", ""));
    world.channel("flag", &SHOP.replace("\"off\"", "\"flag\""));
    world.serve(&[]);
    world.post("/in/shop", &form("A")).await;
    let second = world.post("/in/shop", &form("A")).await;
    assert_eq!(second.status, 202, "the sender hears nothing of a suspicion");
    assert_eq!(world.post("/in/flag", &form("A")).await.status, 202);
    assert_eq!(world.post("/in/flag", &form("A")).await.status, 202);
    world.crm_has(3).await;
    let id = second.json()["id"].as_str().unwrap().to_owned();
    let held = world.order(&id);
    assert_eq!((&held["state"], &held["problems"][0]["code"]), (&json!("held"), &json!("suspected_duplicate")));
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.crm_has(4).await;
    // JSON of a machine is not looked at.
    let json = r#"{"name":"A","phone":"0671112233","product":"Tea"}"#;
    for _ in 0..2 {
        world.send("/in/shop", "application/json", json.into(), &[]).await;
    }
    world.crm_has(6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_policy_does_with_bad_values_what_it_says() {
    let mut world = World::idle(Settings::default()).await;
    for policy in ["mend", "hold", "reject"] {
        world.channel(policy, &format!("on_invalid = \"{policy}\"\n{SHOP}"));
    }
    world.serve(&[]);
    let body = format!("{}&email=bad@@mail", form("A"));
    let mended = world.post("/in/mend", &body).await;
    assert_eq!(mended.status, 202);
    assert_eq!(world.post("/in/hold", &body).await.status, 202);
    let refused = world.post("/in/reject", &body).await;
    assert_eq!(refused.status, 422);
    assert!(refused.json()["errors"]["buyer.email"][0].as_str().unwrap().contains("bad@@mail"));
    // A buyer reads what to do about it, in the language of the browser; a page does not tell it in two.
    let ask = |accept: &'static str, language: &'static str| [("accept", accept), ("accept-language", language)];
    for (language, told) in [("uk-UA,uk", "адресу пошти"), ("ru", "адрес почты"), ("en", "e-mail address")]
    {
        let told_by = world.send("/in/reject", FORM, body.clone().into(), &ask("application/json", language)).await;
        assert!(told_by.json()["errors"]["buyer.email"][0].as_str().unwrap().contains(told), "{}", told_by.text);
        let page = world.send("/in/reject", FORM, body.clone().into(), &ask("text/html", language)).await;
        assert!(page.status == 422 && page.text.contains(told) && !page.text.contains("given data"), "{}", page.text);
    }
    world.reaches(mended.json()["id"].as_str().unwrap(), "delivered").await;
    let sent = &world.crm.orders()[0];
    assert_eq!((&sent["buyer"]["email"], &sent["manager_comment"]), (&json!(null), &json!("buyer.email: bad@@mail")));
    let states: Vec<String> = world.orders().iter().rev().map(|order| order["state"].to_string()).collect();
    assert_eq!(states[..3], ["\"delivered\"", "\"held\"", "\"canceled\""]);
    assert!(states[3..].iter().all(|state| state == "\"canceled\""), "{states:?}");
    // What would make the order wrong is held even where the rest is mended.
    world.post("/in/mend", "name=A&phone=0671112233&product=Mug&price=1,249").await;
    assert_eq!(world.orders()[0]["problems"][0]["code"], "ambiguous_number");
    assert_eq!(world.orders()[0]["state"], "held");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_taken_holds_and_never_fails() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", &SHOP.replace("source_id = 22", "source_id = 22\nsource_uuid = \"{{ nr }}\""));
    world.serve(&[]);
    assert_eq!(world.post("/in/shop", &format!("{}&nr=7", form("A"))).await.status, 202);
    assert_eq!(world.post("/in/shop", &format!("{}&nr=7", form("B"))).await.status, 202);
    world.crm_has(1).await;
    let held = &world.orders()[0];
    assert_eq!((&held["state"], &held["problems"][0]["code"]), (&json!("held"), &json!("number_taken")));
    let id = held["id"].as_str().unwrap().to_owned();
    let page = super::ui::person(&world, "olena", "viewer", &[]).await.get(&world, &format!("/orders/{id}")).await.text;
    let first = world.orders()[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(page.matches(&format!("<a href=\"/orders/{first}\"")).count(), 1, "the one that has it: {page}");
    assert!(!page.contains("The CRM says"), "it was not asked: {page}");
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 1);
    assert_eq!(world.cli(&["orders", "edit", &id, "--set", "source_uuid=8"]).code, 0);
    world.crm_has(2).await;
    world.assert_once(&["7".into(), "8".into()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_channel_holds_everything_and_replays_when_it_is_mended() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", "account = \"main\n");
    world.channel("fine", SHOP);
    world.serve(&[]);
    let answer = world.post("/in/shop", &form("A")).await;
    assert_eq!(answer.status, 202);
    assert_eq!(world.post("/in/fine", &form("B")).await.status, 202);
    world.crm_has(1).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.order(&id)["problems"][0]["code"], "channel_broken");
    assert_eq!(world.cli(&["check", "--offline"]).code, 1);
    world.channel("shop", SHOP);
    world.crm_has(2).await;
    world.reaches(&id, "delivered").await;
    // Broken again: the last good version serves, also after a restart.
    world.channel("shop", "nonsense");
    world.until("the fault is noticed", || world.log().contains("the channel's file is broken")).await;
    assert_eq!(world.post("/in/shop", &form("C")).await.status, 202);
    world.crm_has(3).await;
    world.stop();
    world.serve(&[]);
    assert_eq!(world.post("/in/shop", &form("D")).await.status, 202);
    world.crm_has(4).await;
}

/// The last good version is the one that was used last, not the one that was written last; and a command that lacks what the
/// service has spoils none.
#[tokio::test(flavor = "multi_thread")]
async fn the_version_that_was_used_last_stands_in_for_a_broken_file() {
    let mut world = World::of_file(Settings::default()).await;
    let good = format!("{SHOP}[access]\ntoken = {{ env = \"SHOP_TOKEN\" }}\n");
    let wrong = good.replace("source_id = 22", "source_id = 33");
    let own = [("SHOP_TOKEN", "the-services-own-token-of-24")];
    world.channel("shop", &good);
    world.serve(&own);
    for (text, reads) in [(&wrong, 2), (&good, 3)] {
        world.channel("shop", text);
        let read = || world.log().matches("\"channel\":\"shop\",\"version\"").count() == reads;
        world.until("it is read", read).await;
    }
    // Without the variable the channel cannot be used by this process.
    assert_ne!(world.cli(&["orders", "retry", "01a00000-0000-7000-8000-000000000000"]).code, 0);
    world.channel("shop", "nonsense");
    world.until("the fault is noticed", || world.log().contains("the channel's file is broken")).await;
    world.stop();
    world.serve(&own);
    let answer = world.post("/in/shop/the-services-own-token-of-24", &form("E")).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["source_id"], 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn utm_marks_come_from_the_form_the_query_or_the_page() {
    let world = World::start().await;
    let page = [("referer", "https://shop.example.ua/mug?utm_source=page&utm_campaign=autumn&utm_term=x#buy")];
    let body = format!("{}&utm_source=form", form("A"));
    let answer = world.send("/in/shop?utm_source=query&utm_campaign=query", FORM, body.into(), &page).await;
    assert_eq!(answer.status, 202);
    world.crm_has(1).await;
    let marketing = &world.crm.orders()[0]["marketing"];
    let marks = ["utm_source", "utm_campaign", "utm_term"].map(|mark| marketing[mark].as_str().unwrap().to_owned());
    assert_eq!(marks, ["form", "query", "x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_answer() {
    let world = World::start().await;
    let id = world.post("/in/shop", &form("A")).await.json()["id"].as_str().unwrap().to_owned();
    // The CRM has an order before its outcome is recorded: only what is recorded is counted.
    world.reaches(&id, "delivered").await;
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(world.get("/readyz").await.status, 200);
    let metrics = world.get("/metrics").await.text;
    for name in [
        "# HELP parom_orders Orders in each state now.",
        "parom_submissions_total{channel=\"shop\",result=\"accepted\"} 1",
        "parom_orders{state=\"delivered\"}",
        "parom_oldest_queued_seconds",
        "parom_attempts_total{account=\"main\",outcome=\"delivered\"} 1",
        "parom_crm_requests_total{account=\"main\",endpoint=\"order_post\",status=\"201\"} 1",
        "parom_intake_seconds_bucket",
        "parom_commit_seconds_bucket",
    ] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }
}

/// Old sites write windows-1251, scripts cut an emoji in two: the buyer's name is read, and no form is refused for it.
#[tokio::test(flavor = "multi_thread")]
async fn texts_that_are_no_utf8_are_read() {
    let world = World::start().await;
    let old = "name=%CE%EB%E5%ED%E0&phone=0671112233&product=%D7%E0%E9&price=5";
    assert_eq!(world.post("/in/shop", old).await.status, 202);
    let mut parts = Vec::new();
    for (name, value) in
        [("name", b"\xcf\xe5\xf2\xf0\xee".as_slice()), ("phone", b"0671112233"), ("product", b"Mug"), ("price", b"5")]
    {
        parts.extend_from_slice(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        parts.extend_from_slice(value);
        parts.extend_from_slice(b"\r\n");
    }
    parts.extend_from_slice(b"--b--\r\n");
    assert_eq!(world.send("/in/shop", "multipart/form-data; boundary=b", parts, &[]).await.status, 202);
    let cut = r#"{"name":"Hanna \ud83d","phone":"0671112233","product":"A\u0000B","price":5}"#;
    assert_eq!(world.send("/in/shop", "application/json", cut.into(), &[]).await.status, 202);
    world.crm_has(3).await;
    let mut names: Vec<String> =
        world.crm.orders().iter().map(|order| order["buyer"]["full_name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["Hanna \u{fffd}", "Олена", "Петро"]);
    assert!(world.crm.orders().iter().any(|order| order["products"][0]["name"] == "AB"));
}
