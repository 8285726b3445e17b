//! Every bug first becomes a case here, with its cause.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::world::{SHOP, Settings, World, form};

/// A command and `serve` write to one file; a busy moment is waited for, and no order is refused for it.
#[tokio::test(flavor = "multi_thread")]
async fn commands_beside_serve_do_not_disturb_intake() {
    let world = World::start().await;
    world.channel("shop", &SHOP.replace("{{ phone }}", "{{ tel }}"));
    world.until("the change is read", || world.log().matches("channel read").count() >= 2).await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let answer = world.post("/in/shop", &form(&format!("H{number}"))).await;
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    let config = world.config();
    let canceler = std::thread::spawn(move || {
        for id in ids {
            let status = std::process::Command::new(env!("CARGO_BIN_EXE_parom"))
                .args(["orders", "cancel", &id, "--config"])
                .arg(&config)
                .output()
                .unwrap();
            assert!(status.status.code() != Some(2), "{}", String::from_utf8_lossy(&status.stderr));
        }
    });
    for number in 0..60 {
        let body = format!("name=N{number}&tel=0671112233&product=Mug&price=5");
        assert_eq!(world.post("/in/shop", &body).await.status, 202);
    }
    canceler.join().unwrap();
    // Ten had only a name and no phone: they went, as rule 5 allows, unless the cancel came first.
    world
        .until("all are settled", || {
            world.orders().iter().all(|order| order["state"] == "delivered" || order["state"] == "canceled")
        })
        .await;
    assert_eq!(world.orders().len(), 70);
}

/// A double click while the channel's file was broken: the mended file released both.
#[tokio::test(flavor = "multi_thread")]
async fn a_mended_channel_looks_for_repeats() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", "this is no channel");
    world.serve(&[]);
    for _ in 0..2 {
        assert_eq!(world.post("/in/shop", &form("Olena")).await.status, 202);
    }
    world.channel("shop", &SHOP.replace("on_repeat = \"off\"", "on_repeat = \"hold\""));
    world.crm_has(1).await;
    world
        .until("the second is held", || world.orders()[0]["problems"].to_string().contains("suspected_duplicate"))
        .await;
    assert_eq!((world.orders()[0]["state"].as_str(), world.crm.orders().len()), (Some("held"), 1));
}

/// A mended channel released what a person had to settle: the same key with another content.
#[tokio::test(flavor = "multi_thread")]
async fn a_mended_channel_settles_no_suspicion() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", "this is no channel");
    world.serve(&[]);
    let headers = [("idempotency-key", "k"), ("accept", "text/html")];
    for name in ["Olena", "Petro"] {
        let kind = "application/x-www-form-urlencoded";
        assert_eq!(world.send("/in/shop", kind, form(name).into(), &headers).await.status, 200);
    }
    world.channel("shop", SHOP);
    world.crm_has(1).await;
    world
        .until("the file's fault is gone", || !world.orders()[0]["problems"].to_string().contains("channel_broken"))
        .await;
    let held = &world.orders()[0];
    assert_eq!(
        (held["state"].as_str(), &held["problems"][0]["code"]),
        (Some("held"), &serde_json::json!("key_reused"))
    );
}

/// A pipeline that was deleted between two lists left all pipelines empty, and every card was held.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_within_the_pipelines_keeps_the_old_ones() {
    let mut world = World::idle(Settings::default()).await;
    let card =
        "account = \"main\"\ntarget = \"card\"\n[card]\npipeline = \"Опт\"\n[card.contact]\nphone = \"{{ phone }}\"\n";
    world.channel("leads", card);
    world.serve(&[]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    // Sources, methods, services, fields and pipelines answer; the statuses of the first pipeline do not.
    world.crm.add_fault(Fault::once(FaultOn::Dictionary, FaultKind::RefuseBefore { status: 404 }).skip(5));
    world.cli(&["check"]);
    world.until("the fault was met", || world.crm.ledger().iter().any(|entry| entry.status == Some(404))).await;
    world.post("/in/leads", "phone=0671112233").await;
    world.until("the card is there", || world.crm.cards().len() == 1).await;
}

