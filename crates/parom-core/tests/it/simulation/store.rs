//! The store's verbs, each atomic, as `store/` has them: what they check is checked here, what they keep is kept.

use std::collections::BTreeMap;

use parom_core::delivery::dispatch::DoubtRow;
use parom_core::delivery::outcome::{Outcome, becomes};
use parom_core::delivery::rows::{Delivered, Wanted};
use parom_core::delivery::state::{State, allowed};
use parom_core::delivery::{checks, reason};
use parom_core::order::Target;

use super::{Broken, LEASE, SOURCE};

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) number: String,
    pub(crate) body: u64,
    /// By the wall clock, milliseconds.
    pub(crate) received_at: i64,
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
    pub(crate) resends: u32,
    pub(crate) epoch: u64,
    pub(crate) crm_id: Option<i64>,
    pub(crate) delivered_at: i64,
    pub(crate) check_at: Option<i64>,
    looks_back: u32,
    doubted: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) rows: BTreeMap<i64, Row>,
    keys: BTreeMap<u64, i64>,
    /// Starts of requests, by the clock that only goes forward.
    ledger: Vec<u64>,
    leader: Option<(usize, u64, u64)>,
    epoch: u64,
    pub(crate) illegal: Vec<(State, State)>,
    pub(crate) broken: Option<Broken>,
    /// What comes by a key after a restore may have gone before it.
    restored: bool,
}

/// A committed intent.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) seq: i64,
    pub(crate) attempt: u32,
    pub(crate) epoch: u64,
    pub(crate) number: String,
    pub(crate) body: u64,
}

impl Store {
    pub(crate) fn new(broken: Option<Broken>) -> Store {
        Store { broken, ..Store::default() }
    }

    pub(crate) fn accept(&mut self, key: u64, wall: i64) -> i64 {
        if let (Some(seq), true) = (self.keys.get(&key), self.broken != Some(Broken::KeyUnchecked)) {
            return *seq;
        }
        let seq = i64::try_from(self.rows.len()).unwrap() + 1;
        let row = Row {
            number: format!("P-{key}"),
            body: key.wrapping_mul(31),
            received_at: wall,
            state: if self.restored { State::Unconfirmed } else { State::Queued },
            reason: String::new(),
            attempts: 0,
            resends: 0,
            epoch: 0,
            crm_id: None,
            delivered_at: 0,
            check_at: None,
            looks_back: 0,
            doubted: false,
        };
        self.rows.insert(seq, row);
        self.keys.insert(key, seq);
        seq
    }

    pub(crate) fn has(&self, key: u64) -> bool {
        self.keys.contains_key(&key)
    }

    /// Takes or keeps the lease; the epoch, where this node leads. Time is the store's own.
    pub(crate) fn lead(&mut self, node: usize, now: u64) -> Option<(u64, bool)> {
        match self.leader {
            // Nobody took it over: it goes on.
            Some((owner, epoch, _)) if owner == node => {
                self.leader = Some((node, epoch, now + LEASE));
                Some((epoch, false))
            }
            Some((_, _, until)) if until > now => None,
            _ => {
                self.epoch += 1;
                self.leader = Some((node, self.epoch, now + LEASE));
                Some((self.epoch, true))
            }
        }
    }

    /// The one that led is gone for sure.
    pub(crate) fn abdicate(&mut self) {
        self.leader = None;
    }

    /// A dispatcher gives up its lease, if it is still its own.
    pub(crate) fn give_up(&mut self, epoch: u64) {
        self.leader = self.leader.filter(|(_, current, _)| *current != epoch);
    }

    /// Whether an order waits in the queue.
    pub(crate) fn waits(&self) -> bool {
        self.rows.values().any(|row| row.state == State::Queued)
    }

    /// A planted fault: intents that were not on disk are gone with their process.
    pub(crate) fn forget_intents(&mut self, epoch: u64) {
        for row in self.rows.values_mut().filter(|row| row.state == State::Sending && row.epoch == epoch) {
            row.state = State::Queued;
        }
    }

