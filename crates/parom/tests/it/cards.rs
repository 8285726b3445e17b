//! Pipeline cards: with the same guarantees as far as the CRM's interface allows.

use keycrm_sandbox::{Fault, FaultKind, FaultOn};
use serde_json::{Value, json};

use super::world::{Settings, World};

const LEADS: &str = r#"
account = "main"
target = "card"
on_repeat = "off"
[card]
title = "{{ title }}"
source_id = 22
pipeline = "Опт"
[card.contact]
full_name = "{{ name }}"
phone = "{{ phone }}"
[[card.products]]
sku = "{{ sku }}"
price = "{{ price }}"
[[card.custom_fields]]
uuid = "LD_2001"
value = "{{ whence }}"
"#;

async fn leads() -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("leads", LEADS);
    world.serve(&[]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    world
}

async fn post(world: &World, body: &str) -> String {
    world.post("/in/leads", body).await.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_becomes_a_card_with_its_contact_pipeline_marks_and_fields() {
    let world = leads().await;
    let body = "name=Olena&phone=067+111-22-33&title=Call+me&sku=MUG-350&price=1249,50&whence=ad&utm_source=ig";
    let id = post(&world, body).await;
    world.reaches(&id, "delivered").await;
    let card = &world.crm.cards()[0];
    assert_eq!((&card["title"], &card["utm_source"]), (&json!("Call me"), &json!("ig")));
    assert_eq!(card["contact"]["phone"], "+380671112233");
    assert_eq!(card["custom_fields"][0]["uuid"], "LD_2001");
    let sent: Value = serde_json::from_str(&world.posted()[0].body).unwrap();
    assert_eq!((&sent["pipeline_id"], &sent["products"][0]["sku"]), (&json!(2), &json!("MUG-350")));
    let order = world.order(&id);
    assert_eq!((&order["crm_order_id"], &order["target"]), (&card["id"], &json!("card")));
    assert_eq!(world.crm.orders().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_answer_was_lost_is_found_by_title_and_contact() {
    for kind in [FaultKind::CommitThenDrop, FaultKind::HangAfterCommit, FaultKind::HtmlAfterCommit { status: 502 }] {
        let world = leads().await;
        world.crm.add_fault(Fault::once(FaultOn::Post, kind));
        let id = post(&world, "name=Olena&phone=0671112233").await;
        world.reaches(&id, "delivered").await;
        assert_eq!((world.crm.cards().len(), world.crm_posts()), (1, 1), "{kind:?}");
        let title = &world.crm.cards()[0]["title"];
        assert_eq!(title, &world.order(&id)["source_uuid"], "without a title of its own it bears the order's number");
    }
}

/// Cards have no number to be sure by: what is not found is never sent again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_not_found_is_disputed_and_not_sent_again() {
    let world = leads().await;
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::DropBefore));
    let id = post(&world, "name=Olena&phone=0671112233").await;
    world.reaches(&id, "disputed").await;
    assert_eq!((world.crm.cards().len(), world.crm_posts()), (0, 1));
    assert!(world.order(&id)["reason"].as_str().unwrap().contains("cards have no number"));
}

/// Two cards of one title and contact within minutes: the one that is known to be another order's is not taken for this.
#[tokio::test(flavor = "multi_thread")]
async fn another_orders_card_is_never_taken_for_this_one() {
    for (kind, state, cards) in [(FaultKind::CommitThenDrop, "delivered", 2), (FaultKind::DropBefore, "disputed", 1)] {
        let world = leads().await;
        let first = post(&world, "name=Olena&phone=0671112233&title=Same").await;
        world.reaches(&first, "delivered").await;
        world.crm.add_fault(Fault::once(FaultOn::Post, kind));
        let second = post(&world, "name=Olena&phone=0671112233&title=Same&price=5&sku=A").await;
        world.reaches(&second, state).await;
        assert_eq!((world.crm.cards().len(), world.crm_posts()), (cards, 2), "{kind:?}");
        assert_ne!(world.order(&first)["crm_order_id"], world.order(&second)["crm_order_id"]);
    }
}

/// Two doubtful cards of one title and contact, of which the CRM took one: nobody can say whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn one_row_for_two_doubtful_cards_settles_one_at_most() {
    let world = leads().await;
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::CommitThenDrop));
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::DropBefore));
    let first = post(&world, "name=Olena&phone=0671112233&title=Same").await;
    let second = post(&world, "name=Olena&phone=0671112233&title=Same&price=5&sku=A").await;
    let settled = |id: &str| ["delivered", "disputed"].contains(&world.order(id)["state"].as_str().unwrap());
    world.until("both are settled", || settled(&first) && settled(&second)).await;
    let states = [&first, &second].map(|id| world.order(id)["state"].as_str().unwrap().to_owned());
    assert!(states.contains(&"disputed".to_owned()), "{states:?}");
    assert_eq!(world.crm_posts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_chooses_between_order_and_card() {
    let mut world = World::idle(Settings::default()).await;
    world.channel(
        "mixed",
        "account = \"main\"\ntarget = \"{{ 'order' if price else 'card' }}\"\non_repeat = \"off\"\n[order]\n\
         source_id = 22\n[order.buyer]\nfull_name = \"{{ name }}\"\nphone = \"{{ phone }}\"\n[[order.products]]\n\
         name = \"{{ product }}\"\nprice = \"{{ price }}\"\n",
    );
    world.serve(&[]);
    world.post("/in/mixed", "name=Buyer&phone=0671112233&product=Mug&price=5").await;
    world.post("/in/mixed", "name=Caller&phone=0671112234&utm_source=ig").await;
    world.until("both are there", || world.crm.orders().len() == 1 && world.crm.cards().len() == 1).await;
    assert_eq!(world.crm.cards()[0]["contact"]["full_name"], "Caller");
    assert_eq!(world.crm.cards()[0]["utm_source"], "ig");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drop_in_takes_cards_too() {
    let mut world = World::idle(Settings::default()).await;
    world
        .channel("script", "account = \"main\"\n[access]\ntoken = { env = \"TEST_TOKEN\" }\n[order]\nsource_id = 22\n");
    world.serve(&[]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    let headers = [("authorization", "Bearer right-token")];
    let body =
        json!({ "title": "Lead", "contact": { "full_name": "Olena", "phone": "067 111 22 33" }, "utm_source": "ig" });
    let answer = world.send("/v1/pipelines/cards", "application/json", body.to_string().into(), &headers).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let card = &world.crm.cards()[0];
    assert_eq!((&answer.json()["id"], &card["contact"]["phone"]), (&card["id"], &json!("+380671112233")));
    let bad = world.send("/v1/pipelines/cards", "application/json", "{}".into(), &headers).await;
    assert_eq!(bad.status, 202, "held for a person: {}", bad.text);
    assert_eq!(world.send("/v1/pipelines/cards", "application/json", "{}".into(), &[]).await.status, 401);
}
