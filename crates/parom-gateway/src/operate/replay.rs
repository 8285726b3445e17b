//! An order through today's mapping: the kept submission is decoded and mapped again.

use jiff::Timestamp;
use parom_core::channel::Channel;
use parom_core::delivery::state::State;
use parom_core::dictionary::Dictionary;
use parom_core::mapping::{self, Given};
use parom_core::novaposhta::Directory;
use parom_core::order::{Draft, Target, Verdict};
use parom_core::{Code, Effect, Problem};
use serde_json::Value;

use std::sync::Arc;

use super::kept::{Kept, Seen};
use super::{Desk, Done, doubts};
use crate::config::{ChannelSet, LiveChannel};
use crate::dictionaries::Dictionaries;
use crate::intake;
use crate::store::{OrderDetail, Revision, Scope, Store, StoreError, Stored};

/// Replays one order that was held because its channel could not be used; what else is wrong with it holds it still.
///
/// # Errors
/// The store.
pub async fn replay(
    store: &Store,
    channels: &ChannelSet,
    dictionaries: &Dictionaries,
    id: &str,
    actor: &str,
) -> Result<Done, StoreError> {
    let Some(order) = store.order_by_id(id).await?.filter(|order| order.summary.state == State::Held) else {
        return Ok(Done::Stays(State::Held, "it has moved on".into()));
    };
    let (live, channel) = match usable(channels, &order.summary.channel) {
        Ok(used) => used,
        Err(why) => return Ok(Done::Stays(order.summary.state, why)),
    };
    let kept = Kept { store, live, channel: &channel, order: &order, actor };
    if order.revision > 0 {
        kept.take_key().await?;
        return Ok(Done::Stays(order.summary.state, "it was edited by hand: a person sends it".into()));
    }
    let (dictionary, directory) = (dictionaries.get(&channel.account), dictionaries.directory());
    let entry = doubts::entry_problem(live, &channel, &order).await;
    let random = uuid::Uuid::new_v4().as_u128();
    let given = Given { dictionary: dictionary.as_deref(), directory: directory.as_ref(), random };
    let holds = match kept.look(entry.is_none(), given).await? {
        Seen::Order(holds) => holds,
        Seen::Settled(done) => return Ok(done),
    };
    let (mut draft, mut verdict) = remap(&order, &channel, (dictionary.as_deref(), directory.as_ref())).await;
    // What a person has to settle is not settled by a mended file.
    let suspicions = order.summary.problems.iter().filter(|p| p.effect == Effect::Hold && p.code.is_suspicion());
    let suspicions: Vec<Problem> = suspicions.cloned().collect();
    let twin = doubts::twin_problem(store, &order, &channel).await?;
    let hidden = doubts::honeypot_problem(&channel, &order).await;
    for problem in suspicions.into_iter().chain(holds).chain(entry).chain(twin).chain(hidden) {
        if draft.problems.contains(&problem) {
            continue;
        }
        if problem.effect == Effect::Hold {
            verdict = Verdict::Hold;
        }
        draft.problems.push(problem);
    }
    let decided = Decided { draft, verdict, dictionary };
    write(store, &order, live, &channel, decided, actor).await
}

/// Releases an order that was held for a dictionary's sake alone, if it is right by now.
///
/// # Errors
/// The store.
pub async fn mended(
    store: &Store,
    channels: &ChannelSet,
    dictionaries: &Dictionaries,
    id: &str,
) -> Result<(), StoreError> {
    // What a person keeps here on purpose, a person sends.
    let waits = |order: &OrderDetail| order.summary.state == State::Held && !order.kept;
    if let Some(order) = store.order_by_id(id).await?.filter(waits) {
        let desk = Desk { store, channels, dictionaries, scope: &Scope::All, actor: "dictionaries" };
        release(desk, order).await?;
    }
    Ok(())
}

/// Releases a held or rejected order: mapped again, unless a person has edited it; suspicions are the person's to settle.
pub(super) async fn release(desk: Desk<'_>, order: OrderDetail) -> Result<Done, StoreError> {
    let Desk { store, channels, dictionaries, actor, .. } = desk;
    let (live, channel) = match usable(channels, &order.summary.channel) {
        Ok(used) => used,
        Err(why) => return Ok(Done::Stays(order.summary.state, why)),
    };
    Kept { store, live, channel: &channel, order: &order, actor }.take_key().await?;
    let (dictionary, directory) = (dictionaries.get(&channel.account), dictionaries.directory());
    let (draft, verdict) = if order.revision > 0 {
        let (target, locale) = (order.summary.target, channel.locale());
        let (mut draft, mut verdict) = mapping::revise(
            target,
            &order.body,
            &locale,
            channel.unknown_sku,
            dictionary.as_deref(),
            directory.as_ref(),
        );
        // What held it is left out of the body; that nobody has filled it in does not mend it.
        if super::edit::keep_unsettled(&mut draft, &order.summary.problems, &[], &order.body) {
            verdict = Verdict::Hold;
        }
        (draft, verdict)
    } else {
        remap(&order, &channel, (dictionary.as_deref(), directory.as_ref())).await
    };
    let decided = Decided { draft, verdict, dictionary };
    write(store, &order, live, &channel, decided, actor).await
}

/// What today's mapping would make of an order, without doing it.
///
/// # Errors
/// A channel that cannot be used, in words.
pub async fn preview(desk: Desk<'_>, order: &OrderDetail) -> Result<Draft, String> {
    if let Some(text) = super::erased(order) {
        return Err(text);
    }
    let (_, channel) = usable(desk.channels, &order.summary.channel)?;
    let dictionary = desk.dictionaries.get(&channel.account);
    Ok(remap(order, &channel, (dictionary.as_deref(), desk.dictionaries.directory().as_ref())).await.0)
}

