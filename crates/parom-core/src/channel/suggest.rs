//! A channel file proposed from a sample: which field of the form is likely which field of the CRM.

use serde_json::Value;

use super::samples::merged_tree;
use crate::submission::{Submission, cart, recognise, recognise_values};

/// What a field means, and where it goes; what comes out empty leaves its field out.
const PLACES: [(&str, &str, &str); 10] = [
    ("", "buyer_comment", "comment"),
    ("", "promocode", "promocode"),
    ("buyer", "phone", "phone"),
    ("buyer", "email", "email"),
    ("shipping", "shipping_address_city", "city"),
    ("shipping", "shipping_address_country", "country"),
    ("shipping", "shipping_address_region", "region"),
    ("shipping", "shipping_address_zip", "zip"),
    ("shipping", "shipping_secondary_line", "street"),
    ("shipping", "shipping_receive_point", "branch"),
];
const PRODUCT: [(&str, &str); 5] =
    [("sku", "sku"), ("name", "product"), ("price", "price"), ("quantity", "quantity"), ("picture", "picture")];

/// Fields that were found, each with what it means.
type Found<'a> = Vec<(&'static str, &'a str)>;

/// The text of a channel file for forms like this one.
#[must_use]
pub fn suggest(account: &str, source_id: i64, sample: &Submission) -> String {
    let mut found = recognise(&sample.form);
    recognise_values(&sample.form, &mut found);
    let mut out = format!("account = \"{account}\"\n\n[order]\nsource_id = {source_id}\n");
    out.push_str(&group("", &found));
    for name in ["buyer", "shipping"] {
        let mut lines = group(name, &found);
        if name == "buyer" {
            lines.insert_str(0, &full_name(&found));
        }
        if name == "shipping" {
            lines.push_str(&branch(&found));
        }
        if !lines.is_empty() {
            out.push_str(&format!("\n[order.{name}]\n{lines}"));
        }
    }
    let list = cart(&sample.form);
    out.push_str(&products(&sample.form, list, &found));
    let written = |name: &str| out.contains(&reference("", name));
    let taken = |name: &str| Some(name) == list || (found.iter().any(|(_, taken)| *taken == name) && written(name));
    let names = sample.form.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str));
    let plain = |name: &&str| !name.chars().any(char::is_control);
    let rest: Vec<&str> = names.filter(plain).filter(|name| !taken(name) && !name.starts_with("utm_")).collect();
    if !rest.is_empty() {
        out.push_str(&format!("\n# Not mapped: {}\n", rest.join(", ")));
    }
    out
}

/// Samples as one: a field that only some submissions bring is there too. The newest come first.
#[must_use]
pub fn merged(samples: &[Submission]) -> Option<Submission> {
    let newest = samples.first()?;
    let flat = samples.iter().flat_map(|sample| sample.flat.iter().cloned()).collect();
    Some(Submission { form: merged_tree(samples), flat, ..newest.clone() })
}

fn field<'a>(found: &Found<'a>, meaning: &str) -> Option<&'a str> {
    found.iter().find(|(known, _)| *known == meaning).map(|(_, name)| *name)
}

fn group(group: &str, found: &Found<'_>) -> String {
    let places = PLACES.iter().filter(|(at, _, _)| *at == group);
    let lines = places.filter_map(|(_, name, meaning)| {
        Some(format!("{name} = {}\n", quoted(&braced(&reference("", field(found, meaning)?)))))
    });
    lines.collect()
}

/// The branch that was chosen in the form, or that its text means.
fn branch(found: &Found<'_>) -> String {
    let (Some(town), Some(point)) = (field(found, "city"), field(found, "branch")) else { return String::new() };
    let asked = format!("np_warehouse_ref or {} | np_branch({})", reference("", point), reference("", town));
    format!("warehouse_ref = {}\n", quoted(&braced(&asked)))
}

/// One name, or its two halves.
fn full_name(found: &Found<'_>) -> String {
    let first = field(found, "full_name").or_else(|| field(found, "first_name"));
    let names = [first, field(found, "last_name")];
    let parts: Vec<String> = names.into_iter().flatten().map(|name| braced(&reference("", name))).collect();
    if parts.is_empty() { String::new() } else { format!("full_name = {}\n", quoted(&parts.join(" "))) }
}

fn products(form: &Value, list: Option<&str>, found: &Found<'_>) -> String {
    let item = list.and_then(|list| Some((list, form[list].as_array()?.first()?)));
    let (head, lines) = match item {
        Some((list, item)) => {
            let each = format!("each = {}\n", quoted(&braced(&reference("", list))));
            let mut found = recognise(item);
            // In a cart's line, a name is the product's.
            found.iter_mut().filter(|(meaning, _)| *meaning == "full_name").for_each(|found| found.0 = "product");
            (each, lines(&found, "item."))
        }
        None => (String::new(), lines(found, "")),
    };
    if lines.is_empty() { String::new() } else { format!("\n[[order.products]]\n{head}{lines}") }
}

fn lines(found: &Found<'_>, prefix: &str) -> String {
    // The CRM takes no product without its name or its SKU.
    if field(found, "product").or(field(found, "sku")).is_none() {
        return String::new();
    }
    let lines = PRODUCT.iter().filter_map(|(name, meaning)| {
        Some(format!("{name} = {}\n", quoted(&braced(&reference(prefix, field(found, meaning)?)))))
    });
    lines.collect()
}

fn braced(reference: &str) -> String {
    format!("{{{{ {reference} }}}}")
}

/// A text as the file writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A name in an expression: one that is no plain word is taken by its text.
fn reference(prefix: &str, name: &str) -> String {
    let plain = name.chars().enumerate().all(|(at, c)| c == '_' || c.is_alphabetic() || (at > 0 && c.is_numeric()));
    if plain {
        return format!("{prefix}{name}");
    }
    let root = if prefix.is_empty() { "form" } else { prefix.trim_end_matches('.') };
    format!("{root}['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}
