//! What people type about a branch, line by line, and what it comes to. The lines and the directory were written by hand, by
//! somebody who had not seen the code; `tests/branches` holds them.

use std::collections::{BTreeMap, HashMap};

use parom_core::novaposhta::{self, Branch, Builder, Directory, Kind, Ref, Resolution, Settlement, resolve};

const SETTLEMENTS: &str = include_str!("../branches/settlements.tsv");
const BRANCHES: &str = include_str!("../branches/branches.tsv");
const LINES: &str = include_str!("../branches/lines.tsv");

struct Fixture {
    directory: Directory,
    /// Keys of the table by ref.
    keys: HashMap<Ref, String>,
    refs: HashMap<String, Ref>,
}

fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = (usize, [&'static str; N])> {
    let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|(at, line)| {
        let mut cells = line.split('\t');
        (at + 1, std::array::from_fn(|_| cells.next().unwrap_or_default()))
    })
}

fn fixture() -> Fixture {
    let mut builder = Builder::default();
    let (mut keys, mut refs) = (HashMap::new(), HashMap::new());
    for (at, [key, kind, name, name_ru, area, region]) in rows::<6>(SETTLEMENTS) {
        let reference = Ref(1 << 64 | at as u128);
        refs.insert(key.to_owned(), reference);
        builder.settlement(Settlement {
            reference,
            name: name.into(),
            name_ru: name_ru.into(),
            kind: kind.into(),
            area: area.into(),
            region: region.into(),
        });
    }
    for (at, [key, settlement, number, kind, max_kg, works, text, text_ru]) in rows::<8>(BRANCHES) {
        let reference = Ref(2 << 64 | at as u128);
        keys.insert(reference, key.to_owned());
        let settlement = refs[settlement];
        refs.insert(key.to_owned(), reference);
        builder.branch(Branch {
            reference,
            settlement,
            city: settlement,
            number: number.parse().unwrap_or_default(),
            kind: match kind {
                "locker" => Kind::Locker,
                "pickup" => Kind::PickUp,
                _ => Kind::Branch,
            },
            max_kg: max_kg.parse().unwrap(),
            works: works == "yes",
            text: text.into(),
            text_ru: text_ru.into(),
        });
    }
    let (directory, strays) = builder.build();
    assert_eq!(strays, 0);
    Fixture { directory, keys, refs }
}

/// A line's outcome, for the tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Judged {
    Right,
    /// A look where a careful person would have been certain.
    Careful,
    /// A look that does not show what it should.
    Hidden,
    /// What should be looked at was taken for a courier's address or for another carrier.
    Missed,
    /// Another branch, or one where nobody can be certain: must never be.
    Wrong,
}

fn judge(fixture: &Fixture, town: &str, line: &str, expected: &str) -> (Judged, String) {
    let found = resolve(&fixture.directory, town, line);
    let said = match &found {
        Resolution::Empty => "empty".to_owned(),
        Resolution::One(branch) => fixture.keys[&branch.reference].clone(),
        Resolution::Look(why, candidates) => {
            let keys: Vec<&str> = candidates.iter().map(|one| fixture.keys[&one.branch.reference].as_str()).collect();
            format!("look ({}): {}", why.words(), keys.join(","))
        }
        Resolution::Courier => "courier".to_owned(),
        Resolution::Other => "other".to_owned(),
    };
    let judged = match (&found, expected) {
        (Resolution::One(_), expected) if said == expected => Judged::Right,
        (Resolution::One(_), _) => Judged::Wrong,
        (Resolution::Courier, "courier") | (Resolution::Other, "other") => Judged::Right,
        (Resolution::Look(..), "look") => Judged::Right,
        (Resolution::Look(_, candidates), expected) if expected.starts_with("look:") => {
            let shown = |key: &str| candidates.iter().any(|one| one.branch.reference == fixture.refs[key]);
            if expected[5..].split(',').all(shown) { Judged::Right } else { Judged::Hidden }
        }
        (Resolution::Look(..), _) => Judged::Careful,
        (_, _) => Judged::Missed,
    };
    (judged, said)
}

#[test]
fn no_line_is_guessed_and_most_that_are_certain_are_found() {
    let fixture = fixture();
    let mut tally: BTreeMap<(&str, Judged), usize> = BTreeMap::new();
    let mut told = Vec::new();
    let mut all = 0;
    for (at, [town, line, expected, _]) in rows::<4>(LINES) {
        let kind = match expected {
            "courier" | "other" => expected,
            expected if expected.starts_with("look") => "look",
            key => {
                assert!(fixture.refs.contains_key(key), "line {at}: there is no `{key}`");
                "branch"
            }
        };
        let (judged, said) = judge(&fixture, town, line, expected);
        *tally.entry((kind, judged)).or_default() += 1;
        all += 1;
        if judged != Judged::Right {
            told.push(format!("{judged:?} line {at}: [{town}] [{line}] expected {expected}, found {said}"));
        }
    }
    let count = |kind: &str, judged| tally.get(&(kind, judged)).copied().unwrap_or_default();
    println!("{all} lines\n{tally:#?}\n{}", told.join("\n"));
    let wrong: usize = ["branch", "look", "courier", "other"].iter().map(|kind| count(kind, Judged::Wrong)).sum();
    assert_eq!(
        wrong,
        0,
        "{}",
        told.iter().filter(|line| line.starts_with("Wrong")).cloned().collect::<Vec<_>>().join("\n")
    );
    // Counts of the table: it may grow, and nothing of it may get worse.
    assert!(all >= 800, "{all} lines");
    let careful = count("branch", Judged::Careful) + count("branch", Judged::Missed);
    let missed: usize = ["look", "courier", "other"].iter().map(|kind| count(kind, Judged::Missed)).sum();
    assert!(count("branch", Judged::Right) >= 440 && careful <= 13 && missed == 0, "{tally:#?}");
}

#[test]
fn a_text_of_nothing_comes_to_nothing() {
    let fixture = fixture();
    for text in ["", " ", "\n"] {
        assert_eq!(resolve(&fixture.directory, text, text), Resolution::Empty);
    }
    assert!(matches!(resolve(&fixture.directory, "", "???"), Resolution::Look(..)));
    assert!(novaposhta::settlements(&fixture.directory, "", 5).len() <= 5);
}

#[test]
fn the_carriers_own_text_is_its_branch_unless_the_town_speaks_against_it() {
    let (town, text) = (Ref(1), "Поштомат \"Нова Пошта\" №39339: вул. Садова, 7, в клієнтській зоні відділення №543");
    let mut builder = Builder::default();
    for (reference, name) in [(town, "Львів"), (Ref(2), "Київ")] {
        let (name, kind) = (name.into(), "місто".into());
        builder.settlement(Settlement { reference, name, kind, ..Settlement::default() });
    }
    for (at, number, kind, text) in
        [(11, 39_339, Kind::Locker, text), (12, 543, Kind::Branch, "Відділення №543: вул. Садова, 7")]
    {
        let (text, text_ru) = (text.into(), "".into());
        builder.branch(Branch {
            reference: Ref(at),
            settlement: town,
            city: town,
            number,
            kind,
            max_kg: 20,
            works: true,
            text,
            text_ru,
        });
    }
    let (directory, _) = builder.build();
    assert!(matches!(resolve(&directory, "Львів", text), Resolution::One(branch) if branch.number == 39_339));
    for town in ["Київ", "Львів, Київ"] {
        assert!(matches!(resolve(&directory, town, text), Resolution::Look(..)), "{town}");
    }
}
