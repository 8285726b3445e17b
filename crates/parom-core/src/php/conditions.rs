//! `if`, `switch` and what they make of the values: a value that depends on a condition becomes a conditional expression.

use tree_sitter::Node;

use super::run::{Flow, Run, Scope};
use super::symbol::{Entry, Sym};

impl<'a> Run<'a> {
    pub(super) fn branch(&mut self, node: Node<'a>, early: &mut Vec<(String, Sym)>) -> Flow {
        let (Some(condition), Some(body)) = (node.child_by_field_name("condition"), node.child_by_field_name("body"))
        else {
            return Flow::Next;
        };
        let tested = self.value(condition).expr();
        let (before, sent) = (self.scopes.clone(), self.sent.len());
        let then = self.body_of(body);
        let mut cursor = node.walk();
        let others: Vec<Node<'a>> = node.children_by_field_name("alternative", &mut cursor).collect();
        if let Flow::Stop = then {
            self.scopes = before;
            let what = if self.loops.is_empty() { "nothing is sent" } else { "an item is left out" };
            // A branch that sends is the script's way, not a guard.
            if self.sent.iter().skip(sent).all(|sent| sent.get("error").is_some()) {
                let text = format!("under the condition {} {what}; a mapping has no such rule", self.shown(condition));
                self.note(node, text);
            }
            return self.alternatives(&others, early);
        }
        if let Flow::Return(value) = then {
            self.scopes = before;
            match tested {
                Some(tested) => early.push((tested, value)),
                None => self.note(node, format!("the value given back under {} is not carried", self.shown(condition))),
            }
            return self.alternatives(&others, early);
        }
        let after_then = std::mem::replace(&mut self.scopes, before);
        let other = self.alternatives(&others, early);
        match other {
            Flow::Next => {
                let after_else = std::mem::take(&mut self.scopes);
                self.scopes = self.merge(node, tested.as_deref(), after_then, after_else);
            }
            _ => self.scopes = after_then,
        }
        Flow::Next
    }

    fn body_of(&mut self, body: Node<'a>) -> Flow {
        if body.kind() == "compound_statement" || body.kind() == "colon_block" {
            return self.block(body);
        }
        self.statement(body, &mut Vec::new())
    }

