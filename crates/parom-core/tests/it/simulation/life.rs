//! One life: time, nodes, and what happens in which order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use parom_core::delivery::Mono;
use parom_core::delivery::dispatch::{Back, Dispatch, Look, Looked};
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rate::Ticket;

use super::bulk;
use super::crm::{Crm, EPOCH};
use super::send::Heard;
use super::store::{Intent, Store};
use super::{Broken, Fate, HOUR, MINUTE, PLAN, RENEW, TIMEOUT};
use crate::dice::Dice;

/// What happens at a moment. Events of a node carry its generation: a crash makes those of before void.
#[derive(Debug)]
pub(crate) enum Event {
    /// The sender of this key sends, first or again.
    Post(u64),
    Start,
    Turn,
    Claim(u64, Ticket, Mono),
    Goes(Intent, Ticket, Mono),
    Heard(Intent, Ticket, Heard),
    Settle(Intent, Outcome),
    BulkClaim(u64, Ticket, Mono),
    BulkGoes(Vec<Intent>, Ticket, Mono),
    BulkHeard(Vec<Intent>, Ticket, Heard),
    BulkSettle(Vec<Intent>, Outcome),
    LookGoes(u64, Look),
    /// With how often each order had been sent when it was looked for.
    LookHeard(u64, Look, Looked, BTreeMap<i64, u32>),
    CheckGoes(u64, Back, Vec<i64>),
    /// A request that was lost is applied after all.
    Late {
        number: String,
        body: u64,
        beyond: bool,
    },
    Freeze(u64),
    ClockJump(i64),
    Snapshot,
    Restore,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) alive: bool,
    pub(crate) generation: u64,
    frozen_until: u64,
    pub(crate) dispatch: Option<(u64, Dispatch)>,
    pub(crate) checking: bool,
    next_turn: u64,
}

/// A loop that is never at rest burns a processor: no life needs so many events.
pub(crate) const BUSY: u64 = 20_000;

#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) now: u64,
    pub(crate) fate: Fate,
    pub(crate) dice: Dice,
    pub(crate) store: Store,
    pub(crate) crm: Crm,
    pub(crate) nodes: Vec<Node>,
    pub(crate) acked: BTreeSet<u64>,
    /// Whose rows were acked after the snapshot that a restore goes back to.
    pub(crate) lost_by_restore: BTreeSet<u64>,
    snapshot: Option<(Store, BTreeSet<u64>)>,
    wall_offset: i64,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: BTreeMap<u64, (usize, u64, Event)>,
    next: u64,
    /// Starts of POSTs that ended in doubt, since the last one that did not.
    pub(crate) doubted: Vec<u64>,
    pub(crate) doubted_at_once: usize,
    pub(crate) happened: u64,
    /// When the CRM asked for time, and until when; nobody knows it after a restart.
    pub(crate) asked_to_rest: (u64, u64),
    /// POSTs that went all the same.
    pub(crate) disobeyed: usize,
    /// Orders that counted as delivered while the CRM had none of them.
    pub(crate) dreamt: Vec<String>,
    tells: bool,
}

impl Life {
    pub(crate) fn new(seed: u64, broken: Option<Broken>) -> Life {
        let mut dice = Dice(seed);
        let mut fate = Fate::of(&mut dice);
        // By dice of its own: lives of before stay what they were.
        let mut bulk = Dice(seed ^ 0x62_75_6c_6b);
        if bulk.below(4) == 0 {
            fate.bulk = true;
            fate.orders += bulk.below(10);
        }
        let node = || Node {
            alive: false,
            generation: 0,
            frozen_until: 0,
            dispatch: None,
            checking: false,
            next_turn: u64::MAX,
        };
        let mut life = Life {
            now: 0,
            nodes: (0..fate.nodes).map(|_| node()).collect(),
            store: Store::new(broken),
            crm: Crm::default(),
            acked: BTreeSet::new(),
            lost_by_restore: BTreeSet::new(),
            snapshot: None,
            wall_offset: 0,
            events: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            next: 0,
            doubted: Vec::new(),
            doubted_at_once: 0,
            happened: 0,
            asked_to_rest: (0, 0),
            disobeyed: 0,
            dreamt: Vec::new(),
            tells: super::tells(),
            fate,
            dice,
        };
        life.plan();
        life
    }

