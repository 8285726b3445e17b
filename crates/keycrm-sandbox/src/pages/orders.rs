//! The list of orders as they arrive, and the panel of faults.

use serde_json::Value;

use super::html::{escape, frame, show};
use super::source_name;
use crate::crm::Crm;

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
         </section>\n<div id=\"live\" aria-live=\"polite\">{}</div>\n</main>\n",
        escape(&crm.api_url),
        buttons(),
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

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
}

/// The part that changes: waiting faults and orders.
pub(super) fn live(crm: &Crm) -> String {
    format!("{}{}", faults(crm), table(crm))
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

fn table(crm: &Crm) -> String {
    let total = crm.account().orders.records().len();
    let orders = crm.newest_orders(SHOWN);
    if orders.is_empty() {
        return "<section><h2>Orders</h2><p class=\"empty\">No order has arrived yet.</p></section>\n".to_owned();
    }
    let rows: String = orders.iter().map(|order| row(order, crm)).collect();
    format!(
        "<section><h2>Orders <span class=\"count\">{total}</span></h2><div class=\"wide\"><table class=\"orders\">\
         <thead><tr><th>CRM id</th><th>Number</th><th>Source</th><th>Buyer</th><th>Products</th><th>Total</th>\
         <th>Payment</th><th>Created</th></tr></thead><tbody>{rows}</tbody></table></div></section>\n"
    )
}

fn row(order: &Value, crm: &Crm) -> String {
    let id = show(&order["id"]);
    let source = show(&order["source_id"]);
    let buyer: Vec<String> = ["full_name", "phone", "email"]
        .iter()
        .map(|key| show(&order["buyer"][*key]))
        .filter(|text| !text.is_empty())
        .map(|text| format!("<div>{text}</div>"))
        .collect();
    let payment = show(&order["payment_status"]);
    let cells = [
        ("CRM id", format!("<a href=\"/orders/{id}\">{id}</a>")),
        ("Number", format!("<a href=\"/orders/{id}\">{}</a>", show(&order["source_uuid"]))),
        ("Source", format!("{} <small>{source}</small>", escape(&source_name(crm, order)))),
        ("Buyer", buyer.concat()),
        ("Products", products(order)),
        ("Total", show(&order["grand_total"])),
        ("Payment", format!("<span class=\"status {payment}\">{payment}</span>")),
        ("Created", show(&order["created_at"])),
    ];
    let cells: String =
        cells.iter().map(|(label, cell)| format!("<td data-label=\"{label}\"><div>{cell}</div></td>")).collect();
    format!("<tr>{cells}</tr>\n")
}

fn products(order: &Value) -> String {
    let lines = order["products"].as_array().into_iter().flatten();
    lines
        .map(|line| {
            let name = if line["name"].is_null() { show(&line["sku"]) } else { show(&line["name"]) };
            format!("<div>{name} × {}</div>", show(&line["quantity"]))
        })
        .collect()
}
