//! From a text to one branch, or to candidates for a person. A branch is taken only where all that the text says fits it, and
//! fits no other: whatever speaks against it, or is not understood where it counts, leads to a look.

use super::asked::{self, Asked, Named};
use super::directory::Directory;
use super::fold::fold;
use super::near;
use super::rows::{Branch, Kind, Settlement};
use super::street::Street;
use crate::limits;

/// Candidates that a person is shown.
pub(super) const CANDIDATES: usize = 8;

/// Words that nothing explains, beyond which a text is a letter that a person should read: a buyer's name has three.
const STRANGE_WORDS: usize = 3;

/// What a text comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution<'a> {
    /// The text says nothing.
    Empty,
    /// This branch and no other.
    One(&'a Branch),
    /// To be looked at: why, and the likeliest first.
    Look(Doubt, Vec<Candidate<'a>>),
    /// An address of the buyer's, for a courier.
    Courier,
    /// Another carrier, or no carrier at all.
    Other,
}

/// A branch that may be meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate<'a> {
    /// The branch.
    pub branch: &'a Branch,
    /// Its settlement.
    pub settlement: &'a Settlement,
    /// The higher the likelier; comparable within one list alone.
    pub score: i32,
}

/// Why nobody can be certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No settlement is named that the directory has.
    NoSettlement,
    /// Several settlements of this name, or several names.
    SeveralSettlements,
    /// The settlement has no such branch.
    NoSuchBranch,
    /// Neither number nor address.
    NoNumber,
    /// More than one number.
    SeveralNumbers,
    /// More than one branch fits.
    SeveralBranches,
    /// The street is another than the branch's.
    OtherStreet,
    /// A locker was named, and it is a branch; or the other way round.
    OtherKind,
    /// The branch does not take parcels now.
    Closed,
    /// Branch and buyer's address, or another carrier, at once.
    Mixed,
    /// Something in the text is not understood.
    Unclear,
}

impl Doubt {
    /// In a sentence's end: `not certain which branch: …`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Doubt::NoSettlement => "the directory has no settlement that the text names",
            Doubt::SeveralSettlements => "several settlements may be meant",
            Doubt::NoSuchBranch => "the settlement has no such branch",
            Doubt::NoNumber => "the text has neither a number nor a branch's address",
            Doubt::SeveralNumbers => "the text has more than one number",
            Doubt::SeveralBranches => "more than one branch fits",
            Doubt::OtherStreet => "the branch of this number is in another street",
            Doubt::OtherKind => "the number is a locker's where a branch is named, or the other way round",
            Doubt::Closed => "the branch does not take parcels now",
            Doubt::Mixed => "the text names a branch and something else at once",
            Doubt::Unclear => "a part of the text is not understood",
        }
    }
}

/// One branch beside what was asked.
struct Weighed {
    branch: u32,
    settlement: u32,
    score: i32,
    /// What speaks against it.
    against: Option<Doubt>,
    /// Its number or its address was named.
    named: bool,
}

/// Finds the branch that is meant. `town` may be empty where `line` has all.
#[must_use]
pub fn resolve<'a>(directory: &'a Directory, town: &str, line: &str) -> Resolution<'a> {
    if town.len() + line.len() > limits::BRANCH_TEXT_BYTES {
        return Resolution::Look(Doubt::Unclear, Vec::new());
    }
    let asked = asked::read(directory, town, line);
    if town.trim().is_empty() && line.trim().is_empty() {
        return Resolution::Empty;
    }
    let of_branch = !asked.kinds.is_empty() || !asked.numbers.is_empty();
    if asked.other && !asked.nova || asked.shop && asked.numbers.is_empty() && !asked.nova {
        return Resolution::Other;
    }
    if !of_branch && (asked.courier || asked.flat) && !(asked.nova && asked.denied) {
        return Resolution::Courier;
    }
    let (settlements, place) = settlements(directory, &asked);
    // A town that speaks against it counts for a copied text too.
    if place != Some(Doubt::Unclear)
        && let Some(one) = copied(directory, &asked, &settlements, line)
    {
        return Resolution::One(one);
    }
    let mut weighed = weigh(directory, &asked, &settlements);
    weighed.sort_by_key(|one| (std::cmp::Reverse(one.score), one.branch));
    let fits: Vec<&Weighed> = weighed.iter().filter(|one| one.named && one.against.is_none()).collect();
    // A street and a house without a word of a branch are where somebody lives.
    let address = asked.house.is_some() && !asked.street_word.is_empty();
    if !of_branch && !asked.nova && address && fits.is_empty() && asked.loose.is_empty() {
        return Resolution::Courier;
    }
    let doubt = doubt(directory, &asked, &weighed, &fits, place);
    match (doubt, fits.as_slice()) {
        (None, [one]) => Resolution::One(directory.at(one.branch)),
        (doubt, _) => {
            let candidates = weighed.iter().take(CANDIDATES).map(|one| Candidate {
                branch: directory.at(one.branch),
                settlement: directory.row(one.settlement),
                score: one.score,
            });
            Resolution::Look(doubt.unwrap_or(Doubt::SeveralBranches), candidates.collect())
        }
    }
}

