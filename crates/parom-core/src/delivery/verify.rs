//! Verification: what to do with an order that may or may not be in the CRM.
//!
//! A found row counts at once. An absent one counts only in an answer that is proven to work (a control came back), after
//! the quiet period, and twice. The time counts from when this process first saw the doubt, never from a stored stamp: a
//! clock that jumps must not shorten it.

use super::Mono;
use super::planted::{self, Planted};
use super::reason;
use super::rows::Finding;
use crate::limits;
use crate::order::Target;

/// The times of an account's verification, milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// No absence counts before this.
    pub quiet: u64,
    /// Between two absences that count.
    pub gap: u64,
    /// Whether an order that is proven absent goes again by itself.
    pub resend: bool,
}

/// How far an answer can be trusted to show what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// A recently delivered order came back in the same answer.
    Found,
    /// The account has none yet; the list without a filter answers in shape. The quiet period counts double.
    Weak,
    /// The control did not come back, or the answer is out of shape: absence means nothing.
    Failed,
}

/// Looks for a card among more cards than can be read, before a person is asked.
const CARD_LOOKS: u32 = 12;

/// One doubtful order.
#[derive(Clone, Debug)]
pub struct Doubt {
    first_seen: Mono,
    looks: u32,
    absent_at: Option<Mono>,
    next: Mono,
    /// The CRM said that the number is taken: absence then is a contradiction, not a leave to send.
    taken: bool,
    /// It was so when it was sent for the first time: the row was there before, and is another's.
    before: bool,
    /// The CRM's number of it, by an answer that had another number than was sent, or as which it was delivered once: it is
    /// there, whatever a look for this number shows.
    said: Option<i64>,
    /// It was sent more than once, so that two rows may be it.
    often: bool,
    /// A person asked for it: proven absent, it goes, unless the CRM's own word was that it has it.
    asked: bool,
    /// The store was restored, and it may have gone before.
    restored: bool,
    /// Times that it was sent again already.
    resends: u32,
    /// It went in a bulk call, which may be applied later than a single one.
    bulk: bool,
    /// A card: an absence does not prove that it is not there.
    card: bool,
}

/// What follows from a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Look again later.
    Wait,
    /// It is there.
    Delivered(i64),
    /// It is not there: send it again.
    Resend,
    /// A person decides.
    Dispute(&'static str),
}

impl Doubt {
    /// A doubt that this process sees for the first time now.
    #[must_use]
    pub fn new(now: Mono, plan: &Plan, taken: bool, resends: u32, target: Target) -> Doubt {
        // A number that is taken is looked up at once: the CRM itself has just said that a row exists.
        let first = if taken { 0 } else { plan.quiet / 36 };
        Doubt {
            first_seen: now,
            looks: 0,
            absent_at: None,
            next: now.after(first.min(5_000)),
            taken,
            before: false,
            said: None,
            often: false,
            asked: false,
            restored: false,
            resends,
            bulk: false,
            card: target == Target::Card,
        }
    }

    /// What it becomes in the CRM.
    #[must_use]
    pub fn target(&self) -> Target {
        if self.card { Target::Card } else { Target::Order }
    }

    /// Times that it was sent again.
    #[must_use]
    pub fn resends(&self) -> u32 {
        self.resends
    }

    /// The CRM called its number taken when it was sent for the first time.
    #[must_use]
    pub fn refused_at_first(self) -> Doubt {
        Doubt { before: true, ..self }
    }

    /// The CRM's number of it, by its own word (0: it is not known which), after so many attempts: proven absent, it does not go
    /// again.
    #[must_use]
    pub fn said(self, said: Option<i64>, attempts: i64) -> Doubt {
        Doubt { said, often: attempts > 1, ..self }
    }

    /// Why it is doubtful: a person asked to look, or the store was restored.
    #[must_use]
    pub fn because(self, asked: bool, restored: bool) -> Doubt {
        Doubt { asked, restored, ..self }
    }

    /// Whether it went in a bulk call.
    #[must_use]
    pub fn of_bulk(self, bulk: bool) -> Doubt {
        Doubt { bulk, ..self }
    }

    /// Whether it went in a bulk call.
    #[must_use]
    pub fn is_of_bulk(&self) -> bool {
        self.bulk
    }

    /// When to look next.
    #[must_use]
    pub fn next_look(&self) -> Mono {
        self.next
    }

