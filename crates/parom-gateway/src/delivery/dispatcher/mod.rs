//! The dispatcher of one account: one loop that decides, and tasks that wait for the CRM.

mod back;
mod bulk;
mod changes;
mod doubts;
mod key;
mod listing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parom_core::delivery::Mono;
use parom_core::delivery::dispatch::{Back, Dispatch, Look, Looked};
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rate::Ticket;
use parom_core::delivery::verify::Plan;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use self::back::Glance;
use self::bulk::Backlog;
use self::key::Key;
use super::fetch::Fetch;
use super::send;
use crate::clock;
use crate::config::{Account, DeliverySettings};
use crate::crm::{Client, List, Listed};
use crate::dictionaries::Dictionaries;
use crate::store::{Doubtful, Pulse, Store, StoreError};

/// Without news the loop looks at the store so often.
const IDLE_MS: u64 = 30_000;
/// Between two looks that orders which come in ask for.
const WAKE_MS: u64 = 5;
/// While the disk is full or the store does not answer.
const STORE_AGAIN_MS: u64 = 500;

/// The first order waits so long for dictionaries that were never fetched.
const FIRST_WAIT_MS: u64 = 30_000;

pub(super) struct Dispatcher {
    account: String,
    /// Of its lease: what it writes for a send counts only with it.
    epoch: i64,
    store: Store,
    dictionaries: Arc<Dictionaries>,
    fetch: Fetch,
    /// The key, as orders that were sent tell of it.
    key: Key,
    /// A kept dictionary is another than the one in use.
    dirty: bool,
    listing: bool,
    /// When the last page was asked for.
    listed: Mono,
    /// Orders wait in the queue, as far as the last claim told.
    waiting: bool,
    started: Mono,
    /// When the loop looked last.
    stepped: Mono,
    client: Client,
    dispatch: Dispatch,
    changing: bool,
    looking_back: bool,
    /// When the last change was begun.
    changed: Mono,
    doubts: HashMap<i64, Doubtful>,
    /// The rows may say something else than `doubts`: an order that merely came in changes nothing there.
    stale: bool,
    hand: u64,
    wake: Arc<Notify>,
    stop: watch::Receiver<bool>,
    /// A claim was perhaps kept, and nobody here sends it: the account is to be taken anew, which looks such orders up.
    retires: bool,
    work: JoinSet<Done>,
    /// Outcomes come here before they are written: a requeued order must not be claimed before its outcome is weighed.
    told: mpsc::UnboundedSender<Came>,
    outcomes: mpsc::UnboundedReceiver<Came>,
    backlog: Backlog,
}

/// What a request came to.
struct Came {
    ticket: Ticket,
    outcome: Outcome,
    /// A bulk call: of so many orders, and whether it is a surprise.
    bulk: Option<(u64, bool)>,
    /// Nothing was sent by it.
    look: bool,
}

enum Done {
    Sent,
    SentBulk,
    Changed,
    Listed(Ticket, List, Listed, Option<u32>),
    Looked(Look, Looked, String),
    LookedBack(Back, Glance),
}

