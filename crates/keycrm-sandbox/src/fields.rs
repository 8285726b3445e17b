//! Reads one JSON object key by key, collecting Laravel-shaped errors and keeping what is valid.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::amount::Amount;
use crate::dates;

/// Texts by field path, in the order of finding: `{"buyer.email": ["The buyer.email must be …"]}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldErrors(Map<String, Value>);

impl FieldErrors {
    pub(crate) fn one(path: &str, text: &str) -> Self {
        let mut errors = Self::default();
        errors.add(path, text);
        errors
    }

    pub(crate) fn add(&mut self, path: &str, text: &str) {
        let texts = self.0.entry(path).or_insert_with(|| json!([]));
        if let Value::Array(texts) = texts {
            texts.push(json!(text));
        }
    }

    /// Another's texts, below a place of their own.
    pub(crate) fn add_all(&mut self, prefix: &str, other: &FieldErrors) {
        for (path, texts) in &other.0 {
            self.0.insert(format!("{prefix}{path}"), texts.clone());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body of a 422.
    pub(crate) fn to_json(&self) -> Value {
        json!({"message": "The given data was invalid.", "errors": self.0})
    }
}

/// Laravel turns empty strings into null before it validates, and null into absence for optional fields.
pub(crate) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// One object under reading; `kept` is what will be stored.
pub(crate) struct Fields<'a, 'e> {
    input: &'a Map<String, Value>,
    prefix: String,
    pub(crate) errors: &'e mut FieldErrors,
    pub(crate) kept: Map<String, Value>,
}

impl<'a, 'e> Fields<'a, 'e> {
    pub(crate) fn new(input: &'a Map<String, Value>, prefix: String, errors: &'e mut FieldErrors) -> Self {
        Self { input, prefix, errors, kept: Map::new() }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.input.get(key).filter(|value| !is_absent(value))
    }

    /// The field's dotted path, and its name as Laravel writes it in a sentence.
    pub(crate) fn names(&self, key: &str) -> (String, String) {
        let path = format!("{}{key}", self.prefix);
        // Laravel writes `source_id` as "source id", but leaves a nested path alone.
        let spoken = if self.prefix.is_empty() { path.replace('_', " ") } else { path.clone() };
        (path, spoken)
    }

    /// Adds "The selected … is invalid."
    pub(crate) fn refuse_choice(&mut self, key: &str) {
        let (path, spoken) = self.names(key);
        self.errors.add(&path, &format!("The selected {spoken} is invalid."));
    }

    /// Whether the body sends the key to empty it.
    pub(crate) fn clears(&self, key: &str) -> bool {
        self.input.get(key).is_some_and(is_absent)
    }

    /// Adds "The … {rest}".
    pub(crate) fn refuse(&mut self, key: &str, rest: &str) {
        let (path, spoken) = self.names(key);
        self.errors.add(&path, &format!("The {spoken} {rest}"));
    }

    /// A string; numbers are accepted and kept as text.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        let text = match self.get(key)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.refuse(key, "must be a string.");
                return None;
            }
        };
        self.kept.insert(key.to_owned(), Value::String(text.clone()));
        Some(text)
    }

    pub(crate) fn texts(&mut self, keys: &[&str]) {
        for key in keys {
            self.text(key);
        }
    }

    /// A number or a numeric string, kept as a number.
    pub(crate) fn amount(&mut self, key: &str) -> Option<Amount> {
        let value = self.get(key)?;
        let Some(amount) = Amount::from_json(value) else {
            self.refuse(key, "must be a number.");
            return None;
        };
        self.kept.insert(key.to_owned(), amount.to_json());
        Some(amount)
    }

    /// A whole number or its digits as a string.
    pub(crate) fn integer(&mut self, key: &str) -> Option<i64> {
        let number = match self.get(key)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.refuse(key, "must be an integer.");
            return None;
        };
        self.kept.insert(key.to_owned(), json!(number));
        Some(number)
    }

    /// An integer that `is_known` accepts.
    pub(crate) fn choice(&mut self, key: &str, is_known: impl FnOnce(u32) -> bool) -> Option<u32> {
        let number = self.integer(key)?;
        let id = u32::try_from(number).ok().filter(|id| is_known(*id));
        if id.is_none() {
            self.refuse_choice(key);
        }
        id
    }

    /// `true`, `false`, and what Laravel takes for them.
    pub(crate) fn boolean(&mut self, key: &str) {
        let Some(value) = self.get(key) else { return };
        let meant = match value {
            Value::Bool(meant) => Some(*meant),
            Value::Number(number) => number.as_i64().filter(|n| (0..=1).contains(n)).map(|n| n == 1),
            Value::String(text) => [("1", true), ("0", false)].iter().find(|(t, _)| t == text).map(|(_, m)| *m),
            _ => None,
        };
        match meant {
            Some(meant) => {
                self.kept.insert(key.to_owned(), json!(meant));
            }
            None => self.refuse(key, "field must be true or false."),
        }
    }

    /// A date with time, kept in the ISO form.
    pub(crate) fn instant(&mut self, key: &str) -> Option<jiff::Timestamp> {
        let at = self.date(key)?;
        self.kept.insert(key.to_owned(), json!(dates::iso(at)));
        Some(at)
    }

    /// A plain date.
    pub(crate) fn day(&mut self, key: &str) {
        if let Some(at) = self.date(key) {
            self.kept.insert(key.to_owned(), json!(dates::day(at)));
        }
    }

    fn date(&mut self, key: &str) -> Option<jiff::Timestamp> {
        // The database behind the CRM keeps dates of these years alone.
        let keepable = |at: &jiff::Timestamp| (1000..=9999).contains(&TimeZone::UTC.to_datetime(*at).year());
        let parsed = self.get(key)?.as_str().and_then(dates::parse).filter(keepable);
        if parsed.is_none() {
            self.refuse(key, "is not a valid date.");
        }
        parsed
    }

    /// A nested object; Laravel calls it an array.
    pub(crate) fn object(&mut self, key: &str) -> Option<&'a Map<String, Value>> {
        let value = self.get(key)?;
        if !value.is_object() {
            self.refuse(key, "must be an array.");
        }
        value.as_object()
    }

    /// The objects of a list; a member that is no object is refused.
    pub(crate) fn list(&mut self, key: &str) -> Vec<&'a Map<String, Value>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(members) = value.as_array() else {
            self.refuse(key, "must be an array.");
            return Vec::new();
        };
        let mut objects = Vec::with_capacity(members.len());
        for (at, member) in members.iter().enumerate() {
            match member.as_object() {
                Some(object) => objects.push(object),
                None => self.refuse(&format!("{key}.{at}"), "must be an array."),
            }
        }
        objects
    }
}
