//! The directory as it is used: in memory, ordered so that a name, a ref or a number is found without looking through all.

use std::collections::HashMap;

use super::areas::Areas;
use super::fold::{fold, plain};
use super::near::{self, letters};
use super::renamed;
use super::rows::{Branch, City, Kind, Ref, Settlement, address};

/// How many rows of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Settlements with at least one branch.
    pub settlements: usize,
    /// The carrier's own cities.
    pub cities: usize,
    /// Branches and pick-up points.
    pub branches: usize,
    /// Parcel lockers.
    pub lockers: usize,
}

/// What a `warehouse_ref` comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is a branch that takes the parcel.
    Fits,
    /// No branch has this ref.
    Unknown,
    /// It does not take parcels now.
    Closed,
    /// The parcel is heavier than the branch takes, which is so many kilograms.
    Heavy(u32),
}

/// A name under which settlements are known; one a spelling.
#[derive(Debug)]
struct Name {
    key: Box<str>,
    letters: u64,
    settlement: u32,
}

/// All settlements and branches.
#[derive(Debug, Default)]
pub struct Directory {
    settlements: Vec<Settlement>,
    areas: Vec<Areas>,
    /// Where each settlement's branches begin; one more than there are settlements.
    starts: Vec<u32>,
    /// By settlement, kind and number.
    branches: Vec<Branch>,
    /// The folded address of each branch.
    addresses: Vec<Box<str>>,
    names: Vec<Name>,
    by_ref: HashMap<Ref, u32>,
    settlement_refs: HashMap<Ref, u32>,
    /// The carrier's cities, each with the settlement that has most of its branches.
    city_refs: HashMap<Ref, u32>,
    cities: usize,
}

/// Takes rows, in any order, and makes a directory of them.
#[derive(Debug, Default)]
pub struct Builder {
    settlements: Vec<Settlement>,
    cities: HashMap<Ref, City>,
    branches: Vec<Branch>,
}

impl Builder {
    /// Takes a settlement.
    pub fn settlement(&mut self, row: Settlement) {
        self.settlements.push(row);
    }

    /// Takes a city.
    pub fn city(&mut self, row: City) {
        self.cities.insert(row.reference, row);
    }

    /// Takes a branch. One whose settlement is in no list is left out when the directory is built.
    pub fn branch(&mut self, row: Branch) {
        self.branches.push(row);
    }

    /// The directory. Rows that come twice count once; branches of unknown settlements are left out, and counted.
    #[must_use]
    pub fn build(mut self) -> (Directory, usize) {
        self.settlements.sort_by_key(|row| row.reference);
        self.settlements.dedup_by_key(|row| row.reference);
        let settlement_refs: HashMap<Ref, u32> = indexes(self.settlements.iter().map(|row| row.reference));
        let all = self.branches.len();
        self.branches.retain(|row| settlement_refs.contains_key(&row.settlement));
        let strays = all - self.branches.len();
        self.branches.sort_by_key(|row| row.reference);
        self.branches.dedup_by_key(|row| row.reference);
        let place = |row: &Branch| (settlement_refs[&row.settlement], row.kind, row.number, row.reference);
        self.branches.sort_unstable_by_key(place);
        let mut directory = Directory {
            areas: self.settlements.iter().map(|row| Areas::of_row(&row.area)).collect(),
            starts: starts(&self.branches, &settlement_refs, self.settlements.len()),
            addresses: self.branches.iter().map(folded_address).collect(),
            by_ref: indexes(self.branches.iter().map(|row| row.reference)),
            city_refs: city_refs(&self.branches, &settlement_refs),
            cities: self.cities.len(),
            settlement_refs,
            names: Vec::new(),
            settlements: self.settlements,
            branches: self.branches,
        };
        directory.name(&self.cities);
        (directory, strays)
    }
}

impl Directory {
    /// Whether it has nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }

