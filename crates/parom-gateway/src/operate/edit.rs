//! An operator's edit of an order that is not in the CRM.

use parom_core::delivery::state::State;
use parom_core::mapping;
use parom_core::order::{self, Target, Verdict, schema};
use parom_core::{Code, Effect, Problem};
use serde_json::Value;

use super::kept::Kept;
use super::{Desk, Done, OperateError};
use crate::intake;
use crate::store::{Revision, Stored, Summary};

/// One change of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts a value at a path (`buyer.phone`, `products.0.price`).
    Set(String, Value),
    /// Takes a field out.
    Unset(String),
}

/// Changes fields of a held or rejected order. It is sent as soon as it is right, unless `keep`. `read` is the revision that
/// whoever edits has seen, and how often the order had been replaced by then: paths count lines, and another edit may have
/// moved them.
///
/// # Errors
/// An unknown order or path, an order that may be in the CRM, or the store.
pub async fn edit(
    desk: Desk<'_>,
    name: &str,
    changes: &[Change],
    keep: bool,
    read: Option<(i64, i64)>,
) -> Result<Done, OperateError> {
    let Desk { store, channels, dictionaries, actor, .. } = desk;
    let detail = super::whole(store, desk.scope, name).await?;
    let seen = detail.summary.state;
    for change in changes {
        let unfit = |why| OperateError::Unfit(change.path().to_owned(), why);
        known(detail.summary.target, change.path()).map_err(unfit)?;
    }
    if !matches!(seen, State::Held | State::Rejected) {
        let text = format!("the order is {seen}: only held and rejected orders can be edited");
        return Err(OperateError::Wrong(text));
    }
    if read.is_some_and(|read| read != (detail.revision, detail.replaced)) {
        return Ok(Done::Stays(seen, "somebody changed it meanwhile: look at it again".into()));
    }
    let mut body = detail.body.clone();
    for change in changes {
        let unfit = |why| OperateError::Unfit(change.path().to_owned(), why);
        apply(&mut body, change).map_err(unfit)?;
    }
    let live = channels.get(&detail.summary.channel);
    let channel = live.and_then(|live| live.channel.clone());
    let locale = channel.as_ref().map_or_else(default_locale, |channel| channel.locale());
    let own = Some(&detail.summary.account).filter(|account| !account.is_empty());
    let dictionary = own.or(channel.as_ref().map(|channel| &channel.account)).and_then(|name| dictionaries.get(name));
    let unknown_sku = channel.as_ref().map(|channel| channel.unknown_sku).unwrap_or_default();
    let target = detail.summary.target;
    let (mut draft, mut verdict) =
        mapping::revise(target, &body, &locale, unknown_sku, dictionary.as_deref(), dictionaries.directory().as_ref());
    // A bad value was left out of the body; that it is missing there does not mend it.
    if keep_unsettled(&mut draft, &detail.summary.problems, changes, &body) {
        verdict = Verdict::Hold;
    }
    let goes = verdict == Verdict::Go && !keep;
    let account = own.or(channel.as_ref().map(|channel| &channel.account)).cloned().unwrap_or_default();
    if goes && account.is_empty() {
        return Err(OperateError::Wrong("the order's channel cannot be used, so its account is not known".into()));
    }
    if let (true, Some(live), Some(channel)) = (goes, live, &channel) {
        Kept { store, live, channel, order: &detail, actor }.take_key().await?;
    }
    let paths: Vec<&str> = changes.iter().map(Change::path).collect();
    // What did not fit any more stays in the body as it was typed: an edit must not lose it.
    let kept = if verdict == Verdict::Go { draft.body.clone() } else { body };
    let revision = Revision {
        state: if goes { State::Queued } else { seen },
        reason: reason(goes, &detail.summary, &draft.problems),
        account,
        channel_version: 0,
        target,
        number: number_of(&draft, &detail.summary.number),
        checked: dictionary.map_or(0, |dictionary| dictionary.version),
        body: kept,
        problems: draft.problems.clone(),
        read: (detail.revision, detail.replaced),
        by_hand: true,
        kept: keep,
        actor: actor.to_owned(),
        note: format!("edited: {}", paths.join(", ")),
    };
    let number = revision.number.clone();
    match store.revise(detail.summary.seq, seen, revision).await? {
        Stored::Done if goes => Ok(Done::Now(State::Queued)),
        Stored::Done if verdict == Verdict::Go => Ok(Done::Kept(seen, "edited; send it with `orders retry`".into())),
        Stored::Done => Ok(Done::Kept(seen, super::texts(&draft.problems))),
        Stored::MovedOn => Ok(super::moved_on(store, &detail).await?),
        Stored::NumberTaken(owner) => {
            Err(OperateError::Wrong(format!("the number `{number}` is already the order {owner}'s")))
        }
    }
}

