//! The list of funnel cards.

use serde_json::Value;

use super::html::{frame, show};
use super::source_name;
use super::table::{table, tight, time};
use crate::crm::Crm;

/// Cards on the page; older ones are counted.
const SHOWN: usize = 50;
const HEADS: &[&str] = &["Card id", "Title", "Status", "Source", "Contact", "Products", "Created"];

pub(super) fn page(crm: &Crm) -> String {
    let cards = crm.cards();
    let rows: Vec<Vec<String>> = cards.iter().rev().take(SHOWN).map(|card| row(card, crm)).collect();
    let table = table("Cards", cards.len(), HEADS, &rows, "No card has arrived yet.");
    frame("Cards", "", &format!("<header><h1>Funnel cards</h1></header>\n<main>\n{table}</main>\n"))
}

fn row(card: &Value, crm: &Crm) -> Vec<String> {
    let id = show(&card["id"]);
    let contact = &card["contact"];
    let phone = tight(&show(&contact["phone"]));
    let contact = [show(&contact["full_name"]), phone, show(&contact["email"])];
    let contact = contact.iter().filter(|text| !text.is_empty()).map(|text| format!("<div>{text}</div>"));
    vec![
        format!("<a href=\"/cards/{id}\">{id}</a>"),
        format!("<a href=\"/cards/{id}\">{}</a>", show(&card["title"])),
        show(&card["status"]["name"]),
        super::html::escape(&source_name(crm, card)),
        contact.collect(),
        super::orders::products(card),
        time(&card["created_at"]),
    ]
}
