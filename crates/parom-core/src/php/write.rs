//! The channel file of an order that was found.

use std::collections::HashSet;

use serde_json::Value;

use super::Note;
use super::symbol::{Entry, Piece, Sym};
use crate::convert::Kind;
use crate::limits;
use crate::mapping::Expr;
use crate::order::Target;
use crate::order::schema::{self, Shape, nearest};

struct Writer<'n> {
    out: String,
    /// Within a line of `each`.
    in_each: bool,
    /// Expressions whose fraction the script cuts off.
    whole: &'n HashSet<String>,
    notes: &'n mut Vec<Note>,
}

/// The file's text, and what the order becomes in the CRM.
pub(super) fn channel(body: &Sym, account: &str, whole: &HashSet<String>, notes: &mut Vec<Note>) -> (String, Target) {
    let target =
        if body.get("contact").is_some() || body.get("pipeline_id").is_some() { Target::Card } else { Target::Order };
    let mut writer = Writer { out: format!("account = {}\n", toml_text(account)), in_each: false, whole, notes };
    if target == Target::Card {
        writer.out.push_str("target = \"card\"\n");
    }
    let entries = body.entries();
    if let Sym::Over(place, _) = body {
        let text = format!(
            "all of `{}` is sent with the order: name each of its fields that the CRM shall get, or let it be sent to /v1/order",
            place.expr()
        );
        writer.notes.push(Note { line: entries.first().map_or(1, |entry| entry.line.max(1)), text });
    }
    writer.group(entries, schema::of(target), target.as_str(), "", &format!("\n[{}]\n", target.as_str()));
    (writer.out, target)
}

