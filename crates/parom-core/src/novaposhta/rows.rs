//! The rows of the directory: as they are read from the carrier, and in the short form in which they are kept.

use std::fmt;

use serde_json::{Value, json};

/// A UUID of the carrier's. As a number it takes 16 bytes instead of the 36 of its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ref(pub u128);

/// What kind of place a branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A branch with people behind a counter.
    Branch,
    /// A pick-up point in a shop.
    PickUp,
    /// A parcel locker.
    Locker,
}

/// A settlement that has at least one branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// `SettlementRef`.
    pub reference: Ref,
    /// The name in Ukrainian.
    pub name: Box<str>,
    /// The name in Russian; empty where the carrier gives none.
    pub name_ru: Box<str>,
    /// `місто`, `село`, `селище` …, as the carrier says.
    pub kind: Box<str>,
    /// The oblast: `Львівська`.
    pub area: Box<str>,
    /// The district: `Стрийський`; may be empty.
    pub region: Box<str>,
}

/// A city of the carrier's own list, which has other refs than settlements have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct City {
    /// `CityRef`; `DeliveryCity` in the carrier's search.
    pub reference: Ref,
    /// The name in Ukrainian, sometimes with a district in brackets.
    pub name: Box<str>,
    /// The name in Russian; empty where the carrier gives none.
    pub name_ru: Box<str>,
}

/// A branch, a pick-up point or a locker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// `Ref`: what the CRM takes as `warehouse_ref`.
    pub reference: Ref,
    /// `SettlementRef`.
    pub settlement: Ref,
    /// `CityRef`.
    pub city: Ref,
    /// The number; 0 where it has none.
    pub number: u32,
    /// What it is.
    pub kind: Kind,
    /// The heaviest parcel in kilograms; 0 where the carrier names no limit.
    pub max_kg: u32,
    /// Whether it takes parcels for buyers now.
    pub works: bool,
    /// The carrier's own text, in Ukrainian: `Відділення №11 (до 30 кг): вул. Хрещатик, 22`.
    pub text: Box<str>,
    /// The same in Russian, where the carrier's differs; else empty.
    pub text_ru: Box<str>,
}

impl Kind {
    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Branch => "branch",
            Kind::PickUp => "pick_up",
            Kind::Locker => "locker",
        }
    }

    fn parse(text: &str) -> Option<Kind> {
        [Kind::Branch, Kind::PickUp, Kind::Locker].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Ref {
    /// Reads a UUID with or without its hyphens; none for another text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Ref> {
        let text = text.trim();
        let hyphens = text.match_indices('-').map(|(at, _)| at);
        let whole = text.len() == 32 || text.len() == 36 && hyphens.eq([8, 13, 18, 23]);
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let right = whole && digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        right.then(|| u128::from_str_radix(&digits, 16).ok()).flatten().map(Ref)
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        f.write_str(&parts.join("-"))
    }
}

impl Settlement {
    /// The short form.
    #[must_use]
    pub fn kept(&self) -> Value {
        json!([self.reference.to_string(), self.name, self.name_ru, self.kind, self.area, self.region])
    }

    /// Reads the short form.
    #[must_use]
    pub fn of_kept(row: &Value) -> Option<Settlement> {
        Some(Settlement {
            reference: Ref::parse(text(row, 0))?,
            name: text(row, 1).into(),
            name_ru: text(row, 2).into(),
            kind: text(row, 3).into(),
            area: text(row, 4).into(),
            region: text(row, 5).into(),
        })
    }
}

impl City {
    /// The short form.
    #[must_use]
    pub fn kept(&self) -> Value {
        json!([self.reference.to_string(), self.name, self.name_ru])
    }

    /// Reads the short form.
    #[must_use]
    pub fn of_kept(row: &Value) -> Option<City> {
        let reference = Ref::parse(text(row, 0))?;
        Some(City { reference, name: text(row, 1).into(), name_ru: text(row, 2).into() })
    }
}

impl Branch {
    /// The short form.
    #[must_use]
    pub fn kept(&self) -> Value {
        json!([
            self.reference.to_string(),
            self.settlement.to_string(),
            self.city.to_string(),
            self.number,
            self.kind.as_str(),
            self.max_kg,
            self.works,
            self.text,
            self.text_ru
        ])
    }

    /// Reads the short form.
    #[must_use]
    pub fn of_kept(row: &Value) -> Option<Branch> {
        let number = |at: usize| row.get(at).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        Some(Branch {
            reference: Ref::parse(text(row, 0))?,
            settlement: Ref::parse(text(row, 1))?,
            city: Ref::parse(text(row, 2)).unwrap_or_default(),
            number: number(3)?,
            kind: Kind::parse(text(row, 4))?,
            max_kg: number(5)?,
            works: row.get(6).and_then(Value::as_bool)?,
            text: text(row, 7).into(),
            text_ru: text(row, 8).into(),
        })
    }

    /// The address alone: what stands behind the colon of the carrier's text.
    #[must_use]
    pub fn address(&self) -> &str {
        address(&self.text)
    }
}

/// What stands behind the first colon, or the whole.
pub(super) fn address(text: &str) -> &str {
    text.split_once(": ").or_else(|| text.split_once(':')).map_or(text, |(_, address)| address).trim()
}

fn text(row: &Value, at: usize) -> &str {
    row.get(at).and_then(Value::as_str).unwrap_or_default()
}