    /// What is certain to happen: orders, starts, and the faults of time and machines.
    fn plan(&mut self) {
        let end = self.fate.faults_until;
        for node in 0..self.nodes.len() {
            self.at(self.dice.clone().below(500), node, Event::Start);
        }
        // One order comes before any trouble, in most lives: look-ups then have a control.
        let first = if self.dice.below(4) == 0 { end / 2 } else { MINUTE };
        for key in 0..self.fate.orders {
            let when = if key == 0 { 1_000 } else { first + self.dice.below(end / 2) };
            if key > 0 && self.fate.strangers && self.dice.below(2) == 0 {
                self.crm.stranger(&format!("P-{key}"));
            }
            self.at(when, 0, Event::Post(key));
        }
        for _ in 0..self.dice.below(3) {
            let (when, node) = (self.dice.below(end), self.any_node());
            let long = [5_000, 40_000, 6 * MINUTE][self.pick(3)];
            self.at(when, node, Event::Freeze(long));
        }
        if !self.fate.strangers && self.nodes.len() == 1 {
            for _ in 0..self.dice.below(3) {
                let size = [1_000, 3_600_000, 86_400_000, 315_360_000_000][self.pick(4)];
                let delta = if self.dice.below(2) == 0 { size } else { -size };
                let when = self.dice.below(end);
                self.at(when, 0, Event::ClockJump(delta));
            }
        }
        if self.fate.restore {
            let when = MINUTE + self.dice.below(end / 2);
            self.at(when, 0, Event::Snapshot);
            let later = when + self.dice.below(end / 2);
            self.at(later, 0, Event::Restore);
        }
    }

    /// Lives until nothing happens any more, or three days are over.
    pub(crate) fn run(mut self) -> Life {
        while let Some(Reverse((when, id))) = self.events.pop() {
            self.happened += 1;
            if when > 75 * HOUR || self.happened > BUSY {
                break;
            }
            let Some((node, generation, event)) = self.waiting.remove(&id) else { continue };
            self.now = when;
            if self.tells {
                println!("{:>9.3} s node {node}.{generation}: {event:?}", when as f64 / 1_000.0);
            }
            self.happen(node, generation, event);
        }
        self
    }

    fn happen(&mut self, node: usize, generation: u64, event: Event) {
        match event {
            Event::Post(key) => return self.post(key),
            Event::Late { number, body, beyond } => return self.late(&number, body, beyond),
            Event::ClockJump(delta) => return self.wall_offset += delta,
            Event::Snapshot => return self.snapshot = Some((self.store.clone(), self.acked.clone())),
            Event::Restore => return self.restore(),
            Event::Start => return self.start(node),
            _ => {}
        }
        if self.nodes[node].generation != generation || !self.nodes[node].alive {
            return;
        }
        let frozen = self.nodes[node].frozen_until;
        if frozen > self.now {
            if matches!(event, Event::Turn) && self.nodes[node].next_turn == self.now {
                self.nodes[node].next_turn = frozen;
            }
            return self.push(frozen, node, generation, event);
        }
        match event {
            Event::Freeze(long) => self.nodes[node].frozen_until = self.now + long,
            Event::Turn => self.turn(node),
            Event::Claim(epoch, ticket, claimed) => self.claim(node, epoch, ticket, claimed),
            Event::Goes(intent, ticket, claimed) => self.goes(node, intent, ticket, claimed),
            Event::Heard(intent, ticket, heard) => self.heard(node, intent, ticket, heard),
            Event::Settle(intent, outcome) => self.settle(node, &intent, &outcome),
            Event::BulkClaim(epoch, ticket, claimed) => self.bulk_claim(node, epoch, ticket, claimed),
            Event::BulkGoes(intents, ticket, claimed) => self.bulk_goes(node, intents, ticket, claimed),
            Event::BulkHeard(intents, ticket, heard) => self.bulk_heard(node, intents, ticket, &heard),
            Event::BulkSettle(intents, outcome) => self.bulk_settle(node, &intents, &outcome),
            Event::LookGoes(epoch, look) => self.look_goes(node, epoch, look),
            Event::LookHeard(epoch, look, looked, sent) => self.look_heard(node, epoch, look, &looked, &sent),
            Event::CheckGoes(epoch, back, seqs) => self.check_goes(node, epoch, back, &seqs),
            _ => {}
        }
    }

