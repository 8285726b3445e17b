//! The project's own description: exact, so that a key too many is a deviation as well.

use serde_json::{Map, Value};

use super::run::Answered;

pub(super) struct Contract(Value);

impl Contract {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(include_str!("../../contract/keycrm.json")).expect("the contract reads"))
    }

    fn endpoints(&self) -> impl Iterator<Item = &Value> {
        self.0["endpoints"].as_array().into_iter().flatten()
    }

    /// Where an answer strays from its endpoint's description.
    pub(super) fn deviations(&self, answer: &Answered) -> Vec<String> {
        let at = format!("{} {}", answer.method, answer.path);
        let is_it = |endpoint: &&Value| endpoint["method"] == answer.method && endpoint["path"] == answer.path.as_str();
        let Some(endpoint) = self.endpoints().find(is_it) else {
            return vec![format!("{at}: not in the contract")];
        };
        let mut found = Vec::new();
        if endpoint["status"] != answer.status {
            found.push(format!("{at}: {} {}", answer.status, answer.body));
        }
        match endpoint.get("page_of") {
            Some(member) => {
                let mut page = self.0["page"].clone();
                page["data"] = Value::Array(vec![member.clone()]);
                self.check(&page, &answer.body, &at, &mut found);
            }
            None => self.check(&endpoint["answer"], &answer.body, &at, &mut found),
        }
        found
    }

    /// The run meets each endpoint.
    pub(super) fn is_covered_by(&self, answers: &[Answered]) {
        for endpoint in self.endpoints() {
            let meets =
                |answer: &&Answered| endpoint["method"] == answer.method && endpoint["path"] == answer.path.as_str();
            assert!(answers.iter().any(|answer| meets(&answer)), "the run lacks {endpoint}");
        }
    }

    fn check(&self, wanted: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        match wanted {
            Value::String(kind) => self.check_kind(kind, value, at, found),
            Value::Array(members) => match value.as_array() {
                Some(values) => {
                    values.iter().for_each(|value| self.check(&members[0], value, &format!("{at}[]"), found));
                }
                None => found.push(format!("{at}: {value} is no list")),
            },
            Value::Object(keys) => self.check_keys(keys, value, at, found),
            other => found.push(format!("{at}: {other} describes nothing")),
        }
    }

    fn check_keys(&self, keys: &Map<String, Value>, value: &Value, at: &str, found: &mut Vec<String>) {
        let Some(fields) = value.as_object() else {
            found.push(format!("{at}: {value} is no object"));
            return;
        };
        for (key, wanted) in keys {
            let name = key.trim_end_matches('?');
            match fields.get(name) {
                Some(field) => self.check(wanted, field, &format!("{at}.{name}"), found),
                None if key.ends_with('?') => {}
                None => found.push(format!("{at}.{name}: missing")),
            }
        }
        let known = |name: &String| keys.contains_key(name) || keys.contains_key(&format!("{name}?"));
        found.extend(fields.keys().filter(|name| !known(name)).map(|name| format!("{at}.{name}: unknown")));
    }

    fn check_kind(&self, kind: &str, value: &Value, at: &str, found: &mut Vec<String>) {
        let (kind, nullable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
        if kind == "any" || (nullable && value.is_null()) {
            return;
        }
        if let Some(schema) = kind.strip_prefix('@') {
            self.check(&self.0["schemas"][schema], value, at, found);
            return;
        }
        let fits = match kind.strip_prefix('=') {
            Some(choices) => value.as_str().is_some_and(|text| choices.split('|').any(|choice| choice == text)),
            None => match kind {
                "string" => value.is_string(),
                "date" => value.as_str().is_some_and(|text| text.starts_with("20")),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                _ => false,
            },
        };
        if !fits {
            found.push(format!("{at}: {value} is no {kind}"));
        }
    }
}
