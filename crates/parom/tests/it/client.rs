//! The typed client against the sandbox: every call that has a type, and answers of other shapes.

use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};
use parom_core::channel::SecretRef;
use parom_core::dictionary::Kind;
use parom_gateway::config::Account;
use parom_gateway::crm::{Client, Lines, List, Listed, Seen};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::world::{Settings, World};

async fn world() -> (World, Client) {
    let world = World::idle(Settings::default()).await;
    let account = Account {
        name: "main".into(),
        url: world.crm.api_url(),
        api_key: SecretRef::Env("X".into()),
        requests_per_minute: 54,
        order_url: None,
    };
    let client =
        Client::new(&account, &SecretString::from("key"), &Lines::new(Duration::from_secs(5)).unwrap()).unwrap();
    (world, client)
}

fn body(seen: &Seen) -> Value {
    match seen {
        Seen::Response { body, .. } => serde_json::from_slice(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dictionary_is_read() {
    let (_world, client) = world().await;
    for kind in Kind::ALL {
        match client.list(List::Dictionary(*kind, 1)).await.0 {
            Listed::Page(page) => assert!(!page.rows.is_empty(), "{kind:?}"),
            other => panic!("{kind:?}: {other:?}"),
        }
    }
    assert!(matches!(client.list(List::PipelineStatuses(1, 1)).await.0, Listed::Page(page) if page.rows.len() == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_made_changed_paid_and_read() {
    let (world, client) = world().await;
    let order = json!({ "source_id": 22, "source_uuid": "W-1", "buyer": { "full_name": "Olena", "phone": "+380671112233",
        "email": "olena@ukr.net" }, "products": [{ "sku": "MUG-350", "price": 5, "quantity": 1 }] });
    let made = client.post_order(order.to_string()).await;
    let id = body(&made)["id"].as_i64().unwrap();
    let read = client.order(id).await.unwrap().unwrap();
    assert_eq!((read.id, read.source_id, read.number.as_deref()), (id, Some(22), Some("W-1")));
    assert!(read.created_at.is_some());
    assert_eq!(client.order(id + 1).await.unwrap(), None);
    let changed = client.put_order(id, json!({ "manager_comment": "VIP" }).to_string()).await;
    assert_eq!((changed.status(), body(&changed)["manager_comment"].as_str()), (Some(202), Some("VIP")));
    let payment = json!({ "payment_method": "Готівка", "amount": 5 });
    assert_eq!(client.post_payment(id, payment.to_string()).await.status(), Some(201));
    assert_eq!(world.crm.orders()[0]["payment_status"], "paid");
    for found in [client.buyers_by_phone("+380671112233").await, client.buyers_by_email("olena@ukr.net").await] {
        let (buyers, last) = found.unwrap();
        assert_eq!(
            (buyers[0].full_name.as_str(), buyers[0].emails.as_slice(), last),
            ("Olena", &["olena@ukr.net".to_owned()][..], true)
        );
    }
    let (offers, _) = client.offers_by_sku(&["MUG-350", "NONE"]).await.unwrap();
    assert_eq!((offers.len(), offers[0].sku.as_str(), offers[0].price.as_str()), (1, "MUG-350", "1249.5"));
    let (products, _) = client.products_by_id(offers[0].product_id.unwrap()).await.unwrap();
    assert!(products[0].name.starts_with("Горнятко"), "{products:?}");
    let card = json!({ "title": "Lead", "contact": { "full_name": "Olena" } });
    assert_eq!(client.post_card(card.to_string()).await.status(), Some(201));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_shape_is_an_outcome() {
    let (world, client) = world().await;
    for kind in [
        FaultKind::HtmlBefore { status: 200 },
        FaultKind::RefuseBefore { status: 500 },
        FaultKind::DropBefore,
        FaultKind::WrongJson,
        FaultKind::TruncatedAfterCommit,
        FaultKind::HugeAnswer,
    ] {
        world.crm.clear_faults();
        world.crm.add_fault(Fault::always(FaultOn::Any, kind));
        assert!(client.buyers_by_phone("1").await.is_err(), "{kind:?}");
        assert!(client.offers_by_sku(&["A"]).await.is_err(), "{kind:?}");
        assert!(client.order(1).await.is_err() || kind == FaultKind::WrongJson, "{kind:?}");
        assert!(!matches!(client.list(List::Dictionary(Kind::Sources, 1)).await.0, Listed::Page(_)), "{kind:?}");
    }
}
