//! The filters of a mapping: minijinja's own, and those that an order needs.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

use minijinja::value::{Kwargs, Rest, StringInput, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use regex::{Regex, RegexBuilder};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::branch;
use super::context::{LOCALE, LocaleValue};
use crate::convert::{self, Locale, Misfit, Moment};
use crate::limits;
use crate::problem::Code;

/// Filters that a mistyped name may have meant.
pub(super) const KNOWN: [&str; 28] = [
    "abs",
    "capitalize",
    "date",
    "default",
    "first",
    "float",
    "int",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "money",
    "np_branch",
    "phone",
    "regex_capture",
    "regex_replace",
    "replace",
    "round",
    "rows",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "upper",
];

/// The value that a filter could not take.
#[derive(Clone, Debug)]
pub(super) struct Untaken {
    pub(super) text: String,
    /// A problem of its own kind.
    pub(super) code: Option<Code>,
}

impl fmt::Display for Untaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not taken", self.text)
    }
}

impl std::error::Error for Untaken {}

/// A filter is asked for what it never can do: the file has to be mended, whatever comes.
#[derive(Debug)]
struct Miswritten {
    /// What cannot be read, where it is a text: a submission may have brought it.
    text: Option<String>,
}

impl fmt::Display for Miswritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a way to call the filter")
    }
}

impl std::error::Error for Miswritten {}

fn miswritten(text: Option<&str>, detail: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail).with_source(Miswritten { text: text.map(str::to_owned) })
}

/// Whether a failure is the fault of an expression's source, and of no value.
pub(super) fn is_miswritten(error: &Error, source: &str) -> bool {
    let found = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Miswritten>());
    let written = |text: &str, quote: char| source.contains(&format!("{quote}{text}{quote}"));
    let stands = |text: &String| {
        // An empty one is what a name gives that is not there.
        if text.is_empty() {
            return false;
        }
        let escaped = text.replace('\\', "\\\\");
        ['"', '\''].into_iter().any(|quote| written(text, quote) || written(&escaped, quote))
    };
    found.is_some_and(|found| found.text.as_ref().is_none_or(stands))
}

pub(super) fn register(engine: &mut Environment<'static>) {
    engine.add_filter("default", default);
    engine.add_filter("d", default);
    engine.add_filter("join", join);
    engine.add_filter("map", map);
    engine.add_filter("phone", phone);
    engine.add_filter("money", money);
    engine.add_filter("round", round);
    engine.add_filter("date", date);
    engine.add_filter("rows", rows);
    engine.add_filter("np_branch", branch::np_branch);
    engine.add_filter("regex_capture", regex_capture);
    engine.add_filter("regex_replace", regex_replace);
}

/// The value behind a filter's failure, where it was the value's fault.
pub(super) fn untaken(error: &Error) -> Option<Untaken> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref::<Untaken>()).cloned()
}

pub(super) fn is_known(engine: &Environment<'_>, name: &str) -> bool {
    engine.empty_state().perform_test("filter", &[Value::from(name)]).unwrap_or(false)
}

/// The names after each `|` outside of quotes.
pub(super) fn used(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut quote = None;
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '|') => {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                names.push(name);
            }
            _ => {}
        }
    }
    names
}

pub(super) fn is_blank(value: &Value) -> bool {
    value.is_undefined() || value.is_none() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Unlike Jinja's own, an empty text takes the default too: a form sends its blank fields.
fn default(value: Value, other: Option<Value>) -> Value {
    if is_blank(&value) { other.unwrap_or_else(|| Value::from("")) } else { value }
}

/// Unlike Jinja's own, what has names is joined by its values: `opt[color]=red` and PHP's lists with gaps come so.
fn join(
    state: &mut State,
    value: &Value,
    between: Option<StringInput<'_>>,
    attribute: Option<&str>,
    more: Kwargs,
) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return minijinja::filters::join(state, value, between, attribute, more);
    }
    let values: Vec<Value> = value.try_iter()?.filter_map(|key| value.get_item(&key).ok()).collect();
    minijinja::filters::join(state, &Value::from(values), between, attribute, more)
}

/// A table of values; what it lacks is a problem, not a guess.
fn map(value: Value, table: Value) -> Result<Value, Error> {
    if table.kind() != ValueKind::Map {
        let detail = "map takes a table: map({\"card\": 1, \"cash\": 2})";
        // A table of the form's own may be absent.
        let absent = table.is_undefined().then(|| Error::new(ErrorKind::InvalidOperation, detail));
        return Err(absent.unwrap_or_else(|| miswritten(None, detail.to_owned())));
    }
    if is_blank(&value) {
        return Ok(Value::UNDEFINED);
    }
    let text = value.to_string();
    let text = text.trim();
    let found = table.try_iter()?.find(|key| key.to_string().trim() == text);
    match found {
        Some(key) => table.get_item(&key),
        None => {
            let mut known: Vec<String> = table.try_iter()?.map(|key| key.to_string()).collect();
            known.sort();
            let detail = format!("`{text}` is not in the table ({})", known.join(", "));
            Err(Error::new(ErrorKind::InvalidOperation, detail)
                .with_source(Untaken { text: text.to_owned(), code: Some(Code::UnknownValue) }))
        }
    }
}

fn phone(state: &State, value: Value) -> Result<Value, Error> {
    convert_text(&value, |text| {
        convert::phone(text, &locale(state)?.region).map(Value::from).map_err(|misfit| error(text, misfit))
    })
}

