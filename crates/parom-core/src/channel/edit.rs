//! Changes of a channel file as a person would make them: comments, order and spelling of all else stay.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use crate::limits;
use crate::order::Target;
use crate::order::schema::{self, Shape};

/// One field of a channel file's mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As the file has it, with the number of a line of a list: `order.products.0.price`.
    pub path: String,
    /// What the file says; empty where it says nothing.
    pub value: String,
}

/// Every field that a target has, with what the file says; of each list one line more than there are.
///
/// # Errors
/// A file that is no TOML, in words.
pub fn lines(text: &str, target: Target) -> Result<Vec<Line>, String> {
    let document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let group = document.get(target.as_str()).and_then(Item::as_table_like);
    let mut found = Vec::new();
    collect(group, schema::of(target), target.as_str(), &mut found);
    Ok(found)
}

fn collect(table: Option<&dyn TableLike>, group: &'static [schema::Entry], path: &str, found: &mut Vec<Line>) {
    for entry in group {
        let item = table.and_then(|table| table.get(entry.name));
        let place = format!("{path}.{}", entry.name);
        match &entry.shape {
            Shape::Value { .. } => found.push(Line { path: place, value: item.map(shown).unwrap_or_default() }),
            Shape::Object(inner) => collect(item.and_then(Item::as_table_like), inner, &place, found),
            Shape::List(inner) => {
                let tables = item.and_then(Item::as_array_of_tables);
                let count = tables.map_or(0, ArrayOfTables::len);
                for at in 0..=count {
                    let table = tables.and_then(|tables| tables.get(at)).map(|table| table as &dyn TableLike);
                    let place = format!("{place}.{at}");
                    let each = table.and_then(|table| table.get("each")).map(shown).unwrap_or_default();
                    found.push(Line { path: format!("{place}.each"), value: each });
                    collect(table, inner, &place, found);
                }
            }
        }
    }
}

fn shown(item: &Item) -> String {
    item.as_str().map_or_else(|| item.to_string().trim().to_owned(), str::to_owned)
}

/// The file with other values at some places: an empty one takes the field out, and a line of a list with its last field.
///
/// # Errors
/// A file that is no TOML, or a place that no channel has, in words.
pub fn edited(text: &str, changes: &[(String, String)]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let (mut removals, sets): (Vec<_>, Vec<_>) = changes.iter().partition(|(_, value)| value.is_empty());
    // From the last line of a list to the first: taking one out must not move those that are still to be changed.
    removals.sort_by_key(|(path, _)| std::cmp::Reverse(numbers(path)));
    for (path, value) in sets.into_iter().chain(removals) {
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() < 2 || steps.iter().any(|step| step.is_empty()) || Target::parse(steps[0]).is_none() {
            return Err(format!("a mapping has no place `{path}`"));
        }
        put(document.as_table_mut(), &steps, value).map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(document.to_string())
}

fn numbers(path: &str) -> Vec<usize> {
    path.split('.').filter_map(|step| step.parse().ok()).collect()
}

fn put(table: &mut dyn TableLike, steps: &[&str], value: &str) -> Result<(), String> {
    let [name, rest @ ..] = steps else { return Ok(()) };
    match rest {
        [] => set(table, name, value),
        [number, inner @ ..] if !inner.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            let at: usize = number.parse().map_err(|_| "no such line".to_owned())?;
            list(table, name, at, inner, value)
        }
        _ => {
            if table.get(name).is_none() {
                if value.is_empty() {
                    return Ok(());
                }
                table.insert(name, Item::Table(Table::new()));
            }
            let inner = table.get_mut(name).and_then(Item::as_table_like_mut);
            put(inner.ok_or_else(|| format!("`{name}` is no group in the file"))?, rest, value)
        }
    }
}

fn list(table: &mut dyn TableLike, name: &str, at: usize, rest: &[&str], value: &str) -> Result<(), String> {
    if at >= limits::ORDER_LINES {
        return Err("more lines than an order may have".into());
    }
    if table.get(name).is_none() {
        if value.is_empty() {
            return Ok(());
        }
        table.insert(name, Item::ArrayOfTables(ArrayOfTables::new()));
    }
    let lines = table.get_mut(name).and_then(Item::as_array_of_tables_mut);
    let lines =
        lines.ok_or_else(|| format!("`{name}` is no list of [[tables]] in the file: change the text itself"))?;
    if at >= lines.len() {
        if value.is_empty() {
            return Ok(());
        }
        lines.push(Table::new());
    }
    let at = at.min(lines.len() - 1);
    if let Some(line) = lines.get_mut(at) {
        put(line, rest, value)?;
        if line.is_empty() {
            lines.remove(at);
        }
    }
    Ok(())
}

fn set(table: &mut dyn TableLike, name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        table.remove(name);
        return Ok(());
    }
    if table.get(name).is_some_and(|item| shown(item) == value) {
        return Ok(());
    }
    let old = table.get(name).and_then(Item::as_value).cloned();
    let mut new = written(value, old.as_ref());
    if let Some(old) = &old {
        *new.decor_mut() = old.decor().clone();
    }
    match table.get_mut(name) {
        Some(item) if item.is_value() => *item = Item::Value(new),
        Some(_) => return Err(format!("`{name}` is a group in the file")),
        None => drop(table.insert(name, Item::Value(new))),
    }
    Ok(())
}

/// A number, yes or no, or a list where it reads as one and the file had no text there; else a text.
fn written(value: &str, old: Option<&Value>) -> Value {
    let read: Option<Value> = value.trim().parse().ok();
    match read {
        Some(list @ Value::Array(_)) => list,
        Some(plain @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_))) if !old.is_some_and(Value::is_str) => {
            plain
        }
        _ => Value::from(value),
    }
}
