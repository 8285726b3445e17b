//! The right answer to a request.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::allowed::shape;
use super::call::Call;
use super::reply::Reply;
use super::target::Target;
use super::{dictionaries, import, list, write};
use crate::crm::Crm;
use crate::{buyers, cards, orders};

/// How a list strays from its filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    Empty,
    IgnoreFilter,
    /// An import creates no more than so many of its orders.
    Partly(usize),
}

/// Does what is asked for.
pub(super) async fn run(crm: &Arc<Crm>, call: &Call, twist: Twist) -> Reply {
    if call.target.is_of_funnels() && !crm.options.funnels {
        return Reply::message(400, "Leads are not enabled");
    }
    let answer = match call.target {
        Target::CreateOrder => write::create_order(crm, call).await,
        Target::ImportOrders => {
            let most = if let Twist::Partly(most) = twist { most } else { usize::MAX };
            import::import_orders(crm, call, most).await
        }
        Target::ChangeOrder(id) => write::change_order(crm, call, id).await,
        Target::AddPayment(id) => write::add_payment(crm, call, id).await,
        Target::CreateCard => write::create_card(crm, call).await,
        Target::ChangeCard(id) => write::change_card(crm, call, id).await,
        Target::CreateBuyer => write::create_buyer(crm, call).await,
        Target::ListOrders => list::orders(crm, call, twist),
        Target::ListCards => list::cards(crm, call, twist),
        Target::ListBuyers => list::buyers(crm, call),
        Target::List(listing) => dictionaries::list(crm, call, listing),
        Target::ShowOrder(id) => show_order(crm, call, id),
        Target::ShowCard(id) => show_card(crm, call, id),
        Target::ShowBuyer(id) => show_buyer(crm, call, id),
        Target::NotAllowed(methods) => Err(Reply::not_allowed(methods)),
        Target::Nothing => Err(missing()),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

pub(super) fn missing() -> Reply {
    Reply::message(404, "Not Found")
}

/// A body that is no JSON object is no input at all to Laravel, so that the required fields are missed.
pub(super) fn body(call: &Call) -> Map<String, Value> {
    call.body.as_ref().and_then(Value::as_object).cloned().unwrap_or_default()
}

fn found(shown: Option<Value>) -> Result<Reply, Reply> {
    shown.map(|shown| Reply::new(200, shown)).ok_or_else(missing)
}

fn show_order(crm: &Crm, call: &Call, id: u64) -> Result<Reply, Reply> {
    let shape = shape(crm, call, orders::INCLUDES)?;
    found(crm.account().orders.get(id).map(|record| orders::render(&record.line, &shape)))
}

/// Unwrapped as every single entity, although the vendor's schema repeats the list's here.
fn show_card(crm: &Crm, call: &Call, id: u64) -> Result<Reply, Reply> {
    let shape = shape(crm, call, cards::INCLUDES)?;
    let account = crm.account();
    found(account.cards.get(id).map(|card| cards::render(card, &account.buyers, &shape)))
}

fn show_buyer(crm: &Crm, call: &Call, id: u64) -> Result<Reply, Reply> {
    let shape = shape(crm, call, buyers::INCLUDES)?;
    found(crm.account().buyers.get(id).map(|buyer| buyers::render(buyer, &shape)))
}

/// `{"status": true}`, the answer of changes that show nothing.
pub(super) fn done() -> Reply {
    Reply::new(202, json!({"status": true}))
}