    /// The sender sends; without an answer again, with the same key.
    fn post(&mut self, key: u64) {
        let again = self.now + 1_000 + self.dice.below(10_000);
        let alive = (0..self.nodes.len()).find(|node| self.nodes[*node].alive);
        let Some(node) = alive else { return self.at(again, 0, Event::Post(key)) };
        if self.store.broken == Some(Broken::AckBeforeCommit) {
            self.acked.insert(key);
        }
        if self.crashes(node) {
            if !self.acked.contains(&key) {
                self.at(again, 0, Event::Post(key));
            }
            return;
        }
        let wall = self.wall();
        self.store.accept(key, wall);
        if self.crashes(node) || self.trouble(self.fate.trouble) {
            // Kept, and the answer lost.
            return self.at(again, 0, Event::Post(key));
        }
        self.acked.insert(key);
        for node in 0..self.nodes.len() {
            self.soon(node);
        }
    }

    fn start(&mut self, node: usize) {
        let place = &mut self.nodes[node];
        place.alive = true;
        place.generation += 1;
        place.frozen_until = 0;
        place.dispatch = None;
        place.checking = false;
        place.next_turn = u64::MAX;
        self.doubted.clear();
        self.asked_to_rest = (0, 0);
        if self.nodes.len() == 1 {
            // The file's lock: the old process is gone.
            self.store.abdicate();
        }
        self.soon(node);
    }

    fn restore(&mut self) {
        let Some((store, acked)) = self.snapshot.take() else { return };
        self.lost_by_restore = self.acked.difference(&acked).copied().collect();
        self.store = store;
        self.lost_by_restore.retain(|key| !self.store.has(*key));
        self.store.verify_first(self.now, self.fate.limit);
        self.kill(0);
    }

