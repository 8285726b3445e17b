//! Fetching an account's dictionaries: one page at a time, with what the orders leave of the budget.

use std::collections::VecDeque;

use parom_core::delivery::Mono;
use parom_core::dictionary::Kind;
use serde_json::Value;

use crate::crm::{List, Listed};

/// Between two fetches of everything.
const EVERY_MS: u64 = 3_600_000;
/// After a failure, doubling up to [`AGAIN_MAX_MS`].
const AGAIN_MS: u64 = 15_000;
const AGAIN_MAX_MS: u64 = 600_000;
/// What an order is decided by; the first order waits for these.
const ESSENTIAL: [Kind; 5] =
    [Kind::Sources, Kind::PaymentMethods, Kind::DeliveryServices, Kind::CustomFields, Kind::Pipelines];
/// Pages of one list at most: 100,000 SKUs.
const PAGES: u32 = 2_000;

/// Where the fetch of one account stands.
#[derive(Debug)]
pub(super) struct Fetch {
    /// What is still to ask, in order.
    plan: VecDeque<List>,
    rows: Vec<Value>,
    /// When the next fetch begins.
    pub(super) due: Mono,
    failures: u32,
    /// What this fetch could not have.
    without: Vec<String>,
    pub(super) granted: Option<u32>,
    /// When this fetch began, milliseconds of the wall clock: what was asked for later is not answered by it.
    pub(super) began: i64,
    /// When somebody asked for whom it was hurried, by the same clock.
    asked: i64,
    /// The first fetch has brought what orders need, or has shown that it cannot be had.
    pub(super) concluded: bool,
}

/// What a page leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Ask on.
    More,
    /// A kind is complete: keep its rows.
    Keep(Kind, Vec<Value>),
    /// The fetch is over: how.
    Over(String),
    /// The CRM wants so many seconds.
    Wait(u64),
}

impl Fetch {
    pub(super) fn new(now: Mono) -> Fetch {
        Fetch {
            plan: VecDeque::new(),
            rows: Vec::new(),
            due: now,
            failures: 0,
            without: Vec::new(),
            granted: None,
            began: 0,
            asked: 0,
            concluded: false,
        }
    }

    /// The page to ask for now, if it is time.
    pub(super) fn next(&mut self, now: Mono) -> Option<List> {
        if now < self.due {
            return None;
        }
        if self.plan.is_empty() {
            self.began = crate::clock::now().as_millisecond();
            self.plan.extend(Kind::ALL.iter().map(|kind| List::Dictionary(*kind, 1)));
            self.without.clear();
            self.rows.clear();
        }
        self.plan.front().copied()
    }

    /// Begins a fetch as soon as it can; one that runs goes on.
    pub(super) fn hurry(&mut self, now: Mono) {
        self.due = self.due.min(now);
    }

    /// The same for somebody who asked at a time, once: what fails then rests as ever.
    pub(super) fn hurry_for(&mut self, asked_at: i64, now: Mono) {
        if asked_at > self.asked {
            self.asked = asked_at;
            self.hurry(now);
        }
    }

    /// Whether every list was asked to its end: one that failed goes on after its rest.
    pub(super) fn is_over(&self) -> bool {
        self.plan.is_empty()
    }

    /// Takes a page's answer.
    pub(super) fn take(&mut self, list: List, listed: Listed, now: Mono) -> Next {
        match listed {
            Listed::Page(page) => self.page(list, page.rows, page.last, now),
            Listed::Without(why) => {
                // A pipeline without its statuses would make every status look gone: the kind is not kept then.
                let part = matches!(list, List::PipelineStatuses(..));
                self.without.push(if part { format!("{}: {why}", Kind::Pipelines.as_str()) } else { why });
                self.rows.clear();
                self.done_with(list, now)
            }
            Listed::Wait(seconds) => {
                self.due = now.after(seconds.saturating_mul(1_000));
                Next::Wait(seconds)
            }
            Listed::Refused(status) => {
                self.plan.clear();
                self.rows.clear();
                self.fail(refused(status), now)
            }
            // The same page again, later: what was fetched of a long list is not fetched twice.
            Listed::Lost(why) => self.fail(why, now),
        }
    }

    fn page(&mut self, list: List, rows: Vec<Value>, last: bool, now: Mono) -> Next {
        match list {
            List::Dictionary(kind, page) => {
                self.rows.extend(rows);
                if !last && page < PAGES {
                    self.plan[0] = List::Dictionary(kind, page + 1);
                    return Next::More;
                }
                if !last {
                    // A list that is cut is not the list.
                    let why = format!("{}: more than {PAGES} pages", kind.as_str());
                    return self.take(list, Listed::Without(why), now);
                }
                if kind == Kind::Pipelines && !self.rows.is_empty() {
                    let ids = self.rows.iter().filter_map(|row| row.get("id").and_then(Value::as_i64));
                    let statuses: Vec<List> = ids.map(|id| List::PipelineStatuses(id, 1)).collect();
                    self.plan.pop_front();
                    statuses.into_iter().rev().for_each(|list| self.plan.push_front(list));
                    return Next::More;
                }
            }
            List::PipelineStatuses(pipeline, page) => {
                let place = self.rows.iter_mut().find(|row| row.get("id").and_then(Value::as_i64) == Some(pipeline));
                if let Some(Value::Object(row)) = place
                    && let Value::Array(statuses) = row.entry("statuses").or_insert_with(|| Value::Array(Vec::new()))
                {
                    statuses.extend(rows);
                }
                if !last && page < PAGES {
                    self.plan[0] = List::PipelineStatuses(pipeline, page + 1);
                    return Next::More;
                }
            }
        }
        self.done_with(list, now)
    }

