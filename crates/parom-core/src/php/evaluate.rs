//! Expressions: from the script's tree to what is known of their value.

use serde_json::Value;
use tree_sitter::Node;

use super::run::{Closure, Run, Scope, line};
use super::symbol::{Entry, Root, Sym};
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
        // What the form brings is a text: the places of a list are its keys.
        if let Sym::List(items) = table {
            let numbered = items.iter().enumerate();
            let entries = numbered.map(|(at, value)| Entry { key: at.to_string(), value: value.clone(), line: 0 });
            return self.looked_up(node, &Sym::Map(entries.collect()), key);
        }
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
        let mut value = self.value(right);
        if self.counts(left, right) {
            value = Sym::unknown(line(node), "a sum over the items of a loop is not carried");
        }
        if node.kind() == "reference_assignment_expression" {
            let text = format!("what is changed through {} is not carried to {}", self.shown(left), self.shown(right));
            self.note(node, text);
        }
        self.assign(left, value.clone());
        value
    }

    /// `$n = $n + 1` in a loop over a list of the form, where `$n` lives longer than a turn.
    fn counts(&self, left: Node<'a>, right: Node<'a>) -> bool {
        let name = self.text(left);
        left.kind() == "variable_name" && self.outlives(name.trim_start_matches('$')) && self.names(right, name)
    }

    /// Whether a name lives longer than a turn of the loop over a list of the form.
    pub(super) fn outlives(&self, name: &str) -> bool {
        self.loops.last().is_some_and(|around| !around.over.is_empty() && !around.locals.iter().any(|own| own == name))
    }

    fn names(&self, node: Node<'a>, name: &str) -> bool {
        node.kind() == "variable_name" && self.text(node) == name
            || self.children(node).into_iter().any(|child| self.names(child, name))
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
        let text = self.text(node);
        let seen = |name: &str| text.contains(&format!("${name}")) || text.contains(&format!("'{name}'"));
        let scope = self.scopes.last().into_iter().flatten();
        let scope: Scope =
            scope.filter(|(name, _)| seen(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
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
