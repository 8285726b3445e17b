//! What an account's dispatcher may do now, and what it makes of what it hears: budget, breaker and doubts together. The
//! gateway's loop and the simulation both ask here; neither decides by itself.

use std::collections::{BTreeMap, HashMap};

use super::Mono;
use super::breaker::{Breaker, Permit};
use super::outcome::Outcome;
use super::planted::{self, Planted};
use super::rate::{Budget, Ticket};
use super::rows::Finding;
use super::verify::{Control, Doubt, Plan, Verdict};
use crate::limits;
use crate::order::Target;

/// POSTs under way after an unknown outcome: a crash then leaves few doubtful orders.
const CAREFUL: usize = 2;
/// An intent older than this is not sent any more: the machine slept between the two.
pub const SEND_DEADLINE_MS: u64 = 20_000;
/// Pages of cards that one look reads.
pub const CARD_PAGES: usize = 3;
/// Orders in one look-up: the controls need places too.
const BATCH: usize = limits::LOOKUP_NUMBERS - 2;
/// Orders in one look where lists by comma do not work.
const SINGLY: usize = 3;

/// The decisions of one account.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Its requests of the last minute.
    pub budget: Budget,
    /// Whether the CRM can be trusted to answer.
    pub breaker: Breaker,
    /// The times of verification.
    pub plan: Plan,
    /// POSTs under way at most.
    most: usize,
    sending: usize,
    looking: bool,
    /// Commas do not split numbers in this installation's look-ups, as far as was seen.
    alone: bool,
    /// Because rows came that nobody asked for.
    strange: bool,
    /// The last look showed its control: the next one needs no second request for one.
    proven: bool,
    bulk: Bulk,
    doubts: BTreeMap<i64, Doubt>,
}

/// Whether a backlog goes by the bulk call.
#[derive(Clone, Copy, Debug, Default)]
struct Bulk {
    /// It is switched on, and nothing surprising was seen.
    on: bool,
    under_way: bool,
    /// Calls that were answered as they should.
    calls: u32,
}

/// A doubtful order's row, as far as decisions need it.
#[derive(Clone, Copy, Debug)]
pub struct DoubtRow {
    /// The order's row.
    pub seq: i64,
    /// The CRM said that its number is taken.
    pub taken: bool,
    /// The CRM's number of it by the CRM's or a person's own word, whatever a look for the order's number shows.
    pub said: Option<i64>,
    /// A person asked to look, and to send it if it is not there.
    pub asked: bool,
    /// The store was restored.
    pub restored: bool,
    /// It went in a bulk call.
    pub bulk: bool,
    /// Times that it was sent at all, as far as anybody knows.
    pub attempts: i64,
    /// Times that it was sent again.
    pub resends: u32,
    /// What it becomes in the CRM.
    pub target: Target,
}

/// A look to be made: its orders, and the places that it may take.
#[derive(Clone, Debug)]
pub struct Look {
    /// The orders' rows.
    pub seqs: Vec<i64>,
    /// What they become in the CRM.
    pub target: Target,
    /// A place for each request.
    pub tickets: Vec<Ticket>,
    /// One number a request.
    pub alone: bool,
    /// When it began: what it finds is not newer for being heard late, by a machine that stood still.
    pub began: Mono,
}

impl Look {
    /// Whether its places pay for a request that is the control's. While the CRM slows the account down to one request a
    /// minute they do not: what such a look does not find is no absence.
    #[must_use]
    pub fn pays_for_control(&self) -> bool {
        self.tickets.len() > 1
    }
}

/// A look back at delivered orders.
#[derive(Clone, Debug)]
pub struct Back {
    /// Orders that it may have.
    pub orders: usize,
    /// A place for each request.
    pub tickets: Vec<Ticket>,
    /// One number a request, and the control in another.
    pub alone: bool,
}

/// What a look brought.
#[derive(Clone, Debug)]
pub struct Looked {
    /// How far its absences can be trusted.
    pub control: Control,
    /// What was found, by row; a row without a finding got no answer.
    pub found: HashMap<i64, Finding>,
    /// The CRM asked for so many seconds.
    pub rest: Option<u64>,
    /// Rows came that nobody asked for.
    pub strange: bool,
}

