//! How orders are shown: rows, pages and JSON.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use parom_core::submission::masked;
use parom_gateway::store::{OrderDetail, Summary};

/// A time as people read it, UTC.
pub(super) fn time(millis: i64) -> String {
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A table that fits the terminal.
pub(super) fn table(orders: &[Summary]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header([
        "RECEIVED (UTC)",
        "STATE",
        "ID",
        "NUMBER",
        "CRM",
        "CHANNEL",
        "BUYER",
        "WHY",
    ]);
    for order in orders {
        let erased = "(erased)".to_owned();
        let buyer = match (order.erased_at, order.buyer.is_empty()) {
            (Some(_), _) => &erased,
            (None, true) => &order.phone,
            (None, false) => &order.buyer,
        };
        let marks = order.problems.len();
        let why = match (order.reason.as_str(), marks) {
            ("", 0) => String::new(),
            ("", marks) => format!("{marks} marks"),
            (reason, _) => reason.to_owned(),
        };
        table.add_row([
            time(order.received_at),
            order.state.to_string(),
            short(&order.id),
            order.number.clone(),
            order.crm_order_id.map_or_else(|| "-".into(), |id| id.to_string()),
            order.channel.clone(),
            buyer.clone(),
            why,
        ]);
    }
    table.to_string()
}

/// The part of an id that tells orders of one minute apart: a version 7 UUID begins with its time.
fn short(id: &str) -> String {
    id.chars().take(18).collect()
}

/// One order as a page of text.
pub(super) fn page(order: &OrderDetail) -> String {
    let summary = &order.summary;
    let crm = summary.crm_order_id.map_or_else(|| "-".into(), |id| id.to_string());
    let mut out = format!(
        "{} {}\n  state     {}{}\n  number    {}\n  CRM       {crm}\n  channel   {} (account {})\n  received  {} UTC\n",
        summary.target.as_str(),
        summary.id,
        summary.state,
        if summary.reason.is_empty() { String::new() } else { format!(" ({})", summary.reason) },
        summary.number,
        summary.channel,
        if summary.account.is_empty() { "-" } else { &summary.account },
        time(summary.received_at),
    );
    if let Some(at) = summary.erased_at {
        out.push_str(&format!("  erased    {} UTC: the buyer's data was taken out of it\n", time(at)));
    }
    if !summary.problems.is_empty() {
        out.push_str("\nproblems\n");
        for problem in &summary.problems {
            out.push_str(&format!("  {}\n", problem.to_string().replace('\n', "\n  ")));
        }
    }
    let body = serde_json::to_string_pretty(&order.body).unwrap_or_default();
    out.push_str(&format!("\nas the CRM gets it\n{body}\n"));
    out.push_str(&format!("\nsubmission ({}, {})\n", order.door, order.content_type));
    out.push_str(&printable(&masked(&order.raw)));
    if !order.changes.is_empty() {
        out.push_str("\n\nchanges in the CRM that its sender asked for\n");
    }
    for change in &order.changes {
        let note = if change.note.is_empty() { String::new() } else { format!(" ({})", printable(&change.note)) };
        out.push_str(&format!("  {:<8} {:<12} {}{note}\n", change.kind, change.state, change.body));
    }
    for update in order.updates.iter().filter(|update| update.result != "replaced") {
        out.push_str(&format!("\nchanged by its sender {} UTC ({})\n", time(update.received_at), update.result));
        out.push_str(&printable(&masked(&update.raw)));
    }
    out.push_str("\n\nhistory (UTC)\n");
    for event in &order.events {
        out.push_str(&format!(
            "  {}  {:<12} {:<10} {}\n",
            time(event.at),
            event.state,
            event.actor,
            printable(&event.note)
        ));
    }
    out
}

/// Text of a stranger on a terminal: control characters must not reach it.
fn printable(text: &str) -> String {
    let hidden = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}
