//! A request that was kept while its channel could not be used, as intake would have seen it: a known sender's tests and other
//! events are no orders, and a key tells a repeat or a later state of an order that is known.

use std::sync::Arc;

use jiff::Timestamp;
use parom_core::channel::Channel;
use parom_core::delivery::state::State;
use parom_core::mapping::Given;
use parom_core::presets::{Kind, Mark};
use parom_core::submission::Submission;
use parom_core::{Code, Effect, Problem};

use super::Done;
use crate::config::LiveChannel;
use crate::intake;
use crate::store::{Claim, OrderDetail, Store, StoreError};

/// What intake would have said of a request.
pub(super) enum Seen {
    /// An order, with what holds it.
    Order(Vec<Problem>),
    /// No order, a repeat, or a later state of another: it is canceled, with its reason.
    Settled(Done),
}

/// A kept request and its channel of today.
pub(super) struct Kept<'a> {
    pub(super) store: &'a Store,
    pub(super) live: &'a LiveChannel,
    pub(super) channel: &'a Arc<Channel>,
    pub(super) order: &'a OrderDetail,
    pub(super) actor: &'a str,
}

impl Kept<'_> {
    /// Looks at it. One that is not `believed`, for its signature or token, owns no key and changes no order.
    ///
    /// # Errors
    /// The store.
    pub(super) async fn look(&self, believed: bool, given: Given<'_>) -> Result<Seen, StoreError> {
        let Some(submission) = self.submission().await else {
            return Ok(Seen::Order(Vec::new()));
        };
        let mark = match self.channel.preset.map(|preset| preset.kind(&submission)) {
            None => Mark::default(),
            Some(Kind::Order(mark)) => mark,
            Some(Kind::Malformed(_)) => return Ok(Seen::Order(Vec::new())),
            Some(Kind::Ping) => return self.cancel("the sender's test: no order").await,
            Some(Kind::Other(why)) => return self.cancel(&why).await,
        };
        let key = intake::key_of_kept(self.channel, &submission, &mark).filter(|_| believed);
        let claim = match &key {
            Some((key, of_sender)) => self.claim(key, *of_sender).await?,
            None => Claim::Own,
        };
        match (claim, key) {
            (Claim::Of(id, true), _) => self.cancel(&format!("a repeat of the order {id}")).await,
            (Claim::Of(id, false), Some((key, true))) if mark.updates => {
                let new = intake::later_state(self.live, self.order, &submission, (key, mark), given);
                // What the channel refuses changes nothing: a person looks at it.
                if new.state == State::Canceled {
                    return Ok(Seen::Order(vec![Problem::key_reused(&id)]));
                }
                let taken = self.store.take_later_state(self.order.summary.seq, new, &id, self.actor).await?;
                Ok(Seen::Settled(self.canceled(taken).await?))
            }
            (Claim::Of(id, false), _) => Ok(Seen::Order(vec![Problem::key_reused(&id)])),
            (Claim::Own, _) => {
                let hint = "Look for it in the CRM: cancel it if it is there, release it if not.";
                let doubt = mark.doubt.map(|doubt| Problem::new("", Code::UnknownUpdate, Effect::Hold, doubt, hint));
                Ok(Seen::Order(doubt.into_iter().collect()))
            }
        }
    }

    /// Gives a released order its key, should it have none and the key be free: what comes again is known then.
    ///
    /// # Errors
    /// The store.
    pub(super) async fn take_key(&self) -> Result<(), StoreError> {
        let Some(submission) = self.submission().await else { return Ok(()) };
        let kind = self.channel.preset.map(|preset| preset.kind(&submission));
        let mark = if let Some(Kind::Order(mark)) = kind { mark } else { Mark::default() };
        if let Some((key, of_sender)) = intake::key_of_kept(self.channel, &submission, &mark) {
            // Another's key stays another's: whoever released the order meant it.
            self.claim(&key, of_sender).await?;
        }
        Ok(())
    }

    /// The request, where it is a form's or a webhook's: what a drop-in or an import brings has its key from the first.
    async fn submission(&self) -> Option<Submission> {
        let at = Timestamp::from_millisecond(self.order.summary.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let (kind, raw) = (&self.order.content_type, self.order.raw.clone());
        let decoded = intake::submission_of(kind, &self.order.context, raw, at).await;
        decoded.ok().filter(|_| self.order.door == "in")
    }

    async fn claim(&self, key: &str, of_sender: bool) -> Result<Claim, StoreError> {
        let place = (self.live.name.as_str(), self.channel.account.as_str());
        self.store.claim_key(self.order.summary.seq, place, (key, of_sender)).await
    }

    async fn cancel(&self, why: &str) -> Result<Seen, StoreError> {
        let seq = self.order.summary.seq;
        let moved = self.store.move_order(seq, State::Held, State::Canceled, self.actor, why).await?;
        Ok(Seen::Settled(self.canceled(moved).await?))
    }

    async fn canceled(&self, moved: bool) -> Result<Done, StoreError> {
        match moved {
            true => Ok(Done::Now(State::Canceled)),
            false => super::moved_on(self.store, self.order).await,
        }
    }
}
