//! Arrays one over another: `array_merge`, `+`, `...`, and a part of the form with values of the script's own over it.

use serde_json::Value;
use tree_sitter::Node;

use super::arrays::put;
use super::run::{Run, line};
use super::symbol::{Entry, Place, Root, Sym};

impl<'a> Run<'a> {
    /// `array_merge($under, $over)`: what both have is the second's.
    pub(super) fn laid_over(&mut self, node: Node<'a>, under: Sym, over: Sym) -> Sym {
        match (under, over) {
            (Sym::Map(under), Sym::Map(over)) => Sym::Map(with(under, over)),
            (Sym::List(mut items), Sym::List(more)) => {
                items.extend(more);
                Sym::List(items)
            }
            (whole, Sym::List(more)) if more.is_empty() => whole,
            (Sym::List(items), more) if items.is_empty() => more,
            (whole, more) if whole == more => whole,
            (Sym::Place(place), Sym::Map(over)) => Sym::Over(place, over),
            (Sym::Over(place, own), Sym::Map(over)) => Sym::Over(place, with(own, over)),
            (Sym::Map(under), Sym::Place(place)) => behind(under, &place, Vec::new(), line(node)),
            (Sym::Map(under), Sym::Over(place, own)) => behind(under, &place, own, line(node)),
            (Sym::Place(under), Sym::Place(over)) if of_both(&under, &over) => Sym::place(Root::Request),
            (doubt @ Sym::Unknown(..), _) => doubt,
            (whole @ (Sym::Map(_) | Sym::List(_)), more) => {
                let why = match &more {
                    Sym::Unknown(_, why, _) => why.clone(),
                    _ => "it is no array that is known".to_owned(),
                };
                self.note(node, format!("a part of `{}` is not carried: {why}", self.shown(node)));
                whole
            }
            _ => self.unknown(node),
        }
    }

    /// `$_POST` and its like: as it came, with what the script has put into it.
    pub(super) fn superglobal(&mut self, name: &str, root: Root) -> Sym {
        let base = self.get(name).unwrap_or_else(|| Sym::place(root));
        let inside = format!("{name}.");
        let mut own: Vec<(String, Sym)> = self.scopes[0]
            .iter()
            .filter_map(|(known, value)| Some((known.strip_prefix(&inside)?.to_owned(), value.clone())))
            .collect();
        own.sort_by(|a, b| a.0.cmp(&b.0));
        let own: Vec<Entry> = own.into_iter().map(|(key, value)| Entry { key, value, line: 0 }).collect();
        match base {
            base if own.is_empty() => base,
            Sym::Place(place) => Sym::Over(place, own),
            Sym::Over(place, before) => Sym::Over(place, with(before, own)),
            Sym::Map(before) => Sym::Map(with(before, own)),
            other => other,
        }
    }

    /// `extract($array)`: each of its keys becomes a name.
    pub(super) fn extract(&mut self, node: Node<'a>, array: Sym) {
        let (place, own) = match array {
            Sym::Map(entries) => (None, entries),
            Sym::Place(place) => (Some(place), Vec::new()),
            Sym::Over(place, entries) => (Some(place), entries),
            _ => return self.note(node, "which names extract() brings is not known"),
        };
        if let Some(place) = place {
            for (name, value) in self.scopes.last_mut().into_iter().flatten() {
                // The order that is being put together is hardly a field of the form.
                let single = matches!(value, Sym::Const(_) | Sym::Text(_) | Sym::Expr(..) | Sym::Place(_));
                if single && !name.starts_with('_') {
                    *value = unless(&place.at(name), std::mem::replace(value, Sym::null()), line(node));
                }
            }
            self.extracted = Some(place);
        }
        own.into_iter().for_each(|entry| self.set(&entry.key, entry.value));
    }
}

/// Entries with others over them.
fn with(mut under: Vec<Entry>, over: Vec<Entry>) -> Vec<Entry> {
    over.into_iter().for_each(|entry| put(&mut under, entry));
    under
}

/// Values that count where the request has none.
fn behind(under: Vec<Entry>, place: &Place, mut own: Vec<Entry>, line: usize) -> Sym {
    let default = |entry: Entry| Entry { value: unless(&place.at(&entry.key), entry.value, line), ..entry };
    // What was taken out of it is not there.
    let (gone, more): (Vec<Entry>, Vec<Entry>) =
        under.into_iter().partition(|entry| own.iter().any(|o| o.key == entry.key && o.value == Sym::null()));
    own.retain(|entry| gone.iter().all(|gone| gone.key != entry.key));
    for entry in own.iter_mut().filter(|entry| matches!(entry.value, Sym::Expr(..))) {
        if more.iter().any(|default| default.key == entry.key) {
            entry.value = Sym::unknown(line, "it may have been taken out, and then another value counts");
        }
    }
    Sym::Over(place.clone(), with(with(more.into_iter().map(default).collect(), gone), own))
}

/// A place of the request, or what stands where it has none.
fn unless(place: &Place, default: Sym, line: usize) -> Sym {
    match (default, place.expr()) {
        (Sym::Const(Value::Null), _) => Sym::Place(place.clone()),
        (Sym::Const(Value::String(text)), _) if text.is_empty() => Sym::Place(place.clone()),
        (default, yes) => match default.expr() {
            Some(no) => Sym::Expr(format!("{yes} if {yes} is defined else {no}"), false),
            None => Sym::unknown(line, "what stands where the form has no such field is not carried"),
        },
    }
}

/// The query with the form over it, which is `$_REQUEST`.
fn of_both(under: &Place, over: &Place) -> bool {
    under.steps.is_empty() && over.steps.is_empty() && (under.root, over.root) == (Root::Query, Root::Form)
}
