//! A channel file proposed from a sample: which field of the form is likely which field of the CRM.

use serde_json::Value;

use crate::submission::Submission;

/// Words that a field's name may have, for each field of the order; the first fitting field of the sample is taken.
const GUESSES: &[(&str, &[&str])] = &[
    (
        "order.buyer.full_name",
        &["full_name", "fullname", "name", "fio", "pib", "імя", "ім'я", "піб", "имя", "фио", "імʼя"],
    ),
    ("order.buyer.phone", &["phone", "tel", "телефон", "номер", "mobile"]),
    ("order.buyer.email", &["email", "e-mail", "mail", "пошта", "почта"]),
    ("order.buyer_comment", &["comment", "message", "note", "коментар", "комментарий", "повідомлення"]),
    ("order.promocode", &["promocode", "promo", "coupon", "промокод"]),
    ("order.shipping.shipping_address_city", &["address_city", "city", "місто", "город"]),
    ("order.shipping.shipping_address_country", &["address_country", "country", "країна"]),
    ("order.shipping.shipping_address_region", &["address_region", "region", "область"]),
    ("order.shipping.shipping_address_zip", &["address_zip", "zip", "postcode", "індекс"]),
    (
        "order.shipping.shipping_secondary_line",
        &["secondary_line", "address_street", "street", "address", "адреса", "адрес"],
    ),
    (
        "order.shipping.shipping_receive_point",
        &["receive_point", "receive_poin", "warehouse", "branch", "відділення", "отделение"],
    ),
];
const PRODUCT: &[(&str, &[&str])] = &[
    ("sku", &["product_sku", "sku", "article", "артикул", "vendor_code"]),
    ("name", &["product_name", "product", "title", "товар", "name"]),
    ("price", &["product_price", "price", "ціна", "цена", "cost"]),
    ("quantity", &["quantity", "qty", "count", "кількість", "количество"]),
    ("picture", &["product_picture", "picture", "image", "img", "photo"]),
];
/// Lists of a cart.
const LISTS: &[&str] = &["products", "items", "line_items", "cart", "товари", "goods"];

/// The text of a channel file for forms like this one.
#[must_use]
pub fn suggest(account: &str, source_id: i64, sample: &Submission) -> String {
    let fields = names(&sample.form);
    let mut taken: Vec<&str> = Vec::new();
    let mut found: Vec<(&str, String)> = Vec::new();
    for (path, words) in GUESSES {
        if let Some(name) = guess(&fields, words, &taken) {
            taken.push(name);
            found.push((path, expression("", name)));
        }
    }
    let mut out = format!("account = \"{account}\"\n\n[order]\nsource_id = {source_id}\n");
    for (path, expression) in found.iter().filter(|(path, _)| path.matches('.').count() == 1) {
        out.push_str(&format!("{} = {expression}\n", path.trim_start_matches("order.")));
    }
    for group in ["buyer", "shipping"] {
        let prefix = format!("order.{group}.");
        let lines: Vec<String> = found
            .iter()
            .filter_map(|(path, expression)| Some(format!("{} = {expression}\n", path.strip_prefix(&prefix)?)))
            .collect();
        if !lines.is_empty() {
            out.push_str(&format!("\n[order.{group}]\n{}", lines.concat()));
        }
    }
    out.push_str(&products(&sample.form, &fields, &mut taken));
    let rest: Vec<&str> =
        fields.iter().copied().filter(|name| !taken.contains(name) && !name.starts_with("utm_")).collect();
    if !rest.is_empty() {
        out.push_str(&format!("\n# Not mapped: {}\n", rest.join(", ")));
    }
    out
}

fn products<'a>(form: &'a Value, fields: &[&'a str], taken: &mut Vec<&'a str>) -> String {
    if let Some(list) = fields.iter().find(|name| LISTS.contains(&name.to_lowercase().as_str()))
        && let Some(item) = form[*list].as_array().and_then(|items| items.first())
    {
        taken.push(list);
        let lines = lines(&names(item), "item.", &mut Vec::new());
        let each = expression("", list);
        return format!("\n[[order.products]]\neach = {each}\n{lines}");
    }
    let lines = lines(fields, "", taken);
    if lines.is_empty() { String::new() } else { format!("\n[[order.products]]\n{lines}") }
}

fn lines<'a>(fields: &[&'a str], prefix: &str, taken: &mut Vec<&'a str>) -> String {
    let mut out = String::new();
    for (field, words) in PRODUCT {
        if let Some(name) = guess(fields, words, taken) {
            taken.push(name);
            out.push_str(&format!("{field} = {}\n", expression(prefix, name)));
        }
    }
    out
}

fn names(tree: &Value) -> Vec<&str> {
    let plain = |name: &&str| !name.chars().any(char::is_control);
    tree.as_object().map(|map| map.keys().map(String::as_str).filter(plain).collect()).unwrap_or_default()
}

/// A field with just such a name, else one whose name has the word in it.
fn guess<'a>(fields: &[&'a str], words: &[&str], taken: &[&str]) -> Option<&'a str> {
    let free = || fields.iter().copied().filter(|name| !taken.contains(name));
    let plain = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let exact = words.iter().find_map(|word| free().find(|name| plain(name) == *word));
    exact.or_else(|| {
        let long = words.iter().filter(|word| word.chars().count() >= 4);
        long.into_iter().find_map(|word| free().find(|name| plain(name).contains(word)))
    })
}

/// A name as an expression: one that is no plain word is taken by its text.
fn expression(prefix: &str, name: &str) -> String {
    let plain = name.chars().enumerate().all(|(at, c)| c == '_' || c.is_alphabetic() || (at > 0 && c.is_numeric()));
    if plain {
        return format!("\"{{{{ {prefix}{name} }}}}\"");
    }
    let root = if prefix.is_empty() { "form" } else { prefix.trim_end_matches('.') };
    // Escaped for the expression's text, then for the file's.
    let name = name.replace('\\', "\\\\").replace('\'', "\\'");
    let text = format!("{{{{ {root}['{name}'] }}}}");
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
