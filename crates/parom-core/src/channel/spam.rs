//! The `[spam]` table of a channel file.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Channel;
use super::finding::Findings;
use super::read::parse_duration;
use crate::limits;
use crate::problem::Code;
use crate::spam::{Allowance, FIELD, FormTime, SpamRules};

const RATE_HINT: &str = "Write orders and a time: \"5/10m\".";

pub(super) fn read(value: Option<&Spanned<DeValue<'_>>>, findings: &mut Findings<'_>) -> SpamRules {
    let Some(value) = value else {
        return SpamRules::default();
    };
    let DeValue::Table(table) = value.get_ref() else {
        findings.error(value.span(), "spam", Code::WrongShape, "`spam` is not a table", "Write [spam].");
        return SpamRules::default();
    };
    let mut reader = Reader { findings };
    for (key, _) in table {
        reader.known(key);
    }
    SpamRules {
        honeypot: reader.honeypot(table),
        form_time: reader.form_time(table),
        per_address: reader.allowance(table, "per_address"),
        per_form: reader.allowance(table, "per_form"),
    }
}

/// What a known sender's server posts was filled in on its own page: it has no form time, and one address for all.
pub(super) fn check(channel: &Channel, table: &DeTable<'_>, findings: &mut Findings<'_>) {
    let (Some(preset), Some(at)) = (channel.preset, table.get("spam").map(Spanned::span)) else {
        return;
    };
    let signed = !channel.access.secrets.is_empty();
    let rules = &channel.spam;
    for (name, set) in [("form_time", rules.form_time.is_some()), ("per_address", rules.per_address.is_some())] {
        if set && !signed {
            let path = format!("spam.{name}");
            let message = format!("`{path}` would hold what {} sends: a server posts it, not a browser", preset.title);
            findings.warn(
                at.clone(),
                &path,
                Code::InvalidSetting,
                message,
                "Leave it out; honeypot and per_form work.",
            );
        }
    }
}

struct Reader<'f, 't> {
    findings: &'f mut Findings<'t>,
}

impl Reader<'_, '_> {
    fn known(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>) {
        let name = key.get_ref();
        if !["honeypot", "form_time", "min", "max", "per_address", "per_form"].contains(&name.as_ref()) {
            let hint = "[spam] takes honeypot, form_time, min, max, per_address and per_form; see docs/stop-spam.md.";
            let message = format!("`spam.{name}` is not known");
            self.findings.error(key.span(), &format!("spam.{name}"), Code::UnknownKey, message, hint);
        }
    }

    fn invalid(&mut self, at: Range<usize>, key: &str, what: &str, hint: &str) {
        let path = format!("spam.{key}");
        self.findings.error(at, &path, Code::InvalidSetting, format!("`{path}` {what}"), hint);
    }

    fn honeypot(&mut self, table: &DeTable<'_>) -> Option<String> {
        let value = table.get("honeypot")?;
        let name = value.get_ref().as_str().unwrap_or_default();
        if name.trim().is_empty() || name.len() > limits::NAME_BYTES || name == FIELD {
            let hint = "Write the name of a field that people do not see: honeypot = \"website\".";
            self.invalid(value.span(), "honeypot", "is not the name of a field", hint);
            return None;
        }
        Some(name.to_owned())
    }

    fn form_time(&mut self, table: &DeTable<'_>) -> Option<FormTime> {
        let times = FormTime::default();
        let min = self.time(table, "min");
        let max = self.time(table, "max");
        let on = match table.get("form_time").map(|value| (value.get_ref(), value.span())) {
            Some((DeValue::Boolean(on), _)) => *on,
            Some((_, at)) => {
                self.invalid(at, "form_time", "is neither true nor false", "Write form_time = true.");
                false
            }
            None => min.is_some() || max.is_some(),
        };
        let rule = FormTime { min: min.unwrap_or(times.min), max: max.unwrap_or(times.max) };
        let at = table.get("max").or_else(|| table.get("min")).map_or(0..0, Spanned::span);
        if rule.max > Duration::from_secs(limits::FORM_TIME_LIMIT_S) {
            let days = limits::FORM_TIME_LIMIT_S / 86_400;
            self.invalid(at, "max", &format!("is longer than {days} days"), "24h is enough for most forms.");
        } else if rule.min >= rule.max {
            self.invalid(at, "min", "is not shorter than `max`", "Write min = \"3s\" and max = \"24h\".");
        }
        on.then_some(rule)
    }

    fn time(&mut self, table: &DeTable<'_>, key: &str) -> Option<Duration> {
        let value = table.get(key)?;
        let time = value.get_ref().as_str().and_then(parse_duration);
        if time.is_none() {
            self.invalid(value.span(), key, "is not a time", "Use a number and a unit in quotes: \"3s\", \"24h\".");
        }
        time
    }

    fn allowance(&mut self, table: &DeTable<'_>, key: &str) -> Option<Allowance> {
        let value = table.get(key)?;
        let read = value.get_ref().as_str().and_then(|text| text.split_once('/')).and_then(|(count, window)| {
            Some(Allowance { count: count.trim().parse().ok()?, window: parse_duration(window)? })
        });
        let longest = Duration::from_secs(limits::ALLOWANCE_WINDOW_S);
        match read {
            Some(rate) if rate.count > 0 && !rate.window.is_zero() && rate.window <= longest => Some(rate),
            Some(_) => {
                let what = "needs one order at least, and a time between 1ms and 24h";
                self.invalid(value.span(), key, what, RATE_HINT);
                None
            }
            None => {
                self.invalid(value.span(), key, "is not a rate", RATE_HINT);
                None
            }
        }
    }
}
