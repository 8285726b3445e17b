//! The rules of the published script, each through the public door.

use serde_json::{Value, json};

use super::world::{Settings, World};

/// A channel with every field that a rule is about.
const CHANNEL: &str = r#"
account = "main"
on_repeat = "off"
[order]
source_id = "{{ source | default(22) }}"
[order.buyer]
full_name = "{{ name }}"
email = "{{ email }}"
phone = "{{ phone }}"
[order.shipping]
delivery_service_id = "{{ service }}"
warehouse_ref = "{{ ref }}"
shipping_address_city = "{{ city }}"
shipping_receive_point = "{{ point }}"
[[order.products]]
sku = "{{ sku }}"
name = "{{ product }}"
price = "{{ price }}"
[[order.payments]]
payment_method_id = "{{ method }}"
amount = "{{ amount }}"
status = "{{ status }}"
[[order.custom_fields]]
uuid = "OR_1002"
value = "{{ colours }}"
"#;
const BRANCH: &str = "1ec09d2e-e1c2-11e3-8c4a-0050568002cf";

async fn world() -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", CHANNEL);
    world.serve(&[]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    world
}

/// The settled order of a form, and what the CRM got of it (null where it got nothing).
async fn order(world: &World, body: &str) -> (Value, Value) {
    let posts = world.crm_posts();
    let id = world.post("/in/shop", body).await.json()["id"].as_str().unwrap().to_owned();
    world.until("it is settled", || ["delivered", "held"].contains(&world.order(&id)["state"].as_str().unwrap())).await;
    let sent = world.posted().get(posts).map(|entry| serde_json::from_str(&entry.body).unwrap());
    (world.order(&id), sent.unwrap_or_default())
}

/// What was found, but for the mark that a form without a product gets from this channel.
fn codes(order: &Value) -> Vec<&str> {
    let codes = order["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap());
    codes.filter(|code| *code != "empty_line").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_1_every_order_names_a_source_of_the_account() {
    let world = world().await;
    assert_eq!(order(&world, "name=Olena").await.1["source_id"], 22);
    let (held, sent) = order(&world, "name=Olena&source=99").await;
    assert_eq!((codes(&held), sent), (vec!["not_in_account"], Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_2_orders_go_to_the_order_address_as_json_with_the_bearer_key() {
    let world = world().await;
    order(&world, "name=Olena").await;
    let posted = &world.posted()[0];
    assert_eq!((posted.method.as_str(), posted.path.as_str(), posted.status), ("POST", "/v1/order", Some(201)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_3_a_sku_outside_of_the_catalogue_is_marked() {
    let world = world().await;
    assert!(codes(&order(&world, "name=Olena&sku=MUG-350&product=Mug&price=5").await.0).is_empty());
    let (marked, sent) = order(&world, "name=Olena&sku=CUP-9&product=Cup&price=5").await;
    assert_eq!((codes(&marked), &sent["products"][0]["sku"]), (vec!["unknown_sku"], &json!("CUP-9")));
}

// Rule 4, every field of the script: `demo::the_shops_form_is_in_the_crms_page_with_all_its_fields`, and every further
// field of the vendor's: the mapping case `full-order`.

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_buyer_needs_a_name_an_email_or_a_phone() {
    let world = world().await;
    for body in ["name=Olena", "email=olena%40ukr.net", "phone=0671112233"] {
        assert_eq!(order(&world, body).await.0["state"], "delivered", "{body}");
    }
    assert_eq!(codes(&order(&world, "city=Kyiv").await.0), ["no_contact"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_6_an_email_that_the_crm_would_refuse_costs_no_order() {
    let world = world().await;
    let (marked, sent) = order(&world, "name=Olena&phone=0671112233&email=olena%40%40ukr.net").await;
    assert_eq!((codes(&marked), &sent["buyer"]["email"]), (vec!["invalid_email"], &Value::Null));
    assert!(sent["manager_comment"].as_str().unwrap().contains("olena@@ukr.net"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_a_select_takes_an_array_of_its_options() {
    let world = world().await;
    let (_, sent) = order(&world, "name=Olena&colours[]=синій&colours[]=Зелений").await;
    assert_eq!(sent["custom_fields"][0]["value"], json!(["Синій", "Зелений"]));
    let (marked, sent) = order(&world, "name=Olena&colours=Рожевий").await;
    assert_eq!((codes(&marked), &sent["custom_fields"]), (vec!["invalid_option"], &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_8_a_payment_has_one_of_four_states_and_a_paid_one_its_time() {
    let world = world().await;
    for status in ["paid", "not_paid", "canceled", "refund"] {
        let (done, sent) = order(&world, &format!("name=Olena&method=1&amount=5&status={status}")).await;
        assert_eq!((&done["state"], &sent["payments"][0]["status"]), (&json!("delivered"), &json!(status)));
        assert_eq!(sent["payments"][0]["payment_date"].is_string(), status == "paid");
    }
    assert_eq!(codes(&order(&world, "name=Olena&method=1&amount=5&status=done").await.0), ["invalid_choice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_branch_needs_nova_poshta_and_an_address_in_words() {
    let world = world().await;
    let body = format!("name=Olena&ref={BRANCH}&city=Kyiv&point=11");
    assert_eq!(codes(&order(&world, &body).await.0), ["needs_delivery_service"]);
    assert_eq!(codes(&order(&world, &format!("{body}&service=2")).await.0), ["wrong_delivery_service"]);
    let (clean, sent) = order(&world, &format!("{body}&service=1")).await;
    assert!(codes(&clean).is_empty());
    assert_eq!(
        (&sent["shipping"]["warehouse_ref"], &sent["shipping"]["shipping_receive_point"]),
        (&json!(BRANCH), &json!("11"))
    );
    assert_eq!(codes(&order(&world, &format!("name=Olena&ref={BRANCH}&service=1")).await.0), ["no_text_address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_10_phones_go_in_international_form() {
    let world = world().await;
    for phone in ["067 111-22-33", "80671112233", "380671112233", "(067) 111 22 33", "%2B380671112233"] {
        assert_eq!(order(&world, &format!("phone={phone}")).await.1["buyer"]["phone"], "+380671112233", "{phone}");
    }
}

// Rule 11, 60 requests a minute: `rate::a_burst_goes_at_once_then_the_ceiling_holds_also_over_a_restart`.
// Rule 12, a test order on a site is in the CRM with its fields: `demo::…`, and `script::…` with the script itself.
