//! Arrays: their literals, and values that are put into them later.

use tree_sitter::Node;

use super::run::{Run, line};
use super::symbol::{Entry, Root, Sym};

/// A step towards a place in an array.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Push,
    /// The line that this turn of the loop has begun.
    Last,
}

/// Where an assignment goes.
struct Way {
    base: String,
    steps: Vec<Step>,
    /// The text of an index that is not known, and the steps behind it.
    unclear: Option<String>,
    rest: Vec<Step>,
}

impl<'a> Run<'a> {
    /// `[…]` or `array(…)`.
    pub(super) fn array(&mut self, node: Node<'a>) -> Sym {
        let (mut entries, mut items): (Vec<Entry>, Vec<Sym>) = (Vec::new(), Vec::new());
        let mut base = Sym::List(Vec::new());
        for element in self.children(node) {
            if element.kind() != "array_element_initializer" {
                continue;
            }
            match self.children(element).as_slice() {
                [spread] if spread.kind() == "variadic_unpacking" => {
                    let inner = self.children(*spread).first().map_or_else(Sym::null, |inner| self.value(*inner));
                    match inner {
                        Sym::Map(more) => more.into_iter().for_each(|entry| put(&mut entries, entry)),
                        Sym::List(more) => items.extend(more),
                        other => {
                            base = self.laid_over(element, numbered(entries, items, line(node)), other);
                            (entries, items) = (Vec::new(), Vec::new());
                        }
                    }
                }
                [key, value] => {
                    let name = self.value(*key).as_text().unwrap_or_else(|| self.text(*key).to_owned());
                    let node = *value;
                    let value = self.value(node);
                    self.handed_over(node, &name, &value);
                    let first = entries.iter().find(|entry| entry.key == name).map(|entry| entry.line);
                    if let Some(first) = first {
                        let text =
                            format!("the key `{name}` is given twice, first at line {first}; PHP takes this one");
                        self.note(element, text);
                    }
                    put(&mut entries, Entry { key: name, value, line: line(element) });
                }
                [value] => {
                    let value = self.value(*value);
                    items.push(value);
                }
                _ => {}
            }
        }
        let own = numbered(entries, items, line(node));
        if base == Sym::List(Vec::new()) { own } else { self.laid_over(node, base, own) }
    }

    /// Clients that take the body as an array: `'json' => $data`; the key of the CRM in a header.
    fn handed_over(&mut self, node: Node<'a>, key: &str, value: &Sym) {
        if key == "json" && matches!(value, Sym::Map(_)) {
            self.send(node, value.clone());
        }
    }

    /// Puts a value where an expression points.
    pub(super) fn assign(&mut self, target: Node<'a>, value: Sym) {
        match target.kind() {
            "by_ref" | "parenthesized_expression" => {
                if let [inner] = self.children(target).as_slice() {
                    self.assign(*inner, value);
                }
                return;
            }
            "list_literal" | "array_creation_expression" => return self.assign_list(target, &value),
            _ => {}
        }
        if target.kind() == "dynamic_variable_name" {
            return self.assign_named(target, &value);
        }
        let Some(way) = self.way(target) else {
            if target.kind() == "subscript_expression" {
                self.note(target, format!("what `{}` is set to is not followed", self.shown(target)));
            }
            return;
        };
        if way.steps.is_empty() && way.unclear.is_none() {
            if let Some(around) = self.loops.last_mut() {
                around.locals.push(way.base.clone());
            }
            return self.set(&way.base, value);
        }
        let before = self.get(&way.base).unwrap_or_else(Sym::null);
        let over = self.loops.last().filter(|around| !around.over.is_empty() && !around.locals.contains(&way.base));
        let after = match (over.map(|around| around.over.clone()), way.unclear) {
            (Some(over), Some(key)) => {
                self.slot(&way.base, before, way.steps, way.rest, &key, over, value, line(target))
            }
            // A place that nobody can name: what stands there is not known any more.
            (None, Some(_)) => {
                let why = "it is filled at a place that cannot be followed";
                into(before, &way.steps, Sym::unknown(line(target), why), line(target))
            }
            // A list that lives longer than the loop's turn grows by a line for each item.
            (Some(over), None) if way.steps.iter().any(|step| matches!(step, Step::Push)) => {
                into(before, &way.steps, Sym::Each(over, Box::new(value)), line(target))
            }
            _ => into(before, &way.steps, value, line(target)),
        };
        self.set(&way.base, after);
    }

