//! Custom fields: they must exist for orders (or for cards), and a value must fit its field's type.

use serde_json::{Map, Value};

use super::check::names_hint;
use super::names::{folded, nearest};
use super::{Dictionary, Field};
use crate::convert::{Locale, boolean, is_empty, moment, plain, url};
use crate::order::{Draft, Target};
use crate::problem::{Code, Effect, Problem};

/// Checks each line of `custom_fields`; a line that does not fit is left out, and its text goes to the manager's comment.
pub(super) fn apply(draft: &mut Draft, body: &mut Map<String, Value>, dictionary: &Dictionary, locale: &Locale) {
    let Some(Value::Array(lines)) = body.get_mut("custom_fields") else { return };
    let mut kept = Vec::with_capacity(lines.len());
    for (index, line) in std::mem::take(lines).into_iter().enumerate() {
        let Value::Object(mut line) = line else { continue };
        match one(draft.target, &mut line, dictionary, locale) {
            Ok(()) => kept.push(Value::Object(line)),
            // It can be looked up later: the line stays for then.
            Err(problem) if problem.effect == Effect::Hold => {
                kept.push(Value::Object(line));
                draft.problems.push(Problem { path: format!("custom_fields.{index}.{}", problem.path), ..problem });
            }
            Err(problem) => {
                let path = format!("custom_fields.{index}.{}", problem.path);
                let label = line.get("name").or_else(|| line.get("uuid")).and_then(plain).unwrap_or_default();
                let text = line.get("value").and_then(plain).unwrap_or_default();
                draft.left_out.push((path.clone(), format!("{label}: {text}")));
                draft.problems.push(Problem { path, ..problem });
            }
        }
    }
    if kept.is_empty() {
        body.remove("custom_fields");
    } else {
        body.insert("custom_fields".into(), Value::Array(kept));
    }
}

fn one(target: Target, line: &mut Map<String, Value>, dictionary: &Dictionary, locale: &Locale) -> Result<(), Problem> {
    let uuid = line.get("uuid").and_then(plain).filter(|text| !text.is_empty());
    let name = line.get("name").and_then(plain).filter(|text| !text.is_empty());
    let Some(fields) = dictionary.fields() else {
        // A uuid needs no dictionary.
        return match (uuid, name) {
            (None, Some(name)) => Err(problem(
                "name",
                Code::DictionaryMissing,
                Effect::Hold,
                format!("the custom field `{name}` cannot be looked up: the account's dictionaries are not known yet"),
                "They are fetched as soon as the CRM answers; the order then goes by itself.".into(),
            )),
            _ => {
                line.remove("name");
                Ok(())
            }
        };
    };
    let Some(field) = field(target, fields, uuid.as_deref(), name.as_deref())? else { return Ok(()) };
    line.insert("uuid".into(), Value::String(field.uuid.clone()));
    line.remove("name");
    if let Some(value) = line.get("value").filter(|value| !is_empty(value)) {
        let fitted = fit(field, value, locale)?;
        line.insert("value".into(), fitted);
    }
    Ok(())
}

/// The field that a line means; none for a line that names no field, which the order's own rules see.
fn field<'a>(
    target: Target,
    fields: &'a [Field],
    uuid: Option<&str>,
    name: Option<&str>,
) -> Result<Option<&'a Field>, Problem> {
    let model = target.model();
    let here = || fields.iter().filter(|field| field.model == model);
    let (key, wanted, found): (_, _, Vec<&Field>) = match (uuid, name) {
        (Some(uuid), _) => ("uuid", uuid, fields.iter().filter(|field| field.uuid == uuid).collect()),
        (None, Some(name)) => ("name", name, here().filter(|field| folded(&field.name) == folded(name)).collect()),
        (None, None) => return Ok(None),
    };
    match found.as_slice() {
        [field] if field.model == model => Ok(Some(field)),
        [field] => {
            let message = format!("the custom field `{wanted}` belongs to `{}`, not to `{model}`", field.model);
            let hint = "Take a field of the right kind in the CRM's settings.".into();
            Err(problem(key, Code::NotInAccount, Effect::Mend, message, hint))
        }
        [] => {
            let near = if key == "uuid" {
                nearest(wanted, here().map(|field| field.uuid.as_str()))
            } else {
                nearest(wanted, here().map(|field| field.name.as_str()))
            };
            let message = format!("the account has no custom field `{wanted}` for `{model}`");
            Err(problem(key, Code::NotInAccount, Effect::Mend, message, names_hint(&near)))
        }
        several => {
            let uuids: Vec<&str> = several.iter().map(|field| field.uuid.as_str()).collect();
            let message = format!("the account has several custom fields `{wanted}`: {}", uuids.join(", "));
            let hint = format!("Name one by its uuid: uuid = \"{}\".", uuids[0]);
            Err(problem(key, Code::AmbiguousName, Effect::Mend, message, hint))
        }
    }
}

