//! A channel file that is changed field by field stays the file that a person wrote.

use parom_core::channel::{edited, lines, parse};
use parom_core::order::Target;

const FILE: &str = r#"# The landing page.
account = "main"   # the only one
order.source_id = 22

[order.buyer]
phone = "{{ phone }}" # as typed
full_name = '{{ name }}'

[[order.products]]
each = "{{ items }}"
sku = "{{ item.sku }}"
price = "{{ item.price }}"

# A gift for everybody.
[[order.products]]
sku = "GIFT"
price = 0
"#;

fn change(text: &str, changes: &[(&str, &str)]) -> Result<String, String> {
    let changes: Vec<(String, String)> = changes.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    edited(text, &changes)
}

#[test]
fn only_what_is_changed_changes() {
    assert_eq!(change(FILE, &[]).unwrap(), FILE);
    let phone = change(FILE, &[("order.buyer.phone", "{{ tel }}")]).unwrap();
    assert_eq!(phone, FILE.replace("{{ phone }}", "{{ tel }}"));
    let source = change(FILE, &[("order.source_id", "7")]).unwrap();
    assert_eq!(source, FILE.replace("= 22", "= 7"));
    let price = change(FILE, &[("order.products.1.price", "1.5")]).unwrap();
    assert_eq!(price, FILE.replace("price = 0", "price = 1.5"));
    // A text that looks like a number stays a text where the file had one.
    let sku = change(FILE, &[("order.products.1.sku", "100")]).unwrap();
    assert_eq!(sku, FILE.replace("\"GIFT\"", "\"100\""));
}

#[test]
fn fields_and_lines_are_added_and_taken_out() {
    let more = change(
        FILE,
        &[
            ("order.shipping.shipping_address_city", "{{ city }}"),
            ("order.custom_fields.0.uuid", "OR_1"),
            ("order.custom_fields.0.value", "[\"{{ a }}\", \"{{ b }}\"]"),
            ("order.products.2.name", "Листівка"),
            ("order.buyer.email", "{{ email }}"),
            ("order.products.0.quantity", "{{ item.qty | default(1) }}"),
        ],
    )
    .unwrap();
    let (channel, findings) = parse("site", &more);
    assert!(channel.is_some() && findings.is_empty(), "{findings:?}\n{more}");
    for part in [
        "[order.shipping]\nshipping_address_city = \"{{ city }}\"",
        "[[order.custom_fields]]\nuuid = \"OR_1\"\nvalue = [\"{{ a }}\", \"{{ b }}\"]",
        "[[order.products]]\nname = \"Листівка\"",
        "# A gift for everybody.",
        "# as typed",
    ] {
        assert!(more.contains(part), "{part}\n{more}");
    }
    // A line goes with its last field, and the others keep their places.
    let less = change(
        &more,
        &[
            ("order.products.0.each", ""),
            ("order.products.0.sku", ""),
            ("order.products.0.price", ""),
            ("order.products.0.quantity", ""),
            ("order.products.1.price", "5"),
        ],
    )
    .unwrap();
    assert_eq!(less.matches("[[order.products]]").count(), 2, "{less}");
    assert!(less.contains("price = 5") && less.contains("Листівка"), "{less}");
    assert_eq!(change(FILE, &[("order.shipping.tracking_code", ""), ("order.payments.0.amount", "")]).unwrap(), FILE);
}

#[test]
fn what_no_channel_has_is_refused() {
    for (path, value) in [
        ("account", "x"),
        ("order", "x"),
        ("order..x", "x"),
        ("order.buyer.phone.x", "x"),
        ("order.products.99999.name", "x"),
        ("order.buyer", "x"),
    ] {
        assert!(change(FILE, &[(path, value)]).is_err(), "{path}");
    }
    assert!(change("not toml", &[]).is_err());
    assert!(change("order.products = [{ name = \"a\" }]", &[("order.products.0.name", "b")]).is_err());
}

#[test]
fn each_field_of_the_crm_is_a_line_with_what_the_file_says() {
    let found = lines(FILE, Target::Order).unwrap();
    let value = |path: &str| found.iter().find(|line| line.path == path).map(|line| line.value.as_str());
    for (path, expected) in [
        ("order.source_id", "22"),
        ("order.buyer.full_name", "{{ name }}"),
        ("order.buyer.email", ""),
        ("order.products.0.each", "{{ items }}"),
        ("order.products.1.sku", "GIFT"),
        ("order.products.2.sku", ""),
        ("order.payments.0.amount", ""),
    ] {
        assert_eq!(value(path), Some(expected), "{path}");
    }
    assert_eq!(value("order.products.3.sku"), None);
    // What is shown and put back changes nothing.
    for line in found.iter().filter(|line| !line.value.is_empty()) {
        assert_eq!(change(FILE, &[(&line.path, &line.value)]).unwrap(), FILE, "{}", line.path);
    }
}
