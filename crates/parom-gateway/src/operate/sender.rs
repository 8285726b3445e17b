//! A known sender's request that was kept while the channel's file was broken, as intake would have seen it: its tests and
//! other events are no orders, and its own id of the order tells a repeat.

use jiff::Timestamp;
use parom_core::channel::Channel;
use parom_core::delivery::state::State;
use parom_core::presets::Kind;
use parom_core::{Code, Effect, Problem};

use super::Done;
use crate::config::LiveChannel;
use crate::intake;
use crate::store::{OrderDetail, Store, StoreError};

/// What intake would have said of a request.
pub(super) enum Seen {
    /// An order, with what holds it.
    Order(Vec<Problem>),
    /// No order, or a repeat: it is canceled, with its reason.
    Settled(Done),
}

/// Looks at a kept request of a known sender.
///
/// # Errors
/// The store.
pub(super) async fn look(
    store: &Store,
    live: &LiveChannel,
    channel: &Channel,
    order: &OrderDetail,
    actor: &str,
) -> Result<Seen, StoreError> {
    let at = Timestamp::from_millisecond(order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let decoded = intake::submission_of(&order.content_type, &order.context, order.raw.clone(), at).await;
    let (Some(preset), "in", Ok(submission)) = (channel.preset, order.door.as_str(), decoded) else {
        return Ok(Seen::Order(Vec::new()));
    };
    let mark = match preset.kind(&submission) {
        Kind::Order(mark) => mark,
        Kind::Malformed(_) => return Ok(Seen::Order(Vec::new())),
        Kind::Ping => return settle(store, order, actor, "the sender's test: no order").await,
        Kind::Other(why) => return settle(store, order, actor, &why).await,
    };
    let mut holds = Vec::new();
    let key = intake::key_of_sender(&mark);
    let first = match &key {
        Some(key) => store.claim_key(order.summary.seq, &live.name, key).await?,
        None => None,
    };
    match first {
        Some((id, true)) => return settle(store, order, actor, &format!("a repeat of the order {id}")).await,
        Some((id, false)) => {
            let message = format!("its sender's number already made the order {id}: this is a later state of it");
            let hint = "Compare the two: cancel this one, and change the other if it needs it.";
            holds.push(Problem::new("", Code::KeyReused, Effect::Hold, message, hint));
        }
        None => {
            let hint = "Look for it in the CRM: cancel it if it is there, release it if not.";
            holds.extend(mark.doubt.map(|doubt| Problem::new("", Code::UnknownUpdate, Effect::Hold, doubt, hint)));
        }
    }
    Ok(Seen::Order(holds))
}

async fn settle(store: &Store, order: &OrderDetail, actor: &str, why: &str) -> Result<Seen, StoreError> {
    let (seq, held) = (order.summary.seq, State::Held);
    let moved = store.move_order(seq, held, State::Canceled, actor, why).await?;
    let done = if moved { Done::Now(State::Canceled) } else { Done::Stays(held, "it has just moved on".into()) };
    Ok(Seen::Settled(done))
}
