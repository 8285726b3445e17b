//! The dispatcher of one account: one loop that decides, and tasks that wait for the CRM.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parom_core::delivery::Mono;
use parom_core::delivery::breaker::{Breaker, Permit};
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rate::{Budget, Ticket};
use parom_core::delivery::rows::Finding;
use parom_core::delivery::state::State;
use parom_core::delivery::verify::{Control, Doubt, Plan, Verdict};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::fetch::{Fetch, Next};
use super::look::{self, Looked};
use super::send;
use crate::clock;
use crate::config::{Account, DeliverySettings};
use crate::crm::{Client, List, Listed};
use crate::dictionaries::Dictionaries;
use crate::store::{Doubtful, Pulse, Store, StoreError};

/// POSTs under way after an unknown outcome: a crash then leaves few doubtful orders.
const CAREFUL: usize = 2;
/// Without news the loop looks at the store so often.
const IDLE_MS: u64 = 30_000;
/// While the disk is full or the store does not answer.
const STORE_AGAIN_MS: u64 = 500;

/// The first order waits so long for dictionaries that were never fetched.
const FIRST_WAIT_MS: u64 = 30_000;

pub(super) struct Dispatcher {
    account: String,
    store: Store,
    dictionaries: Arc<Dictionaries>,
    fetch: Fetch,
    listing: bool,
    started: Mono,
    client: Client,
    budget: Budget,
    breaker: Breaker,
    plan: Plan,
    in_flight_max: usize,
    sending: usize,
    looking: bool,
    /// Commas do not split numbers in this installation's look-ups, as far as was seen.
    alone: bool,
    doubts: HashMap<i64, (Doubt, Doubtful)>,
    /// The rows may say something else than `doubts`: an order that merely came in changes nothing there.
    stale: bool,
    hand: u64,
    wake: Arc<Notify>,
    stop: watch::Receiver<bool>,
    work: JoinSet<Done>,
    /// Outcomes come here before they are written: a requeued order must not be claimed before its outcome is weighed.
    told: mpsc::UnboundedSender<(Ticket, Outcome)>,
    outcomes: mpsc::UnboundedReceiver<(Ticket, Outcome)>,
}

enum Done {
    Sent,
    Listed(Ticket, List, Listed, Option<u32>),
    Looked(Vec<Ticket>, Vec<i64>, Looked),
}

