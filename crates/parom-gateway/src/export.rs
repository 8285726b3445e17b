//! Orders as files for people and machines: CSV, XLSX, NDJSON.

use jiff::Timestamp;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::api::shape::detail_json;
use crate::store::{OrderDetail, Summary};

/// The columns of the tables.
pub const COLUMNS: [&str; 10] =
    ["id", "state", "channel", "source_uuid", "crm_order_id", "received_at", "attempts", "buyer", "phone", "problems"];

/// The head of a CSV file.
#[must_use]
pub fn csv_head() -> String {
    format!("{}\r\n", COLUMNS.join(","))
}

/// One order's row of a CSV file. No spreadsheet takes a cell of it for a formula.
#[must_use]
pub fn csv_row(order: &Summary) -> String {
    let cells: Vec<String> = cells(order).iter().map(|cell| quote(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// One order, whole, in a line.
#[must_use]
pub fn ndjson_row(order: &OrderDetail) -> String {
    format!("{}\n", detail_json(order))
}

/// A workbook of one sheet; its cells are texts, and none is a formula.
///
/// # Errors
/// More rows than a sheet has.
pub fn xlsx(orders: &[Summary]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("orders")?;
    let bold = Format::new().set_bold();
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, name, &bold)?;
        sheet.set_column_width(column, 20)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (row, order) in (1..).zip(orders) {
        for (column, cell) in (0..).zip(cells(order)) {
            sheet.write_string(row, column, cell)?;
        }
    }
    book.save_to_buffer()
}

fn cells(order: &Summary) -> [String; 10] {
    let problems: Vec<String> = order.problems.iter().map(|p| format!("{}: {}", p.path, p.message)).collect();
    let at = Timestamp::from_millisecond(order.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    [
        order.id.clone(),
        order.state.to_string(),
        order.channel.clone(),
        order.number.clone(),
        order.crm_order_id.map_or_else(String::new, |id| id.to_string()),
        at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        order.attempts.to_string(),
        order.buyer.clone(),
        order.phone.clone(),
        problems.join("; "),
    ]
}

/// A quoted cell that no spreadsheet takes for a formula.
fn quote(cell: &str) -> String {
    // Some spreadsheets leave spaces before a formula out.
    let start = cell.trim_start_matches(' ');
    let risky = start.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let mark = if risky { "'" } else { "" };
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}
