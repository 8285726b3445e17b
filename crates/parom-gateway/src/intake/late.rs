//! A request that was kept while its channel could not be used, as intake would have taken it by today's channel.

use bytes::Bytes;
use parom_core::mapping::Given;
use parom_core::presets::Mark;
use parom_core::submission::Submission;

use super::access::Entry;
use super::decide::{Decided, Told, changes, decide, new_order};
use super::keep;
use super::key::Key;
use crate::config::LiveChannel;
use crate::store::{NewOrder, NewSubmission, OrderDetail};

/// The later state of an order that its sender's request brings. `key` is the sender's own id of it, and the request was
/// believed.
#[must_use]
pub fn later_state(
    live: &LiveChannel,
    kept: &OrderDetail,
    submission: &Submission,
    (key, mark): (String, Mark),
    given: Given<'_>,
) -> NewOrder {
    let row = NewSubmission {
        door: "in",
        content_type: kept.content_type.clone(),
        context: kept.context.clone(),
        body: Bytes::from(kept.raw.clone()),
    };
    let (draft, verdict) = decide(live, submission, Entry::Open, given);
    let checked = given.dictionary.map_or(0, |dictionary| dictionary.version);
    let decided = Decided { draft, verdict, checked, content: keep::content_hash(submission) };
    let changes = changes(live, submission, &mark, given);
    let key = Key { text: Some(key), of_sender: true, problem: None };
    let told = Told { key, mark, signed: true, changes, ..Told::default() };
    new_order(live, submission, row, decided, told)
}
