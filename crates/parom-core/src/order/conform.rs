//! Walks a raw body by the schema: converts each value to its field's kind, leaves empty ones out, names misfits.

use serde_json::{Map, Value};

use super::schema::{self, Entry, Shape};
use super::{Draft, Path, Target};
use crate::convert::{Locale, convert, is_empty, plain};
use crate::limits;
use crate::problem::{Code, Effect, Problem};

/// The draft of a raw body. Keys that the schema does not know go as they are: the CRM has fields that its own document
/// leaves out (`tags`), and drops what it does not know.
#[must_use]
pub fn conform(target: Target, raw: &Map<String, Value>, locale: &Locale) -> Draft {
    let mut draft = conform_to(schema::of(target), raw, locale);
    draft.target = target;
    draft
}

/// The draft of a raw body by other entries than an order's.
#[must_use]
pub(crate) fn conform_to(entries: &'static [Entry], raw: &Map<String, Value>, locale: &Locale) -> Draft {
    let mut draft = Draft::default();
    let body = group(entries, raw, &Path::Root, locale, &mut draft);
    draft.body = body;
    draft
}

fn group(
    entries: &'static [Entry],
    raw: &Map<String, Value>,
    path: &Path<'_>,
    locale: &Locale,
    draft: &mut Draft,
) -> Map<String, Value> {
    let place = |name: &str| entries.iter().position(|entry| entry.name == name);
    let mut fields: Vec<_> = raw.iter().map(|(name, value)| (place(name), name, value)).collect();
    // In the schema's order, and behind it what the schema does not know.
    fields.sort_by_key(|(place, ..)| place.unwrap_or(entries.len()));
    let mut out = Map::with_capacity(fields.len());
    for (place, name, value) in fields {
        match place {
            Some(place) if !is_empty(value) => {
                if let Some(kept) = one(&entries[place].shape, value, &Path::Field(path, name), locale, draft) {
                    out.insert(name.clone(), kept);
                }
            }
            None if !value.is_null() => {
                out.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
    out
}

fn one(shape: &Shape, value: &Value, path: &Path<'_>, locale: &Locale, draft: &mut Draft) -> Option<Value> {
    match (shape, value) {
        (Shape::Value { kind, vital }, value) => match convert(*kind, value, locale) {
            Ok(kept) => Some(kept),
            Err(misfit) => {
                let effect = if *vital { Effect::Hold } else { Effect::Mend };
                draft.problems.push(Problem::new(path.to_string(), misfit.code, effect, misfit.message, misfit.hint));
                let text = plain(value).unwrap_or_else(|| value.to_string());
                draft.left_out.push((path.to_string(), text));
                None
            }
        },
        (Shape::Object(entries), Value::Object(raw)) => {
            let kept = group(entries, raw, path, locale, draft);
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        (Shape::List(entries), Value::Array(items)) => list(entries, items.iter(), path, locale, draft),
        // PHP sends a sparse or named array as an object.
        (Shape::List(entries), Value::Object(map)) if map.values().all(Value::is_object) => {
            list(entries, map.values(), path, locale, draft)
        }
        _ => {
            let wanted = if matches!(shape, Shape::List(_)) { "a list of groups" } else { "a group of fields" };
            let message = format!("this is not {wanted}");
            draft.problems.push(Problem::new(
                path.to_string(),
                Code::WrongShape,
                Effect::Hold,
                message,
                "See the CRM's fields.",
            ));
            None
        }
    }
}

fn list<'a>(
    entries: &'static [Entry],
    items: impl ExactSizeIterator<Item = &'a Value>,
    path: &Path<'_>,
    locale: &Locale,
    draft: &mut Draft,
) -> Option<Value> {
    if items.len() > limits::ORDER_LINES {
        let message = format!("more than {} lines", limits::ORDER_LINES);
        draft.problems.push(Problem::new(path.to_string(), Code::TooLong, Effect::Hold, message, "Split the order."));
        return None;
    }
    let mut kept = Vec::with_capacity(items.len());
    for item in items.filter(|item| !is_empty(item)) {
        let place = Path::Line(path, kept.len());
        match item {
            Value::Object(raw) => {
                let line = group(entries, raw, &place, locale, draft);
                // A line whose every value was bad keeps its place, so that later paths still point at their own line.
                kept.push(Value::Object(line));
            }
            _ => {
                let message = "this line is not a group of fields";
                draft.problems.push(Problem::new(
                    place.to_string(),
                    Code::WrongShape,
                    Effect::Hold,
                    message,
                    "See the CRM's fields.",
                ));
            }
        }
    }
    (!kept.is_empty()).then_some(Value::Array(kept))
}
