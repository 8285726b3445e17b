//! A bulk call: what becomes of each of its orders, and what little is heard of it.

use parom_core::delivery::Mono;
use parom_core::delivery::bulk::classify;
use parom_core::delivery::dispatch::too_old;
use parom_core::delivery::outcome::Outcome;
use parom_core::delivery::rate::Ticket;

use super::TIMEOUT;
use super::life::{Event, Life};
use super::send::{Heard, Way};
use super::store::Intent;

/// Orders that make a backlog in a life, and a call.
pub(crate) const WORTH: usize = 3;
const BATCH: usize = 5;

impl Life {
    pub(crate) fn bulk_claim(&mut self, node: usize, epoch: u64, ticket: Ticket, claimed: Mono) {
        if self.crashes(node) {
            return;
        }
        let intents = self.store.claim_bulk(epoch, self.now, BATCH);
        if self.crashes(node) {
            return;
        }
        let mono = self.mono();
        let Some((own, dispatch)) = &mut self.nodes[node].dispatch else { return };
        if *own != epoch && intents.is_empty() {
            return;
        }
        if intents.is_empty() || !dispatch.still(mono) {
            dispatch.budget.give_back(ticket);
            return self.push_in(node, 5, Event::BulkSettle(intents, Outcome::NotApplied));
        }
        self.push_in(node, 20, Event::BulkGoes(intents, ticket, claimed));
        self.soon(node);
    }

    pub(crate) fn bulk_goes(&mut self, node: usize, intents: Vec<Intent>, ticket: Ticket, claimed: Mono) {
        if self.crashes(node) {
            return;
        }
        if too_old(claimed, self.mono()) {
            return self.push_in(node, 5, Event::BulkHeard(intents, ticket, Heard::NotSent));
        }
        let latency = 20 + self.dice.below(3_000);
        let way = self.way();
        let (heard, after) = self.bulk_travels(&intents, way, latency);
        self.at(self.now + after.min(TIMEOUT), node, Event::BulkHeard(intents, ticket, heard));
    }

    /// Each order is created, created later, or not at all; the answer says nothing of it.
    fn bulk_travels(&mut self, intents: &[Intent], way: Way, latency: u64) -> (Heard, u64) {
        let answer = |status| Heard::Http { status, retry_after: None, body: "{\"status\":true}".into() };
        let refusal = "{\"message\":\"Invalid\",\"errors\":{\"orders.0.buyer\":[\"is required\"]}}";
        let (share, heard) = match way {
            Way::Refused => return (Heard::NotSent, latency),
            Way::Limited => {
                let body = "{\"message\":\"Too Many Attempts.\"}".into();
                (0, Heard::Http { status: 429, retry_after: None, body })
            }
            Way::KeyRefused => (0, answer(401)),
            Way::Fine | Way::Slow => (100, answer(201)),
            Way::LostBefore => (0, Heard::Lost),
            Way::LostAfter => (100, Heard::Lost),
            Way::Html { applied } => (if applied { 100 } else { 0 }, answer(200)),
            Way::FailedBefore => (0, answer(503)),
            Way::FailedAfter => (100, answer(500)),
            Way::OtherNumber => (50, Heard::Http { status: 422, retry_after: None, body: refusal.into() }),
            Way::Late { .. } => (50, if self.dice.below(2) == 0 { answer(202) } else { answer(502) }),
        };
        self.crm.arrivals.push(self.now + latency / 2);
        for intent in intents {
            let applied = self.dice.below(100) < share;
            if applied && matches!(way, Way::Late { .. }) {
                self.later(intent, latency);
            } else if applied {
                self.taken(intent);
            }
        }
        (heard, latency)
    }

    pub(crate) fn bulk_heard(&mut self, node: usize, intents: Vec<Intent>, ticket: Ticket, heard: &Heard) {
        let (outcome, surprise) = classify(heard.answer());
        let (mono, random) = (self.mono(), 0.5);
        if let (Some((own, dispatch)), Some(first)) = (&mut self.nodes[node].dispatch, intents.first())
            && *own == first.epoch
        {
            dispatch.weigh_bulk(ticket, &outcome, surprise, mono, random);
            if let Outcome::RateLimited(rest) = outcome {
                self.asked_to_rest = (self.now, self.now + rest * 1_000);
            }
        }
        if !self.crashes(node) {
            self.push_in(node, 10, Event::BulkSettle(intents, outcome));
        }
    }

    pub(crate) fn bulk_settle(&mut self, node: usize, intents: &[Intent], outcome: &Outcome) {
        if self.crashes(node) {
            return;
        }
        let wall = self.wall();
        for intent in intents {
            self.store.settle(intent, outcome, wall);
        }
        if let Some((own, dispatch)) = &mut self.nodes[node].dispatch
            && intents.first().is_none_or(|first| first.epoch == *own)
        {
            dispatch.sent_bulk();
        }
        if !self.crashes(node) {
            self.soon(node);
        }
    }
}
