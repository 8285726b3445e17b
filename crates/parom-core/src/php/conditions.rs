//! `if`, `switch` and what else goes one way or another.

use std::collections::HashMap;

use tree_sitter::Node;

use super::classes::Instance;
use super::run::{Flow, Run, Scope};
use super::symbol::{Sym, negated};

/// All that a branch may change.
#[derive(Clone)]
pub(super) struct State {
    pub(super) scopes: Vec<Scope>,
    pub(super) objects: Vec<Instance>,
    pub(super) constants: Scope,
}

/// Names whose copy costs a step.
const COPIED: usize = 16;

/// Values that are given back under conditions; a condition that cannot be said is none.
pub(super) type Early = Vec<(Option<String>, Sym)>;

/// A condition, and where it stands.
struct Test<'a> {
    node: Node<'a>,
    tested: Option<String>,
}

impl<'a> Run<'a> {
    fn state(&mut self) -> State {
        let held: usize = self.scopes.iter().map(HashMap::len).sum();
        // What a branch may change is copied, at a price.
        self.spend(held / COPIED);
        State { scopes: self.scopes.clone(), objects: self.objects.clone(), constants: self.constants.clone() }
    }

    fn restore(&mut self, state: State) -> State {
        let State { scopes, objects, constants } = state;
        State {
            scopes: std::mem::replace(&mut self.scopes, scopes),
            objects: std::mem::replace(&mut self.objects, objects),
            constants: std::mem::replace(&mut self.constants, constants),
        }
    }

    pub(super) fn branch(&mut self, node: Node<'a>, early: &mut Early) -> Flow {
        let (Some(condition), Some(body)) = (node.child_by_field_name("condition"), node.child_by_field_name("body"))
        else {
            return Flow::Next;
        };
        let mut cursor = node.walk();
        let others: Vec<Node<'a>> = node.children_by_field_name("alternative", &mut cursor).collect();
        self.fork(condition, body, &others, early)
    }

