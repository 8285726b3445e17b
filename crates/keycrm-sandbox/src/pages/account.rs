//! What the account is set up with: sources, catalogue, custom fields, keys.

use super::html::{escape, frame};
use super::table::{table, tight};
use crate::crm::Crm;

/// Characters of a key that are shown, of one that is long enough to hide the rest.
const KEY_SHOWN: usize = 4;
const KEY_HIDEABLE: usize = 12;

fn page(title: &str, body: &str) -> String {
    frame(title, "", &format!("<header><h1>{title}</h1></header>\n<main>\n{body}</main>\n"))
}

/// Order sources.
pub(super) fn sources(crm: &Crm) -> String {
    let directory = crm.directory();
    let rows: Vec<Vec<String>> = directory
        .sources
        .iter()
        .map(|source| {
            vec![source.id.to_string(), escape(&source.name), escape(&source.driver), escape(&source.currency_code)]
        })
        .collect();
    let heads = &["Id", "Name", "Driver", "Currency"];
    page("Sources", &table("Sources", rows.len(), heads, &rows, "The account has no source."))
}

/// Products and their variants.
pub(super) fn catalogue(crm: &Crm) -> String {
    let directory = crm.directory();
    let rows: Vec<Vec<String>> = directory
        .all_offers()
        .map(|(product, offer)| {
            let properties = offer.properties.iter().map(|p| format!("{}: {}", escape(&p.name), escape(&p.value)));
            let price = format!("{} {}", offer.price, escape(&product.currency_code));
            vec![
                offer.id.to_string(),
                tight(&escape(&offer.sku)),
                escape(&product.name),
                properties.collect::<Vec<_>>().join(", "),
                tight(&price),
                offer.quantity.to_string(),
            ]
        })
        .collect();
    let heads = &["Offer id", "SKU", "Product", "Properties", "Price", "In stock"];
    page("Catalogue", &table("Offers", rows.len(), heads, &rows, "The catalogue is empty."))
}

/// Custom fields of all models.
pub(super) fn custom_fields(crm: &Crm) -> String {
    let directory = crm.directory();
    let rows: Vec<Vec<String>> = directory
        .custom_fields
        .iter()
        .map(|field| {
            let options: Vec<String> = field.options.iter().map(|option| escape(&option.value)).collect();
            let several = if field.is_multiple { ", several values" } else { "" };
            vec![
                tight(&escape(&field.uuid)),
                escape(&field.name),
                escape(&field.model),
                format!("{}{several}", escape(&field.kind)),
                options.join(", "),
            ]
        })
        .collect();
    let heads = &["UUID", "Name", "Model", "Type", "Options"];
    page("Custom fields", &table("Custom fields", rows.len(), heads, &rows, "The account has no custom field."))
}

/// Which key is accepted, and how often it may be used.
pub(super) fn keys(crm: &Crm) -> String {
    let key = match crm.options.api_key.as_deref() {
        None => "any key that is not empty".to_owned(),
        Some(key) => format!("the key <code>{}</code>", escape(&masked(key))),
    };
    let rate = match crm.rates.limit() {
        0 => "as many requests as come".to_owned(),
        limit => format!("{limit} requests in any 60 seconds from one address"),
    };
    let api = escape(&crm.api_url);
    let body = format!(
        "<section class=\"panel\"><p>Accepted: {key}.</p><p>Rate: {rate}.</p>\
         <p>API: <code>{api}</code></p><p>Send it as <code>Authorization: Bearer …</code>; the API is described at \
         <a href=\"/openapi.json\">/openapi.json</a>.</p></section>\n"
    );
    page("API keys", &body)
}

/// The end of a key; a short one has no part that could be shown.
fn masked(key: &str) -> String {
    let length = key.chars().count();
    let shown = if length < KEY_HIDEABLE { 0 } else { KEY_SHOWN };
    let end: String = key.chars().skip(length - shown).collect();
    format!("••••{end}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_end_of_a_long_key_is_shown() {
        assert_eq!(super::masked("0123456789abcdef"), "••••cdef");
        assert_eq!(super::masked("key"), "••••");
    }
}