/// The branch whose own text the line is, whatever stands in it: the carrier's app shows it so.
fn copied<'a>(directory: &'a Directory, asked: &Asked, settlements: &[u32], line: &str) -> Option<&'a Branch> {
    let typed = fold(line);
    let all = settlements.iter().flat_map(|at| directory.of(*at)).map(|branch| directory.at(branch));
    let same = |row: &&Branch| fold(&row.text) == typed || !row.text_ru.is_empty() && fold(&row.text_ru) == typed;
    let mut found = all.filter(|row| asked.numbers.contains(&row.number)).filter(same);
    found.next().filter(|row| row.works && found.next().is_none())
}

/// Why none can be taken, if so; the first reason that a person should read.
fn doubt(
    directory: &Directory,
    asked: &Asked,
    weighed: &[Weighed],
    fits: &[&Weighed],
    place: Option<Doubt>,
) -> Option<Doubt> {
    if place == Some(Doubt::NoSettlement) {
        return place;
    }
    if asked.numbers.len() > 1 {
        return Some(Doubt::SeveralNumbers);
    }
    if asked.other || asked.shop || asked.courier || asked.flat || asked.kinds.len() > 1 {
        return Some(Doubt::Mixed);
    }
    if asked.lettered || asked.either || asked.denied || asked.words.len() > STRANGE_WORDS {
        return Some(Doubt::Unclear);
    }
    let one = match fits {
        [one] => one,
        [] => return Some(none_fits(asked, weighed, place)),
        _ => return Some(place.map_or(Doubt::SeveralBranches, |_| Doubt::SeveralSettlements)),
    };
    // Towns of one name are told apart by a branch that only one of them has, closed or not.
    let elsewhere = weighed.iter().any(|other| {
        other.named && other.settlement != one.settlement && matches!(other.against, None | Some(Doubt::Closed))
    });
    // In one line a town's name may be a buyer's, or a thing's.
    if asked.bare && !asked.words.is_empty() {
        return Some(Doubt::Unclear);
    }
    let another = asked.inflected.iter().any(|at| *at != one.settlement);
    if place == Some(Doubt::Unclear) || elsewhere || another {
        return Some(Doubt::SeveralSettlements);
    }
    if is_another(directory, asked, one) {
        return Some(Doubt::SeveralNumbers);
    }
    let said = !asked.kinds.is_empty() || asked.nova || asked_number(asked).is_some();
    (!said).then_some(Doubt::Unclear)
}

/// Whether a number that nothing explains may be another branch's: it is one there, and no part of this one's address.
fn is_another(directory: &Directory, asked: &Asked, one: &Weighed) -> bool {
    let own = directory.at(one.branch).number;
    let in_address = |number: &u32| directory.address_key(one.branch).split(' ').any(|word| word == number.to_string());
    asked
        .loose
        .iter()
        .filter(|number| **number != own && !in_address(number))
        .any(|number| directory.of(one.settlement).any(|branch| directory.at(branch).number == *number))
}

fn none_fits(asked: &Asked, weighed: &[Weighed], place: Option<Doubt>) -> Doubt {
    let named = weighed.iter().find(|one| one.named);
    match named.and_then(|one| one.against) {
        Some(against) => against,
        None if asked_number(asked).is_none() && asked.street.is_empty() => {
            place.map_or(Doubt::NoNumber, |_| Doubt::SeveralSettlements)
        }
        None => Doubt::NoSuchBranch,
    }
}

/// The settlements that the text may mean, and what is doubtful about them.
fn settlements(directory: &Directory, asked: &Asked) -> (Vec<u32>, Option<Doubt>) {
    if asked.names.is_empty() || asked.unknown_town {
        return (Vec::new(), Some(Doubt::NoSettlement));
    }
    let within = |named: &Named| -> Vec<u32> {
        named.settlements.iter().copied().filter(|at| is_meant(directory, asked, *at)).collect()
    };
    let lists: Vec<Vec<u32>> = asked.names.iter().map(within).collect();
    let mut all: Vec<u32> = lists.iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        // The oblast speaks against each: they are shown, and none is taken.
        let all: Vec<u32> = asked.names.iter().flat_map(|named| named.settlements.iter().copied()).collect();
        return (all, Some(Doubt::Unclear));
    }
    let common: Vec<u32> = all.iter().copied().filter(|at| lists.iter().all(|list| list.contains(at))).collect();
    match (common.len(), all.len()) {
        (1, _) => (common, None),
        (0, _) => (all, Some(Doubt::Unclear)),
        (_, 1) => (all, None),
        _ => (common, Some(Doubt::SeveralSettlements)),
    }
}

