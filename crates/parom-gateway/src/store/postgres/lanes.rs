//! Writing to PostgreSQL: a few lanes, each a thread that commits all that waits in it as one transaction and only then
//! answers. An account has one lane here, and over all nodes its verbs take turns by an advisory lock, so that each verb
//! sees what the one before it left, as with SQLite's one writer. No lock outlives its transaction.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use deadpool_postgres::Pool;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::super::group::{Job, Outcome, Whose};
use super::super::plain::{self, Kept};
use super::super::sql::{Db, params};
use super::super::touched::Touched;
use super::super::{OpenError, StoreError};
use super::bell::Bell;
use super::identity::Identity;
use super::pool::talk;
use super::talk::Talk;
use crate::crash;

/// Lanes of a node. As many accounts can be written at the same time, each on its own connection.
pub(super) const LANES: usize = 8;
/// Verbs in one transaction, at most.
const GROUP: usize = 64;
/// The lock that everybody shares, and that a verb of everybody's rows takes alone.
const ALL: i64 = 0;

#[derive(Debug)]
pub(super) struct Lanes(Vec<Sender<Job>>);

impl Lanes {
    pub(super) fn start(
        pool: &Pool,
        runtime: &Handle,
        identity: &Arc<Identity>,
        bell: &Arc<Bell>,
    ) -> Result<Lanes, OpenError> {
        let lane = |at: usize| {
            let ((jobs, waiting), pool, runtime) = (channel(), pool.clone(), runtime.clone());
            let (identity, bell) = (Arc::clone(identity), Arc::clone(bell));
            std::thread::Builder::new()
                .name(format!("store-lane-{at}"))
                .spawn(move || work(&waiting, &bell, || talk(&pool, &runtime, &identity)))
                .map_err(|error| OpenError(format!("no thread for the store: {error}")))?;
            Ok(jobs)
        };
        Ok(Lanes((0..LANES).map(lane).collect::<Result<_, OpenError>>()?))
    }