/// Rule 7: a select takes an array of strings out of its options; other types take one text of their form.
fn fit(field: &Field, value: &Value, locale: &Locale) -> Result<Value, Problem> {
    let text = plain(value).unwrap_or_default();
    let misfit = |code, message: String, hint: &str| problem("value", code, Effect::Mend, message, hint.to_owned());
    let of = |misfitting: crate::convert::Misfit| misfit(misfitting.code, misfitting.message, misfitting.hint);
    match field.kind.as_str() {
        "select" => select(field, value),
        "number" | "float" => {
            let clean = text.replace(',', ".").replace(char::is_whitespace, "");
            let number: Option<rust_decimal::Decimal> = clean.parse().ok();
            number.map(|number| Value::String(number.normalize().to_string())).ok_or_else(|| {
                misfit(Code::InvalidNumber, format!("`{text}` is not a number, and the field `{}` is", field.name), "")
            })
        }
        "date" | "datetime" if locale.keep_dates => moment(&text, &locale.zone).map(|_| value.clone()).map_err(of),
        "date" => moment(&text, &locale.zone).map(|at| Value::String(at.for_date(&locale.zone))).map_err(of),
        "datetime" => moment(&text, &locale.zone).map(|at| Value::String(at.for_datetime())).map_err(of),
        "switcher" => boolean(value).map(Value::Bool).map_err(of),
        "link" => url(&text).map(Value::String).map_err(of),
        "text" | "textarea" => Ok(Value::String(text)),
        // A type that this version does not know: as it came.
        _ => Ok(value.clone()),
    }
}

fn select(field: &Field, value: &Value) -> Result<Value, Problem> {
    let chosen: Vec<String> = match value {
        Value::Array(items) => items.iter().filter(|item| !is_empty(item)).filter_map(plain).collect(),
        other => plain(other).into_iter().collect(),
    };
    if chosen.len() > 1 && !field.multiple {
        let message = format!("the field `{}` takes one option, and {} came", field.name, chosen.len());
        return Err(problem("value", Code::InvalidOption, Effect::Mend, message, "Send one of them.".into()));
    }
    let mut kept = Vec::with_capacity(chosen.len());
    for text in chosen {
        // A field whose options are not listed takes what comes: the CRM decides.
        let known = field.options.iter().find(|option| folded(option) == folded(&text));
        if known.is_none() && !field.options.is_empty() {
            let near = nearest(&text, field.options.iter().map(String::as_str));
            let message = format!("the field `{}` has no option `{text}`", field.name);
            return Err(problem("value", Code::InvalidOption, Effect::Mend, message, names_hint(&near)));
        }
        kept.push(Value::String(known.cloned().unwrap_or(text)));
    }
    Ok(Value::Array(kept))
}

fn problem(path: &str, code: Code, effect: Effect, message: String, hint: String) -> Problem {
    Problem::new(path, code, effect, message, hint)
}

impl Target {
    /// The CRM's word for what a custom field belongs to.
    fn model(self) -> &'static str {
        match self {
            Target::Order => "order",
            Target::Card => "lead",
        }
    }
}
