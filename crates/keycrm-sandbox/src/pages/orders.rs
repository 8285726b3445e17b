//! The list of orders as they arrive, and the panel of faults.

use serde_json::Value;

use super::html::{escape, frame, show};
use super::source_name;
use super::table::{table, tight, time};
use crate::crm::Crm;
use crate::faults::{KINDS, ONS};

/// Orders on the page; older ones are counted.
const SHOWN: usize = 50;

/// Buttons: a label and the fields of the fault that the next order meets.
const BUTTONS: &[(&str, &str, Option<u16>)] = &[
    ("Commit, then drop", "commit_then_drop", None),
    ("Drop before", "drop_before", None),
    ("503", "refuse_before", Some(503)),
    ("502 after commit", "html_after_commit", Some(502)),
    ("Hang", "hang_after_commit", None),
    ("429", "rate_limited", None),
];

/// The whole page.
pub(super) fn page(crm: &Crm) -> String {
    let head = "<script src=\"/assets/sandbox.js\" defer></script>\n\
                <noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n";
    let body = format!(
        "<header><h1>KeyCRM sandbox</h1><p>An imitation of the CRM. API: <code>{}</code></p></header>\n\
         <main>\n<section class=\"panel\"><h2>Play a fault on the next order</h2>\n<div class=\"buttons\">{}</div>\n\
         {}</section>\n<div id=\"live\" aria-live=\"polite\">{}</div>\n</main>\n",
        escape(&crm.api_url),
        buttons(),
        any_fault(),
        live(crm)
    );
    frame("KeyCRM sandbox", head, &body)
}

fn buttons() -> String {
    let mut forms = String::new();
    for (label, kind, status) in BUTTONS {
        let status = status.map_or_else(String::new, |status| hidden("status", &status.to_string()));
        let retry = if *kind == "rate_limited" { hidden("retry_after", "5") } else { String::new() };
        let fields = [hidden("on", "post"), hidden("times", "1"), hidden("kind", kind), status, retry].concat();
        forms.push_str(&format!(
            "<form method=\"post\" action=\"/_sandbox/play\">{fields}<button>{label}</button></form>\n"
        ));
    }
    forms
}

/// A form for every kind of fault.
fn any_fault() -> String {
    let options = |names: &[&str]| -> String {
        names.iter().map(|name| format!("<option value=\"{name}\">{}</option>", name.replace('_', " "))).collect()
    };
    let number = |name: &str, label: &str, value: &str| {
        format!(
            "<label>{label} <input name=\"{name}\" inputmode=\"numeric\" pattern=\"[0-9]*\" size=\"6\" \
             value=\"{value}\"></label>\n"
        )
    };
    format!(
        "<h3>Any fault</h3><form method=\"post\" action=\"/_sandbox/play\" class=\"any\">\n\
         <label>Fault <select name=\"kind\">{}</select></label>\n<label>On <select name=\"on\">{}</select></label>\n\
         {}{}{}<button>Add</button></form>\n",
        options(KINDS),
        options(ONS),
        number("times", "Times (empty: until cleared)", "1"),
        number("status", "Status", ""),
        number("ms", "Milliseconds", ""),
    )
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
}

/// The part that changes: waiting faults and orders.
pub(super) fn live(crm: &Crm) -> String {
    format!("{}{}", faults(crm), orders(crm))
}

fn faults(crm: &Crm) -> String {
    let active = crm.faults.active(crm.clock.elapsed_ms());
    if active.is_empty() {
        return String::new();
    }
    let items: String = active.iter().map(|fault| format!("<li>{}</li>", escape(&fault.describe()))).collect();
    format!(
        "<section class=\"panel faults\"><h2>Waiting faults</h2><ul>{items}</ul>\
         <form method=\"post\" action=\"/_sandbox/clear\"><button>Clear</button></form></section>\n"
    )
}

const HEADS: &[&str] = &["CRM id", "Number", "Source", "Buyer", "Products", "Total", "Payment", "Created"];

fn orders(crm: &Crm) -> String {
    let total = crm.account().orders.records().len();
    let rows: Vec<Vec<String>> = crm.newest_orders(SHOWN).iter().map(|order| row(order, crm)).collect();
    table("Orders", total, HEADS, &rows, "No order has arrived yet.")
}

fn row(order: &Value, crm: &Crm) -> Vec<String> {
    let id = show(&order["id"]);
    let buyer = &order["buyer"];
    let buyer = [show(&buyer["full_name"]), tight(&show(&buyer["phone"])), show(&buyer["email"])];
    let buyer = buyer.iter().filter(|text| !text.is_empty()).map(|text| format!("<div>{text}</div>"));
    let payment = show(&order["payment_status"]);
    let currency = order["source_id"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or_default();
    let currency = escape(crm.directory().currency(currency));
    vec![
        format!("<a href=\"/orders/{id}\">{id}</a>"),
        format!("<a href=\"/orders/{id}\">{}</a>", show(&order["source_uuid"])),
        format!("{} <small>{}</small>", escape(&source_name(crm, order)), show(&order["source_id"])),
        buyer.collect(),
        products(order),
        tight(&format!("{} {currency}", show(&order["grand_total"]))),
        format!("<span class=\"status {payment}\">{payment}</span>"),
        time(&order["created_at"]),
    ]
}

/// The product lines of an order or a card, one under the other.
pub(super) fn products(entity: &Value) -> String {
    let lines = entity["products"].as_array().into_iter().flatten();
    lines
        .map(|line| {
            let name = if line["name"].is_null() { show(&line["sku"]) } else { show(&line["name"]) };
            format!("<div>{name} × {}</div>", show(&line["quantity"]))
        })
        .collect()
}
