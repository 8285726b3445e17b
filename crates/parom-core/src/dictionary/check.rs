//! An order beside the account's dictionaries: names become ids, and what is not in the account is a problem.

use serde_json::{Map, Value};

use super::names::{Named, find, label};
use super::{Dictionary, Entry, Kind, custom};
use crate::convert::{Locale, plain};
use crate::order::{self, Draft, Target};
use crate::problem::{Code, Effect, Problem};

/// What a SKU does that is not in the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownSku {
    /// The order goes, marked.
    #[default]
    Warn,
    /// It waits for a person.
    Hold,
}

/// A place of the order that names a row of a dictionary: by id, or by a name that only a channel file knows.
struct Place {
    /// The CRM's field.
    id: &'static str,
    /// The channel file's field beside it; the CRM never gets it.
    name: &'static str,
    /// What people call such a row.
    what: &'static str,
    effect: Effect,
}

const SOURCE: Place = Place { id: "source_id", name: "source", what: "source", effect: Effect::Hold };
const DELIVERY: Place =
    Place { id: "delivery_service_id", name: "delivery_service", what: "delivery service", effect: Effect::Mend };
const PAYMENT: Place =
    Place { id: "payment_method_id", name: "payment_method", what: "payment method", effect: Effect::Hold };
const PIPELINE: Place = Place { id: "pipeline_id", name: "pipeline", what: "pipeline", effect: Effect::Hold };
const STATUS: Place = Place { id: "status_id", name: "status", what: "status of the pipeline", effect: Effect::Hold };

const ORDER_STATUS: Place = Place { id: "status_id", name: "status", what: "status of orders", effect: Effect::Hold };

/// Resolves the status and the payment methods of a change of an order that is in the CRM.
pub(crate) fn apply_to_change(draft: &mut Draft, dictionary: Option<&Dictionary>) {
    let empty = Dictionary::default();
    let dictionary = dictionary.unwrap_or(&empty);
    let mut body = std::mem::take(&mut draft.body);
    row(draft, &mut body, "", &ORDER_STATUS, dictionary.entries(Kind::Statuses));
    for (index, payment) in lines(&mut body, "payments") {
        let path = format!("payments.{index}.");
        row(draft, payment, &path, &PAYMENT, dictionary.entries(Kind::PaymentMethods));
    }
    draft.body = body;
}

/// Resolves names and checks ids, custom fields and SKUs. Without a dictionary only names are a problem: they cannot be
/// resolved yet.
pub fn apply(draft: &mut Draft, dictionary: Option<&Dictionary>, unknown_sku: UnknownSku, locale: &Locale) {
    let empty = Dictionary::default();
    let dictionary = dictionary.unwrap_or(&empty);
    let mut body = std::mem::take(&mut draft.body);
    row(draft, &mut body, "", &SOURCE, dictionary.entries(Kind::Sources));
    if draft.target == Target::Card {
        pipeline(draft, &mut body, dictionary);
    }
    if let Some(Value::Object(shipping)) = body.get_mut("shipping") {
        row(draft, shipping, "shipping.", &DELIVERY, dictionary.entries(Kind::DeliveryServices));
        branch(draft, shipping, dictionary);
        if shipping.is_empty() {
            body.remove("shipping");
        }
    }
    for (index, payment) in lines(&mut body, "payments") {
        let path = format!("payments.{index}.");
        row(draft, payment, &path, &PAYMENT, dictionary.entries(Kind::PaymentMethods));
    }
    for (index, product) in lines(&mut body, "products") {
        sku(draft, product, index, dictionary, unknown_sku);
    }
    custom::apply(draft, &mut body, dictionary, locale);
    draft.body = body;
}

fn lines<'a>(
    body: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = (usize, &'a mut Map<String, Value>)> {
    let items = body.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    items.enumerate().filter_map(|(index, item)| Some((index, item.as_object_mut()?)))
}

fn row(draft: &mut Draft, group: &mut Map<String, Value>, prefix: &str, place: &Place, known: Option<&[Entry]>) {
    let id = group.get(place.id).and_then(Value::as_i64);
    let name = group.get(place.name).and_then(plain).filter(|name| !name.is_empty());
    // A payment method's name is a field of the CRM too; the others are the channel file's own.
    let own_field = place.name != PAYMENT.name;
    match (known, id, name) {
        (Some(known), Some(id), _) => {
            if own_field {
                group.remove(place.name);
            }
            check_id(draft, group, prefix, place, known, id);
        }
        (Some(known), None, Some(name)) => resolve(draft, group, prefix, place, known, &name),
        (None, None, Some(name)) if own_field => {
            let path = format!("{prefix}{}", place.name);
            let message = format!(
                "the {} `{name}` cannot be looked up: the account's dictionaries are not known yet",
                place.what
            );
            let hint = "They are fetched as soon as the CRM answers; the order then goes by itself.";
            draft.problems.push(Problem::new(path, Code::DictionaryMissing, Effect::Hold, message, hint));
        }
        (None, Some(_), Some(_)) if own_field => {
            group.remove(place.name);
        }
        _ => {}
    }
}

