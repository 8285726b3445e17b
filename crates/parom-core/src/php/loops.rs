//! Loops: a list that grows in one becomes a line for each item.

use tree_sitter::Node;

use super::conditions::Early;
use super::run::{Flow, Run, Scope};
use super::symbol::{Place, Root, Sym, quoted};

/// A loop that is being followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Loop {
    /// The list whose items it takes, as an expression.
    pub(super) over: String,
    /// That list, where it is a place of the form.
    pub(super) list: Option<Place>,
    /// Lines that this turn has begun.
    pub(super) slots: Vec<String>,
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
        let by_reference = item.kind() == "by_ref";
        if by_reference {
            self.note(node, "the loop changes its list by reference, which is not followed");
            self.poison(*list, "a loop changes it by reference, which is not followed");
            return Flow::Next;
        }
        match over {
            Sym::Map(entries) => {
                for entry in entries {
                    self.turn(key, Sym::text(entry.key), item, entry.value, body);
                }
            }
            Sym::List(items) => {
                for (at, element) in items.into_iter().enumerate() {
                    match element {
                        Sym::Each(over, element) => self.each(node, (over, None), *element, key, item, body),
                        element => self.turn(key, Sym::Const(at.into()), item, element, body),
                    }
                }
            }
            other => match other.expr() {
                Some(over) => {
                    let place = if let Sym::Place(place) = &other { Some(place) } else { None };
                    if !self.parallel(node, place, key, item, body) {
                        self.each(node, (over, place.cloned()), Sym::place(Root::Item), key, item, body);
                    }
                }
                None => {
                    self.note(node, format!("a loop over {} is not carried", self.shown(*list)));
                    self.poison_all(body, "it is filled by a loop that is not carried");
                }
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
            self.statement(body, &mut Early::new());
        }
    }

    /// One turn that stands for each item of a list.
    fn each(
        &mut self,
        node: Node<'a>,
        (over, list): (String, Option<Place>),
        value: Sym,
        key: Option<Node<'a>>,
        item: Node<'a>,
        body: Node<'a>,
    ) {
        if self.loops.iter().any(|outer| !outer.over.is_empty()) {
            self.note(node, "a loop within a loop: only its own item can be read there");
        }
        let unknown = Sym::unknown(super::run::line(node), "the key of a list's item is not carried");
        let before = self.scopes.last().cloned().unwrap_or_default();
        self.loops.push(Loop { over, list, ..Loop::default() });
        if let Some(key) = key {
            self.assign(key, unknown);
        }
        self.assign(item, value);
        self.loop_body(body);
        self.loops.pop();
        self.leave_item_behind(node, &before);
    }

    /// What a loop has left in names outside of it was its last item, which is not known.
    fn leave_item_behind(&mut self, node: Node<'a>, before: &Scope) {
        let at = super::run::line(node);
        for (name, value) in self.scopes.last_mut().into_iter().flatten() {
            if before.get(name) != Some(value) && value.reads_item() {
                *value = std::mem::replace(value, Sym::null()).outside_of_loops(at);
            }
        }
    }

    /// A loop over one list by whose index others are read: the lists side by side. `false` if it reads no other.
    fn parallel(
        &mut self,
        node: Node<'a>,
        list: Option<&Place>,
        key: Option<Node<'a>>,
        item: Node<'a>,
        body: Node<'a>,
    ) -> bool {
        let (Some(list), Some(key)) = (list, key) else {
            return false;
        };
        let own = field(list);
        let value = Sym::Place(Place { root: Root::Item, steps: vec![own.clone()] });
        self.side_by_side(node, vec![(own, list.clone())], |run| {
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
            self.poison_all(node, "it is filled by a loop that is not carried");
            return Flow::Next;
        };
        let Some(index) = start.child_by_field_name("left") else {
            return Flow::Next;
        };
        let done = self.side_by_side(node, Vec::new(), |run| {
            run.assign(index, Sym::Index);
            run.loop_body(body);
        });
        if !done {
            self.note(node, "a counting loop that reads no lists of the form is not carried");
            self.poison_all(body, "it is filled by a loop that is not carried");
        }
        Flow::Next
    }

    /// Follows a loop's body twice: to learn which lists are read at its index, and then as one over all of them.
    fn side_by_side(
        &mut self,
        node: Node<'a>,
        first: Vec<(String, Place)>,
        mut body: impl FnMut(&mut Run<'a>),
    ) -> bool {
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
        let before = self.scopes.last().cloned().unwrap_or_default();
        self.loops.push(Loop { over, indexed: learned, ..Loop::default() });
        body(self);
        self.loops.pop();
        self.leave_item_behind(node, &before);
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
