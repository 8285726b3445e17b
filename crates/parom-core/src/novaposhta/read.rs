//! The carrier's API: what is asked, and the answers as rows. Errors come with status 200, so the body decides.
//!
//! What is relied on was seen in public clients and recorded answers of the API: pages have at most 500 rows (150 of
//! settlements), `info.totalCount` tells of all, numbers come as texts, a limit of `"0"` is none, oblasts come with and without
//! `область`, villages of the list of cities with their district in brackets, some lockers without an address in their text,
//! `errors` is a list or an object, and `errorCodes` says more than its text does.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::directory::Builder;
use super::rows::{Branch, City, Kind, Ref, Settlement};

const LOCKER: &str = "f9316480-5f2d-425d-bc2c-ac7cd29decf0";
const LOCKER_OF_A_BANK: &str = "95dc212d-479c-4ffb-a8ab-8c1b9073d0bc";

/// A list of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Settlements that have a branch.
    Settlements,
    /// The carrier's own cities.
    Cities,
    /// Branches, points and lockers.
    Branches,
}

/// What an answer says.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// Rows.
    Rows(Page),
    /// The key is refused: each request would meet the same.
    KeyRefused(String),
    /// Too many requests.
    TooMany,
    /// Something else; in words.
    Failed(String),
}

/// The rows of an answer.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// In the short form in which they are kept, as a JSON list; those without a ref or a name are left out.
    pub kept: String,
    /// How many came.
    pub rows: usize,
    /// How many there are in all, where the answer says so.
    pub total: Option<usize>,
}

/// An answer whose rows are not read yet: a page has megabytes, and a tree of them takes ten times as much.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(default)]
    success: bool,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    info: Value,
    #[serde(default)]
    errors: Value,
    #[serde(default, rename = "errorCodes")]
    codes: Value,
}

impl List {
    /// Every list, in the order in which they are fetched.
    pub const ALL: [List; 3] = [List::Settlements, List::Cities, List::Branches];

    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            List::Settlements => "settlements",
            List::Cities => "cities",
            List::Branches => "branches",
        }
    }

    /// The list of a stored text.
    #[must_use]
    pub fn parse(text: &str) -> Option<List> {
        List::ALL.into_iter().find(|list| list.as_str() == text)
    }

    /// Rows that are asked for in one request: the carrier's most.
    #[must_use]
    pub fn page(self) -> usize {
        if self == List::Settlements { 150 } else { 500 }
    }

    /// The body of a request for a page, from 1.
    #[must_use]
    pub fn request(self, key: &str, page: usize) -> Value {
        let (method, mut asked) = match self {
            List::Settlements => ("getSettlements", json!({"Warehouse": "1"})),
            List::Cities => ("getCities", json!({})),
            List::Branches => ("getWarehouses", json!({"Language": "UA"})),
        };
        asked["Page"] = page.to_string().into();
        asked["Limit"] = self.page().to_string().into();
        json!({"apiKey": key, "modelName": "AddressGeneral", "calledMethod": method, "methodProperties": asked})
    }

    /// A row in the short form in which it is kept; none for one that has no ref or no name.
    #[must_use]
    fn kept(self, row: &Value) -> Option<Value> {
        match self {
            List::Settlements => settlement(row).map(|row| row.kept()),
            List::Cities => city(row).map(|row| row.kept()),
            List::Branches => branch(row).map(|row| row.kept()),
        }
    }
}

/// Reads an answer's body; its status was 200.
#[must_use]
pub fn answer(list: List, body: &[u8]) -> Answer {
    let Ok(raw) = serde_json::from_slice::<Raw<'_>>(body) else {
        return Answer::Failed("the answer is not the JSON that was expected".into());
    };
    if raw.success {
        let total = raw.info.get("totalCount").and_then(number);
        let rows = raw.data.and_then(|data| serde_json::from_str::<Vec<&RawValue>>(data.get()).ok());
        return match rows {
            Some(rows) => Answer::Rows(Page { kept: kept(list, &rows), rows: rows.len(), total }),
            None => Answer::Failed("the answer has no list of rows".into()),
        };
    }
    let (codes, texts) = (words(&raw.codes), words(&raw.errors));
    let said = texts.join("; ");
    let low = said.to_lowercase();
    if codes.iter().any(|code| code == "20000200068" || code == "20000200069")
        || low.contains("api key")
        || low.contains("auth")
    {
        return Answer::KeyRefused(if said.is_empty() { "the key is refused".into() } else { said });
    }
    if codes.iter().any(|code| code == "20000401501")
        || low.contains("many requests")
        || low.contains("limit") && low.contains("request")
    {
        return Answer::TooMany;
    }
    let codes = codes.join(", ");
    Answer::Failed(match (said.is_empty(), codes.is_empty()) {
        (false, _) => said,
        (true, false) => format!("error {codes}"),
        (true, true) => "the answer says that it failed, and not why".into(),
    })
}