    /// How much it has.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let lockers = self.branches.iter().filter(|row| row.kind == Kind::Locker).count();
        Counts {
            settlements: self.settlements.len(),
            cities: self.cities,
            branches: self.branches.len() - lockers,
            lockers,
        }
    }

    /// The branch of a ref.
    #[must_use]
    pub fn branch(&self, reference: Ref) -> Option<&Branch> {
        self.by_ref.get(&reference).map(|at| &self.branches[*at as usize])
    }

    /// Whether a text is a branch's own, in either language: not a buyer's words.
    #[must_use]
    pub fn has_text(&self, text: &str) -> bool {
        !text.is_empty() && self.branches.iter().any(|row| *row.text == *text || *row.text_ru == *text)
    }

    /// The settlement of a ref: its own, or the one of the carrier's cities, which people take for it.
    #[must_use]
    pub fn settlement(&self, reference: Ref) -> Option<&Settlement> {
        self.settlement_at(reference).map(|at| &self.settlements[at as usize])
    }

    /// Whether a branch takes a parcel of this weight; none where the weight is not known.
    #[must_use]
    pub fn fit(&self, reference: Ref, kg: Option<f64>) -> Fit {
        match self.branch(reference) {
            None => Fit::Unknown,
            Some(row) if !row.works => Fit::Closed,
            Some(row) if row.max_kg > 0 && kg.is_some_and(|kg| kg > f64::from(row.max_kg)) => Fit::Heavy(row.max_kg),
            Some(_) => Fit::Fits,
        }
    }

    pub(super) fn settlement_at(&self, reference: Ref) -> Option<u32> {
        self.settlement_refs.get(&reference).or_else(|| self.city_refs.get(&reference)).copied()
    }

    pub(super) fn row(&self, settlement: u32) -> &Settlement {
        &self.settlements[settlement as usize]
    }

    pub(super) fn area(&self, settlement: u32) -> Areas {
        self.areas[settlement as usize]
    }

    /// The indexes of a settlement's branches.
    pub(super) fn of(&self, settlement: u32) -> std::ops::Range<u32> {
        self.starts[settlement as usize]..self.starts[settlement as usize + 1]
    }

    pub(super) fn at(&self, branch: u32) -> &Branch {
        &self.branches[branch as usize]
    }

    pub(super) fn address_key(&self, branch: u32) -> &str {
        &self.addresses[branch as usize]
    }

    /// The settlements of a folded name.
    pub(super) fn named(&self, key: &str) -> Vec<u32> {
        let first = self.names.partition_point(|name| *name.key < *key);
        let mut found: Vec<u32> =
            self.names[first..].iter().take_while(|name| *name.key == *key).map(|name| name.settlement).collect();
        found.dedup();
        found
    }

    pub(super) fn is_city(&self, at: u32) -> bool {
        fold(&self.row(at).kind) == "мисто"
    }

    /// Whether a folded word is the name of a city.
    pub(super) fn is_town(&self, key: &str) -> bool {
        self.named(key).into_iter().any(|at| self.is_city(at))
    }

    /// Whether a text is how one of these settlements is written now, in either language; Latin letters are written in many
    /// ways, and all of them are right.
    pub(super) fn spells(&self, settlements: &[u32], raw: &str) -> bool {
        raw.is_ascii()
            || settlements.iter().any(|at| self.spellings(*at).any(|name| name == raw))
            || settlements.iter().any(|at| renamed::is_old(&self.row(*at).name, raw))
    }

    /// How a settlement is written, in small letters.
    fn spellings(&self, at: u32) -> impl Iterator<Item = String> {
        let row = self.row(at);
        [&row.name, &row.name_ru].into_iter().map(|name| plain(name.split('(').next().unwrap_or_default()))
    }

    /// Whether a settlement of another name is one letter away from this one.
    pub(super) fn has_neighbour(&self, key: &str) -> bool {
        let own = self.named(key);
        self.near(key).any(|name| !own.contains(&name.settlement))
    }

    /// The settlements of the one name that is a letter away from a text, where it is long enough to tell and no village's.
    pub(super) fn nearly_named(&self, folded: &str, raw: &str) -> Option<Vec<u32>> {
        const LETTERS: usize = 5;
        if folded.chars().count() < LETTERS {
            return None;
        }
        let mut settlements: Vec<u32> = self.near(folded).map(|name| name.settlement).collect();
        settlements.sort_unstable();
        settlements.dedup();
        let first = *settlements.first()?;
        let one = settlements.iter().all(|at| self.row(*at).name == self.row(first).name);
        let village = settlements.iter().any(|at| fold(&self.row(*at).kind).starts_with("село"));
        // Folding forgives some letters: as it was typed it must be one slip, too.
        // A letter more makes it another name, often enough: `Полтавка`, `Бучач`.
        let letters = |text: &str| text.chars().count();
        let slip = self.spellings(first).any(|name| near::within(raw, &name, 1) && letters(raw) <= letters(&name));
        (one && !village && slip).then_some(settlements)
    }

    /// The settlements of two words of which the first is cut short: `б церква`.
    pub(super) fn shortened(&self, first: &str, last: &str) -> Vec<u32> {
        let fits = |name: &&Name| {
            name.key.split_once(' ').is_some_and(|(begins, ends)| begins.starts_with(first) && ends == last)
        };
        let mut found: Vec<u32> = self.names.iter().filter(fits).map(|name| name.settlement).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The cities that a word names in another case: `києва`, `львова`, `одеси`.
    pub(super) fn inflected(&self, word: &str) -> Vec<u32> {
        const LETTERS: usize = 4;
        let long = word.chars().count();
        let fits = |name: &&Name| {
            let letters = name.key.chars().count();
            let common = word.chars().zip(name.key.chars()).take_while(|(left, right)| left == right).count();
            letters >= LETTERS && common + 1 >= letters && long.abs_diff(letters) <= 2 && long > common
        };
        // They share the first three letters, and names are in their order.
        let Some((end, _)) = word.char_indices().nth(LETTERS - 1) else { return Vec::new() };
        let begin = &word[..end];
        let first = self.names.partition_point(|name| *name.key < *begin);
        let near = self.names[first..].iter().take_while(|name| name.key.starts_with(begin));
        let cities = near.filter(fits).map(|name| name.settlement);
        cities.filter(|at| self.is_city(*at)).collect()
    }

    fn near(&self, key: &str) -> impl Iterator<Item = &Name> {
        let mask = letters(key);
        self.names.iter().filter(move |name| {
            (mask & !name.letters).count_ones() <= 1
                && (name.letters & !mask).count_ones() <= 1
                && near::within(key, &name.key, 1)
        })
    }

    /// Names that begin with a folded text, or are near to it: the name's index in order, for a search.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, u64, u32)> {
        self.names.iter().map(|name| (&*name.key, name.letters, name.settlement))
    }

    fn name(&mut self, cities: &HashMap<Ref, City>) {
        let mut names: Vec<(String, u32)> = Vec::new();
        for (at, row) in (0..).zip(&self.settlements) {
            let plain = |name: &str| fold(name.split('(').next().unwrap_or_default());
            names.push((plain(&row.name), at));
            names.push((plain(&row.name_ru), at));
            // The carrier's list of cities may have the Russian name where the settlement has none.
            let own = self.branches[self.starts[at as usize] as usize..self.starts[at as usize + 1] as usize].first();
            if let Some(city) =
                own.and_then(|branch| cities.get(&branch.city)).filter(|city| plain(&city.name) == plain(&row.name))
            {
                names.push((plain(&city.name_ru), at));
            }
            for old in renamed::settlement(&row.name, self.areas[at as usize]) {
                names.push((old, at));
            }
        }
        names.retain(|(key, _)| !key.is_empty());
        names.sort_unstable();
        names.dedup();
        self.names = names
            .into_iter()
            .map(|(key, settlement)| Name { letters: letters(&key), key: key.into(), settlement })
            .collect();
    }
}

