//! Findings in channel files: what is wrong, where, and what to do.

use parom_core::channel::parse;

fn findings(text: &str) -> Vec<String> {
    let found = parse("shop", text).1;
    found.iter().map(|f| format!("{}:{} {} {} {}", f.line, f.column, f.severity.as_str(), f.path, f.code)).collect()
}

const GOOD: &str = "account = \"main\"\n[order]\nsource_id = 22\n[order.buyer]\nphone = \"{{ phone }}\"\n";

#[test]
fn a_plain_channel_has_no_findings() {
    assert_eq!(findings(GOOD), Vec::<String>::new());
    assert!(parse("shop", GOOD).0.is_some());
}

#[test]
fn each_fault_is_named_at_its_place() {
    let with = |line: &str| format!("{GOOD}{line}\n");
    let table: &[(String, &str)] = &[
        (with("emial = \"{{ email }}\""), "6:1 error order.buyer.emial unknown_key"),
        (with("email = \"{{ email | nope }}\""), "6:9 error order.buyer.email invalid_expression"),
        (with("email = \"{{ email \""), "6:9 error order.buyer.email invalid_expression"),
        (with("email = \"{% if x %}\""), "6:9 error order.buyer.email invalid_expression"),
        (with("email = \"not an address\""), "6:9 error order.buyer.email invalid_email"),
        (with("full_name = \"{{ your-name }}\""), "6:13 warning order.buyer.full_name hyphenated_name"),
        (with("email = { a = 1 }"), "6:9 error order.buyer.email wrong_shape"),
        (with("[order.products]\nname = \"x\""), "6:1 error order.products wrong_shape"),
        (with("[[order.products]]\neach = \"items\"\nname = \"x\""), "7:8 error order.products.0.each invalid_setting"),
        (with("[[order.payments]]\namount = 5"), "6:1 error order.payments.0 required"),
        (with("[[order.products]]\nsku = \"A\"\n[[order.products]]\nprice = 5"), "8:1 error order.products.1 required"),
        (with("[[order.custom_fields]]\nvalue = \"x\""), "6:1 warning order.custom_fields.0 required"),
        (with("[[order.custom_fields]]\nuuid = \"OR_1\""), "6:1 warning order.custom_fields.0 required"),
        (
            with("[[order.products]]\nname = \"{{ item.name }}\""),
            "7:8 warning order.products.0.name invalid_expression",
        ),
        (with("email = \"{{ number_format(sum, 2) }}\""), "6:9 error order.buyer.email invalid_expression"),
        (format!("region = \"XX\"\n{GOOD}"), "1:10 error region invalid_setting"),
        (with("full_name = \"$_POST['name']\""), "6:13 warning order.buyer.full_name invalid_expression"),
        (with("full_name = \"{ name }\""), "6:13 warning order.buyer.full_name invalid_expression"),
        (with("full_name = \"name }}\""), "6:13 warning order.buyer.full_name invalid_expression"),
        (
            GOOD.replace("source_id = 22", "source_id = 22\nsource = \"Site\""),
            "4:10 warning order.source invalid_setting",
        ),
        (
            GOOD.replace("source_id = 22", "source_id = 22\nsource_uuid = \"A\""),
            "2:1 error order.source_uuid invalid_setting",
        ),
        (GOOD.replace("{{ phone }}", ""), "2:1 error order.buyer no_contact"),
        (with("[[order.custom_fields]]\nuuid = \"\"\nvalue = 1"), "6:1 warning order.custom_fields.0 required"),
        (format!("wait = \"9000h\"\n{GOOD}"), "1:8 warning wait invalid_setting"),
        (format!("{GOOD}[access]\norigins = [\"https://*.shop.ua\"]"), "7:12 warning access.origins invalid_setting"),
        (
            with("[order.shipping]\nwarehouse_ref = \"{{ ref }}\""),
            "2:1 warning order.shipping.warehouse_ref needs_delivery_service",
        ),
        (GOOD.replace("22", "\"landing\""), "3:13 error order.source_id invalid_integer"),
        (GOOD.replace("source_id = 22\n", ""), "2:1 error order.source_id required"),
        (
            GOOD.replace("[order.buyer]\nphone = \"{{ phone }}\"\n", "buyer_comment = \"x\"\n"),
            "2:1 error order.buyer no_contact",
        ),
        (format!("on_invalid = \"ignore\"\n{GOOD}"), "1:14 error on_invalid invalid_setting"),
        (format!("timezone = \"Kyiv\"\n{GOOD}"), "1:12 error timezone invalid_setting"),
        (format!("thank_you_url = \"javascript:alert(1)\"\n{GOOD}"), "1:17 error thank_you_url invalid_url"),
        (format!("thank_you_url = \"https://x{{number}}.ua/\"\n{GOOD}"), "1:17 error thank_you_url invalid_setting"),
        (format!("idempotency_key = \"same\"\n{GOOD}"), "1:19 error idempotency_key invalid_setting"),
        (format!("wait = \"soon\"\n{GOOD}"), "1:8 error wait invalid_setting"),
        (format!("onrepeat = \"hold\"\n{GOOD}"), "1:1 error onrepeat unknown_key"),
        (format!("{GOOD}[access]\norigins = [\"https://a.ua/shop\"]"), "7:12 error access.origins invalid_setting"),
        (format!("{GOOD}[access]\ntoken = \"plain\""), "7:9 error access.token invalid_setting"),
        ("account = \"main".to_owned(), "1:16 error  invalid_toml"),
        ("account = \"main\"\n".to_owned(), "1:1 error order no_mapping"),
    ];
    for (text, expected) in table {
        assert!(
            findings(text).contains(&(*expected).to_owned()),
            "{expected}\nfound {:#?}\nin\n{text}",
            findings(text)
        );
    }
}

