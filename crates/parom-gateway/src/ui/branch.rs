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

/// What the caller may choose from for an order.
pub(super) fn choices(ui: &Ui, order: &OrderDetail) -> Vec<Choice> {
    let Some(directory) = ui.intake.dictionaries.directory() else { return Vec::new() };
    let found = operate::candidates(&directory, order);
    found
        .iter()
        .map(|one| Choice {
            reference: one.branch.reference.to_string(),
            text: one.branch.text.to_string(),
            settlement: one.settlement.name.to_string(),
            area: one.settlement.area.to_string(),
            region: one.settlement.region.to_string(),
        })
        .collect()
}

pub(super) async fn choose(
    State(ui): State<Ui>,
    Extension(caller): Extension<Caller>,
    Extension(posted): Extension<Posted>,
    Path(id): Path<String>,
) -> Response {
    let channels = ui.intake.channels.current();
    let read = order::revision(&posted);
    order::back(&ui, &id, operate::choose(ui.desk(&channels, &caller), &id, posted.get("ref").trim(), read).await)
}