impl Dispatcher {
    pub(super) async fn new(
        account: &Account,
        epoch: i64,
        settings: &DeliverySettings,
        store: Store,
        client: Client,
        dictionaries: Arc<Dictionaries>,
        stop: watch::Receiver<bool>,
    ) -> Result<Dispatcher, StoreError> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let plan =
            Plan { quiet: millis(settings.quiet_period), gap: millis(settings.verify_gap), resend: settings.resend };
        let dispatch = Dispatch::new(account.requests_per_minute, plan, settings.in_flight);
        let mut dispatch = dispatch.with_bulk(settings.bulk);
        let now = clock::mono();
        for (age, places) in store.spent(&account.name).await? {
            dispatch.inherit(now, age, millis(settings.timeout), places);
        }
        let (told, outcomes) = mpsc::unbounded_channel();
        Ok(Dispatcher {
            dictionaries,
            fetch: Fetch::new(now),
            key: Key::default(),
            dirty: false,
            listing: false,
            listed: Mono(0),
            waiting: false,
            started: now,
            stepped: Mono(0),
            told,
            outcomes,
            backlog: Backlog::default(),
            account: account.name.clone(),
            epoch,
            wake: store.board().wake_of(&account.name),
            store,
            client,
            dispatch,
            changing: false,
            looking_back: false,
            changed: Mono(0),
            doubts: HashMap::new(),
            stale: true,
            hand: 0,
            stop,
            retires: false,
            work: JoinSet::new(),
        })
    }

    pub(super) async fn run(mut self) {
        loop {
            let stopping = self.retires || *self.stop.borrow();
            if stopping && self.work.is_empty() {
                return;
            }
            let mut next = clock::mono().after(IDLE_MS);
            if !stopping {
                self.stepped = clock::mono();
                self.stale |= self.store.board().hand() != self.hand;
                next = match self.step().await {
                    Ok(at) => at,
                    Err(error @ StoreError::NotKnown(_)) => {
                        tracing::warn!(account = %self.account, %error, "the account is taken anew");
                        self.retires = true;
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(account = %self.account, %error, "delivery waits for the store");
                        clock::mono().after(STORE_AGAIN_MS)
                    }
                };
            }
            let pause = Duration::from_millis(next.since(clock::mono()).max(1));
            tokio::select! {
                () = woken(&self.wake, self.stepped), if !stopping => {}
                Some(came) = self.outcomes.recv() => self.weigh(came),
                Some(done) = self.work.join_next() => {
                    self.stale = true;
                    match done {
                        Ok(done) => self.take(done).await,
                        // Nobody knows what it left undone: the process ends, and the next start looks things up.
                        Err(error) => std::panic::resume_unwind(error.into_panic()),
                    }
                }
                () = tokio::time::sleep(pause), if !stopping => self.stale = true,
                changed = self.stop.changed(), if !stopping => if changed.is_err() { return },
            }
        }
    }

    /// Starts all that may start now, and says when to look again.
    async fn step(&mut self) -> Result<Mono, StoreError> {
        self.refresh_doubts().await?;
        self.start_look();
        let bulk = self.start_bulk().await?;
        let mut next = self.start_sends().await?.min(self.start_listing()).min(bulk);
        next = next.min(self.start_change().await?).min(self.start_look_back().await?);
        // While places depend on requests under way, their end wakes the loop.
        if let Some(at) = self.dispatch.next_look(clock::mono()) {
            next = next.min(at);
        }
        self.tell_key().await?;
        self.tell_pulse();
        Ok(next)
    }

    /// Claims and sends while budget, breaker and disk allow; gives the time of the next chance.
    async fn start_sends(&mut self) -> Result<Mono, StoreError> {
        loop {
            self.hear();
            let now = clock::mono();
            let idle = now.after(IDLE_MS);
            if self.store.board().is_paused(&self.account) {
                return Ok(idle);
            }
            if let Err(until) = self.dispatch.ready(now) {
                return Ok(until.unwrap_or(idle));
            }
            if let Some(wait) = self.waits_for_dictionaries(now) {
                return Ok(wait);
            }
            if let Err((free, needed)) = self.store.room_for_delivery() {
                tracing::warn!(account = %self.account, free, needed, "delivery stopped: the disk is nearly full");
                return Ok(now.after(STORE_AGAIN_MS));
            }
            let ticket = match self.dispatch.place(now) {
                Ok(ticket) => ticket,
                Err(at) => return Ok(at.unwrap_or(idle)),
            };
            let Some(only) = self.next_single(now) else {
                self.dispatch.budget.give_back(ticket);
                return Ok(idle);
            };
            crate::crash::point("send.before_intent");
            let version = self.dictionaries.get(&self.account).map_or(0, |dictionary| dictionary.version);
            let claimed = self.store.claim(&self.account, self.epoch, version, only).await;
            self.waiting = matches!(&claimed, Ok(Some(_)));
            let intent = match claimed {
                Ok(Some(intent)) => intent,
                nothing => {
                    self.dispatch.budget.give_back(ticket);
                    // An intent that was perhaps written is told of before anything else is asked of the store.
                    nothing?;
                    if only != 0 {
                        continue;
                    }
                    // An order that came while the dictionaries changed was decided by the old ones: it is checked first.
                    if version > 0 && !self.store.unchecked(&self.account, version, 1).await?.is_empty() {
                        self.dictionaries.unsettle(&self.account);
                    }
                    return Ok(idle);
                }
            };
            self.hear();
            if !self.dispatch.still(clock::mono()) {
                // What was heard while the intent was written: it is not sent after all.
                self.dispatch.budget.give_back(ticket);
                send::put_back(&self.store, std::slice::from_ref(&intent)).await;
                continue;
            }
            self.dispatch.sends();
            let (store, client, told) = (self.store.clone(), self.client.clone(), self.told.clone());
            self.work.spawn(async move {
                send::send(&store, &client, intent, now, |outcome| {
                    let _ = told.send(Came { ticket, outcome: outcome.clone(), bulk: None, look: false });
                })
                .await;
                Done::Sent
            });
        }
    }

    /// Weighs the outcomes that have come.
    fn hear(&mut self) {
        while let Ok(came) = self.outcomes.try_recv() {
            self.weigh(came);
        }
    }

    async fn take(&mut self, done: Done) {
        let now = clock::mono();
        match done {
            Done::Sent => self.dispatch.sent(),
            Done::SentBulk => self.dispatch.sent_bulk(),
            Done::Changed => self.changing = false,
            Done::Listed(ticket, list, listed, granted) => {
                self.listing = false;
                self.dispatch.budget.settle(ticket, now);
                self.fetch.granted = granted.or(self.fetch.granted);
                if let Err(error) = self.take_page(list, listed, now).await {
                    tracing::warn!(account = %self.account, %error, "a dictionary could not be kept yet");
                    self.fetch.due = self.fetch.due.max(now.after(STORE_AGAIN_MS));
                }
            }
            Done::LookedBack(back, glance) => self.take_look_back(back, glance, now).await,
            Done::Looked(look, looked, note) => self.weigh_look(look, &looked, &note, now).await,
        }
    }

    fn weigh(&mut self, came: Came) {
        let (now, outcome) = (clock::mono(), &came.outcome);
        match came.bulk {
            Some((_, surprise)) => self.dispatch.weigh_bulk(came.ticket, outcome, surprise, now, random()),
            None if came.look => self.dispatch.weigh_look(came.ticket, outcome, now, random()),
            None => self.dispatch.weigh(came.ticket, outcome, now, random()),
        }
        let orders = came.bulk.map_or(1, |(orders, _)| orders);
        metrics::counter!("parom_attempts_total", "account" => self.account.clone(), "outcome" => outcome.as_str())
            .increment(orders);
        if came.bulk.is_some_and(|(_, surprise)| surprise) {
            tracing::warn!(account = %self.account, "a bulk call was not answered as it should: orders go singly from now on");
        }
        match outcome {
            Outcome::RateLimited(rest) => tracing::warn!(account = %self.account, rest, "the CRM asked for time"),
            Outcome::Delivered(_) | Outcome::Elsewhere(_) | Outcome::Rejected(_) | Outcome::NumberTaken => {
                self.key.works();
            }
            Outcome::Paused(status) => {
                self.key.is_refused(*status);
                tracing::error!(account = %self.account, status, "the CRM refuses the key or the address; check both");
            }
            _ => {}
        }
    }

    pub(in crate::delivery) fn tell_pulse(&self) {
        let now = clock::mono();
        let free_places = self.dispatch.budget.ceiling(now).saturating_sub(self.dispatch.budget.used(now));
        let resting = self.dispatch.rests(now) || self.store.board().is_paused(&self.account);
        self.store.board().set_pulse(&self.account, Pulse { resting, free_places });
    }
}

/// Wakes that come close to each other are one: where many orders come in, each would ask the store what is due. Whatever
/// else ends the loop's pause meanwhile looks at all that this would.
async fn woken(wake: &Notify, stepped: Mono) {
    wake.notified().await;
    tokio::time::sleep(Duration::from_millis(WAKE_MS.saturating_sub(clock::mono().since(stepped)))).await;
}

/// Jitter needs no more than the clock's and the process's own noise.
fn random() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u128() & 0xffff;
    f64::from(u32::try_from(bits).unwrap_or_default()) / 65_535.0
}
