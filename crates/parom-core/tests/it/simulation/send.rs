//! One POST: what the network and the CRM make of it, and what is heard.

use parom_core::delivery::Mono;
use parom_core::delivery::dispatch::too_old;
use parom_core::delivery::outcome::{Answer, Outcome, classify};
use parom_core::delivery::rate::Ticket;

use super::life::{Event, Life};
use super::store::Intent;
use super::{Broken, MINUTE, PLAN, TIMEOUT};

/// What the client hears.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    NotSent,
    Lost,
    Http { status: u16, retry_after: Option<u64>, body: String },
}

impl Heard {
    pub(super) fn answer(&self) -> Answer<'_> {
        match self {
            Heard::NotSent => Answer::NotSent,
            Heard::Lost => Answer::Lost,
            Heard::Http { status, retry_after, body } => Answer::Response {
                status: *status,
                retry_after: *retry_after,
                has_rate_header: true,
                body: body.as_bytes(),
            },
        }
    }
}

/// What becomes of a request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Fine,
    Refused,
    LostBefore,
    LostAfter,
    /// Lost, or answered with a failure, and applied later.
    Late {
        answered: bool,
    },
    FailedBefore,
    FailedAfter,
    Limited,
    Html {
        applied: bool,
    },
    OtherNumber,
    KeyRefused,
    Slow,
}

const TROUBLES: [Way; 13] = [
    Way::Refused,
    Way::LostBefore,
    Way::LostAfter,
    Way::Late { answered: false },
    Way::Late { answered: true },
    Way::FailedBefore,
    Way::FailedAfter,
    Way::Limited,
    Way::Html { applied: true },
    Way::Html { applied: false },
    Way::OtherNumber,
    Way::KeyRefused,
    Way::Slow,
];

impl Life {
    pub(crate) fn claim(&mut self, node: usize, epoch: u64, ticket: Ticket, claimed: Mono) {
        if self.crashes(node) {
            return;
        }
        let intent = self.store.claim(epoch, self.now);
        if self.crashes(node) {
            return;
        }
        let mono = self.mono();
        let Some((own, dispatch)) = &mut self.nodes[node].dispatch else { return };
        if *own != epoch && intent.is_none() {
            return;
        }
        let Some(intent) = intent else {
            dispatch.budget.give_back(ticket);
            return self.soon(node);
        };
        if !dispatch.still(mono) {
            dispatch.budget.give_back(ticket);
            return self.push_in(node, 5, Event::Settle(intent, Outcome::NotApplied));
        }
        dispatch.sends();
        self.push_in(node, 20, Event::Goes(intent, ticket, claimed));
        self.soon(node);
    }

    pub(crate) fn goes(&mut self, node: usize, intent: Intent, ticket: Ticket, claimed: Mono) {
        if self.crashes(node) {
            return;
        }
        if too_old(claimed, self.mono()) {
            return self.push_in(node, 5, Event::Heard(intent, ticket, Heard::NotSent));
        }
        let (asked, until) = self.asked_to_rest;
        if (asked + 1_000..until).contains(&self.now) {
            self.disobeyed += 1;
        }
        let way = self.way();
        let latency = 20 + self.dice.below(1_500);
        let (heard, after) = self.travel(&intent, way, latency);
        let generation = self.nodes[node].generation;
        debug_assert!(generation > 0);
        self.at(self.now + after.min(TIMEOUT), node, Event::Heard(intent, ticket, heard));
    }

    pub(super) fn way(&mut self) -> Way {
        let storm = self.fate.storm && (2 * MINUTE..self.fate.faults_until).contains(&self.now);
        if storm {
            return if self.dice.below(2) == 0 { Way::FailedBefore } else { Way::FailedAfter };
        }
        if !self.trouble(self.fate.trouble) {
            return Way::Fine;
        }
        TROUBLES[self.favourite(13)]
    }