/// A date in the place of seconds, in `Retry-After`, made an account rest for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_rest_that_the_crm_asks_for_has_a_bound() {
    let mut world = World::idle(Settings::default()).await;
    world.crm.add_fault(Fault::once(FaultOn::Dictionary, FaultKind::RateLimited { retry_after: Some(u64::MAX) }));
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.until("the rest is told", || world.log().contains("\"seconds\":3600")).await;
    assert_eq!(world.get("/readyz").await.status, 200);
}

/// A bad value is left out of a held order's body: an edit of another field must not send the order without it.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_another_field_does_not_send_an_order_without_its_price() {
    let world = World::start().await;
    let body = "name=Ivan&phone=0671112233&product=Mug&price=1,249";
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    let edited = world.cli(&["orders", "edit", &id, "--set", "buyer.email=ivan@ukr.net"]);
    assert!(edited.out.contains("1,249") || edited.err.contains("1,249"), "{}{}", edited.out, edited.err);
    assert_eq!(world.order(&id)["state"], "held");
    // Nor does sending it again, by whatever way.
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 1);
    assert_eq!(world.order(&id)["state"], "held");
    let wrong = world.cli(&["orders", "edit", &id, "--set", "buyer.emial=ivan@ukr.net"]);
    assert!(wrong.code == 1 && wrong.out.contains("did you mean `buyer.email`"), "{}{}", wrong.out, wrong.err);
    assert_eq!(world.cli(&["orders", "edit", &id, "--set", "products.0.price=1249"]).code, 0);
    world.reaches(&id, "delivered").await;
    assert_eq!(world.crm.orders()[0]["products"][0]["price"], 1249);
    assert_eq!(world.crm.orders()[0]["buyer"]["email"], "ivan@ukr.net");
}

/// A person's edit of an order that its broken channel held is not undone when the file is mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_mended_channel_leaves_an_edited_order_to_its_person() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", "account = \"main\"\n[order\n");
    world.serve(&[]);
    let id = world.post("/in/shop", &form("Old")).await.json()["id"].as_str().unwrap().to_owned();
    world.cli(&["orders", "edit", &id, "--set", "buyer.full_name=New", "--keep"]);
    world.channel("shop", SHOP);
    let other = world.post("/in/shop", &form("Other")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&other, "delivered").await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let order = world.order(&id);
    assert_eq!((order["state"].as_str(), order["order"]["buyer"]["full_name"].as_str()), (Some("held"), Some("New")));
    assert_eq!(world.crm.orders().len(), 1);
}

/// A folder of channels that was moved away, or could not be read: every address answered 404, and nothing said why.
#[tokio::test(flavor = "multi_thread")]
async fn channels_are_served_as_they_were_while_their_folder_cannot_be_read() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let folder = world.config().with_file_name("channels");
    let away = folder.with_extension("away");
    std::fs::rename(&folder, &away).unwrap();
    world.until("it is told", || world.log().contains("is gone")).await;
    assert_eq!(world.post("/in/shop", &form("A")).await.status, 202);
    std::fs::write(&folder, "no folder").unwrap();
    let ran = world.cli(&["check", "--offline"]);
    assert!(ran.code == 2 && ran.err.contains("channels cannot be read"), "{}{}", ran.out, ran.err);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(world.post("/in/shop", &form("B")).await.status, 202);
    // A start without knowing the channels would turn everybody away.
    world.stop();
    assert!(world.cli(&["serve"]).err.contains("channels cannot be read"));
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    world.serve(&[]);
    world.crm_has(2).await;
}

