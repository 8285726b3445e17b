//! Dotted paths into an order's body, as the CRM's own answers write them: `products.0.price`.

use std::fmt;

use serde_json::{Map, Value};

/// A path on the way through a body. Its text is made where a problem needs it: most values have none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'a> {
    /// The body itself.
    Root,
    /// A field of a group.
    Field(&'a Path<'a>, &'a str),
    /// A line of a list.
    Line(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Path::Field(up, _) | Path::Line(up, _)) = self else { return Ok(()) };
        if !matches!(up, Path::Root) {
            write!(f, "{up}.")?;
        }
        match self {
            Path::Field(_, name) => f.write_str(name),
            Path::Line(_, line) => write!(f, "{line}"),
            Path::Root => Ok(()),
        }
    }
}

/// The value at a path.
#[must_use]
pub fn get<'a>(body: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (first, rest) = split(path);
    rest.iter().try_fold(body.get(first)?, |value, step| match value {
        Value::Object(map) => map.get(*step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Puts a value at a path and makes what is missing on the way; a list grows by one place at most.
///
/// # Errors
/// A path through a plain value, or past the end of a list.
pub fn set(body: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), String> {
    let (first, rest) = split(path);
    let mut place = body.entry(first).or_insert(Value::Null);
    for step in rest {
        if place.is_null() {
            *place = if step.parse::<usize>().is_ok() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        }
        place = match place {
            Value::Object(map) => map.entry(step).or_insert(Value::Null),
            Value::Array(items) => {
                let index: usize = step.parse().map_err(|_| format!("`{path}`: `{step}` is not a place in a list"))?;
                if index == items.len() {
                    items.push(Value::Null);
                }
                items.get_mut(index).ok_or_else(|| format!("`{path}`: the list is shorter"))?
            }
            _ => return Err(format!("`{path}`: `{step}` stands in a plain value")),
        };
    }
    *place = value;
    Ok(())
}

/// Takes the value at a path out; nothing happens where there is none.
pub fn remove(body: &mut Map<String, Value>, path: &str) {
    match path.rsplit_once('.') {
        None => {
            body.remove(path);
        }
        Some((parent, last)) => {
            let (first, rest) = split(parent);
            let mut place = body.get_mut(first);
            for step in rest {
                place = match place {
                    Some(Value::Object(map)) => map.get_mut(step),
                    Some(Value::Array(items)) => step.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
                    _ => None,
                };
            }
            match place {
                Some(Value::Object(map)) => {
                    map.remove(last);
                }
                Some(Value::Array(items)) => {
                    if let Some(index) = last.parse::<usize>().ok().filter(|index| *index < items.len()) {
                        items.remove(index);
                    }
                }
                _ => {}
            }
        }
    }
}

fn split(path: &str) -> (&str, Vec<&str>) {
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    (first, steps.collect())
}