#[test]
fn a_name_for_where_the_form_brings_no_id_is_no_fault() {
    let either = GOOD.replace("source_id = 22", "source_id = \"{{ id }}\"\nsource = \"{{ site }}\"");
    assert_eq!(findings(&either), Vec::<String>::new());
}

#[test]
fn an_item_is_known_inside_of_each_and_in_what_stands_under_it() {
    let lines = "[[order.products]]\neach = \"{{ items }}\"\nname = \"{{ item.name }}\"\n\
                 [[order.products.properties]]\nname = \"Color\"\nvalue = \"{{ item.color }}\"\n\
                 [[order.products]]\neach = \"{{ gifts }}\"\nname = \"{{ item.name }}\"\n";
    assert_eq!(findings(&format!("{GOOD}{lines}")), Vec::<String>::new());
}

#[test]
fn a_mistyped_name_is_met_with_the_nearest() {
    let found = parse("shop", &format!("{GOOD}emial = \"x\"\n")).1;
    assert_eq!(found[0].hint, "Did you mean `email`?");
    let found = parse("shop", &format!("source_id = 22\n{GOOD}")).1;
    assert_eq!(found[0].hint, "It belongs under [order]: order.source_id.");
}

#[test]
fn a_channel_with_a_token_alone_serves_drop_in_requests() {
    let text = "account = \"main\"\n[access]\ntoken = { env = \"T\" }\n[order]\nsource_id = 22\n";
    let (channel, found) = parse("script", text);
    let channel = channel.unwrap();
    assert_eq!((channel.source_id(), channel.has_mapping(), found.len()), (Some(22), false, 1));
}

/// Found by mutated expressions: what a repetition gives was mapped whatever its size, and took a second.
#[test]
fn what_is_larger_than_a_form_could_bring_is_a_problem_and_not_a_value() {
    for large in ["'a' * 400000", "[1] * 60000", "{'a': ['b' * 300000]}", "[['x' * 200000]] * 6"] {
        let file = GOOD.replace("[order]", &format!("[order]\nmanager_comment = \"{{{{ {large} }}}}\""));
        let channel = parse("shop", &file).0.unwrap();
        let mut submission = parom_core::submission::Submission::empty(jiff::Timestamp::UNIX_EPOCH);
        submission.form = serde_json::json!({ "phone": "0671112233" });
        let given = parom_core::mapping::Given { dictionary: None, directory: None, random: 0 };
        let (draft, _) = parom_core::mapping::map(&channel, &submission, given);
        assert_eq!(draft.body["buyer"]["phone"], "+380671112233");
        assert!(
            draft.problems.iter().any(|problem| problem.message.contains("more than an order can hold")),
            "{large} {:?}",
            draft.problems
        );
    }
}