fn check_id(draft: &mut Draft, group: &mut Map<String, Value>, prefix: &str, place: &Place, known: &[Entry], id: i64) {
    let (code, message) = match known.iter().find(|entry| entry.id == id) {
        Some(entry) if entry.active => return,
        Some(entry) => {
            (Code::Inactive, format!("the {} {id} (`{}`) is switched off in the CRM", place.what, label(entry)))
        }
        None => (Code::NotInAccount, format!("the account has no {} {id}", place.what)),
    };
    let near = known.iter().filter(|entry| entry.active).take(8);
    let near: Vec<String> = near.map(|entry| format!("{} ({})", entry.id, label(entry))).collect();
    let hint = format!("The account has: {}{}.", near.join(", "), if known.len() > 8 { " …" } else { "" });
    leave(
        draft,
        group,
        &format!("{prefix}{}", place.id),
        place.id,
        place.effect,
        Problem::new("", code, place.effect, message, hint),
    );
}

fn resolve(
    draft: &mut Draft,
    group: &mut Map<String, Value>,
    prefix: &str,
    place: &Place,
    known: &[Entry],
    name: &str,
) {
    let path = format!("{prefix}{}", place.name);
    let problem = match find(known, name) {
        Named::One(entry) if entry.active => {
            group.remove(place.name);
            group.insert(place.id.to_owned(), Value::from(entry.id));
            return;
        }
        Named::One(entry) => {
            let message = format!("the {} `{}` is switched off in the CRM", place.what, label(entry));
            Problem::new("", Code::Inactive, place.effect, message, "Switch it on there, or name another.")
        }
        Named::Several(ids) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let message = format!("the account has several of the name `{name}`: {}", ids.join(", "));
            let hint = format!("Name one by its id: {} = {}.", place.id, ids[0]);
            Problem::new("", Code::AmbiguousName, place.effect, message, hint)
        }
        Named::Nothing(near) => {
            let message = format!("the account has no {} `{name}`", place.what);
            Problem::new("", Code::NotInAccount, place.effect, message, names_hint(&near))
        }
    };
    leave(draft, group, &path, place.name, place.effect, problem);
}

