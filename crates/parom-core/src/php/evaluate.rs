//! Expressions: from the script's tree to what is known of their value.

use serde_json::Value;
use tree_sitter::Node;

use super::run::{Closure, Run, Scope, line};
use super::symbol::{Piece, Root, Sym};
use crate::limits;

impl<'a> Run<'a> {
    /// What is known of an expression's value.
    pub(super) fn value(&mut self, node: Node<'a>) -> Sym {
        if !self.step() || self.nested >= limits::PHP_VALUES {
            return Sym::unknown(line(node), "the script is too long to follow");
        }
        self.nested += 1;
        let value = self.evaluate(node);
        self.nested -= 1;
        if value.is_too_large() { Sym::unknown(line(node), "it grows too long to carry") } else { value }
    }

    fn evaluate(&mut self, node: Node<'a>) -> Sym {
        match node.kind() {
            "string" | "encapsed_string" | "heredoc" | "nowdoc" => self.string(node),
            "integer" | "float" => number(self.text(node)),
            "boolean" => Sym::Const(Value::Bool(self.text(node).eq_ignore_ascii_case("true"))),
            "null" => Sym::null(),
            "array_creation_expression" => self.array(node),
            "variable_name" => self.variable(node),
            "subscript_expression" => self.subscript(node),
            "member_access_expression" | "nullsafe_member_access_expression" => self.property(node),
            "scoped_property_access_expression" => {
                let name = self.static_name(node);
                name.and_then(|name| self.get(&name)).unwrap_or_else(|| self.unknown(node))
            }
            "parenthesized_expression" | "argument" | "by_ref" | "clone_expression" => match self.children(node).last()
            {
                Some(inner) => self.value(*inner),
                None => Sym::null(),
            },
            "error_suppression_expression" | "print_intrinsic" => self.inner(node),
            "assignment_expression" | "reference_assignment_expression" => self.assignment(node),
            "augmented_assignment_expression" => self.augmented(node),
            "binary_expression" => self.binary(node),
            "unary_op_expression" => self.unary(node),
            "cast_expression" => {
                let value = node.child_by_field_name("value").map_or_else(Sym::null, |value| self.value(value));
                let cast = node.child_by_field_name("type").map(|cast| self.text(cast).to_lowercase());
                if matches!(cast.as_deref(), Some("int" | "integer")) {
                    self.cut(&value);
                }
                value
            }
            "conditional_expression" => self.ternary(node),
            "match_expression" => self.matched(node),
            "dynamic_variable_name" => match self.children(node).first().map(|inner| self.value(*inner).as_text()) {
                Some(Some(name)) => self.get(&name).unwrap_or_else(Sym::null),
                _ => self.unknown(node),
            },
            "name" | "qualified_name" => self.constant(node),
            "class_constant_access_expression" => {
                let parts: Vec<&str> = self.children(node).into_iter().map(|part| self.text(part)).collect();
                let found = match parts.as_slice() {
                    [class, name] => self.class_constant(class, name),
                    _ => None,
                };
                found.unwrap_or_else(|| self.unknown(node))
            }
            "function_call_expression" => self.function_call(node),
            "member_call_expression" | "nullsafe_member_call_expression" => self.member_call(node),
            "scoped_call_expression" => self.scoped_call(node),
            "object_creation_expression" => self.create(node),
            "anonymous_function" | "anonymous_function_creation_expression" | "arrow_function" => self.closure(node),
            "exit_statement" | "throw_expression" => Sym::null(),
            "include_expression" | "include_once_expression" | "require_expression" | "require_once_expression" => {
                Sym::unknown(line(node), "another file is not read")
            }
            "update_expression" => {
                if let Some(target) = self.children(node).first() {
                    self.poison(*target, "it is counted, which is not followed");
                }
                Sym::unknown(line(node), "it is counted, which is not followed")
            }
            _ => self.unknown(node),
        }
    }