/// Words of the address in both languages, where they differ.
fn folded_address(row: &Branch) -> Box<str> {
    let key = fold(row.address());
    let other = fold(address(&row.text_ru));
    if other.is_empty() || other == key { key.into() } else { format!("{key} | {other}").into() }
}

fn indexes(refs: impl Iterator<Item = Ref>) -> HashMap<Ref, u32> {
    refs.zip(0..).collect()
}

fn starts(branches: &[Branch], settlements: &HashMap<Ref, u32>, count: usize) -> Vec<u32> {
    let mut starts = vec![0u32; count + 1];
    for row in branches {
        starts[settlements[&row.settlement] as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    starts
}

/// A city's branches may lie in several settlements; it stands for the one that has most of them.
fn city_refs(branches: &[Branch], settlements: &HashMap<Ref, u32>) -> HashMap<Ref, u32> {
    let mut counts: HashMap<(Ref, u32), u32> = HashMap::new();
    for row in branches {
        *counts.entry((row.city, settlements[&row.settlement])).or_default() += 1;
    }
    let mut best: HashMap<Ref, (u32, u32)> = HashMap::new();
    for ((city, settlement), count) in counts {
        let known = best.entry(city).or_insert((0, settlement));
        if (count, std::cmp::Reverse(settlement)) > (known.0, std::cmp::Reverse(known.1)) {
            *known = (count, settlement);
        }
    }
    best.into_iter().map(|(city, (_, settlement))| (city, settlement)).collect()
}
