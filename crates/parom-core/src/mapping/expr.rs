//! The right side of a rule: a constant, a lone `{{ expression }}` that keeps its value's type, or a text with
//! expressions in it.

use std::collections::BTreeSet;
use std::fmt;

use minijinja::Value as Context;
use minijinja::value::ValueKind;
use serde_json::Value;

use super::compiled::{Compiled, shown};
use crate::convert::{is_empty, plain};
use crate::limits;
use crate::problem::Code;

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

impl ExprError {
    pub(super) fn of(message: impl Into<String>) -> ExprError {
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::super::context;
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
            "name | regex_capture('[' ~ form.letters ~ ']')",
            "day | date(form.f ~ '')",
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
