//! Rows of a file as submissions: each goes through its channel's mapping and into the store as a form would, under a key
//! that makes a second run add nothing.

use bytes::Bytes;
use std::sync::Arc;

use parom_core::channel::OnRepeat;
use parom_core::dictionary::Dictionary;
use parom_core::mapping::{self, Given};
use parom_core::novaposhta::Directory;
use parom_core::order::{Draft, Verdict};
use parom_core::submission::Submission;
use parom_core::{Problem, delivery::state::State};
use serde_json::{Value, json};

use super::decide::bits;
use super::{keep, key};
use crate::clock;
use crate::config::LiveChannel;
use crate::store::{Accepted, IMPORT, KeyConflict, NewOrder, NewSubmission, Scope, Store, StoreError};

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its columns by their names.
    pub form: Value,
    /// What identifies it; without one, the channel's `idempotency_key` does, or else its content.
    pub key: Option<String>,
}

/// What became of a row.
#[derive(Clone, Debug)]
pub enum Landed {
    /// An order in this state, with what was found.
    New(String, State, Vec<Problem>),
    /// The order that an earlier run, an equal row, or a form of this key made.
    Known(String),
    /// The order that a form of this key made, of another content; nothing was kept.
    Differs(String),
    /// Its key made this order of an earlier row with another content; nothing was kept.
    Conflict(String),
    /// The channel refuses such rows (`on_invalid = "reject"`); nothing was kept.
    Refused(Vec<Problem>),
}

/// Takes one row; a dry run keeps nothing. After a crash: kept or not, and the next run finds which.
///
/// # Errors
/// As any write; the file's other rows can be taken by running it again.
pub async fn take_row(
    store: &Store,
    live: &LiveChannel,
    (dictionary, directory): (Option<&Dictionary>, Option<&Arc<Directory>>),
    row: Row,
    dry_run: bool,
) -> Result<Landed, StoreError> {
    let Some(channel) = &live.channel else {
        return Err(StoreError::Refused(live.fault()));
    };
    let submission = Submission { form: row.form, ..Submission::empty(clock::now()) };
    let (key, content) = (key::of_row(channel, &submission, row.key), keep::content_hash(&submission));
    // Another `--key` than an earlier run's, or an expression that came to the channel since, makes no second order.
    if let Some(first) = store.imported(&live.name, content).await? {
        return Ok(Landed::Known(first));
    }
    let given = Given { dictionary, directory, random: bits(live, key.text.as_deref(), &content) };
    let (mut draft, verdict) = mapping::map(channel, &submission, given);
    draft.problems.extend(key.problem);
    if verdict == Verdict::Reject {
        return Ok(Landed::Refused(draft.problems));
    }
    let (state, reason) = keep::standing(verdict, &draft.problems);
    let id = uuid::Uuid::now_v7().to_string();
    if dry_run {
        let known = match &key.text {
            Some(key) => store.known(&live.name, key, content).await?,
            None => None,
        };
        return Ok(match known {
            Some(Accepted::Duplicate(first)) => Landed::Known(first),
            Some(Accepted::Conflict(first)) => conflict(store, first).await?,
            _ => would_be(store, &channel.account, (id, state), draft).await?,
        });
    }
    let problems = draft.problems.clone();
    let order = NewOrder {
        id: id.clone(),
        channel: live.name.clone(),
        channel_version: live.version,
        account: channel.account.clone(),
        received_at: submission.received_at.as_millisecond(),
        state,
        reason,
        target: draft.target,
        number: draft.number().unwrap_or_default().to_owned(),
        checked: dictionary.map_or(0, |dictionary| dictionary.version),
        body: draft.body,
        problems: draft.problems,
        content,
        key: key.text,
        key_conflict: KeyConflict::Refuse,
        changed_at: None,
        doubt: None,
        changes: Default::default(),
        stamp: None,
        on_repeat: OnRepeat::Off,
        submission: NewSubmission {
            door: IMPORT,
            content_type: "application/json".into(),
            context: json!({ "query": [], "cookies": [], "page": "", "origin": "" }),
            body: Bytes::from(submission.form.to_string()),
        },
    };
    Ok(match store.accept(order).await? {
        // What else holds it is known since it is kept.
        Accepted::New(State::Held) => {
            let kept = store.order(&Scope::All, &id).await?;
            Landed::New(id, State::Held, kept.map_or(problems, |kept| kept.summary.problems))
        }
        Accepted::New(state) => Landed::New(id, state, problems),
        Accepted::Duplicate(first) | Accepted::Updated(first, _) => Landed::Known(first),
        Accepted::Conflict(first) => conflict(store, first).await?,
    })
}

/// What a row would become: its number may be another order's.
async fn would_be(
    store: &Store,
    account: &str,
    (id, state): (String, State),
    mut draft: Draft,
) -> Result<Landed, StoreError> {
    let owner = store.owner_of_number(account, draft.body.clone()).await?;
    let (Some(owner), State::Queued) = (owner, state) else { return Ok(Landed::New(id, state, draft.problems)) };
    draft.problems.push(Problem::number_taken(draft.number().unwrap_or_default(), &owner));
    Ok(Landed::New(id, State::Held, draft.problems))
}

/// A list of the site's orders has other columns than its form: that such an order is there is all that its key says. A row
/// that was corrected since an earlier run is for a person to compare.
async fn conflict(store: &Store, first: String) -> Result<Landed, StoreError> {
    let came = store.came(&first).await?;
    // One that was given up may be what the list says is wanted.
    let told = came.is_none_or(|(door, state)| door == IMPORT || state == State::Canceled);
    Ok(if told { Landed::Conflict(first) } else { Landed::Differs(first) })
}
