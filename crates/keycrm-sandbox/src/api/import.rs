//! `POST /order/import`: many orders in one request. The vendor says neither what is answered nor whether one bad order keeps
//! the others out; `{"status": true}` is what its other imports answer, the rest is a switch.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::reply::Reply;
use super::run::body;
use crate::account::WriteError;
use crate::clock::Clock;
use crate::crm::Crm;
use crate::fields::FieldErrors;
use crate::orders;
use crate::rules::Rules;

/// Orders in one request, at most, as documented.
const MOST: usize = 50;
/// Fields of a single order that the import's schema does not have, and drops.
const NOT_TAKEN: &[&str] = &["manager_id", "gift_message", "is_gift", "gift_wrap"];

/// Creates the first `most` of the orders.
pub(super) async fn import_orders(crm: &Arc<Crm>, call: &Call, most: usize) -> Result<Reply, Reply> {
    let body = body(call);
    let given = body.get("orders").and_then(Value::as_array);
    let given = given.ok_or_else(|| refused("orders", "The orders field is required."))?;
    if given.len() > MOST {
        return Err(refused("orders", "The orders must not have more than 50 items."));
    }
    let directory = crm.directory();
    let mut errors = FieldErrors::default();
    let mut drafts = Vec::new();
    for (at, order) in given.iter().enumerate() {
        match orders::check(&taken(order), Rules::new(&directory, &crm.options)) {
            Ok(draft) => drafts.push(draft),
            Err(wrong) => errors.add_all(&format!("orders.{at}."), &wrong),
        }
    }
    if crm.options.import_atomic && !errors.is_empty() {
        return Err(errors.into());
    }
    drafts.truncate(most);
    for mut draft in drafts {
        crm.settle_methods(&mut draft.payments);
        match crm.write(move |account| account.create_order(draft, Clock::now())).await {
            Ok(record) => {
                crm.ledger.note(call.entry, |entry| entry.applied_order = entry.applied_order.or(Some(record.id)));
            }
            // A number that is taken: the others are created all the same.
            Err(WriteError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Reply::new(201, json!({ "status": true })))
}

fn taken(order: &Value) -> Map<String, Value> {
    let mut order = order.as_object().cloned().unwrap_or_default();
    order.retain(|key, _| !NOT_TAKEN.contains(&key.as_str()));
    if let Some(Value::Object(shipping)) = order.get_mut("shipping") {
        shipping.remove("shipping_service");
    }
    order
}

fn refused(field: &str, text: &str) -> Reply {
    FieldErrors::one(field, text).into()
}
