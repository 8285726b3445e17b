//! Values of the script, as far as they are known without its form.

use serde_json::Value;

use crate::limits;

/// A value of the script.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sym {
    /// Known: a text, a number, a boolean, nothing.
    Const(Value),
    /// A text with places of the form in it.
    Text(Vec<Piece>),
    /// An expression over places; whether it stands by itself without parentheses.
    Expr(String, bool),
    /// A place of the request.
    Place(Place),
    /// An array with keys, in order.
    Map(Vec<Entry>),
    /// An array without keys.
    List(Vec<Sym>),
    /// A part of the request with entries of the script's own over it.
    Over(Place, Vec<Entry>),
    /// A line for each item of a list.
    Each(String, Box<Sym>),
    /// A function without a name.
    Closure(usize),
    /// An object.
    Object(usize),
    /// An argument that is given by its name.
    Named(String, Box<Sym>),
    /// Arguments out of a list that is not known: how many is not known either.
    Unpacked(usize),
    /// The number of the item that a loop is at.
    Index,
    /// Not known: the line, why, and the place of the form that it comes from, where that is plain.
    Unknown(usize, String, Option<String>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Expr(String),
}

/// A key of an array and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Sym,
    pub(super) line: usize,
}

/// Where in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Form,
    Query,
    /// `$_REQUEST`: the form, then the query.
    Request,
    Cookies,
    Item,
}

/// A place of the request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) root: Root,
    pub(super) steps: Vec<String>,
}

impl Sym {
    pub(super) fn text(text: impl Into<String>) -> Sym {
        Sym::Const(Value::String(text.into()))
    }

    pub(super) fn null() -> Sym {
        Sym::Const(Value::Null)
    }

    pub(super) fn place(root: Root) -> Sym {
        Sym::Place(Place { root, steps: Vec::new() })
    }

    pub(super) fn unknown(line: usize, why: impl Into<String>) -> Sym {
        Sym::Unknown(line, why.into(), None)
    }

    /// Whether it outgrows what a channel file can say: conditions within conditions double it.
    pub(super) fn is_too_large(&self) -> bool {
        let mut left = limits::PHP_VALUE_BYTES;
        !self.fits(&mut left)
    }