    /// `$$name = …`: a known name, or each field of the form as one.
    fn assign_named(&mut self, target: Node<'a>, value: &Sym) {
        let name = self.children(target).first().map(|inner| self.value(*inner));
        let list = self.loops.last().and_then(|around| around.list.clone()).filter(|list| list.steps.is_empty());
        let whole = matches!(value, Sym::Place(place) if place.root == Root::Item && place.steps.is_empty());
        match (name.and_then(|name| name.as_text()), list) {
            (Some(name), _) => self.set(&name, value.clone()),
            (None, Some(list)) if whole => self.extract(target, Sym::Place(list)),
            _ => self.note(target, format!("which name `{}` sets is not known", self.shown(target))),
        }
    }

    /// Puts a value at the end of a list.
    pub(super) fn push(&mut self, list: Node<'a>, value: Sym) {
        let Some(way) = self.way(list).filter(|way| way.unclear.is_none()) else {
            return;
        };
        let over = self.loops.last().filter(|around| !around.over.is_empty() && !around.locals.contains(&way.base));
        let value =
            over.map(|around| around.over.clone()).map_or(value.clone(), |over| Sym::Each(over, Box::new(value)));
        let before = self.get(&way.base).unwrap_or_else(Sym::null);
        let mut steps = way.steps;
        steps.push(Step::Push);
        self.set(&way.base, into(before, &steps, value, line(list)));
    }

    /// `$lines[$i]['name'] = …` in a loop: one line for each item, put together by several statements.
    #[expect(clippy::too_many_arguments, reason = "the parts of one place")]
    fn slot(
        &mut self,
        base: &str,
        before: Sym,
        mut steps: Vec<Step>,
        rest: Vec<Step>,
        key: &str,
        over: String,
        value: Sym,
        line: usize,
    ) -> Sym {
        // `$clean[$k] = trim($v)`: the list itself, cleaned.
        let whole = steps.is_empty() && rest.is_empty() && matches!(&value, Sym::Place(p) if p.steps.is_empty());
        if whole && (before == Sym::null() || before == Sym::List(Vec::new())) {
            let around = self.loops.last_mut();
            let list = around.and_then(|around| {
                let list = around.list.clone()?;
                around.copies.push((base.to_owned(), list.clone()));
                Some(list)
            });
            return list.map_or_else(|| Sym::unknown(line, "it is filled item by item"), Sym::Place);
        }
        if whole && matches!(before, Sym::Place(_)) {
            return before;
        }
        let slot = format!("{base} {steps:?} {key}");
        let known = self.loops.last().is_some_and(|around| around.slots.contains(&slot));
        if known {
            steps.push(Step::Last);
            steps.extend(rest);
            return into(before, &steps, value, line);
        }
        self.loops.last_mut().into_iter().for_each(|around| around.slots.push(slot.clone()));
        steps.push(Step::Push);
        steps.extend(rest);
        into(before, &steps, Sym::Each(over, Box::new(value)), line)
    }

    /// `[$a, $b] = …` and `list($a, $b) = …`.
    fn assign_list(&mut self, target: Node<'a>, value: &Sym) {
        let all: Vec<Node<'a>> = self.children(target);
        let holes = self.text(target).replace(' ', "");
        let plain = !holes.contains(",,") && !holes.contains("(,") && !holes.contains("[,");
        for (at, part) in all.into_iter().enumerate() {
            let inner = if part.kind() == "array_element_initializer" { self.children(part) } else { vec![part] };
            let (key, name) = match inner.as_slice() {
                [name] => (Some(at.to_string()), *name),
                [key, name] => (self.value(*key).as_text(), *name),
                _ => continue,
            };
            let item = match (key.filter(|_| plain), value) {
                (Some(key), known @ (Sym::Place(_) | Sym::Over(..) | Sym::List(_) | Sym::Map(_))) => known.at(&key),
                _ => Sym::unknown(line(target), "a list of names is filled at once"),
            };
            self.assign(name, item);
        }
    }

    /// What stands at a place is not known any more.
    pub(super) fn poison(&mut self, target: Node<'a>, why: &str) {
        let Some(way) = self.way(target) else {
            return;
        };
        let before = self.get(&way.base).unwrap_or_else(Sym::null);
        let after = into(before, &way.steps, Sym::unknown(line(target), why), line(target));
        self.set(&way.base, after);
    }

