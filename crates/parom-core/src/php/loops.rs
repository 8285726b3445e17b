//! Loops: a list that grows in one becomes a line for each item.

use tree_sitter::Node;

use super::run::{Flow, Run};
use super::symbol::{Place, Root, Sym, quoted};

/// A loop that is being followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Loop {
    /// The list whose items it takes, as an expression.
    pub(super) over: String,
    /// Names that belong to one turn of it.
    pub(super) locals: Vec<String>,
    /// Lists that are read at the loop's index, each under a name.
    pub(super) indexed: Vec<(String, Place)>,
}

impl<'a> Run<'a> {
    pub(super) fn foreach(&mut self, node: Node<'a>) -> Flow {
        let Some(body) = node.child_by_field_name("body") else {
            return Flow::Next;
        };
        let parts: Vec<Node<'a>> = self.children(node).into_iter().filter(|child| child.id() != body.id()).collect();
        let [list, target] = parts.as_slice() else {
            return Flow::Next;
        };
        let over = self.value(*list);
        let (key, item) = match target.kind() {
            "pair" => {
                let pair = self.children(*target);
                (pair.first().copied(), pair.last().copied().unwrap_or(*target))
            }
            _ => (None, *target),
        };
        match over {
            Sym::Map(entries) => {
                for entry in entries {
                    self.turn(key, Sym::text(entry.key), item, entry.value, body);
                }
            }
            Sym::List(items) => {
                for (at, element) in items.into_iter().enumerate() {
                    match element {
                        Sym::Each(over, element) => self.each(node, over, *element, key, item, body),
                        element => self.turn(key, Sym::Const(at.into()), item, element, body),
                    }
                }
            }
            other => match other.expr() {
                Some(over) => {
                    let place = if let Sym::Place(place) = &other { Some(place) } else { None };
                    if !self.parallel(place, key, item, body) {
                        self.each(node, over, Sym::place(Root::Item), key, item, body);
                    }
                }
                None => self.note(node, format!("a loop over {} is not carried", self.shown(*list))),
            },
        }
        Flow::Next
    }

    /// One turn over a value that is known.
    fn turn(&mut self, key: Option<Node<'a>>, name: Sym, item: Node<'a>, value: Sym, body: Node<'a>) {
        if let Some(key) = key {
            self.assign(key, name);
        }
        self.assign(item, value);
        self.loop_body(body);
    }

    fn loop_body(&mut self, body: Node<'a>) {
        if body.kind() == "compound_statement" || body.kind() == "colon_block" {
            self.block(body);
        } else {
            self.statement(body, &mut Vec::new());
        }
    }

    /// One turn that stands for each item of a list.
    fn each(
        &mut self,
        node: Node<'a>,
        over: String,
        value: Sym,
        key: Option<Node<'a>>,
        item: Node<'a>,
        body: Node<'a>,
    ) {
        if self.loops.iter().any(|outer| !outer.over.is_empty()) {
            self.note(node, "a loop within a loop: only its own item can be read there");
        }
        let unknown = Sym::unknown(super::run::line(node), "the key of a list's item is not carried");
        self.loops.push(Loop { over, ..Loop::default() });
        if let Some(key) = key {
            self.assign(key, unknown);
        }
        self.assign(item, value);
        self.loop_body(body);
        self.loops.pop();
    }

    /// A loop over one list by whose index others are read: the lists side by side. `false` if it reads no other.
    fn parallel(&mut self, list: Option<&Place>, key: Option<Node<'a>>, item: Node<'a>, body: Node<'a>) -> bool {
        let (Some(list), Some(key)) = (list, key) else {
            return false;
        };
        let own = field(list);
        let value = Sym::Place(Place { root: Root::Item, steps: vec![own.clone()] });
        self.side_by_side(vec![(own, list.clone())], |run| {
            run.assign(key, Sym::Index);
            run.assign(item, value.clone());
            run.loop_body(body);
        })
    }

    /// `for ($i = 0; …; $i++)` over lists that are read at `$i`.
    pub(super) fn counted(&mut self, node: Node<'a>) -> Flow {
        let (Some(start), Some(body)) = (node.child_by_field_name("initialize"), node.child_by_field_name("body"))
        else {
            self.note(node, "a loop that is no foreach is not carried");
            return Flow::Next;
        };
        let Some(index) = start.child_by_field_name("left") else {
            return Flow::Next;
        };
        let done = self.side_by_side(Vec::new(), |run| {
            run.assign(index, Sym::Index);
            run.loop_body(body);
        });
        if !done {
            self.note(node, "a counting loop that reads no lists of the form is not carried");
        }
        Flow::Next
    }

    /// Follows a loop's body twice: to learn which lists are read at its index, and then as one over all of them.
    fn side_by_side(&mut self, first: Vec<(String, Place)>, mut body: impl FnMut(&mut Run<'a>)) -> bool {
        let saved = (self.scopes.clone(), self.notes.len(), self.sent.len(), self.objects.clone());
        let own = first.len();
        self.loops.push(Loop { indexed: first, ..Loop::default() });
        body(self);
        let learned = self.loops.pop().unwrap_or_default().indexed;
        self.scopes = saved.0;
        self.notes.truncate(saved.1);
        self.sent.truncate(saved.2);
        self.objects = saved.3;
        if learned.len() <= own {
            return false;
        }
        let lists: Vec<String> =
            learned.iter().map(|(name, list)| format!("{}: {}", quoted(name), list.expr())).collect();
        let over = format!("{{{}}} | rows", lists.join(", "));
        self.loops.push(Loop { over, indexed: learned, ..Loop::default() });
        body(self);
        self.loops.pop();
        true
    }

    /// A list of the form at the loop's index.
    pub(super) fn at_index(&mut self, list: &Place) -> Sym {
        let Some(around) = self.loops.last_mut() else {
            return Sym::Place(list.at("0"));
        };
        let known = around.indexed.iter().find(|(_, place)| place == list).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name = field(list);
            around.indexed.push((name.clone(), list.clone()));
            name
        });
        Sym::Place(Place { root: Root::Item, steps: vec![name] })
    }
}

fn field(list: &Place) -> String {
    list.steps.last().cloned().unwrap_or_else(|| "value".to_owned())
}
