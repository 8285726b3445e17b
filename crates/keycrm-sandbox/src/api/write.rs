//! Requests that change the account: check, settle, write, answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use super::run::{body, done, missing};
use crate::account::WriteError;
use crate::clock::Clock;
use crate::crm::Crm;
use crate::fields::{FieldErrors, Fields};
use crate::orders::Shape;
use crate::rules::Rules;
use crate::{buyers, cards, lines, orders};

impl From<FieldErrors> for Reply {
    fn from(errors: FieldErrors) -> Self {
        Self::new(422, errors.to_json())
    }
}

impl From<WriteError> for Reply {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Missing => missing(),
            WriteError::Refused(errors) => errors.into(),
            WriteError::Disk(error) => {
                eprintln!("keycrm-sandbox: nothing could be written: {error}");
                Self::message(500, "Server Error")
            }
        }
    }
}

fn flat(crm: &Crm) -> Shape {
    Shape::flat(crm.options.dates, crm.directory())
}

/// `POST /order`.
pub(super) async fn create_order(crm: &Arc<Crm>, call: &Call) -> Result<Reply, Reply> {
    let directory = crm.directory();
    let mut draft = orders::check(&body(call), Rules::new(&directory, &crm.options))?;
    crm.settle_methods(&mut draft.payments);
    let record = crm.write(move |account| account.create_order(draft, Clock::now())).await?;
    crm.ledger.note(call.entry, |entry| entry.applied_order = Some(record.id));
    Ok(Reply::new(201, orders::render(&record.line, &flat(crm))))
}

/// `PUT /order/{id}`.
pub(super) async fn change_order(crm: &Arc<Crm>, call: &Call, id: u64) -> Result<Reply, Reply> {
    let directory = crm.directory();
    exists(crm.account().orders.get(id).is_some())?;
    let change = orders::Change::check(&body(call), Rules::new(&directory, &crm.options))?;
    let written =
        crm.write(move |account| account.change_order(id, |order| change.apply(order, &directory, Clock::now())));
    let record = written.await?;
    Ok(Reply::new(202, orders::render(&record.line, &flat(crm))))
}

/// `POST /order/{id}/payment`. There is no number to know a repeat by: it adds another payment.
pub(super) async fn add_payment(crm: &Arc<Crm>, call: &Call, id: u64) -> Result<Reply, Reply> {
    let directory = crm.directory();
    exists(crm.account().orders.get(id).is_some())?;
    let mut errors = FieldErrors::default();
    let body = body(call);
    let mut fields = Fields::new(&body, String::new(), &mut errors);
    let payment = lines::payment(&mut fields, Rules::new(&directory, &crm.options), "paid");
    if !errors.is_empty() {
        return Err(errors.into());
    }
    let mut payments = [payment];
    crm.settle_methods(&mut payments);
    let [payment] = payments;
    let written = crm.write(move |account| {
        let mut stored = Value::Null;
        let record = account.change_order(id, |order| {
            stored = orders::add_payment(order, payment, Clock::now());
            Ok(())
        })?;
        Ok((record.source_id, stored))
    });
    let (source, stored) = written.await?;
    let shape = flat(crm);
    let method = &stored["payment_method_id"];
    let mut shown = orders::payment(&stored, method.clone(), shape.directory.currency(source));
    let id = method.as_u64().and_then(|id| u32::try_from(id).ok());
    let known = id.and_then(|id| shape.directory.payment_method(id));
    shown["payment_method"] = known.map_or(Value::Null, |method| json!(method.to_json()));
    Ok(Reply::new(201, shape.spelled(shown)))
}

/// `POST /buyer`.
pub(super) async fn create_buyer(crm: &Arc<Crm>, call: &Call) -> Result<Reply, Reply> {
    let directory = crm.directory();
    let fields = buyers::check(&body(call), Rules::new(&directory, &crm.options))?;
    let id = crm.write(move |account| account.create_buyer(fields, Clock::now())).await?;
    let shown = crm.account().buyers.get(id).map(|buyer| buyers::render(buyer, &flat(crm)));
    Ok(Reply::new(201, shown.unwrap_or_default()))
}

/// `POST /pipelines/cards`.
pub(super) async fn create_card(crm: &Arc<Crm>, call: &Call) -> Result<Reply, Reply> {
    let directory = crm.directory();
    let mut draft = cards::check(&body(call), Rules::new(&directory, &crm.options))?;
    crm.settle_methods(&mut draft.payments);
    let card = crm.write(move |account| account.create_card(draft, Clock::now())).await?;
    crm.ledger.note(call.entry, |entry| entry.applied_card = Some(card.id));
    Ok(Reply::new(201, cards::render(&card, &crm.account().buyers, &flat(crm))))
}

/// `PUT /pipelines/cards/{id}`.
pub(super) async fn change_card(crm: &Arc<Crm>, call: &Call, id: u64) -> Result<Reply, Reply> {
    let directory = crm.directory();
    exists(crm.account().cards.get(id).is_some())?;
    let change = cards::Change::check(&body(call), Rules::new(&directory, &crm.options))?;
    crm.write(move |account| account.change_card(id, change, &directory, Clock::now())).await?;
    Ok(done())
}

fn exists(is_there: bool) -> Result<(), Reply> {
    if is_there { Ok(()) } else { Err(missing()) }
}