    /// What a piece of the script fills that is not followed.
    pub(super) fn poison_all(&mut self, node: Node<'a>, why: &str) {
        if matches!(node.kind(), "assignment_expression" | "augmented_assignment_expression")
            && let Some(left) = node.child_by_field_name("left")
        {
            self.poison(left, why);
        }
        for child in self.children(node) {
            self.poison_all(child, why);
        }
    }

    /// `unset($a['b'])`.
    pub(super) fn unset(&mut self, node: Node<'a>) {
        for target in self.children(node) {
            let Some(way) = self.way(target) else { continue };
            match (way.unclear, way.steps.as_slice(), self.get(&way.base)) {
                (None, [Step::Key(key)], Some(Sym::Map(mut entries))) => {
                    entries.retain(|entry| entry.key != *key);
                    self.set(&way.base, Sym::Map(entries));
                }
                (None, [], _) => self.set(&way.base, Sym::null()),
                (None, steps, Some(before)) => {
                    let after = into(before, steps, Sym::null(), line(target));
                    self.set(&way.base, after);
                }
                _ => self.poison(target, "a part of it is taken out in a way that is not followed"),
            }
        }
    }

    /// The name that an expression starts from, and the steps from there. `$this->x` is the name `->x`.
    fn way(&mut self, target: Node<'a>) -> Option<Way> {
        let named = |base: String| Some(Way { base, steps: Vec::new(), unclear: None, rest: Vec::new() });
        match target.kind() {
            "variable_name" => named(self.text(target).trim_start_matches('$').to_owned()),
            "member_access_expression" | "nullsafe_member_access_expression" => {
                let (object, name) = (target.child_by_field_name("object")?, target.child_by_field_name("name")?);
                let name = self.text(name).to_owned();
                if let Sym::Object(object) = self.value(object) {
                    return named(format!("#{object}->{name}"));
                }
                // json_decode without `true` gives objects, and so does a cast.
                let mut way = self.way(object)?;
                if way.unclear.is_some() {
                    way.rest.push(Step::Key(name))
                } else {
                    way.steps.push(Step::Key(name))
                }
                Some(way)
            }
            "scoped_property_access_expression" => named(self.static_name(target)?),
            "subscript_expression" => {
                let parts = self.children(target);
                let mut way = self.way(*parts.first()?)?;
                let step = match parts.get(1) {
                    Some(index) => match self.value(*index).as_text() {
                        Some(key) => Some(Step::Key(key)),
                        None => {
                            if way.unclear.is_none() {
                                way.unclear = Some(self.text(*index).to_owned());
                                return Some(way);
                            }
                            None
                        }
                    },
                    None => Some(Step::Push),
                };
                match (step, way.unclear.is_some()) {
                    (Some(step), true) => way.rest.push(step),
                    (Some(Step::Key(key)), false) if way.base == "GLOBALS" && way.steps.is_empty() => {
                        way.base = format!("*{key}");
                    }
                    // What the script keeps in its session or puts into the form is a name of its own.
                    (Some(Step::Key(key)), false) if way.base.starts_with('_') && way.steps.is_empty() => {
                        way.base = format!("{}.{key}", way.base);
                    }
                    (Some(step), false) => way.steps.push(step),
                    (None, _) => return None,
                }
                Some(way)
            }
            _ => None,
        }
    }

    /// The object and the property of a name: `->x` is `$this->x`, `#2->x` that of another object.
    fn property_of<'n>(&self, name: &'n str) -> Option<(usize, &'n str)> {
        if let Some(property) = name.strip_prefix("->") {
            return Some((*self.this.last()?, property));
        }
        let (object, property) = name.strip_prefix('#')?.split_once("->")?;
        Some((object.parse().ok()?, property))
    }

    pub(super) fn get(&self, name: &str) -> Option<Sym> {
        if let Some((object, property)) = self.property_of(name) {
            return self.objects.get(object)?.properties.get(property).cloned();
        }
        if let Some(global) = name.strip_prefix('*') {
            return self.scopes[0].get(global).cloned();
        }
        if name.starts_with('_') {
            return self.scopes[0].get(name).cloned();
        }
        self.scopes.last()?.get(name).cloned()
    }

    pub(super) fn set(&mut self, name: &str, value: Sym) {
        if let Some((object, property)) = self.property_of(name) {
            self.changes += 1;
            if let Some(object) = self.objects.get_mut(object) {
                object.properties.insert(property.to_owned(), value);
            }
            return;
        }
        self.changes +=
            usize::from(name.starts_with(['*', '_']) || self.globals.last().is_some_and(|names| names.contains(name)));
        if let Some(global) = name.strip_prefix('*') {
            if self.globals.last().is_some_and(|names| names.contains(global))
                && let Some(scope) = self.scopes.last_mut()
            {
                scope.insert(global.to_owned(), value.clone());
            }
            self.scopes[0].insert(global.to_owned(), value);
            return;
        }
        if self.globals.last().is_some_and(|names| names.contains(name))
            && let Some(scope) = self.scopes.first_mut()
        {
            scope.insert(name.to_owned(), value.clone());
        }
        if name.starts_with('_') && !name.contains('.') {
            let inside = format!("{name}.");
            self.scopes[0].retain(|known, _| !known.starts_with(&inside));
        }
        let scope = if name.starts_with('_') { self.scopes.first_mut() } else { self.scopes.last_mut() };
        if let Some(scope) = scope {
            scope.insert(name.to_owned(), value);
        }
    }
}