/// A number to count with; the field's own conversion makes a decimal of the result.
fn money(value: Value) -> Result<Value, Error> {
    let number = value.is_number();
    convert_text(&value, |text| {
        let amount = convert::money(text, number).map_err(|misfit| error(text, misfit))?;
        Ok(number_of(amount))
    })
}

/// A decimal as an expression counts with it: whole numbers without a fraction.
fn number_of(amount: Decimal) -> Value {
    if amount.fract().is_zero()
        && let Some(whole) = amount.to_i64()
    {
        return Value::from(whole);
    }
    amount.to_f64().map_or(Value::UNDEFINED, Value::from)
}

/// Rounds as money is rounded: halves away from zero, by the decimal that is read and not by the float behind it
/// (1.005 to two places is 1.01).
fn round(value: Value, places: Option<u32>) -> Result<Value, Error> {
    let float = f64::try_from(value.clone())
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "round takes a number: {{ price | money | round(2) }}"))?;
    let places = places.unwrap_or(0).min(Decimal::MAX_SCALE);
    Ok(match convert::decimal_of_float(float) {
        Some(amount) => number_of(amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)),
        None => value,
    })
}

/// A date or a time as ISO, read from the known forms or by a strptime format: `date('%d %B %Y')`.
fn date(state: &State, value: Value, format: Option<String>) -> Result<Value, Error> {
    if let Some(format) = &format {
        convert::check_format(format).map_err(|why| miswritten(Some(format), format!("date('{format}'): {why}")))?;
    }
    convert_text(&value, |text| {
        let zone = &locale(state)?.zone;
        let moment = match &format {
            Some(format) => convert::moment_in_format(text, format, zone),
            None => convert::moment(text, zone),
        };
        Ok(Value::from(match moment.map_err(|misfit| error(text, misfit))? {
            Moment::Day(day) => day.to_string(),
            Moment::Instant(at) => at.to_string(),
        }))
    })
}

/// Lists side by side (`name[]`, `price[]`) as one list of lines: `{'name': name, 'price': price} | rows`.
fn rows(table: Value) -> Result<Value, Error> {
    if table.kind() != ValueKind::Map {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "rows takes lists by name: {'name': name, 'qty': qty} | rows",
        ));
    }
    let mut lines: Vec<BTreeMap<String, Value>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for name in table.try_iter()? {
        let column = table.get_item(&name)?;
        // Indexes with gaps come as keys, others by their order; one value alone is a list of one.
        let cells: Vec<(String, Value)> = match column.kind() {
            ValueKind::Map => {
                column.try_iter()?.map(|key| (key.to_string(), column.get_item(&key).unwrap_or_default())).collect()
            }
            ValueKind::Seq => column.try_iter()?.enumerate().map(|(at, cell)| (at.to_string(), cell)).collect(),
            _ if is_blank(&column) => Vec::new(),
            _ => vec![("0".to_owned(), column)],
        };
        for (key, cell) in cells {
            let at = *places.entry(key).or_insert_with(|| {
                lines.push(BTreeMap::new());
                lines.len() - 1
            });
            lines[at].insert(name.to_string(), cell);
        }
    }
    Ok(Value::from(lines))
}

/// The first group of the first match (or another: `regex_capture(pattern, 2)`, 0 is the whole); nothing without a match.
fn regex_capture(value: Value, pattern: String, group: Option<usize>) -> Result<Value, Error> {
    let regex = compiled(&pattern)?;
    let group = group.unwrap_or_else(|| usize::from(regex.captures_len() > 1));
    convert_text(&value, |text| {
        let found = regex.captures(text).and_then(|found| found.get(group));
        Ok(found.map_or(Value::UNDEFINED, |found| Value::from(found.as_str())))
    })
}

fn regex_replace(value: Value, pattern: String, with: Rest<String>) -> Result<Value, Error> {
    let regex = compiled(&pattern)?;
    let with = with.first().map_or("", String::as_str);
    convert_text(&value, |text| Ok(Value::from(regex.replace_all(text, with).into_owned())))
}

fn convert_text(value: &Value, convert: impl FnOnce(&str) -> Result<Value, Error>) -> Result<Value, Error> {
    if is_blank(value) { Ok(Value::UNDEFINED) } else { convert(value.to_string().trim()) }
}

fn locale(state: &State) -> Result<Locale, Error> {
    let value = state.lookup(LOCALE);
    let locale = value.as_ref().and_then(|value| value.downcast_object_ref::<LocaleValue>());
    locale.map(|locale| locale.0.clone()).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no locale"))
}

fn error(text: &str, misfit: Misfit) -> Error {
    let value = Untaken { text: text.to_owned(), code: None };
    Error::new(ErrorKind::InvalidOperation, misfit.message).with_source(value)
}

/// Patterns stand in channel files, so there are few: each is compiled once, within a size.
fn compiled(pattern: &str) -> Result<Regex, Error> {
    static CACHE: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = cache.get(pattern) {
        return Ok(regex.clone());
    }
    let built = RegexBuilder::new(pattern).size_limit(limits::REGEX_BYTES).build();
    let regex = built.map_err(|error| miswritten(Some(pattern), format!("regex: {error}")))?;
    if cache.len() >= limits::REGEX_CACHE {
        cache.clear();
    }
    cache.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}