impl Writer<'_> {
    /// A group: its values first, then its groups and lists, as TOML wants them.
    fn group(&mut self, entries: &[Entry], shape: &'static [schema::Entry], path: &str, extra: &str, head: &str) {
        let start = self.out.len();
        self.out.push_str(head);
        self.out.push_str(extra);
        let empty = self.out.len();
        let mut deeper: Vec<(&Entry, &'static schema::Entry)> = Vec::new();
        for entry in entries {
            let Some(known) = schema::entry(shape, &entry.key) else {
                self.foreign(entry, shape, path);
                continue;
            };
            match known.shape {
                Shape::Value { kind: Kind::Phone | Kind::Email, .. } => self.contact(entry),
                Shape::Value { kind: Kind::DateTime, .. } => self.moment(entry),
                Shape::Value { kind: Kind::Money, .. } => self.amount(entry),
                Shape::Value { .. } => self.value(entry),
                _ => deeper.push((entry, known)),
            }
        }
        // A line of a list must stand before the lists within it.
        let needed = head.contains("[[") && !deeper.is_empty();
        let bare = self.out.len() == empty && extra.is_empty() && path.contains('.') && !needed;
        if bare {
            self.out.truncate(start);
        }
        // A line without a value is none: what it lacks is told all the same.
        let lacking = self.out.get(empty..).unwrap_or_default().to_owned();
        if head.contains("[[") && deeper.is_empty() && lacking.lines().all(|line| line.starts_with('#')) {
            self.out.truncate(start);
            self.out.push_str(&lacking);
        }
        for (entry, known) in deeper {
            let place = format!("{path}.{}", entry.key);
            match (&known.shape, &entry.value) {
                (Shape::Object(shape), Sym::Map(entries)) => {
                    self.group(entries, shape, &place, "", &format!("\n[{place}]\n"));
                }
                (Shape::Object(shape), Sym::Place(whole)) => self.whole_group(entry, whole, shape, &place),
                (Shape::List(shape), value) => self.lines(entry, value, shape, &place),
                (_, Sym::Const(Value::Null)) => {}
                (_, Sym::List(items)) if items.is_empty() => {}
                _ => self.left_out(entry, "it is no group of fields here"),
            }
        }
    }

    /// A whole part of the request in the place of a group: each of the group's fields from there.
    fn whole_group(
        &mut self,
        entry: &Entry,
        whole: &super::symbol::Place,
        shape: &'static [schema::Entry],
        path: &str,
    ) {
        self.out.push_str(&format!("\n[{path}]\n"));
        for known in shape.iter().filter(|known| matches!(known.shape, Shape::Value { .. })) {
            let value = Sym::Place(whole.at(known.name));
            self.value(&Entry { key: known.name.to_owned(), value, line: entry.line });
        }
    }

    fn lines(&mut self, entry: &Entry, value: &Sym, shape: &'static [schema::Entry], path: &str) {
        let one;
        let items: &[Sym] = match value {
            Sym::List(items) => items,
            Sym::Const(Value::Null) => return,
            // `'products' => ['name' => …]`: one line, without the list around it.
            Sym::Map(entries) if entries.iter().any(|entry| schema::entry(shape, &entry.key).is_some()) => {
                one = [value.clone()];
                &one
            }
            Sym::Map(entries) => {
                one = [Sym::null()];
                for item in entries {
                    self.line(entry, &item.value, shape, path);
                }
                let _ = one;
                return;
            }
            other => {
                one = [other.clone()];
                &one
            }
        };
        for item in items {
            self.line(entry, item, shape, path);
        }
    }

    fn line(&mut self, entry: &Entry, item: &Sym, shape: &'static [schema::Entry], path: &str) {
        let head = format!("\n[[{path}]]\n");
        match item {
            Sym::Map(entries) => match entries.iter().find(|entry| entry.key == "amount").map(|e| rendered(&e.value)) {
                // A payment without its amount is none.
                Some(Err((line, why))) => {
                    let line = if line == 0 { entry.line } else { line };
                    self.left_out(&Entry { line, ..entry.clone() }, &format!("its amount: {why}"))
                }
                _ if path.ends_with("products") => self.group(&said(entries), shape, path, "", &head),
                _ => self.group(entries, shape, path, "", &head),
            },
            Sym::Each(over, inner) => match &**inner {
                Sym::Map(entries) => {
                    let each = format!("each = {}\n", toml_text(&format!("{{{{ {over} }}}}")));
                    self.in_each = true;
                    self.group(entries, shape, path, &each, &head);
                    self.in_each = false;
                }
                _ => self.left_out(entry, "its lines are not known"),
            },
            // The lines as they come in the form, under the CRM's own names.
            Sym::Place(place) => {
                let each = format!("each = {}\n", toml_text(&format!("{{{{ {} }}}}", place.expr())));
                let text = "the list is sent as it comes; each of its fields is read under the CRM's name".to_owned();
                self.notes.push(Note { line: entry.line, text });
                let root = super::symbol::Place { root: super::symbol::Root::Item, steps: Vec::new() };
                let fields = shape.iter().filter(|known| matches!(known.shape, Shape::Value { .. }));
                let entries: Vec<Entry> = fields
                    .map(|known| Entry {
                        key: known.name.into(),
                        value: Sym::Place(root.at(known.name)),
                        line: entry.line,
                    })
                    .collect();
                self.in_each = true;
                self.group(&entries, shape, path, &each, &head);
                self.in_each = false;
            }
            other => match other.doubt() {
                Some((line, why)) => self.left_out(&Entry { line, ..entry.clone() }, why),
                None => self.left_out(entry, "it is no list of lines here"),
            },
        }
    }

    /// A phone or an e-mail that the script cleans in a way of its own is carried as it is typed: the field's conversion
    /// does what the script did.
    fn contact(&mut self, entry: &Entry) {
        match (&entry.value, entry.value.near()) {
            (Sym::Unknown(line, why, _), Some(near)) => {
                self.out.push_str(&format!("{} = {}\n", entry.key, toml_text(&format!("{{{{ {near} }}}}"))));
                let text = format!(
                    "`{}` is carried as it is typed, and the field's own conversion mends it: {why}",
                    entry.key
                );
                self.notes.push(Note { line: *line, text });
            }
            _ => self.value(entry),
        }
    }

    /// An amount whose fraction the script cuts off goes with it.
    fn amount(&mut self, entry: &Entry) {
        if entry.value.expr().is_some_and(|source| self.whole.contains(&source)) {
            let text = format!("`{}` is carried with its fraction, which the script cuts off", entry.key);
            self.notes.push(Note { line: entry.line, text });
        }
        self.value(entry);
    }

    /// A time without a zone is one of the channel's, and goes in UTC; the script sends it as it was typed.
    fn moment(&mut self, entry: &Entry) {
        let typed = matches!(&entry.value, Sym::Place(_) | Sym::Text(_))
            || matches!(&entry.value, Sym::Expr(e, _) if e != "received_at");
        if typed {
            let text = format!(
                "`{}` is read as a time of the channel's zone and goes in UTC; the script sends it as typed",
                entry.key
            );
            self.notes.push(Note { line: entry.line, text });
        }
        self.value(entry);
    }

    fn value(&mut self, entry: &Entry) {
        match self.safely(&entry.value) {
            Ok(Some(text)) => self.out.push_str(&format!("{} = {text}\n", entry.key)),
            Ok(None) => {}
            Err((line, why)) => {
                let line = if line == 0 { entry.line } else { line };
                self.left_out(&Entry { line, ..entry.clone() }, &why);
            }
        }
    }

    /// What is written can be read again: no expression that the mapping's language refuses, and no item without its loop.
    fn safely(&self, value: &Sym) -> Result<Option<String>, (usize, String)> {
        if !self.in_each && value.reads_item() {
            return Err((0, "it is put together by a loop, item by item".to_owned()));
        }
        let text = rendered(value)?;
        if let Some(text) = &text {
            let own: Option<toml::Table> = format!("x = {text}").parse().ok();
            let exprs = own.as_ref().and_then(|table| table.get("x")).map(texts).unwrap_or_default();
            let long = exprs.iter().any(|text| text.contains("{{") && text.len() > limits::PHP_EXPRESSION_BYTES);
            if long || exprs.iter().any(|text| Expr::parse(text).is_err()) {
                return Err((0, "it comes to an expression that is too long or too deep".to_owned()));
            }
        }
        Ok(text)
    }

    /// A field that the CRM does not have.
    fn foreign(&mut self, entry: &Entry, shape: &'static [schema::Entry], path: &str) {
        let near = nearest(&entry.key, shape.iter().map(|known| known.name));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        self.left_out(entry, &format!("the CRM has no such field in `{path}`{near}"));
    }

    fn left_out(&mut self, entry: &Entry, why: &str) {
        self.out.push_str(&format!("# {}: not carried, line {}: {}\n", comment(&entry.key), entry.line, comment(why)));
        self.notes.push(Note { line: entry.line, text: format!("`{}` is not carried: {why}", entry.key) });
    }
}

