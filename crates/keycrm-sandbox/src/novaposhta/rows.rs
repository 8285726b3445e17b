//! The directory itself: every row follows from its index, and none is kept.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::names::{AREAS, ENDS, ROOTS, STREETS, TOWNS};

/// How large the made-up directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Settlements.
    pub settlements: usize,
    /// Branches, points and lockers in all; each settlement has one at least.
    pub branches: usize,
}

impl Default for Size {
    /// The size that the real one is said to have.
    fn default() -> Self {
        Self { settlements: 12_000, branches: 50_000 }
    }
}

const EXAMPLE: &str = "1ec09d2e-e1c2-11e3-8c4a-0050568002cf";
const BRANCH: &str = "841339c7-591a-42e2-8233-7a0a00f0ed6f";
const LOCKER: &str = "f9316480-5f2d-425d-bc2c-ac7cd29decf0";
const CARGO: &str = "9a68df70-0267-42a8-bb5c-37f427e36ee4";

/// The made-up directory.
#[derive(Debug)]
pub(super) struct World {
    size: Size,
    /// Where each settlement's branches begin.
    starts: Vec<usize>,
    closed: HashSet<String>,
}

struct Place {
    name: String,
    name_ru: String,
    area: &'static str,
    region: &'static str,
    town: bool,
}

impl World {
    pub(super) fn new(size: Size) -> Self {
        let weights: Vec<usize> = TOWNS.iter().take(size.settlements).map(|town| town.weight).collect();
        let whole: usize = weights.iter().sum::<usize>().max(1);
        // Towns have about half of all; every village has one, and what is left goes to them in turn.
        let of_towns = size.branches / 2;
        let mut counts: Vec<usize> = weights.iter().map(|weight| (of_towns * weight / whole).max(1)).collect();
        counts.resize(size.settlements, 1);
        let left = size.branches.saturating_sub(counts.iter().sum());
        let first = weights.len().min(size.settlements.saturating_sub(1));
        for at in (first..size.settlements).cycle().take(left) {
            counts[at] += 1;
        }
        let mut starts = vec![0];
        for count in counts {
            starts.push(starts[starts.len() - 1] + count);
        }
        Self { size, starts, closed: HashSet::new() }
    }

    pub(super) fn close(&mut self, reference: &str) {
        self.closed.insert(reference.to_owned());
    }

    pub(super) fn settlements(&self) -> usize {
        self.size.settlements
    }

    pub(super) fn branches(&self) -> usize {
        self.starts.last().copied().unwrap_or_default()
    }

    pub(super) fn settlement(&self, at: usize) -> Value {
        let place = place(at);
        let kind = if place.town { ("місто", "город") } else { ("село", "село") };
        json!({
            "Ref": reference(1, at), "SettlementType": reference(9, usize::from(place.town)),
            "Latitude": "49.5", "Longitude": "31.2", "Description": place.name, "DescriptionRu": place.name_ru,
            "DescriptionTranslit": "", "SettlementTypeDescription": kind.0, "SettlementTypeDescriptionRu": kind.1,
            "SettlementTypeDescriptionTranslit": "", "Region": reference(8, at % 97),
            "RegionsDescription": district(place.region), "RegionsDescriptionRu": "", "RegionsDescriptionTranslit": "",
            "Area": reference(7, at % 24), "AreaDescription": format!("{} область", place.area), "AreaDescriptionRu": "",
            "AreaDescriptionTranslit": "", "Index1": "08000", "Index2": "08000", "IndexCOATSU1": "3200000000",
            "Delivery1": "1", "Delivery2": "1", "Delivery3": "1", "Delivery4": "1", "Delivery5": "1", "Delivery6": "1",
            "Delivery7": "0", "SpecialCashCheck": 1, "RadiusHomeDelivery": "", "RadiusExpressPickUp": "",
            "RadiusDrop": "", "Warehouse": "1", "Conglomerates": null
        })
    }

