//! Buyers: made by hand or by orders, and met again.

use keycrm_sandbox::{Options, UnknownCustomField};
use serde_json::json;

use crate::client::{call, get, post, start, unlimited};

#[tokio::test]
async fn an_order_meets_the_buyer_with_its_phone_or_address() {
    let sandbox = start(unlimited()).await;
    let made =
        call(&sandbox, "POST", "/v1/buyer", &json!({"full_name": "Олена", "phone": ["+380 67 111-22-33"]})).await;
    assert_eq!((made.status, &made.json()["id"]), (201, &json!(1)));
    let mut ids = Vec::new();
    for buyer in [
        json!({"full_name": "O.", "phone": "380671112233"}),
        json!({"full_name": "New", "email": "New@mail.app"}),
        json!({"full_name": "Again", "email": "new@MAIL.app", "phone": "+380509998877"}),
        json!({"full_name": "Again"}),
    ] {
        assert_eq!(post(&sandbox, &json!({"source_id": 22, "buyer": buyer})).await.status, 201);
        ids.push(sandbox.orders().last().unwrap()["buyer"]["id"].to_string());
    }
    assert_eq!(ids, ["1", "2", "2", "3"]);
    assert_eq!(get(&sandbox, "/v1/buyer").await.json()["total"], 3);
}

#[tokio::test]
async fn buyers_are_found_and_shown() {
    let sandbox = start(unlimited()).await;
    let body = json!({"full_name": "Петро", "email": ["p@mail.app"], "phone": ["+380501112233", "+380501112244"],
                      "birthday": "1990-05-16", "manager_id": 2, "shipping": [{"city": "Kyiv", "planet": "Earth"}]});
    call(&sandbox, "POST", "/v1/buyer", &body).await;
    call(&sandbox, "POST", "/v1/buyer", &json!({"full_name": "Ann"})).await;
    for (query, total) in [
        ("filter[buyer_id]=1,2", 2),
        ("filter[buyer_phone]=380501112244", 1),
        ("filter[buyer_email]=P@mail.app,x@y.z", 1),
        ("filter[created_between]=2020-01-01,2120-01-01", 2),
        ("filter[updated_between]=2020-01-01,2020-01-01", 0),
    ] {
        assert_eq!(get(&sandbox, &format!("/v1/buyer?{query}")).await.json()["total"], total, "{query}");
    }
    let buyer = get(&sandbox, "/v1/buyer/1?include=manager,shipping,custom_fields").await.json();
    assert_eq!((&buyer["birthday"], &buyer["manager"]["first_name"]), (&json!("1990-05-16"), &json!("Петро")));
    assert_eq!(buyer["shipping"], json!([{"city": "Kyiv"}]));
    assert_eq!(get(&sandbox, "/v1/buyer/9").await.status, 404);
    assert_eq!(get(&sandbox, "/v1/buyer?filter[name]=x").await.status, 400);
}

#[tokio::test]
async fn each_rule_of_a_buyer_names_its_field() {
    let strict = Options { unknown_custom_field: UnknownCustomField::Refuse, ..unlimited() };
    let sandbox = start(strict).await;
    for (key, value, field) in [
        ("full_name", json!(" "), "full_name"),
        ("phone", json!("+380501112233"), "phone"),
        ("phone", json!([1]), "phone.0"),
        ("email", json!(["a@b@c"]), "email.0"),
        ("birthday", json!("soon"), "birthday"),
        ("custom_fields", json!([{"uuid": "CT_1", "value": 1}]), "custom_fields.0.uuid"),
    ] {
        let mut body = json!({"full_name": "Ann"});
        body[key] = value;
        let answer = call(&sandbox, "POST", "/v1/buyer", &body).await;
        assert!(answer.status == 422 && answer.json()["errors"].get(field).is_some(), "{field}: {}", answer.text);
    }
}
