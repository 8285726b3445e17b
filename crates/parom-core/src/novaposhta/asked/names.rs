//! Settlements, oblasts and districts.

use super::super::areas::Areas;
use super::super::words::Word;
use super::{Named, Reader};

/// Words of a name of a settlement at most: `Софіївська Борщагівка`, `Ивано Франковск`.
const NAME_WORDS: usize = 3;

impl Reader<'_> {
    /// `Львівська обл.`, `область Одеська`, `Стрийський р-н`.
    pub(super) fn areas(&mut self) {
        for at in 0..self.tokens.len() {
            // Behind `р-н`, which is two tokens, too.
            let behind = if self.tokens[at].text == "р" { at + 2 } else { at + 1 };
            let beside = [at.checked_sub(1), Some(behind)].into_iter().flatten();
            let beside: Vec<usize> = beside.filter(|at| self.is_word(*at)).collect();
            match self.word(at) {
                Some(Word::Area) => {
                    self.take(at);
                    // A whole adjective on either side before a short form.
                    let is = |areas: fn(&str) -> Areas| {
                        beside.iter().copied().find(|at| !areas(&self.tokens[*at].text).is_empty())
                    };
                    if let Some(found) = is(Areas::of).or_else(|| is(Areas::of_short)) {
                        self.area(found);
                    }
                }
                Some(Word::Region) => {
                    self.take(at);
                    let adjective = |at: &usize| self.words[*at].is_none() && adjectival(&self.tokens[*at].text);
                    if let Some(found) = beside.iter().copied().find(adjective) {
                        self.asked.regions.push(self.tokens[found].text.clone());
                        self.take(found);
                    }
                }
                _ => {}
            }
        }
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.number.is_none()) && !self.used[at]
    }

    fn area(&mut self, at: usize) {
        let text = self.tokens[at].text.clone();
        self.asked.areas = self.asked.areas.and(Areas::of_short(&text));
        self.take(at);
        // Ивано-Франковская is two words.
        if at > 0 && text.starts_with("франк") && self.tokens[at - 1].text.starts_with("ив") {
            self.take(at - 1);
        }
    }

    /// Names of settlements, long before short; those that must be a town's before those that may be.
    pub(super) fn names(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            match self.name_at(at) {
                Some((words, named)) => {
                    self.take_all(at..at + words);
                    self.asked.names.push(named);
                    at += words;
                }
                None => at += 1,
            }
        }
        if self.asked.names.iter().any(|named| named.sure) {
            // Another city speaks against the one that is sure; another village may be a street, or a name.
            let city = |named: &Named| named.settlements.iter().any(|at| self.directory.is_city(*at));
            self.asked.names.retain(|named| named.sure || city(named));
        }
    }

    /// Whether the word before says that a town follows.
    fn is_announced(&self, at: usize) -> bool {
        at > 0 && self.announces(at - 1) && !self.tokens[at].apart
    }

    /// Whether a branch is named right behind or before: `Черкаси, відділення 5`.
    fn is_beside_branch(&self, at: usize, end: usize) -> bool {
        let says = matches!(self.words.get(end), Some(Some(Word::Kind(_) | Word::Nova | Word::Post | Word::Number)));
        says || self.is_branch_number(end) || at > 0 && self.is_branch_number(at - 1)
    }

    fn announces(&self, at: usize) -> bool {
        matches!(self.word(at), Some(Word::City | Word::Village | Word::Town))
    }

    fn name_at(&mut self, at: usize) -> Option<(usize, Named)> {
        for words in (1..=NAME_WORDS).rev() {
            let span = at..at + words;
            let whole = span.end <= self.tokens.len()
                && span.clone().all(|at| self.is_word(at))
                && !(at + 1..span.end).any(|at| self.tokens[at].apart);
            // A word with a meaning of its own is a name only with more words, or where a town must stand.
            let alone = words == 1 && self.words[at].is_some() && !(at == 0 && self.town_ends == 1);
            if !whole || alone {
                continue;
            }
            let settlements = self.settlements(span);
            if settlements.is_empty() {
                continue;
            }
            let announced = self.is_announced(at);
            if announced {
                self.take(at - 1);
            }
            let sure = announced || at < self.town_ends || self.is_beside_branch(at, at + words);
            return Some((words, Named { settlements, sure }));
        }
        None
    }

    /// The settlements of some words: as they are, or cut short (`Б. Церква`, `Ів.Франківськ`).
    fn settlements(&self, span: std::ops::Range<usize>) -> Vec<u32> {
        let (at, texts) = (span.start, self.texts(span.clone()));
        let found = self.directory.named(&texts.join(" "));
        if !found.is_empty() {
            let raw: Vec<&str> = self.tokens[span].iter().map(|token| token.raw.as_str()).collect();
            // Letters that fold to one may stand for a slip: `Лубні` is as near to `Лубня` as to `Лубни`.
            let slip = !self.directory.spells(&found, &raw.join(" "));
            return if slip && self.directory.has_neighbour(&texts.join(" ")) { Vec::new() } else { found };
        }
        match texts.as_slice() {
            // `с. Борщагівка` is a village, and no name cut short.
            [first, last] if first.chars().count() <= 3 && !self.announces(at) => self.directory.shortened(first, last),
            _ => Vec::new(),
        }
    }

    /// Where no name is known as it stands: one that is a letter away from what must be a town.
    pub(super) fn slips(&mut self) {
        if !self.asked.names.is_empty() {
            return;
        }
        for at in 0..self.tokens.len() {
            for words in [2, 1] {
                let end = at + words;
                let whole = (at..end).all(|at| self.is_free(at)) && !(at + 1..end).any(|at| self.tokens[at].apart);
                if !whole {
                    continue;
                }
                let (folded, raw): (Vec<&str>, Vec<&str>) =
                    self.tokens[at..end].iter().map(|token| (token.text.as_str(), token.raw.as_str())).unzip();
                // A slip is forgiven in one word, not beside another that nobody knows.
                let town = at < self.town_ends;
                if town && (0..self.town_ends).any(|other| self.is_free(other) && !(at..end).contains(&other)) {
                    return;
                }
                if let Some(settlements) = self.directory.nearly_named(&folded.join(" "), &raw.join(" ")) {
                    let sure = self.is_announced(at) || town;
                    self.take_all(at..end);
                    self.asked.names.push(Named { settlements, sure });
                    return;
                }
            }
        }
    }
}

/// What a district's name ends with.
fn adjectival(text: &str) -> bool {
    ["ски", "скои", "ска", "скому", "ского", "ском", "ск", "цки", "цкои", "цка", "цкому", "цкого", "цком"]
        .iter()
        .any(|end| text.ends_with(end))
}