    pub(super) fn city(&self, at: usize) -> Value {
        let place = place(at);
        let name = if place.town {
            place.name
        } else {
            format!("{} ({}, {} обл)", place.name, district(place.region), place.area)
        };
        json!({
            "Description": name, "DescriptionRu": place.name_ru, "Ref": reference(2, at), "Delivery1": "1", "Delivery2": "1",
            "Delivery3": "1", "Delivery4": "1", "Delivery5": "1", "Delivery6": "1", "Delivery7": "0",
            "Area": reference(7, at % 24), "SettlementType": reference(9, usize::from(place.town)), "IsBranch": "0",
            "PreventEntryNewStreetsUser": "0", "CityID": at.to_string(), "SettlementTypeDescription": if place.town { "місто" } else { "село" },
            "SettlementTypeDescriptionRu": if place.town { "город" } else { "село" }, "SpecialCashCheck": 1,
            "AreaDescription": place.area, "AreaDescriptionRu": ""
        })
    }

    pub(super) fn branch(&self, at: usize) -> Value {
        let settlement = self.starts.partition_point(|start| *start <= at) - 1;
        let place = place(settlement);
        let inside = at - self.starts[settlement];
        let count = self.starts[settlement + 1] - self.starts[settlement];
        let own = branches_of(count);
        let street = STREETS[usize::try_from(mix(3, at) % STREETS.len() as u64).unwrap_or_default()];
        let house = 1 + mix(4, at) % 180;
        let (kind, category, number, limit) = if inside >= own {
            (LOCKER, "Postomat", locker_number(settlement, inside - own), 30)
        } else if inside % 9 == 8 {
            (CARGO, "Branch", inside + 1, 1000)
        } else {
            (BRANCH, "Branch", inside + 1, if inside % 3 == 1 { 30 } else { 200 })
        };
        let (name, name_ru) = if kind == LOCKER {
            (format!("Поштомат \"Нова Пошта\" №{number}"), format!("Почтомат \"Нова Пошта\" №{number}"))
        } else if limit == 30 {
            (
                format!("Відділення №{number} (до 30 кг на одне місце)"),
                format!("Отделение №{number} (до 30 кг на одно место)"),
            )
        } else {
            (format!("Відділення №{number}"), format!("Отделение №{number}"))
        };
        // The vendor's own example of a ref is the first branch.
        let reference_of = if at == 0 { EXAMPLE.to_owned() } else { reference(5, at) };
        let works = !self.closed.contains(&reference_of);
        let mut row = json!({
            "SiteKey": (at + 1).to_string(), "Description": format!("{name}: {}, {house}", street.0),
            "DescriptionRu": format!("{name_ru}: {}, {house}", street.1),
            "ShortAddress": format!("{}, {}, {house}", place.name, street.0.split_once(' ').map_or(street.0, |(_, name)| name)),
            "ShortAddressRu": format!("{}, {}, {house}", place.name_ru, street.1.split_once(' ').map_or(street.1, |(_, name)| name)),
            "Phone": "380800500609", "TypeOfWarehouse": kind, "Ref": reference_of, "Number": number.to_string(),
            "CityRef": reference(2, settlement), "CityDescription": place.name, "CityDescriptionRu": place.name_ru,
            "SettlementRef": reference(1, settlement), "SettlementDescription": place.name,
            "SettlementAreaDescription": format!("{} область", place.area),
            "SettlementRegionsDescription": district(place.region),
            "SettlementTypeDescription": if place.town { "місто" } else { "село" },
            "SettlementTypeDescriptionRu": if place.town { "город" } else { "село" }
        });
        let more = json!({
            "Longitude": "31.2", "Latitude": "49.5", "PostFinance": "0", "BicycleParking": "0", "PaymentAccess": "0",
            "POSTerminal": "1", "InternationalShipping": "0", "SelfServiceWorkplacesCount": "0",
            "TotalMaxWeightAllowed": if kind == LOCKER { "0".to_owned() } else { limit.to_string() },
            "PlaceMaxWeightAllowed": if kind == LOCKER { "20".to_owned() } else { limit.to_string() },
            "SendingLimitationsOnDimensions": {"Width": 170, "Height": 170, "Length": 300},
            "ReceivingLimitationsOnDimensions": {"Width": 170, "Height": 170, "Length": 300},
            "Reception": week("08:00-20:00"), "Delivery": week("08:00-18:30"), "Schedule": week("08:00-20:00"),
            "DistrictCode": "", "WarehouseStatus": if works { "Working" } else { "NotWorking" },
            "WarehouseStatusDate": "2026-01-01 00:00:00", "WarehouseIllusha": "0", "CategoryOfWarehouse": category,
            "Direct": "", "RegionCity": place.name, "WarehouseForAgent": "0", "GeneratorEnabled": "0",
            "MaxDeclaredCost": "0", "WorkInMobileAwis": "0", "DenyToSelect": "0", "CanGetMoneyTransfer": "0",
            "HasMirror": "0", "HasFittingRoom": "0", "OnlyReceivingParcel": "0", "PostMachineType": "",
            "PostalCodeUA": "01001", "WarehouseIndex": format!("{settlement}/{number}"), "BeaconCode": ""
        });
        if let (Value::Object(row), Value::Object(more)) = (&mut row, more) {
            row.extend(more);
        }
        row
    }

