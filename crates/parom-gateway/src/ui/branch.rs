//! The branches that an order's text may mean, and the one that an operator chooses.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use super::guard::{Caller, Posted};
use super::{Ui, order};
use crate::operate;
use crate::store::OrderDetail;

/// A branch to choose.
#[derive(Serialize)]
pub(super) struct Choice {
    reference: String,
    text: String,
    settlement: String,
    area: String,
    region: String,
}

/// What an operator may choose from for an order, beside all that the search finds; none where there is nothing to choose.
pub(super) fn choices(ui: &Ui, order: &OrderDetail) -> Option<Vec<Choice>> {
    let directory = ui.intake.dictionaries.directory()?;
    if !operate::may_choose(&directory, order) {
        return None;
    }
    let found = operate::candidates(&directory, order);
    let choices = found
        .iter()
        .map(|one| Choice {
            reference: one.branch.reference.to_string(),
            text: one.branch.text.to_string(),
            settlement: one.settlement.name.to_string(),
            area: one.settlement.area.to_string(),
            region: one.settlement.region.to_string(),
        })
        .collect();
    Some(choices)
}

pub(super) async fn choose(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(id): Path<String>,
) -> Response {
    let channels = ui.intake.channels.current();
    let reference = match posted.get("ref").trim() {
        // Typed, and not chosen from what the search offered.
        "" => operate::meant(&ui.intake.dictionaries, posted.get("town"), posted.get("line")),
        chosen => Ok(chosen.to_owned()),
    };
    let read = order::revision(&posted);
    let done = match reference {
        Ok(reference) => operate::choose(ui.desk(&channels, &caller), &id, &reference, read).await,
        Err(error) => Err(error),
    };
    order::back(&ui, &id, done)
}