/// A product whose name the script itself gives is there whatever the form brings: in a channel, a line whose expressions all come
/// out empty is none.
fn said(entries: &[Entry]) -> Vec<Entry> {
    let asks = entries.iter().any(|entry| !matches!(entry.value, Sym::Const(_)));
    let mut entries = entries.to_vec();
    let named = entries.iter_mut().find(|entry| matches!(entry.key.as_str(), "name" | "sku"));
    if let Some(Entry { value, .. }) = named.filter(|_| asks)
        && let Sym::Const(Value::String(text)) = value
        && !text.is_empty()
    {
        *value = Sym::Expr(super::symbol::quoted(text), true);
    }
    entries
}

/// A value as the file writes it; nothing for one that is empty.
fn rendered(value: &Sym) -> Result<Option<String>, (usize, String)> {
    Ok(Some(match value {
        Sym::Const(Value::Null) => return Ok(None),
        Sym::Const(Value::String(text)) if text.is_empty() => return Ok(None),
        Sym::Const(Value::String(text)) if text.contains("{{") || text.contains("{%") || text.contains("{#") => {
            toml_text(&format!("{{{{ {} }}}}", super::symbol::quoted(text)))
        }
        Sym::Const(Value::String(text)) => toml_text(text),
        Sym::Const(other) => other.to_string(),
        Sym::Text(pieces)
            if pieces.iter().any(|piece| match piece {
                Piece::Literal(text) => text.contains(['{', '}']),
                // The value of an expression within a text is trimmed.
                Piece::Expr(source) => has_edge(source),
            }) =>
        {
            toml_text(&format!("{{{{ {} }}}}", bare(&value.expr().unwrap_or_default())))
        }
        Sym::Text(pieces) => {
            let parts = pieces.iter().map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Expr(source) => format!("{{{{ {} }}}}", bare(source)),
            });
            toml_text(&parts.collect::<String>())
        }
        Sym::Expr(source, _) => toml_text(&format!("{{{{ {source} }}}}")),
        Sym::Place(place) => toml_text(&format!("{{{{ {} }}}}", bare(&place.expr()))),
        Sym::List(items) if items.is_empty() => return Ok(None),
        Sym::List(items) => {
            let mut parts = Vec::new();
            for item in items {
                parts.extend(rendered(item)?);
            }
            format!("[{}]", parts.join(", "))
        }
        other => {
            let (line, why) = other.doubt().unwrap_or((0, "it is no single value"));
            return Err((line, why.to_owned()));
        }
    }))
}

/// Whether a text within an expression begins or ends with a space.
fn has_edge(source: &str) -> bool {
    let (mut open, mut before) = (false, ' ');
    for c in source.chars() {
        match (c, before) {
            ('\'', '\\') => {}
            ('\'', last) if open && last.is_whitespace() => return true,
            ('\'', _) => open = !open,
            (c, '\'') if open && c.is_whitespace() => return true,
            _ => {}
        }
        before = if open || c == '\'' { c } else { '.' };
    }
    false
}

/// The texts of a value.
fn texts(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// An expression without the parentheses around the whole of it.
fn bare(source: &str) -> &str {
    let inner = source.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inner.filter(|inner| super::symbol::is_closed(inner)).unwrap_or(source)
}

/// A text as TOML writes it.
fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A text within a comment: one line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
