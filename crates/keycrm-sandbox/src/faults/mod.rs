//! Scripted misbehaviour: what a client of a real CRM meets sooner or later.

mod active;
mod wire;

pub(crate) use active::{ActiveFault, Asker, Faults};
pub(crate) use wire::{KINDS, ONS};

/// Which requests a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOn {
    /// Every API request.
    Any,
    /// `POST /v1/order` and `POST /v1/pipelines/cards`.
    Post,
    /// `POST /v1/order/import`.
    Import,
    /// `PUT /v1/order/{id}` and `POST /v1/order/{id}/payment`.
    Change,
    /// `GET` of orders and of cards, lists and single ones.
    Lookup,
    /// `GET` of every other list.
    Dictionary,
}

/// What happens. "Before" means that the request has no effect; "after" that it was applied before the answer went
/// wrong, which the client cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A JSON refusal with this status; not applied.
    RefuseBefore {
        /// The status, such as 503, 500, 401 or 404.
        status: u16,
    },
    /// 422 with an errors object; not applied.
    Validation,
    /// Applied, then the connection closes without an answer.
    CommitThenDrop,
    /// The connection closes without an answer; not applied.
    DropBefore,
    /// Applied, then an HTML page.
    HtmlAfterCommit {
        /// The status of the page, such as 502 or even 200.
        status: u16,
    },
    /// An HTML page; not applied.
    HtmlBefore {
        /// The status of the page.
        status: u16,
    },
    /// Never answers, never applies; the connection stays open.
    HangBefore,
    /// Applies, then never answers; the connection stays open.
    HangAfterCommit,
    /// Applies at once and answers right, but late.
    Slow {
        /// How late.
        ms: u64,
    },
    /// Applies late (even if the client has left by then) and answers right.
    SlowBefore {
        /// How late.
        ms: u64,
    },
    /// 429 as the CRM's own limit answers it; not applied.
    RateLimited {
        /// Seconds in `Retry-After`; `None` leaves the header out.
        retry_after: Option<u64>,
    },
    /// Applies, then 201 with JSON that has no id.
    WrongJson,
    /// Applies, then this status with an empty body.
    EmptyAfterCommit {
        /// The status.
        status: u16,
    },
    /// Applies, then half of the right answer and the end of the connection.
    TruncatedAfterCommit,
    /// Applies, then the right answer with another order's number (or another card's title) in it.
    WrongNumber,
    /// Answers at once and applies later.
    LateCommit {
        /// How much later.
        ms: u64,
        /// The status of the answer.
        status: u16,
    },
    /// The connection closes at once without an answer; applies later.
    DropAndLateCommit {
        /// How much later.
        ms: u64,
    },
    /// Lists come back empty, whatever they select.
    LookupEmpty,
    /// Lists come back as if they had no filter.
    LookupIgnoresFilter,
    /// An import creates only its first orders, and answers as if it had created all.
    ImportPartly {
        /// How many.
        orders: u32,
    },
    /// Applies, then 10 MiB of JSON.
    HugeAnswer,
    /// Applies, then the right answer at one byte a second.
    DripAnswer,
}

/// One scripted fault. Of several that fit a request, the one that was added first is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The requests it is for.
    pub on: FaultOn,
    /// What happens to them.
    pub kind: FaultKind,
    /// How many requests it hits; `None`: all, until cleared.
    pub times: Option<u32>,
    /// How many fitting requests it lets pass first.
    pub skip: u32,
    /// How long it lasts from being added; `None`: no end.
    pub for_ms: Option<u64>,
}

impl Fault {
    /// Hits one request.
    pub fn once(on: FaultOn, kind: FaultKind) -> Self {
        Self::always(on, kind).times(1)
    }

    /// Hits every request until cleared.
    pub fn always(on: FaultOn, kind: FaultKind) -> Self {
        Self { on, kind, times: None, skip: 0, for_ms: None }
    }

    /// Hits so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Lets so many fitting requests pass first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Lasts so many milliseconds from being added.
    #[must_use]
    pub fn for_ms(self, ms: u64) -> Self {
        Self { for_ms: Some(ms), ..self }
    }
}
