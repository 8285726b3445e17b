//! Verbs that share one commit: each runs in the transaction, and its caller is told when the transaction's fate is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::oneshot;

use super::accept::accept;
use super::sql::Db;
use super::{Accepted, NewOrder, StoreError};

/// Whose rows a verb changes. Where several nodes write, verbs of the same one take turns; SQLite has one writer anyhow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// An account's orders, its ledger, its dictionaries.
    Account(String),
    /// Those of the account of the order in this row.
    Order(i64),
    /// Those of the account of the order with this id.
    Id(String),
    /// Rows of no account, by a name for them.
    Thing(&'static str),
    /// Rows of every account: nobody else writes meanwhile.
    Everybody,
    /// It only adds rows that nobody else looks at.
    Nobody,
}

/// Runs inside of the transaction and leaves what answers the caller when its fate is known.
/// Without a connection the verb does not run, and its caller gets what the group gets.
type Verb = Box<dyn FnOnce(Option<&Db<'_>>) -> Ran + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A verb that waits for its transaction.
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) whose: Whose,
    work: Work,
}

enum Work {
    Verb(Verb),
    Order(Box<Incoming>),
}

/// An order that comes in: where each statement is a way there and back, several are kept by one.
pub(super) struct Incoming {
    pub(super) order: NewOrder,
    careful_until: Arc<AtomicI64>,
    /// The order goes back: what many threads made is not taken apart by the one that writes for all of them.
    reply: Reply<(Accepted, NewOrder)>,
}

/// What a verb came to, before the commit.
pub(super) struct Ran {
    /// What it did is part of the transaction.
    pub(super) kept: bool,
    /// Why the transaction itself may not go on: `Broken` or `Unavailable`.
    pub(super) ended: Option<StoreError>,
    answer: Answer,
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What a caller waits for.
pub(super) type Outcome<T> = oneshot::Receiver<Result<T, StoreError>>;

impl Job {
    pub(super) fn new<T, F>(name: &'static str, whose: Whose, verb: F) -> (Job, Outcome<T>)
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, outcome) = oneshot::channel();
        let verb: Verb = Box::new(move |db| ran(db.map(verb), reply));
        (Job { name, whose, work: Work::Verb(verb) }, outcome)
    }

    /// Accepts an order. Until `careful_until` one that comes by a key is looked up before it is sent.
    pub(super) fn accept(order: NewOrder, careful_until: Arc<AtomicI64>) -> (Job, Outcome<(Accepted, NewOrder)>) {
        let (reply, outcome) = oneshot::channel();
        let whose = Whose::Account(order.account.clone());
        let work = Work::Order(Box::new(Incoming { order, careful_until, reply }));
        (Job { name: "accept", whose, work }, outcome)
    }

    /// The order that it is about, where it is about one that comes in.
    pub(super) fn incoming(&self) -> Option<&Incoming> {
        match &self.work {
            Work::Order(incoming) => Some(incoming),
            Work::Verb(_) => None,
        }
    }

    pub(super) fn run(self, db: Option<&Db<'_>>) -> Ran {
        match self.work {
            Work::Verb(verb) => verb(db),
            Work::Order(incoming) => {
                let careful = incoming.is_careful();
                let Incoming { mut order, reply, .. } = *incoming;
                let accepted = db.map(|db| accept(db, &mut order, careful));
                ran(accepted.map(|accepted| accepted.map(|accepted| (accepted, order))), reply)
            }
        }
    }

    /// What it comes to where its order was kept with others, as it came.
    pub(super) fn kept(self) -> Ran {
        match self.work {
            // Nobody keeps a verb for it: as one that was not tried.
            Work::Verb(verb) => verb(None),
            Work::Order(incoming) => {
                let Incoming { order, reply, .. } = *incoming;
                ran(Some(Ok((Accepted::New(order.state), order))), reply)
            }
        }
    }
}

impl Incoming {
    /// Whether its sender may repeat what went before the store was restored. That is known when there is a connection: the
    /// server may have become another meanwhile.
    pub(super) fn is_careful(&self) -> bool {
        self.order.key.is_some() && self.order.received_at < self.careful_until.load(Ordering::Acquire)
    }
}

fn ran<T: Send + 'static>(result: Option<Result<T, StoreError>>, reply: Reply<T>) -> Ran {
    let kept = matches!(result, Some(Ok(_)));
    let ended = match &result {
        Some(Err(error @ (StoreError::Broken(_) | StoreError::Unavailable(_)))) => Some(error.clone()),
        _ => None,
    };
    let answer: Answer = Box::new(move |committed| {
        let not_run = || Err(StoreError::Unavailable("not tried".into()));
        let _ = reply.send(committed.and_then(|()| result.unwrap_or_else(not_run)));
    });
    Ran { kept, ended, answer }
}

impl Ran {
    /// Tells the caller what became of the transaction; what the verb itself came to counts where it was committed.
    pub(super) fn answer(self, committed: Result<(), StoreError>) {
        (self.answer)(committed);
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {:?}", self.name, self.whose)
    }
}