impl Dispatch {
    /// Nothing taken, nothing doubtful.
    #[must_use]
    pub fn new(requests_per_minute: u32, plan: Plan, in_flight: usize) -> Dispatch {
        // In proportion to the quiet period: 10 s up to 5 min with the default of 180 s.
        let breaker = Breaker::new((plan.quiet / 18).min(10_000), (plan.quiet.saturating_mul(5) / 3).min(300_000));
        Dispatch {
            budget: Budget::new(requests_per_minute),
            breaker,
            plan,
            most: in_flight,
            sending: 0,
            looking: false,
            alone: false,
            strange: false,
            proven: false,
            bulk: Bulk::default(),
            doubts: BTreeMap::new(),
        }
    }

    /// Lets a backlog go by the bulk call, until something surprising is seen.
    #[must_use]
    pub fn with_bulk(mut self, on: bool) -> Dispatch {
        self.bulk.on = on;
        self
    }

    /// Counts requests of before this process by the ledger, which has their start `age` milliseconds ago.
    pub fn inherit(&mut self, now: Mono, age: u64, timeout: u64, places: u32) {
        for _ in 0..places.min(self.budget.limit()) {
            if !planted::is(Planted::LedgerForgotten) {
                self.budget.inherit_started(now, age, timeout);
            }
        }
    }

    /// Whether an order may be claimed now.
    ///
    /// # Errors
    /// When to ask again; none: the end of something under way decides.
    pub fn ready(&self, now: Mono) -> Result<(), Option<Mono>> {
        let most = if self.breaker.doubts() > 0 { CAREFUL.min(self.most) } else { self.most };
        if self.sending >= most || self.look_is_due(now) {
            return Err(None);
        }
        match self.breaker.permit(now) {
            Permit::Free | Permit::One => Ok(()),
            Permit::Wait(until) => Err(Some(until)),
            Permit::Trying => Err(None),
        }
    }

    /// A look that waits for its places goes first: sends must not eat them.
    fn look_is_due(&self, now: Mono) -> bool {
        !self.looking && self.doubts.values().any(|doubt| doubt.next_look() <= now)
    }

    /// Whether bulk calls go. They are of no use where look-ups take one number a request, and nothing to try where answers
    /// are in doubt.
    #[must_use]
    pub fn takes_bulk(&self, now: Mono) -> bool {
        self.bulk.on && !self.alone && self.breaker.doubts() == 0 && self.breaker.permit(now) == Permit::Free
    }

    /// Whether a bulk call may be made now: one at a time, no more than a few looks can settle, and the second when all of
    /// the first were found.
    #[must_use]
    pub fn ready_for_bulk(&self, now: Mono) -> bool {
        let open = self.doubts.values().any(Doubt::is_of_bulk);
        let settles = self.doubts.len() < 3 * BATCH && (self.bulk.calls >= 2 || !open);
        self.takes_bulk(now) && !self.bulk.under_way && !self.look_is_due(now) && settles
    }

    /// Whether a backlog's orders leave the budget to bulk calls: while those get on.
    #[must_use]
    pub fn leaves_to_bulk(&self, now: Mono) -> bool {
        let overdue = |doubt: &Doubt| doubt.is_of_bulk() && now.since(doubt.first_seen()) > self.plan.quiet / 6;
        self.takes_bulk(now) && !self.doubts.values().any(overdue)
    }

    /// A bulk call goes out.
    pub fn sends_bulk(&mut self) {
        self.bulk.under_way = true;
    }

    /// A bulk call is written down.
    pub fn sent_bulk(&mut self) {
        self.bulk.under_way = false;
    }

    /// Weighs what a bulk call came to; after a surprise there is no other.
    pub fn weigh_bulk(&mut self, ticket: Ticket, outcome: &Outcome, surprise: bool, now: Mono, random: f64) {
        self.bulk.on &= !surprise;
        match outcome {
            Outcome::Unknown(_) if !surprise => {
                self.bulk.calls += 1;
                self.budget.settle(ticket, now);
                self.breaker.known();
            }
            outcome => self.weigh(ticket, outcome, now, random),
        }
    }

    /// Takes a place for a request.
    ///
    /// # Errors
    /// When there is one; none: the end of a request under way decides.
    pub fn place(&mut self, now: Mono) -> Result<Ticket, Option<Mono>> {
        self.budget.take(now).ok_or_else(|| self.budget.next_free(now).map(|at| at.max(now.after(1))))
    }

    /// Whether a claimed order may still go: what was heard while its intent was written counts.
    #[must_use]
    pub fn still(&self, now: Mono) -> bool {
        !self.budget.rests(now) && matches!(self.breaker.permit(now), Permit::Free | Permit::One)
    }

