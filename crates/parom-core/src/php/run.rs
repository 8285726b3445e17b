//! Following the script: its statements in their order.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

use super::Note;
use super::classes::{Class, Instance};
use super::loops::Loop;
use super::symbol::Sym;
use crate::limits;

/// Names and their values.
pub(super) type Scope = HashMap<String, Sym>;

/// How a statement ends.
#[derive(Debug)]
pub(super) enum Flow {
    /// The next one follows.
    Next,
    /// The function gives this.
    Return(Sym),
    /// Nothing follows: `exit`, `continue`, `break`, `throw`.
    Stop,
}

/// A function without a name, with what it has seen.
#[derive(Clone, Debug)]
pub(super) struct Closure<'a> {
    pub(super) node: Node<'a>,
    pub(super) scope: Scope,
}

/// The state of following one script.
pub(super) struct Run<'a> {
    pub(super) source: &'a str,
    pub(super) notes: Vec<Note>,
    pub(super) scopes: Vec<Scope>,
    pub(super) constants: Scope,
    pub(super) functions: HashMap<String, Node<'a>>,
    pub(super) classes: HashMap<String, Class<'a>>,
    pub(super) objects: Vec<Instance>,
    pub(super) this: Vec<usize>,
    pub(super) closures: Vec<Closure<'a>>,
    pub(super) loops: Vec<Loop>,
    pub(super) called: HashSet<usize>,
    /// What was turned into JSON, or handed over as such.
    pub(super) sent: Vec<Sym>,
    pub(super) steps: usize,
    pub(super) depth: usize,
    /// Values within values at this moment.
    pub(super) nested: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(source: &'a str) -> Run<'a> {
        Run {
            source,
            notes: Vec::new(),
            scopes: vec![Scope::new()],
            constants: Scope::new(),
            functions: HashMap::new(),
            classes: HashMap::new(),
            objects: Vec::new(),
            this: Vec::new(),
            closures: Vec::new(),
            loops: Vec::new(),
            called: HashSet::new(),
            sent: Vec::new(),
            steps: 0,
            depth: 0,
            nested: 0,
        }
    }

    /// Follows the whole script; functions that nobody calls are followed at last, as those of a hook.
    pub(super) fn program(&mut self, root: Node<'a>) {
        self.declare(root);
        self.block(root);
        if self.body().is_none() {
            let mut idle: Vec<Node<'a>> = self.functions.values().copied().collect();
            idle.extend(self.classes.values().flat_map(|class| class.methods.values().copied()));
            idle.retain(|node| !self.called.contains(&node.id()));
            idle.sort_by_key(Node::start_byte);
            for function in idle {
                self.call_idle(function);
            }
        }
    }

    /// The order among what was sent: the first that has an order's parts.
    pub(super) fn body(&self) -> Option<Sym> {
        let parts = |sym: &Sym| {
            let names = ["source_id", "buyer", "products", "contact", "pipeline_id", "source_uuid"];
            names.iter().filter(|name| sym.get(name).is_some()).count()
        };
        let mut best: Option<&Sym> = None;
        for sym in self.sent.iter().filter(|sym| parts(sym) > 0) {
            if best.is_none_or(|known| parts(sym) > parts(known)) {
                best = Some(sym);
            }
        }
        best.cloned()
    }

    pub(super) fn note(&mut self, node: Node<'_>, text: impl Into<String>) {
        let text = text.into();
        self.notes.push(Note { line: line(node), text });
    }

    pub(super) fn text(&self, node: Node<'_>) -> &'a str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    /// The start of a piece of the script, for a note. What may be a key is never among it: only code is shown, no texts.
    pub(super) fn shown(&self, node: Node<'_>) -> String {
        let mut shown = String::new();
        self.show(node, &mut shown);
        let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let start: String = flat.chars().take(60).collect();
        if start.len() < flat.len() { format!("{start}…") } else { start }
    }

    fn show(&self, node: Node<'_>, out: &mut String) {
        let long = node.byte_range().len() > 24;
        if matches!(node.kind(), "string" | "encapsed_string" | "heredoc") && long {
            out.push_str("'…'");
        } else if node.child_count() == 0 || node.kind() == "variable_name" || !long {
            out.push_str(self.text(node));
        } else {
            let mut cursor = node.walk();
            for child in node.children(&mut cursor) {
                self.show(child, out);
                out.push(' ');
            }
        }
    }

    /// Children that are statements or expressions.
    pub(super) fn children(&self, node: Node<'a>) -> Vec<Node<'a>> {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
    }

    /// Whether there is still leave to go on.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= limits::PHP_STEPS && self.depth <= limits::PHP_DEPTH
    }

    /// Statements in a row.
    pub(super) fn block(&mut self, node: Node<'a>) -> Flow {
        let mut early: Vec<(String, Sym)> = Vec::new();
        for statement in self.children(node) {
            match self.statement(statement, &mut early) {
                Flow::Next => {}
                Flow::Return(value) => return Flow::Return(super::conditions::either(early, value)),
                Flow::Stop => return Flow::Stop,
            }
        }
        match early.pop() {
            Some((condition, value)) => {
                early.push((condition, value));
                Flow::Return(super::conditions::either(early, Sym::null()))
            }
            None => Flow::Next,
        }
    }

    /// One statement. A value that is given back under a condition goes to `early`.
    pub(super) fn statement(&mut self, node: Node<'a>, early: &mut Vec<(String, Sym)>) -> Flow {
        if !self.step() {
            return Flow::Stop;
        }
        match node.kind() {
            "expression_statement" | "echo_statement" => {
                // What is shown to the visitor is no part of the order.
                let notes = self.notes.len();
                for child in self.children(node) {
                    if self.ends(child) {
                        return Flow::Stop;
                    }
                    self.value(child);
                }
                if node.kind() == "echo_statement" {
                    self.notes.truncate(notes);
                }
                Flow::Next
            }
            "compound_statement" | "program" | "else_clause" | "colon_block" | "declaration_list" => self.block(node),
            "if_statement" => self.branch(node, early),
            "switch_statement" => self.switch(node),
            "foreach_statement" => self.foreach(node),
            "for_statement" | "while_statement" | "do_statement" => self.counted(node),
            "return_statement" => match self.children(node).first() {
                Some(value) => Flow::Return(self.value(*value)),
                None => Flow::Stop,
            },
            "exit_statement" | "continue_statement" | "break_statement" | "throw_expression" => Flow::Stop,
            "const_declaration" => {
                self.constants_of(node);
                Flow::Next
            }
            "try_statement" => node.child_by_field_name("body").map_or(Flow::Next, |body| self.block(body)),
            "global_declaration" => {
                for name in self.children(node) {
                    let name = self.text(name).trim_start_matches('$').to_owned();
                    let value = self.scopes[0].get(&name).cloned();
                    if let (Some(value), Some(scope)) = (value, self.scopes.last_mut()) {
                        scope.insert(name, value);
                    }
                }
                Flow::Next
            }
            "namespace_definition" => node.child_by_field_name("body").map_or(Flow::Next, |body| self.block(body)),
            _ => Flow::Next,
        }
    }

    /// `exit`, `die` and what is like them.
    fn ends(&self, node: Node<'a>) -> bool {
        match node.kind() {
            "exit_statement" | "throw_expression" => true,
            "function_call_expression" => {
                let name = node.child_by_field_name("function").map(|name| self.text(name));
                matches!(
                    name,
                    Some("exit" | "die" | "wp_die" | "wp_send_json_error" | "wp_send_json_success" | "wp_send_json")
                )
            }
            _ => false,
        }
    }
}

/// The line of a node, from 1.
pub(super) fn line(node: Node<'_>) -> usize {
    node.start_position().row + 1
}
