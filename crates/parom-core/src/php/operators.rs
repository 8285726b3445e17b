//! Operators: joining, defaults, comparisons, sums.

use serde_json::Value;
use tree_sitter::Node;

use super::run::{Run, line};
use super::symbol::{Place, Root, Sym, holds, negated};
use super::texts::join;

impl<'a> Run<'a> {
    pub(super) fn binary(&mut self, node: Node<'a>) -> Sym {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return self.unknown(node);
        };
        let operator = node.child_by_field_name("operator").map(|operator| self.text(operator)).unwrap_or_default();
        if operator == "." {
            return self.chain(node);
        }
        if self.ends(right) {
            let value = self.value(left);
            let not = if matches!(operator, "&&" | "and") { "" } else { "not " };
            self.ends_under(left, not);
            return value;
        }
        let a = self.value(left);
        let b = match operator {
            "&&" | "and" => self.only_if(left, &a, "", right),
            "||" | "or" => self.only_if(left, &a, "not ", right),
            _ => self.value(right),
        };
        match operator {
            "??" => self.coalesce(node, a, b),
            "===" | "==" | "!==" | "!=" | "<>" => self.compare(node, &a, operator, &b),
            "<" | ">" | "<=" | ">=" => self.in_order(node, &a, operator, &b),
            "&&" | "and" => self.both(node, &a, "and", &b),
            "||" | "or" => self.both(node, &a, "or", &b),
            "+" | "-" | "*" | "/" => self.sum(node, &a, operator, &b),
            _ => self.unknown(node),
        }
    }

    /// `a . b . c …`: a long text is no deep one.
    fn chain(&mut self, node: Node<'a>) -> Sym {
        let (mut rest, mut first) = (Vec::new(), node);
        while let (true, Some(left), Some(right)) =
            (self.text_of_operator(first) == ".", first.child_by_field_name("left"), first.child_by_field_name("right"))
        {
            rest.push(right);
            first = left;
        }
        let first = self.value(first);
        rest.into_iter().rev().fold(first, |whole, part| {
            let part = self.value(part);
            join(whole, part)
        })
    }

    /// The operator of a binary expression, or nothing.
    fn text_of_operator(&self, node: Node<'a>) -> &'a str {
        let operator = node.child_by_field_name("operator").filter(|_| node.kind() == "binary_expression");
        operator.map(|operator| self.text(operator)).unwrap_or_default()
    }

    /// `a ?? b`: the default counts where the field is absent, not where it is empty.
    pub(super) fn coalesce(&mut self, node: Node<'a>, value: Sym, other: Sym) -> Sym {
        match (value, other) {
            (Sym::Const(Value::Null), other) => other,
            (value @ (Sym::Const(_) | Sym::Text(_) | Sym::Map(_) | Sym::List(_)), _) => value,
            // A field that is absent is left out anyhow.
            (value, Sym::Const(Value::Null)) => value,
            (value, Sym::Const(Value::String(text))) if text.is_empty() => value,
            (value, Sym::List(items)) if items.is_empty() => value,
            (value, other) if value == other => value,
            (Sym::Unknown(at, why, near), other) => match other {
                Sym::Const(_) => Sym::Unknown(at, why, near),
                other => {
                    let text = format!("{why}; what stands after ?? is taken");
                    self.notes.push(super::Note { line: at, text });
                    other
                }
            },
            (value, other) => match (value.expr(), self.is_set(std::slice::from_ref(&value)), other.expr()) {
                (Some(yes), Some(tested), Some(no)) => Sym::Expr(format!("{yes} if {tested} else {no}"), false),
                _ => self.unknown(node),
            },
        }
    }

    fn both(&self, node: Node<'a>, left: &Sym, word: &str, right: &Sym) -> Sym {
        match (self.truth(left), self.truth(right)) {
            (Some(a), Some(b)) => Sym::Expr(format!("({a}) {word} ({b})"), false),
            _ => self.unknown(node),
        }
    }

    fn sum(&mut self, node: Node<'a>, left: &Sym, operator: &str, right: &Sym) -> Sym {
        if let (Sym::Map(_), Sym::Map(more), "+") = (left, right, operator) {
            let mut whole = left.clone();
            if let Sym::Map(entries) = &mut whole {
                entries.extend(more.iter().filter(|entry| left.get(&entry.key).is_none()).cloned());
            }
            return whole;
        }
        if operator == "+" && is_array(left, right) {
            return self.laid_over(node, right.clone(), left.clone());
        }
        let side = |sym: &Sym| match sym {
            Sym::Const(Value::Number(number)) => Some(number.to_string()),
            Sym::Const(_) => None,
            // A sum of sums is a number already.
            Sym::Expr(source, _) if source.contains("| money)") && !source.contains(" if ") => sym.expr(),
            other => other.expr().map(|source| format!("({source} | default(0) | money)")),
        };
        match (side(left), side(right)) {
            (Some(a), Some(b)) => Sym::Expr(format!("{a} {operator} {b}"), false),
            _ => self.unknown(node),
        }
    }

    pub(super) fn unary(&mut self, node: Node<'a>) -> Sym {
        let operator = node.child_by_field_name("operator").map(|operator| self.text(operator));
        let operator = operator.unwrap_or_else(|| self.text(node).get(..1).unwrap_or_default());
        let Some(inner) = self.children(node).last().copied() else {
            return self.unknown(node);
        };
        let value = self.value(inner);
        match (operator, &value) {
            ("-", Sym::Const(Value::Number(number))) => match serde_json::from_str(&format!("-{number}")) {
                Ok(value) => Sym::Const(value),
                Err(_) => self.unknown(node),
            },
            ("+", _) => value,
            ("!", _) => match self.truth(&value) {
                Some(source) => Sym::Expr(negated(&source), false),
                None => self.unknown(node),
            },
            _ => self.unknown(node),
        }
    }

    /// `a ? b : c`, and `a ?: c`.
    pub(super) fn ternary(&mut self, node: Node<'a>) -> Sym {
        let (Some(condition), Some(other)) =
            (node.child_by_field_name("condition"), node.child_by_field_name("alternative"))
        else {
            return self.unknown(node);
        };
        let tested = self.value(condition);
        if self.ends(other) {
            self.ends_under(condition, "not ");
            return node.child_by_field_name("body").map_or(tested, |body| self.value(body));
        }
        if node.child_by_field_name("body").is_some_and(|body| self.ends(body)) {
            self.ends_under(condition, "");
            return self.value(other);
        }
        let Some(body) = node.child_by_field_name("body") else {
            let other = self.value(other);
            return self.or_else(node, tested, other);
        };
        if let Sym::Const(known) = &tested {
            return self.value(if holds(known) { body } else { other });
        }
        let then = self.only_if(condition, &tested, "", body);
        let other = self.only_if(condition, &tested, "not ", other);
        let tested = self.truth(&tested);
        self.conditional(node, tested.as_deref(), then, other)
    }

    fn or_else(&mut self, node: Node<'a>, value: Sym, other: Sym) -> Sym {
        match (&value, &other) {
            (Sym::Const(known), _) => {
                if holds(known) {
                    value
                } else {
                    other
                }
            }
            (_, Sym::Const(Value::Null)) => value,
            (_, Sym::Const(Value::String(text))) if text.is_empty() => value,
            (value, other) if value == other => value.clone(),
            _ => match (value.expr(), other.expr()) {
                // `0` counts as nothing, which matters where a number is meant.
                (Some(yes), Some(no)) if self.typed || other.as_text().is_some_and(|t| t.parse::<f64>().is_ok()) => {
                    match self.truth(&value) {
                        Some(tested) => Sym::Expr(format!("{yes} if {tested} else {no}"), false),
                        None => self.unknown(node),
                    }
                }
                (Some(yes), Some(no)) => Sym::Expr(format!("{yes} | default({no})"), false),
                _ => self.unknown(node),
            },
        }
    }

    /// `match (x) { 'a' => 1, default => 2 }` as a table.
    pub(super) fn matched(&mut self, node: Node<'a>) -> Sym {
        let (Some(condition), Some(body)) = (node.child_by_field_name("condition"), node.child_by_field_name("body"))
        else {
            return self.unknown(node);
        };
        let subject = self.value(condition);
        let (mut cases, mut last) = (Vec::new(), Sym::null());
        for arm in self.children(body) {
            let Some(result) = arm.child_by_field_name("return_expression") else {
                continue;
            };
            let value = self.value(result);
            match arm.child_by_field_name("conditional_expressions") {
                Some(keys) => {
                    for key in self.children(keys) {
                        let key = self.value(key);
                        // `match (true)` asks each condition by itself.
                        let tested = match &subject {
                            Sym::Const(Value::Bool(true)) => self.truth(&key),
                            subject => self.compare(node, subject, "===", &key).expr(),
                        };
                        match tested {
                            Some(tested) => cases.push((tested, value.clone())),
                            None => return self.unknown(node),
                        }
                    }
                }
                None => last = value,
            }
        }
        let whole = self.children(body).into_iter().any(|arm| arm.kind() == "match_default_expression");
        if !whole {
            self.note(node, "a value that is none of these ends the script; a mapping has no such rule");
        }
        let cases = cases.into_iter().map(|(tested, value)| (Some(tested), value)).collect();
        self.either(node, cases, last)
    }

    pub(super) fn augmented(&mut self, node: Node<'a>) -> Sym {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return self.unknown(node);
        };
        let operator = node.child_by_field_name("operator").map(|operator| self.text(operator)).unwrap_or_default();
        let (before, more) = (self.value(left), self.value(right));
        let own = self.text(left).trim_start_matches('$');
        let in_loop = self.loops.iter().any(|around| !around.over.is_empty())
            && (left.kind() != "variable_name" || self.outlives(own));
        let value = match operator {
            _ if in_loop => Sym::unknown(line(node), "a sum over the items of a loop is not carried"),
            ".=" => join(before, more),
            "??=" => self.coalesce(node, before, more),
            "+=" | "-=" | "*=" | "/=" => self.sum(node, &before, &operator[..1], &more),
            _ => self.unknown(node),
        };
        self.assign(left, value.clone());
        value
    }

    /// `isset(x)`.
    pub(super) fn is_set(&self, values: &[Sym]) -> Option<String> {
        let tests: Option<Vec<String>> = values
            .iter()
            .map(|value| match value {
                Sym::Place(Place { root: Root::Request, steps }) => {
                    let form = Place { root: Root::Form, steps: steps.clone() }.expr();
                    let query = Place { root: Root::Query, steps: steps.clone() }.expr();
                    Some(format!("({form} is defined or {query} is defined)"))
                }
                Sym::Place(_) | Sym::Expr(..) => Some(format!("{} is defined", value.expr()?)),
                Sym::Const(known) => Some((!known.is_null()).to_string()),
                _ => None,
            })
            .collect();
        let mut tests = tests?;
        if tests.iter().any(|test| test == "false") {
            return Some("false".to_owned());
        }
        tests.retain(|test| test != "true");
        Some(if tests.is_empty() { "true".to_owned() } else { tests.join(" and ") })
    }
}

/// Whether `+` joins arrays here: a part of the form may be one, or a number.
fn is_array(left: &Sym, right: &Sym) -> bool {
    let array = |sym: &Sym| match sym {
        Sym::Map(_) | Sym::Over(..) => true,
        Sym::Place(place) => place.steps.is_empty() && place.root != Root::Item,
        _ => false,
    };
    array(left) || array(right)
}