pub(super) fn names_hint(near: &[&str]) -> String {
    if near.is_empty() {
        return "Make it in the CRM, or name another.".to_owned();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    format!("Nearest: {}.", quoted.join(", "))
}

/// A row that the order can do without is left out; one that it needs stays where it is, for a person to see.
fn leave(draft: &mut Draft, group: &mut Map<String, Value>, path: &str, field: &str, effect: Effect, problem: Problem) {
    if effect == Effect::Mend
        && let Some(value) = group.remove(field)
    {
        draft.left_out.push((path.to_owned(), plain(&value).unwrap_or_default()));
    }
    draft.problems.push(Problem { path: path.to_owned(), ..problem });
}

/// Rule 9's second half: a branch's UUID is Nova Poshta's own.
fn branch(draft: &mut Draft, shipping: &mut Map<String, Value>, dictionary: &Dictionary) {
    let Some(known) = dictionary.entries(Kind::DeliveryServices) else { return };
    let id = shipping.get(DELIVERY.id).and_then(Value::as_i64);
    let Some(service) = known.iter().find(|entry| Some(entry.id) == id) else { return };
    if !shipping.contains_key("warehouse_ref") || is_nova_poshta(service) {
        return;
    }
    let message = format!("`{}` is not Nova Poshta, and warehouse_ref names a branch of Nova Poshta", label(service));
    let hint = match known.iter().find(|entry| is_nova_poshta(entry)) {
        Some(entry) => format!("Nova Poshta is delivery_service_id {} in this account.", entry.id),
        None => "The account has no Nova Poshta: add it in the CRM.".to_owned(),
    };
    let problem = Problem::new("", Code::WrongDeliveryService, Effect::Mend, message, hint);
    leave(draft, shipping, "shipping.warehouse_ref", "warehouse_ref", Effect::Mend, problem);
}

/// A branch says whose it is: where an order names one and no delivery service, and the account has one Nova Poshta, that is
/// the service.
pub fn add_carrier(body: &mut Map<String, Value>, dictionary: Option<&Dictionary>) {
    let known = dictionary.and_then(|dictionary| dictionary.entries(Kind::DeliveryServices)).unwrap_or_default();
    let mut own = known.iter().filter(|entry| entry.active && is_nova_poshta(entry));
    let (Some(one), None) = (own.next(), own.next()) else { return };
    let Some(Value::Object(shipping)) = body.get_mut("shipping") else { return };
    let has = |name: &str| shipping.contains_key(name);
    if has("warehouse_ref") && !has(DELIVERY.id) && !has(DELIVERY.name) {
        shipping.insert(DELIVERY.id.to_owned(), Value::from(one.id));
    }
}

fn is_nova_poshta(entry: &Entry) -> bool {
    let squeezed = |text: &str| text.to_lowercase().replace([' ', '_', '-'], "");
    let names = [&entry.carrier, &entry.name, &entry.alias];
    names
        .iter()
        .any(|name| ["novaposhta", "новапошта", "новаяпочта"].iter().any(|known| squeezed(name).contains(known)))
}

/// Rule 3: stock and analytics work only for a SKU that is in the catalogue.
fn sku(draft: &mut Draft, product: &Map<String, Value>, index: usize, dictionary: &Dictionary, policy: UnknownSku) {
    let Some(sku) = product.get("sku").and_then(plain) else { return };
    let path = format!("products.{index}.sku");
    let holds = policy == UnknownSku::Hold;
    match dictionary.has_sku(&sku) {
        Some(false) => {}
        // Whoever wants such an order held is told that nobody has looked.
        None if holds => {
            let message = format!("the account's catalogue was not fetched yet: the SKU `{sku}` was not looked for");
            let hint = "Look for it in the CRM; `parom check` tells how far the catalogue is.";
            draft.problems.push(Problem::new(path, Code::DictionaryMissing, Effect::Warn, message, hint));
            return;
        }
        None | Some(true) => return,
    }
    let effect = if holds { Effect::Hold } else { Effect::Warn };
    let message = format!("the SKU `{sku}` is not in the catalogue: the line is not linked to stock and analytics");
    let hint = "Check the SKU on the site, or add the product in the CRM.";
    draft.problems.push(Problem::new(path, Code::UnknownSku, effect, message, hint));
}

fn pipeline(draft: &mut Draft, body: &mut Map<String, Value>, dictionary: &Dictionary) {
    let pipelines = dictionary.entries(Kind::Pipelines);
    row(draft, body, "", &PIPELINE, pipelines);
    let id = body.get(PIPELINE.id).and_then(Value::as_i64);
    // Without a pipeline the CRM takes its first.
    let chosen = pipelines.map(|all| match id {
        Some(id) => all.iter().find(|entry| entry.id == id),
        None => all.first(),
    });
    match chosen {
        // An unknown pipeline is a problem already; without any, no status can be meant.
        Some(None) if id.is_some() => {}
        Some(None) => row(draft, body, "", &STATUS, Some(&[])),
        Some(Some(pipeline)) => row(draft, body, "", &STATUS, Some(&pipeline.statuses)),
        None => row(draft, body, "", &STATUS, None),
    }
}

/// Whether every problem that holds the order is one that a changed dictionary, or Nova Poshta's first directory, may settle.
#[must_use]
pub fn waits_for_dictionary(problems: &[Problem]) -> bool {
    let mut holding = problems.iter().filter(|problem| problem.effect == Effect::Hold).peekable();
    let settles = |code: Code| code.is_of_dictionary() || code == Code::DirectoryMissing;
    holding.peek().is_some() && holding.all(|problem| settles(problem.code))
}

/// An order that was checked by an older dictionary, beside today's: nothing where it goes as it is.
#[must_use]
pub fn again(
    target: Target,
    body: &Map<String, Value>,
    dictionary: &Dictionary,
    unknown_sku: UnknownSku,
    on_invalid: order::OnInvalid,
    locale: &Locale,
) -> (Draft, order::Verdict) {
    let mut draft = Draft { body: body.clone(), target, ..Draft::default() };
    apply(&mut draft, Some(dictionary), unknown_sku, &Locale { keep_dates: true, ..locale.clone() });
    let policy = if on_invalid == order::OnInvalid::Reject { order::OnInvalid::Hold } else { on_invalid };
    let verdict = order::settle(&mut draft, policy);
    (draft, verdict)
}
