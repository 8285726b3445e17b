//! Names that towns and streets had before: people use them for years.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::areas::Areas;
use super::fold::{fold, plain};

/// `old_uk`, `old_ru`, `new_uk`, `area_uk`, by tabs.
const SETTLEMENTS: &str = include_str!("renamed_settlements.tsv");
/// `city_uk`, `old_uk`, `old_ru`, `new_uk`, by tabs, without the words for street or square.
const STREETS: &str = include_str!("renamed_streets.tsv");

type Old = Vec<(Areas, String)>;

static OF_SETTLEMENT: LazyLock<HashMap<String, Old>> = LazyLock::new(|| {
    let mut known: HashMap<String, Old> = HashMap::new();
    for row in rows(SETTLEMENTS) {
        let area = Areas::of_row(row[3]);
        let names = known.entry(fold(row[2])).or_default();
        names.extend([(area, fold(row[0])), (area, fold(row[1]))]);
    }
    known
});

static OF_STREET: LazyLock<HashMap<String, Vec<(String, String)>>> = LazyLock::new(|| {
    let mut known: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for row in rows(STREETS) {
        let renamed = known.entry(fold(row[0])).or_default();
        renamed.extend([(fold(row[1]), fold(row[3])), (fold(row[2]), fold(row[3]))]);
    }
    known
});

/// The folded names that a settlement had, by its name now.
pub(super) fn settlement(name: &str, area: Areas) -> impl Iterator<Item = String> {
    let old = OF_SETTLEMENT.get(&fold(name)).map(Vec::as_slice).unwrap_or_default();
    old.iter()
        .filter(move |(of, name)| !name.is_empty() && (of.is_empty() || of.meets(area)))
        .map(|(_, name)| name.clone())
}

/// Whether a text is how a settlement was written before.
pub(super) fn is_old(name: &str, raw: &str) -> bool {
    rows(SETTLEMENTS).any(|row| row[2] == name && (plain(row[0]) == raw || plain(row[1]) == raw))
}

/// The folded names that streets have now in a city (its name folded), each with one that it had.
pub(super) fn streets(city: &str) -> &'static [(String, String)] {
    OF_STREET.get(city).map(Vec::as_slice).unwrap_or_default()
}

fn rows(text: &'static str) -> impl Iterator<Item = [&'static str; 4]> {
    let lines = text.lines().skip(1).filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| {
        let mut cells = line.split('\t').map(str::trim);
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole() {
        for row in rows(SETTLEMENTS).chain(rows(STREETS)) {
            assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        }
        for row in rows(SETTLEMENTS) {
            assert!(!Areas::of_row(row[3]).is_empty(), "{row:?}");
        }
    }

    #[test]
    fn an_old_name_is_known_in_its_oblast() {
        let old = |name: &str, area: &str| settlement(name, Areas::of_row(area)).collect::<Vec<_>>();
        assert!(old("Дніпро", "Дніпропетровська").contains(&fold("Днепропетровск")));
        assert!(old("Дніпро", "Львівська").is_empty());
    }
}
