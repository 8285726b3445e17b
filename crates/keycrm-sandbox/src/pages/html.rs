//! Escaping, and the frame of a page.

use serde_json::Value;

/// Text that is safe between tags and inside quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A JSON value as escaped text: strings bare, lists joined by commas, nothing for null.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        Value::Array(members) => members.iter().map(show).collect::<Vec<_>>().join(", "),
        other => escape(&other.to_string()),
    }
}

const NAV: &[(&str, &str)] = &[
    ("/", "Orders"),
    ("/cards", "Cards"),
    ("/sources", "Sources"),
    ("/catalogue", "Catalogue"),
    ("/custom-fields", "Custom fields"),
    ("/keys", "API keys"),
    ("/ledger", "Requests"),
];

fn nav() -> String {
    let links: String = NAV.iter().map(|(path, name)| format!("<a href=\"{path}\">{name}</a>\n")).collect();
    format!("<nav aria-label=\"Pages\">\n{links}</nav>\n")
}

/// A whole page; `head` and `body` are HTML.
pub(super) fn frame(title: &str, head: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"/assets/sandbox.css\">\n{head}</head>\n<body>\n{}{body}</body>\n</html>\n",
        nav()
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_is_inert() {
        let shown = super::show(&serde_json::json!(["<b onclick=\"x\">", "it's & co"]));
        assert_eq!(shown, "&lt;b onclick=&quot;x&quot;&gt;, it&#39;s &amp; co");
    }
}
