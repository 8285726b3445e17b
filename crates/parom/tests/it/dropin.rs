//! The drop-in for the CRM's own address.

use keycrm_sandbox::{DupMode, Fault, FaultKind, FaultOn};
use serde_json::json;

use super::world::{Answer, Settings, World};

const TOKEN: (&str, &str) = ("authorization", "Bearer right-token");

/// A channel for scripts; more settings may stand before it.
fn channel(settings: &str) -> String {
    format!("account = \"main\"\n{settings}\n[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n[order]\nsource_id = 22\n")
}

async fn world(settings: &str) -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("script", &channel(settings));
    world.serve(&[]);
    world
}

async fn post(world: &World, body: &serde_json::Value) -> Answer {
    world.send("/v1/order", "application/json", body.to_string().into(), &[TOKEN]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_as_the_crm_does_and_leaves_dates_alone() {
    let world = world("").await;
    let body = json!({
        "source_uuid": "WEB-1", "ordered_at": "2026-11-24 10:30:00", "tags": [1],
        "buyer": { "full_name": "Olena", "phone": "067 111 22 33", "email": null },
        "products": [{ "name": "Mug", "price": "1249.50", "quantity": 1 }],
    });
    let answer = post(&world, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let order = &world.crm.orders()[0];
    assert_eq!(answer.json()["id"], order["id"]);
    assert_eq!((&answer.json()["source_uuid"], &answer.json()["source_id"]), (&json!("WEB-1"), &json!(22)));
    assert_eq!(order["buyer"]["phone"], "+380671112233");
    let sent: serde_json::Value = serde_json::from_str(&world.posted()[0].body).unwrap();
    assert_eq!((&sent["ordered_at"], &sent["tags"]), (&json!("2026-11-24 10:30:00"), &json!([1])));
    // The number is the key: the same order gets the same answer, another one with it is refused.
    assert_eq!(post(&world, &body).await.json()["id"], order["id"]);
    let mut other = body.clone();
    other["buyer"]["full_name"] = json!("Petro");
    assert_eq!(post(&world, &other).await.status, 409);
    world.assert_once(&["WEB-1".into()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_by_the_header_is_the_same_order_without_a_number() {
    let world = world("").await;
    let body = json!({ "buyer": { "full_name": "Olena" } }).to_string();
    let headers = [TOKEN, ("idempotency-key", "cart-7")];
    let send = async || world.send("/v1/order", "application/json", body.clone().into(), &headers).await;
    let first = send().await;
    assert_eq!((first.status, send().await.json()["id"].clone()), (201, first.json()["id"].clone()));
    assert_eq!(post(&world, &json!({ "buyer": { "full_name": "Olena" } })).await.status, 201, "no key, no repeat");
    assert_eq!(world.crm.orders().len(), 2);
    let metrics = world.get("/metrics").await.text;
    let counted = "parom_submissions_total{channel=\"script\",result=\"accepted\"} 3";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_needs_the_channels_token_and_json() {
    let world = world("on_invalid = \"reject\"").await;
    let send = async |body: &str, headers: &[(&str, &str)]| {
        world.send("/v1/order", "application/json", body.into(), headers).await
    };
    let stranger = send("{}", &[]).await;
    assert_eq!((stranger.status, stranger.json()), (401, json!({ "message": "Unauthenticated." })));
    assert_eq!(send("{}", &[("authorization", "Bearer canary")]).await.status, 401);
    assert_eq!(send("{", &[TOKEN]).await.status, 400);
    assert_eq!(send("[]", &[TOKEN]).await.status, 400);
    let invalid = send(r#"{"buyer":{"email":"x"}}"#, &[TOKEN]).await;
    assert_eq!(invalid.status, 422);
    assert!(invalid.json()["errors"].as_object().unwrap().contains_key("buyer.email"), "{}", invalid.text);
    assert_eq!(world.crm_posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_that_is_silent_makes_202_and_the_order_arrives_later() {
    let world = world("wait = \"300ms\"").await;
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::HangAfterCommit));
    let body = json!({ "source_uuid": "WEB-2", "buyer": { "full_name": "Olena" } });
    let answer = post(&world, &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let json = answer.json();
    assert_eq!(
        (&json["id"], &json["status"], &json["source_uuid"]),
        (&json!(null), &json!("accepted"), &json!("WEB-2"))
    );
    let id = json["parom_id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let again = post(&world, &body).await;
    assert_eq!((again.status, &again.json()["id"]), (201, &world.crm.orders()[0]["id"]));
    world.assert_once(&["WEB-2".into()]);
}

/// Nobody waits for an answer that cannot come: of an order that waits for a person, and of its repeat.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_answered_at_once() {
    let world = world("wait = \"30s\"").await;
    let body = json!({ "source_uuid": "H-1", "products": [] });
    let began = std::time::Instant::now();
    let first = post(&world, &body).await;
    assert_eq!((first.status, first.json()["status"].clone()), (202, json!("accepted")));
    assert_eq!(post(&world, &body).await.json()["parom_id"], first.json()["parom_id"]);
    assert!(began.elapsed().as_secs() < 20, "it waited: {:?}", began.elapsed());
    assert_eq!(world.orders()[0]["state"], "held");
}

/// An answer of the CRM that was not believed is not passed on either, once a look has found the order.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_another_number_is_never_passed_on() {
    let world = world("").await;
    assert_eq!(post(&world, &json!({ "source_uuid": "W-0", "buyer": { "full_name": "Olena" } })).await.status, 201);
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::WrongNumber));
    let body = json!({ "source_uuid": "W-1", "buyer": { "full_name": "Olena" } });
    let answer = post(&world, &body).await;
    world.until("it is found", || world.is_settled()).await;
    for answer in [answer, post(&world, &body).await] {
        assert!(answer.status == 202 || answer.json()["source_uuid"] == "W-1", "{}", answer.text);
    }
    let named = [TOKEN, ("idempotency-key", "k")];
    let send = async |name: &str| {
        let body = json!({ "source_uuid": name, "buyer": { "full_name": "Olena" } }).to_string();
        world.send("/v1/order", "application/json", body.into(), &named).await
    };
    assert_eq!(send("K-1").await.status, 201);
    let other = send("K-2").await;
    assert!(other.status == 409 && other.text.contains("Idempotency-Key"), "{}", other.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_crms_refusal_is_passed_on() {
    let world = world("").await;
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::Validation));
    let body = json!({ "source_uuid": "WEB-3", "buyer": { "full_name": "Olena" } });
    let refused = post(&world, &body).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.json()["errors"].is_object());
    let id = world.orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.order(&id)["state"], "rejected");
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.crm_has(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_delivery_rests_nobody_waits() {
    let settings = Settings { duplicates: DupMode::Reject, ..Settings::default() };
    let mut world = World::idle(settings).await;
    world.channel("script", &channel("wait = \"20s\""));
    world.crm.add_fault(Fault::always(FaultOn::Post, FaultKind::RefuseBefore { status: 401 }).times(1));
    world.serve(&[]);
    let order = |number: u32| json!({ "source_uuid": format!("W-{number}"), "buyer": { "full_name": "Olena" } });
    let began = std::time::Instant::now();
    // The first meets the refusal and opens the breaker; those after it must not wait for it to close.
    let one = order(1);
    let (first, second) = tokio::join!(post(&world, &one), async {
        world.until("the breaker is open", || world.log().contains("refuses the key")).await;
        let began = std::time::Instant::now();
        let answer = post(&world, &order(2)).await;
        (answer.status, began.elapsed())
    });
    assert!(matches!(first.status, 201 | 202), "{}", first.text);
    assert!(second.1 < std::time::Duration::from_secs(5), "{second:?}");
    world.crm_has(2).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_is_the_key_whatever_the_header_says() {
    let world = world("").await;
    let body = json!({ "source_uuid": "Q1", "buyer": { "full_name": "Olena" } }).to_string();
    let mut ids = Vec::new();
    for key in ["a", "b"] {
        let headers = [TOKEN, ("idempotency-key", key)];
        let answer = world.send("/v1/order", "application/json", body.clone().into(), &headers).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        ids.push(answer.json()["id"].clone());
    }
    assert_eq!((&ids[0], world.orders().len()), (&ids[1], 1));
    // One header for two numbers is refused: it is one order whose script makes a number at each try, perhaps.
    let other = json!({ "source_uuid": "Q2", "buyer": { "full_name": "Olena" } }).to_string();
    let headers = [TOKEN, ("idempotency-key", "a")];
    assert_eq!(world.send("/v1/order", "application/json", other.into(), &headers).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_crm_refused_can_be_corrected_under_its_number() {
    let world = world("").await;
    let body = |name: &str| json!({ "source_uuid": "V1", "buyer": { "full_name": name, "email": "a@ukr.net" } });
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::RefuseBefore { status: 422 }));
    assert_eq!(post(&world, &body("Wrong")).await.status, 422);
    assert_eq!(post(&world, &body("Wrong")).await.status, 422, "the same again is the same answer");
    let answer = post(&world, &body("Right")).await;
    assert_eq!((answer.status, &answer.json()["id"]), (201, &world.crm.orders()[0]["id"]), "{}", answer.text);
    assert_eq!(post(&world, &body("Right")).await.json()["id"], answer.json()["id"]);
    // A correction that would have to wait for a person is none; the refused order stays as it is.
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::RefuseBefore { status: 422 }));
    let mut other = body("Wrong");
    other["source_uuid"] = json!("V2");
    assert_eq!(post(&world, &other).await.status, 422);
    other["products"] = json!([{ "name": "Mug", "price": "many" }]);
    let answer = post(&world, &other).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    // What is in the CRM is not corrected here.
    assert_eq!(post(&world, &body("Other")).await.status, 409);
    assert_eq!((&world.crm.orders()[0]["buyer"]["full_name"], world.crm.orders().len()), (&json!("Right"), 1));
    let typed = world.send("/v1/order", "application/xml", b"<order/>".to_vec(), &[TOKEN]).await;
    assert_eq!(typed.status, 415, "{}", typed.text);
}