    fn leads(&self, epoch: u64, now: u64) -> bool {
        self.broken == Some(Broken::EpochUnchecked)
            || self.leader.is_some_and(|(_, current, until)| current == epoch && until > now)
    }

    pub(crate) fn claim(&mut self, epoch: u64, now: u64) -> Option<Intent> {
        if !self.leads(epoch, now) {
            return None;
        }
        let seq = self.rows.iter().find(|(_, row)| row.state == State::Queued).map(|(seq, _)| *seq)?;
        self.set(seq, State::Sending, "");
        self.ledger.push(now);
        let row = self.rows.get_mut(&seq)?;
        row.attempts += 1;
        row.epoch = epoch;
        Some(Intent { seq, attempt: row.attempts, epoch, number: row.number.clone(), body: row.body })
    }

    /// Orders that were never sent and wait.
    pub(crate) fn fresh(&self) -> Vec<i64> {
        let fresh = |row: &Row| row.state == State::Queued && row.attempts == 0;
        self.rows.iter().filter(|(_, row)| fresh(row)).map(|(seq, _)| *seq).collect()
    }

    /// Intents for a bulk call, together or none.
    pub(crate) fn claim_bulk(&mut self, epoch: u64, now: u64, most: usize) -> Vec<Intent> {
        if !self.leads(epoch, now) {
            return Vec::new();
        }
        self.ledger.push(now);
        let mut intents = Vec::new();
        for seq in self.fresh().into_iter().take(most) {
            self.set(seq, State::Sending, reason::BULK);
            let Some(row) = self.rows.get_mut(&seq) else { continue };
            row.attempts += 1;
            row.epoch = epoch;
            intents.push(Intent { seq, attempt: row.attempts, epoch, number: row.number.clone(), body: row.body });
        }
        intents
    }

    /// A place for a request that is no POST; a dispatcher that does not lead any more gets none.
    pub(crate) fn spend(&mut self, epoch: u64, now: u64) -> bool {
        let leads = self.leads(epoch, now);
        if leads {
            self.ledger.push(now);
        }
        leads
    }

    pub(crate) fn settle(&mut self, intent: &Intent, outcome: &Outcome, wall: i64) {
        let Some(row) = self.rows.get(&intent.seq) else { return };
        let current = row.attempts == intent.attempt && row.epoch == intent.epoch && row.state == State::Sending;
        if !current && self.broken != Some(Broken::ResultUnguarded) {
            return;
        }
        let (state, reason) = becomes(outcome);
        let crm_id = match outcome {
            Outcome::Delivered(id) => Some(*id),
            _ => None,
        };
        self.move_to(intent.seq, state, &reason, crm_id, wall);
    }

    /// What was being sent when the process ended, or by a leader that is gone, may have been sent.
    pub(crate) fn recover(&mut self, epoch: u64) {
        let cut: Vec<i64> =
            self.rows.iter().filter(|(_, r)| r.state == State::Sending && r.epoch != epoch).map(|(s, _)| *s).collect();
        let to = if self.broken == Some(Broken::RecoverToQueued) { State::Queued } else { State::Unconfirmed };
        for seq in cut {
            let reason = self.rows[&seq].reason.clone();
            self.set(seq, to, if reason == reason::BULK { reason::BULK } else { reason::INTERRUPTED });
        }
    }

    /// After a restore every order that is not settled may have gone meanwhile, and the last minute's requests are unknown.
    pub(crate) fn verify_first(&mut self, now: u64, limit: u32) {
        if self.broken == Some(Broken::RestoredAsIs) {
            return;
        }
        self.restored = true;
        self.ledger.extend((0..limit).map(|_| now));
        let all: Vec<i64> = self.rows.iter().filter(|(_, r)| r.state == State::Queued).map(|(seq, _)| *seq).collect();
        all.into_iter().for_each(|seq| self.set(seq, State::Unconfirmed, "restored"));
    }