/// What a learning or broken channel held had no key of the channel's: when it was mended, each repeat became an order.
#[tokio::test(flavor = "multi_thread")]
async fn a_mended_channel_gives_what_it_held_its_key() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("learns", "learn = true\norder.source_id = 22");
    world.channel("broken", "x=[");
    world.serve(&[]);
    let body = |name: &str| {
        format!("{{\"no\":\"LX1\",\"name\":\"{name}\",\"phone\":\"0671112233\",\"product\":\"Mug\",\"price\":1}}")
    };
    let keyed = format!("idempotency_key = \"{{{{ no }}}}\"\n{SHOP}");
    for name in ["learns", "broken"] {
        let path = format!("/in/{name}");
        let mut ids = Vec::new();
        for buyer in ["Olena", "Olena", "Petro"] {
            let answer = world.send(&path, "application/json", body(buyer).into(), &[]).await;
            assert_eq!(answer.status, 202, "{}", answer.text);
            ids.push(answer.json()["id"].clone());
        }
        world.channel(name, &keyed);
        world
            .until("they are sorted out", || {
                world.orders().iter().all(|o| !matches!(o["reason"].as_str(), Some("no_mapping" | "channel_broken")))
            })
            .await;
        world.reaches(ids[0].as_str().unwrap(), "delivered").await;
        world.reaches(ids[1].as_str().unwrap(), "canceled").await;
        assert!(world.order(ids[2].as_str().unwrap())["problems"].to_string().contains("key_reused"));
        let again = world.send(&path, "application/json", body("Olena").into(), &[]).await;
        assert_eq!((again.status, &again.json()["id"]), (200, &ids[0]));
    }
    world.crm_has(2).await;
}

/// A form whose body was still on its way when the file was mended was held for the old one, until the next start.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_while_a_file_is_mended_goes_too() {
    use std::io::{Read, Write};
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", "broken");
    world.serve(&[]);
    let body = form("Slow");
    let (start, rest) = body.split_at(10);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", world.port())).unwrap();
    let head = format!(
        "POST /in/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{start}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The gateway has begun with it when a later one is answered.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    world.post("/in/shop", &form("Quick")).await;
    world.channel("shop", SHOP);
    world.crm_has(1).await;
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    world.crm_has(2).await;
}

/// A form whose sender posts JSON (Contact Form 7) was not looked for repeats; a browser's repeat under a key of another order
/// made one held order more each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_is_seen_whatever_the_form_comes_as() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("cf7", "format = \"cf7\"\norder.source_id = 22");
    world.channel("shop", SHOP);
    world.serve(&[]);
    for _ in 0..2 {
        let body = r#"{"your-name":"Olena","your-phone":"0671112233"}"#;
        assert_eq!(world.send("/in/cf7", "application/json", body.into(), &[]).await.status, 200);
    }
    world.crm_has(1).await;
    assert!(world.orders()[0]["problems"].to_string().contains("suspected_duplicate"), "{:?}", world.orders());
    let kind = "application/x-www-form-urlencoded";
    for name in ["Olena", "Petro", "Petro", "Petro"] {
        let headers = [("idempotency-key", "k"), ("accept", "text/html")];
        assert_eq!(world.send("/in/shop", kind, form(name).into(), &headers).await.status, 200);
    }
    assert_eq!(world.orders().iter().filter(|order| order["channel"] == "shop").count(), 2);
    let refused = world.post("/in/shop/some-token", &form("Hanna")).await;
    assert!(refused.status == 401 && refused.text.contains("has no token"), "{}", refused.text);
}

/// Without its number an order is not found again in the CRM: it was sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_orders_number_cannot_be_taken_away() {
    let world = World::start().await;
    let id = world.post("/in/shop", "name=Olena&phone=12345&product=Mug&price=5").await.json()["id"].clone();
    let id = id.as_str().unwrap();
    for change in [["--unset", "source_uuid"], ["--set", "source_uuid="], ["--set", "source_uuid=  "]] {
        let ran = world.cli(&["orders", "edit", id, change[0], change[1], "--set", "buyer.phone=0671112233"]);
        assert!(ran.code == 1 && ran.out.contains("needs its number"), "{change:?}: {}{}", ran.out, ran.err);
        assert_eq!(
            world.cli(&["orders", "retry", id]).code,
            1,
            "what an edit left without a number does not go either"
        );
        assert_eq!(world.order(id)["state"], "held");
    }
    assert_eq!(world.cli(&["orders", "edit", id, "--set", "source_uuid=N-100"]).code, 0);
    world.crm_has(1).await;
    assert_eq!(world.crm.orders()[0]["source_uuid"], "N-100");
}