    /// That it cannot be carried, with the code.
    pub(super) fn unknown(&self, node: Node<'a>) -> Sym {
        Sym::unknown(line(node), format!("`{}` cannot be carried", self.shown(node)))
    }

    /// A value as a condition.
    pub(super) fn truth(&self, value: &Sym) -> Option<String> {
        value.truth(self.typed)
    }

    pub(super) fn inner(&mut self, node: Node<'a>) -> Sym {
        match self.children(node).first() {
            Some(inner) => self.value(*inner),
            None => Sym::null(),
        }
    }

    fn variable(&mut self, node: Node<'a>) -> Sym {
        let name = self.text(node).trim_start_matches('$');
        match name {
            "_POST" => self.superglobal(name, Root::Form),
            "_GET" => self.superglobal(name, Root::Query),
            "_REQUEST" => self.superglobal(name, Root::Request),
            "_COOKIE" => self.superglobal(name, Root::Cookies),
            "this" => self.this.last().map_or_else(Sym::null, |this| Sym::Object(*this)),
            _ => match (self.get(name), &self.extracted) {
                (Some(value), _) => value,
                (None, Some(place)) => Sym::Place(place.at(name)),
                (None, None) => {
                    Sym::unknown(line(node), format!("${name} is not set in the script as far as it can be followed"))
                }
            },
        }
    }

    fn subscript(&mut self, node: Node<'a>) -> Sym {
        let parts = self.children(node);
        let [array, index] = parts.as_slice() else {
            return self.unknown(node);
        };
        // `"$_POST[name]"` within a text needs no quotes.
        let bare = index.kind() == "name" && !self.constants.contains_key(self.text(*index));
        let key = if bare { Sym::text(self.text(*index)) } else { self.value(*index) };
        let base = self.text(*array);
        if matches!(base, "$_SESSION" | "$_SERVER" | "$_POST" | "$_GET" | "$_REQUEST")
            && let Some(key) = key.as_text()
        {
            // What the script itself put there.
            let kept = self.get(&format!("{}.{key}", base.trim_start_matches('$')));
            match (kept, base) {
                (Some(value), base) => {
                    if base == "$_SESSION" {
                        let text = format!("$_SESSION['{key}'] is carried only as far as this request itself fills it");
                        self.note(node, text);
                    }
                    return value;
                }
                (None, "$_SERVER") if key == "HTTP_REFERER" => return Sym::Expr("page".into(), true),
                (None, "$_SESSION") => {
                    let text = format!("$_SESSION['{key}'] lives in the site's session, which the form does not bring");
                    return Sym::unknown(line(node), text);
                }
                (None, "$_SERVER") => return self.unknown(node),
                _ => {}
            }
        }
        if base == "$GLOBALS"
            && let Some(value) = key.as_text().and_then(|key| self.get(&format!("*{key}")))
        {
            return value;
        }
        let array = self.value(*array);
        match (array, key) {
            (Sym::Place(place), Sym::Index) => self.at_index(&place),
            (Sym::Place(place), key) => match key.as_text() {
                Some(key) => Sym::Place(place.at(&key)),
                None => self.unknown(node),
            },
            (Sym::Over(place, entries), key) => match key.as_text() {
                Some(key) => Sym::Over(place, entries).at(&key),
                None => self.unknown(node),
            },
            (doubt @ Sym::Unknown(..), _) => doubt,
            (array, key) => match key.as_text() {
                Some(_) if matches!(&array, Sym::List(items) if items.iter().any(|item| matches!(item, Sym::Each(..)))) => {
                    self.unknown(node)
                }
                Some(key) => array.get(&key).cloned().unwrap_or_else(Sym::null),
                None => self.looked_up(node, &array, &key),
            },
        }
    }

