//! What an operator does with an order, by CLI, API or UI: the same verbs over the same store. Nothing here calls the CRM:
//! delivery does, when the order's new state asks for it.

mod branch;
mod doubts;
mod edit;
mod kept;
mod replay;

use std::fmt;

use jiff::Timestamp;
use parom_core::Problem;
use parom_core::delivery::state::State;

use crate::config::ChannelSet;
use crate::dictionaries::Dictionaries;
use crate::store::{OrderDetail, Recognised, Scope, Store, StoreError};

pub use branch::{candidates, choose, may_choose, meant};
pub use edit::{Change, edit};
pub use replay::{mended, preview, replay};

/// How often an order that moves on is looked at again, to cancel it.
const CANCEL_TRIES: usize = 3;

/// What became of an order that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is in this state now.
    Now(State),
    /// It stays where it is, and as it was; why.
    Stays(State, String),
    /// What was changed is kept, and it stays where it is; why.
    Kept(State, String),
}

/// Why nothing was done.
#[derive(Debug)]
pub enum OperateError {
    /// No such order in the caller's accounts.
    Unknown(String),
    /// What was asked is not possible as the order stands.
    Wrong(String),
    /// What was asked fits no order: the field, and why not.
    Unfit(String, String),
    /// The store.
    Store(StoreError),
}

impl fmt::Display for OperateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OperateError::Unknown(name) => {
                write!(f, "there is no order `{name}`; see `parom orders list`")
            }
            OperateError::Wrong(text) | OperateError::Unfit(_, text) => f.write_str(text),
            OperateError::Store(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for OperateError {}

impl From<StoreError> for OperateError {
    fn from(error: StoreError) -> OperateError {
        match error {
            StoreError::Refused(text) => OperateError::Wrong(text),
            other => OperateError::Store(other),
        }
    }
}

/// Where an operator stands: what can be reached, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The store.
    pub store: &'a Store,
    /// The channels now.
    pub channels: &'a ChannelSet,
    /// The accounts' dictionaries.
    pub dictionaries: &'a Dictionaries,
    /// The accounts that the operator may see.
    pub scope: &'a Scope,
    /// Who, for the history.
    pub actor: &'a str,
}

/// Problems as they are told, a line each.
fn texts(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Where an order is by now that somebody else moved or changed meanwhile.
async fn moved_on(store: &Store, order: &OrderDetail) -> Result<Done, StoreError> {
    let now = store.order(&Scope::All, &order.summary.id).await?;
    let state = now.map_or(order.summary.state, |now| now.summary.state);
    Ok(Done::Stays(state, format!("somebody changed it meanwhile, and it is {state} now: look at it again")))
}

/// The order that is asked for, with all that it was made of.
///
/// # Errors
/// An unknown order, one whose buyer was erased, or the store.
async fn whole(store: &Store, scope: &Scope, name: &str) -> Result<OrderDetail, OperateError> {
    let order = store.order(scope, name).await?.ok_or_else(|| OperateError::Unknown(name.to_owned()))?;
    match erased(&order) {
        Some(text) => Err(OperateError::Wrong(text)),
        None => Ok(order),
    }
}

/// The same, and one whose buyer was erased where a person must decide about it: deciding needs no buyer.
async fn settleable(store: &Store, scope: &Scope, name: &str) -> Result<OrderDetail, OperateError> {
    let order = store.order(scope, name).await?.ok_or_else(|| OperateError::Unknown(name.to_owned()))?;
    match erased(&order) {
        Some(text) if order.summary.state != State::Disputed => Err(OperateError::Wrong(text)),
        _ => Ok(order),
    }
}

/// Why nothing can be done with an order, where the buyer's data was taken out of it.
fn erased(order: &OrderDetail) -> Option<String> {
    let at = Timestamp::from_millisecond(order.summary.erased_at?).unwrap_or(Timestamp::UNIX_EPOCH);
    Some(format!("the buyer's data was erased from it on {}: nothing can be done with it", at.strftime("%Y-%m-%d")))
}

/// Sends an order again, as far as that is safe: a held one goes through today's mapping, a rejected one as it is, a
/// disputed one is looked up first.
///
/// # Errors
/// An unknown order, or the store.
pub async fn retry(desk: Desk<'_>, name: &str) -> Result<Done, OperateError> {
    let Desk { store, actor, .. } = desk;
    let order = whole(store, desk.scope, name).await?;
    let state = order.summary.state;
    match state {
        State::Held | State::Rejected => Ok(replay::release(desk, order).await?),
        State::Disputed => {
            let note = match order.said_crm_id.or(order.summary.crm_order_id) {
                Some(_) => "asked to look again; the CRM said that it took it, so it is not sent again",
                None => "asked to look again; sent again only if it is not in the CRM",
            };
            let moved = store.move_order(order.summary.seq, state, State::Unconfirmed, actor, note).await?;
            Ok(if moved { Done::Now(State::Unconfirmed) } else { moved_on(store, &order).await? })
        }
        State::Queued | State::Sending | State::Unconfirmed => {
            Ok(Done::Stays(state, "it is on its way already".into()))
        }
        State::Delivered => Ok(Done::Stays(state, "it is in the CRM".into())),
        State::Canceled => Ok(Done::Stays(state, "it was canceled; let the sender send it again".into())),
    }
}

/// Takes an order of the CRM that a person found as the disputed one of ours.
///
/// # Errors
/// An unknown order, one that is not disputed, or the store.
pub async fn accept(desk: Desk<'_>, name: &str, crm_order_id: i64) -> Result<Done, OperateError> {
    let Desk { store, actor, .. } = desk;
    let order = settleable(store, desk.scope, name).await?;
    let state = order.summary.state;
    if state != State::Disputed {
        let text = format!("the order is {state}: only a disputed one is taken for one of the CRM's");
        return Err(OperateError::Wrong(text));
    }
    if crm_order_id < 1 {
        return Err(OperateError::Unfit("crm_order_id".into(), "an order of the CRM has a number from 1".into()));
    }
    match store.accept_found(order.summary.seq, crm_order_id, actor).await? {
        Recognised::Done => Ok(Done::Now(State::Delivered)),
        Recognised::MovedOn => Ok(moved_on(store, &order).await?),
        Recognised::Anothers(other) => {
            let text = format!("the CRM's order {crm_order_id} is order {other} already; look again which one is this");
            Err(OperateError::Wrong(text))
        }
    }
}

/// Cancels an order that is not in the CRM, with a reason.
///
/// # Errors
/// An unknown order, one that may be in the CRM, or the store.
pub async fn cancel(store: &Store, scope: &Scope, name: &str, reason: &str, actor: &str) -> Result<Done, OperateError> {
    // What moves on in this very moment is looked at again.
    for _ in 0..CANCEL_TRIES {
        let order = settleable(store, scope, name).await?;
        let state = order.summary.state;
        match state {
            State::Canceled => return Ok(Done::Stays(state, "it is canceled already".into())),
            State::Held | State::Queued | State::Rejected | State::Disputed => {
                if store.move_order(order.summary.seq, state, State::Canceled, actor, reason).await? {
                    return Ok(Done::Now(State::Canceled));
                }
            }
            State::Sending | State::Unconfirmed => {
                let text = format!("the order is {state}: it may be in the CRM; wait until that is known");
                return Err(OperateError::Wrong(text));
            }
            State::Delivered => return Err(OperateError::Wrong("the order is in the CRM: cancel it there".into())),
        }
    }
    Err(OperateError::Wrong("the order moves on just now: look at it again".into()))
}