    /// `at`: the order, and how often it had been sent when it was looked for.
    pub(crate) fn resolve(&mut self, at: (i64, u32), state: State, crm_id: Option<i64>, reason: &str, wall: i64) {
        let (seq, sent) = at;
        let Some(row) = self.rows.get(&seq).filter(|row| row.state == State::Unconfirmed) else { return };
        // Sent again since: the look was another attempt's. Rare: one life in some 40,000 needs it.
        if row.attempts != sent {
            return;
        }
        // Another order of ours is that row already.
        let taken = crm_id.is_some() && self.rows.iter().any(|(other, row)| *other != seq && row.crm_id == crm_id);
        if taken {
            return self.move_to(seq, State::Disputed, "the CRM's row is another order's", None, wall);
        }
        self.move_to(seq, state, reason, crm_id, wall);
        if state == State::Queued
            && let Some(row) = self.rows.get_mut(&seq)
        {
            row.resends += 1;
        }
    }

    pub(crate) fn checked(&mut self, seq: i64, wrong: Option<&str>, again: bool, wall: i64) {
        let Some(row) = self.rows.get_mut(&seq).filter(|row| row.state == State::Delivered) else { return };
        row.looks_back += 1;
        row.check_at = if again { checks::next(row.doubted, row.looks_back, wall) } else { None };
        if let Some(why) = wrong {
            self.set(seq, State::Disputed, why);
        }
    }

    /// The answer proved nothing: later.
    pub(crate) fn check_later(&mut self, seq: i64, wall: i64) {
        if let Some(row) = self.rows.get_mut(&seq) {
            row.check_at = Some(checks::again(wall));
        }
    }

    fn move_to(&mut self, seq: i64, state: State, reason: &str, crm_id: Option<i64>, wall: i64) {
        let doubted = self.rows.get(&seq).is_some_and(|row| row.state == State::Unconfirmed || row.resends > 0);
        self.set(seq, state, reason);
        let Some(row) = self.rows.get_mut(&seq) else { return };
        row.crm_id = crm_id.or(row.crm_id);
        if state == State::Delivered {
            row.delivered_at = wall;
            (row.looks_back, row.doubted) = (0, doubted);
            row.check_at = checks::next(doubted, 0, wall);
        }
    }

    fn set(&mut self, seq: i64, state: State, reason: &str) {
        let Some(row) = self.rows.get_mut(&seq) else { return };
        if row.state != state && !allowed(row.state, state) {
            self.illegal.push((row.state, state));
        }
        row.state = state;
        reason.clone_into(&mut row.reason);
    }

    pub(crate) fn doubts(&self) -> Vec<DoubtRow> {
        let doubtful = self.rows.iter().filter(|(_, row)| row.state == State::Unconfirmed);
        let row = |(seq, row): (&i64, &Row)| DoubtRow {
            seq: *seq,
            taken: row.reason == reason::NUMBER_TAKEN,
            said: row.crm_id,
            asked: false,
            restored: row.reason == reason::RESTORED,
            bulk: row.reason == reason::BULK,
            attempts: i64::from(row.attempts),
            resends: row.resends,
            target: Target::Order,
        };
        doubtful.map(row).collect()
    }

    pub(crate) fn wanted(&self, seq: i64) -> Option<Wanted> {
        let row = self.rows.get(&seq)?;
        let received_at = jiff::Timestamp::from_millisecond(row.received_at).unwrap();
        Some(Wanted { source_id: SOURCE, number: row.number.clone(), received_at })
    }

    pub(crate) fn controls(&self) -> Vec<Delivered> {
        let mut delivered: Vec<(&i64, &Row)> =
            self.rows.iter().filter(|(_, row)| row.state == State::Delivered).collect();
        delivered.sort_by_key(|(_, row)| std::cmp::Reverse(row.delivered_at));
        let control =
            |row: &Row| Some(Delivered { crm_order_id: row.crm_id?, source_id: SOURCE, number: row.number.clone() });
        delivered.iter().take(2).filter_map(|(_, row)| control(row)).collect()
    }

    /// Ages of the last requests.
    pub(crate) fn spent(&self, now: u64) -> Vec<u64> {
        self.ledger.iter().map(|at| now.saturating_sub(*at)).filter(|age| *age < 120_000).collect()
    }
}