    /// A table of the script, by a value of the form.
    fn looked_up(&self, node: Node<'a>, table: &Sym, key: &Sym) -> Sym {
        match (table.expr(), key.expr()) {
            (Some(table), Some(key)) if self.typed => Sym::Expr(format!("{table}[{key} | string]"), true),
            (Some(table), Some(key)) => Sym::Expr(format!("{table}[{key}]"), true),
            _ => self.unknown(node),
        }
    }

    fn property(&mut self, node: Node<'a>) -> Sym {
        let (Some(object), Some(name)) = (node.child_by_field_name("object"), node.child_by_field_name("name")) else {
            return self.unknown(node);
        };
        let name = self.text(name).to_owned();
        match self.value(object) {
            Sym::Object(object) => {
                let known = self.objects.get(object).and_then(|object| object.properties.get(&name)).cloned();
                known.unwrap_or_else(|| self.unknown(node))
            }
            // json_decode without `true` gives objects.
            known @ (Sym::Place(_) | Sym::Over(..) | Sym::Map(_)) => known.at(&name),
            _ => self.unknown(node),
        }
    }

    fn assignment(&mut self, node: Node<'a>) -> Sym {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return self.unknown(node);
        };
        let value = self.value(right);
        if node.kind() == "reference_assignment_expression" {
            let text = format!("what is changed through {} is not carried to {}", self.shown(left), self.shown(right));
            self.note(node, text);
        }
        self.assign(left, value.clone());
        value
    }

    /// `"…$a…"`: literals and places.
    fn string(&mut self, node: Node<'a>) -> Sym {
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

    fn constant(&mut self, node: Node<'a>) -> Sym {
        let name = self.text(node).trim_start_matches('\\');
        match name {
            "PHP_EOL" => Sym::text("\n"),
            _ => self.constants.get(name).cloned().unwrap_or_else(|| self.unknown(node)),
        }
    }

    /// A number without its fraction: an id has none, but an amount of money may.
    pub(super) fn cut(&mut self, value: &Sym) {
        self.whole.extend(value.expr().filter(|_| !matches!(value, Sym::Const(_))));
    }

    fn closure(&mut self, node: Node<'a>) -> Sym {
        // An arrow sees what is around it; a function what it names, which is there all the same.
        let scope: Scope = self.scopes.last().cloned().unwrap_or_default();
        self.closures.push(Closure { node, scope });
        Sym::Closure(self.closures.len() - 1)
    }
}

fn number(text: &str) -> Sym {
    let plain = text.replace('_', "").to_lowercase();
    let based =
        [("0x", 16), ("0b", 2), ("0o", 8)].iter().find_map(|(start, base)| Some((plain.strip_prefix(start)?, *base)));
    // `010` is eight.
    let octal = plain.strip_prefix('0').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if let Some((digits, base)) = based.or_else(|| octal.map(|digits| (digits, 8))) {
        return i64::from_str_radix(digits, base).map_or_else(|_| Sym::text(plain.clone()), |n| Sym::Const(n.into()));
    }
    // `.5` and `5.` are numbers of PHP, not of JSON.
    let plain = match plain.strip_suffix('.').unwrap_or(&plain) {
        short if short.starts_with('.') => format!("0{short}"),
        other => other.to_owned(),
    };
    // `1e3` is written out.
    if let Some(whole) = plain.contains('e').then(|| plain.parse::<f64>().ok()).flatten().filter(|n| n.fract() == 0.0)
        && whole.abs() < 1e15
    {
        return number(&format!("{whole:.0}"));
    }
    match serde_json::from_str::<Value>(&plain) {
        Ok(value @ Value::Number(_)) => Sym::Const(value),
        _ => Sym::text(plain),
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
        other => other.strip_prefix('\\').unwrap_or(other).to_owned(),
    }
}

/// Two texts in a row.
pub(super) fn join(left: Sym, right: Sym) -> Sym {
    let (mut joined, right) = match (pieces(left), pieces(right)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(doubt), _) | (_, Err(doubt)) => return doubt,
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
