//! The right side of a rule: a constant, a lone `{{ expression }}` that keeps its value's type, or a text with
//! expressions in it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior, Value as Context};
use serde_json::Value;

use super::lower::{Left, lower};
use super::{context, filters};
use crate::convert::{is_empty, plain};
use crate::limits;
use crate::order::schema::nearest;
use crate::problem::Code;

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

/// The right side of a rule.
pub enum Expr {
    /// A constant of the channel file.
    Constant(Value),
    /// A lone expression.
    Lone(Compiled),
    /// A text with expressions in it.
    Text(Vec<Piece>),
    /// A list, each part by itself.
    List(Vec<Expr>),
}

/// An expression and its source.
pub struct Compiled {
    source: String,
    /// The name that it is, where it is a name alone, as most are: that needs no engine.
    name: Option<Context>,
    expression: Expression<'static, 'static>,
}

/// A part of a text.
pub enum Piece {
    /// As it stands.
    Literal(String),
    /// Evaluated.
    Expression(Compiled),
}

/// Why an expression gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// In a sentence.
    pub message: String,
    /// The code of a filter whose failure is a problem of its own kind.
    pub code: Option<Code>,
    /// The value that a filter could not take.
    pub text: Option<String>,
}

impl Expr {
    /// Compiles a text of a channel file.
    ///
    /// # Errors
    /// What the expression's syntax lacks.
    pub fn parse(text: &str) -> Result<Expr, String> {
        if text.contains("{%") || text.contains("{#") {
            return Err("statements are not taken here; write {{ x if condition else y }}".into());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            if start > 0 {
                pieces.push(Piece::Literal(rest[..start].to_owned()));
            }
            let inner = &rest[start + 2..];
            let end = closing(inner).ok_or("`{{` without `}}`")?;
            pieces.push(Piece::Expression(Compiled::new(inner[..end].trim())?));
            rest = &inner[end + 2..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(match pieces.len() {
            0 => Expr::Constant(Value::String(String::new())),
            1 => match pieces.remove(0) {
                Piece::Literal(literal) => Expr::Constant(Value::String(literal)),
                Piece::Expression(compiled) => Expr::Lone(compiled),
            },
            _ => Expr::Text(pieces),
        })
    }

    /// Whether it is the same for every submission.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        match self {
            Expr::Constant(_) => true,
            Expr::List(parts) => parts.iter().all(Expr::is_constant),
            Expr::Lone(_) | Expr::Text(_) => false,
        }
    }

    /// The sources of its expressions, for checks.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        match self {
            Expr::Constant(_) => Vec::new(),
            Expr::Lone(compiled) => vec![&compiled.source],
            Expr::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Expression(compiled) => Some(compiled.source.as_str()),
                    Piece::Literal(_) => None,
                })
                .collect(),
            Expr::List(parts) => parts.iter().flat_map(Expr::sources).collect(),
        }
    }

    /// The names that its expressions read, with their first step: `phone`, `form.your-phone`, `query.utm_source`.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        match self {
            Expr::Constant(_) => BTreeSet::new(),
            Expr::Lone(compiled) => compiled.names(),
            Expr::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Expression(compiled) => Some(compiled.names()),
                    Piece::Literal(_) => None,
                })
                .flatten()
                .collect(),
            Expr::List(parts) => parts.iter().flat_map(Expr::names).collect(),
        }
    }

    /// The value over a context; null where there is none.
    ///
    /// # Errors
    /// A failing filter or operation, or an expression that takes too many steps.
    pub fn eval(&self, root: &Context) -> Result<Value, ExprError> {
        match self {
            Expr::Constant(value) => Ok(value.clone()),
            Expr::Lone(compiled) => compiled.eval(root).and_then(|value| compiled.lowered(&value)),
            Expr::List(parts) => {
                parts.iter().map(|part| part.eval(root)).collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            Expr::Text(pieces) => text(pieces, root),
        }
    }

    /// The items of a list: a sequence's, a PHP array's with number keys, or one item of a lone object.
    ///
    /// # Errors
    /// As [`Expr::eval`], and a plain value where a list belongs.
    pub(super) fn eval_items(&self, root: &Context) -> Result<Vec<Context>, ExprError> {
        let Expr::Lone(compiled) = self else {
            return Err(ExprError::of("`each` takes one expression that gives a list"));
        };
        let value = compiled.eval(root)?;
        if value.is_undefined() || value.is_none() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Ok(Vec::new());
        }
        let no_list = || ExprError::of(format!("`{}` is not a list", shown(&compiled.source)));
        // To the engine a text is a list of its letters.
        if value.as_str().is_some() {
            return Err(no_list());
        }
        let keys: Vec<Context> = value.try_iter().map_err(|_| no_list())?.take(limits::ORDER_LINES + 1).collect();
        if value.kind() != ValueKind::Map {
            return Ok(keys);
        }
        let items: Vec<Context> = keys.iter().filter_map(|key| value.get_item(key).ok()).collect();
        let numbered = keys.iter().all(|key| key.as_str().is_some_and(|key| key.parse::<i64>().is_ok()));
        // PHP's lists may have names for keys: lines all of them, where one line alone would hold plain values.
        let lines = !items.is_empty() && items.iter().all(|item| item.kind() == ValueKind::Map);
        Ok(if numbered || lines { items } else { vec![value] })
    }
}

