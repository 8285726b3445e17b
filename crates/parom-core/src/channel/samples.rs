//! A channel file beside what really came: a name that no sample has is likely mistyped.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::Channel;
use super::finding::{Finding, Findings};
use crate::mapping::Expr;
use crate::order::Target;
use crate::order::schema::nearest;
use crate::problem::Code;
use crate::submission::Submission;

/// Names that every submission has.
const ROOTS: [&str; 6] = ["query", "cookies", "page", "received_at", "item", "form"];

/// Fields that the picker of branches adds where its script runs: a sample that came without it has none of them.
const PICKED: [&str; 2] = ["np_settlement_ref", "np_warehouse_ref"];

/// Warnings about names of the file that none of the samples has. Without samples there are none.
#[must_use]
pub fn check_samples(channel: &Channel, text: &str, samples: &[Submission]) -> Vec<Finding> {
    let known: BTreeSet<String> = samples.iter().flat_map(|sample| fields(channel, sample)).collect();
    let (Ok(table), false) = (DeTable::parse(text), known.is_empty()) else {
        return Vec::new();
    };
    let mut look = Look { known, samples: samples.len(), findings: Findings::new(text) };
    for target in [Target::Order, Target::Card] {
        if let Some(rules) = table.get_ref().get(target.as_str()) {
            look.value(rules.get_ref(), rules.span(), target.as_str());
        }
    }
    look.findings.found
}

/// The form's fields that a channel file reads, in its order: what the inputs of a form for it are called.
#[must_use]
pub fn field_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let table: toml::Table = text.parse().unwrap_or_default();
    for target in [Target::Order, Target::Card] {
        if let Some(rules) = table.get(target.as_str()) {
            collect(rules, &mut names);
        }
    }
    names
}

fn collect(value: &toml::Value, names: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(_, value)| collect(value, names)),
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        toml::Value::String(text) => {
            for name in Expr::parse(text).map(|expr| expr.names()).unwrap_or_default() {
                let field = form_field(&name);
                if !ROOTS.contains(&field) && !names.iter().any(|known| known == field) {
                    names.push(field.to_owned());
                }
            }
        }
        _ => {}
    }
}

/// The field of the form that a name starts from.
fn form_field(name: &str) -> &str {
    match name.split_once('.') {
        Some(("form", rest)) => rest.split('.').next().unwrap_or(rest),
        Some((root, _)) => root,
        None => name,
    }
}

/// The names of a sample: of its tree as the mapping reads it, and as the sender wrote them.
fn fields(channel: &Channel, sample: &Submission) -> Vec<String> {
    let shaped = channel.shaped(sample);
    let tree = shaped.form.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    tree.chain(sample.flat.iter().map(|(name, _)| name.clone())).collect()
}

struct Look<'t> {
    known: BTreeSet<String>,
    samples: usize,
    findings: Findings<'t>,
}

impl Look<'_> {
    fn value(&mut self, value: &DeValue<'_>, at: Range<usize>, path: &str) {
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    self.value(value.get_ref(), value.span(), &format!("{path}.{}", key.get_ref()));
                }
            }
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item.get_ref(), item.span(), &format!("{path}.{index}"));
                }
            }
            DeValue::String(text) => {
                if let Ok(expr) = Expr::parse(text) {
                    expr.names().iter().for_each(|name| self.name(name, at.clone(), path));
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &str, at: Range<usize>, path: &str) {
        let field = form_field(name);
        // Marks come with some visits and not with others.
        if ROOTS.contains(&field) || self.known.contains(field) || field.starts_with("utm_") || PICKED.contains(&field)
        {
            return;
        }
        let message = format!("`{field}` is in none of the {} saved samples", self.samples);
        let hint = match nearest(field, self.known.iter().map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "Look at what came: parom channel samples NAME.".to_owned(),
        };
        self.findings.warn(at, path, Code::NotInSamples, message, &hint);
    }
}

/// One sample of all: each field with the first value that one of them has, the newest first.
#[must_use]
pub(super) fn merged_tree(samples: &[Submission]) -> Value {
    let mut whole = serde_json::Map::new();
    for (name, value) in samples.iter().filter_map(|sample| sample.form.as_object()).flatten() {
        let known = whole.get(name).is_some_and(|known| !crate::convert::is_empty(known));
        if !known {
            whole.insert(name.clone(), value.clone());
        }
    }
    Value::Object(whole)
}
