//! The right answer to a request.

use std::sync::Arc;

use serde_json::Map;

use super::call::{Call, Target};
use super::list;
use super::reply::Reply;
use crate::crm::Crm;
use crate::orders::{CreateError, FieldErrors, Shape, check, render};

/// How a list strays from its filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    Empty,
    IgnoreFilter,
}

/// Does what is asked for.
pub(super) async fn run(crm: &Arc<Crm>, call: &Call, twist: Twist) -> Reply {
    match call.target {
        Target::Create => create(crm, call).await,
        Target::List => list::list(crm, call, twist),
        Target::Show(id) => show(crm, call, id),
        Target::Nothing => Reply::message(404, "Not Found"),
    }
}

async fn create(crm: &Arc<Crm>, call: &Call) -> Reply {
    let nothing = Map::new();
    // A body that is no JSON object is no input at all to Laravel, so that the required fields are missed.
    let body = call.body.as_ref().and_then(|body| body.as_object()).unwrap_or(&nothing);
    let draft = match check(body) {
        Ok(draft) => draft,
        Err(errors) => return refused(&errors),
    };
    match crm.create(draft).await {
        Ok(record) => {
            crm.ledger.note(call.entry, |entry| entry.applied_order = Some(record.id));
            Reply::new(201, render(&record.line, &Shape::flat(crm.options.dates)))
        }
        Err(CreateError::Taken(errors)) => refused(&errors),
        Err(CreateError::Disk(error)) => {
            eprintln!("keycrm-sandbox: an order could not be written: {error}");
            Reply::message(500, "Server Error")
        }
    }
}

fn refused(errors: &FieldErrors) -> Reply {
    Reply::new(422, errors.to_json())
}

fn show(crm: &Crm, call: &Call, id: u64) -> Reply {
    let shape = match list::shape(crm, call) {
        Ok(shape) => shape,
        Err(refusal) => return refusal,
    };
    match crm.book().get(id) {
        Some(record) => Reply::new(200, render(&record.line, &shape)),
        None => Reply::message(404, "Not Found"),
    }
}