    /// What is heard, and after how long.
    fn travel(&mut self, intent: &Intent, way: Way, latency: u64) -> (Heard, u64) {
        let lost_after = if self.dice.below(2) == 0 { latency } else { TIMEOUT };
        let failure = |status| Heard::Http { status, retry_after: None, body: "{\"message\":\"Server Error\"}".into() };
        match way {
            Way::Refused => return (Heard::NotSent, latency),
            Way::LostBefore if self.store.broken == Some(Broken::Redial) => {}
            _ => self.crm.arrivals.push(self.now + latency / 2),
        }
        match way {
            Way::Refused => (Heard::NotSent, latency),
            Way::LostBefore if self.store.broken == Some(Broken::Redial) => (self.taken(intent), latency),
            Way::LostBefore => (Heard::Lost, lost_after),
            Way::LostAfter => {
                let first = self.taken(intent);
                if self.store.broken == Some(Broken::Redial) {
                    (self.taken(intent), latency)
                } else {
                    (first, 0)
                };
                (Heard::Lost, lost_after)
            }
            Way::Late { answered } => {
                self.later(intent, latency);
                (if answered { failure(502) } else { Heard::Lost }, lost_after)
            }
            Way::FailedBefore => (failure(503), latency),
            Way::FailedAfter => {
                self.taken(intent);
                (failure(500), latency)
            }
            Way::Limited => {
                let retry_after = (self.dice.below(2) == 0).then(|| self.dice.below(100));
                (Heard::Http { status: 429, retry_after, body: "{\"message\":\"Too Many Attempts.\"}".into() }, latency)
            }
            Way::Html { applied } => {
                if applied {
                    self.taken(intent);
                }
                (Heard::Http { status: 200, retry_after: None, body: "<html></html>".into() }, latency)
            }
            Way::OtherNumber => {
                let body = "{\"id\":9999,\"source_uuid\":\"another\"}".into();
                (Heard::Http { status: 201, retry_after: None, body }, latency)
            }
            Way::KeyRefused => (failure(401), latency),
            Way::Slow => (self.taken(intent), 5_000 + self.dice.below(24_000)),
            Way::Fine => (self.taken(intent), latency),
        }
    }

    /// The CRM takes the request some time after it was lost.
    pub(super) fn later(&mut self, intent: &Intent, latency: u64) {
        let beyond = self.fate.beyond && self.dice.below(2) == 0;
        // Within: where lists lag, with the lag before the quiet period ends; else before the second absence.
        let within = if self.fate.lies > 0 || self.fate.nodes > 1 { PLAN.quiet / 3 } else { PLAN.quiet + PLAN.gap / 2 };
        let wait = if beyond { 2 * PLAN.quiet + PLAN.gap } else { 0 } + self.dice.below(within);
        let late = Event::Late { number: intent.number.clone(), body: intent.body, beyond };
        self.at(self.now + latency + wait, 0, late);
    }

    /// The CRM takes the request now, and answers as it should.
    pub(super) fn taken(&mut self, intent: &Intent) -> Heard {
        match self.crm.apply(&intent.number, intent.body, self.now, self.fate.rejects_taken) {
            Some(id) => {
                let body = format!("{{\"id\":{id},\"source_uuid\":\"{}\"}}", intent.number);
                Heard::Http { status: 201, retry_after: None, body }
            }
            None => {
                let text = "The source uuid has already been taken.";
                let body = format!("{{\"message\":\"Invalid\",\"errors\":{{\"source_uuid\":[\"{text}\"]}}}}");
                Heard::Http { status: 422, retry_after: None, body }
            }
        }
    }

    pub(crate) fn late(&mut self, number: &str, body: u64, beyond: bool) {
        if beyond {
            self.crm.excepted.push(number.to_owned());
        }
        let _ = self.crm.apply(number, body, self.now, self.fate.rejects_taken);
    }

    pub(crate) fn heard(&mut self, node: usize, intent: Intent, ticket: Ticket, heard: Heard) {
        let outcome = classify(heard.answer(), Some(&intent.number));
        self.count_doubts(&outcome);
        let (mono, random) = (self.mono(), 0.5);
        if let Some((own, dispatch)) = &mut self.nodes[node].dispatch
            && *own == intent.epoch
        {
            dispatch.weigh(ticket, &outcome, mono, random);
            if let Outcome::RateLimited(rest) = outcome {
                self.asked_to_rest = (self.now, self.now + rest * 1_000);
            }
        }
        if !self.crashes(node) {
            self.push_in(node, 10, Event::Settle(intent, outcome));
        }
    }

    /// How many doubts were made at once, before anything trusted was heard.
    fn count_doubts(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Elsewhere(_) | Outcome::Unknown(_) => {
                self.doubted.push(self.now);
                let recent = self.doubted.iter().filter(|at| **at + 5_000 > self.now).count();
                self.doubted_at_once = self.doubted_at_once.max(recent);
            }
            Outcome::Delivered(_) | Outcome::Rejected(_) | Outcome::NumberTaken => self.doubted.clear(),
            _ => {}
        }
    }

    pub(crate) fn settle(&mut self, node: usize, intent: &Intent, outcome: &Outcome) {
        if self.crashes(node) {
            return;
        }
        let wall = self.wall();
        self.store.settle(intent, outcome, wall);
        self.compare(intent.seq);
        if let Some((own, dispatch)) = &mut self.nodes[node].dispatch
            && *own == intent.epoch
        {
            dispatch.sent();
        }
        if !self.crashes(node) {
            self.soon(node);
        }
    }
}
