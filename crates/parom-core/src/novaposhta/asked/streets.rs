//! Streets and houses, with and without the words for them.

use super::super::words::Word;
use super::Reader;

/// Words of a street's name at most.
pub(super) const STREET_WORDS: usize = 4;

impl Reader<'_> {
    /// `вул. Хрещатик, 22`.
    pub(super) fn streets(&mut self) {
        for at in 0..self.tokens.len() {
            if self.word(at) != Some(Word::Street) {
                continue;
            }
            let mut end = at + 1;
            while end - at <= STREET_WORDS && end < self.tokens.len() && !self.used[end] && self.is_in_name(at + 1, end)
            {
                end += 1;
            }
            if end > at + 1 {
                self.street(at..at + 1, at + 1..end);
                self.house(end);
            }
        }
    }

    /// Whether the token goes on with the name that began at `first`.
    fn is_in_name(&self, first: usize, at: usize) -> bool {
        let token = &self.tokens[at];
        let begins = at == first;
        // `вул. 8 Березня`
        let next = self.tokens.get(at + 1);
        let counted = begins && next.is_some_and(|next| next.number.is_none() && !next.apart && !next.glued);
        let other = matches!(
            self.words[at],
            Some(
                Word::Kind(_)
                    | Word::Post
                    | Word::Nova
                    | Word::House
                    | Word::City
                    | Word::Village
                    | Word::Town
                    | Word::Cargo
            )
        );
        let ends = !begins && (token.apart || other || self.directory.is_town(&token.text));
        !ends && (token.number.is_none() || counted)
    }

    fn street(&mut self, word: std::ops::Range<usize>, name: std::ops::Range<usize>) {
        self.asked.street_word = self.texts(word.clone()).concat();
        self.asked.street = self.texts(name.clone());
        self.take_all(word);
        self.take_all(name);
    }

    /// A house's number, with its letter and its second half: `22`, `22а`, `5/7`.
    fn house(&mut self, at: usize) {
        let at = if self.word(at) == Some(Word::House) {
            self.take(at);
            at + 1
        } else {
            at
        };
        if self.number(at).is_none() || self.tokens[at].marked {
            return;
        }
        let mut house = self.tokens[at].text.clone();
        self.take(at);
        let mut next = at + 1;
        if let Some(letter) = self.tokens.get(next).filter(|letter| {
            let one = letter.number.is_none() && letter.text.chars().count() == 1;
            let marks = matches!(self.words[next], Some(Word::City | Word::Village | Word::House));
            one && !letter.apart && (letter.glued || !marks)
        }) {
            house.push_str(&letter.text);
            self.take(next);
            next += 1;
        }
        if self.number(next).is_some() && !self.tokens[next].apart && !self.tokens[next].marked {
            self.take(next);
        }
        self.asked.house = Some(house);
    }

    /// `Берестейський просп., 5`: the word stands behind the name.
    pub(super) fn trailing_streets(&mut self) {
        for at in 1..self.tokens.len() {
            if self.word(at) != Some(Word::Street) || !self.asked.street.is_empty() || self.tokens[at].apart {
                continue;
            }
            let first = self.name_before(at);
            if first < at {
                self.street(at..at + 1, first..at);
                self.house(at + 1);
            }
        }
    }

    /// Where the words begin that stand before this place, and are not explained.
    fn name_before(&self, at: usize) -> usize {
        let mut first = at;
        while first > 0
            && self.is_free(first - 1)
            && (first == at || !self.tokens[first].apart)
            && at - first < STREET_WORDS
        {
            first -= 1;
        }
        first
    }

    /// `Хрещатик 22`, `23 Серпня 33`, and `поштомат на Хрещатику`: a street without the word for one.
    pub(super) fn places(&mut self) {
        for at in 1..self.tokens.len() {
            if self.number(at).is_none() || self.tokens[at].marked || !self.asked.street.is_empty() {
                continue;
            }
            let first = self.name_before(at);
            if first < at {
                // `23 Серпня`, `200-річчя`: a name that begins with a number.
                let counted = first > 0 && self.number(first - 1).is_some() && !self.tokens[first].apart;
                let first = first - usize::from(counted);
                self.street(first..first, first..at);
                self.house(at);
            }
        }
        for at in 0..self.tokens.len() {
            let place = matches!(self.word(at), Some(Word::At | Word::Near))
                && !self.asked.kinds.is_empty()
                && self.asked.street.is_empty();
            let mut end = at + 1;
            while place && self.is_free(end) && !self.tokens[end].apart {
                end += 1;
            }
            if place && end > at + 1 {
                self.street(at..at + 1, at + 1..end);
                self.house(end);
            }
        }
    }
}
