//! What an expression sees: the roots `form`, `query`, `cookies`, `page`, `received_at` and `item`; a bare name is sugar
//! for `form.name`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::Value as Context;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde_json::{Number, Value};

use super::branch::Branches;
use crate::convert::Locale;
use crate::novaposhta::Directory;
use crate::submission::{Submission, embedded_json};

/// The name under which filters find the locale; no expression can spell it.
pub(super) const LOCALE: &str = "locale of the channel";
/// The same for the directory of branches.
pub(super) const BRANCHES: &str = "branches of the carrier";

/// The roots. Their values are shared: a copy costs little, whatever was submitted.
#[derive(Clone, Debug)]
pub(super) struct Root {
    form: Context,
    query: Context,
    cookies: Context,
    page: Context,
    received_at: Context,
    item: Option<Context>,
    locale: Context,
    branches: Context,
}

/// The channel's locale, for filters.
#[derive(Debug)]
pub(super) struct LocaleValue(pub(super) Locale);

/// An object of the form: the fields of its tree, each with its place among them, and the names as the sender wrote them
/// where the tree has no such field.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: HashMap<String, (usize, Context)>,
    flat: HashMap<String, Context>,
}

/// A text that is itself JSON: it prints as the text and opens as the tree.
pub(super) struct JsonText {
    pub(super) text: String,
    tree: Context,
}

/// The roots of a submission.
pub(super) fn root(submission: &Submission, locale: &Locale, directory: Option<&Arc<Directory>>) -> Root {
    let pairs = |pairs: &[(String, String)]| {
        Context::from_object(Fields::of(pairs.iter().map(|(name, value)| (name, Context::from(value.as_str())))))
    };
    Root {
        form: form(submission),
        query: pairs(&submission.query),
        cookies: pairs(&submission.cookies),
        page: Context::from(submission.page.as_str()),
        received_at: Context::from(submission.received_at.to_string()),
        item: None,
        locale: Context::from_object(LocaleValue(locale.clone())),
        branches: Context::from_object(Branches::new(directory)),
    }
}

/// The context where nothing came.
pub(super) fn nothing() -> Context {
    let locale = Locale { zone: TimeZone::UTC, region: "UA".to_owned(), keep_dates: false };
    root(&Submission::empty(Timestamp::UNIX_EPOCH), &locale, None).context(None)
}

impl Root {
    /// What a person wrote of a branch, where a filter was asked about it.
    pub(super) fn branch_text(&self) -> String {
        self.branches.downcast_object_ref::<Branches>().map(Branches::text).unwrap_or_default()
    }

    /// The context of an evaluation; `item` is the one of a list, in its line.
    pub(super) fn context(&self, item: Option<Context>) -> Context {
        Context::from_object(Root { item, ..self.clone() })
    }
}

fn form(submission: &Submission) -> Context {
    match &submission.form {
        Value::Object(map) => {
            let mut fields = Fields::of(map.iter().map(|(name, value)| (name, lift(value))));
            for (name, value) in &submission.flat {
                if !fields.fields.contains_key(name) {
                    fields.flat.insert(name.clone(), text(value));
                }
            }
            Context::from_object(fields)
        }
        other => lift(other),
    }
}

/// A JSON value as the expressions see it. Numbers that are no integers become floats; their shortest text is the decimal
/// that was sent (up to 15 digits), and the conversion to money goes through that text.
pub(super) fn lift(value: &Value) -> Context {
    match value {
        // A null is no value, as a name that is not there: it prints as nothing, and not as a word.
        Value::Null => Context::UNDEFINED,
        Value::Bool(flag) => Context::from(*flag),
        Value::Number(number) => lift_number(number),
        Value::String(value) => text(value),
        Value::Array(items) => Context::from(items.iter().map(lift).collect::<Vec<_>>()),
        Value::Object(map) => Context::from_object(Fields::of(map.iter().map(|(name, value)| (name, lift(value))))),
    }
}

fn lift_number(number: &Number) -> Context {
    if let Some(whole) = number.as_i64() {
        return Context::from(whole);
    }
    let digits = number.to_string();
    match digits.parse::<f64>() {
        Ok(float) if float.is_finite() && digits.len() <= 16 => Context::from(float),
        _ => Context::from(digits),
    }
}

fn text(value: &str) -> Context {
    match embedded_json(value) {
        Some(tree) => Context::from_object(JsonText { text: value.to_owned(), tree: lift(&tree) }),
        None => Context::from(value),
    }
}

impl Fields {
    /// Of a name that comes twice the last one counts.
    fn of<'a>(fields: impl ExactSizeIterator<Item = (&'a String, Context)>) -> Fields {
        let mut kept = HashMap::with_capacity(fields.len());
        for (place, (name, value)) in fields.enumerate() {
            kept.insert(name.clone(), (place, value));
        }
        Fields { fields: kept, flat: HashMap::new() }
    }
}

impl Object for Root {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Context) -> Option<Context> {
        match key.as_str()? {
            "form" => Some(self.form.clone()),
            "query" => Some(self.query.clone()),
            "cookies" => Some(self.cookies.clone()),
            "page" => Some(self.page.clone()),
            "received_at" => Some(self.received_at.clone()),
            "item" if self.item.is_some() => self.item.clone(),
            LOCALE => Some(self.locale.clone()),
            BRANCHES => Some(self.branches.clone()),
            _ => self.form.get_item(key).ok().filter(|value| !value.is_undefined()),
        }
    }
}

impl Object for LocaleValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Object for Fields {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Context) -> Option<Context> {
        // PHP's numeric keys are names here, so `form.lines[5]` and `form.lines["5"]` are the same place.
        let number = key.is_number().then(|| key.as_i64()).flatten().map(|number| number.to_string());
        let name = number.as_deref().or_else(|| key.as_str())?;
        self.fields.get(name).map(|(_, value)| value).or_else(|| self.flat.get(name)).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<(usize, &String)> = self.fields.iter().map(|(name, (place, _))| (*place, name)).collect();
        names.sort_unstable();
        Enumerator::Values(names.into_iter().map(|(_, name)| Context::from(name.as_str())).collect())
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Object for JsonText {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.tree.kind() == minijinja::value::ValueKind::Seq { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &Context) -> Option<Context> {
        self.tree.get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.tree.try_iter() {
            Ok(_) if self.repr() == ObjectRepr::Seq => Enumerator::Seq(self.tree.len().unwrap_or_default()),
            Ok(keys) => Enumerator::Values(keys.collect()),
            Err(_) => Enumerator::Empty,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
