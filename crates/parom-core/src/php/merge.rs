//! What two branches of a script come to: a value that depends on a condition becomes a conditional expression, and one whose
//! condition cannot be said is not known.

use tree_sitter::Node;

use super::arrays::put;
use super::classes::Instance;
use super::conditions::{Early, State};
use super::run::{Run, Scope, line, parts};
use super::symbol::{Entry, Piece, Place, Sym, holds, negated};
use super::texts::join;

impl<'a> Run<'a> {
    /// The names after an `if`: as in its branch where the condition holds, else as in the other.
    pub(super) fn merge(&mut self, node: Node<'a>, tested: Option<&str>, then: State, other: State) -> State {
        let mut merged = State { scopes: Vec::new(), objects: Vec::new(), constants: Scope::new() };
        for (then, other) in then.scopes.into_iter().zip(other.scopes) {
            let scope = self.merged(node, tested, then, other);
            merged.scopes.push(scope);
        }
        merged.constants = self.merged(node, tested, then.constants, other.constants);
        let longer =
            if then.objects.len() > other.objects.len() { then.objects.clone() } else { other.objects.clone() };
        for (at, object) in longer.into_iter().enumerate() {
            let properties = match (then.objects.get(at), other.objects.get(at)) {
                (Some(then), Some(other)) => {
                    self.merged(node, tested, then.properties.clone(), other.properties.clone())
                }
                _ => object.properties,
            };
            merged.objects.push(Instance { properties, class: object.class });
        }
        merged
    }

    fn merged(&mut self, node: Node<'a>, tested: Option<&str>, then: Scope, mut other: Scope) -> Scope {
        let mut names: Vec<String> = then.keys().chain(other.keys()).cloned().collect();
        names.sort();
        names.dedup();
        for name in names {
            let (value, old) = (then.get(&name).cloned(), other.remove(&name));
            let joined = match (value, old) {
                (Some(value), Some(old)) if old == value => value,
                (value, old) => {
                    let (value, old) = (value.unwrap_or_else(Sym::null), old.unwrap_or_else(Sym::null));
                    self.conditional(node, tested, value, old)
                }
            };
            other.insert(name, joined);
        }
        other
    }

    /// One of two values by a condition.
    pub(super) fn conditional(&mut self, node: Node<'a>, tested: Option<&str>, then: Sym, other: Sym) -> Sym {
        let at = line(node);
        // `[]` that is filled by names under a condition.
        let as_map = |empty: Sym, filled: &Sym| match (empty, filled) {
            (Sym::List(items), Sym::Map(_)) if items.is_empty() => Sym::Map(Vec::new()),
            (other, _) => other,
        };
        let (then, other) = (as_map(then.clone(), &other), as_map(other, &then));
        match (then, other) {
            (then, other) if then == other => then,
            (Sym::Map(then), Sym::Map(other)) => self.joined(node, tested, then, other),
            (Sym::Over(place, then), Sym::Over(same, other)) if place == same => {
                self.joined_over(node, tested, place, then, other)
            }
            (Sym::Over(place, then), Sym::Place(same)) if place == same => {
                self.joined_over(node, tested, place, then, Vec::new())
            }
            (Sym::Place(place), Sym::Over(same, other)) if place == same => {
                self.joined_over(node, tested, place, Vec::new(), other)
            }
            (Sym::List(then), Sym::List(other)) => self.longer(node, tested, then, other),
            (then @ (Sym::Map(_) | Sym::List(_)), other) if other == Sym::null() => under(then, tested, at),
            (then, other @ (Sym::Map(_) | Sym::List(_))) if then == Sym::null() => {
                let not = tested.map(negated);
                under(other, not.as_deref(), at)
            }
            (then @ (Sym::Object(_) | Sym::Closure(_)), _) => then,
            (_, other @ (Sym::Object(_) | Sym::Closure(_))) => other,
            (then, other) => match tested.and_then(|tested| one_of(tested, &then, &other)) {
                Some(value) => short(value, at),
                // A value that may be wrong is worse than one that is missing.
                None => {
                    let why = "it depends on a condition that cannot be carried".to_owned();
                    let near = other.near().filter(|near| then.near().as_ref().is_none_or(|then| then == near));
                    Sym::Unknown(at, why, near.or_else(|| then.near()))
                }
            },
        }
    }

    /// Two arrays key by key; two that are different things (an order and a card) cannot be one.
    fn joined(&mut self, node: Node<'a>, tested: Option<&str>, then: Vec<Entry>, other: Vec<Entry>) -> Sym {
        let shared = then.iter().filter(|entry| other.iter().any(|o| o.key == entry.key)).count();
        if !other.is_empty() && !then.is_empty() && shared * 2 < then.len().min(other.len()) {
            let text = "the branches send different things; the first is carried, make another channel of the rest";
            self.note(node, text);
            return Sym::Map(then);
        }
        let mut merged = Vec::new();
        for entry in &then {
            let old = other.iter().find(|o| o.key == entry.key).map_or_else(Sym::null, |o| o.value.clone());
            let value = self.conditional(node, tested, entry.value.clone(), old);
            merged.push(Entry { value, ..entry.clone() });
        }
        for entry in other.into_iter().filter(|entry| then.iter().all(|t| t.key != entry.key)) {
            let value = self.conditional(node, tested, Sym::null(), entry.value);
            merged.push(Entry { value, ..entry });
        }
        Sym::Map(merged)
    }