    /// One turn of the dispatcher's loop, in the order of the gateway's.
    fn turn(&mut self, node: usize) {
        if self.nodes[node].next_turn != self.now {
            // An earlier one was taken in its place.
            return;
        }
        self.nodes[node].next_turn = u64::MAX;
        let owner = node * 1_000_000 + usize::try_from(self.nodes[node].generation).unwrap();
        let mono = self.mono();
        // While nothing waits, one leader is as good as another.
        let others = self.nodes.iter().enumerate().any(|(other, place)| other != node && place.dispatch.is_some());
        if self.idle() && others && self.nodes[node].dispatch.is_none() {
            return self.turn_at(node, self.now + HOUR);
        }
        let Some((epoch, fresh)) = self.store.lead(owner, self.now) else {
            self.nodes[node].dispatch = None;
            let wait = if self.idle() { HOUR } else { RENEW };
            return self.turn_at(node, self.now + wait);
        };
        if fresh || self.nodes[node].dispatch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.store.recover(epoch);
            let mut dispatch = Dispatch::new(self.fate.limit, PLAN, 4).with_bulk(self.fate.bulk);
            self.store.spent(self.now).into_iter().for_each(|age| dispatch.inherit(mono, age, TIMEOUT, 1));
            self.nodes[node].dispatch = Some((epoch, dispatch));
        }
        let doubts = self.store.doubts();
        let Some((_, dispatch)) = &mut self.nodes[node].dispatch else { return };
        dispatch.refresh(doubts, mono);
        let look = dispatch.look(mono);
        let mut next = mono.after(30_000);
        let (mut claim, mut bulk) = (None, None);
        let backlog = dispatch.takes_bulk(mono) && self.store.fresh().len() >= bulk::WORTH;
        if backlog && dispatch.ready_for_bulk(mono) {
            match dispatch.place(mono) {
                Ok(ticket) => {
                    dispatch.sends_bulk();
                    bulk = Some(ticket);
                }
                Err(at) => next = next.min(at.unwrap_or(next)),
            }
        }
        match dispatch.ready(mono) {
            _ if backlog && dispatch.leaves_to_bulk(mono) => {}
            Err(until) => next = next.min(until.unwrap_or(next)),
            Ok(()) if !self.store.waits() => {}
            Ok(()) => match dispatch.place(mono) {
                Ok(ticket) => claim = Some(ticket),
                Err(at) => next = next.min(at.unwrap_or(next)),
            },
        }
        next = next.min(dispatch.next_look(mono).unwrap_or(next));
        if let Some(look) = look {
            self.push_in(node, 5, Event::LookGoes(epoch, look));
        }
        if let Some(ticket) = bulk {
            self.push_in(node, 5, Event::BulkClaim(epoch, ticket, mono));
            self.stalls(node, 30);
        }
        if let Some(ticket) = claim {
            self.push_in(node, 5, Event::Claim(epoch, ticket, mono));
            // Between the lease and the claim: the lease may be another's when it goes on.
            self.stalls(node, 30);
        }
        let check = self.start_check(node, epoch);
        if self.idle() && check.is_none() {
            // Nothing to do: the next order wakes it.
            return;
        }
        let wait = check.map_or(next.since(mono), |at| at.min(next.since(mono)));
        let wait = if self.idle() { check.unwrap_or(wait) } else { wait.min(RENEW) };
        self.turn_at(node, self.now + wait.max(1));
    }

    fn idle(&self) -> bool {
        use parom_core::delivery::state::State;
        !self.store.rows.values().any(|r| matches!(r.state, State::Queued | State::Sending | State::Unconfirmed))
    }

    /// What counts as delivered must be there at that moment, not only in the end.
    pub(crate) fn compare(&mut self, seq: i64) {
        use parom_core::delivery::state::State;
        let Some(row) = self.store.rows.get(&seq).filter(|row| row.state == State::Delivered) else { return };
        if !self.crm.rows.iter().any(|kept| kept.number == row.number && !kept.stranger) {
            self.dreamt.push(row.number.clone());
        }
    }

    /// Its lease is over: what it knew is forgotten.
    pub(crate) fn abdicates(&mut self, node: usize) {
        if let Some((epoch, _)) = self.nodes[node].dispatch.take() {
            self.store.give_up(epoch);
            self.asked_to_rest = (0, 0);
        }
        self.soon(node);
    }

    /// One time in so many, in lives with frozen machines, the node stands still here for longer than a lease.
    pub(crate) fn stalls(&mut self, node: usize, of: u64) {
        if self.now < self.fate.faults_until && self.fate.freeze > 0 && self.dice.below(of) == 0 {
            let long = 3 * MINUTE + self.dice.below(7 * MINUTE);
            self.nodes[node].frozen_until = self.now + long;
        }
    }

    /// Whether the node dies here.
    pub(crate) fn crashes(&mut self, node: usize) -> bool {
        let faulty = self.now < self.fate.faults_until;
        if faulty && self.dice.below(1_000) < self.fate.freeze {
            self.nodes[node].frozen_until = self.now + [5_000, 40_000, 6 * MINUTE][self.pick(3)];
        }
        let dies = faulty && self.dice.below(1_000) < self.fate.crash;
        if dies {
            self.kill(node);
        }
        dies
    }

    fn kill(&mut self, node: usize) {
        if self.store.broken == Some(Broken::IntentUncommitted)
            && let Some((epoch, _)) = &self.nodes[node].dispatch
        {
            self.store.forget_intents(*epoch);
        }
        self.nodes[node].alive = false;
        self.nodes[node].generation += 1;
        let rest = [1_000, 20_000, 3 * MINUTE][self.pick(3)];
        let when = self.now + 100 + self.dice.below(rest);
        self.at(when, node, Event::Start);
    }

    pub(crate) fn trouble(&mut self, of_hundred: u64) -> bool {
        self.now < self.fate.faults_until && self.dice.below(100) < of_hundred
    }

    /// Any of so many, or this life's own.
    pub(crate) fn favourite(&mut self, of: u64) -> usize {
        let any = self.pick(of);
        self.fate.favourite.map_or(any, |own| usize::try_from(own % of).unwrap())
    }

    pub(crate) fn pick(&mut self, of: u64) -> usize {
        usize::try_from(self.dice.below(of)).unwrap()
    }

    fn any_node(&mut self) -> usize {
        self.pick(u64::try_from(self.nodes.len()).unwrap())
    }

    pub(crate) fn mono(&self) -> Mono {
        Mono(1_000_000 + self.now)
    }

    /// The gateway's time of day.
    pub(crate) fn wall(&self) -> i64 {
        EPOCH + i64::try_from(self.now).unwrap() + self.wall_offset
    }

    /// The dispatcher is woken.
    pub(crate) fn soon(&mut self, node: usize) {
        self.turn_at(node, self.now + 1);
    }

    fn turn_at(&mut self, node: usize, when: u64) {
        if self.nodes[node].alive && when < self.nodes[node].next_turn {
            self.nodes[node].next_turn = when;
            let generation = self.nodes[node].generation;
            self.push(when, node, generation, Event::Turn);
        }
    }

    pub(crate) fn push_in(&mut self, node: usize, most: u64, event: Event) {
        let when = self.now + self.dice.below(most.max(1));
        let generation = self.nodes[node].generation;
        self.push(when, node, generation, event);
    }

    pub(crate) fn at(&mut self, when: u64, node: usize, event: Event) {
        let generation = self.nodes[node].generation;
        self.push(when, node, generation, event);
    }

    fn push(&mut self, when: u64, node: usize, generation: u64, event: Event) {
        self.next += 1;
        self.events.push(Reverse((when, self.next)));
        self.waiting.insert(self.next, (node, generation, event));
    }
}
