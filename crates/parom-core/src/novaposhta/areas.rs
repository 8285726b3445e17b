//! The oblasts, as people write them in Ukrainian and Russian, whole or cut short.

use std::sync::LazyLock;

use super::fold::fold;

const NAMES: &[(&str, &str)] = &[
    ("Вінницька", "Винницкая"),
    ("Волинська", "Волынская"),
    ("Дніпропетровська", "Днепропетровская"),
    ("Донецька", "Донецкая"),
    ("Житомирська", "Житомирская"),
    ("Закарпатська", "Закарпатская"),
    ("Запорізька", "Запорожская"),
    ("Франківська", "Франковская"),
    ("Київська", "Киевская"),
    ("Кіровоградська", "Кировоградская"),
    ("Луганська", "Луганская"),
    ("Львівська", "Львовская"),
    ("Миколаївська", "Николаевская"),
    ("Одеська", "Одесская"),
    ("Полтавська", "Полтавская"),
    ("Рівненська", "Ровенская"),
    ("Рівненська", "Ровненская"),
    ("Сумська", "Сумская"),
    ("Тернопільська", "Тернопольская"),
    ("Харківська", "Харьковская"),
    ("Херсонська", "Херсонская"),
    ("Хмельницька", "Хмельницкая"),
    ("Черкаська", "Черкасская"),
    ("Чернівецька", "Черновицкая"),
    ("Чернігівська", "Черниговская"),
    ("Крим", "Крым"),
];

/// Some of the oblasts, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas(u32);

static STEMS: LazyLock<Vec<(String, u32)>> = LazyLock::new(|| {
    let mut stems: Vec<(String, u32)> = Vec::new();
    let mut bit = 0;
    for (at, (uk, ru)) in NAMES.iter().enumerate() {
        bit += u32::from(at > 0 && NAMES[at - 1].0 != *uk);
        for word in [uk, ru] {
            let key = fold(word);
            stems.push((key.trim_end_matches(['а', 'я']).to_owned(), bit));
        }
    }
    stems
});

impl Areas {
    /// The oblasts that a folded adjective may mean: `лвивска`, `лвовскои`.
    #[must_use]
    pub(super) fn of(word: &str) -> Areas {
        Areas::that(|stem| word.starts_with(stem))
    }

    /// The same, and what is cut short: `лвив`, `кир`.
    #[must_use]
    pub(super) fn of_short(word: &str) -> Areas {
        let long = word.chars().count() >= 2;
        Areas::that(|stem| word.starts_with(stem) || long && stem.starts_with(word))
    }

    /// The oblast of a row's `area`, whose last word is the adjective.
    #[must_use]
    pub(super) fn of_row(area: &str) -> Areas {
        fold(area).split(' ').fold(Areas::default(), |all, word| all.and(Areas::of(word)))
    }

    /// Both together.
    #[must_use]
    pub(super) fn and(self, other: Areas) -> Areas {
        Areas(self.0 | other.0)
    }

    /// Whether none is meant.
    #[must_use]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether they have one in common.
    #[must_use]
    pub(super) fn meets(self, other: Areas) -> bool {
        self.0 & other.0 != 0
    }

    fn that(means: impl Fn(&str) -> bool) -> Areas {
        Areas(STEMS.iter().filter(|(stem, _)| means(stem)).fold(0, |all, (_, bit)| all | 1 << bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oblast_is_known_in_both_languages_and_cases() {
        for word in ["Львівська", "львівської", "Львовская", "львовской"] {
            assert!(Areas::of(&fold(word)).meets(Areas::of_row("Львівська")), "{word}");
        }
        assert!(Areas::of_row("Івано-Франківська").meets(Areas::of(&fold("Франковская"))));
        assert!(
            Areas::of(&fold("Львів")).is_empty() && Areas::of_short(&fold("Льв")).meets(Areas::of_row("Львівська"))
        );
        assert!(!Areas::of_row("Київська").meets(Areas::of_row("Кіровоградська")));
        assert!(Areas::of_row("Рівненська").meets(Areas::of(&fold("Ровенской"))));
        assert!(!Areas::of_row("Рівненська").meets(Areas::of_row("Сумська")));
    }
}