/// Rows in their short form, one after the other.
fn kept(list: List, rows: &[&RawValue]) -> String {
    let read = |row: &&RawValue| list.kept(&serde_json::from_str(row.get()).unwrap_or_default());
    let rows: Vec<String> = rows.iter().filter_map(read).map(|row| row.to_string()).collect();
    format!("[{}]", rows.join(","))
}

/// Takes a page that was kept.
pub fn take(builder: &mut Builder, list: List, kept: &str) {
    for row in serde_json::from_str::<Vec<&RawValue>>(kept).unwrap_or_default() {
        let row: Value = serde_json::from_str(row.get()).unwrap_or_default();
        match list {
            List::Settlements => Settlement::of_kept(&row).into_iter().for_each(|row| builder.settlement(row)),
            List::Cities => City::of_kept(&row).into_iter().for_each(|row| builder.city(row)),
            List::Branches => Branch::of_kept(&row).into_iter().for_each(|row| builder.branch(row)),
        }
    }
}

/// Texts of a list, or of an object's values.
fn words(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Object(items) => items.values().map(text).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn settlement(row: &Value) -> Option<Settlement> {
    let name = text(row, "Description");
    Some(Settlement {
        reference: Ref::parse(&text(row, "Ref")).filter(|_| !name.is_empty())?,
        name: name.into(),
        name_ru: text(row, "DescriptionRu").into(),
        kind: text(row, "SettlementTypeDescription").into(),
        area: without(&text(row, "AreaDescription"), "область").into(),
        region: without(&text(row, "RegionsDescription"), "р-н").into(),
    })
}

fn city(row: &Value) -> Option<City> {
    let name = text(row, "Description");
    let reference = Ref::parse(&text(row, "Ref")).filter(|_| !name.is_empty())?;
    Some(City { reference, name: name.into(), name_ru: text(row, "DescriptionRu").into() })
}

fn branch(row: &Value) -> Option<Branch> {
    let name = with_address(text(row, "Description"), &text(row, "ShortAddress"));
    let name_ru = with_address(text(row, "DescriptionRu"), &text(row, "ShortAddressRu"));
    let kind = kind(row);
    let status = text(row, "WarehouseStatus");
    let place = number(row.get("PlaceMaxWeightAllowed").unwrap_or(&Value::Null)).unwrap_or_default();
    let total = number(row.get("TotalMaxWeightAllowed").unwrap_or(&Value::Null)).unwrap_or_default();
    // 0 is no limit of its own; of two limits the lower counts.
    let limit = [place, total].into_iter().filter(|limit| *limit > 0).min().unwrap_or_default();
    Some(Branch {
        reference: Ref::parse(&text(row, "Ref")).filter(|_| !name.is_empty())?,
        settlement: Ref::parse(&text(row, "SettlementRef"))?,
        city: Ref::parse(&text(row, "CityRef")).unwrap_or_default(),
        number: number(row.get("Number").unwrap_or(&Value::Null))
            .and_then(|number| number.try_into().ok())
            .unwrap_or_default(),
        kind,
        max_kg: limit.try_into().unwrap_or_default(),
        works: (status.is_empty() || status == "Working") && !yes(row, "DenyToSelect") && gives_out(row),
        text_ru: if name_ru == name { "".into() } else { name_ru.into() },
        text: name.into(),
    })
}

/// A text that has no address gets the one of `ShortAddress`, whose first part is the town.
fn with_address(text: String, short: &str) -> String {
    match short.split_once(", ") {
        Some((_, address)) if !text.is_empty() && !text.contains(':') => format!("{text}: {address}"),
        _ => text,
    }
}

/// Places that only take parcels, and those of merchants, are in the list too.
fn gives_out(row: &Value) -> bool {
    !matches!(text(row, "CategoryOfWarehouse").as_str(), "DropOff" | "Fulfillment")
}

fn kind(row: &Value) -> Kind {
    let kind = text(row, "TypeOfWarehouse").to_lowercase();
    match text(row, "CategoryOfWarehouse").as_str() {
        "Postomat" => Kind::Locker,
        _ if kind == LOCKER || kind == LOCKER_OF_A_BANK => Kind::Locker,
        "Store" => Kind::PickUp,
        _ if text(row, "Description").to_lowercase().starts_with("пункт") => Kind::PickUp,
        _ => Kind::Branch,
    }
}

fn text(row: &Value, name: &str) -> String {
    row.get(name)
        .and_then(Value::as_str)
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

fn yes(row: &Value, name: &str) -> bool {
    matches!(row.get(name), Some(Value::String(text)) if text == "1" || text.eq_ignore_ascii_case("true"))
        || row.get(name).and_then(Value::as_bool) == Some(true)
        || row.get(name).and_then(Value::as_u64) == Some(1)
}

/// Numbers come as texts, mostly.
fn number(value: &Value) -> Option<usize> {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    number.or_else(|| value.as_str().and_then(|text| text.trim().split('.').next()?.parse().ok()))
}

/// `Львівська область` as `Львівська`.
fn without(text: &str, word: &str) -> String {
    text.split(' ')
        .filter(|part| *part != word && *part != "обл." && *part != "обл" && *part != "район")
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_the_carrier_writes_them() {
        let row = json!({
            "Description": "Поштомат \"Нова Пошта\" №46071", "DescriptionRu": "", "ShortAddress": "Харків, вул. Дача 55, 9",
            "TypeOfWarehouse": "F9316480-5F2D-425D-BC2C-AC7CD29DECF0", "Ref": "95072367-ca72-11ea-b39d-b8830365bd14",
            "Number": "46071", "SettlementRef": "e718a680-4b33-11e4-ab6d-005056801329", "TotalMaxWeightAllowed": "0",
            "PlaceMaxWeightAllowed": "30", "WarehouseStatus": "Working", "DenyToSelect": "0",
        });
        let one = branch(&row).unwrap();
        assert_eq!((one.kind, one.number, one.max_kg, one.works), (Kind::Locker, 46_071, 30, true));
        assert_eq!(one.address(), "вул. Дача 55, 9");
        assert_eq!(Branch::of_kept(&one.kept()), Some(one));
        let mut denied = row.clone();
        denied["DenyToSelect"] = "1".into();
        assert!(!branch(&denied).unwrap().works);
        assert!(branch(&json!({"Description": "x", "Ref": "5"})).is_none());
        let place = json!({
            "Ref": "e718a680-4b33-11e4-ab6d-005056801329", "Description": "Київ", "DescriptionRu": "Киев",
            "SettlementTypeDescription": "місто", "RegionsDescription": "", "AreaDescription": "Київська область",
        });
        let place = settlement(&place).unwrap();
        assert_eq!((&*place.area, &*place.kind, &*place.name_ru), ("Київська", "місто", "Киев"));
    }

    #[test]
    fn an_answer_says_what_it_is_by_its_body() {
        let said = |body: Value| answer(List::Cities, body.to_string().as_bytes());
        let failed =
            |errors: Value, codes: Value| said(json!({"success": false, "errors": errors, "errorCodes": codes}));
        assert!(matches!(failed(json!(["API key expired"]), json!([])), Answer::KeyRefused(_)));
        assert!(matches!(failed(json!([]), json!(["20000200069"])), Answer::KeyRefused(_)));
        assert!(matches!(failed(json!({"0": "x"}), json!({"0": "20000200068"})), Answer::KeyRefused(_)));
        assert_eq!(failed(json!(["To many requests"]), json!([])), Answer::TooMany);
        assert_eq!(failed(json!({"20000900001": "away"}), json!({})), Answer::Failed("away".into()));
        assert!(matches!(said(json!({"success": true, "data": "none"})), Answer::Failed(_)));
        let rows = said(json!({"success": true, "data": [{}], "info": {"totalCount": 7}}));
        assert_eq!(rows, Answer::Rows(Page { kept: "[]".into(), rows: 1, total: Some(7) }));
        assert!(matches!(answer(List::Cities, b"<html>"), Answer::Failed(_)));
    }
}