/// Why the order stands where it does: a held one for what holds it now, a refused one for the CRM's answer.
fn reason(goes: bool, before: &Summary, problems: &[Problem]) -> String {
    let now = intake::why(problems).filter(|_| before.state == State::Held);
    if goes { String::new() } else { now.map_or_else(|| before.reason.clone(), str::to_owned) }
}

/// Adds to a draft the problems that hold the order still, with what stands beside them; whether there are some.
pub(super) fn keep_unsettled(
    draft: &mut order::Draft,
    problems: &[Problem],
    changes: &[Change],
    body: &serde_json::Map<String, Value>,
) -> bool {
    let mut holds = false;
    for problem in unsettled(problems, changes, body) {
        if draft.problems.iter().all(|known| known.path != problem.path) {
            draft.problems.push(problem.clone());
            holds |= problem.effect == Effect::Hold;
        }
    }
    holds
}

/// Problems that hold the order for a value that is still not there, at places that this edit does not touch. What the buyer
/// typed as a phone or an e-mail stays beside the finding that neither is usable.
fn unsettled<'a>(
    problems: &'a [Problem],
    changes: &'a [Change],
    body: &'a serde_json::Map<String, Value>,
) -> impl Iterator<Item = &'a Problem> {
    let ways = problems
        .iter()
        .find(|problem| problem.code == Code::NoContact)
        .map(|problem| ["phone", "email", "client_id"].map(|way| format!("{}.{way}", problem.path)));
    problems.iter().filter(move |problem| {
        let path = problem.path.as_str();
        let missing = |path: &str| order::get(body, path).is_none_or(Value::is_null);
        let touched = |path: &str| changes.iter().any(|change| change.touches(path));
        let is_way = |path: &str| ways.iter().flatten().any(|way| way == path);
        match (problem.code, &ways) {
            // Nobody can be reached by a name.
            (Code::NoContact, Some(ways)) => {
                let spoiled = problems.iter().any(|beside| is_way(&beside.path));
                spoiled && ways.iter().all(|way| missing(way) && !touched(way))
            }
            _ => {
                (problem.effect == Effect::Hold || is_way(path)) && !path.is_empty() && !touched(path) && missing(path)
            }
        }
    })
}

impl Change {
    fn path(&self) -> &str {
        match self {
            Change::Set(path, _) | Change::Unset(path) => path,
        }
    }

    /// Whether it says something of a path: also where it changes what is under it, or a group that it stands in. Of a field
    /// that a new group does not have it says nothing.
    fn touches(&self, path: &str) -> bool {
        let own = self.path();
        if own == path || own.starts_with(&format!("{path}.")) {
            return true;
        }
        let rest = path.strip_prefix(own).and_then(|rest| rest.strip_prefix('.'));
        rest.is_some_and(|rest| match self {
            Change::Set(_, Value::Object(group)) => order::get(group, rest).is_some(),
            _ => true,
        })
    }
}

/// An order's number is its body's; a card's stays.
fn number_of(draft: &order::Draft, before: &str) -> String {
    draft.number().unwrap_or(before).to_owned()
}

fn apply(body: &mut serde_json::Map<String, Value>, change: &Change) -> Result<(), String> {
    let path = change.path();
    match change {
        Change::Set(_, value) => order::set(body, path, value.clone()),
        Change::Unset(_) => {
            order::remove(body, path);
            Ok(())
        }
    }
}

/// That each step of a path is a field of the order.
fn known(target: Target, path: &str) -> Result<(), String> {
    let mut group = schema::of(target);
    let mut right = String::new();
    for step in path.split('.') {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            right += &format!("{step}.");
            continue;
        }
        let Some(entry) = schema::entry(group, step) else {
            let near = schema::nearest(step, group.iter().map(|entry| entry.name));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{right}{near}`?"));
            return Err(format!("an order has no field `{path}`{hint}"));
        };
        right += &format!("{step}.");
        group = match &entry.shape {
            schema::Shape::Object(inner) | schema::Shape::List(inner) => inner,
            schema::Shape::Value { .. } => &[],
        };
    }
    Ok(())
}

fn default_locale() -> parom_core::convert::Locale {
    let zone = jiff::tz::TimeZone::get("Europe/Kyiv").unwrap_or(jiff::tz::TimeZone::UTC);
    parom_core::convert::Locale { zone, region: "UA".into(), keep_dates: false }
}