    /// A part of the request with different entries over it.
    fn joined_over(
        &mut self,
        node: Node<'a>,
        tested: Option<&str>,
        place: Place,
        then: Vec<Entry>,
        other: Vec<Entry>,
    ) -> Sym {
        let (then, other) = (Sym::Over(place.clone(), then), Sym::Over(place.clone(), other));
        let mut merged: Vec<Entry> = Vec::new();
        for entry in [&then, &other].into_iter().flat_map(Sym::entries) {
            let value = self.conditional(node, tested, then.at(&entry.key), other.at(&entry.key));
            put(&mut merged, Entry { value, ..entry.clone() });
        }
        Sym::Over(place, merged)
    }

    /// A list that grew under a condition: the lines that are there only then.
    fn longer(&mut self, node: Node<'a>, tested: Option<&str>, then: Vec<Sym>, other: Vec<Sym>) -> Sym {
        let not = tested.map(negated);
        let (long, short, when) =
            if then.len() >= other.len() { (then, other, tested) } else { (other, then, not.as_deref()) };
        let mut items = Vec::new();
        let mut short = short.into_iter();
        for item in long {
            items.push(match short.next() {
                Some(other) => self.conditional_item(node, when, item, other),
                None => under(item, when, line(node)),
            });
        }
        Sym::List(items)
    }

    /// An item of a list as one of two.
    fn conditional_item(&mut self, node: Node<'a>, tested: Option<&str>, then: Sym, other: Sym) -> Sym {
        match (then, other) {
            (Sym::Each(over, then), Sym::Each(same, other)) if over == same => {
                Sym::Each(over, Box::new(self.conditional(node, tested, *then, *other)))
            }
            (then @ Sym::Each(..), other) | (then, other @ Sym::Each(..)) if then != other => {
                Sym::unknown(line(node), "the list differs between the branches")
            }
            (then, other) => self.conditional(node, tested, then, other),
        }
    }

    /// What a function gives that gave back earlier under conditions.
    pub(super) fn either(&mut self, node: Node<'a>, early: Early, last: Sym) -> Sym {
        early.into_iter().rev().fold(last, |other, (tested, value)| {
            let array = matches!(other, Sym::Map(_) | Sym::List(_));
            // `return false` instead of the order: what would have been sent is the rule, and the guard is told.
            if array && matches!(value, Sym::Const(_)) && parts(&other) > 0 {
                return other;
            }
            let value = if array && matches!(&value, Sym::Const(v) if !holds(v)) { Sym::null() } else { value };
            self.conditional(node, tested.as_deref(), value, other)
        })
    }
}

/// A value that is there only under a condition.
fn under(value: Sym, tested: Option<&str>, line: usize) -> Sym {
    match value {
        Sym::Map(entries) => {
            Sym::Map(entries.into_iter().map(|e| Entry { value: under(e.value, tested, line), ..e }).collect())
        }
        Sym::List(items) => Sym::List(items.into_iter().map(|item| under(item, tested, line)).collect()),
        Sym::Each(over, item) => Sym::Each(over, Box::new(under(*item, tested, line))),
        value if value == Sym::null() => value,
        doubt @ Sym::Unknown(..) => doubt,
        value => match (tested, value.expr()) {
            (Some(tested), Some(yes)) => short(Sym::Expr(format!("{yes} if {tested}"), false), line),
            _ => Sym::unknown(line, "it depends on a condition that cannot be carried"),
        },
    }
}

/// A value within its limit: what depends on condition after condition doubles with each.
fn short(value: Sym, line: usize) -> Sym {
    if value.is_too_large() { Sym::unknown(line, "it grows too long to carry") } else { value }
}

fn one_of(tested: &str, then: &Sym, other: &Sym) -> Option<Sym> {
    // A text that grew under a condition grows by so much, and does not double. But a text of the file whose expressions are
    // all empty is empty, and one of the script's own is not.
    if let Some(tail) = tail(then, other).filter(|_| !matches!(other, Sym::Const(_))) {
        let tail = format!("({} if {tested} else '')", tail.expr()?);
        return Some(join(other.clone(), Sym::Expr(tail, true)));
    }
    if let Some(tail) = tail(other, then).filter(|_| !matches!(then, Sym::Const(_))) {
        let tail = format!("('' if {tested} else {})", tail.expr()?);
        return Some(join(then.clone(), Sym::Expr(tail, true)));
    }
    let (yes, no) = (then.expr()?, other.expr()?);
    Some(match (*then == Sym::null(), *other == Sym::null()) {
        (_, true) => Sym::Expr(format!("{yes} if {tested}"), false),
        (true, _) => Sym::Expr(format!("{no} if {}", negated(tested)), false),
        _ => Sym::Expr(format!("{yes} if {tested} else {no}"), false),
    })
}

/// What a text has behind another.
fn tail(long: &Sym, short: &Sym) -> Option<Sym> {
    let pieces = |sym: &Sym| match sym {
        Sym::Text(pieces) => Some(pieces.clone()),
        Sym::Const(value) => {
            value.as_str().filter(|text| !text.is_empty()).map(|text| vec![Piece::Literal(text.to_owned())])
        }
        Sym::Place(_) | Sym::Expr(..) => sym.expr().map(|source| vec![Piece::Expr(source)]),
        _ => None,
    };
    let (long, short) = (pieces(long)?, pieces(short)?);
    let (last, head) = short.split_last()?;
    let rest = long.strip_prefix(head)?;
    let (first, rest) = rest.split_first()?;
    let mut tail = match (first, last) {
        (first, last) if first == last => Vec::new(),
        (Piece::Literal(first), Piece::Literal(last)) => {
            vec![Piece::Literal(first.strip_prefix(last.as_str())?.to_owned())]
        }
        _ => return None,
    };
    tail.extend(rest.iter().cloned());
    (!tail.is_empty()).then_some(Sym::Text(tail))
}
