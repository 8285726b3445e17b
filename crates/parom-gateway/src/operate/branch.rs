//! The branch that an operator chooses for an order whose own is not certain.

use parom_core::delivery::change::{Change as CrmChange, ChangeKind};
use parom_core::delivery::state::State;
use parom_core::novaposhta::{Candidate, Directory, Fit, Ref, Resolution, resolve};
use parom_core::order::Target;
use parom_core::{dictionary, order};
use serde_json::{Map, Value};

use super::{Change, Desk, Done, OperateError, edit};
use crate::store::OrderDetail;

const REF: &str = "shipping.warehouse_ref";

/// The branches that an order's text may mean, where that is in question and a choice can be made; the likeliest first.
#[must_use]
pub fn candidates<'a>(directory: &'a Directory, order: &OrderDetail) -> Vec<Candidate<'a>> {
    let asked = order.summary.problems.iter().any(|problem| problem.code.is_of_branch());
    let open = matches!(order.summary.state, State::Held | State::Rejected | State::Delivered);
    if !asked || !open || order.summary.target != Target::Order || directory.is_empty() {
        return Vec::new();
    }
    let text = |path: &str| order::get(&order.body, path).and_then(Value::as_str).unwrap_or_default();
    let (town, line) = (text("shipping.shipping_address_city"), text("shipping.shipping_receive_point"));
    match resolve(directory, town, line) {
        Resolution::One(branch) => {
            let settlement = directory.settlement(branch.settlement);
            settlement.map(|settlement| Candidate { branch, settlement, score: 0 }).into_iter().collect()
        }
        Resolution::Look(_, candidates) => candidates.into_iter().filter(|one| one.branch.works).collect(),
        Resolution::Empty | Resolution::Courier | Resolution::Other => Vec::new(),
    }
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
    let directory = desk.dictionaries.directory().filter(|directory| !directory.is_empty());
    let directory = directory.ok_or_else(|| OperateError::Wrong("there is no directory of Nova Poshta".into()))?;
    let parsed = Ref::parse(reference).filter(|parsed| directory.fit(*parsed, None) == Fit::Fits);
    let branch = parsed.and_then(|parsed| directory.branch(parsed));
    let Some(branch) = branch else {
        let why = format!("`{reference}` is no branch that takes parcels now");
        return Err(OperateError::Unfit(REF.into(), why));
    };
    let order = super::whole(desk.store, desk.scope, name).await?;
    let value = Value::String(branch.reference.to_string());
    match order.summary.state {
        State::Held | State::Rejected => edit(desk, name, &[Change::Set(REF.to_owned(), value)], false, read).await,
        State::Delivered if order.summary.target == Target::Order => {
            let shipping = shipping(desk, &order, value);
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
fn shipping(desk: Desk<'_>, order: &OrderDetail, reference: Value) -> Map<String, Value> {
    let mut body = order.body.clone();
    // The path is one of the schema's, and the body an object.
    let _ = order::set(&mut body, REF, reference);
    dictionary::add_carrier(&mut body, desk.dictionaries.get(&order.summary.account).as_deref());
    body.get("shipping").and_then(Value::as_object).cloned().unwrap_or_default()
}
