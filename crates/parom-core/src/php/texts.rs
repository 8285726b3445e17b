//! Texts: what stands between quotes, and texts in a row.

use serde_json::Value;
use tree_sitter::Node;

use super::run::Run;
use super::symbol::{Piece, Sym};

impl<'a> Run<'a> {
    /// `"…$a…"`: literals and places.
    pub(super) fn string(&mut self, node: Node<'a>) -> Sym {
        let double = node.kind() != "string" && node.kind() != "nowdoc";
        let inner = match node.kind() {
            "heredoc" | "nowdoc" => node.child_by_field_name("value"),
            _ => Some(node),
        };
        let mut parts: Vec<Sym> = Vec::new();
        let mut read = inner.filter(|_| node.kind() == "heredoc").map(|inner| inner.start_byte());
        let mut cursor = node.walk();
        let parts_of =
            |inner: Node<'a>, cursor: &mut tree_sitter::TreeCursor<'a>| inner.children(cursor).collect::<Vec<_>>();
        for part in inner.map(|inner| parts_of(inner, &mut cursor)).unwrap_or_default() {
            // In a heredoc the tree leaves out the ends of the lines.
            if let Some(before) = read {
                parts.push(Sym::text(self.source.get(before..part.start_byte()).unwrap_or_default()));
                read = Some(part.end_byte());
            }
            if !part.is_named() {
                continue;
            }
            match part.kind() {
                "string_content" | "string_value" | "nowdoc_string" => {
                    parts.push(Sym::text(self.literal(part, double)))
                }
                "escape_sequence" => {
                    let text = self.text(part);
                    parts.push(Sym::text(if double { escape(text) } else { single(text) }));
                }
                "heredoc_start" | "heredoc_end" => {}
                _ => {
                    let value = self.value(part);
                    parts.push(value);
                }
            }
        }
        let mut whole = parts.into_iter().fold(Sym::text(""), join);
        if let (Sym::Const(Value::String(text)), "nowdoc" | "heredoc") = (&mut whole, node.kind()) {
            *text = text.trim_matches('\n').to_owned();
        }
        let indent = self.text(node).lines().last().map_or("", |last| &last[..last.len() - last.trim_start().len()]);
        if !indent.is_empty() && matches!(node.kind(), "heredoc" | "nowdoc") {
            outdent(&mut whole, indent);
        }
        if let (Sym::Text(pieces), Some(_)) = (&mut whole, read) {
            if let Some(Piece::Literal(first)) = pieces.first_mut() {
                *first = first.trim_start_matches('\n').to_owned();
            }
            if let Some(Piece::Literal(last)) = pieces.last_mut() {
                *last = last.trim_end_matches('\n').to_owned();
            }
        }
        whole
    }

    fn literal(&self, node: Node<'a>, double: bool) -> String {
        let text = self.text(node);
        if double { text.to_owned() } else { text.replace("\\'", "'").replace("\\\\", "\\") }
    }
}

/// Takes the indentation of its last line from each line of a text, as PHP does.
fn outdent(text: &mut Sym, indent: &str) {
    let outer = |text: &mut String| *text = text.replace(&format!("\n{indent}"), "\n");
    match text {
        Sym::Const(Value::String(text)) => {
            outer(text);
            *text = text.strip_prefix(indent).unwrap_or(text).to_owned();
        }
        Sym::Text(pieces) => {
            for piece in pieces {
                if let Piece::Literal(text) = piece {
                    outer(text);
                }
            }
        }
        _ => {}
    }
}

fn single(text: &str) -> String {
    match text {
        "\\'" => "'".to_owned(),
        "\\\\" => "\\".to_owned(),
        other => other.to_owned(),
    }
}

fn escape(text: &str) -> String {
    match text {
        "\\n" => "\n".to_owned(),
        "\\r" => "\r".to_owned(),
        "\\t" => "\t".to_owned(),
        "\\e" => "\u{1b}".to_owned(),
        "\\v" => "\u{b}".to_owned(),
        "\\f" => "\u{c}".to_owned(),
        other => {
            let inner = other.strip_prefix('\\').unwrap_or(other);
            let number = match inner.strip_prefix('u').or_else(|| inner.strip_prefix('x')) {
                Some(hex) => u32::from_str_radix(hex.trim_matches(['{', '}']), 16).ok(),
                None => u32::from_str_radix(inner, 8).ok().filter(|_| inner.len() <= 3),
            };
            number.and_then(char::from_u32).map_or_else(|| inner.to_owned(), String::from)
        }
    }
}

/// Two texts in a row.
pub(super) fn join(left: Sym, right: Sym) -> Sym {
    let (mut joined, right) = match (pieces(left), pieces(right)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(doubt), Ok(pieces)) | (Ok(pieces), Err(doubt)) => return beside(doubt, &pieces),
        (Err(doubt), Err(_)) => return doubt,
    };
    joined.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
    for piece in right {
        match (joined.last_mut(), piece) {
            (Some(Piece::Literal(before)), Piece::Literal(text)) => before.push_str(&text),
            (_, Piece::Literal(text)) if text.is_empty() => {}
            (_, piece) => joined.push(piece),
        }
    }
    match joined.as_slice() {
        [] => Sym::text(""),
        [Piece::Literal(text)] => Sym::text(text.clone()),
        _ => Sym::Text(joined),
    }
}

/// What is not known, joined with what is: a phone with its `+38` is still that phone, nothing else is what it was.
fn beside(doubt: Sym, pieces: &[Piece]) -> Sym {
    let prefix =
        |piece: &Piece| matches!(piece, Piece::Literal(text) if text.chars().all(|c| "+0123456789 ()-".contains(c)));
    match doubt {
        Sym::Unknown(line, why, _) if !pieces.iter().all(prefix) => Sym::Unknown(line, why, None),
        doubt => doubt,
    }
}

fn pieces(sym: Sym) -> Result<Vec<Piece>, Sym> {
    Ok(match sym {
        Sym::Const(Value::String(text)) => vec![Piece::Literal(text)],
        Sym::Const(Value::Null | Value::Bool(false)) => Vec::new(),
        Sym::Const(Value::Bool(true)) => vec![Piece::Literal("1".into())],
        Sym::Const(other) => vec![Piece::Literal(other.to_string())],
        Sym::Text(pieces) => pieces,
        doubt @ Sym::Unknown(..) => return Err(doubt),
        other => match other.expr() {
            Some(source) => vec![Piece::Expr(source)],
            None => return Err(Sym::unknown(0, "a text is joined with what is no text")),
        },
    })
}
