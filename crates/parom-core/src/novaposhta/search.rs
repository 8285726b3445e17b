//! The search of a form: a few letters of a town, then a number or a street. Both while they are still being typed.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::areas::Areas;
use super::directory::Directory;
use super::fold::{fold, tokens};
use super::near;
use super::rows::{Branch, Kind, Ref, Settlement};
use super::words::{self, Word};
use crate::limits;

/// A settlement that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// The settlement.
    pub settlement: &'a Settlement,
    /// The carrier's city that most of its branches belong to.
    pub city: Ref,
    /// Its branches, points and lockers.
    pub branches: usize,
}

/// Settlements whose name begins as the text does, in any of its spellings; likeliest first. Words behind the name narrow
/// it down by oblast and district: `миколаїв льв`.
#[must_use]
pub fn settlements<'a>(directory: &'a Directory, text: &str, most: usize) -> Vec<Found<'a>> {
    let words: Vec<String> = tokens(limited(text))
        .into_iter()
        .enumerate()
        .filter(|(at, token)| !(*at == 0 && is_prefix(&token.text)))
        .map(|(_, token)| token.text)
        .take(limits::SEARCH_WORDS)
        .collect();
    let mut best: HashMap<u32, u8> = HashMap::new();
    for length in (1..=words.len()).rev() {
        let (name, rest) = words.split_at(length);
        for (at, rank) in named(directory, &name.join(" ")) {
            if rest.iter().all(|word| is_in(directory, at, word)) {
                let known = best.entry(at).or_insert(rank);
                *known = rank.min(*known);
            }
        }
        if !best.is_empty() {
            break;
        }
    }
    let mut found: Vec<(u8, u32)> = best.into_iter().map(|(at, rank)| (rank, at)).collect();
    let size = |at: u32| directory.of(at).len();
    found.sort_by_key(|(rank, at)| {
        (*rank, Reverse(directory.is_city(*at)), Reverse(size(*at)), directory.row(*at).name.clone(), *at)
    });
    let shown = |(_, at): (u8, u32)| {
        let city = directory.of(at).next().map(|branch| directory.at(branch).city).unwrap_or_default();
        Found { settlement: directory.row(at), city, branches: size(at) }
    };
    found.into_iter().take(most).map(shown).collect()
}

/// The text as far as it is looked at.
fn limited(text: &str) -> &str {
    let end = (0..=limits::SEARCH_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or_default()]
}

/// `м.` before the name.
fn is_prefix(word: &str) -> bool {
    matches!(words::of(word), Some(Word::City | Word::Village | Word::Town)) && word.chars().count() <= 4
}

/// The settlements of a name that is being typed: 0 the whole, 1 its beginning, 2 the beginning of a later word, 3 a slip.
fn named(directory: &Directory, key: &str) -> Vec<(u32, u8)> {
    let mut found = Vec::new();
    let inner = format!(" {key}");
    for (name, _, at) in directory.names() {
        if name == key {
            found.push((at, 0));
        } else if name.starts_with(key) {
            found.push((at, 1));
        } else if name.contains(&inner) {
            found.push((at, 2));
        }
    }
    let long = key.chars().count();
    if found.is_empty() && long >= 4 {
        let (mask, most) = (near::letters(key), if long >= 8 { 2 } else { 1 });
        for (name, letters, at) in directory.names() {
            if (mask & !letters).count_ones() <= most && near::begins_within(key, name, most as usize) {
                found.push((at, 3));
            }
        }
    }
    found
}

fn is_in(directory: &Directory, at: u32, word: &str) -> bool {
    let filler = matches!(words::of(word), Some(Word::Area | Word::Region)) || word.chars().count() < 2;
    filler || directory.area(at).meets(Areas::of_short(word)) || fold(&directory.row(at).region).starts_with(word)
}

/// Branches of a settlement for a number, a street, or both as far as they are typed; likeliest first.
#[must_use]
pub fn branches<'a>(directory: &'a Directory, settlement: Ref, text: &str, most: usize) -> Vec<&'a Branch> {
    let Some(at) = directory.settlement_at(settlement) else { return Vec::new() };
    let mut kind = None;
    let mut number = None;
    let mut address = Vec::new();
    for token in tokens(limited(text)).into_iter().take(2 * limits::SEARCH_WORDS) {
        match (words::of(&token.text), token.number) {
            (_, Some(_)) if number.is_none() && address.is_empty() => number = Some(token.text),
            (_, Some(_)) => address.push(token.text),
            (Some(Word::Kind(named)), _) => kind = Some(named),
            (Some(word), _) if says_nothing(word) => {}
            (None | Some(_), None) => address.push(token.text),
        }
    }
    let number = number.map(|number| number.trim_start_matches('0').to_owned());
    let mut found: Vec<(u8, u32)> = Vec::new();
    for branch in directory.of(at) {
        let row = directory.at(branch);
        let of_kind = kind.is_none_or(|kind| kind == row.kind || kind == Kind::Branch && row.kind == Kind::PickUp);
        if !of_kind || !row.works {
            continue;
        }
        let rank = number.as_ref().map_or(Some(0), |number| ranked(directory, branch, row, number));
        let inside = address.iter().all(|word| in_address(directory.address_key(branch), word));
        if let (Some(rank), true) = (rank, inside) {
            found.push((rank, branch));
        }
    }
    found.sort_by_key(|(rank, branch)| (*rank, *branch));
    found.into_iter().take(most).map(|(_, branch)| directory.at(branch)).collect()
}

/// Words that stand around a number or a street, and are no part of an address.
fn says_nothing(word: Word) -> bool {
    use Word::{At, Filler, Near, Nova, Number, Post, Street, Unit};
    matches!(word, At | Filler | Near | Nova | Number | Post | Street | Unit)
}

/// How a typed number fits a branch: 0 its own, 1 the beginning of its own, 2 the house's.
fn ranked(directory: &Directory, branch: u32, row: &Branch, number: &str) -> Option<u8> {
    let own = row.number.to_string();
    let house = || directory.address_key(branch).split(' ').any(|word| word == number);
    if own == number {
        Some(0)
    } else if own.starts_with(number) {
        Some(1)
    } else {
        house().then_some(2)
    }
}

fn in_address(address: &str, word: &str) -> bool {
    let long = word.chars().count() >= 5;
    address.split(' ').any(|known| known.starts_with(word) || long && near::begins_within(word, known, 1))
}
