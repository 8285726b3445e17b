//! Arrays: their literals, and values that are put into them later.

use tree_sitter::Node;

use super::run::{Run, line};
use super::symbol::{Entry, Sym};

/// A step towards a place in an array.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Push,
}

impl<'a> Run<'a> {
    /// `[…]` or `array(…)`.
    pub(super) fn array(&mut self, node: Node<'a>) -> Sym {
        let (mut entries, mut items): (Vec<Entry>, Vec<Sym>) = (Vec::new(), Vec::new());
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
                        other => items.push(other),
                    }
                }
                [key, value] => {
                    let name = self.value(*key).as_text().unwrap_or_else(|| self.text(*key).to_owned());
                    let value = self.value(*value);
                    self.handed_over(&name, &value);
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
        if entries.is_empty() {
            return Sym::List(items);
        }
        for (at, value) in items.into_iter().enumerate() {
            put(&mut entries, Entry { key: at.to_string(), value, line: line(node) });
        }
        Sym::Map(entries)
    }

    /// Clients that take the body as an array: `'json' => $data`; the key of the CRM in a header.
    fn handed_over(&mut self, key: &str, value: &Sym) {
        if key == "json" && matches!(value, Sym::Map(_)) {
            self.sent.push(value.clone());
        }
    }

    /// Puts a value where an expression points.
    pub(super) fn assign(&mut self, target: Node<'a>, value: Sym) {
        if matches!(target.kind(), "list_literal" | "by_ref" | "parenthesized_expression") {
            if let [inner] = self.children(target).as_slice() {
                self.assign(*inner, value);
            }
            return;
        }
        let Some((base, steps)) = self.way(target) else {
            return;
        };
        if steps.is_empty() {
            if let Some(around) = self.loops.last_mut() {
                around.locals.push(base.clone());
            }
            self.set(&base, value);
            return;
        }
        // A list that lives longer than the loop's turn grows by a line for each item.
        let over = self.loops.last().filter(|around| !around.over.is_empty() && !around.locals.contains(&base));
        let grows = steps.iter().any(|step| matches!(step, Step::Push));
        let value = match over {
            Some(around) if grows => Sym::Each(around.over.clone(), Box::new(value)),
            _ => value,
        };
        let before = self.get(&base).unwrap_or_else(Sym::null);
        let after = into(before, &steps, value, line(target));
        self.set(&base, after);
    }

    /// The name that an expression starts from, and the steps from there. `$this->x` is the name `->x`.
    fn way(&mut self, target: Node<'a>) -> Option<(String, Vec<Step>)> {
        match target.kind() {
            "variable_name" => Some((self.text(target).trim_start_matches('$').to_owned(), Vec::new())),
            "member_access_expression" | "nullsafe_member_access_expression" => {
                Some((format!("->{}", self.text(target.child_by_field_name("name")?)), Vec::new()))
            }
            "scoped_property_access_expression" => Some((
                format!("->{}", self.text(target.child_by_field_name("name")?).trim_start_matches('$')),
                Vec::new(),
            )),
            "subscript_expression" => {
                let parts = self.children(target);
                let (mut base, mut steps) = self.way(*parts.first()?)?;
                match parts.get(1) {
                    Some(index) => {
                        let key = self.value(*index).as_text()?;
                        // What the script keeps in its session or puts into the form is a name of its own.
                        if base.starts_with('_') && steps.is_empty() {
                            base = format!("{base}.{key}");
                        } else {
                            steps.push(Step::Key(key));
                        }
                    }
                    None => steps.push(Step::Push),
                }
                Some((base, steps))
            }
            _ => None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Sym> {
        if let Some(property) = name.strip_prefix("->") {
            return self.objects.get(*self.this.last()?)?.properties.get(property).cloned();
        }
        if name.starts_with('_') {
            return self.scopes[0].get(name).cloned();
        }
        self.scopes.last()?.get(name).cloned()
    }

    pub(super) fn set(&mut self, name: &str, value: Sym) {
        if let Some(property) = name.strip_prefix("->") {
            let object = self.this.last().copied().and_then(|this| self.objects.get_mut(this));
            if let Some(object) = object {
                object.properties.insert(property.to_owned(), value);
            }
            return;
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
        (_, Step::Key(key)) => {
            Sym::Map(vec![Entry { key: key.clone(), value: into(Sym::null(), rest, value, line), line }])
        }
        (_, Step::Push) => Sym::List(vec![pushed(rest, value, line)]),
    }
}

fn pushed(rest: &[Step], value: Sym, line: usize) -> Sym {
    // The line for each item wraps the whole pushed thing.
    match value {
        Sym::Each(over, inner) => Sym::Each(over, Box::new(into(Sym::null(), rest, *inner, line))),
        value => into(Sym::null(), rest, value, line),
    }
}
