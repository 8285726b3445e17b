//! Where a script ends before it has sent. A mapping has no such rule: each is told, unless it only asks whether a form came
//! at all.

use tree_sitter::Node;

use super::Note;
use super::run::{Flow, Run, line, parts};
use super::symbol::{Root, Sym};

/// A condition under which a function gave back early.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    line: usize,
    shown: String,
    /// What had been done by then.
    done: Done,
}

/// How much was done by a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    sent: usize,
    handed: usize,
    /// Times that something outside of its function was set.
    changes: usize,
}

/// Functions that end the script.
const ENDING: [&str; 6] = ["exit", "die", "wp_die", "wp_send_json_error", "wp_send_json_success", "wp_send_json"];
/// Functions that may ask for a form.
const ASKING: [&str; 9] =
    ["isset", "empty", "count", "sizeof", "is_array", "strtoupper", "strtolower", "json_decode", "file_get_contents"];

impl<'a> Run<'a> {
    /// `exit`, `die` and what is like them.
    pub(super) fn ends(&self, node: Node<'a>) -> bool {
        match node.kind() {
            "exit_statement" | "throw_expression" => true,
            "name" => ENDING.contains(&self.text(node).to_lowercase().as_str()),
            "function_call_expression" => {
                let name = node.child_by_field_name("function").map(|name| self.text(name).to_lowercase());
                name.is_some_and(|name| ENDING.contains(&name.as_str()))
            }
            "parenthesized_expression" | "error_suppression_expression" => {
                matches!(self.children(node).as_slice(), [inner] if self.ends(*inner))
            }
            _ => false,
        }
    }

    /// Says that under a condition nothing is sent.
    pub(super) fn ends_under(&mut self, condition: Node<'a>, not: &str) {
        self.leaves_under(condition, not, &Flow::Stop);
    }

    /// Says that under a condition it is left, and how.
    pub(super) fn leaves_under(&mut self, condition: Node<'a>, not: &str, how: &Flow) {
        if self.asks_for_a_form(condition) {
            return;
        }
        let shown = format!("{not}{}", self.shown(condition));
        let what = match how {
            Flow::Continue => "an item is left out",
            Flow::Break => "the loop or the case is left",
            _ => {
                let (line, done) = (line(condition), self.done());
                return self.stops.push(Guard { line, shown, done });
            }
        };
        self.note(condition, format!("under the condition {shown} {what}; a mapping has no such rule"));
    }

    /// Says that it is sent under a condition alone.
    pub(super) fn only_under(&mut self, condition: Node<'a>, not: &str) {
        if !self.asks_for_a_form(condition) {
            let shown = self.shown(condition);
            let text = format!("only under the condition {not}{shown} it is sent; a mapping has no such rule");
            self.note(condition, text);
        }
    }

    /// Tells of the ends of the script before which an order is not sent; one behind it costs none.
    pub(super) fn tell_stops(&mut self) {
        for stop in std::mem::take(&mut self.stops) {
            if self.sends_from(stop.done) {
                let text = format!("under the condition {} nothing is sent; a mapping has no such rule", stop.shown);
                self.notes.push(Note { line: stop.line, text });
            }
        }
    }

    /// Whether an order or a part of one was sent since then; logs and errors are none.
    pub(super) fn sends_from(&self, done: Done) -> bool {
        let handed = self.handed.iter().skip(done.handed);
        self.sent.iter().skip(done.sent).chain(handed).any(|(_, sent)| parts(sent) > 0)
    }

    /// Remembers that the function gives back early here; it is told where more comes in it.
    pub(super) fn gives_back_under(&mut self, condition: Node<'a>) {
        if !self.asks_for_a_form(condition) {
            let (line, shown, done) = (line(condition), self.shown(condition), self.done());
            self.guards.push(Guard { line, shown, done });
        }
    }

    /// How much is done by now.
    pub(super) fn done(&self) -> Done {
        Done { sent: self.sent.len(), handed: self.handed.len(), changes: self.changes }
    }

    /// Tells of the early ends of a function that is left, from its first. One that fills its arguments does more than it
    /// gives; one that gives an order gives none.
    pub(super) fn tell_guards(&mut self, first: usize, fills: bool, gives: bool) {
        for guard in self.guards.split_off(first) {
            let what = if gives || self.sends_from(guard.done) {
                "nothing is sent"
            } else if fills || self.changes > guard.done.changes {
                "the rest of the function is left out"
            } else {
                continue;
            };
            let text = format!("under the condition {} {what}; a mapping has no such rule", guard.shown);
            self.notes.push(Note { line: guard.line, text });
        }
    }

    /// Conditions that only ask whether a form came at all.
    pub(super) fn asks_for_a_form(&mut self, condition: Node<'a>) -> bool {
        let mut asks = false;
        self.only_asks(condition, &mut asks) && asks
    }

    fn only_asks(&mut self, node: Node<'a>, asks: &mut bool) -> bool {
        match node.kind() {
            "subscript_expression" => {
                let text = self.text(node).to_lowercase();
                let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
                let button = words.any(|word| ["submit", "send", "button", "btn"].contains(&word));
                let form = text.starts_with("$_post[") || text.starts_with("$_request[");
                let found = text.contains("request_method") || form && button;
                *asks |= found;
                found
            }
            "variable_name" => {
                let found = matches!(self.value(node), Sym::Place(p) if p.steps.is_empty() && p.root != Root::Item);
                *asks |= found;
                found
            }
            "function_call_expression" => {
                let name = node.child_by_field_name("function").map(|name| self.text(name).to_lowercase());
                let known = name.as_deref().is_some_and(|name| ASKING.contains(&name));
                *asks |= name.as_deref() == Some("file_get_contents");
                let arguments = node.child_by_field_name("arguments");
                known && arguments.is_none_or(|arguments| self.only_ask(arguments, asks))
            }
            // What a button says is another question than whether it was pressed.
            "binary_expression"
                if node.child_by_field_name("operator").is_some_and(|o| self.text(o).contains(['=', '<', '>'])) =>
            {
                let text = self.text(node);
                (!text.contains("$_POST[") && !text.contains("$_REQUEST[")) && self.only_ask(node, asks)
            }
            "member_call_expression" | "scoped_call_expression" | "member_access_expression" => false,
            _ => self.only_ask(node, asks),
        }
    }

    fn only_ask(&mut self, node: Node<'a>, asks: &mut bool) -> bool {
        self.children(node).into_iter().all(|child| self.only_asks(child, asks))
    }
}