    fn fork(&mut self, condition: Node<'a>, body: Node<'a>, others: &[Node<'a>], early: &mut Early) -> Flow {
        let tested = self.value(condition);
        let tested = self.truth(&tested);
        match tested.as_deref() {
            Some("true") => return self.body_of(body, early),
            Some("false") => return self.alternatives(others, early),
            _ => {}
        }
        let test = Test { node: condition, tested };
        let (before, sent) = (self.state(), self.done());
        let mut inner = Early::new();
        let then = self.body_of(body, &mut inner);
        self.unsure |= !inner.is_empty();
        let sends = self.sends_from(sent);
        let sent = self.done();
        let after_then = self.restore(before);
        let other = self.alternatives(others, early);
        let after_other = self.state();
        match (sends, self.sends_from(sent)) {
            (true, false) => self.only_under(condition, ""),
            (false, true) => self.only_under(condition, "not "),
            _ => {}
        }
        self.combine(&test, (then, after_then, sends), (other, after_other), early)
    }

    /// A value that is asked for under a condition alone: what it sets and sends on the way is so as well.
    pub(super) fn only_if(&mut self, condition: Node<'a>, asked: &Sym, not: &str, value: Node<'a>) -> Sym {
        if !self.does(value) {
            return self.value(value);
        }
        let tested = self.truth(asked).map(|tested| if not.is_empty() { tested } else { negated(&tested) });
        if tested.as_deref() == Some("false") {
            return Sym::null();
        }
        let (before, sent) = (self.state(), self.done());
        let found = self.value(value);
        if std::mem::take(&mut self.ended) {
            self.ends_under(condition, not);
            self.restore(before);
            return found;
        }
        if tested.as_deref() != Some("true") {
            if self.sends_from(sent) {
                self.only_under(condition, not);
            }
            let after = self.restore(before.clone());
            let merged = self.merge(condition, tested.as_deref(), after, before);
            self.restore(merged);
        }
        found
    }

    /// Whether an expression sets something, or calls what may.
    fn does(&self, node: Node<'a>) -> bool {
        let sets = node.kind().ends_with("assignment_expression") || node.kind() == "update_expression";
        let calls = match node.kind() {
            "member_call_expression" | "scoped_call_expression" | "object_creation_expression" => true,
            "function_call_expression" => {
                let name = node.child_by_field_name("function").map(|name| self.text(name).to_lowercase());
                name.is_none_or(|name| self.functions.contains_key(&name) || name.contains("json_encode"))
            }
            _ => false,
        };
        sets || calls || self.children(node).into_iter().any(|child| self.does(child))
    }

    /// What two branches come to; the state is set to it.
    fn combine(
        &mut self,
        test: &Test<'a>,
        (then, after_then, sends): (Flow, State, bool),
        (other, after_other): (Flow, State),
        early: &mut Early,
    ) -> Flow {
        let not = test.tested.as_deref().map(negated);
        match (then, other) {
            (Flow::Next, Flow::Next) => {
                let merged = self.merge(test.node, test.tested.as_deref(), after_then, after_other);
                self.restore(merged);
                Flow::Next
            }
            (Flow::Return(value), Flow::Return(last)) => {
                Flow::Return(self.conditional(test.node, test.tested.as_deref(), value, last))
            }
            (Flow::Return(value), other) => {
                self.gives_back_under(test.node);
                early.push((test.tested.clone(), value));
                self.restore(after_other);
                other
            }
            (Flow::Next, Flow::Return(value)) => {
                self.gives_back_under(test.node);
                early.push((not, value));
                self.restore(after_then);
                Flow::Next
            }
            (Flow::Next, how) => {
                self.leaves_under(test.node, "not ", &how);
                self.restore(after_then);
                Flow::Next
            }
            (how, other) => {
                // A branch that sends is the script's way, not a guard.
                if !sends {
                    self.leaves_under(test.node, "", &how);
                }
                self.restore(after_other);
                other
            }
        }
    }

    fn body_of(&mut self, body: Node<'a>, early: &mut Early) -> Flow {
        if body.kind() == "compound_statement" || body.kind() == "colon_block" {
            return self.statements(self.children(body), early);
        }
        self.statement(body, early)
    }

    fn alternatives(&mut self, others: &[Node<'a>], early: &mut Early) -> Flow {
        let Some((first, rest)) = others.split_first() else {
            return Flow::Next;
        };
        let Some(body) = first.child_by_field_name("body") else {
            return Flow::Next;
        };
        if first.kind() == "else_if_clause"
            && let Some(condition) = first.child_by_field_name("condition")
        {
            return self.fork(condition, body, rest, early);
        }
        let mut inner = Early::new();
        let flow = self.body_of(body, &mut inner);
        self.unsure |= !inner.is_empty();
        flow
    }

    /// Each case as a condition of its own; cases without statements go with the next.
    pub(super) fn switch(&mut self, node: Node<'a>, early: &mut Early) -> Flow {
        let (Some(subject), Some(body)) = (node.child_by_field_name("condition"), node.child_by_field_name("body"))
        else {
            return Flow::Next;
        };
        let (shown, subject) = (self.shown(subject), self.value(subject));
        let (before, sent) = (self.state(), self.done());
        let (mut cases, mut last, mut tests, mut last_sends) = (Vec::new(), None, Vec::new(), false);
        let mut open = true;
        let all = self.children(body);
        for (at, case) in all.iter().enumerate() {
            let value = case.child_by_field_name("value");
            tests.push(match value {
                Some(value) => {
                    let value = self.value(value);
                    let same = self.compare(*case, &subject, "==", &value);
                    self.truth(&same)
                }
                None => {
                    open = false;
                    None
                }
            });
            let own = value.map(|value| value.id());
            let statements: Vec<Node<'a>> = self.children(*case).into_iter().filter(|s| Some(s.id()) != own).collect();
            if statements.is_empty() {
                continue;
            }
            let sent = self.done();
            let mut inner = Early::new();
            let flow = match self.statements(statements, &mut inner) {
                // They end the case, and no loop around it.
                Flow::Break | Flow::Continue => Flow::Next,
                Flow::Next if at + 1 < all.len() => {
                    self.note(*case, "this case goes on into the next one, which is not carried");
                    Flow::Next
                }
                flow => flow,
            };
            self.unsure |= !inner.is_empty();
            let after = self.restore(before.clone());
            let tested: Option<Vec<String>> = tests.drain(..).collect();
            let tested = tested.map(|tests| tests.join(" or "));
            let test = Test { node: *case, tested };
            if open {
                cases.push((test, (flow, after, self.sends_from(sent))));
            } else {
                last = Some((flow, after));
                last_sends = self.sends_from(sent);
                open = true;
            }
        }
        let all = cases.iter().all(|(_, (_, _, sends))| *sends) && last_sends;
        if self.sends_from(sent) && !all {
            self.note(node, format!("only in some cases of {shown} it is sent; a mapping has no such rule"));
        }
        let (mut flow, state) = last.unwrap_or((Flow::Next, before));
        self.restore(state);
        for (test, then) in cases.into_iter().rev() {
            let other = self.state();
            flow = self.combine(&test, then, (flow, other), early);
        }
        flow
    }
}
