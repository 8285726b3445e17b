//! A table that becomes a list of labelled lines on a phone.

use serde_json::Value;

use super::html::escape;
use crate::dates;

/// Cells are HTML. A table without rows is the sentence instead.
pub(super) fn table(title: &str, count: usize, heads: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() {
        return format!("<section><h2>{title}</h2><p class=\"empty\">{nothing}</p></section>\n");
    }
    let head: String = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
    let rows: String = rows.iter().map(|cells| row(heads, cells)).collect();
    format!(
        "<section><h2>{title} <span class=\"count\">{count}</span></h2><div class=\"wide\"><table class=\"orders\">\
         <thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>\n"
    )
}

fn row(heads: &[&str], cells: &[String]) -> String {
    let cells = heads.iter().zip(cells);
    let cells: String =
        cells.map(|(label, cell)| format!("<td data-label=\"{label}\"><div>{cell}</div></td>")).collect();
    format!("<tr>{cells}</tr>\n")
}

/// A value that must not break in the middle: a phone, a sum, a time.
pub(super) fn tight(html: &str) -> String {
    if html.is_empty() { String::new() } else { format!("<span class=\"tight\">{html}</span>") }
}

/// A date of an answer, without the fractions that make it too wide for a phone.
pub(super) fn time(date: &Value) -> String {
    tight(&escape(&dates::spaced(date.as_str().unwrap_or_default())))
}