    /// When the doubt was first seen by this process.
    #[must_use]
    pub fn first_seen(&self) -> Mono {
        self.first_seen
    }

    /// Weighs what a look found, and plans the next one. What it shows is as old as its beginning, whenever it is heard.
    pub fn weigh(&mut self, finding: &Finding, control: Control, began: Mono, plan: &Plan) -> Verdict {
        self.count(began);
        match finding {
            Finding::Ours(_) if self.before => {
                return Verdict::Dispute(reason::THERE_BEFORE);
            }
            // Of one POST there is one row, whatever its answer said.
            Finding::Ours(id) if self.often && self.said.is_some_and(|said| said > 0 && said != *id) => {
                return Verdict::Dispute(reason::ANOTHER_ROW);
            }
            Finding::Ours(id) => return Verdict::Delivered(*id),
            Finding::Several(_) => {
                return Verdict::Dispute(reason::SEVERAL);
            }
            Finding::Foreign(_) if self.said.is_some() => {
                return Verdict::Dispute(reason::TAKEN_ELSEWHERE);
            }
            Finding::Foreign(_) if self.restored => {
                return Verdict::Dispute(reason::SENT_BEFORE);
            }
            Finding::Foreign(_) => {
                return Verdict::Dispute(reason::ANOTHERS_NUMBER);
            }
            Finding::Absent => {}
        }
        let quiet = if control == Control::Weak { plan.quiet.saturating_mul(2) } else { plan.quiet };
        let early = quiet;
        // 10 minutes where it is 3 for a single one.
        let quiet = if self.bulk { quiet.saturating_mul(10) / 3 } else { quiet };
        let waited = began.since(self.first_seen) >= quiet || planted::is(Planted::QuietIgnored);
        let counts = control != Control::Failed && waited;
        if self.card && control == Control::Failed && self.looks >= CARD_LOOKS {
            return Verdict::Dispute(reason::CARDS_UNREAD);
        }
        let verdict = match self.absent_at {
            Some(first) if counts && began.since(first) >= plan.gap => self.absent(plan),
            None if counts && planted::is(Planted::OneAbsence) => self.absent(plan),
            None if counts => {
                self.absent_at = Some(began);
                Verdict::Wait
            }
            _ => Verdict::Wait,
        };
        self.next = self.plan_next(began, (early, quiet), control, plan);
        verdict
    }

    /// A look that gave no answer at all.
    pub fn missed(&mut self, now: Mono, plan: &Plan) {
        self.count(now);
        self.next = self.plan_next(now, (plan.quiet, plan.quiet), Control::Failed, plan);
    }

    /// A look that was another's turn costs this one nothing: with many doubts its rests would grow by their number.
    fn count(&mut self, now: Mono) {
        self.looks += u32::from(now >= self.next);
    }

    fn absent(&self, plan: &Plan) -> Verdict {
        if self.said.is_some() {
            Verdict::Dispute(reason::TAKEN_ELSEWHERE)
        } else if self.asked && !self.taken {
            Verdict::Resend
        } else if self.card {
            Verdict::Dispute(reason::CARD_UNSEEN)
        } else if self.taken {
            Verdict::Dispute(reason::TAKEN_UNSEEN)
        } else if !plan.resend {
            Verdict::Dispute(reason::BY_HAND)
        } else if self.resends >= limits::RESENDS && !planted::is(Planted::ResendsUncounted) {
            Verdict::Dispute(reason::THREE_TIMES)
        } else {
            Verdict::Resend
        }
    }

    /// 5 s, 15 s, 60 s and 180 s after the loss with the default quiet period of 180 s, in these proportions for others;
    /// then each gap. While the control fails, the looks become rarer.
    fn plan_next(&self, now: Mono, (early, quiet): (u64, u64), control: Control, plan: &Plan) -> Mono {
        let steps = [early / 36, early / 12, early / 3, early, quiet];
        let planned = steps.iter().map(|step| self.first_seen.after(*step)).find(|at| *at > now);
        let gap = plan.gap.max(1);
        match planned {
            Some(at) => at,
            None if control == Control::Failed => {
                let wait = gap.saturating_mul(1 << self.looks.saturating_sub(4).min(10)).min(gap.max(600_000));
                now.after(wait)
            }
            None => self.absent_at.map_or(now.after(gap), |first| first.after(gap).max(now.after(1))),
        }
    }
}
