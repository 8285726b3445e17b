//! What a person typed about a branch, taken apart: town, kind, number, street. Nothing is decided here.

mod names;
mod numbers;
mod streets;

use super::areas::Areas;
use super::directory::Directory;
use super::fold::{Token, tokens};
use super::rows::Kind;
use super::words::{self, Word};

/// A place in the text that is the name of settlements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Their indexes.
    pub(super) settlements: Vec<u32>,
    /// It stands in the field for the town, or behind `м.`, `с.` and the like.
    pub(super) sure: bool,
}

/// A text taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) names: Vec<Named>,
    /// There is a text for the town, and no settlement of it is known.
    pub(super) unknown_town: bool,
    pub(super) areas: Areas,
    /// Folded districts.
    pub(super) regions: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    /// Numbers that are marked as a branch's.
    pub(super) numbers: Vec<u32>,
    /// A letter stands behind the number: `5А`.
    pub(super) lettered: bool,
    /// Numbers that nothing explains.
    pub(super) loose: Vec<u32>,
    pub(super) either: bool,
    pub(super) street: Vec<String>,
    /// The word for the street: `набережна` may be a part of its name.
    pub(super) street_word: String,
    pub(super) house: Option<String>,
    pub(super) flat: bool,
    pub(super) courier: bool,
    pub(super) other: bool,
    pub(super) shop: bool,
    pub(super) cargo: bool,
    pub(super) only: bool,
    /// Nova Poshta is named.
    pub(super) nova: bool,
    /// Something is said not to be it, or to be beside it.
    pub(super) denied: bool,
    /// Towns that are named in another case than the first: `з Києва`.
    pub(super) inflected: Vec<u32>,
    /// Words that nothing explains, and what counts something else than branches.
    pub(super) words: Vec<String>,
    /// The town has no field of its own, and nothing says that its name is a town's.
    pub(super) bare: bool,
}

impl Asked {
    /// Whether a number is one of the branch's; where none is marked as such, of those that nothing explains.
    pub(super) fn may_be(&self, number: u32) -> bool {
        let numbers = if self.numbers.is_empty() { &self.loose } else { &self.numbers };
        number > 0 && numbers.contains(&number)
    }
}

/// Takes a text apart; `town` may be empty where all stands in one line.
pub(super) fn read(directory: &Directory, town: &str, line: &str) -> Asked {
    let mut all = apart_again(tokens(town));
    let town_ends = all.len();
    let mut rest = apart_again(tokens(line));
    if let Some(first) = rest.first_mut() {
        (first.apart, first.glued) = (true, false);
    }
    all.extend(rest);
    let words = all.iter().map(|token| words::of(&token.text).filter(|_| token.number.is_none())).collect();
    let used = vec![false; all.len()];
    let mut reader = Reader { directory, tokens: all, words, used, town_ends, asked: Asked::default() };
    reader.run();
    reader.asked
}

/// `київвідділення11`: a space was forgotten.
fn apart_again(all: Vec<Token>) -> Vec<Token> {
    const INSIDE: &[&str] = &["відділен", "отделен", "поштомат", "почтомат"];
    let mut out = Vec::with_capacity(all.len());
    for token in all {
        let place = INSIDE.iter().find_map(|inside| token.raw.find(inside)).filter(|at| *at > 0);
        match place.filter(|_| words::of(&token.text).is_none()) {
            Some(place) => {
                let (name, kind) = token.raw.split_at(place);
                let halves = [name, kind].into_iter().flat_map(tokens);
                out.extend(halves.enumerate().map(|(at, half)| {
                    if at == 0 { Token { raw: half.raw, text: half.text, ..token.clone() } } else { half }
                }));
            }
            None => out.push(token),
        }
    }
    out
}

/// The tokens, and which of them are explained by now.
struct Reader<'a> {
    directory: &'a Directory,
    tokens: Vec<Token>,
    words: Vec<Option<Word>>,
    used: Vec<bool>,
    /// Tokens before this are the town's field.
    town_ends: usize,
    asked: Asked,
}

impl Reader<'_> {
    fn run(&mut self) {
        self.joined();
        self.phones();
        self.measures();
        self.areas();
        self.branch_numbers();
        self.streets();
        self.names();
        self.trailing_streets();
        self.places();
        self.slips();
        self.left();
    }

    /// What a word says, where it is not explained yet.
    fn word(&self, at: usize) -> Option<Word> {
        self.words.get(at).copied().flatten().filter(|_| !self.used[at])
    }

    fn number(&self, at: usize) -> Option<u32> {
        self.tokens.get(at).filter(|_| !self.used[at]).and_then(|token| token.number)
    }

    /// A word that is a name, most likely, and not explained yet.
    fn is_free(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.number.is_none()) && !self.used[at] && self.words[at].is_none()
    }

    fn take(&mut self, at: usize) {
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
    }

    fn take_all(&mut self, span: std::ops::Range<usize>) {
        span.for_each(|at| self.take(at));
    }

    fn texts(&self, span: std::ops::Range<usize>) -> Vec<String> {
        self.tokens[span].iter().map(|token| token.text.clone()).collect()
    }

    /// `р-н` comes as two tokens, `пр-т` and `б-р` too.
    fn joined(&mut self) {
        for at in 0..self.tokens.len().saturating_sub(1) {
            let pair = (self.tokens[at].text.as_str(), self.tokens[at + 1].text.as_str());
            let word = match pair {
                ("н", "п") => Word::Nova,
                ("р", "н" | "на" | "ну" | "ни" | "не") => Word::Region,
                ("пр", "т" | "кт") | ("б" | "бул", "р") | ("ж", "м") => Word::Street,
                _ => continue,
            };
            self.words[at] = Some(word);
            self.words[at + 1] = None;
            self.take(at + 1);
        }
    }

    fn left(&mut self) {
        for at in 0..self.tokens.len() {
            match (self.words[at], self.tokens[at].number) {
                _ if self.used[at] => {}
                (_, Some(number)) => self.asked.loose.push(number),
                (Some(Word::Near), _) => self.asked.denied |= self.is_before_branch(at),
                (Some(word), _) => self.said(word),
                (None, None) => self.unknown(at),
            }
        }
        self.asked.unknown_town &= self.asked.names.is_empty();
        self.asked.bare = !self.asked.names.iter().any(|named| named.sure);
    }

    fn is_before_branch(&self, at: usize) -> bool {
        self.words[at..].iter().any(|word| matches!(word, Some(Word::Kind(_) | Word::Nova)))
    }

    fn said(&mut self, word: Word) {
        match word {
            Word::Other => self.asked.other = true,
            Word::Shop => self.asked.shop = true,
            Word::Courier => self.asked.courier = true,
            Word::Nova => self.asked.nova = true,
            Word::Cargo => self.asked.cargo = true,
            Word::Only => self.asked.only = true,
            Word::Or => self.asked.either = true,
            Word::Not => self.asked.denied = true,
            _ => {}
        }
    }

    fn unknown(&mut self, at: usize) {
        // `Київська` alone is the oblast.
        let areas = Areas::of(&self.tokens[at].text);
        if areas.is_empty() {
            self.asked.inflected.extend(self.directory.inflected(&self.tokens[at].text));
            self.asked.words.push(self.tokens[at].text.clone());
            self.asked.unknown_town |= at < self.town_ends;
        } else {
            self.asked.areas = self.asked.areas.and(areas);
        }
    }
}