/// A channel by which orders are mapped; else why not, and what to do.
fn usable<'a>(channels: &'a ChannelSet, name: &str) -> Result<(&'a LiveChannel, Arc<Channel>), String> {
    let live = channels.get(name).ok_or_else(|| format!("its channel `{name}` is gone; put its file back first"))?;
    let channel = live.channel.clone();
    Ok((live, channel.ok_or_else(|| format!("its channel's file cannot be used; mend it first: {}", live.fault()))?))
}

/// The mapping of today over the submission of then. The order keeps its number, whatever was sent under it.
async fn remap(
    order: &OrderDetail,
    channel: &Channel,
    (dictionary, directory): (Option<&Dictionary>, Option<&Arc<Directory>>),
) -> (Draft, Verdict) {
    let received_at = Timestamp::from_millisecond(order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let decoded = intake::submission_of(&order.content_type, &order.context, order.raw.clone(), received_at).await;
    let given = Given { dictionary, directory, random: uuid::Uuid::new_v4().as_u128() };
    let (mut draft, verdict) = match decoded {
        Err(error) => {
            let mut draft = Draft { body: order.body.clone(), ..Draft::default() };
            let hint = "Edit the order by hand.";
            draft.problems.push(Problem::new("", Code::ExpressionFailed, Effect::Hold, error.to_string(), hint));
            (draft, Verdict::Hold)
        }
        Ok(submission) => match (&submission.form, order.door.as_str()) {
            (Value::Object(body), door @ ("order" | "card")) => {
                let target = Target::parse(door).unwrap_or_default();
                mapping::identity(channel, target, body, received_at, given)
            }
            _ if !channel.has_mapping() => {
                let mut draft = Draft { body: order.body.clone(), ..Draft::default() };
                let message = "the channel has no mapping for forms";
                draft.problems.push(Problem::new("", Code::NoMapping, Effect::Hold, message, "Add [order] to it."));
                (draft, Verdict::Hold)
            }
            _ => mapping::map(channel, &submission, given),
        },
    };
    if draft.target == Target::Card {
        keep_card_number(&mut draft, &order.summary.number);
        return (draft, verdict);
    }
    let own = draft.number().is_none_or(|number| number.starts_with("P-"));
    if own && order.summary.number.starts_with("P-") {
        draft.body.insert("source_uuid".into(), Value::String(order.summary.number.clone()));
    }
    (draft, verdict)
}

/// A card's number is its title too, where the channel maps none.
fn keep_card_number(draft: &mut Draft, number: &str) {
    if draft.body.get("title").and_then(Value::as_str) == draft.card_number.as_deref() {
        draft.body.insert("title".into(), Value::String(number.to_owned()));
    }
    draft.card_number = Some(number.to_owned());
}

/// What was decided about an order, and by which dictionaries.
struct Decided {
    draft: Draft,
    verdict: Verdict,
    dictionary: Option<Arc<Dictionary>>,
}

async fn write(
    store: &Store,
    order: &OrderDetail,
    live: &LiveChannel,
    channel: &Channel,
    decided: Decided,
    actor: &str,
) -> Result<Done, StoreError> {
    let Decided { mut draft, verdict, dictionary } = decided;
    let seen = order.summary.state;
    let goes = verdict == Verdict::Go;
    if !goes && draft.problems == order.summary.problems && draft.body == order.body {
        // Nothing new is known of it: the history does not grow with each look.
        return Ok(Done::Stays(seen, super::texts(&draft.problems)));
    }
    if goes {
        // They are settled, and stay readable as marks.
        let settled = order.summary.problems.iter().filter(|problem| problem.code.is_suspicion());
        draft.problems.extend(settled.map(|problem| Problem { effect: Effect::Warn, ..problem.clone() }));
    }
    let number = draft.number().unwrap_or(&order.summary.number).to_owned();
    let revision = Revision {
        state: if goes { State::Queued } else { seen },
        reason: if goes { String::new() } else { intake::why(&draft.problems).unwrap_or("invalid").to_owned() },
        account: channel.account.clone(),
        channel_version: live.version,
        target: draft.target,
        number,
        checked: dictionary.map_or(0, |dictionary| dictionary.version),
        body: draft.body,
        problems: draft.problems,
        read: (order.revision, order.replaced),
        by_hand: false,
        kept: false,
        actor: actor.to_owned(),
        note: if goes { "released".into() } else { "still has problems".into() },
    };
    Ok(match store.revise(order.summary.seq, seen, revision.clone()).await? {
        Stored::NumberTaken(owner) => {
            let taken = Problem::number_taken(&revision.number, &owner);
            hold_for(store, order, revision, taken).await?
        }
        Stored::Done if goes => Done::Now(State::Queued),
        Stored::Done => Done::Stays(seen, super::texts(&revision.problems)),
        Stored::MovedOn => super::moved_on(store, order).await?,
    })
}

/// Keeps a revision as held, for one problem more.
async fn hold_for(
    store: &Store,
    order: &OrderDetail,
    mut revision: Revision,
    problem: Problem,
) -> Result<Done, StoreError> {
    let seen = order.summary.state;
    revision.problems.push(problem);
    if revision.problems == order.summary.problems && revision.body == order.body {
        return Ok(Done::Stays(seen, super::texts(&revision.problems)));
    }
    revision.reason = intake::why(&revision.problems).unwrap_or("invalid").to_owned();
    (revision.state, revision.note) = (seen, "still has problems".to_owned());
    let words = super::texts(&revision.problems);
    Ok(match store.revise(order.summary.seq, seen, revision).await? {
        Stored::Done => Done::Stays(seen, words),
        Stored::MovedOn | Stored::NumberTaken(_) => super::moved_on(store, order).await?,
    })
}