impl Compiled {
    fn new(source: &str) -> Result<Compiled, String> {
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
            _ => filters::is_miswritten(&error).then(|| format!("`{}`: {detail}", shown(&self.source))),
        }
    }

    fn names(&self) -> BTreeSet<String> {
        self.expression.undeclared_variables(true).into_iter().collect()
    }

    fn eval(&self, root: &Context) -> Result<Context, ExprError> {
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
}

impl Compiled {
    /// The value as JSON; none that is larger than a form could bring: a number in a form may say how often to repeat.
    fn lowered(&self, value: &Context) -> Result<Value, ExprError> {
        lower(value, 0, &mut Left::all()).ok_or_else(|| self.large())
    }

    fn large(&self) -> ExprError {
        ExprError::of(format!("`{{{{ {} }}}}` gives more than an order can hold", self.source))
    }
}

impl ExprError {
    fn of(message: impl Into<String>) -> ExprError {
        ExprError { message: message.into(), code: None, text: None }
    }
}

/// Where the `}}` stands that ends an expression; those inside of its strings and braces do not.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut quote, mut depth, mut at) = (None, 0u32, 0);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(bytes[at]),
            (None, b'{') => depth += 1,
            (None, b'}') if depth > 0 => depth -= 1,
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// An expression as a message quotes it.
fn shown(source: &str) -> String {
    let start: String = source.chars().take(limits::QUOTED_CHARS).collect();
    if start.len() < source.len() { format!("{start}…") } else { start }
}

/// The operators, filters and steps of an expression, counted before the engine sees it: what stands outside of its texts, but
/// for the commas and colons of tables, which make no chain.
fn links(source: &str) -> usize {
    let (mut links, mut quote, mut escaped) = (0, None, false);
    let mut word = String::new();
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
        word.clear();
        links += usize::from("~+-*/%|.<>=!([".contains(c));
        quote = matches!(c, '"' | '\'').then_some(c);
    }
    links
}

