//! Numbers: which is a branch's, and which are a phone's, a weight's or a flat's.

use super::super::words::Word;
use super::Reader;

/// Digits of a number that can only be a phone's.
const PHONE: usize = 9;

impl Reader<'_> {
    /// Phones, postal codes and numbers of orders say nothing of a branch.
    pub(super) fn phones(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            if !self.is_digits(at) {
                at += 1;
                continue;
            }
            let text = self.tokens[at].text.clone();
            let begins = text.starts_with("38") || text.starts_with('0');
            let whole = if text.starts_with("38") { 12 } else { 10 };
            // 067 123 45 67 is one number in four parts.
            let (mut end, mut length) = (at + 1, text.len());
            while begins && length < whole && self.is_digits(end) {
                length += self.tokens[end].text.len();
                end += 1;
            }
            let after = |word: Word| at > 0 && self.words[at - 1] == Some(word);
            let postal = text.starts_with('0') && !self.named_before(at) || after(Word::Index);
            let code = text.len() == 5 && postal || after(Word::Order);
            let phone = text.len() >= PHONE || begins && length == whole;
            let end = if phone { end } else { at + 1 };
            if after(Word::Order) {
                self.asked.words.push(text.clone());
            }
            if phone || code {
                self.take_all(at..end);
            }
            at = end;
        }
    }

    fn is_digits(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Weights, counts, flats, floors: numbers that are no branch's.
    pub(super) fn measures(&mut self) {
        for at in 0..self.tokens.len() {
            match self.word(at) {
                Some(Word::Unit) if at > 0 && self.number(at - 1).is_some() => {
                    let weight = self.tokens[at].text == "кг";
                    self.asked.words.extend((!weight).then(|| self.tokens[at].text.clone()));
                    self.take_all(at - 1..at + 1);
                }
                // `12 поверх`, `5-й мкрн`; a quarter with a name is as a street.
                Some(Word::Inside | Word::Quarter) if self.counted(at).is_some() => {
                    let from = self.counted(at).unwrap_or(at);
                    self.take_all(from..at + 1);
                }
                Some(Word::Quarter) if self.number(at + 1).is_some() => self.take_all(at..at + 2),
                Some(Word::Quarter) => self.words[at] = Some(Word::Street),
                Some(word @ (Word::Flat | Word::Inside))
                    if self.number(at + 1).is_some() && !self.tokens[at + 1].marked =>
                {
                    self.asked.flat |= word == Word::Flat;
                    self.take_all(at..at + 2);
                }
                _ => {}
            }
        }
    }

    /// Where the number stands that counts this word, which has none behind it: `12`, `5-й`.
    fn counted(&self, at: usize) -> Option<usize> {
        if self.number(at + 1).is_some() || self.tokens[at].apart {
            return None;
        }
        let ends = at > 1 && ordinal(&self.tokens[at - 1].text) && !self.tokens[at - 1].apart;
        let place = at.checked_sub(if ends { 2 } else { 1 })?;
        self.number(place).filter(|_| !self.tokens[place].marked).map(|_| place)
    }

    /// `відд. №5`, `НП 5`, `5-е отделение`, `№5`.
    pub(super) fn branch_numbers(&mut self) {
        for at in 0..self.tokens.len() {
            if let Some(Word::Kind(kind)) = self.word(at)
                && !self.asked.kinds.contains(&kind)
            {
                self.asked.kinds.push(kind);
            }
            let Some(number) = self.number(at) else { continue };
            let after = self.ordinal_end(at);
            let kind_after = matches!(self.word(after), Some(Word::Kind(_)))
                && !self.tokens[after].apart
                && self.number(after + 1).is_none()
                && !self.street_before(at);
            if self.tokens[at].marked || self.named_before(at) || kind_after {
                self.asked.numbers.push(number);
                self.take(at);
                self.letter_behind(at, after);
                self.asked.lettered |= self.is_part(at + 1);
                // `1 1` may be eleven.
                let next = self.tokens.get(at + 1).is_some_and(|next| !next.apart && !next.marked);
                self.asked.lettered |= next && self.number(at + 1).is_some();
            }
        }
        self.choices();
        self.asked.numbers.sort_unstable();
        self.asked.numbers.dedup();
    }

    /// `5-Б`, `5 корпус 2`: what stands behind the number makes it another place.
    fn is_part(&self, at: usize) -> bool {
        let Some(next) = self.tokens.get(at).filter(|next| !next.apart && next.number.is_none()) else { return false };
        let ends = self.tokens.get(at + 1).is_none_or(|behind| behind.apart);
        let letter = next.text.chars().count() == 1 && !ordinal(&next.text) && ends;
        letter || next.text.starts_with("корп")
    }

    /// `5А` is another place than `5`; `5-е` is not.
    fn letter_behind(&mut self, at: usize, after: usize) {
        let letter = self.tokens.get(at + 1).filter(|next| next.glued && next.number.is_none());
        let letter = letter.map(|next| next.text.clone());
        self.asked.lettered |= letter.as_ref().is_some_and(|text| text.chars().count() == 1 && !ordinal(text));
        if letter.is_some_and(|text| text.chars().count() <= 2) || after > at + 1 {
            self.take(at + 1);
        }
    }

    /// `5 або 7`, `5/7`: a number beside a branch's.
    fn choices(&mut self) {
        for at in 0..self.tokens.len() {
            let Some(number) = self.number(at) else { continue };
            let is_or = |at: usize| self.words.get(at).copied().flatten() == Some(Word::Or);
            let before =
                at > 0 && (self.is_branch_number(at - 1) || at > 1 && is_or(at - 1) && self.is_branch_number(at - 2));
            let after = is_or(at + 1) && self.is_branch_number(at + 2);
            if before && !self.tokens[at].apart || after {
                self.asked.numbers.push(number);
                self.take(at);
            }
        }
    }

    pub(super) fn is_branch_number(&self, at: usize) -> bool {
        let number = self.tokens.get(at).and_then(|token| token.number);
        number.is_some_and(|number| self.used[at] && self.asked.numbers.contains(&number))
    }

    /// Whether a branch's number stands here: behind `відд.`, `номер`, `НП`, or `пункт видачі`.
    fn named_before(&self, at: usize) -> bool {
        let mut back = at;
        while back > 0 {
            back -= 1;
            let apart = self.tokens[back + 1].apart;
            match self.words[back] {
                // A colon or a bracket is no border between the word and its number.
                Some(Word::Kind(_) | Word::Number) => return true,
                Some(Word::Nova | Word::Post) if !apart => return true,
                Some(Word::Filler) if at - back < 3 && !apart && self.tokens[back].text.chars().count() > 3 => {}
                _ => return false,
            }
        }
        false
    }

    /// Behind `5-е`.
    fn ordinal_end(&self, at: usize) -> usize {
        let next = self.tokens.get(at + 1);
        if next.is_some_and(|next| next.number.is_none() && !next.apart && ordinal(&next.text)) {
            at + 2
        } else {
            at + 1
        }
    }

    /// A number behind the name of a street is a house's.
    fn street_before(&self, at: usize) -> bool {
        let near = (at.saturating_sub(super::streets::STREET_WORDS)..at).rev();
        near.take_while(|back| !self.tokens[back + 1].apart).any(|back| self.words[back] == Some(Word::Street))
    }
}

/// Endings of ordinals: `5-е`, `11-й`, `2-го`.
fn ordinal(text: &str) -> bool {
    matches!(text, "е" | "и" | "я" | "го" | "му" | "те" | "ше" | "ге" | "ме" | "та" | "ма" | "им" | "ом")
}