    /// Runs a verb in the next transaction of its lane; answers after its commit.
    pub(super) async fn submit<T>(&self, job: Job, outcome: Outcome<T>) -> Result<T, StoreError> {
        let place = key(&job.whose).unwrap_or_default().unsigned_abs() % LANES as u64;
        let lane = self.0.get(usize::try_from(place).unwrap_or_default());
        let gone = || StoreError::Unavailable("the store is being closed".into());
        lane.ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

fn work(jobs: &Receiver<Job>, bell: &Bell, connect: impl Fn() -> Result<Talk, StoreError>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        let started = std::time::Duration::from_millis(crate::clock::mono().0);
        commit(group, bell, connect());
        let took = std::time::Duration::from_millis(crate::clock::mono().0).saturating_sub(started);
        metrics::histogram!("parom_commit_seconds").record(took.as_secs_f64());
    }
}

/// One transaction over the group, and its answers.
fn commit(group: Vec<Job>, bell: &Bell, talk: Result<Talk, StoreError>) {
    let names: Vec<&'static str> = group.iter().map(|job| job.name).collect();
    let talk = match talk {
        Ok(talk) => talk,
        Err(error) => return group.into_iter().for_each(|job| job.run(None).answer(Err(error.clone()))),
    };
    let alone = group.len() == 1;
    let (turns, mut ended) = match turns(&talk, &group).and_then(|turns| turns.begin(&talk, alone).map(|()| turns)) {
        Ok(turns) => (turns, None),
        Err(error) => (Turns::default(), Some(error)),
    };
    let (mut answers, group) = match ended {
        None => match plain::keep(&talk, group, !alone) {
            Ok(Kept { ran, rest }) => (ran, rest),
            Err((error, group)) => {
                ended = Some(error);
                (Vec::new(), group)
            }
        },
        Some(_) => (Vec::new(), group),
    };
    let db = Db::Postgres(&talk);
    // How a verb's savepoint ends goes in one message with the next one's beginning, or with the commit.
    let (mut savepoint, mut undo) = ("SAVEPOINT verb", false);
    for job in group {
        if ended.is_some() {
            answers.push(job.run(None));
            continue;
        }
        if !alone && let Err(error) = talk.batch(savepoint) {
            ended = Some(error);
            answers.push(job.run(None));
            continue;
        }
        let ran = job.run(Some(&db));
        ended = ran.ended.clone();
        undo = !ran.kept && !alone;
        savepoint =
            if undo { "ROLLBACK TO verb; RELEASE verb; SAVEPOINT verb" } else { "RELEASE verb; SAVEPOINT verb" };
        answers.push(ran);
    }
    if undo && ended.is_none() {
        ended = talk.batch("ROLLBACK TO verb").err();
    }
    // A verb that was refused alone leaves nothing to commit: its transaction is over.
    let empty = alone && answers.iter().all(|ran| !ran.kept);
    if ended.is_none() && !empty {
        crash::commit("store.before_commit", &names);
        ended = talk.batch("COMMIT").err().map(not_known);
        crash::commit("store.after_commit", &names);
    }
    let over = ended.is_none() && !empty;
    if !over && talk.batch("ROLLBACK").is_err() {
        talk.drop_connection();
    } else if over {
        bell.ring(&talk, &turns.touched());
    }
    for ran in answers {
        ran.answer(ended.clone().map_or(Ok(()), Err));
    }
}

/// The commit was asked for and not answered: the verb may be kept. Whoever asked must ask again, by the same key.
fn not_known(error: StoreError) -> StoreError {
    StoreError::NotKnown(error.to_string())
}

/// Whose turns a group's transaction waits for.
#[derive(Debug, Default)]
struct Turns {
    everybody: bool,
    accounts: Vec<String>,
    keys: Vec<i64>,
}

fn turns(talk: &Talk, group: &[Job]) -> Result<Turns, StoreError> {
    let db = Db::Postgres(talk);
    let mut turns = Turns::default();
    for job in group {
        // An order's turn is its account's, which is asked for.
        let account: Option<String> = match &job.whose {
            Whose::Account(account) => Some(account.clone()),
            Whose::Order(seq) => {
                db.first("SELECT account FROM orders WHERE seq = ?1", params![seq], |row| row.get(0))?
            }
            Whose::Id(id) => db.first("SELECT account FROM orders WHERE id = ?1", params![id], |row| row.get(0))?,
            whose => {
                turns.everybody |= *whose == Whose::Everybody;
                turns.keys.extend(key(whose));
                continue;
            }
        };
        turns.accounts.extend(account);
    }
    let own = |account: &String| key(&Whose::Account(account.clone()));
    turns.keys.extend(turns.accounts.iter().filter_map(own));
    turns.keys.sort_unstable();
    turns.keys.dedup();
    turns.accounts.sort_unstable();
    turns.accounts.dedup();
    Ok(turns)
}

impl Turns {
    /// Begins the transaction and waits for its turns, in one message; a verb that is alone needs no savepoint.
    fn begin(&self, talk: &Talk, alone: bool) -> Result<(), StoreError> {
        let savepoint = if alone { "" } else { "; SAVEPOINT plain" };
        if self.everybody {
            return talk.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock({ALL}){savepoint}"));
        }
        let turns: String = self.keys.iter().map(|key| format!("; SELECT pg_advisory_xact_lock({key})")).collect();
        talk.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock_shared({ALL}){turns}{savepoint}"))
    }

    fn touched(&self) -> Touched {
        if self.everybody { Touched::All } else { Touched::Accounts(self.accounts.clone()) }
    }
}

/// A lock's number: never the one of all, and an account's is no thing's.
fn key(whose: &Whose) -> Option<i64> {
    match whose {
        Whose::Account(name) => Some(number(b'a', name)),
        Whose::Thing(name) => Some(number(b't', name)),
        _ => None,
    }
}

/// The number of a lock that has a name.
pub(super) fn number(kind: u8, name: &str) -> i64 {
    let hash = Sha256::new().chain_update([kind]).chain_update(name).finalize();
    let number = i64::from_be_bytes(hash.first_chunk().copied().unwrap_or_default());
    if number == ALL { 1 } else { number }
}