    /// A list is asked to its end; a kind of several lists is complete with the last of them.
    fn done_with(&mut self, list: List, now: Mono) -> Next {
        self.plan.pop_front();
        let kind = kind_of(list);
        if self.plan.front().is_some_and(|next| kind_of(*next) == kind) {
            return Next::More;
        }
        let rows = std::mem::take(&mut self.rows);
        self.concluded |= self.plan.iter().all(|next| !ESSENTIAL.contains(&kind_of(*next)));
        let failed = self.without.iter().any(|why| why.starts_with(kind.as_str()));
        if self.plan.is_empty() {
            self.failures = 0;
            self.due = now.after(EVERY_MS);
        }
        match (failed, self.plan.is_empty()) {
            (false, _) => Next::Keep(kind, rows),
            (true, false) => Next::More,
            (true, true) => Next::Over(self.outcome()),
        }
    }

    /// A kind that could not be kept is asked for again.
    pub(super) fn again(&mut self, kind: Kind, now: Mono) {
        self.plan.push_front(List::Dictionary(kind, 1));
        self.due = now.after(AGAIN_MS);
    }

    /// How a complete fetch ended.
    pub(super) fn outcome(&self) -> String {
        if self.without.is_empty() { crate::store::COMPLETE.to_owned() } else { self.without.join("; ") }
    }

    /// Goes on later; what was kept stays.
    fn fail(&mut self, why: String, now: Mono) -> Next {
        self.concluded = true;
        let rest = AGAIN_MS.saturating_mul(1 << self.failures.min(10)).min(AGAIN_MAX_MS);
        self.failures = self.failures.saturating_add(1);
        self.due = now.after(rest);
        Next::Over(why)
    }
}

/// The words by which pages, `check` and alerts know that the key is refused.
pub(super) fn refused(status: u16) -> String {
    format!("the CRM answered {status}: it refuses the key")
}

fn kind_of(list: List) -> Kind {
    match list {
        List::Dictionary(kind, _) => kind,
        List::PipelineStatuses(..) => Kind::Pipelines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parom_core::dictionary::Page;
    use serde_json::json;

    fn page(rows: Vec<Value>, last: bool) -> Listed {
        Listed::Page(Page { rows, last })
    }

    #[test]
    fn every_page_of_every_list_is_asked_for_and_kept_kind_by_kind() {
        let mut sync = Fetch::new(Mono(0));
        let (mut asked, mut kept) = (Vec::new(), Vec::new());
        while let Some(list) = sync.next(Mono(1)) {
            asked.push(list);
            let answer = match list {
                List::Dictionary(Kind::Skus, number) => page(vec![json!(format!("S{number}"))], number == 3),
                List::Dictionary(Kind::Pipelines, _) => page(vec![json!({"id": 1}), json!({"id": 2})], true),
                List::PipelineStatuses(id, _) => page(vec![json!({"id": id * 10})], true),
                List::Dictionary(Kind::Tags, _) => Listed::Without("tags: the CRM answered 404".into()),
                List::Dictionary(..) => page(vec![json!({"id": 1})], true),
            };
            if let Next::Keep(kind, rows) = sync.take(list, answer, Mono(1)) {
                kept.push((kind, rows));
            }
        }
        assert_eq!(asked.len(), 13, "{asked:?}");
        let kinds: Vec<Kind> = kept.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Tags).collect::<Vec<_>>());
        assert_eq!(kept.last().unwrap().1, [json!("S1"), json!("S2"), json!("S3")]);
        let pipelines = &kept.iter().find(|(kind, _)| *kind == Kind::Pipelines).unwrap().1;
        assert_eq!(pipelines[1], json!({"id": 2, "statuses": [{"id": 20}]}));
        assert!(sync.concluded && sync.outcome().contains("tags"));
        assert!(sync.next(Mono(EVERY_MS)).is_none() && sync.next(Mono(EVERY_MS + 1)).is_some());
    }

    #[test]
    fn a_failure_is_tried_again_later_and_ends_the_first_wait() {
        let mut sync = Fetch::new(Mono(0));
        let list = sync.next(Mono(1)).unwrap();
        assert!(matches!(sync.take(list, Listed::Lost("away".into()), Mono(1)), Next::Over(why) if why == "away"));
        assert!(sync.concluded);
        assert!(sync.next(Mono(AGAIN_MS)).is_none());
        sync.hurry(Mono(500));
        assert_eq!(sync.next(Mono(500)), Some(List::Dictionary(Kind::Sources, 1)));
    }
}
