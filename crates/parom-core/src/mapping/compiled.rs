//! One expression of a mapping, compiled: what it cannot do whatever comes is found before the first order.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior, Value as Context};
use serde_json::Value;

use super::expr::ExprError;
use super::lower::{Left, lower};
use super::{context, filters};
use crate::limits;
use crate::order::schema::nearest;

/// One engine for every channel: filters and limits do not differ between them.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    let globals: Vec<String> = engine.globals().map(|(name, _)| name.to_owned()).collect();
    for name in globals {
        // A form may well have a field called `range`: a bare name is always the form's.
        engine.remove_global(&name);
    }
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_fuel(Some(limits::EXPRESSION_FUEL));
    filters::register(&mut engine);
    engine
});

/// An expression and its source.
pub struct Compiled {
    pub(super) source: String,
    /// The name that it is, where it is a name alone, as most are: that needs no engine.
    name: Option<Context>,
    expression: Expression<'static, 'static>,
}

impl Compiled {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What its syntax lacks, and what fails whatever comes.
    pub(super) fn new(source: &str) -> Result<Compiled, String> {
        if source.is_empty() {
            return Err("`{{ }}` is empty".into());
        }
        if links(source) > limits::EXPRESSION_LINKS {
            let most = limits::EXPRESSION_LINKS;
            return Err(format!(
                "an expression has at most {most} operators, filters and steps; split it into several fields"
            ));
        }
        let expression = ENGINE.compile_expression_owned(source.to_owned()).map_err(|error| {
            format!("`{}`: {}", shown(source), error.detail().map_or_else(|| error.to_string(), str::to_owned))
        })?;
        for filter in filters::used(source) {
            if !filters::is_known(&ENGINE, &filter) {
                let near = nearest(&filter, filters::KNOWN.into_iter());
                let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return Err(format!("`{}`: there is no filter `{filter}`{near}", shown(source)));
            }
        }
        let lone = source.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && expression.undeclared_variables(false).contains(source);
        let compiled = Compiled { source: source.to_owned(), name: lone.then(|| Context::from(source)), expression };
        compiled.miswritten().map_or(Ok(compiled), Err)
    }

    /// What fails whatever comes: an unknown function, a filter's missing argument, a pattern. Tried without a submission,
    /// where much else fails too; only what does not depend on values counts.
    fn miswritten(&self) -> Option<String> {
        if self.name.is_some() {
            return None;
        }
        let error = self.expression.eval(context::nothing()).err()?;
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        match error.kind() {
            ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
                Some(format!("`{}`: {detail}; there are filters: {{{{ name | title }}}}", shown(&self.source)))
            }
            ErrorKind::UnknownTest | ErrorKind::TooManyArguments | ErrorKind::MissingArgument => {
                Some(format!("`{}`: {detail}", shown(&self.source)))
            }
            _ => filters::is_miswritten(&error, &self.source).then(|| format!("`{}`: {detail}", shown(&self.source))),
        }
    }

    /// The names that it reads, with their first step.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.expression.undeclared_variables(true).into_iter().collect()
    }

    /// Its value over a context.
    pub(super) fn eval(&self, root: &Context) -> Result<Context, ExprError> {
        if let Some(name) = &self.name {
            return Ok(root.get_item(name).unwrap_or_default());
        }
        self.expression.eval(root.clone()).map_err(|error| {
            let untaken = filters::untaken(&error);
            let code = untaken.as_ref().and_then(|value| value.code);
            let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            let message = if code.is_some() { detail } else { format!("`{{{{ {} }}}}` failed: {detail}", self.source) };
            ExprError { message, code, text: untaken.map(|value| value.text) }
        })
    }

    /// The value as JSON; none that is larger than a form could bring: a number in a form may say how often to repeat.
    pub(super) fn lowered(&self, value: &Context) -> Result<Value, ExprError> {
        lower(value, 0, &mut Left::all()).ok_or_else(|| self.large())
    }

    /// That its value is too large.
    pub(super) fn large(&self) -> ExprError {
        ExprError::of(format!("`{{{{ {} }}}}` gives more than an order can hold", self.source))
    }
}

/// An expression as a message quotes it.
pub(super) fn shown(source: &str) -> String {
    let start: String = source.chars().take(limits::QUOTED_CHARS).collect();
    if start.len() < source.len() { format!("{start}…") } else { start }
}

/// The operators, filters and steps of an expression, counted before the engine sees it: what stands outside of its texts, but
/// for what makes no chain, as the commas, colons and numbers of a table.
fn links(source: &str) -> usize {
    let (mut links, mut quote, mut escaped) = (0, None, false);
    let (mut word, mut before) = (String::new(), ' ');
    for c in source.chars().chain([' ']) {
        if let Some(open) = quote {
            quote = (escaped || c != open).then_some(open);
            escaped = !escaped && c == '\\';
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        links += usize::from(matches!(word.as_str(), "and" | "or" | "in" | "is" | "if" | "not"));
        let of_number = match c {
            '.' => !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()),
            '-' => word.is_empty() && matches!(before, ':' | ',' | '{'),
            _ => false,
        };
        links += usize::from("~+-*/%|.<>=!([".contains(c) && !of_number);
        word.clear();
        before = if c.is_whitespace() { before } else { c };
        quote = matches!(c, '"' | '\'').then_some(c);
    }
    links
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
