//! Orders as JSON: the same for the API and for the command line.

use jiff::Timestamp;
use parom_core::submission::{masked, masked_query};
use serde_json::{Value, json};

use crate::store::{OrderDetail, Summary};

/// A time as machines read it.
fn rfc3339(millis: i64) -> String {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The contract's row.
#[must_use]
pub fn summary_json(order: &Summary) -> Value {
    let problems: Vec<Value> = order
        .problems
        .iter()
        .map(|problem| {
            json!({
                "path": problem.path, "code": problem.code.as_str(),
                "message": problem.message, "hint": problem.hint,
            })
        })
        .collect();
    json!({
        "id": order.id,
        "state": order.state.as_str(),
        "channel": order.channel,
        "source_uuid": order.number,
        "crm_order_id": order.crm_order_id,
        "received_at": rfc3339(order.received_at),
        "attempts": order.attempts,
        "problems": problems,
    })
}

/// One order, whole.
#[must_use]
pub fn detail_json(order: &OrderDetail) -> Value {
    let mut whole = summary_json(&order.summary);
    whole["erased_at"] = json!(order.summary.erased_at.map(rfc3339));
    whole["reason"] = json!(order.summary.reason);
    whole["said_crm_id"] = json!(order.said_crm_id.filter(|said| *said > 0));
    whole["account"] = json!(order.summary.account);
    whole["target"] = json!(order.summary.target.as_str());
    whole["revision"] = json!(order.revision);
    whole["order"] = Value::Object(order.body.clone());
    let mut context = order.context.clone();
    if let Some(query) = context.get_mut("query") {
        *query = masked_query(query.take());
    }
    whole["submission"] = json!({
        "door": order.door,
        "content_type": order.content_type,
        "context": context,
        "body": masked(&order.raw),
    });
    let updates = order.updates.iter().map(|update| {
        json!({
            "at": rfc3339(update.received_at),
            "changed_at": update.changed_at.map(rfc3339),
            "result": update.result,
            "body": masked(&update.raw),
        })
    });
    whole["updates"] = Value::Array(updates.collect());
    let changes = order.changes.iter().map(|change| {
        json!({
            "kind": change.kind, "state": change.state, "body": change.body, "attempts": change.attempts,
            "note": change.note,
        })
    });
    whole["changes"] = Value::Array(changes.collect());
    let events = order.events.iter().map(
        |event| json!({ "at": rfc3339(event.at), "state": event.state, "actor": event.actor, "note": event.note }),
    );
    whole["history"] = Value::Array(events.collect());
    let attempts = order.attempts.iter().map(|attempt| {
        json!({
            "attempt": attempt.attempt,
            "started_at": rfc3339(attempt.started_at),
            "finished_at": attempt.finished_at.map(rfc3339),
            "outcome": attempt.outcome,
            "status": attempt.status,
            "answer": attempt.answer,
        })
    });
    whole["deliveries"] = Value::Array(attempts.collect());
    whole
}
