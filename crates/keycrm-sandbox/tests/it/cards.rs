//! Funnel cards.

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Options, PipelineLabel};
use serde_json::{Value, json};

use crate::client::{call, get, order, post, start, unlimited};

const CARDS: &str = "/v1/pipelines/cards";

fn card() -> Value {
    json!({
        "source_id": 22, "manager_comment": "Hot", "utm_source": "facebook", "note": "vanishes",
        "contact": {"full_name": "Олена", "phone": "+380671112233", "email": "olena@mail.app"},
        "products": [{"sku": "MUG-350", "quantity": 2, "discount_amount": 5}, {"name": "Box", "price": "5"}],
        "payments": [{"payment_method": "APPLE PAY", "amount": 10}],
        "custom_fields": [{"uuid": "LD_2001", "value": "Friends"}, {"uuid": "OR_1007", "value": "of orders"}],
    })
}

#[tokio::test]
async fn a_card_is_made_and_shown_with_all_its_parts() {
    let sandbox = start(unlimited()).await;
    let made = call(&sandbox, "POST", CARDS, &card()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let flat = made.json();
    assert_eq!((&flat["id"], &flat["title"], &flat["status_id"]), (&json!(1), &json!("1"), &json!(1)));
    assert!(flat.get("contact").is_none() && flat["note"].is_null());

    let include = "contact,products.offer,payments,custom_fields,status";
    let whole = get(&sandbox, &format!("{CARDS}/1?include={include}")).await.json();
    assert_eq!(whole["contact"]["phone"], "+380671112233");
    assert_eq!(whole["products"][0]["name"], "Горнятко керамічне, 350 мл");
    assert_eq!(whole["products"][0]["offer"]["sku"], "MUG-350");
    assert!(whole["products"][1]["offer"].is_null() && whole["products"][0].get("discount_amount").is_none());
    assert_eq!(whole["payments"][0]["payment_method_id"], 2);
    let field = json!([{"id": 10, "name": "Звідки дізнались", "type": "text", "uuid": "LD_2001", "value": "Friends"}]);
    assert_eq!(whole["custom_fields"], field);
    assert_eq!(whole["status"]["pipeline_id"], 1);
    assert_eq!(sandbox.cards()[0]["utm_source"], "facebook");
    assert_eq!(sandbox.ledger()[0].applied_card, Some(1));
}

#[tokio::test]
async fn each_rule_of_a_card_names_its_field() {
    let sandbox = start(unlimited()).await;
    for (change, field, text) in [
        (json!({"contact": null}), "contact", "The contact field is required."),
        (json!({"contact": "Олена"}), "contact", "The contact must be an array."),
        (json!({"contact": {"email": "x"}}), "contact.email", "The contact.email must be a valid email address."),
        (json!({"contact": {"client_id": 9}}), "contact.client_id", "The selected contact.client_id is invalid."),
        (json!({"source_id": 51}), "source_id", "The selected source id is invalid."),
        (json!({"pipeline_id": 3}), "pipeline_id", "The selected pipeline id is invalid."),
        (json!({"status_id": 11}), "status_id", "The selected status id is invalid."),
        (json!({"title": []}), "title", "The title must be a string."),
        (json!({"products": [{"price": "x"}]}), "products.0.price", "The products.0.price must be a number."),
    ] {
        let mut body = card();
        let key = change.as_object().unwrap().keys().next().unwrap();
        body[key] = change[key].clone();
        let answer = call(&sandbox, "POST", CARDS, &body).await;
        let wanted = json!({"message": "The given data was invalid.", "errors": {field: [text]}});
        assert_eq!((answer.status, answer.json()), (422, wanted));
    }
    assert!(sandbox.cards().is_empty());
}

#[tokio::test]
async fn a_client_brings_its_contact_and_the_first_status() {
    let sandbox = start(unlimited()).await;
    call(&sandbox, "POST", "/v1/buyer", &json!({"full_name": "Ann", "phone": ["+380501112233"]})).await;
    let contact = json!({"client_id": 1, "full_name": "Ignored", "email": "not looked at"});
    let body = json!({"contact": contact, "pipeline_id": 2, "status_id": 12});
    assert_eq!(call(&sandbox, "POST", CARDS, &body).await.json()["status_id"], 11);
    let body = json!({"contact": {"full_name": "Olena"}, "pipeline_id": 2, "status_id": 12, "title": "Wholesale"});
    assert_eq!(call(&sandbox, "POST", CARDS, &body).await.json()["status_id"], 12);
    let cards = get(&sandbox, &format!("{CARDS}?include=contact.client&sort=id")).await.json();
    assert_eq!(cards["data"][0]["contact"]["full_name"], "Ann");
    assert_eq!(cards["data"][0]["contact"]["client"]["phone"], "+380501112233");
    assert_eq!(
        (&cards["data"][1]["title"], &cards["data"][1]["contact"]["client"]),
        (&json!("Wholesale"), &json!(null))
    );
}

#[tokio::test]
async fn a_change_appends_products_and_leaves_the_comment() {
    let sandbox = start(unlimited()).await;
    call(&sandbox, "POST", CARDS, &card()).await;
    let change = json!({"title": "New", "note": "Called", "status_id": 3, "manager_comment": "lost",
                        "products": [{"sku": "MUG-350"}], "custom_fields": [{"uuid": "LD_2001", "value": "Ad"}]});
    let answer = call(&sandbox, "PUT", &format!("{CARDS}/1"), &change).await;
    assert_eq!((answer.status, answer.json()), (202, json!({"status": true})));
    let card = &sandbox.cards()[0];
    assert_eq!(
        (&card["title"], &card["note"], &card["manager_comment"]),
        (&json!("New"), &json!("Called"), &json!("Hot"))
    );
    assert_eq!(card["products"].as_array().unwrap().len(), 3);
    assert_eq!((&card["custom_fields"][0]["value"], &card["is_finished"]), (&json!("Ad"), &json!("1")));
    assert_eq!(call(&sandbox, "PUT", &format!("{CARDS}/9"), &change).await.status, 404);
    assert_eq!(call(&sandbox, "PUT", &format!("{CARDS}/1"), &json!({"status_id": 99})).await.status, 422);
}

#[tokio::test]
async fn a_list_of_cards_takes_its_five_filters_and_no_other() {
    let sandbox = start(unlimited()).await;
    call(&sandbox, "POST", CARDS, &card()).await;
    let second = json!({"contact": {"full_name": "B"}, "pipeline_id": 2, "source_id": 4});
    call(&sandbox, "POST", CARDS, &second).await;
    for (query, total) in [
        ("", 2),
        ("?filter[pipeline_id]=2", 1),
        ("?filter[source_id]=22,4", 2),
        ("?filter[status_id]=1", 1),
        ("?filter[created_between]=2020-01-01,2020-01-02", 0),
        ("?filter[updated_between]=2020-01-01,2120-01-02", 2),
    ] {
        assert_eq!(get(&sandbox, &format!("{CARDS}{query}")).await.json()["total"], total, "{query}");
    }
    let answer = get(&sandbox, &format!("{CARDS}?filter[phone]=1")).await;
    let wanted = "Requested filter(s) `phone` are not allowed. Allowed filter(s) are `pipeline_id, status_id, \
                  source_id, created_between, updated_between`.";
    assert_eq!((answer.status, answer.json()), (400, json!({"message": wanted})));
}

#[tokio::test]
async fn faults_of_orders_fit_cards() {
    let sandbox = start(unlimited()).await;
    sandbox.add_fault(Fault::once(FaultOn::Post, FaultKind::WrongNumber));
    let mut titled = card();
    titled["title"] = json!("A");
    assert_eq!(call(&sandbox, "POST", CARDS, &titled).await.json()["title"], "A-OTHER");
    sandbox.add_fault(Fault::once(FaultOn::Lookup, FaultKind::LookupEmpty));
    sandbox.add_fault(Fault::once(FaultOn::Lookup, FaultKind::LookupIgnoresFilter));
    let total = async || get(&sandbox, &format!("{CARDS}?filter[source_id]=4")).await.json()["total"].to_string();
    assert_eq!([total().await, total().await, total().await], ["0", "1", "0"]);
    sandbox.add_fault(Fault::once(FaultOn::Dictionary, FaultKind::RefuseBefore { status: 503 }));
    assert_eq!(get(&sandbox, CARDS).await.status, 200);
    assert_eq!(post(&sandbox, &order("A")).await.status, 201);
    assert_eq!(get(&sandbox, "/v1/pipelines").await.status, 503);
}

#[tokio::test]
async fn an_account_can_be_without_funnels() {
    let sandbox = start(Options { funnels: false, ..unlimited() }).await;
    let off = (400, json!({"message": "Leads are not enabled"}));
    for path in ["/v1/pipelines", "/v1/pipelines/1/statuses", CARDS, "/v1/pipelines/cards/1"] {
        let answer = get(&sandbox, path).await;
        assert_eq!((answer.status, answer.json()), off, "{path}");
    }
    assert_eq!(call(&sandbox, "POST", CARDS, &card()).await.status, 400);
}

#[tokio::test]
async fn a_funnel_is_labelled_as_live_or_as_documented() {
    for (pipeline_label, key) in [(PipelineLabel::Title, "title"), (PipelineLabel::Name, "name")] {
        let sandbox = start(Options { pipeline_label, ..unlimited() }).await;
        assert_eq!(get(&sandbox, "/v1/pipelines").await.json()["data"][0][key], "Продажі");
    }
    let sandbox = start(unlimited()).await;
    call(&sandbox, "POST", CARDS, &card()).await;
    let statuses = get(&sandbox, "/v1/pipelines/1/statuses").await.json();
    assert_eq!((&statuses["data"][0]["leads_count"], &statuses["total"]), (&json!(1), &json!(3)));
    assert_eq!(get(&sandbox, "/v1/pipelines/9/statuses").await.status, 404);
}
