//! Texts made comparable: Ukrainian, Russian and Latin spellings of a word come to one key, as far as letters alone can say.
//!
//! `Київ` and `Kyiv` become `кив`, `Одеса` and `Одесса` become `одеса`. The key is only for comparing: it loses soft signs,
//! apostrophes, doubled letters and the difference of и, і, ї, й and ы.

/// A word of a text, or a number in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The folded letters and digits.
    pub(super) text: String,
    /// The same as it was typed, in small letters.
    pub(super) raw: String,
    /// It consists of digits, whose value this is.
    pub(super) number: Option<u32>,
    /// `№`, `#` or the like stands before it.
    pub(super) marked: bool,
    /// It begins right behind the token before it, without anything between them: `нп5`, `5а`.
    pub(super) glued: bool,
    /// A comma, a colon, a bracket or a line's end stands between it and the token before.
    pub(super) apart: bool,
}

/// A word, folded.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| !is_letter(c) && !c.is_ascii_digit() && !is_silent(c)) {
        let folded = word_key(word);
        if !folded.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&folded);
        }
    }
    out
}

/// The words and numbers of a text, folded, in their order.
#[must_use]
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let (mut marked, mut apart, mut glued) = (false, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !is_letter(c) && !c.is_ascii_digit() {
            if !is_silent(c) {
                marked |= matches!(c, '№' | '#' | '＃');
                apart |= matches!(c, ',' | ';' | ':' | '(' | ')' | '\n' | '\r' | '|' | '"' | '«' | '»' | '“' | '”');
                glued = false;
            }
            continue;
        }
        let digits = c.is_ascii_digit();
        let mut word = String::from(c);
        while let Some(next) = chars.peek().copied() {
            // Kam"yanske: some keyboards have no other apostrophe.
            let quote = next == '"'
                && chars.clone().nth(1).is_some_and(|c| matches!(c.to_ascii_lowercase(), 'я' | 'ю' | 'є' | 'ї'));
            let goes_on = if digits { next.is_ascii_digit() } else { is_letter(next) || is_silent(next) || quote };
            if !goes_on {
                break;
            }
            chars.next();
            if !quote {
                word.push(next);
            }
        }
        let text = if digits { word.clone() } else { word_key(&word) };
        if !text.is_empty() {
            let number = if digits { word.parse().ok() } else { None };
            found.push(Token { text, raw: plain(&word), number, marked, glued, apart });
        }
        (marked, apart, glued) = (false, false, true);
    }
    found
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

/// Apostrophes in all their spellings stand within a word and say nothing.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '`' | '‘' | '´' | '′' | '\u{301}')
}

/// One word: Latin letters that stand for Cyrillic ones by shape (`вiддiлення`) or, in a Latin word, by sound.
fn word_key(word: &str) -> String {
    let lower = word.to_lowercase();
    let cyrillic = lower.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c));
    let mut out = String::with_capacity(lower.len());
    if cyrillic {
        lower.chars().filter(|c| !is_silent(*c)).for_each(|c| push(&mut out, by_shape(c)));
    } else {
        by_sound(&lower, &mut out);
    }
    out
}

/// A letter's key, and none twice in a row.
fn push(out: &mut String, c: char) {
    let key = match c {
        'ё' | 'є' | 'э' => 'е',
        'і' | 'ї' | 'й' | 'ы' => 'и',
        'ґ' => 'г',
        'ь' | 'ъ' => return,
        other => other,
    };
    if key.is_ascii_digit() || !out.ends_with(key) {
        out.push(key);
    }
}

fn by_shape(c: char) -> char {
    match c {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'i' => 'і',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        other => other,
    }
}

const SOUNDS: &[(&str, &str)] = &[
    ("shch", "щ"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ts", "ц"),
    ("ch", "ч"),
    ("sh", "ш"),
    ("yu", "ю"),
    ("iu", "ю"),
    ("ya", "я"),
    ("ia", "я"),
    ("ye", "е"),
    ("yi", "и"),
    ("a", "а"),
    ("b", "б"),
    ("c", "ц"),
    ("d", "д"),
    ("e", "е"),
    ("f", "ф"),
    ("g", "г"),
    ("h", "г"),
    ("i", "и"),
    ("j", "и"),
    ("k", "к"),
    ("l", "л"),
    ("m", "м"),
    ("n", "н"),
    ("o", "о"),
    ("p", "п"),
    ("q", "к"),
    ("r", "р"),
    ("s", "с"),
    ("t", "т"),
    ("u", "у"),
    ("v", "в"),
    ("w", "в"),
    ("x", "кс"),
    ("y", "и"),
    ("z", "з"),
];

fn by_sound(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if is_silent(first) {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        match SOUNDS.iter().find(|(latin, _)| rest.starts_with(latin)) {
            Some((latin, sound)) => {
                sound.chars().for_each(|c| push(out, c));
                rest = &rest[latin.len()..];
            }
            None => {
                push(out, first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
}

/// A name as it was typed, for comparing letter by letter: small, without apostrophes and hyphens.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    text.to_lowercase().replace(is_silent, "").replace(['-', '.'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_come_to_one_key() {
        for (left, right) in [
            ("Київ", "Kyiv"),
            ("Одеса", "Одесса"),
            ("Львів", "Lviv"),
            ("Кам’янське", "Камянське"),
            ("Івано-Франківськ", "івано франківськ"),
            ("вiддiлення", "відділення"),
            ("Kharkiv", "Харків"),
        ] {
            assert_eq!(fold(left), fold(right), "{left} {right}");
        }
        assert_ne!(fold("Суми"), fold("Сума"));
    }

    #[test]
    fn a_text_falls_into_words_and_numbers() {
        let texts = |text: &str| tokens(text).into_iter().map(|token| token.text).collect::<Vec<_>>();
        assert_eq!(texts("м.Київ, від.11"), ["м", "кив", "вид", "11"]);
        assert_eq!(texts("нп5"), ["нп", "5"]);
        assert_eq!(texts("м. Кам\"янське \"Нова пошта\""), ["м", "камянске", "нова", "пошта"]);
        let found = tokens("відд. №05А");
        assert_eq!((found[1].number, found[1].marked, found[2].glued), (Some(5), true, true));
    }
}
