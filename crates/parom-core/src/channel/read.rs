//! A channel file's settings.

use std::ops::Range;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Finding, Findings};
use super::{Access, Channel, OnRepeat, SecretRef, TargetRule, checks, rules, spam};
use crate::convert::{self, Locale};
use crate::dictionary::UnknownSku;
use crate::limits;
use crate::mapping::{Expr, Rules, UnclearBranch};
use crate::order::schema::{self, Entry, nearest};
use crate::order::{OnInvalid, Target};
use crate::presets::{self, Preset};
use crate::problem::Code;

const KEYS: [&str; 20] = [
    "account",
    "target",
    "format",
    "timezone",
    "region",
    "on_invalid",
    "on_repeat",
    "idempotency_key",
    "thank_you_url",
    "unknown_sku",
    "unclear_branch",
    "parcel_weight",
    "wait",
    "learn",
    "access",
    "spam",
    "order",
    "card",
    "update",
    "source_id",
];

/// Reads a channel file. There is a channel only where no finding is an error; warnings come with it.
#[must_use]
pub fn parse(name: &str, text: &str) -> (Option<Channel>, Vec<Finding>) {
    let mut findings = Findings::new(text);
    if text.len() > limits::CHANNEL_FILE_BYTES {
        let message = format!("the file is larger than {} bytes", limits::CHANNEL_FILE_BYTES);
        findings.error(0..0, "", Code::TooLong, message, "A channel is one form's mapping; split it.");
        return (None, findings.found);
    }
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let at = error.span().unwrap_or_default();
            let twice = error.message().contains("duplicate");
            let hint = match twice {
                true => {
                    "Write each key once, and each [table] once; a list's lines have two brackets: [[order.products]]."
                }
                false => "The text before this place may lack a quote.",
            };
            findings.error(at, "", Code::InvalidToml, error.message(), hint);
            return (None, findings.found);
        }
    };
    let channel = Reader { table: table.get_ref(), findings: &mut findings }.channel(name);
    let channel = if findings.has_errors() { None } else { Some(channel) };
    (channel, findings.found)
}

struct Reader<'a, 'i, 'f> {
    table: &'a DeTable<'i>,
    findings: &'f mut Findings<'a>,
}