/// Puts an entry in the place of the one with its key, or at the end.
pub(super) fn put(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|known| known.key == entry.key) {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

fn into(array: Sym, steps: &[Step], value: Sym, line: usize) -> Sym {
    let Some((step, rest)) = steps.split_first() else {
        return value;
    };
    match (array, step) {
        // What is not known stays so, whatever is put into it.
        (doubt @ Sym::Unknown(..), _) => doubt,
        (Sym::Place(place), _) => into(Sym::Over(place, Vec::new()), steps, value, line),
        (over @ Sym::Over(..), Step::Key(key)) => {
            let entry = Entry { key: key.clone(), value: into(over.at(key), rest, value, line), line };
            let Sym::Over(place, mut entries) = over else { return over };
            put(&mut entries, entry);
            Sym::Over(place, entries)
        }
        (Sym::List(mut items), Step::Last) => {
            if let Some(Sym::Each(over, item)) = items.pop() {
                items.push(Sym::Each(over, Box::new(into(*item, rest, value, line))));
            }
            Sym::List(items)
        }
        (array, Step::Last) => array,
        (Sym::Map(mut entries), Step::Key(key)) => {
            let old =
                entries.iter().find(|entry| entry.key == *key).map_or_else(Sym::null, |entry| entry.value.clone());
            put(&mut entries, Entry { key: key.clone(), value: into(old, rest, value, line), line });
            Sym::Map(entries)
        }
        (Sym::List(mut items), Step::Key(key)) => match key.parse::<usize>() {
            Ok(at) if at < items.len() => {
                let old = std::mem::replace(&mut items[at], Sym::null());
                items[at] = into(old, rest, value, line);
                Sym::List(items)
            }
            Ok(_) => {
                items.push(into(Sym::null(), rest, value, line));
                Sym::List(items)
            }
            Err(_) => {
                let numbered = items.into_iter().enumerate();
                let mut entries: Vec<Entry> =
                    numbered.map(|(at, value)| Entry { key: at.to_string(), value, line }).collect();
                put(&mut entries, Entry { key: key.clone(), value: into(Sym::null(), rest, value, line), line });
                Sym::Map(entries)
            }
        },
        (Sym::List(mut items), Step::Push) => {
            items.push(pushed(rest, value, line));
            Sym::List(items)
        }
        (Sym::Map(mut entries), Step::Push) => {
            let key = entries.len().to_string();
            put(&mut entries, Entry { key, value: pushed(rest, value, line), line });
            Sym::Map(entries)
        }
        (Sym::Const(_), Step::Key(key)) => {
            Sym::Map(vec![Entry { key: key.clone(), value: into(Sym::null(), rest, value, line), line }])
        }
        (Sym::Const(_), Step::Push) => Sym::List(vec![pushed(rest, value, line)]),
        _ => Sym::unknown(line, "a value is put into what is no array of the script's own"),
    }
}

/// An array of entries with keys and others behind them.
fn numbered(mut entries: Vec<Entry>, items: Vec<Sym>, line: usize) -> Sym {
    if entries.is_empty() {
        return Sym::List(items);
    }
    for (at, value) in items.into_iter().enumerate() {
        put(&mut entries, Entry { key: at.to_string(), value, line });
    }
    Sym::Map(entries)
}

fn pushed(rest: &[Step], value: Sym, line: usize) -> Sym {
    // The line for each item wraps the whole pushed thing.
    match value {
        Sym::Each(over, inner) => Sym::Each(over, Box::new(into(Sym::null(), rest, *inner, line))),
        value => into(Sym::null(), rest, value, line),
    }
}
