//! Evaluates a channel's rules over a submission into a raw body.

use std::sync::Arc;

use minijinja::Value as Context;
use minijinja::value::ValueKind;
use serde_json::{Map, Value};

use super::context::Root;
use super::expr::ExprError;
use super::rules::{Assign, LineRule, Place, Rules};
use super::{Expr, branch, context};
use crate::convert::{Locale, is_empty, plain};
use crate::limits;
use crate::novaposhta::Directory;
use crate::order::Path;
use crate::problem::{Code, Effect, Problem};
use crate::submission::Submission;

struct Run {
    /// What every line sees beside its item: lifted once, since a form may be large and its lines many.
    shared: Root,
    problems: Vec<Problem>,
    left_out: Vec<(String, String)>,
}

/// What a mapping's rules came to: values as the sender wrote them.
pub(super) struct Applied {
    pub(super) raw: Map<String, Value>,
    pub(super) problems: Vec<Problem>,
    /// Values that a filter could not take, each with its path.
    pub(super) left_out: Vec<(String, String)>,
}

/// What a group of rules came to.
#[derive(Default)]
struct Group {
    fields: Map<String, Value>,
    /// It has an expression, so it depends on the submission.
    asks: bool,
    /// One of its expressions came out with a value, or failed.
    answered: bool,
}

/// Evaluates the rules.
pub(super) fn apply(
    rules: &Rules,
    submission: &Submission,
    locale: &Locale,
    directory: Option<&Arc<Directory>>,
) -> Applied {
    let shared = context::root(submission, locale, directory);
    let root = shared.context(None);
    let mut run = Run { shared, problems: Vec::new(), left_out: Vec::new() };
    let mut group = run.group(&rules.order, &root, &Path::Root);
    branch::keep_text(&mut group.fields, &run.shared.branch_text());
    Applied { raw: group.fields, problems: run.problems, left_out: run.left_out }
}

impl Run {
    fn group(&mut self, assigns: &[Assign], root: &Context, path: &Path<'_>) -> Group {
        let mut out = Group::default();
        for assign in assigns {
            let place = Path::Field(path, assign.name);
            match &assign.place {
                Place::Value(expr) => self.value(assign, expr, root, &place, &mut out),
                Place::Object(inner) => {
                    let group = self.group(inner, root, &place);
                    out.take(assign.name, group);
                }
                Place::List(lines) => {
                    // A product is one without its properties too: what these ask for does not decide about its line.
                    let (items, answered) = self.list(lines, root, &place);
                    out.answered |= answered;
                    if !items.is_empty() {
                        out.fields.insert(assign.name.into(), Value::Array(items));
                    }
                }
            }
        }
        out
    }

    fn value(&mut self, assign: &Assign, expr: &Expr, root: &Context, path: &Path<'_>, out: &mut Group) {
        out.asks |= !expr.is_constant();
        match expr.eval(root) {
            Ok(value) if is_empty(&value) => {}
            Ok(value) => {
                out.answered |= !expr.is_constant();
                out.fields.insert(assign.name.into(), value);
            }
            Err(error) => {
                out.answered = true;
                let effect = if assign.vital { Effect::Hold } else { Effect::Mend };
                // A branch's text goes along in a field of its own.
                let kept = error.code.is_some_and(Code::is_of_branch);
                self.left_out.extend(error.text.clone().filter(|_| !kept).map(|text| (path.to_string(), text)));
                self.problems.push(failed(path, effect, error));
            }
        }
    }