/// Whether oblast and district allow a settlement. `м.` and `с.` decide nothing: people write either in a hurry.
fn is_meant(directory: &Directory, asked: &Asked, at: u32) -> bool {
    let area = asked.areas.is_empty() || directory.area(at).meets(asked.areas);
    area && in_region(directory, asked, directory.row(at))
}

/// A district tells villages of one name apart; a city's own districts say nothing here.
fn in_region(directory: &Directory, asked: &Asked, row: &Settlement) -> bool {
    let fits = |row: &Settlement| {
        let region = fold(&row.region);
        asked.regions.iter().any(|asked| like_adjective(asked, &region))
    };
    let known = directory.named(&fold(&row.name)).into_iter().any(|at| fits(directory.row(at)));
    let alone = directory.named(&fold(&row.name)).len() == 1;
    asked.regions.is_empty() || fits(row) || !known && alone
}

/// Two adjectives of one word, in either language: `стриискии`, `стриискои`.
fn like_adjective(left: &str, right: &str) -> bool {
    let stem = |word: &str| word.find("ск").map_or_else(|| word.to_owned(), |at| word[..at].to_owned());
    let (left, right) = (stem(left), stem(right));
    !left.is_empty() && near::within(&left, &right, if right.chars().count() >= 8 { 2 } else { 1 })
}

/// Every branch that may be meant, with what speaks for it and against it. Those of another number are looked at only where
/// none of the number is right: a large city has thousands.
fn weigh(directory: &Directory, asked: &Asked, settlements: &[u32]) -> Vec<Weighed> {
    let mut out = Vec::new();
    for at in settlements {
        let street = Street::of(asked, &fold(&directory.row(*at).name));
        let of_number = |branch: &u32| asked.may_be(directory.at(*branch).number);
        let first = out.len();
        out.extend(
            directory.of(*at).filter(of_number).map(|branch| weigh_one(directory, asked, *at, branch, street.as_ref())),
        );
        let right = out[first..].iter().any(|one| one.named && one.against.is_none());
        if !right && (street.is_some() || asked.only) {
            let others = directory.of(*at).filter(|branch| !of_number(branch));
            let others = others.map(|branch| weigh_one(directory, asked, *at, branch, street.as_ref()));
            out.extend(others.filter(|one| one.score > 0));
        }
    }
    out.retain(|one| one.score > 0);
    if out.is_empty() {
        let few = settlements.iter().flat_map(|at| directory.of(*at).take(CANDIDATES).map(move |branch| (*at, branch)));
        out.extend(few.map(|(settlement, branch)| Weighed {
            branch,
            settlement,
            score: 0,
            against: None,
            named: false,
        }));
    }
    out
}

fn weigh_one(
    directory: &Directory,
    asked: &Asked,
    settlement: u32,
    branch: u32,
    street: Option<&Street<'_>>,
) -> Weighed {
    let row = directory.at(branch);
    let number = asked.may_be(row.number);
    let street = street.map(|street| street.is_of(directory.address_key(branch)));
    let kind = kind_fits(asked, row);
    let by_number = asked_number(asked).is_some() || asked.numbers.len() > 1;
    let only = asked.only && row.kind != Kind::Locker && counters(directory, settlement) == 1;
    let named = if by_number { number } else { street == Some(true) || only };
    let weights = [(number, 60), (street == Some(true), 50), (named && kind, 20), (named && row.works, 5)];
    let score = weights.iter().filter(|(holds, _)| *holds).map(|(_, weight)| weight).sum();
    let against = if !kind {
        Some(Doubt::OtherKind)
    } else if street == Some(false) {
        Some(Doubt::OtherStreet)
    } else if !row.works {
        Some(Doubt::Closed)
    } else {
        None
    };
    Weighed { branch, settlement, score, against, named }
}

/// Branches and points of a settlement.
fn counters(directory: &Directory, settlement: u32) -> usize {
    directory.of(settlement).filter(|branch| directory.at(*branch).kind != Kind::Locker).count()
}

/// The branch's number: the one that is marked as such, or the only one where no word stands beside it that nothing explains.
fn asked_number(asked: &Asked) -> Option<u32> {
    match (asked.numbers.as_slice(), asked.loose.as_slice()) {
        ([number], _) => Some(*number),
        ([], [number]) if asked.words.is_empty() && asked.regions.is_empty() => Some(*number),
        _ => None,
    }
}

/// A branch that takes no more than this is for parcels that a person carries.
const CARRIED_KG: u32 = 30;

fn kind_fits(asked: &Asked, row: &Branch) -> bool {
    if asked.cargo && (row.kind != Kind::Branch || row.max_kg > 0 && row.max_kg <= CARRIED_KG) {
        return false;
    }
    let kind = row.kind;
    match asked.kinds.as_slice() {
        [] => true,
        // Pick-up points have numbers of branches, and are called so.
        [Kind::Branch] => kind != Kind::Locker,
        [only] => *only == kind,
        _ => false,
    }
}
