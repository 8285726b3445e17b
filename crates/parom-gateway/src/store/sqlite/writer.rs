//! The one writer: a thread that takes all that waits, commits it as one transaction, and only then answers.
//!
//! There is no timer: an idle store pays one flush for one order, a busy one shares it.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::super::group::{Job, Outcome, Ran};
use super::super::sql::Db;
use super::super::{OpenError, StoreError};
use super::{checkpoint, wholeness};
use crate::crash;

/// Verbs in one transaction, at most.
const GROUP: usize = 256;

/// Runs alone, between two transactions.
type Chore = Box<dyn FnOnce(&Connection) + Send>;

/// What the thread is asked for.
enum Asked {
    Verb(Job),
    Chore(Chore),
}

#[derive(Debug)]
pub(super) struct Writer {
    jobs: Sender<Asked>,
    broken: watch::Receiver<Option<String>>,
}

impl Writer {
    /// Starts the thread; a file that a commit finds damaged is noted in the lock.
    pub(super) fn start(connection: Connection, lock: Option<Arc<File>>) -> Result<Writer, OpenError> {
        let (jobs, waiting) = channel();
        let (tell, broken) = watch::channel(None);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work(&connection, &waiting, &tell, lock.as_deref()))
            .map_err(|error| OpenError(format!("no thread for the store: {error}")))?;
        Ok(Writer { jobs, broken })
    }

    /// Runs a verb in the next transaction; answers after its commit.
    pub(super) async fn submit<T>(&self, job: Job, outcome: Outcome<T>) -> Result<T, StoreError> {
        if let Some(reason) = self.broken.borrow().clone() {
            return Err(StoreError::Broken(reason));
        }
        let gone = || StoreError::Broken("the writer has ended".into());
        self.jobs.send(Asked::Verb(job)).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// Runs what no transaction can hold, between two of them. Its caller is told what it came to; an error of it is no reason
    /// to distrust the store.
    pub(super) async fn between<T: Send + 'static>(
        &self,
        name: &'static str,
        chore: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let gone = move || StoreError::Broken(format!("{name}: the writer has ended"));
        let chore: Chore = Box::new(move |connection| drop(reply.send(chore(connection))));
        self.jobs.send(Asked::Chore(chore)).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.broken.borrow().clone()
    }

    pub(super) async fn broken(&self) -> String {
        let mut broken = self.broken.clone();
        match broken.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the writer has ended".into(),
        }
    }
}

fn work(connection: &Connection, jobs: &Receiver<Asked>, tell: &watch::Sender<Option<String>>, lock: Option<&File>) {
    while let Ok(first) = jobs.recv() {
        let (mut group, mut next) = (Vec::new(), Some(first));
        let mut chore = None;
        while let Some(asked) = next {
            match asked {
                Asked::Verb(job) => group.push(job),
                Asked::Chore(asked) => chore = Some(asked),
            }
            next = if chore.is_none() && group.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        let ended = if group.is_empty() { Ok(()) } else { timed(connection, group) };
        if let Err(reason) = ended {
            wholeness::suspect(lock, &reason);
            tell.send_replace(Some(reason));
            // Callers that wait get "the writer has ended": what they asked for is unknown, as it is.
            return;
        }
        if let Some(chore) = chore {
            chore(connection);
        }
    }
}

/// One group, and how long it took. `Err` when the store cannot be trusted any more.
fn timed(connection: &Connection, group: Vec<Job>) -> Result<(), String> {
    let started = std::time::Duration::from_millis(crate::clock::mono().0);
    let kept = commit(connection, group)?;
    write_back(connection, !kept)?;
    let took = std::time::Duration::from_millis(crate::clock::mono().0).saturating_sub(started);
    metrics::histogram!("parom_commit_seconds").record(took.as_secs_f64());
    Ok(())
}

/// Between two commits. `Err` when the store cannot be trusted any more.
fn write_back(connection: &Connection, at_once: bool) -> Result<(), String> {
    match checkpoint::write_back(connection, at_once) {
        Err(StoreError::Broken(reason)) => Err(reason),
        Err(error) => {
            tracing::warn!(%error, "the log could not be written back yet");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// One transaction over the group; whether it was committed. `Err` when the store cannot be trusted any more.
fn commit(connection: &Connection, group: Vec<Job>) -> Result<bool, String> {
    let mut answers = Vec::with_capacity(group.len());
    let names: Vec<&'static str> = group.iter().map(|job| job.name).collect();
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
    let mut ended = begun.err();
    for job in group {
        if ended.is_some() {
            answers.push(job.run(None));
            continue;
        }
        match run_one(connection, job) {
            Ok(ran) => {
                ended = ran.ended.clone().filter(|error| matches!(error, StoreError::Broken(_)));
                answers.push(ran);
            }
            Err(error) => ended = Some(error),
        }
        if ended.is_none() && connection.is_autocommit() {
            // A full disk can end the transaction inside of a statement.
            ended = Some(StoreError::Unavailable("the transaction was rolled back".into()));
        }
    }
    if ended.is_none() {
        crash::commit("store.before_commit", &names);
        ended = connection.execute_batch("COMMIT").map_err(StoreError::from).err();
        crash::commit("store.after_commit", &names);
    }
    let Some(error) = ended else {
        answers.into_iter().for_each(|ran| ran.answer(Ok(())));
        return Ok(true);
    };
    let _ = connection.execute_batch("ROLLBACK");
    let reason = error.to_string();
    let passing = matches!(error, StoreError::Unavailable(_));
    for ran in answers {
        // After a failed commit the frames may be in the log already and come back: neither kept nor lost is known.
        let told = if passing { StoreError::Unavailable(reason.clone()) } else { StoreError::Broken(reason.clone()) };
        ran.answer(Err(told));
    }
    if passing { Ok(false) } else { Err(reason) }
}

/// Each verb has a savepoint, so that one that is refused does not undo its neighbours.
fn run_one(connection: &Connection, job: Job) -> Result<Ran, StoreError> {
    let step = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(|_| ());
    step("SAVEPOINT verb")?;
    let ran = job.run(Some(&Db::Sqlite(connection)));
    if connection.is_autocommit() || matches!(ran.ended, Some(StoreError::Broken(_))) {
        return Ok(ran);
    }
    if !ran.kept {
        step("ROLLBACK TO verb")?;
    }
    step("RELEASE verb")?;
    Ok(ran)
}
