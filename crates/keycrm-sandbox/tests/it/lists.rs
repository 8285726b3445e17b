//! Look-ups and lists.

use keycrm_sandbox::{Options, UnknownFilter};
use serde_json::{Value, json};

use crate::client::{get, order, post, start, unlimited};

fn numbers(list: &Value) -> Vec<&str> {
    let rows = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter().filter_map(|row| row["source_uuid"].as_str()).collect()
}

#[tokio::test]
async fn numbers_are_found_by_every_spelling_of_the_filter() {
    let sandbox = start(unlimited()).await;
    for number in ["A", "B", "C"] {
        post(&sandbox, &order(number)).await;
    }
    for (query, wanted) in [
        ("filter[source_uuid]=A", vec!["A"]),
        ("filter%5Bsource_uuid%5D=A&filter%5Bsource_id%5D=22", vec!["A"]),
        ("filter[source_uuid]=A,C", vec!["C", "A"]),
        ("filter[source_uuid]=A%2C%20C&sort=id", vec!["A", "C"]),
        ("filter[source_uuid]=A&filter[source_id]=4", vec![]),
        ("filter[source_uuid]=a", vec![]),
        ("source_uuid=A", vec!["C", "B", "A"]),
        ("filter[status_id]=1,2&filter[source_id]=22", vec!["C", "B", "A"]),
    ] {
        let list = get(&sandbox, &format!("/v1/order?{query}")).await.json();
        assert_eq!(numbers(&list), wanted, "{query}");
    }
    assert_eq!(sandbox.ledger()[3].source_uuid.as_deref(), Some("A"));
}

#[tokio::test]
async fn a_list_can_be_refused_as_one_whole_text() {
    let sandbox = start(Options { multi_lookup: false, ..unlimited() }).await;
    post(&sandbox, &order("A")).await;
    post(&sandbox, &order("A,B")).await;
    let list = get(&sandbox, "/v1/order?filter[source_uuid]=A,B").await.json();
    assert_eq!(numbers(&list), ["A,B"]);
}

#[tokio::test]
async fn buyers_and_dates_select() {
    let sandbox = start(unlimited()).await;
    let mut body = order("A");
    body["ordered_at"] = json!("2026-05-04 08:15:30");
    body["buyer"] = json!({"phone": "+380671112233", "email": "Olena@mail.app"});
    post(&sandbox, &body).await;
    post(&sandbox, &order("B")).await;
    for query in [
        "filter[buyer_phone]=380671112233",
        "filter[buyer_phone]=%2B38%20067%20111%2022%2033",
        "filter[buyer_email]=olena@mail.app",
        "filter[created_between]=2026-05-04,2026-05-04",
        "filter[created_between]=2026-05-04+08:15:30,+2026-05-04+08:15:30",
    ] {
        let list = get(&sandbox, &format!("/v1/order?{query}")).await.json();
        assert_eq!(numbers(&list), ["A"], "{query}");
    }
}

#[tokio::test]
async fn the_envelope_is_laravels() {
    let sandbox = start(unlimited()).await;
    for number in 1..=5 {
        post(&sandbox, &order(&number.to_string())).await;
    }
    let api = sandbox.api_url();
    let page = get(&sandbox, "/v1/order?limit=2&page=2").await.json();
    assert_eq!(numbers(&page), ["3", "2"]);
    let mut rest = page;
    rest.as_object_mut().unwrap().remove("data");
    let wanted = json!({
        "current_page": 2, "first_page_url": format!("{api}/order?limit=2&page=1"), "from": 3, "last_page": 3,
        "last_page_url": format!("{api}/order?limit=2&page=3"),
        "next_page_url": format!("{api}/order?limit=2&page=3"), "path": format!("{api}/order"), "per_page": 2,
        "prev_page_url": format!("{api}/order?limit=2&page=1"), "to": 4, "total": 5,
    });
    assert_eq!(rest, wanted);
    let past = get(&sandbox, "/v1/order?page=9").await.json();
    assert_eq!((&past["from"], &past["per_page"], &past["total"]), (&json!(null), &json!(15), &json!(5)));
    assert_eq!(get(&sandbox, "/v1/order?limit=1000").await.json()["per_page"], 50);
}

#[tokio::test]
async fn unknown_names_are_refused_or_ignored() {
    let strict = start(unlimited()).await;
    let answer = get(&strict, "/v1/order?filter[manager]=1").await;
    let wanted = "Requested filter(s) `manager` are not allowed. Allowed filter(s) are `status_id, source_id, \
                  source_uuid, buyer_phone, buyer_email, created_between, updated_between, shipping_between, \
                  payment_status, has_tracking_code`.";
    assert_eq!((answer.status, answer.json()), (400, json!({"message": wanted})));
    assert_eq!(get(&strict, "/v1/order?include=everything").await.status, 400);

    let lenient = start(Options { unknown_filter: UnknownFilter::Ignore, ..unlimited() }).await;
    post(&lenient, &order("A")).await;
    let list = get(&lenient, "/v1/order?filter[manager]=1&include=everything").await.json();
    assert_eq!(numbers(&list), ["A"]);
}
