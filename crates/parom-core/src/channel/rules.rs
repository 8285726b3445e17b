//! A channel file's `[order]`: the schema's shape with constants and expressions.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::finding::Findings;
use super::{checks, constant};
use crate::convert::{Locale, convert, is_empty};
use crate::mapping::{Assign, Expr, LineRule, Place, Rules};
use crate::order::schema::{Entry, Shape, nearest};
use crate::problem::Code;

/// The rules of a table, `[order]` by the order's entries; what cannot be used is a finding.
pub(super) fn read(
    table: &DeTable<'_>,
    entries: &'static [Entry],
    name: &str,
    locale: &Locale,
    findings: &mut Findings<'_>,
) -> Rules {
    let mut reader = Reader { locale, findings, in_each: false };
    Rules { order: reader.group(table, entries, name, false) }
}

struct Reader<'a, 'f, 't> {
    locale: &'a Locale,
    findings: &'f mut Findings<'t>,
    /// There is an `item` here.
    in_each: bool,
}

impl Reader<'_, '_, '_> {
    fn group(&mut self, table: &DeTable<'_>, entries: &'static [Entry], path: &str, in_list: bool) -> Vec<Assign> {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            let known = entries.iter().any(|entry| entry.name == name) || (in_list && name == "each");
            if !known {
                let place = format!("{path}.{name}");
                let hint = match nearest(name, entries.iter().map(|entry| entry.name)) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => format!("Known here: {}.", entries.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")),
                };
                let message = format!("the CRM has no field `{name}` here");
                self.findings.error(key.span(), &place, Code::UnknownKey, message, &hint);
            }
        }
        self.beside(table, path);
        let mut assigns = Vec::new();
        for entry in entries {
            let Some(value) = table.get(entry.name) else {
                continue;
            };
            let place = format!("{path}.{}", entry.name);
            if let Some(assign) = self.assign(entry, value.get_ref(), value.span(), &place) {
                assigns.push(assign);
            }
        }
        assigns
    }

    fn assign(&mut self, entry: &'static Entry, value: &DeValue<'_>, at: Range<usize>, path: &str) -> Option<Assign> {
        let (place, vital) = match (&entry.shape, value) {
            (Shape::Value { vital, .. }, DeValue::Table(_)) => {
                let hint = "Give it a constant or an expression.";
                self.findings.error(at, path, Code::WrongShape, format!("`{path}` is a single value"), hint);
                return Some(Assign { name: entry.name, vital: *vital, place: Place::Object(Vec::new()) });
            }
            (Shape::Value { kind, vital }, value) => {
                let expr = self.expr(value, at.clone(), path)?;
                if let Expr::Constant(constant) = &expr
                    && !is_empty(constant)
                    && let Err(misfit) = convert(*kind, constant, self.locale)
                {
                    self.findings.error(at, path, misfit.code, misfit.message, misfit.hint);
                }
                (Place::Value(expr), *vital)
            }
            (Shape::Object(entries), DeValue::Table(table)) => {
                (Place::Object(self.group(table, entries, path, false)), true)
            }
            (Shape::List(entries), value) => (Place::List(self.lines(entries, value, at, path)?), true),
            (Shape::Object(_), _) => {
                let hint = format!("Write [{path}] and its fields under it.");
                self.findings.error(at, path, Code::WrongShape, format!("`{path}` is a group of fields"), &hint);
                return None;
            }
        };
        Some(Assign { name: entry.name, vital, place })
    }

    fn lines(
        &mut self,
        entries: &'static [Entry],
        value: &DeValue<'_>,
        at: Range<usize>,
        path: &str,
    ) -> Option<Vec<LineRule>> {
        let tables: Option<Vec<&DeTable<'_>>> = match value {
            DeValue::Array(items) => items.iter().map(|item| item.get_ref().as_table()).collect(),
            _ => None,
        };
        let Some(tables) = tables else {
            let hint = format!("Write [[{path}]] with two brackets, once for each line.");
            self.findings.error(at, path, Code::WrongShape, format!("`{path}` is a list of groups"), &hint);
            return None;
        };
        let mut lines = Vec::new();
        for (index, table) in tables.into_iter().enumerate() {
            let place = format!("{path}.{index}");
            let each = table.get("each").and_then(|value| self.each(value.get_ref(), value.span(), &place));
            let around = self.in_each;
            self.in_each |= each.is_some();
            lines.push(LineRule { each, assigns: self.group(table, entries, &place, true), own: true });
            self.in_each = around;
        }
        Some(lines)
    }

    fn each(&mut self, value: &DeValue<'_>, at: Range<usize>, path: &str) -> Option<Expr> {
        let place = format!("{path}.each");
        let expr = self.expr(value, at.clone(), &place)?;
        if matches!(expr, Expr::Lone(_)) {
            return Some(expr);
        }
        let hint = "Write each = \"{{ items }}\".";
        self.findings.error(at, &place, Code::InvalidSetting, "`each` takes one expression that gives a list", hint);
        None
    }

    fn expr(&mut self, value: &DeValue<'_>, at: Range<usize>, path: &str) -> Option<Expr> {
        match value {
            DeValue::String(text) => match Expr::parse(text) {
                Ok(expr) => {
                    self.meant(&expr, at.clone(), path);
                    checks::names(&expr, at.clone(), path, self.findings);
                    self.item(&expr, at, path);
                    Some(expr)
                }
                Err(message) => {
                    self.findings.error(at, path, Code::InvalidExpression, message, "See docs/mapping.md.");
                    None
                }
            },
            DeValue::Array(items) => {
                let parts: Option<Vec<Expr>> =
                    items.iter().map(|item| self.expr(item.get_ref(), item.span(), path)).collect();
                let parts = parts?;
                if parts.iter().all(Expr::is_constant) {
                    let constants = parts.into_iter().filter_map(|part| match part {
                        Expr::Constant(value) => Some(value),
                        _ => None,
                    });
                    return Some(Expr::Constant(constants.collect()));
                }
                Some(Expr::List(parts))
            }
            plain => constant(plain).map(Expr::Constant),
        }
    }

    /// Outside of a line with `each`, `item` is a field of the form, and that is seldom meant.
    fn item(&mut self, expr: &Expr, at: Range<usize>, path: &str) {
        let names = expr.names();
        if let Some(name) = names.iter().find(|name| name.starts_with("item.") && !self.in_each) {
            let message = format!("`{name}` stands in no line with `each`, and is read as a field of the form");
            let hint = format!("Add each = \"{{{{ items }}}}\" to the line, or write {{{{ form.{name} }}}}.");
            self.findings.warn(at, path, Code::InvalidExpression, message, &hint);
        }
    }

    /// A constant that looks as if an expression was meant.
    fn meant(&mut self, expr: &Expr, at: Range<usize>, path: &str) {
        let Expr::Constant(serde_json::Value::String(text)) = expr else { return };
        let trimmed = text.trim();
        let php = trimmed
            .strip_prefix('$')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
        let braces = text.contains("}}") || (trimmed.starts_with('{') && trimmed.ends_with('}'));
        if php || braces {
            let message = format!("`{trimmed}` goes to the CRM as it stands here");
            let hint = "If a field of the form is meant, write {{ name }}, or {{ form[\"your-name\"] }}.";
            self.findings.warn(at, path, Code::InvalidExpression, message, hint);
        }
    }

    /// A name that stands beside a constant id is not looked at. Of two expressions the one counts that gives something.
    fn beside(&mut self, table: &DeTable<'_>, path: &str) {
        for name in ["source", "delivery_service", "payment_method", "pipeline", "status"] {
            let id = format!("{name}_id");
            let constant = |value: &DeValue<'_>| !value.as_str().is_some_and(|text| text.contains("{{"));
            if let (Some(value), true) =
                (table.get(name), table.get(id.as_str()).is_some_and(|id| constant(id.get_ref())))
            {
                let place = format!("{path}.{name}");
                let message = format!("`{name}` and `{id}` stand beside each other: the id counts");
                self.findings.warn(value.span(), &place, Code::InvalidSetting, message, "Keep one of the two.");
            }
        }
    }
}