    fn list(&mut self, lines: &[LineRule], root: &Context, path: &Path<'_>) -> (Vec<Value>, bool) {
        let (mut items, mut answered) = (Vec::new(), false);
        for line in lines {
            let Some(each) = &line.each else {
                let group = self.group(&line.assigns, root, &Path::Line(path, items.len()));
                answered |= group.answered;
                self.line(line, group, path, &mut items);
                continue;
            };
            let list = match each.eval_items(root) {
                Ok(list) => list,
                Err(error) => {
                    self.problems.push(failed(path, Effect::Hold, error));
                    continue;
                }
            };
            answered |= !list.is_empty();
            if list.len() > limits::ORDER_LINES {
                let message = format!("more than {} lines", limits::ORDER_LINES);
                self.problems.push(Problem::new(
                    path.to_string(),
                    Code::TooLong,
                    Effect::Hold,
                    message,
                    "Split the order.",
                ));
                continue;
            }
            for item in list {
                // A form with rows for several products sends the blank ones too.
                let filled = filled(&item);
                if filled == 0 {
                    continue;
                }
                let root = self.shared.context(Some(item.clone()));
                let group = self.group(&line.assigns, &root, &Path::Line(path, items.len()));
                if filled == 1 && group.is_bare_quantity_of(&item) {
                    continue;
                }
                self.line(line, group, path, &mut items);
            }
        }
        (items, answered)
    }

    /// A line that depends on the submission and got nothing from it is no line: a constant alone does not make one.
    fn line(&mut self, rule: &LineRule, group: Group, path: &Path<'_>, items: &mut Vec<Value>) {
        let place = Path::Line(path, items.len());
        let is_product = matches!(path, Path::Field(Path::Root, "products"));
        if !group.answered && group.asks {
            if is_product {
                let message = "a product line of the mapping found none of its fields in the form, and was left out";
                let hint = "If the form has a product, check the names on the right side of order.products.";
                self.problems.push(Problem::new(place.to_string(), Code::EmptyLine, Effect::Warn, message, hint));
            }
            return;
        }
        let lacks =
            |name: &str| !group.fields.contains_key(name) && rule.assigns.iter().any(|assign| assign.name == name);
        if is_product && rule.own && lacks("price") {
            let path = Path::Field(&place, "price").to_string();
            let known = self.problems.iter().any(|problem| problem.path == path);
            if !known {
                let message = "the price of the product came out empty: the CRM counts it as 0";
                let hint = "Check the name on the right side of price, and what the form sends.";
                self.problems.push(Problem::new(path, Code::Required, Effect::Warn, message, hint));
            }
        }
        items.push(Value::Object(group.fields));
    }
}

impl Group {
    fn take(&mut self, name: &str, inner: Group) {
        self.asks |= inner.asks;
        self.answered |= inner.answered;
        if !inner.fields.is_empty() {
            self.fields.insert(name.into(), Value::Object(inner.fields));
        }
    }

    /// A quantity that a form fills in beforehand, of a product that nobody named: it is all that came out, and the one value
    /// that the item has.
    fn is_bare_quantity_of(&self, item: &Context) -> bool {
        let Some(quantity) = self.fields.get("quantity").filter(|_| self.fields.len() == 1).and_then(plain) else {
            return false;
        };
        let values = item.try_iter().into_iter().flatten().filter_map(|key| item.get_item(&key).ok());
        item.kind() == ValueKind::Map && values.map(|value| value.to_string()).any(|text| text.trim() == quantity)
    }
}

/// How many values of an item are more than blank; one that is no group counts as one.
fn filled(item: &Context) -> usize {
    let blank = |value: &Context| {
        value.is_undefined() || value.is_none() || value.as_str().is_some_and(|t| t.trim().is_empty())
    };
    match item.kind() {
        ValueKind::Map => {
            let keys = item.try_iter().into_iter().flatten();
            keys.filter(|key| item.get_item(key).is_ok_and(|value| !blank(&value))).count()
        }
        _ => usize::from(!blank(item)),
    }
}

fn failed(path: &Path<'_>, effect: Effect, error: ExprError) -> Problem {
    let code = error.code.unwrap_or(Code::ExpressionFailed);
    let hint = match code {
        Code::UnknownValue => "Add the value to the table of the map filter in the channel.",
        Code::UnclearBranch => {
            "Choose the branch on the order's page, or in the CRM; the text is in shipping_receive_point."
        }
        Code::DirectoryMissing => {
            "`parom novaposhta show` tells why; an order that waits for it goes by itself when it is there."
        }
        _ => "Try the expression with `parom map CHANNEL FILE` over the submission.",
    };
    Problem::new(path.to_string(), code, effect, error.message, hint)
}