    /// A claimed order goes out.
    pub fn sends(&mut self) {
        self.sending += 1;
        self.breaker.start_try();
    }

    /// An attempt is written down.
    pub fn sent(&mut self) {
        self.sending = self.sending.saturating_sub(1);
    }

    /// Weighs what a request came to, before anybody can claim its order again.
    pub fn weigh(&mut self, ticket: Ticket, outcome: &Outcome, now: Mono, random: f64) {
        self.budget.settle(ticket, now);
        match outcome {
            Outcome::Delivered(_) | Outcome::Rejected(_) | Outcome::NumberTaken => self.breaker.known(),
            Outcome::RateLimited(rest) => {
                self.breaker.abandon_try();
                self.budget.limited(now, rest.saturating_mul(1_000));
            }
            Outcome::NotApplied => self.breaker.unreachable(now, random),
            Outcome::Paused(_) => self.breaker.refused(now, random),
            Outcome::Elsewhere(_) | Outcome::Unknown(_) => self.breaker.unknown(now, random),
        }
    }

    /// Weighs a look for a change. One that works proves nothing of what is sent: an open breaker waits for a POST.
    pub fn weigh_look(&mut self, ticket: Ticket, outcome: &Outcome, now: Mono, random: f64) {
        match outcome {
            Outcome::Delivered(_) | Outcome::Rejected(_) | Outcome::NumberTaken => {
                self.budget.settle(ticket, now);
                self.breaker.abandon_try();
            }
            outcome => self.weigh(ticket, outcome, now, random),
        }
    }

    /// The rows say which orders are doubtful; when each was first seen is this process's own knowledge.
    pub fn refresh(&mut self, rows: impl IntoIterator<Item = DoubtRow>, now: Mono) {
        let mut known = std::mem::take(&mut self.doubts);
        for row in rows {
            let old = known.remove(&row.seq).filter(|old| old.resends() == row.resends);
            let doubt = old.unwrap_or_else(|| {
                let doubt = Doubt::new(now, &self.plan, row.taken, row.resends, row.target);
                let doubt = doubt.because(row.asked, row.restored).of_bulk(row.bulk);
                // Whatever went before and led to no resend was not applied.
                let first = row.attempts == 1 || row.resends == 0;
                if row.taken && first { doubt.refused_at_first() } else { doubt }
            });
            // A result that comes late may tell it of a doubt that is known already.
            self.doubts.insert(row.seq, doubt.said(row.said, row.attempts));
        }
    }

    /// The look that is due, with its places. One request settles many: those that are not due yet come along.
    pub fn look(&mut self, now: Mono) -> Option<Look> {
        if self.looking || !self.doubts.values().any(|doubt| doubt.next_look() <= now) {
            return None;
        }
        let (seqs, target, needed) = self.choose(now)?;
        let tickets: Vec<Ticket> = (0..needed).map_while(|_| self.budget.take(now)).collect();
        if tickets.len() < needed {
            tickets.into_iter().for_each(|ticket| self.budget.give_back(ticket));
            return None;
        }
        self.looking = true;
        Some(Look { seqs, target, tickets, alone: self.alone, began: now })
    }

    /// The orders of the next look, the most urgent first, and how many places it takes.
    fn choose(&self, now: Mono) -> Option<(Vec<i64>, Target, usize)> {
        let mut chosen: Vec<(Mono, i64, Target)> =
            self.doubts.iter().map(|(seq, doubt)| (doubt.next_look(), *seq, doubt.target())).collect();
        chosen.sort_unstable_by_key(|(next, seq, _)| (*next, *seq));
        // Orders and cards are looked for in lists of their own: what is most urgent says which.
        let target = chosen.first()?.2;
        chosen.retain(|(_, _, other)| *other == target);
        let most = self.budget.ceiling(now);
        chosen.truncate(if self.alone { SINGLY.min(most.saturating_sub(1).max(1)) } else { BATCH });
        // Never more than a whole minute can pay for.
        let needed = cost(target, chosen.len(), self.alone, self.proven).min(most);
        Some((chosen.into_iter().map(|(_, seq, _)| seq).collect(), target, needed))
    }