    fn alternatives(&mut self, others: &[Node<'a>], early: &mut Vec<(String, Sym)>) -> Flow {
        let Some((first, rest)) = others.split_first() else {
            return Flow::Next;
        };
        if first.kind() != "else_if_clause" {
            return first.child_by_field_name("body").map_or(Flow::Next, |body| self.body_of(body));
        }
        let (Some(condition), Some(body)) = (first.child_by_field_name("condition"), first.child_by_field_name("body"))
        else {
            return Flow::Next;
        };
        let tested = self.value(condition).expr();
        let before = self.scopes.clone();
        let then = self.body_of(body);
        let after_then = std::mem::replace(&mut self.scopes, before);
        let other = self.alternatives(rest, early);
        match (then, other) {
            (Flow::Next, Flow::Next) => {
                let after_else = std::mem::take(&mut self.scopes);
                self.scopes = self.merge(*first, tested.as_deref(), after_then, after_else);
            }
            (Flow::Next, _) => self.scopes = after_then,
            (Flow::Return(value), _) => early.extend(tested.map(|tested| (tested, value))),
            (Flow::Stop, _) => {}
        }
        Flow::Next
    }

    /// Each case as a condition of its own; the first that cannot stand beside the others is carried alone.
    pub(super) fn switch(&mut self, node: Node<'a>) -> Flow {
        let (Some(subject), Some(body)) = (node.child_by_field_name("condition"), node.child_by_field_name("body"))
        else {
            return Flow::Next;
        };
        let subject = self.value(subject).expr();
        let before = self.scopes.clone();
        let mut results: Vec<(Option<String>, Vec<Scope>, Node<'a>)> = Vec::new();
        for case in self.children(body) {
            self.scopes.clone_from(&before);
            let value = case.child_by_field_name("value");
            let statements: Vec<Node<'a>> = self
                .children(case)
                .into_iter()
                .filter(|child| Some(child.id()) != value.map(|value| value.id()))
                .collect();
            let tested = match (value, &subject) {
                (Some(value), Some(subject)) => self.value(value).expr().map(|value| format!("{subject} == {value}")),
                _ => None,
            };
            for statement in statements {
                if let Flow::Stop | Flow::Return(_) = self.statement(statement, &mut Vec::new()) {
                    break;
                }
            }
            results.push((tested, std::mem::take(&mut self.scopes), case));
        }
        let mut results = results.into_iter().rev();
        let Some((tested, mut merged, _)) = results.next() else {
            self.scopes = before;
            return Flow::Next;
        };
        if tested.is_some() {
            merged = self.merge(node, tested.as_deref(), merged, before);
        }
        for (tested, scopes, case) in results {
            merged = self.merge(case, tested.as_deref(), scopes, merged);
        }
        self.scopes = merged;
        Flow::Next
    }

    /// The names after an `if`: as in its branch where the condition holds, else as in the other.
    fn merge(&mut self, node: Node<'a>, tested: Option<&str>, then: Vec<Scope>, other: Vec<Scope>) -> Vec<Scope> {
        let mut merged = Vec::new();
        for (then, mut other) in then.into_iter().zip(other) {
            let mut names: Vec<String> = then.keys().cloned().collect();
            names.sort();
            for name in names {
                let value = then[&name].clone();
                let joined = match other.remove(&name) {
                    Some(old) if old == value => value,
                    Some(old) => self.conditional(node, tested, value, old),
                    None => self.conditional(node, tested, value, Sym::null()),
                };
                other.insert(name, joined);
            }
            merged.push(other);
        }
        merged
    }

    /// One of two values by a condition.
    pub(super) fn conditional(&mut self, node: Node<'a>, tested: Option<&str>, then: Sym, other: Sym) -> Sym {
        match (then, other) {
            (then, other) if then == other => then,
            (Sym::Map(then), Sym::Map(other)) => self.joined(node, tested, then, other),
            (Sym::Map(then), Sym::Const(serde_json::Value::Null)) => self.joined(node, tested, then, Vec::new()),
            (then @ (Sym::List(_) | Sym::Object(_) | Sym::Closure(_)), Sym::Const(serde_json::Value::Null)) => then,
            (Sym::List(then), Sym::List(other)) => self.longer(node, then, other),
            (then, other) => match (tested, then.expr(), other.expr()) {
                (Some(tested), Some(yes), Some(_)) if other == Sym::null() => {
                    Sym::Expr(format!("{yes} if {tested}"), false)
                }
                (Some(tested), Some(yes), Some(no)) => Sym::Expr(format!("{yes} if {tested} else {no}"), false),
                // A value that may be wrong is worse than one that is missing.
                _ => {
                    let why = "it depends on a condition that cannot be carried".to_owned();
                    let near = other.near().or_else(|| then.near());
                    Sym::Unknown(super::run::line(node), why, near)
                }
            },
        }
    }

    /// Two arrays key by key; two that are different things (an order and a card) cannot be one.
    fn joined(&mut self, node: Node<'a>, tested: Option<&str>, then: Vec<Entry>, other: Vec<Entry>) -> Sym {
        let shared = then.iter().filter(|entry| other.iter().any(|o| o.key == entry.key)).count();
        if !other.is_empty() && !then.is_empty() && shared * 2 < then.len().min(other.len()) {
            let text = "the branches send different things; the first is carried, make another channel of the rest";
            self.note(node, text);
            return Sym::Map(then);
        }
        let mut merged = Vec::new();
        for entry in &then {
            let old = other.iter().find(|o| o.key == entry.key).map_or_else(Sym::null, |o| o.value.clone());
            let value = self.conditional(node, tested, entry.value.clone(), old);
            merged.push(Entry { value, ..entry.clone() });
        }
        for entry in other.into_iter().filter(|entry| then.iter().all(|t| t.key != entry.key)) {
            let value = match (tested, entry.value.expr()) {
                (Some(tested), Some(value)) => Sym::Expr(format!("{value} if not ({tested})"), false),
                _ => entry.value,
            };
            merged.push(Entry { value, ..entry });
        }
        Sym::Map(merged)
    }

    /// A list that grew under a condition keeps its lines: one whose fields come out empty is left out by the mapping.
    fn longer(&mut self, node: Node<'a>, then: Vec<Sym>, other: Vec<Sym>) -> Sym {
        let (long, short) = if then.len() >= other.len() { (then, other) } else { (other, then) };
        if !long.starts_with(&short) {
            self.note(node, "a list differs between the branches; the longer one is taken");
        } else if long.len() > short.len() {
            self.note(node, "a line is added under a condition; the mapping adds it whenever its fields are filled");
        }
        Sym::List(long)
    }
}

/// What a function gives that gave back earlier under conditions.
pub(super) fn either(early: Vec<(String, Sym)>, last: Sym) -> Sym {
    early.into_iter().rev().fold(last, |other, (tested, value)| match (value.expr(), other.expr()) {
        (Some(yes), Some(no)) => Sym::Expr(format!("{yes} if {tested} else {no}"), false),
        // An array beats nothing; of two, the later is the rule and the earlier the exception.
        _ if matches!(other, Sym::Const(_)) => value,
        _ => other,
    })
}