    fn fits(&self, left: &mut usize) -> bool {
        let own = match self {
            Sym::Expr(source, _) => source.len(),
            // One long text is fine, one that doubles again and again is not.
            Sym::Const(Value::String(text)) if text.len() <= limits::PHP_VALUE_BYTES => text.len().min(64),
            Sym::Const(Value::String(_)) => return false,
            Sym::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) | Piece::Expr(text) => text.len(),
                })
                .sum(),
            _ => 8,
        };
        let Some(rest) = left.checked_sub(own) else { return false };
        *left = rest;
        match self {
            Sym::Map(entries) | Sym::Over(_, entries) => entries.iter().all(|entry| entry.value.fits(left)),
            Sym::List(items) => items.iter().all(|item| item.fits(left)),
            Sym::Each(_, item) => item.fits(left),
            _ => true,
        }
    }

    /// Whether it reads the item of a loop that is over.
    pub(super) fn reads_item(&self) -> bool {
        match self {
            Sym::Place(place) => place.root == Root::Item,
            Sym::Expr(source, _) => names_item(source),
            Sym::Text(pieces) => pieces.iter().any(|piece| matches!(piece, Piece::Expr(source) if names_item(source))),
            Sym::Map(entries) => entries.iter().any(|entry| entry.value.reads_item()),
            Sym::Over(place, entries) => {
                place.root == Root::Item || entries.iter().any(|entry| entry.value.reads_item())
            }
            Sym::List(items) => items.iter().any(Sym::reads_item),
            _ => false,
        }
    }

    /// Without what reads the item of a loop that is over.
    pub(super) fn outside_of_loops(self, line: usize) -> Sym {
        match self {
            Sym::Map(entries) => {
                Sym::Map(entries.into_iter().map(|e| Entry { value: e.value.outside_of_loops(line), ..e }).collect())
            }
            Sym::List(items) => Sym::List(items.into_iter().map(|item| item.outside_of_loops(line)).collect()),
            value if value.reads_item() => Sym::unknown(line, "it is put together by a loop, item by item"),
            value => value,
        }
    }

    /// The place that a value mostly consists of.
    pub(super) fn near(&self) -> Option<String> {
        match self {
            Sym::Unknown(_, _, near) => near.clone(),
            Sym::Place(place) => Some(place.expr()).filter(|_| !place.steps.is_empty()),
            Sym::Expr(source, _) => first_place(source),
            Sym::Text(pieces) => pieces.iter().find_map(|piece| match piece {
                Piece::Expr(source) => first_place(source),
                Piece::Literal(_) => None,
            }),
            _ => None,
        }
    }

    /// The text of a constant.
    pub(super) fn as_text(&self) -> Option<String> {
        match self {
            Sym::Const(Value::String(text)) => Some(text.clone()),
            Sym::Const(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    /// As an expression, in parentheses where it is more than one thing.
    pub(super) fn expr(&self) -> Option<String> {
        Some(match self {
            Sym::Const(Value::Null) => "none".to_owned(),
            Sym::Const(Value::String(text)) => quoted(text),
            Sym::Const(value) => value.to_string(),
            Sym::Text(pieces) => {
                let parts = pieces.iter().map(|piece| match piece {
                    Piece::Literal(text) => quoted(text),
                    Piece::Expr(source) => source.clone(),
                });
                format!("({})", parts.collect::<Vec<_>>().join(" ~ "))
            }
            Sym::Expr(source, true) => source.clone(),
            Sym::Expr(source, false) => format!("({source})"),
            Sym::Place(place) => place.expr(),
            Sym::List(items) => {
                let parts: Option<Vec<String>> = items.iter().map(Sym::expr).collect();
                format!("[{}]", parts?.join(", "))
            }
            Sym::Map(entries) => {
                let parts: Option<Vec<String>> =
                    entries.iter().map(|e| Some(format!("{}: {}", quoted(&e.key), e.value.expr()?))).collect();
                format!("{{{}}}", parts?.join(", "))
            }
            _ => return None,
        })
    }

    /// As a condition: PHP takes an absent, an empty and a `0` value for no. A form brings texts; what is `typed`, as JSON
    /// is, may bring other values that are none.
    pub(super) fn truth(&self, typed: bool) -> Option<String> {
        Some(match self {
            Sym::Const(known) => holds(known).to_string(),
            Sym::Expr(source, _) if is_condition(source) => source.clone(),
            Sym::List(items) if items.is_empty() => "false".to_owned(),
            Sym::Place(_) | Sym::Expr(..) | Sym::Text(_) => {
                let flags = typed || matches!(self, Sym::Expr(source, _) if compares(source));
                let none = if flags { "['', '0', 0, false, none, []]" } else { "['', '0']" };
                format!("{} | default('') not in {none}", self.expr()?)
            }
            Sym::Over(_, entries) if !entries.is_empty() => "true".to_owned(),
            _ => return None,
        })
    }

    /// Why a part of it is not known.
    pub(super) fn doubt(&self) -> Option<(usize, &str)> {
        match self {
            Sym::Unknown(line, why, _) => Some((*line, why)),
            Sym::List(items) => items.iter().find_map(Sym::doubt),
            Sym::Map(entries) | Sym::Over(_, entries) => entries.iter().find_map(|entry| entry.value.doubt()),
            _ => None,
        }
    }

    /// The entries of an array with keys.
    pub(super) fn entries(&self) -> &[Entry] {
        match self {
            Sym::Map(entries) | Sym::Over(_, entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key; nothing where there is none.
    pub(super) fn at(&self, key: &str) -> Sym {
        match (self.get(key), self) {
            (Some(value), _) => value.clone(),
            (None, Sym::Place(place) | Sym::Over(place, _)) => Sym::Place(place.at(key)),
            (None, _) => Sym::null(),
        }
    }

    /// The value under a key, as far as the script itself put it there.
    pub(super) fn get(&self, key: &str) -> Option<&Sym> {
        match self {
            Sym::Map(entries) | Sym::Over(_, entries) => {
                entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
            }
            // The lines of a loop are not known one by one.
            Sym::List(items) => items.get(key.parse::<usize>().ok()?).filter(|item| !matches!(item, Sym::Each(..))),
            _ => None,
        }
    }
}

impl Place {
    /// A step deeper.
    pub(super) fn at(&self, step: &str) -> Place {
        let mut steps = self.steps.clone();
        steps.push(step.to_owned());
        Place { root: self.root, steps }
    }

    pub(super) fn expr(&self) -> String {
        match self.root {
            Root::Form if self.steps.is_empty() => "form".to_owned(),
            Root::Form => {
                let first = &self.steps[0];
                let free = is_word(first)
                    && !matches!(first.as_str(), "form" | "query" | "cookies" | "page" | "item" | "received_at");
                if free { path(first.clone(), &self.steps[1..]) } else { path("form".into(), &self.steps) }
            }
            Root::Query => path("query".into(), &self.steps),
            Root::Cookies => path("cookies".into(), &self.steps),
            Root::Item => path("item".into(), &self.steps),
            Root::Request => {
                let (form, query) = (path("form".into(), &self.steps), path("query".into(), &self.steps));
                format!("({form} if {form} is defined else {query})")
            }
        }
    }
}

fn path(root: String, steps: &[String]) -> String {
    let mut out = root;
    for step in steps {
        if is_word(step) {
            out.push_str(&format!(".{step}"));
        } else if step.bytes().all(|b| b.is_ascii_digit()) && !step.is_empty() && step.len() < 6 {
            out.push_str(&format!("[{step}]"));
        } else {
            out.push_str(&format!("[{}]", quoted(step)));
        }
    }
    out
}

/// A name that the mapping's language takes without quotes, and not one of its own words.
fn is_word(name: &str) -> bool {
    let plain = name.chars().enumerate().all(|(at, c)| c == '_' || c.is_alphabetic() || (at > 0 && c.is_numeric()));
    let reserved =
        ["and", "or", "not", "if", "else", "is", "in", "true", "false", "none", "True", "False", "None", "loop"];
    plain && !name.is_empty() && !reserved.contains(&name)
}

/// A text in an expression.
pub(super) fn quoted(text: &str) -> String {
    let escaped =
        text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    format!("'{escaped}'")
}

/// What an expression starts with, up to its first filter.
fn first_place(source: &str) -> Option<String> {
    let start = source.trim_start_matches('(');
    let mut text = None;
    let ends = |(_, c): &(usize, char)| match text {
        Some(quote) => {
            text = text.filter(|_| *c != quote);
            false
        }
        None => {
            text = Some(*c).filter(|c| matches!(c, '\'' | '"'));
            matches!(c, ' ' | ')' | '|')
        }
    };
    let end = start.char_indices().find(ends).map_or(start.len(), |(at, _)| at);
    let first = &start[..end];
    let named = first.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic());
    let whole = matches!(first, "not" | "form" | "query" | "cookies" | "item");
    (named && !whole && !first.starts_with("received_at")).then(|| first.to_owned())
}

/// Whether an expression names `item` outside of its texts.
pub(super) fn names_item(source: &str) -> bool {
    let (mut quote, mut word) = (None, String::new());
    for c in source.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c.is_alphanumeric() || c == '_' => {
                word.push(c);
                continue;
            }
            (None, _) => {}
        }
        if quote.is_none() && word == "item" {
            return true;
        }
        word.clear();
        // `.item` is a step of another place.
        if c == '.' {
            word.push('.');
        }
    }
    false
}

/// Whether PHP takes a constant for yes.
pub(super) fn holds(known: &Value) -> bool {
    !(matches!(known, Value::Null | Value::Bool(false)) || known == "" || known == "0" || known.as_f64() == Some(0.0))
}

/// Whether an expression is a condition already.
fn is_condition(source: &str) -> bool {
    source.starts_with("not ") || compares(source) && !source.contains(" if ")
}

/// Whether a part of an expression gives yes or no.
fn compares(source: &str) -> bool {
    let words = [" == ", " != ", " is ", " in ", " < ", " > ", " <= ", " >= ", " and ", " or ", "not "];
    words.iter().any(|word| source.contains(word))
}

/// The opposite of a condition.
pub(super) fn negated(truth: &str) -> String {
    let inner = truth.strip_prefix("not (").and_then(|rest| rest.strip_suffix(')'));
    match inner.filter(|inner| is_closed(inner)) {
        Some(inner) => inner.to_owned(),
        None => format!("not ({truth})"),
    }
}

/// Whether the parentheses that open in it close in it, and no other; those within texts do not count.
pub(super) fn is_closed(source: &str) -> bool {
    let (mut depth, mut text, mut escaped) = (0_i32, None, false);
    for c in source.chars() {
        match (text, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(quote), _) if c == quote => text = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => text = Some(c),
            (None, _) => depth += i32::from(c == '(') - i32::from(c == ')'),
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}
