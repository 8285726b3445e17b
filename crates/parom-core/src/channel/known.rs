//! A channel file beside the account's dictionaries: what it names by a constant must be there.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::finding::{Finding, Findings, Severity};
use super::{Channel, constant};
use crate::dictionary::{self, Dictionary, UnknownSku};
use crate::order::{Draft, Target};
use crate::problem::{Code, Effect};

/// What the file's constants name that the account does not have. Expressions are known only when an order comes.
#[must_use]
pub fn check_known(channel: &Channel, text: &str, dictionary: &Dictionary) -> Vec<Finding> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let mut findings = Findings::new(text);
    for target in [Target::Order, Target::Card] {
        let Some(DeValue::Table(rules)) = table.get_ref().get(target.as_str()).map(|rules| rules.get_ref()) else {
            continue;
        };
        let mut places = HashMap::new();
        let body = constants(rules, "", &mut places);
        let mut draft = Draft { body, target, ..Draft::default() };
        dictionary::apply(&mut draft, Some(dictionary), UnknownSku::Warn, &channel.locale());
        for problem in draft.problems {
            let at = place(&places, &problem.path);
            let path = format!("{}.{}", target.as_str(), problem.path);
            let severity = if problem.effect == Effect::Warn { Severity::Warning } else { Severity::Error };
            findings.add(severity, at, &path, problem.code, problem.message, &problem.hint);
        }
    }
    findings.found
}

/// The nearest place in the file: a problem may be about a group whose field came from elsewhere.
fn place(places: &HashMap<String, Range<usize>>, path: &str) -> Range<usize> {
    let mut path = path;
    loop {
        if let Some(at) = places.get(path) {
            return at.clone();
        }
        match path.rsplit_once('.') {
            Some((parent, _)) => path = parent,
            None => return 0..0,
        }
    }
}

fn constants(table: &DeTable<'_>, prefix: &str, places: &mut HashMap<String, Range<usize>>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let path = format!("{prefix}{name}");
        if name == "each" {
            continue;
        }
        places.insert(path.clone(), value.span());
        if let Some(value) = one(value.get_ref(), &path, places) {
            out.insert(name.to_owned(), if name.ends_with("_id") { id(value) } else { value });
        }
    }
    out
}

/// An id may be written as a text.
fn id(value: Value) -> Value {
    match value.as_str().and_then(|text| text.trim().parse::<i64>().ok()) {
        Some(number) => Value::from(number),
        None => value,
    }
}

fn one(value: &DeValue<'_>, path: &str, places: &mut HashMap<String, Range<usize>>) -> Option<Value> {
    match value {
        DeValue::String(text) if text.contains("{{") => None,
        DeValue::Table(table) => Some(Value::Object(constants(table, &format!("{path}."), places))),
        DeValue::Array(items) => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let place = format!("{path}.{index}");
                places.insert(place.clone(), item.span());
                // A line without constants keeps its place, so that the next ones keep theirs.
                kept.push(one(item.get_ref(), &place, places).unwrap_or_else(|| Value::Object(Map::new())));
            }
            let words: Vec<Value> = kept.iter().filter(|item| !item.is_object()).cloned().collect();
            Some(Value::Array(if words.is_empty() { kept } else { words }))
        }
        plain => constant(plain),
    }
}

/// The account's rate as the CRM grants it, beside what is configured: a finding where that is too much.
#[must_use]
pub fn check_rate(configured: u32, granted: Option<u32>) -> Option<(Code, String, &'static str)> {
    let granted = granted.filter(|granted| configured > *granted)?;
    let message = format!("requests_per_minute is {configured}, and the CRM grants {granted}");
    Some((Code::RateAboveGrant, message, "Set it a little below what is granted: 54 of 60."))
}