impl Dispatcher {
    pub(super) async fn new(
        account: &Account,
        settings: &DeliverySettings,
        store: Store,
        client: Client,
        dictionaries: Arc<Dictionaries>,
        stop: watch::Receiver<bool>,
    ) -> Result<Dispatcher, StoreError> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let plan =
            Plan { quiet: millis(settings.quiet_period), gap: millis(settings.verify_gap), resend: settings.resend };
        let mut budget = Budget::new(account.requests_per_minute);
        let now = clock::mono();
        for age in store.spent(&account.name).await? {
            // The ledger has the start of each request; at its worst it lasted the whole time-out.
            budget.inherit(Mono(now.0.saturating_sub(age.saturating_sub(1_000))));
        }
        // In proportion to the quiet period: 10 s up to 5 min with the default of 180 s.
        let breaker = Breaker::new((plan.quiet / 18).min(10_000), (plan.quiet.saturating_mul(5) / 3).min(300_000));
        let (told, outcomes) = mpsc::unbounded_channel();
        Ok(Dispatcher {
            dictionaries,
            fetch: Fetch::new(now),
            listing: false,
            started: now,
            told,
            outcomes,
            account: account.name.clone(),
            wake: store.board().wake_of(&account.name),
            store,
            client,
            budget,
            breaker,
            plan,
            in_flight_max: settings.in_flight,
            sending: 0,
            looking: false,
            alone: false,
            doubts: HashMap::new(),
            stale: true,
            hand: 0,
            stop,
            work: JoinSet::new(),
        })
    }

    pub(super) async fn run(mut self) {
        loop {
            let stopping = *self.stop.borrow();
            if stopping && self.work.is_empty() {
                return;
            }
            let mut next = clock::mono().after(IDLE_MS);
            if !stopping {
                next = match self.step().await {
                    Ok(at) => at,
                    Err(error) => {
                        tracing::warn!(account = %self.account, %error, "delivery waits for the store");
                        clock::mono().after(STORE_AGAIN_MS)
                    }
                };
            }
            let pause = Duration::from_millis(next.since(clock::mono()).max(1));
            tokio::select! {
                () = self.wake.notified(), if !stopping => self.stale |= self.store.board().hand() != self.hand,
                Some((ticket, outcome)) = self.outcomes.recv() => self.weigh_outcome(ticket, &outcome),
                Some(done) = self.work.join_next() => {
                    self.stale = true;
                    if let Ok(done) = done { self.take(done).await }
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
        let mut next = self.start_sends().await?.min(self.start_listing());
        if !self.looking {
            for (doubt, _) in self.doubts.values() {
                let due = doubt.next_look().max(self.budget.next_free(clock::mono()).unwrap_or_default());
                next = next.min(due.max(clock::mono().after(1)));
            }
        }
        self.tell_pulse();
        Ok(next)
    }

    /// The rows decide which orders are doubtful; when each was first seen is this process's own knowledge.
    async fn refresh_doubts(&mut self) -> Result<(), StoreError> {
        if !self.stale {
            return Ok(());
        }
        let hand = self.store.board().hand();
        if hand != self.hand {
            let state = self.store.sync_state(&self.account).await?;
            if state.asked_at > state.done_at {
                self.fetch.hurry(clock::mono());
            }
        }
        self.hand = hand;
        let rows = self.store.doubts(&self.account).await?;
        self.stale = false;
        let now = clock::mono();
        let mut kept = HashMap::with_capacity(rows.len());
        for row in rows {
            let known = self.doubts.remove(&row.seq).filter(|(_, old)| old.resends == row.resends);
            let taken = row.reason == "number_taken";
            let doubt =
                known.map_or_else(|| Doubt::new(now, &self.plan, taken, row.resends, row.target), |(doubt, _)| doubt);
            kept.insert(row.seq, (doubt, row));
        }
        self.doubts = kept;
        Ok(())
    }

    fn start_look(&mut self) {
        let now = clock::mono();
        let due = self.doubts.values().any(|(doubt, _)| doubt.next_look() <= now);
        if self.looking || !due {
            return;
        }
        // One request settles many: those that are not due yet come along.
        let mut chosen: Vec<(Mono, Doubtful)> =
            self.doubts.values().map(|(doubt, row)| (doubt.next_look(), row.clone())).collect();
        chosen.sort_by_key(|(next, row)| (*next, row.seq));
        // Orders and cards are looked for in lists of their own: what is most urgent says which.
        let target = chosen[0].1.target;
        chosen.retain(|(_, row)| row.target == target);
        chosen.truncate(if self.alone { 3 } else { look::BATCH });
        let needed = look::cost(target, chosen.len(), self.alone);
        let tickets: Vec<Ticket> = (0..needed).map_while(|_| self.budget.take(now)).collect();
        if tickets.len() < needed {
            tickets.into_iter().for_each(|ticket| self.budget.give_back(ticket));
            return;
        }
        self.looking = true;
        let rows: Vec<Doubtful> = chosen.into_iter().map(|(_, row)| row).collect();
        let (store, client, account, alone) =
            (self.store.clone(), self.client.clone(), self.account.clone(), self.alone);
        self.work.spawn(async move {
            let seqs = rows.iter().map(|row| row.seq).collect();
            // The ledger first: a restart must know of each request.
            for _ in &tickets {
                if let Err(error) = store.spend(&account).await {
                    let note = error.to_string();
                    return Done::Looked(
                        tickets,
                        seqs,
                        Looked { control: Control::Failed, found: HashMap::new(), note },
                    );
                }
            }
            let looked = look::look(&store, &client, &account, &rows, alone).await;
            Done::Looked(tickets, seqs, looked)
        });
    }

    /// Claims and sends while budget, breaker and disk allow; gives the time of the next chance.
    async fn start_sends(&mut self) -> Result<Mono, StoreError> {
        loop {
            self.hear();
            let now = clock::mono();
            let idle = now.after(IDLE_MS);
            let look_is_due = !self.looking && self.doubts.values().any(|(doubt, _)| doubt.next_look() <= now);
            let most = if self.breaker.doubts() > 0 { CAREFUL.min(self.in_flight_max) } else { self.in_flight_max };
            // A look that waits for its places goes first: sends must not eat them.
            if self.sending >= most || look_is_due {
                return Ok(idle);
            }
            match self.breaker.permit(now) {
                Permit::Free | Permit::One => {}
                Permit::Wait(until) => return Ok(until),
                Permit::Trying => return Ok(idle),
            }
            if let Some(wait) = self.waits_for_dictionaries(now) {
                return Ok(wait);
            }
            if let Err((free, needed)) = self.store.space().delivery() {
                tracing::warn!(account = %self.account, free, needed, "delivery stopped: the disk is nearly full");
                return Ok(now.after(STORE_AGAIN_MS));
            }
            let Some(ticket) = self.budget.take(now) else {
                return Ok(self.budget.next_free(now).map_or(idle, |at| at.max(now.after(1))));
            };
            crate::crash::point("send.before_intent");
            let version = self.dictionaries.get(&self.account).map_or(0, |dictionary| dictionary.version);
            let claimed = self.store.claim(&self.account, version).await;
            let Ok(Some(intent)) = claimed else {
                self.budget.give_back(ticket);
                // An order that came while the dictionaries changed was decided by the old ones: it is checked first.
                if version > 0 && !self.store.unchecked(&self.account, version, 1).await?.is_empty() {
                    self.dictionaries.unsettle(&self.account);
                }
                return claimed.map(|_| idle);
            };
            self.hear();
            if !self.may_send() {
                // What was heard while the intent was written: it is not sent after all.
                self.budget.give_back(ticket);
                send::put_back(&self.store, &intent).await;
                continue;
            }
            self.sending += 1;
            self.breaker.start_try();
            let (store, client, told) = (self.store.clone(), self.client.clone(), self.told.clone());
            self.work.spawn(async move {
                send::send(&store, &client, intent, now, |outcome| {
                    let _ = told.send((ticket, outcome.clone()));
                })
                .await;
                Done::Sent
            });
        }
    }

    /// When sends may go on, while they wait: for orders to be checked by newer dictionaries, or at the very first for the
    /// dictionaries themselves.
    fn waits_for_dictionaries(&self, now: Mono) -> Option<Mono> {
        if !self.dictionaries.is_settled(&self.account) {
            return Some(now.after(IDLE_MS));
        }
        let until = self.started.after(FIRST_WAIT_MS);
        let unknown = self.dictionaries.get(&self.account).is_none();
        (unknown && !self.fetch.concluded && now < until).then_some(until)
    }

    /// Fetches one page of the dictionaries with what the orders leave: half of the budget is never touched.
    fn start_listing(&mut self) -> Mono {
        let now = clock::mono();
        let idle = now.after(IDLE_MS);
        if self.listing || self.breaker.is_open() {
            return idle;
        }
        let Some(list) = self.fetch.next(now) else { return self.fetch.due.max(now.after(1)) };
        let (ceiling, used) = (self.budget.ceiling(now), self.budget.used(now));
        if used >= ceiling.div_ceil(2) {
            return now.after(1_000);
        }
        let Some(ticket) = self.budget.take(now) else {
            return self.budget.next_free(now).map_or(idle, |at| at.max(now.after(1)));
        };
        self.listing = true;
        let (store, client, account) = (self.store.clone(), self.client.clone(), self.account.clone());
        self.work.spawn(async move {
            // The ledger first: a restart must know of each request.
            let (listed, granted) = match store.spend(&account).await {
                Ok(()) => client.list(list).await,
                Err(error) => (Listed::Lost(error.to_string()), None),
            };
            Done::Listed(ticket, list, listed, granted)
        });
        idle
    }

    async fn take_page(&mut self, list: List, listed: Listed, now: Mono) -> Result<(), StoreError> {
        let concluded = self.fetch.concluded;
        match self.fetch.take(list, listed, now) {
            Next::More => {}
            Next::Wait(seconds) => {
                tracing::warn!(account = %self.account, seconds, "the CRM asked for time");
                self.budget.limited(now, seconds.saturating_mul(1_000));
            }
            Next::Keep(kind, rows) => {
                let changed = self.store.keep_dictionary(&self.account, kind, rows).await?;
                // At first they are used together, when there is all that an order needs.
                if self.fetch.concluded && (changed || !concluded) {
                    self.dictionaries.reload(&self.account, &self.store).await?;
                }
                if kind == parom_core::dictionary::Kind::Skus {
                    let outcome = self.fetch.outcome();
                    self.store.end_sync(&self.account, &outcome, self.fetch.granted).await?;
                    tracing::info!(account = %self.account, outcome, "dictionaries fetched");
                }
            }
            Next::Over(why) => {
                tracing::warn!(account = %self.account, why, "dictionaries could not be fetched whole");
                self.store.end_sync(&self.account, &why, self.fetch.granted).await?;
            }
        }
        Ok(())
    }

    /// Weighs the outcomes that have come.
    fn hear(&mut self) {
        while let Ok((ticket, outcome)) = self.outcomes.try_recv() {
            self.weigh_outcome(ticket, &outcome);
        }
    }

    fn may_send(&self) -> bool {
        let now = clock::mono();
        !self.budget.rests(now) && matches!(self.breaker.permit(now), Permit::Free | Permit::One)
    }

    async fn take(&mut self, done: Done) {
        let now = clock::mono();
        match done {
            Done::Sent => self.sending -= 1,
            Done::Listed(ticket, list, listed, granted) => {
                self.listing = false;
                self.budget.settle(ticket, now);
                self.fetch.granted = granted.or(self.fetch.granted);
                if let Err(error) = self.take_page(list, listed, now).await {
                    tracing::warn!(account = %self.account, %error, "a dictionary could not be kept yet");
                    self.fetch.due = self.fetch.due.max(now.after(STORE_AGAIN_MS));
                }
            }
            Done::Looked(tickets, seqs, looked) => {
                self.looking = false;
                tickets.into_iter().for_each(|ticket| self.budget.settle(ticket, now));
                self.weigh_look(&seqs, &looked, now).await;
            }
        }
    }

    fn weigh_outcome(&mut self, ticket: Ticket, outcome: &Outcome) {
        let now = clock::mono();
        self.budget.settle(ticket, now);
        metrics::counter!("parom_attempts_total", "account" => self.account.clone(), "outcome" => outcome.as_str())
            .increment(1);
        match outcome {
            Outcome::Delivered(_) | Outcome::Rejected(_) | Outcome::NumberTaken => self.breaker.known(),
            Outcome::RateLimited(rest) => {
                self.breaker.abandon_try();
                self.budget.limited(now, rest.saturating_mul(1_000));
                tracing::warn!(account = %self.account, rest, "the CRM asked for time");
            }
            Outcome::NotApplied => self.breaker.unreachable(now, random()),
            Outcome::Paused(status) => {
                self.breaker.refused(now, random());
                tracing::error!(account = %self.account, status, "the CRM refuses the key or the address; check both");
            }
            Outcome::Unknown(_) => self.breaker.unknown(now, random()),
        }
    }

    async fn weigh_look(&mut self, seqs: &[i64], looked: &Looked, now: Mono) {
        // If the control is missing from an answer to many numbers, perhaps commas do not split them.
        if looked.control == Control::Failed && !looked.found.is_empty() {
            self.alone = !self.alone;
        }
        for seq in seqs {
            let Some((mut doubt, row)) = self.doubts.remove(seq) else {
                continue;
            };
            let verdict = match looked.found.get(seq) {
                Some(finding) => doubt.weigh(finding, looked.control, now, &self.plan),
                None => {
                    doubt.missed(now, &self.plan);
                    Verdict::Wait
                }
            };
            let done = self.resolve(&row, &verdict, looked).await;
            if let Err(error) = done {
                tracing::warn!(order = %row.id, %error, "a look-up's result could not be written yet");
            }
            // Still listed until the next look at the rows: a verdict that was not written is found again.
            self.doubts.insert(*seq, (doubt, row));
        }
    }

    async fn resolve(&self, row: &Doubtful, verdict: &Verdict, looked: &Looked) -> Result<(), StoreError> {
        crate::crash::point("verify.before_result");
        match verdict {
            Verdict::Delivered(id) => {
                let note = format!("found in the CRM as {id}");
                tracing::info!(order = %row.id, crm_order_id = id, "found in the CRM");
                self.store.resolve(row, State::Delivered, Some(*id), "", &note).await?;
            }
            Verdict::Resend => {
                let note = "twice not in the CRM after the quiet period: sent again";
                tracing::warn!(order = %row.id, "not in the CRM; sent again");
                self.store.resolve(row, State::Queued, None, "resend", note).await?;
            }
            Verdict::Dispute(why) => {
                tracing::error!(order = %row.id, why, "a person must decide");
                self.store.resolve(row, State::Disputed, None, why, why).await?;
            }
            Verdict::Wait => {
                let note = match (looked.found.get(&row.seq), looked.control) {
                    (None, _) => format!("look-up without an answer: {}", looked.note),
                    (Some(Finding::Absent), Control::Failed) => "not found, but the control is missing too".to_owned(),
                    (Some(_), _) => "not found yet".to_owned(),
                };
                self.store.note_look(vec![row.seq], &note).await?;
            }
        }
        Ok(())
    }

    fn tell_pulse(&self) {
        let now = clock::mono();
        let free_places = self.budget.ceiling(now).saturating_sub(self.budget.used(now));
        let asked_to_rest = self.budget.next_free(now).is_some_and(|at| at > now.after(1_000));
        self.store
            .board()
            .set_pulse(&self.account, Pulse { resting: self.breaker.is_open() || asked_to_rest, free_places });
    }
}

/// Jitter needs no more than the clock's and the process's own noise.
fn random() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u128() & 0xffff;
    f64::from(u32::try_from(bits).unwrap_or_default()) / 65_535.0
}