    /// Weighs a look. A doubt stays until the rows say that its verdict was written.
    pub fn looked(&mut self, look: Look, looked: &Looked, now: Mono) -> Vec<(i64, Verdict)> {
        self.looking = false;
        self.proven = looked.control == Control::Found && look.target == Target::Order;
        look.tickets.into_iter().for_each(|ticket| self.budget.settle(ticket, now));
        // If the control is missing from an answer to many numbers, perhaps commas do not split them.
        if looked.control == Control::Failed && !looked.found.is_empty() && look.target == Target::Order {
            self.alone = !self.alone;
        }
        self.weigh_strange(looked, look.target, look.alone);
        if let Some(rest) = looked.rest {
            self.budget.limited(now, rest.saturating_mul(1_000));
        }
        let mut verdicts = Vec::with_capacity(look.seqs.len());
        for seq in look.seqs {
            let Some(doubt) = self.doubts.get_mut(&seq) else {
                continue;
            };
            let verdict = match looked.found.get(&seq) {
                Some(finding) => doubt.weigh(finding, looked.control, look.began, &self.plan),
                None => {
                    doubt.missed(now, &self.plan);
                    Verdict::Wait
                }
            };
            if doubt.is_of_bulk() && matches!(verdict, Verdict::Resend | Verdict::Dispute(_)) {
                self.bulk.on = false;
            }
            verdicts.push((seq, verdict));
        }
        verdicts
    }

    /// Takes the places of a look back at delivered orders: how many orders it may have, and a place for each request.
    ///
    /// # Errors
    /// When there are such places; none: the end of requests under way decides.
    pub fn look_back(&mut self, now: Mono) -> Result<Back, Option<Mono>> {
        // Alone, the control has a request of its own.
        let (orders, needed) = if self.alone { (1, 2) } else { (BATCH, 1) };
        let tickets: Vec<Ticket> = (0..needed).map_while(|_| self.budget.take(now)).collect();
        if tickets.len() < needed {
            tickets.into_iter().for_each(|ticket| self.budget.give_back(ticket));
            return Err(self.budget.free_for(now, needed).map(|at| at.max(now.after(1))));
        }
        Ok(Back { orders, tickets, alone: self.alone })
    }

    /// A look back was made; whether what must be there was, where a list came at all, and whether rows came that nobody asked for.
    pub fn looked_back(&mut self, back: Back, (trusted, strange): (Option<bool>, bool), rest: Option<u64>, now: Mono) {
        back.tickets.into_iter().for_each(|ticket| self.budget.settle(ticket, now));
        if strange {
            (self.alone, self.strange) = (true, true);
        } else if trusted == Some(false) {
            self.alone = !self.alone;
        }
        if let Some(rest) = rest {
            self.budget.limited(now, rest.saturating_mul(1_000));
        }
    }

    /// Rows that nobody asked for: perhaps one number of many brought them. Alone, it spoils no other's look; when it is out of
    /// doubt, many go together again.
    fn weigh_strange(&mut self, looked: &Looked, target: Target, alone: bool) {
        if target != Target::Order {
            return;
        }
        if looked.strange {
            (self.alone, self.strange) = (true, true);
        } else if self.strange && alone && looked.control == Control::Found {
            (self.alone, self.strange) = (false, false);
        }
    }

    /// When the next look can be made; none without doubts, or while requests under way decide.
    #[must_use]
    pub fn next_look(&self, now: Mono) -> Option<Mono> {
        if self.looking {
            return None;
        }
        let due = self.doubts.values().map(Doubt::next_look).min()?;
        let (_, _, needed) = self.choose(now)?;
        let free = self.budget.free_for(now, needed)?;
        Some(due.max(free).max(now.after(1)))
    }

    /// Whether the account rests for longer than a moment.
    #[must_use]
    pub fn rests(&self, now: Mono) -> bool {
        self.breaker.is_open() || self.budget.next_free(now).is_some_and(|at| at > now.after(1_000))
    }
}

/// Whether an intent that was claimed then is too old to be sent now.
#[must_use]
pub fn too_old(claimed: Mono, now: Mono) -> bool {
    now.since(claimed) > SEND_DEADLINE_MS && !planted::is(Planted::AgeOfIntentIgnored)
}

/// How many requests a look may take.
fn cost(target: Target, doubts: usize, alone: bool, proven: bool) -> usize {
    match target {
        Target::Card => CARD_PAGES,
        Target::Order if alone => doubts + 1,
        Target::Order if proven => 1,
        Target::Order => 2,
    }
}
