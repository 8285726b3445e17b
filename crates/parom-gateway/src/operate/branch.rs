//! The branch that an operator chooses for an order whose own is not certain.

use std::sync::Arc;

use parom_core::delivery::change::{Change as CrmChange, ChangeKind};
use parom_core::delivery::state::State;
use parom_core::novaposhta::{Candidate, Directory, Fit, Ref, Resolution, resolve};
use parom_core::order::Target;
use parom_core::{dictionary, order};
use serde_json::{Map, Value};

use super::{Change, Desk, Done, OperateError, edit};
use crate::dictionaries::Dictionaries;
use crate::store::OrderDetail;

const REF: &str = "shipping.warehouse_ref";
const TOWN: &str = "shipping.shipping_address_city";
const POINT: &str = "shipping.shipping_receive_point";

/// Whether an order's branch is in question, and a person can choose another.
#[must_use]
pub fn may_choose(directory: &Directory, order: &OrderDetail) -> bool {
    let asked = order.summary.problems.iter().any(|problem| problem.code.is_of_branch());
    let open = matches!(order.summary.state, State::Held | State::Rejected | State::Delivered);
    asked && open && order.summary.target == Target::Order && !directory.is_empty()
}

/// The branches that an order's text may mean, and that take parcels; the likeliest first.
#[must_use]
pub fn candidates<'a>(directory: &'a Directory, order: &OrderDetail) -> Vec<Candidate<'a>> {
    let text = |path: &str| order::get(&order.body, path).and_then(Value::as_str).unwrap_or_default();
    match resolve(directory, text(TOWN), text(POINT)) {
        Resolution::One(branch) => {
            let settlement = directory.settlement(branch.settlement);
            settlement.map(|settlement| Candidate { branch, settlement, score: 0 }).into_iter().collect()
        }
        Resolution::Look(_, candidates) => candidates.into_iter().filter(|one| one.branch.works).collect(),
        Resolution::Empty | Resolution::Courier | Resolution::Other => Vec::new(),
    }
}

/// The ref of the one branch that a person's words mean.
///
/// # Errors
/// Where no directory is kept, and where the words mean another or none.
pub fn meant(dictionaries: &Dictionaries, town: &str, line: &str) -> Result<String, OperateError> {
    let directory = kept(dictionaries)?;
    match resolve(&directory, town, line) {
        Resolution::One(branch) => Ok(branch.reference.to_string()),
        Resolution::Look(why, _) => {
            let why = format!("it is not certain which branch that is: {}; choose one of those offered", why.words());
            Err(OperateError::Unfit(REF.into(), why))
        }
        Resolution::Empty | Resolution::Courier | Resolution::Other => {
            Err(OperateError::Unfit(REF.into(), "that names no branch of Nova Poshta".into()))
        }
    }
}

fn kept(dictionaries: &Dictionaries) -> Result<Arc<Directory>, OperateError> {
    let directory = dictionaries.directory().filter(|directory| !directory.is_empty());
    directory.ok_or_else(|| OperateError::Wrong("there is no directory of Nova Poshta".into()))
}

/// Sets the branch: of an order that waits for a person, which then goes; or of one in the CRM, where it is changed.
///
/// # Errors
/// An unknown order, a ref that is no open branch's, an order on its way, or the store.
pub async fn choose(
    desk: Desk<'_>,
    name: &str,
    reference: &str,
    read: Option<(i64, i64)>,
) -> Result<Done, OperateError> {
    let directory = kept(desk.dictionaries)?;
    let parsed = Ref::parse(reference).filter(|parsed| directory.fit(*parsed, None) == Fit::Fits);
    let branch = parsed.and_then(|parsed| directory.branch(parsed));
    let Some(branch) = branch else {
        let why = format!("`{reference}` is no branch that takes parcels now");
        return Err(OperateError::Unfit(REF.into(), why));
    };
    let order = super::whole(desk.store, desk.scope, name).await?;
    let mut set = vec![(REF, Value::String(branch.reference.to_string()))];
    // The buyer's own words stay; those of the branch before it would name another.
    if order::get(&order.body, POINT).and_then(Value::as_str).is_some_and(|text| directory.has_text(text)) {
        set.push((POINT, Value::String(branch.text.to_string())));
    }
    match order.summary.state {
        State::Held | State::Rejected => {
            let changes: Vec<Change> = set.into_iter().map(|(path, to)| Change::Set(path.to_owned(), to)).collect();
            edit(desk, name, &changes, false, read).await
        }
        State::Delivered if order.summary.target == Target::Order => {
            let shipping = shipping(desk, &order, set);
            let body = Map::from_iter([("shipping".to_owned(), Value::Object(shipping))]);
            let change = CrmChange { kind: ChangeKind::Branch, body };
            let note = format!("branch chosen: {}", branch.text);
            let place = (order.summary.seq, order.summary.account.as_str());
            let kept = desk.store.choose_branch(place, change, desk.actor, note).await?;
            let why = if kept { "the branch goes to the CRM" } else { "it has just moved on" };
            Ok(Done::Stays(State::Delivered, why.into()))
        }
        state => Err(OperateError::Wrong(format!("the order is {state}: a branch can be chosen when that is over"))),
    }
}

/// The whole shipping as it was sent, with the branch: nobody has written whether the CRM keeps what a change leaves out.
fn shipping(desk: Desk<'_>, order: &OrderDetail, set: Vec<(&str, Value)>) -> Map<String, Value> {
    let mut body = order.body.clone();
    for (path, to) in set {
        // The paths are the schema's, and the body an object.
        let _ = order::set(&mut body, path, to);
    }
    dictionary::add_carrier(&mut body, desk.dictionaries.get(&order.summary.account).as_deref());
    body.get("shipping").and_then(Value::as_object).cloned().unwrap_or_default()
}
