//! Verbs that share one commit: each runs in the transaction, and its caller is told when the transaction's fate is known.

use tokio::sync::oneshot;

use super::StoreError;
use super::sql::Db;

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
    verb: Verb,
}

/// What a verb came to, before the commit.
pub(super) struct Ran {
    /// What it did is part of the transaction.
    pub(super) kept: bool,
    /// Why the transaction itself may not go on: `Broken` or `Unavailable`.
    pub(super) ended: Option<StoreError>,
    answer: Answer,
}

/// What a caller waits for.
pub(super) type Outcome<T> = oneshot::Receiver<Result<T, StoreError>>;

impl Job {
    pub(super) fn new<T, F>(name: &'static str, whose: Whose, verb: F) -> (Job, Outcome<T>)
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, outcome) = oneshot::channel();
        let verb: Verb = Box::new(move |db| {
            let result = db.map(verb);
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
        });
        (Job { name, whose, verb }, outcome)
    }

    pub(super) fn run(self, db: Option<&Db<'_>>) -> Ran {
        (self.verb)(db)
    }
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
