//! An order through today's mapping: the kept submission is decoded and mapped again.

use jiff::Timestamp;
use parom_core::channel::{Channel, OnRepeat};
use parom_core::delivery::state::State;
use parom_core::dictionary::Dictionary;
use parom_core::mapping::{self, Given};
use parom_core::novaposhta::Directory;
use parom_core::order::{Draft, Target, Verdict};
use parom_core::spam;
use parom_core::{Code, Effect, Problem};
use serde_json::Value;

use std::sync::Arc;

use super::sender::{self, Seen};
use super::{Desk, Done};
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
    if order.revision > 0 {
        return Ok(Done::Stays(order.summary.state, "it was edited by hand: a person sends it".into()));
    }
    let (live, channel) = match usable(channels, &order.summary.channel) {
        Ok(used) => used,
        Err(why) => return Ok(Done::Stays(order.summary.state, why)),
    };
    let holds = match sender::look(store, live, &channel, &order, actor).await? {
        Seen::Order(holds) => holds,
        Seen::Settled(done) => return Ok(done),
    };
    let (dictionary, directory) = (dictionaries.get(&channel.account), dictionaries.directory());
    let (mut draft, mut verdict) = remap(&order, &channel, (dictionary.as_deref(), directory.as_ref())).await;
    // What a person has to settle is not settled by a mended file.
    let suspicions = order.summary.problems.iter().filter(|p| p.effect == Effect::Hold && p.code.is_suspicion());
    let suspicions: Vec<Problem> = suspicions.cloned().collect();
    let twin = twin_problem(store, &order, &channel).await?;
    let entry = entry_problem(live, &channel, &order).await;
    let hidden = honeypot_problem(&channel, &order).await;
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
    if let Some(order) = store.order_by_id(id).await?.filter(|order| order.summary.state == State::Held) {
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

/// The same form a moment before, which nobody looked for while the channel's file was broken.
async fn twin_problem(store: &Store, order: &OrderDetail, channel: &Channel) -> Result<Option<Problem>, StoreError> {
    let is_form = order.door == "in" && !order.content_type.contains("json");
    if !is_form || channel.on_repeat == OnRepeat::Off {
        return Ok(None);
    }
    let effect = if channel.on_repeat == OnRepeat::Hold { Effect::Hold } else { Effect::Warn };
    let twin = store.earlier_twin(order.summary.seq).await?;
    Ok(twin.map(|id| {
        let message = format!("the same form came within 10 minutes, as the order {id}");
        let hint = "Release it if the buyer meant both; cancel it if it was a double click.";
        Problem::new("", Code::SuspectedDuplicate, effect, message, hint)
    }))
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

/// What the channel's access rule would have said, had the channel been usable then.
async fn entry_problem(live: &LiveChannel, channel: &Channel, order: &OrderDetail) -> Option<Problem> {
    use secrecy::ExposeSecret;
    let context = &order.context;
    let at = Timestamp::from_millisecond(order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let headers: Vec<(String, String)> =
        context.get("headers").and_then(|headers| serde_json::from_value(headers.clone()).ok()).unwrap_or_default();
    if let Some(Err(error)) = channel.preset.map(|preset| intake::verify(live, preset, &headers, &order.raw, at)) {
        let hint = "Release it if you know its sender.";
        return Some(Problem::new("", Code::WrongToken, Effect::Hold, error.to_string(), hint));
    }
    let given = context.get("token_sha256").and_then(Value::as_str);
    let origin = context.get("origin").and_then(Value::as_str).filter(|origin| !origin.is_empty());
    let listed = origin.is_some_and(|origin| channel.access.origins.iter().any(|o| o.eq_ignore_ascii_case(origin)));
    let right =
        live.secrets.token.as_ref().is_some_and(|t| given == Some(intake::token_hash(t.expose_secret()).as_str()));
    if listed || right || brings_token(live, order, at).await {
        return None;
    }
    if origin.is_some() && !channel.access.origins.is_empty() {
        let message = "the form was sent from a site that the channel does not list";
        let hint = "Release it if the site is yours, and add it to access.origins.";
        return Some(Problem::new("", Code::ForeignOrigin, Effect::Hold, message, hint));
    }
    live.secrets.token.is_some().then(|| {
        let message = "it came without the channel's token while the channel's file was broken";
        Problem::new("", Code::WrongToken, Effect::Hold, message, "Release it if you know its sender.")
    })
}

/// What nobody looked at while the channel's file was broken. Form times and rates cannot be judged later.
async fn honeypot_problem(channel: &Channel, order: &OrderDetail) -> Option<Problem> {
    channel.spam.honeypot.as_ref()?;
    let at = Timestamp::from_millisecond(order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let decoded = intake::submission_of(&order.content_type, &order.context, order.raw.clone(), at).await;
    spam::honeypot(&channel.spam, &decoded.ok()?)
}

/// A sender that can set no header brings the channel's token with the form.
async fn brings_token(live: &LiveChannel, order: &OrderDetail, at: Timestamp) -> bool {
    let decoded = intake::submission_of(&order.content_type, &order.context, order.raw.clone(), at).await;
    decoded.is_ok_and(|submission| intake::brings_token(live, &submission))
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
        let texts: Vec<String> = draft.problems.iter().map(ToString::to_string).collect();
        return Ok(Done::Stays(seen, texts.join("\n")));
    }
    if goes {
        // They are settled, and stay readable as marks.
        let settled = order.summary.problems.iter().filter(|problem| problem.code.is_suspicion());
        draft.problems.extend(settled.map(|problem| Problem { effect: Effect::Warn, ..problem.clone() }));
    }
    let holding = draft.problems.iter().find(|problem| problem.effect != Effect::Warn);
    let why = holding.map_or("invalid", |problem| problem.code.as_str()).to_owned();
    let revision = Revision {
        state: if goes { State::Queued } else { seen },
        reason: if goes { String::new() } else { why },
        account: channel.account.clone(),
        channel_version: live.version,
        target: draft.target,
        number: draft.number().unwrap_or(&order.summary.number).to_owned(),
        checked: dictionary.map_or(0, |dictionary| dictionary.version),
        body: draft.body,
        problems: draft.problems.clone(),
        read: (order.revision, order.replaced),
        by_hand: false,
        actor: actor.to_owned(),
        note: if goes { "released".into() } else { "still has problems".into() },
    };
    Ok(match store.revise(order.summary.seq, seen, revision).await? {
        Stored::Done if goes => Done::Now(State::Queued),
        Stored::Done => {
            let texts: Vec<String> = draft.problems.iter().map(ToString::to_string).collect();
            Done::Stays(seen, texts.join("\n"))
        }
        Stored::MovedOn => Done::Stays(seen, "it has just moved on".into()),
        Stored::NumberTaken => {
            let number = &order.summary.number;
            Done::Stays(
                seen,
                format!("the number `{number}` is another order's: give this one another with `orders edit`"),
            )
        }
    })
}
