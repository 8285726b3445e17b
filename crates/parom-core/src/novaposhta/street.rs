//! The street of a text beside the address of a branch: other endings, another language, an old name.

use super::asked::Asked;
use super::near;
use super::renamed;

/// The street that a text names, with the names that it may have now in a city.
pub(super) struct Street<'a> {
    names: Vec<Vec<&'a str>>,
    house: Option<&'a str>,
}

impl<'a> Street<'a> {
    /// The street as it may stand in addresses of a city (its name folded); none where the text names none.
    pub(super) fn of(asked: &'a Asked, city: &str) -> Option<Street<'a>> {
        let own: Vec<&str> = asked.street.iter().map(String::as_str).collect();
        if own.is_empty() {
            return None;
        }
        let renamed = renamed::streets(city).iter().filter(|(old, _)| {
            let old: Vec<&str> = old.split(' ').collect();
            is_name(&own, &asked.street_word, &old)
        });
        let mut names: Vec<Vec<&str>> = renamed.map(|(_, new)| new.split(' ').collect()).collect();
        names.push(own);
        Some(Street { names, house: asked.house.as_deref() })
    }

    /// Whether a folded address is in it, and in the house that was named.
    pub(super) fn is_of(&self, address: &str) -> bool {
        let has = |name: &[&str]| name.iter().all(|word| address.split(' ').any(|known| same_word(word, known)));
        self.house.is_none_or(|house| house_of(address, house)) && self.names.iter().any(|name| has(name))
    }
}

/// Whether some words are a name, or a part of it that tells: `Комарова` of `Космонавта Комарова`.
fn is_name(typed: &[&str], word: &str, name: &[&str]) -> bool {
    let has = |all: &[&str], one: &str| all.iter().any(|known| same_word(one, known));
    let whole = name.iter().all(|one| has(typed, one) || same_word(one, word));
    whole || name.last().is_some_and(|last| has(typed, last)) && typed.iter().all(|one| has(name, one))
}

/// The house's number stands among an address's words, with or without its letter.
fn house_of(address: &str, house: &str) -> bool {
    let digits = house.trim_end_matches(|c: char| !c.is_ascii_digit());
    let letter = &house[digits.len()..];
    let mut words = address.split(' ').peekable();
    while let Some(word) = words.next() {
        let apart = word == digits && (letter.is_empty() || words.peek() == Some(&letter));
        if word == house || apart {
            return true;
        }
    }
    false
}

/// Two words of a name but for their endings: `шевченка` and `шевченко`, `соборна` and `соборная`.
fn same_word(typed: &str, known: &str) -> bool {
    if typed == known {
        return true;
    }
    let (typed_letters, known_letters) = (typed.chars().count(), known.chars().count());
    if typed.bytes().any(|b| b.is_ascii_digit()) {
        return false;
    }
    if typed_letters < 4 || known_letters < 4 {
        // `Валу` and `Вал`: a short name with an ending.
        return known_letters >= 3 && typed.starts_with(known) && typed_letters - known_letters <= 1;
    }
    let common = typed.chars().zip(known.chars()).take_while(|(left, right)| left == right).count();
    let ends = common >= 4 && typed_letters - common <= 3 && known_letters - common <= 3;
    ends || typed_letters >= 6 && near::within(typed, known, 1)
}
