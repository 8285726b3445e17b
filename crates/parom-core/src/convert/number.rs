//! Whole numbers, money and quantities. Money is a decimal, never a float.

use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::Misfit;
use crate::limits;
use crate::problem::Code;

/// The hryvnia, as people write it. Longest first, so that "грн." goes whole.
const HRYVNIA: [&str; 8] = ["гривень", "гривні", "гривня", "грн.", "грн", "hrn", "uah", "₴"];
/// Other money, which is no hryvnias.
const OTHERS: [&str; 15] =
    ["долари", "доларів", "євро", "руб.", "руб", "usd", "eur", "pln", "gbp", "zł", "zl", "$", "€", "£", "₽"];

/// An id of the CRM: a whole number from 1.
///
/// # Errors
/// Anything else.
pub fn integer(text: &str) -> Result<i64, Misfit> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    let number = digits.parse::<i64>().map_err(|_| {
        Misfit::new(Code::InvalidInteger, format!("`{text}` is not a whole number"), "Send the id alone, as 22.")
    })?;
    // 2^53: the largest whole number that every JSON reader keeps.
    if !(1..=(1 << 53)).contains(&number) {
        return Err(Misfit::new(Code::OutOfRange, format!("`{text}` is not an id"), "Ids of the CRM start at 1."));
    }
    Ok(number)
}

/// An amount of money: `1249.50`, `1 249,50`, `1,249.50`, `1.249,50`, with or without a currency.
///
/// `number` says that the sender wrote a JSON number, whose point is always the decimal one.
///
/// # Errors
/// What is not an amount; a lone separator before exactly three digits, which reads both ways; a negative amount.
pub fn money(text: &str, number: bool) -> Result<Decimal, Misfit> {
    let not_money = || {
        let hint = "Send digits with a point or a comma before the decimals.";
        Misfit::new(Code::InvalidMoney, format!("`{text}` is not an amount of money"), hint)
    };
    if number {
        return in_range(text, from_json(text).ok_or_else(not_money)?);
    }
    let lower = text.trim().to_lowercase();
    let bare = without(&HRYVNIA, &lower).unwrap_or_else(|| lower.clone());
    if without(&OTHERS, &bare).is_some() {
        let hint = "Where the source keeps this currency, take its sign away: {{ price | replace('$', '') }}.";
        let message = format!("`{text}` is in a currency of its own, and would be counted in the source's");
        return Err(Misfit::new(Code::InvalidMoney, message, hint));
    }
    let (sign, digits) = match bare.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest.trim()),
        None => ("", bare.strip_prefix('+').unwrap_or(&bare)),
    };
    let (whole, fraction) = split_decimals(text, digits)?.ok_or_else(not_money)?;
    let whole = ungroup(&whole).ok_or_else(not_money)?;
    let decimal = Decimal::from_str(&format!("{sign}{whole}.{fraction}0")).map_err(|_| not_money())?;
    in_range(text, decimal)
}

/// A quantity: a decimal above 0, with a point or a comma.
///
/// # Errors
/// Anything else.
pub fn quantity(text: &str) -> Result<Decimal, Misfit> {
    let clean = text.replace(',', ".");
    let clean = clean.trim();
    // A point is the decimal one, as in JSON.
    if let Some((whole, fraction)) = text.trim().split_once(',') {
        one_way(text, whole, fraction)?;
    }
    let simple = clean.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let decimal = from_json(clean).filter(|_| simple).ok_or_else(|| {
        Misfit::new(Code::InvalidNumber, format!("`{text}` is not a number"), "Send a number such as 1 or 0.5.")
    })?;
    if decimal.is_zero() {
        return Err(Misfit::new(Code::OutOfRange, "the quantity is zero", "Leave the line out, or send its quantity."));
    }
    in_range(text, decimal)
}

/// The shortest decimal that a float stands for: 0.1 + 0.2 of an expression is 0.3, not 0.30000000000000004.
#[must_use]
pub fn decimal_of_float(float: f64) -> Option<Decimal> {
    Decimal::from_f64(float)
}

/// A decimal out of a JSON number's text (`12`, `12.50`, `1.2e3`).
fn from_json(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok() } else { Decimal::from_str(text).ok() }
}

fn in_range(text: &str, decimal: Decimal) -> Result<Decimal, Misfit> {
    if decimal.is_sign_negative() && !decimal.is_zero() {
        let hint = "Send it without the minus. A discount has a field of its own: order.discount_amount.";
        return Err(Misfit::new(Code::OutOfRange, format!("`{text}` is below zero"), hint));
    }
    if decimal > Decimal::from(limits::AMOUNT_MAX) {
        return Err(Misfit::new(Code::OutOfRange, format!("`{text}` is too large to be believed"), "Check the field."));
    }
    Ok(decimal)
}

/// The text without one of these words before or after it.
fn without(words: &[&str], text: &str) -> Option<String> {
    let rest = words.iter().find_map(|word| text.strip_suffix(word).or_else(|| text.strip_prefix(word)))?;
    Some(rest.trim().to_owned())
}

/// `1,249` is one and a quarter to some, and more than a thousand to others.
fn one_way(text: &str, whole: &str, fraction: &str) -> Result<(), Misfit> {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let could_group = !whole.is_empty() && whole.len() <= 3 && digits(whole) && !whole.starts_with('0');
    if could_group && fraction.len() == 3 && digits(fraction) {
        return Err(Misfit::new(
            Code::AmbiguousNumber,
            format!("`{text}` may be {whole} and a fraction, or {whole} thousand and more"),
            "Send it with two decimals or none: 1249.00, 1249. Where its comma is the decimal one: {{ qty | replace(',', '.') }}.",
        ));
    }
    Ok(())
}

/// The whole part, separators included, and the decimals; none for what has other characters.
fn split_decimals(text: &str, digits: &str) -> Result<Option<(String, String)>, Misfit> {
    let known = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ',' | '\'' | '’');
    if digits.is_empty() || !digits.chars().all(known) {
        return Ok(None);
    }
    let marks: Vec<(usize, char)> = digits.char_indices().filter(|(_, c)| matches!(c, '.' | ',')).collect();
    let Some(&(last_at, last)) = marks.last() else {
        return Ok(Some((digits.to_owned(), String::new())));
    };
    let fraction = &digits[last_at + 1..];
    let repeated = marks.iter().filter(|(_, c)| *c == last).count() > 1;
    let both = marks.iter().any(|(_, c)| *c != last);
    if repeated {
        // 1,249,000: grouping only, unless another mark stands among them.
        return Ok((!both).then(|| (digits.to_owned(), String::new())));
    }
    let whole = &digits[..last_at];
    if !both {
        one_way(text, whole, fraction)?;
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(Some((whole.to_owned(), fraction.to_owned())))
}

/// Digits without their grouping marks; none when the groups are not of three.
fn ungroup(whole: &str) -> Option<String> {
    let whole = whole.trim();
    let groups: Vec<&str> = whole.split(|c: char| !c.is_ascii_digit()).collect();
    let (first, rest) = groups.split_first()?;
    let grouped = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    (rest.is_empty() && !first.is_empty() || grouped).then(|| groups.concat())
}
