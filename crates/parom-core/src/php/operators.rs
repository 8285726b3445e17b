//! Operators: joining, defaults, comparisons, sums.

use serde_json::Value;
use tree_sitter::Node;

use super::evaluate::join;
use super::run::{Run, line};
use super::symbol::{Place, Root, Sym, negated, quoted};

impl<'a> Run<'a> {
    pub(super) fn binary(&mut self, node: Node<'a>) -> Sym {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return self.unknown(node);
        };
        let operator = node.child_by_field_name("operator").map(|operator| self.text(operator)).unwrap_or_default();
        let (a, b) = (self.value(left), self.value(right));
        match operator {
            "." => join(a, b),
            "??" => self.coalesce(node, a, b),
            "===" | "==" => self.compare(node, &a, "==", &b),
            "!==" | "!=" | "<>" => self.compare(node, &a, "!=", &b),
            "<" | ">" | "<=" | ">=" => self.compare(node, &a, operator, &b),
            "&&" | "and" => self.both(node, &a, "and", &b),
            "||" | "or" => self.both(node, &a, "or", &b),
            "+" | "-" | "*" | "/" => self.sum(node, &a, operator, &b),
            _ => self.unknown(node),
        }
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
            (Sym::Unknown(at, why, near), other) => match other {
                Sym::Const(_) => Sym::Unknown(at, why, near),
                other => {
                    let text = format!("{why}; what stands after ?? is taken");
                    self.notes.push(super::Note { line: at, text });
                    other
                }
            },
            (value, other) => match (value.expr(), other.expr()) {
                (Some(yes), Some(no)) => Sym::Expr(format!("{yes} if {yes} is defined else {no}"), false),
                _ => self.unknown(node),
            },
        }
    }

    /// A comparison. The form's values are texts: a number is compared as one where the order counts, else as its text; and
    /// an absent field is an empty one.
    pub(super) fn compare(&self, node: Node<'a>, left: &Sym, operator: &str, right: &Sym) -> Sym {
        let ordered = !matches!(operator, "==" | "!=");
        let is = operator == "==";
        let side = |sym: &Sym| match sym {
            Sym::Const(Value::Number(number)) if !ordered => Some(quoted(&number.to_string())),
            Sym::Const(Value::String(text)) if secret_like(left, right) && !text.is_empty() => None,
            Sym::Place(_) | Sym::Expr(..) if ordered => {
                sym.expr().map(|source| format!("({source} | default(0) | money)"))
            }
            Sym::Place(_) => sym.expr().map(|source| format!("({source} | default(''))")),
            other => other.expr(),
        };
        let negated = |truth: Option<String>, yes: bool| truth.map(|t| if yes { t } else { negated(&t) });
        let found = match (left, right) {
            (Sym::Const(a), Sym::Const(b)) if !ordered => {
                let text = |value: &Value| crate::convert::plain(value).unwrap_or_default();
                return Sym::Const(Value::Bool((text(a) == text(b)) == is));
            }
            (value, Sym::Const(Value::Bool(flag))) | (Sym::Const(Value::Bool(flag)), value) if !ordered => {
                negated(value.truth(), is == *flag)
            }
            (value, Sym::Const(Value::Null)) | (Sym::Const(Value::Null), value) if !ordered => {
                negated(value.truth(), !is)
            }
            _ => match (side(left), side(right)) {
                (Some(a), Some(b)) => Some(format!("{a} {operator} {b}")),
                _ => None,
            },
        };
        found.map_or_else(|| self.unknown(node), |source| Sym::Expr(source, false))
    }

    fn both(&self, node: Node<'a>, left: &Sym, word: &str, right: &Sym) -> Sym {
        match (left.truth(), right.truth()) {
            (Some(a), Some(b)) => Sym::Expr(format!("({a}) {word} ({b})"), false),
            _ => self.unknown(node),
        }
    }

    fn sum(&self, node: Node<'a>, left: &Sym, operator: &str, right: &Sym) -> Sym {
        if let (Sym::Map(_), Sym::Map(more), "+") = (left, right, operator) {
            let mut whole = left.clone();
            if let Sym::Map(entries) = &mut whole {
                entries.extend(more.iter().filter(|entry| left.get(&entry.key).is_none()).cloned());
            }
            return whole;
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
            ("!", _) => match value.truth() {
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
        let Some(body) = node.child_by_field_name("body") else {
            let other = self.value(other);
            return self.or_else(node, tested, other);
        };
        let (then, other) = (self.value(body), self.value(other));
        if let Sym::Const(known) = &tested {
            let holds = !matches!(known, Value::Null | Value::Bool(false)) && known != "" && known != 0;
            return if holds { then } else { other };
        }
        let tested = tested.truth();
        self.conditional(node, tested.as_deref(), then, other)
    }

    fn or_else(&mut self, node: Node<'a>, value: Sym, other: Sym) -> Sym {
        match (&value, &other) {
            (Sym::Const(known), _) => {
                if matches!(known, Value::Null | Value::Bool(false)) || known == "" {
                    other
                } else {
                    value
                }
            }
            (_, Sym::Const(Value::Null)) => value,
            (_, Sym::Const(Value::String(text))) if text.is_empty() => value,
            _ => match (value.expr(), other.expr()) {
                // `0` counts as nothing, which matters where a number is meant.
                (Some(yes), Some(no)) if matches!(other, Sym::Const(Value::Number(_))) && value.truth().is_some() => {
                    Sym::Expr(format!("{yes} if {} else {no}", value.truth().unwrap_or_default()), false)
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
                            Sym::Const(Value::Bool(true)) => key.truth(),
                            subject => self.compare(node, subject, "==", &key).expr(),
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
        let cases = cases.into_iter().map(|(tested, value)| (Some(tested), value)).collect();
        self.either(node, cases, last)
    }

    pub(super) fn augmented(&mut self, node: Node<'a>) -> Sym {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return self.unknown(node);
        };
        let operator = node.child_by_field_name("operator").map(|operator| self.text(operator)).unwrap_or_default();
        let (before, more) = (self.value(left), self.value(right));
        let in_loop = self.loops.iter().any(|around| !around.over.is_empty());
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
                _ => None,
            })
            .collect();
        tests.map(|tests| tests.join(" and "))
    }
}

/// A field by whose value a script lets somebody in: what it is compared with is a key, and is not carried.
fn secret_like(left: &Sym, right: &Sym) -> bool {
    let named = |sym: &Sym| match sym {
        Sym::Place(place) => place.steps.iter().any(|step| {
            let step = step.to_lowercase();
            ["key", "token", "secret", "hash", "pass", "sign"].iter().any(|word| step.contains(word))
        }),
        _ => false,
    };
    named(left) || named(right)
}
