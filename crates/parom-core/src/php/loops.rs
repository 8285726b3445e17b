//! Loops: a list that grows in one becomes a line for each item.

use tree_sitter::Node;

use super::conditions::Early;
use super::run::{Flow, Run, Scope, line};
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
    /// Names that are filled with the list's own items, under its own keys.
    pub(super) copies: Vec<(String, Place)>,
    /// Lists that are read at the loop's index, each under a name.
    pub(super) indexed: Vec<(String, Place)>,
}

/// The key, the item and the body of a loop.
type Parts<'a> = (Option<Node<'a>>, Node<'a>, Node<'a>);

impl<'a> Run<'a> {
    pub(super) fn foreach(&mut self, node: Node<'a>, early: &mut Early) -> Flow {
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
            known @ (Sym::Map(_) | Sym::List(_)) => self.turns(node, known, (key, item, body), early),
            other => match other.expr() {
                Some(over) => {
                    let place = if let Sym::Place(place) = &other { Some(place) } else { None };
                    if !self.parallel(node, place, key, item, body, early) {
                        self.each(node, (over, place.cloned()), Sym::place(Root::Item), (key, item, body), early);
                    }
                    Flow::Next
                }
                None => {
                    self.note(node, format!("a loop over {} is not carried", self.shown(*list)));
                    self.poison_all(body, "it is filled by a loop that is not carried");
                    Flow::Next
                }
            },
        }
    }

    /// A turn for each value of an array that is known.
    fn turns(&mut self, node: Node<'a>, array: Sym, parts: Parts<'a>, early: &mut Early) -> Flow {
        let (key, item, body) = parts;
        let turns: Vec<(Sym, Sym)> = match array {
            Sym::Map(entries) => entries.into_iter().map(|entry| (Sym::text(entry.key), entry.value)).collect(),
            Sym::List(items) => items.into_iter().enumerate().map(|(at, item)| (Sym::Const(at.into()), item)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in turns {
            if let Sym::Each(over, element) = value {
                self.each(node, (over, None), *element, parts, early);
                continue;
            }
            if let Some(key) = key {
                self.assign(key, name);
            }
            self.assign(item, value);
            match self.statement(body, early) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                flow => return flow,
            }
        }
        Flow::Next
    }

    /// The body of a turn that stands for all of them: what leaves the loop there is not followed.
    fn only_turn(&mut self, body: Node<'a>, early: &mut Early) {
        let mut inner = Early::new();
        let why = "a loop over a list of the form may be left at any of its items";
        match self.statement(body, &mut inner) {
            Flow::Next | Flow::Continue if inner.is_empty() => {}
            Flow::Next | Flow::Continue => early.push((None, Sym::unknown(line(body), why))),
            Flow::Return(_) => {
                early.push((None, Sym::unknown(line(body), why)));
                self.note(body, "the function gives back from the first item of a list, which is not followed");
            }
            Flow::Break | Flow::Stop => {
                self.note(body, "the loop is left at its first item, which is not followed");
                self.poison_all(body, "it is filled by a loop that is left at its first item");
            }
        }
    }

    /// One turn that stands for each item of a list.
    fn each(
        &mut self,
        node: Node<'a>,
        (over, list): (String, Option<Place>),
        value: Sym,
        (key, item, body): Parts<'a>,
        early: &mut Early,
    ) {
        if self.loops.iter().any(|outer| !outer.over.is_empty()) {
            self.note(node, "a loop within a loop: only its own item can be read there");
        }
        let unknown = Sym::unknown(line(node), "the key of a list's item is not carried");
        let before = self.scopes.last().cloned().unwrap_or_default();
        self.loops.push(Loop { over, list, ..Loop::default() });
        if let Some(key) = key {
            self.assign(key, unknown);
        }
        self.assign(item, value);
        self.only_turn(body, early);
        let copies = self.loops.pop().unwrap_or_default().copies;
        self.leave_item_behind(node, &before);
        for (name, list) in copies {
            let copy = Sym::Place(list);
            // A condition has parted it from its list.
            if self.get(&name).is_some_and(|value| value != copy) {
                self.note(node, format!("${name} gets fields of the form under a condition: all of them are carried"));
                self.set(&name, copy);
            }
        }
    }

    /// What a loop has left in names outside of it was its last item, which is not known.
    fn leave_item_behind(&mut self, node: Node<'a>, before: &Scope) {
        let at = line(node);
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
        early: &mut Early,
    ) -> bool {
        let (Some(list), Some(key)) = (list, key) else {
            return false;
        };
        let own = field(list);
        let value = Sym::Place(Place { root: Root::Item, steps: vec![own.clone()] });
        self.side_by_side(node, vec![(own, list.clone())], early, |run, early| {
            run.assign(key, Sym::Index);
            run.assign(item, value.clone());
            run.only_turn(body, early);
        })
    }

    /// `for ($i = 0; …; $i++)` over lists that are read at `$i`.
    pub(super) fn counted(&mut self, node: Node<'a>, early: &mut Early) -> Flow {
        let (Some(start), Some(body)) = (node.child_by_field_name("initialize"), node.child_by_field_name("body"))
        else {
            self.note(node, "a loop that is no foreach is not carried");
            self.poison_all(node, "it is filled by a loop that is not carried");
            return Flow::Next;
        };
        let Some(index) = start.child_by_field_name("left") else {
            return Flow::Next;
        };
        let done = self.side_by_side(node, Vec::new(), early, |run, early| {
            run.assign(index, Sym::Index);
            run.only_turn(body, early);
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
        early: &mut Early,
        mut body: impl FnMut(&mut Run<'a>, &mut Early),
    ) -> bool {
        let saved = (self.scopes.clone(), self.notes.len(), self.sent.len(), self.objects.clone());
        let (guards, stops, handed) = (self.guards.len(), self.stops.len(), self.handed.len());
        let extracted = self.extracted.clone();
        let own = first.len();
        self.loops.push(Loop { indexed: first, ..Loop::default() });
        body(self, &mut Early::new());
        let learned = self.loops.pop().unwrap_or_default().indexed;
        self.scopes = saved.0;
        self.notes.truncate(saved.1);
        self.sent.truncate(saved.2);
        self.objects = saved.3;
        self.guards.truncate(guards);
        self.stops.truncate(stops);
        self.handed.truncate(handed);
        self.extracted = extracted;
        if learned.len() <= own {
            return false;
        }
        let lists: Vec<String> =
            learned.iter().map(|(name, list)| format!("{}: {}", quoted(name), list.expr())).collect();
        let over = format!("{{{}}} | rows", lists.join(", "));
        let before = self.scopes.last().cloned().unwrap_or_default();
        self.loops.push(Loop { over, indexed: learned, ..Loop::default() });
        body(self, early);
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
