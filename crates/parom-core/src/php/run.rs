//! Following the script: its statements in their order.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

use super::Note;
use super::classes::{Class, Instance};
use super::conditions::Early;
use super::ends::Guard;
use super::loops::Loop;
use super::symbol::{Place, Sym};
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
    /// The loop's next turn follows.
    Continue,
    /// What is behind the loop, or the `switch`, follows.
    Break,
    /// Nothing follows: `exit`, `throw`.
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
    /// Names of each scope that are the script's own.
    pub(super) globals: Vec<HashSet<String>>,
    /// `extract($_POST)` made each field of it a name.
    pub(super) extracted: Option<Place>,
    /// The form may bring other values than texts: JSON.
    pub(super) typed: bool,
    pub(super) closures: Vec<Closure<'a>>,
    pub(super) loops: Vec<Loop>,
    pub(super) called: HashSet<usize>,
    /// What was turned into JSON, or handed over as such.
    pub(super) sent: Vec<(usize, Sym)>,
    pub(super) steps: usize,
    pub(super) depth: usize,
    /// A value was given back within a branch of a branch: what the function gives is not known.
    pub(super) unsure: bool,
    /// Conditions under which functions gave back early.
    pub(super) guards: Vec<Guard>,
    /// Conditions under which the script ended.
    pub(super) stops: Vec<Guard>,
    /// Orders that something unknown was handed.
    pub(super) handed: Vec<(usize, Sym)>,
    /// What is sent by functions that this script's own way does not come to.
    pub(super) others: Vec<(usize, Sym)>,
    /// Times that something outside of its function was set.
    pub(super) changes: usize,
    /// A function that was called has ended the script.
    pub(super) ended: bool,
    /// Values within values at this moment.
    pub(super) nested: usize,
    /// Expressions whose fraction the script cuts off.
    pub(super) whole: HashSet<String>,
    /// The names of the function that was left last, for arguments by reference.
    pub(super) left: Scope,
    /// The objects that stand for the classes' static properties.
    pub(super) statics: HashMap<String, usize>,
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
            globals: vec![HashSet::new()],
            extracted: None,
            typed: false,
            closures: Vec::new(),
            loops: Vec::new(),
            called: HashSet::new(),
            sent: Vec::new(),
            steps: 0,
            depth: 0,
            unsure: false,
            guards: Vec::new(),
            stops: Vec::new(),
            handed: Vec::new(),
            others: Vec::new(),
            changes: 0,
            ended: false,
            nested: 0,
            whole: HashSet::new(),
            left: Scope::new(),
            statics: HashMap::new(),
        }
    }

    /// Follows the whole script; functions that nobody calls are followed at last, as those of a hook.
    pub(super) fn program(&mut self, root: Node<'a>) {
        self.declare(root);
        // Before any branch, which would take back the objects that it makes.
        let mut classes: Vec<String> = self.classes.keys().cloned().collect();
        classes.sort();
        for class in classes {
            self.static_of(&class);
        }
        self.block(root);
        self.ended = false;
        self.tell_guards(0, false, false);
        if self.body().is_some() {
            self.tell_stops();
            let (notes, sent) = (self.notes.len(), self.sent.len());
            self.idle();
            // What else sends is another channel's: only that is told of it.
            self.notes.truncate(notes);
            self.others = self.sent.split_off(sent);
            return;
        }
        self.idle();
        self.tell_stops();
        if self.body().is_none() {
            // Some client of the CRM's is handed the order itself.
            self.sent.append(&mut self.handed);
        }
    }

    /// Follows what nobody calls here.
    fn idle(&mut self) {
        let mut idle: Vec<(Option<String>, Node<'a>)> = self.functions.values().map(|node| (None, *node)).collect();
        for (name, class) in &self.classes {
            idle.extend(class.methods.values().map(|node| (Some(name.clone()), *node)));
        }
        idle.sort_by_key(|(_, node)| node.start_byte());
        for (class, function) in idle {
            if !self.called.contains(&function.id()) {
                self.call_idle(class.as_deref(), function);
                self.ended = false;
            }
        }
    }

    /// The order among what was sent: the last of those that have most of an order's parts. Logs come before.
    pub(super) fn body(&self) -> Option<Sym> {
        let most = self.sent.iter().map(|(_, sym)| parts(sym)).max().filter(|most| *most > 0)?;
        self.sent.iter().rev().find(|(_, sym)| parts(sym) == most).map(|(_, sym)| sym.clone())
    }

    /// Says that several orders are sent, where they differ.
    pub(super) fn tell_of_others(&mut self) {
        let Some(body) = self.body() else { return };
        let others = self.sent.iter().filter(|(_, sym)| parts(sym) > 0 && *sym != body).map(|(at, _)| *at);
        let idle = self.others.iter().filter(|(_, sym)| parts(sym) > 0 && *sym != body).map(|(at, _)| *at);
        let others: Vec<usize> = others.chain(idle).collect();
        let text = "another order or card is made into JSON here; one channel carries one of them";
        self.notes.extend(others.into_iter().map(|line| Note { line, text: text.to_owned() }));
    }

    /// What is turned into JSON, or handed over as such.
    pub(super) fn send(&mut self, node: Node<'_>, value: Sym) {
        let value = if self.loops.iter().any(|around| !around.over.is_empty()) {
            if parts(&value) > 0 {
                self.note(node, "it is sent once for each item of the loop; a channel sends one");
            }
            value.outside_of_loops(line(node))
        } else {
            value
        };
        self.sent.push((line(node), value));
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
        if matches!(node.kind(), "string" | "encapsed_string" | "heredoc" | "nowdoc") {
            // The name of a field is shown, every other text may be a key.
            let index = node.parent().is_some_and(|parent| parent.kind() == "subscript_expression");
            out.push_str(if index && node.byte_range().len() <= 40 { self.text(node) } else { "'…'" });
        } else if node.child_count() == 0 || node.kind() == "variable_name" {
            let text = self.text(node);
            // A key whose quotes are forgotten reads as a constant.
            let called = node.parent().is_some_and(|parent| parent.kind().contains("call"));
            let mixed = node.kind() == "name" && !called && text.bytes().any(|b| b.is_ascii_lowercase());
            let secret = (text.len() > 12 || mixed) && text.bytes().any(|b| b.is_ascii_digit());
            out.push_str(if secret { "…" } else { text });
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
        self.spend(1);
        self.steps <= limits::PHP_STEPS && self.depth <= limits::PHP_DEPTH
    }

    /// What something costs of what may be done for one script.
    pub(super) fn spend(&mut self, steps: usize) {
        let before = self.steps;
        self.steps += steps;
        if before < limits::PHP_STEPS && self.steps >= limits::PHP_STEPS {
            let text = "the script is too long to follow: what comes after is not read".to_owned();
            self.notes.push(Note { line: 1, text });
        }
    }

    /// The statements of a function, or of the script.
    pub(super) fn block(&mut self, node: Node<'a>) -> Flow {
        let mut early = Early::new();
        match self.statements(self.children(node), &mut early) {
            Flow::Return(value) => Flow::Return(self.either(node, early, value)),
            Flow::Next if !early.is_empty() => Flow::Return(self.either(node, early, Sym::null())),
            flow => flow,
        }
    }

    /// Statements in a row. A value that is given back under a condition goes to `early`.
    pub(super) fn statements(&mut self, statements: Vec<Node<'a>>, early: &mut Early) -> Flow {
        for statement in statements {
            match self.statement(statement, early) {
                Flow::Next if !std::mem::take(&mut self.ended) => {}
                Flow::Next => return Flow::Stop,
                flow => return flow,
            }
        }
        Flow::Next
    }

    /// One statement. A value that is given back under a condition goes to `early`.
    pub(super) fn statement(&mut self, node: Node<'a>, early: &mut Early) -> Flow {
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
                    // But what a function says that is called there stays said.
                    let (first, last) = (line(node), node.end_position().row + 1);
                    let mut said = self.notes.split_off(notes);
                    said.retain(|note| note.line < first || note.line > last);
                    self.notes.append(&mut said);
                }
                Flow::Next
            }
            "compound_statement" | "program" | "colon_block" | "declaration_list" => {
                self.statements(self.children(node), early)
            }
            "if_statement" => self.branch(node, early),
            "switch_statement" => self.switch(node, early),
            "foreach_statement" => self.foreach(node, early),
            "for_statement" | "while_statement" | "do_statement" => self.counted(node, early),
            "return_statement" => match self.children(node).first() {
                Some(value) => Flow::Return(self.value(*value)),
                None => Flow::Return(Sym::null()),
            },
            "continue_statement" => Flow::Continue,
            "break_statement" => Flow::Break,
            "exit_statement" | "throw_expression" => Flow::Stop,
            "const_declaration" => {
                self.constants_of(node);
                Flow::Next
            }
            "unset_statement" => {
                self.unset(node);
                Flow::Next
            }
            "try_statement" => self.attempt(node, early),
            "global_declaration" => {
                self.globals_of(node);
                Flow::Next
            }
            "namespace_definition" => {
                node.child_by_field_name("body").map_or(Flow::Next, |body| self.statement(body, early))
            }
            _ => Flow::Next,
        }
    }

    /// `try`, and its `finally`. What a `catch` does is for when the way was another.
    fn attempt(&mut self, node: Node<'a>, early: &mut Early) -> Flow {
        let flow = node.child_by_field_name("body").map_or(Flow::Next, |body| self.statement(body, early));
        let last = self.children(node).into_iter().find(|child| child.kind() == "finally_clause");
        match (flow, last.and_then(|last| last.child_by_field_name("body"))) {
            (Flow::Next, Some(body)) => self.statement(body, early),
            (flow, Some(body)) => match self.statement(body, early) {
                Flow::Next => flow,
                last => last,
            },
            (flow, None) => flow,
        }
    }

    /// `global $a, $b`.
    fn globals_of(&mut self, node: Node<'a>) {
        for name in self.children(node) {
            let name = self.text(name).trim_start_matches('$').to_owned();
            let value = self.scopes[0].get(&name).cloned();
            if let Some(names) = self.globals.last_mut() {
                names.insert(name.clone());
            }
            if let (Some(value), Some(scope)) = (value, self.scopes.last_mut()) {
                scope.insert(name, value);
            }
        }
    }
}

/// The line of a node, from 1.
pub(super) fn line(node: Node<'_>) -> usize {
    node.start_position().row + 1
}

/// How much of an order or a card a value has.
pub(super) fn parts(sym: &Sym) -> usize {
    let names = ["source_id", "buyer", "products", "contact", "pipeline_id", "source_uuid"];
    names.iter().filter(|name| sym.get(name).is_some()).count()
}
