//! The pages that a person looks at.

use keycrm_sandbox::{Fault, FaultKind, FaultOn, Options};
use serde_json::json;

use crate::client::{KEY, answered, call, get, order, post, send, start, unlimited};

const PAGES: &[&str] = &["/", "/cards", "/sources", "/catalogue", "/custom-fields", "/keys", "/ledger"];

#[tokio::test]
async fn each_page_leads_to_all_others_and_needs_no_script() {
    let sandbox = start(unlimited()).await;
    for page in PAGES {
        let answer = get(&sandbox, page).await;
        assert_eq!(answer.status, 200, "{page}");
        for link in PAGES {
            assert!(answer.text.contains(&format!("<a href=\"{link}\">")), "{page} lacks {link}");
        }
        for inline in ["<style", "style=", "onclick", "<script>"] {
            assert!(!answer.text.contains(inline), "{page} has {inline}");
        }
        assert!(answer.header("content-security-policy").is_some_and(|policy| !policy.contains("unsafe")));
    }
    assert!(sandbox.ledger().is_empty(), "pages are not in the ledger");
}

#[tokio::test]
async fn pages_tell_what_the_account_has() {
    let key = "0123456789abcdef";
    let sandbox = start(Options { api_key: Some(key.to_owned()), ..Options::default() }).await;
    for (page, wanted) in [
        ("/sources", "Landing"),
        ("/sources", "EUR"),
        ("/catalogue", "MUG-350"),
        ("/catalogue", "Розмір: M"),
        ("/custom-fields", "Червоний, Синій, Зелений"),
        ("/keys", "••••cdef"),
        ("/keys", "60 requests in any 60 seconds"),
    ] {
        assert!(get(&sandbox, page).await.text.contains(wanted), "{page} lacks {wanted}");
    }
    assert!(!get(&sandbox, "/keys").await.text.contains(key));
    let open = start(unlimited()).await;
    assert!(get(&open, "/keys").await.text.contains("any key that is not empty"));
}

#[tokio::test]
async fn cards_have_a_list_and_a_page() {
    let sandbox = start(unlimited()).await;
    assert!(get(&sandbox, "/cards").await.text.contains("No card has arrived yet."));
    let card = json!({"title": "<b>1</b>", "contact": {"full_name": "Ann", "phone": "+380671112233"},
                      "products": [{"sku": "TEE-M"}], "payments": [{"payment_method_id": 2, "amount": 5}]});
    assert_eq!(call(&sandbox, "POST", "/v1/pipelines/cards", &card).await.status, 201);
    let list = get(&sandbox, "/cards").await.text;
    assert!(list.contains("<a href=\"/cards/1\">&lt;b&gt;1&lt;/b&gt;</a>") && list.contains("Футболка × 1"), "{list}");
    let page = get(&sandbox, "/cards/1").await.text;
    for wanted in [
        "contact.full_name</th><td>Ann",
        "products[0].offer</th><td>TEE-M",
        "payments[0].payment_method</th><td>Apple Pay",
        "status.name</th><td>Новий",
        "/_sandbox/cards/1",
    ] {
        assert!(page.contains(wanted), "{wanted} in {page}");
    }
    assert_eq!(get(&sandbox, "/_sandbox/cards/1").await.json()["title"], "<b>1</b>");
    assert_eq!((get(&sandbox, "/cards/9").await.status, get(&sandbox, "/_sandbox/cards/9").await.status), (404, 404));
}

#[tokio::test]
async fn phones_totals_and_times_stay_on_one_line() {
    let sandbox = start(unlimited()).await;
    let mut body = order("A");
    body["buyer"]["phone"] = json!("+380 67 111 22 33");
    body["products"] = json!([{"sku": "MUG-350"}]);
    post(&sandbox, &body).await;
    let list = get(&sandbox, "/").await.text;
    for tight in ["+380 67 111 22 33", "1249.5 UAH"] {
        assert!(list.contains(&format!("<span class=\"tight\">{tight}</span>")), "{tight} in {list}");
    }
    assert!(get(&sandbox, "/assets/sandbox.css").await.text.contains(".tight { white-space: nowrap; }"));
}

#[tokio::test]
async fn requests_and_their_faults_are_listed_newest_first() {
    let sandbox = start(unlimited()).await;
    sandbox.add_fault(Fault::once(FaultOn::Post, FaultKind::DropBefore));
    send(sandbox.addr(), "POST", "/v1/order", KEY, "{}").await;
    get(&sandbox, "/v1/order?limit=5&sort=id").await;
    let page = get(&sandbox, "/ledger").await.text;
    let (newest, oldest) = (page.find("/v1/order?limit=5&amp;sort=id"), page.find("drop_before"));
    assert!(newest.is_some() && newest < oldest && page.contains("no answer"), "{page}");
}

#[tokio::test]
async fn any_fault_can_be_chosen_in_a_form() {
    let sandbox = start(unlimited()).await;
    let form = "kind=refuse_before&on=dictionary&times=&status=500&ms=";
    assert_eq!(answered(send(sandbox.addr(), "POST", "/_sandbox/play", "", form).await).status, 303);
    assert_eq!([get(&sandbox, "/v1/users").await.status, get(&sandbox, "/v1/users").await.status], [500, 500]);
    let page = get(&sandbox, "/").await.text;
    assert!(page.contains("refuse before 500 on dictionary, until cleared"), "{page}");
    for kind in ["drip_answer", "wrong_number", "late_commit"] {
        assert!(page.contains(&format!("<option value=\"{kind}\">")), "{kind}");
    }
}
