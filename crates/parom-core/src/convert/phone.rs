//! Phones in E.164, as the CRM advises: `067 111 22 33` → `+380671112233`.

use std::str::FromStr;

use phonenumber::{Mode, country};

use super::Misfit;
use crate::problem::Code;

/// Whether phones of such a country can be read.
#[must_use]
pub fn is_region(code: &str) -> bool {
    country::Id::from_str(&code.to_ascii_uppercase()).is_ok()
}

/// A phone in E.164; a number without a country code is of `region`.
///
/// # Errors
/// What is not a number that can be called.
pub fn phone(text: &str, region: &str) -> Result<String, Misfit> {
    let misfit = || {
        Misfit::new(
            Code::InvalidPhone,
            format!("`{text}` is not a phone number"),
            "Send it in international form with a plus, as +380671112233.",
        )
    };
    let cleaned = text.trim().trim_start_matches("tel:");
    let country = country::Id::from_str(&region.to_ascii_uppercase()).map_err(|_| misfit())?;
    let candidate = if country == country::Id::UA { ukrainian(cleaned) } else { None };
    let candidate = candidate.unwrap_or_else(|| cleaned.to_owned());
    let parsed = phonenumber::parse(Some(country), &candidate).map_err(|_| misfit())?;
    if !phonenumber::is_valid(&parsed) {
        return Err(misfit());
    }
    Ok(parsed.format().mode(Mode::E164).to_string())
}

/// The forms that Ukrainians write and no library knows: `80 67 …`, `380 …` without a plus, `+38 (067) …`, `+380 (067) …`.
fn ukrainian(text: &str) -> Option<String> {
    let punctuation = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '-' | '–' | '—' | '.' | '/' | '\u{200e}');
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if !rest.chars().all(|c| c.is_ascii_digit() || punctuation(c)) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").map_or(digits.clone(), str::to_owned);
    let national = match (digits.len(), plus) {
        (13, _) => digits.strip_prefix("3800")?,
        (12, _) => digits.strip_prefix("380")?,
        (11, false) => digits.strip_prefix("80")?,
        (10, false) => digits.strip_prefix('0')?,
        (9, false) if !digits.starts_with('0') => &digits,
        _ => return None,
    };
    Some(format!("+380{national}"))
}
