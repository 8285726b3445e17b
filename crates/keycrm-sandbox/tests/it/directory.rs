//! The account's dictionaries.

use keycrm_sandbox::{DateStyle, Fault, FaultKind, FaultOn, Options, Source};
use serde_json::{Value, json};

use crate::client::{KEY, answered, call, get, order, post, send, start, unlimited};

/// The values of a key in the rows of a list.
async fn column(sandbox: &keycrm_sandbox::Sandbox, target: &str, key: &str) -> String {
    let body = get(sandbox, &format!("/v1{target}")).await.json();
    let rows = body["data"].as_array().or(body.as_array()).cloned();
    let rows = rows.unwrap_or_else(|| panic!("no rows in {body}"));
    rows.iter().map(|row| row[key].to_string()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn lists_have_pages_and_two_orders() {
    let sandbox = start(unlimited()).await;
    for (target, wanted) in [
        ("/order/source?limit=3", "1 2 3"),
        ("/order/source?limit=3&sort=-id&page=2", "47 46 45"),
        ("/order/tag?sort=id", "1 2"),
        ("/order/status?limit=50", "1 2 3 4 5 6 7 8 9 10"),
        ("/order/payment-method?page=2", "16 17 18 19 20"),
        ("/order/delivery-service?limit=2", "1 2"),
        ("/users", "1 2"),
        ("/pipelines", "1 2"),
        ("/products?filter[product_id]=1,3", "1 3"),
        ("/products?filter[is_archived]=true", ""),
        ("/offers?filter[sku]=MUG-350,TEE-M", "1 4"),
        ("/offers?filter[product_id]=3&filter[id]=4", "4"),
        ("/offers?filter[is_archived]=false&sort=-id&limit=1", "4"),
        ("/custom-fields?filter[model]=lead", "10 11"),
        ("/custom-fields?filter[model]=lead,client&sort=-position", "11 10"),
    ] {
        assert_eq!(column(&sandbox, target, "id").await, wanted, "{target}");
    }
    let page = get(&sandbox, "/v1/order/source").await.json();
    let path = format!("{}/order/source", sandbox.api_url());
    assert_eq!((&page["total"], &page["per_page"], &page["path"]), (&json!(50), &json!(15), &json!(path)));
    assert_eq!(page["data"][3]["currency_code"], "EUR");
}

#[tokio::test]
async fn associations_come_where_they_are_named() {
    let sandbox = start(unlimited()).await;
    let bare = get(&sandbox, "/v1/custom-fields").await.json();
    assert!(bare[2].get("options").is_none());
    let whole = get(&sandbox, "/v1/custom-fields?include=options").await.json();
    assert_eq!(whole[2]["options"][1], json!({"id": 302, "field_id": 3, "value": "M"}));
    assert_eq!((&whole[1]["is_multiple"], &whole[1]["options"]), (&json!(true), &json!([])));
    let offers = get(&sandbox, "/v1/offers?include=product&filter[id]=3").await.json();
    assert_eq!(offers["data"][0]["product"]["has_offers"], true);
    for bad in
        ["custom-fields?filter[name]=x", "custom-fields?include=model", "offers?filter[name]=x", "users?sort=age"]
    {
        assert_eq!(get(&sandbox, &format!("/v1/{bad}")).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_page_is_a_positive_number() {
    let sandbox = start(unlimited()).await;
    for bad in ["page=0", "page=x", "limit=-1", "limit=1.5"] {
        for list in ["order", "order/tag", "pipelines/cards", "buyer"] {
            assert_eq!(get(&sandbox, &format!("/v1/{list}?{bad}")).await.status, 422, "{list} {bad}");
        }
    }
    let far = get(&sandbox, "/v1/order/tag?page=99999999999999999999999").await;
    assert_eq!((far.status, &far.json()["data"]), (200, &json!([])));
}

#[tokio::test]
async fn a_test_changes_the_account_while_it_runs() {
    let sandbox = start(unlimited()).await;
    let mut from_new = order("A");
    from_new["source_id"] = json!(77);
    assert_eq!(post(&sandbox, &from_new).await.status, 422);
    sandbox.change_directory(|directory| {
        directory.sources.push(Source { id: 77, name: "Stall".to_owned(), ..directory.sources[0].clone() });
    });
    assert_eq!(sandbox.directory().sources.len(), 51);
    assert_eq!(post(&sandbox, &from_new).await.status, 201);
}

#[tokio::test]
async fn the_account_is_replaced_over_http_by_its_own_site_alone() {
    let sandbox = start(unlimited()).await;
    let path = "/_sandbox/directory";
    let mut directory = get(&sandbox, path).await.json();
    directory["tags"] = json!([{"id": 5, "name": "VIP", "alias": "vip", "color": "#000000"}]);
    let foreign = format!("{KEY}Origin: https://evil.example\r\n");
    let put = async |headers: &str, body: &Value| {
        answered(send(sandbox.addr(), "PUT", path, headers, &body.to_string()).await).status
    };
    assert_eq!(put(&foreign, &directory).await, 403);
    assert_eq!(put(KEY, &json!({"tags": []})).await, 400);
    assert_eq!(put(KEY, &directory).await, 200);
    assert_eq!(column(&sandbox, "/order/tag", "name").await, "\"VIP\"");
    assert_eq!(sandbox.directory().sources.len(), 50);
}

#[tokio::test]
async fn methods_that_a_path_lacks_are_named() {
    let sandbox = start(unlimited()).await;
    let answer = call(&sandbox, "DELETE", "/v1/order/source", &Value::Null).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    let answer = get(&sandbox, "/v1/order/1/payment").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn odd_faults_fit_a_bare_list() {
    let sandbox = start(unlimited()).await;
    sandbox.add_fault(Fault::once(FaultOn::Dictionary, FaultKind::WrongNumber));
    assert_eq!(get(&sandbox, "/v1/custom-fields").await.status, 200);
    sandbox.add_fault(Fault::once(FaultOn::Dictionary, FaultKind::HtmlBefore { status: 502 }));
    assert_eq!(get(&sandbox, "/v1/order").await.status, 200);
    assert_eq!(get(&sandbox, "/v1/buyer").await.status, 502);
}

#[tokio::test]
async fn dictionary_dates_follow_the_style() {
    let sandbox = start(Options { dates: DateStyle::Space, ..unlimited() }).await;
    assert_eq!(column(&sandbox, "/order/tag?limit=1", "created_at").await, "\"2024-01-15 09:00:00\"");
}
