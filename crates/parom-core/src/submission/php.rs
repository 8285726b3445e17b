//! Folds form names with brackets into a tree, as PHP fills `$_POST`.
//!
//! The rules are those of PHP's `php_register_variable_ex`: what a script reads from `$_POST` today, a mapping reads from
//! `form`. A test compares this with a real `php` over generated bodies.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::DecodeError;
use crate::limits;

/// A key of a PHP array: a text that looks like a canonical integer is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Int(i64),
    Text(String),
}

#[derive(Debug)]
enum Node {
    Text(String),
    Array(Array),
}

/// PHP's ordered map, with the next index that `[]` takes.
#[derive(Debug, Default)]
struct Array {
    entries: Vec<(Key, Node)>,
    places: HashMap<Key, usize>,
    next: Option<i64>,
}

/// Folds pairs in their order; later values replace earlier ones as PHP replaces them.
///
/// # Errors
/// Brackets nested deeper than the limit, with the field's name.
pub fn fold(pairs: &[(String, String)]) -> Result<Value, DecodeError> {
    let mut root = Array::default();
    for (name, value) in pairs {
        let Some((first, rest)) = split_name(name) else {
            continue;
        };
        if rest.len() >= limits::DEPTH {
            let max = limits::DEPTH;
            let start: String = name.chars().take(40).collect();
            return Err(DecodeError::TooLarge(format!("the field name `{start}…` is nested deeper than {max}")));
        }
        root.put(Some(first), &rest, value);
    }
    Ok(match root.into_value() {
        // An empty array is a list to JSON; a form is always an object.
        Value::Array(items) => {
            Value::Object(items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect())
        }
        other => other,
    })
}

/// The first name and the indexes after it (`None` for `[]`); no result for a name that PHP skips.
fn split_name(raw: &str) -> Option<(String, Vec<Option<String>>)> {
    let name = raw.split('\0').next().unwrap_or_default().trim_start_matches(' ');
    let plain = |text: &str| text.replace([' ', '.'], "_");
    let (head, mut tail) = match name.find('[') {
        // Nothing before the bracket: PHP drops the pair. It stays addressable by its flat name.
        Some(0) => return None,
        None => return (!name.is_empty()).then(|| (plain(name), Vec::new())),
        Some(at) => (&name[..at], &name[at..]),
    };
    let mut indexes = Vec::new();
    while let Some(inner) = tail.strip_prefix('[') {
        let after_space = inner.strip_prefix([' ', '\t', '\n', '\r', '\x0b', '\x0c']).unwrap_or(inner);
        if let Some(rest) = after_space.strip_prefix(']') {
            indexes.push(None);
            tail = rest;
            continue;
        }
        match inner.find(']') {
            Some(end) => {
                indexes.push(Some(inner[..end].to_owned()));
                tail = &inner[end + 1..];
            }
            None if indexes.is_empty() => {
                // Never closed: the bracket becomes an underscore and the rest stays part of the name.
                return Some((format!("{}_{}", plain(head), inner.replace([' ', '.', '['], "_")), Vec::new()));
            }
            None => break,
        }
    }
    Some((plain(head), indexes))
}

impl Key {
    fn of(text: String) -> Key {
        let canonical = |number: &i64| number.to_string() == text;
        match text.parse::<i64>().ok().filter(canonical) {
            Some(number) => Key::Int(number),
            None => Key::Text(text),
        }
    }
}

impl Array {
    fn put(&mut self, first: Option<String>, rest: &[Option<String>], value: &str) {
        let Some(key) = self.key(first) else { return };
        let place = self.place(key);
        let node = &mut self.entries[place].1;
        match rest.split_first() {
            None => *node = Node::Text(value.to_owned()),
            Some((index, deeper)) => {
                if !matches!(node, Node::Array(_)) {
                    *node = Node::Array(Array::default());
                }
                if let Node::Array(array) = node {
                    array.put(index.clone(), deeper, value);
                }
            }
        }
    }

    /// The key of an index; none when `[]` has no next number left.
    fn key(&mut self, index: Option<String>) -> Option<Key> {
        match index {
            Some(text) => Some(Key::of(text)),
            None => match self.next {
                None => Some(Key::Int(0)),
                Some(last) => last.checked_add(1).map(|next| Key::Int(next.max(0))),
            },
        }
    }

    fn place(&mut self, key: Key) -> usize {
        if let Some(&place) = self.places.get(&key) {
            return place;
        }
        if let Key::Int(number) = key {
            self.next = Some(self.next.map_or(number, |last| last.max(number)));
        }
        self.places.insert(key.clone(), self.entries.len());
        self.entries.push((key, Node::Text(String::new())));
        self.entries.len() - 1
    }

    /// A list where the keys are 0, 1, 2 … in this order, as `json_encode` decides; else an object.
    fn into_value(self) -> Value {
        let listed = self.entries.iter().zip(0i64..).all(|((key, _), index)| *key == Key::Int(index));
        if listed {
            return Value::Array(self.entries.into_iter().map(|(_, node)| node.into_value()).collect());
        }
        let entries = self.entries.into_iter().map(|(key, node)| {
            let name = match key {
                Key::Int(number) => number.to_string(),
                Key::Text(text) => text,
            };
            (name, node.into_value())
        });
        Value::Object(entries.collect::<Map<_, _>>())
    }
}

impl Node {
    fn into_value(self) -> Value {
        match self {
            Node::Text(text) => Value::String(text),
            Node::Array(array) => array.into_value(),
        }
    }
}