    /// The settlements, or cities, that a text is the beginning of.
    pub(super) fn begins(&self, text: &str) -> Vec<usize> {
        let text = text.to_lowercase();
        (0..self.size.settlements).filter(|at| place(*at).name.to_lowercase().starts_with(&text)).collect()
    }

    /// The branches of a city or a settlement.
    pub(super) fn of(&self, given: &str) -> std::ops::Range<usize> {
        let at = (0..self.size.settlements).find(|at| reference(1, *at) == given || reference(2, *at) == given);
        at.map_or(0..0, |at| self.starts[at]..self.starts[at + 1])
    }
}

/// Of a settlement's places, those with people behind a counter: a fifth, one at least.
fn branches_of(count: usize) -> usize {
    count.div_ceil(5).max(1)
}

/// Lockers have numbers of four digits in the oldest towns, and of five elsewhere.
fn locker_number(settlement: usize, at: usize) -> usize {
    if settlement < 4 { 1_000 + at } else { 20_000 + (settlement * 37 + at) % 40_000 }
}

fn district(region: &str) -> String {
    if region.is_empty() { String::new() } else { format!("{region} р-н") }
}

fn place(at: usize) -> Place {
    if let Some(town) = TOWNS.get(at) {
        return Place {
            name: town.name.into(),
            name_ru: town.name_ru.into(),
            area: town.area,
            region: town.region,
            town: true,
        };
    }
    let at = at - TOWNS.len();
    let (root, root_ru) = ROOTS[at % ROOTS.len()];
    let (end, end_ru) = ENDS[at / ROOTS.len() % ENDS.len()];
    let round = at / (ROOTS.len() * ENDS.len());
    let (area, regions) = AREAS[(at + round * 5) % AREAS.len()];
    Place {
        name: format!("{root}{end}"),
        name_ru: format!("{root_ru}{end_ru}"),
        area,
        region: regions[round / AREAS.len() % regions.len()],
        town: false,
    }
}

fn week(hours: &str) -> Value {
    json!({"Monday": hours, "Tuesday": hours, "Wednesday": hours, "Thursday": hours, "Friday": hours, "Saturday": "09:00-18:00", "Sunday": "-"})
}

/// A number that looks random and follows from its arguments (splitmix64).
fn mix(kind: u64, at: usize) -> u64 {
    let mut x = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(kind << 56);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn reference(kind: u64, at: usize) -> String {
    let (high, low) = (mix(kind, at), mix(kind + 100, at));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
