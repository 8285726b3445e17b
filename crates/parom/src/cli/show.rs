//! How orders are shown: rows, pages and JSON.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use jiff::Timestamp;
use parom_core::submission::masked;
use parom_gateway::store::{OrderDetail, Summary};

/// A time as people read it, UTC.
pub(super) fn time(millis: i64) -> String {
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A terminal narrower than this has no room for ids; an order is found by its number too.
const WIDE: u16 = 150;

/// A table that fits the terminal: what has to be copied stays on one line, names and reasons may take several.
pub(super) fn table(orders: &[Summary]) -> String {
    table_within(orders, Table::new().width())
}

fn table_within(orders: &[Summary], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    width.map(|width| table.set_width(width));
    let wide = width.is_none_or(|width| width >= WIDE);
    let head = ["RECEIVED (UTC)", "STATE", "NUMBER", "CRM", "ID", "CHANNEL", "BUYER", "WHY"];
    table.set_header(shown(head.map(str::to_owned), wide));
    for order in orders {
        table.add_row(shown(cells(order, wide), wide));
    }
    for column in table.column_iter_mut().take(if wide { 5 } else { 4 }) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.to_string()
}

fn cells(order: &Summary, wide: bool) -> [String; 8] {
    let buyer = match (order.erased_at, order.buyer.is_empty()) {
        (Some(_), _) => "(erased)",
        (None, true) => &order.phone,
        (None, false) => &order.buyer,
    };
    let why = match (order.reason.as_str(), order.problems.len()) {
        ("", 0) => String::new(),
        ("", marks) => format!("{marks} marks"),
        (reason, _) => reason.to_owned(),
    };
    let at = Timestamp::from_millisecond(order.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    [
        at.strftime(if wide { "%Y-%m-%d %H:%M:%S" } else { "%m-%d %H:%M:%S" }).to_string(),
        order.state.to_string(),
        printable(&order.number),
        order.crm_order_id.map_or_else(|| "-".into(), |id| id.to_string()),
        order.id.clone(),
        order.channel.clone(),
        printable(buyer),
        why,
    ]
}

/// The cells that there is room for.
fn shown(cells: [String; 8], wide: bool) -> Vec<String> {
    cells.into_iter().enumerate().filter(|(at, _)| wide || *at != 4).map(|(_, cell)| cell).collect()
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
    if let Some(said) = order.said_crm_id.filter(|said| *said > 0 && summary.crm_order_id.is_none()) {
        out.push_str(&format!(
            "  said      the CRM answered with its order {said}: if it is this one, `parom orders accept`\n"
        ));
    }
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
pub(super) fn printable(text: &str) -> String {
    let hidden = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use parom_core::delivery::state::State;
    use parom_core::order::Target;

    use super::*;

    #[test]
    fn a_number_stays_whole_in_a_narrow_terminal_and_no_sign_of_control_gets_there() {
        let order = Summary {
            seq: 1,
            id: "01a21e8a-7c6d-7351-84e8-3586491988f7".into(),
            state: State::Unconfirmed,
            reason: "needs_delivery_service".into(),
            channel: "landing-page".into(),
            account: "main".into(),
            number: "P-JSX7VVTDAMJTR".into(),
            crm_order_id: Some(123_456),
            received_at: 0,
            attempts: 1,
            problems: Vec::new(),
            buyer: "Олена \u{1b}[31mПетренко-Василевська".into(),
            phone: String::new(),
            target: Target::Order,
            erased_at: None,
        };
        for width in [80, 100, 150] {
            let text = table_within(std::slice::from_ref(&order), Some(width));
            assert!(text.lines().all(|line| line.trim_end().chars().count() <= usize::from(width)), "{text}");
            assert!(text.contains(&order.number) && text.contains("unconfirmed") && !text.contains('\u{1b}'), "{text}");
            assert_eq!(text.contains(&order.id), width == 150, "{text}");
        }
        assert!(table_within(&[order], None).contains("01a21e8a-7c6d-7351-84e8-3586491988f7"));
    }
}