impl Reader<'_, '_, '_> {
    fn channel(mut self, name: &str) -> Channel {
        for key in self.table.keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) || key.get_ref() == "source_id" {
                self.unknown_key(key);
            }
        }
        let on_invalid = self.choice(
            "on_invalid",
            &[("mend", OnInvalid::Mend), ("hold", OnInvalid::Hold), ("reject", OnInvalid::Reject)],
        );
        let on_repeat =
            self.choice("on_repeat", &[("hold", OnRepeat::Hold), ("flag", OnRepeat::Flag), ("off", OnRepeat::Off)]);
        let unknown_sku = self.choice("unknown_sku", &[("warn", UnknownSku::Warn), ("hold", UnknownSku::Hold)]);
        let unclear_branch =
            self.choice("unclear_branch", &[("warn", UnclearBranch::Warn), ("hold", UnclearBranch::Hold)]);
        let preset = self.preset();
        let access = self.access();
        let mut channel = Channel {
            name: name.to_owned(),
            account: self.text("account").map_or_else(|| "main".into(), |(text, _)| text),
            target: self.target(),
            preset,
            timezone: self.timezone(),
            region: self.region(),
            on_invalid: on_invalid.unwrap_or(OnInvalid::Mend),
            on_repeat: on_repeat.unwrap_or(OnRepeat::Hold),
            idempotency_key: self.idempotency_key(),
            thank_you_url: self.thank_you_url(),
            wait: self.wait(),
            access,
            spam: spam::read(self.table.get("spam"), self.findings),
            learn: self.learn(),
            unknown_sku: unknown_sku.unwrap_or_default(),
            unclear_branch: unclear_branch.unwrap_or_default(),
            parcel_weight: self.expression("parcel_weight").map(|(expr, _)| expr),
            rules: Rules::default(),
            card_rules: Rules::default(),
            update_rules: Rules::default(),
        };
        let locale = channel.locale();
        channel.rules = self.rules("order", schema::of(Target::Order), &locale);
        if let Some(preset) = preset {
            let own = std::mem::take(&mut channel.rules);
            channel.rules = own.over(preset_rules(preset, &locale));
        }
        channel.card_rules = self.rules("card", schema::of(Target::Card), &locale);
        channel.update_rules = self.rules("update", schema::UPDATE, &locale);
        checks::check(&channel, self.table, self.findings);
        channel
    }

    fn rules(&mut self, name: &str, entries: &'static [Entry], locale: &Locale) -> Rules {
        match self.table.get(name).map(|table| (table.get_ref(), table.span())) {
            Some((DeValue::Table(table), _)) => rules::read(table, entries, name, locale, self.findings),
            Some((_, at)) => {
                let hint = format!("Write [{name}].");
                self.findings.error(at, name, Code::WrongShape, format!("`{name}` is not a table"), &hint);
                Rules::default()
            }
            None => Rules::default(),
        }
    }

    fn preset(&mut self) -> Option<&'static Preset> {
        let (name, at) = self.text("format")?;
        let found = presets::named(&name);
        if found.is_none() && name != "auto" {
            let names: Vec<&str> = presets::all().iter().map(|preset| preset.name).collect();
            let hint = format!("It takes: auto, {}.", names.join(", "));
            self.invalid(at, "format", &format!("cannot be `{name}`"), &hint);
        }
        found
    }

    fn target(&mut self) -> TargetRule {
        let always = TargetRule::Always(Target::Order);
        let Some((text, at)) = self.text("target") else { return always };
        if let Some(target) = Target::parse(&text) {
            return TargetRule::Always(target);
        }
        match Expr::parse(&text) {
            Ok(expr) if !expr.is_constant() => {
                checks::names(&expr, at, "target", self.findings);
                TargetRule::By(expr)
            }
            Ok(_) => {
                let hint = "It takes order, card, or an expression that gives one of them.";
                self.invalid(at, "target", &format!("cannot be `{text}`"), hint);
                always
            }
            Err(message) => {
                self.findings.error(at, "target", Code::InvalidExpression, message, "See docs/mapping.md.");
                always
            }
        }
    }

    fn unknown_key(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>) {
        let name = key.get_ref();
        let hint = if name == "source_id" || name == "buyer" || name == "products" {
            format!("It belongs under [order]: order.{name}.")
        } else {
            match nearest(name, KEYS.into_iter()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => "The settings of a channel are in docs/add-a-channel.md.".to_owned(),
            }
        };
        self.findings.error(key.span(), name, Code::UnknownKey, format!("a channel has no setting `{name}`"), &hint);
    }

    fn text(&mut self, key: &str) -> Option<(String, Range<usize>)> {
        let value = self.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), value.span())),
            _ => {
                self.invalid(value.span(), key, "is not a text", "Put it into quotes.");
                None
            }
        }
    }

    fn invalid(&mut self, at: Range<usize>, key: &str, what: &str, hint: &str) {
        self.findings.error(at, key, Code::InvalidSetting, format!("`{key}` {what}"), hint);
    }

    fn choice<T: Copy>(&mut self, key: &str, known: &[(&str, T)]) -> Option<T> {
        let (text, at) = self.text(key)?;
        let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            self.invalid(at, key, &format!("cannot be `{text}`"), &format!("It takes: {}.", names.join(", ")));
        }
        found
    }

    fn timezone(&mut self) -> TimeZone {
        let (name, at) = self.text("timezone").unwrap_or_else(|| ("Europe/Kyiv".into(), 0..0));
        TimeZone::get(&name).unwrap_or_else(|_| {
            self.invalid(at, "timezone", &format!("`{name}` is not known"), "Use a name such as Europe/Kyiv.");
            TimeZone::UTC
        })
    }

    fn region(&mut self) -> String {
        let (name, at) = self.text("region").unwrap_or_else(|| ("UA".into(), 0..0));
        if !convert::is_region(&name) {
            let hint = "Use the two letters of a country, as UA or PL.";
            self.invalid(at, "region", &format!("`{name}` is not a country's code"), hint);
        }
        name.to_ascii_uppercase()
    }

    fn idempotency_key(&mut self) -> Option<Expr> {
        let (expr, at) = self.expression("idempotency_key")?;
        if expr.is_constant() {
            let hint = "Use an expression: \"{{ order_number }}\".";
            self.invalid(at, "idempotency_key", "is the same for every order", hint);
            return None;
        }
        Some(expr)
    }

    fn expression(&mut self, key: &str) -> Option<(Expr, Range<usize>)> {
        let (text, at) = self.text(key)?;
        match Expr::parse(&text) {
            Ok(expr) => {
                checks::names(&expr, at.clone(), key, self.findings);
                Some((expr, at))
            }
            Err(message) => {
                self.findings.error(at, key, Code::InvalidExpression, message, "See docs/mapping.md.");
                None
            }
        }
    }

    fn thank_you_url(&mut self) -> Option<String> {
        let (text, at) = self.text("thank_you_url")?;
        if let Err(misfit) = convert::url(&text) {
            self.findings.error(at, "thank_you_url", Code::InvalidUrl, misfit.message, misfit.hint);
        } else if text.split(['/', '?', '#']).nth(2).is_some_and(|host| host.contains(super::NUMBER)) {
            let hint = "Put it into the path or the query: https://shop.example.ua/thanks?order={number}.";
            self.invalid(at, "thank_you_url", "has the order's number for its host", hint);
        }
        Some(text)
    }

    fn learn(&mut self) -> bool {
        match self.table.get("learn").map(|value| (value.get_ref(), value.span())) {
            Some((DeValue::Boolean(learn), _)) => *learn,
            Some((_, at)) => {
                self.invalid(at, "learn", "is neither true nor false", "Write learn = true.");
                false
            }
            None => false,
        }
    }

    fn wait(&mut self) -> Duration {
        let Some((text, at)) = self.text("wait") else {
            return Duration::from_secs(3);
        };
        let most = Duration::from_secs(limits::WAIT_S);
        let Some(time) = parse_duration(&text) else {
            self.invalid(at, "wait", &format!("`{text}` is not a time"), "Use a number and a unit: 3s, 500ms.");
            return Duration::from_secs(3);
        };
        if time > most {
            let message = format!("`wait` is {} s at most, and is taken for that", limits::WAIT_S);
            let hint = "A proxy before the gateway gives up sooner.";
            self.findings.warn(at, "wait", Code::InvalidSetting, message, hint);
        }
        time.min(most)
    }

    fn access(&mut self) -> Access {
        let mut access = Access::default();
        let Some(value) = self.table.get("access") else {
            return access;
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.invalid(value.span(), "access", "is not a table", "Write [access].");
            return access;
        };
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("origins", DeValue::Array(items)) => {
                    access.origins = items.iter().filter_map(|item| self.origin(item)).collect();
                }
                ("token", DeValue::Table(secret)) => {
                    access.token = self.secret(secret, value.span(), "access.token");
                }
                ("secret", DeValue::Table(secret)) => {
                    access.secrets = self.secret(secret, value.span(), "access.secret").into_iter().collect();
                }
                ("secret", DeValue::Array(items)) if items.len() <= limits::SECRETS => {
                    access.secrets = items.iter().filter_map(|item| self.listed_secret(item)).collect();
                }
                (name @ ("token" | "secret"), _) => {
                    let hint = format!("Write {name} = {{ env = \"NAME\" }} or {{ file = \"/path\" }}.");
                    let place = format!("access.{name}");
                    self.invalid(value.span(), &place, "is a secret, and secrets do not stand in files", &hint);
                }
                (name, _) => {
                    let hint = "[access] takes origins = [\"https://…\"], and token and secret as { env = \"NAME\" }.";
                    let message = format!("`access.{name}` is not known or has another form");
                    self.findings.error(key.span(), &format!("access.{name}"), Code::UnknownKey, message, hint);
                }
            }
        }
        access
    }

    fn origin(&mut self, item: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = item.get_ref().as_str().unwrap_or_default();
        let after = text.split_once("://").map(|(_, host)| host.trim_end_matches('/'));
        let plain = after.is_some_and(|host| !host.is_empty() && !host.contains('/'));
        if text.contains('*') {
            let message = format!("`{text}` is no browser's origin: a star stands for nothing here");
            let hint = "Write out each origin: https://shop.example.ua.";
            self.findings.warn(item.span(), "access.origins", Code::InvalidSetting, message, hint);
        }
        if convert::url(text).is_err() || !plain {
            let hint = "An origin is scheme and host alone: https://shop.example.ua.";
            self.invalid(item.span(), "access.origins", &format!("has `{text}`, which is not an origin"), hint);
            return None;
        }
        Some(text.trim_end_matches('/').to_ascii_lowercase())
    }

    fn listed_secret(&mut self, item: &Spanned<DeValue<'_>>) -> Option<SecretRef> {
        match item.get_ref() {
            DeValue::Table(table) => self.secret(table, item.span(), "access.secret"),
            _ => {
                let hint = "Write secret = [{ env = \"NEW\" }, { env = \"OLD\" }].";
                self.invalid(item.span(), "access.secret", "is a secret, and secrets do not stand in files", hint);
                None
            }
        }
    }

    fn secret(&mut self, table: &DeTable<'_>, at: Range<usize>, place: &str) -> Option<SecretRef> {
        let get = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str()).map(str::to_owned);
        match (get("env"), get("file"), table.len()) {
            (Some(name), None, 1) => Some(SecretRef::Env(name)),
            (None, Some(path), 1) => Some(SecretRef::File(path)),
            _ => {
                let hint = "Write { env = \"NAME\" } or { file = \"/path\" }.";
                self.invalid(at, place, "names neither a variable nor a file", hint);
                None
            }
        }
    }
}

/// The default mapping of a preset; that it has no findings is a test's to hold.
fn preset_rules(preset: &Preset, locale: &Locale) -> Rules {
    let mut findings = Findings::new(preset.mapping);
    let Ok(table) = DeTable::parse(preset.mapping) else {
        return Rules::default();
    };
    match table.get_ref().get("order").map(Spanned::get_ref) {
        Some(DeValue::Table(order)) => {
            rules::read(order, schema::of(Target::Order), "order", locale, &mut findings).of_preset()
        }
        _ => Rules::default(),
    }
}

/// A time as settings write it: `500ms`, `30s`, `3m`, `1h`, `30d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let millis = match text[digits..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}