/// A text whose expressions all came out empty is empty, whatever stands between them.
fn text(pieces: &[Piece], root: &Context) -> Result<Value, ExprError> {
    let mut out = String::new();
    let mut found = false;
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => out.push_str(literal),
            Piece::Expression(compiled) => {
                let value = compiled.lowered(&compiled.eval(root)?)?;
                if !is_empty(&value) {
                    found = true;
                    out.push_str(&plain(&value).unwrap_or_else(|| value.to_string()));
                    if out.len() > limits::EXPRESSION_BYTES {
                        return Err(compiled.large());
                    }
                }
            }
        }
    }
    Ok(if found { Value::String(out) } else { Value::Null })
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Constant(value) => write!(f, "{value}"),
            other => write!(f, "{{{{ {} }}}}", other.sources().join(" }} {{ ")),
        }
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::convert::Locale;
    use crate::submission::Submission;

    #[test]
    fn what_fails_whatever_comes_is_no_expression() {
        let cases = [
            ("number_format(price, 2)", "number_format"),
            ("name.upper()", "upper"),
            ("name | regex_capture('(')", "regex"),
            ("name | regex_replace('[', '')", "regex"),
            ("name | date('%d %J')", "%J"),
            ("name | date('d.m.Y')", "%d.%m.%Y"),
            ("pay | map('card')", "map takes a table"),
            ("name | upper(1, 2)", "too many arguments"),
            ("name | replace('a')", "missing argument"),
            ("name is odder", "odder"),
            ("name | uper", "`upper`"),
            ("1 if name | rgex_replace('a') else 2", "`regex_replace`"),
        ];
        for (source, part) in cases {
            let error = Expr::parse(&format!("{{{{ {source} }}}}")).unwrap_err();
            assert!(error.contains(source) && error.contains(part), "{source}: {error}");
        }
    }

    #[test]
    fn a_chain_that_the_engine_could_not_go_through_is_refused() {
        for (link, first) in
            [(" ~ a", "a"), (" | trim", "a"), (".b", "a"), ("[0]", "a"), (" and a", "a"), (" is true", "a"), ("-", "")]
        {
            let chain = format!("{first}{}{}", link.repeat(20_000), if first.is_empty() { "a" } else { "" });
            assert!(Expr::parse(&format!("{{{{ {chain} }}}}")).unwrap_err().contains("at most 200"), "{link}");
        }
        let pairs: Vec<String> =
            (0..2_000).map(|at| format!("'it''s {at}.5 - \"a\"': {at}").replace("''", "\\'")).collect();
        assert!(Expr::parse(&format!("{{{{ pay | map({{{}}}) }}}}", pairs.join(", "))).is_ok());
    }

    #[test]
    fn what_a_submission_may_bring_is_an_expression() {
        let sources = [
            "price * 2",
            "price | money * (qty | default(1))",
            "name[0]",
            "form['a'].b.c",
            "items | length > 2",
            "name | split(sep)",
            "name | regex_capture(form.pattern)",
            "day | date('%d %B %Y')",
            "day | date(form.format)",
            "pay | map(form.table)",
            "name | replace('a', letter)",
            "(a | int) // (b | int)",
            "items[0].sku | upper",
            "a ~ ' ' ~ b",
            "-x",
            "name in allowed",
            "items | map({'a': 1})",
            "{'name': name, 'price': price} | rows",
            "town | np_branch(place)",
            "lines | first",
            "price | round(2)",
        ];
        for source in sources {
            assert!(Expr::parse(&format!("{{{{ {source} }}}}")).is_ok(), "{source}");
        }
    }

    #[test]
    fn a_name_alone_is_what_the_engine_makes_of_it() {
        let mut submission = Submission::empty(Timestamp::UNIX_EPOCH);
        submission.form = json!({"name": "Olena", "count": 2, "range": "5", "item": "tea", "lines": [{"sku": "A"}], "7": "seven",
            "true": "word", "loop": "word", "cart": "{\"sku\":\"B\"}", "_": "line", "empty": ""});
        submission.flat = vec![("name".into(), "Olena".into()), ("only_flat".into(), "here".into())];
        let locale = Locale { zone: jiff::tz::TimeZone::UTC, region: "UA".into(), keep_dates: false };
        let root = context::root(&submission, &locale, None).context(None);
        let names = "name count range item lines true True false none None loop cart _ empty missing form query cookies page \
                     received_at only_flat self super not_there 7 1_000 0x1F";
        for name in names.split_whitespace() {
            let by_engine = Expr::parse(&format!("{{{{ ({name}) }}}}")).map(|expr| expr.eval(&root));
            let alone = Expr::parse(&format!("{{{{ {name} }}}}")).map(|expr| expr.eval(&root));
            assert_eq!(alone, by_engine, "{name}");
        }
    }
}
