//! Finding a row by the name that a person wrote.

use super::Entry;
use crate::order::schema::distance;

/// What a name means in a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// Just this row.
    One(&'a Entry),
    /// Several rows have the name: their ids.
    Several(Vec<i64>),
    /// No row has it: the nearest names.
    Nothing(Vec<&'a str>),
}

/// Looks a row up by its name or alias, without regard to case; a name that is a number may be the id.
#[must_use]
pub fn find<'a>(entries: &'a [Entry], name: &str) -> Named<'a> {
    let wanted = folded(name);
    let fits = |entry: &&Entry| folded(&entry.name) == wanted || folded(&entry.alias) == wanted;
    let mut found: Vec<&Entry> = entries.iter().filter(fits).collect();
    if found.is_empty() {
        found.extend(name.trim().parse().ok().and_then(|id: i64| entries.iter().find(|entry| entry.id == id)));
    }
    match found.as_slice() {
        [entry] => Named::One(entry),
        [] => Named::Nothing(nearest(name, entries.iter().map(label))),
        several => Named::Several(several.iter().map(|entry| entry.id).collect()),
    }
}

/// The longest name that is compared with others.
const NAME_CHARS: usize = 64;

/// What people read of a row.
pub(super) fn label(entry: &Entry) -> &str {
    if entry.name.is_empty() { &entry.alias } else { &entry.name }
}

/// Up to three known names, the nearest first; only such as could be meant, or the first three of a short list.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // A name is short; what is long is no slip of the pen, and would cost time to compare.
    if name.chars().count() > NAME_CHARS {
        return Vec::new();
    }
    let wanted = folded(name);
    let mut scored: Vec<(usize, &str)> =
        known.map(|candidate| (distance(&wanted, &folded(candidate)), candidate)).collect();
    scored.sort();
    let short = scored.len() <= 6;
    let near = |(steps, candidate): &(usize, &str)| short || *steps <= 2 + candidate.chars().count() / 2;
    scored.into_iter().filter(near).take(3).map(|(_, candidate)| candidate).collect()
}

pub(super) fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
