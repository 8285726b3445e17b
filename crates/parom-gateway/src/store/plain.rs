//! Orders that come in and meet nothing: no key that is known, no equal form, no number that another has. Where a statement is
//! a way there and back, those of a group are looked up by one and kept by another. Whatever is not plain goes by itself, as
//! `accept` has it.

use std::collections::HashSet;

use parom_core::channel::OnRepeat;
use parom_core::delivery::state::State;
use parom_core::limits;

use super::StoreError;
use super::accept::{NewOrder, identity};
use super::erasure::hidden_key;
use super::group::{Incoming, Job, Ran};
use super::insert::insert_all;
use super::postgres::Talk;
use super::sql::{Value, params};

/// Whether each of the orders meets something. Every part is asked for by one row, so that no plan reads a whole table.
const MET: &str =
    "SELECT (SELECT 1 FROM idempotency_keys k WHERE k.channel = g.channel AND k.key = ANY (ARRAY[g.key, g.hidden]) LIMIT 1)
         IS NOT NULL
       OR (SELECT 1 FROM orders o WHERE o.channel = g.channel AND o.content = g.content AND o.received_at >= g.since LIMIT 1)
         IS NOT NULL
       OR (SELECT 1 FROM orders o WHERE o.account = g.account AND o.source_id = g.source_id AND o.number = g.number
         AND o.owns_number = 1 LIMIT 1) IS NOT NULL
     FROM unnest(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) WITH ORDINALITY
       AS g (channel, key, hidden, content, since, account, source_id, number, place)
     ORDER BY place";

/// Raw bytes that are kept by one statement; their orders take as much again. A session is ended that waits for seconds in a
/// transaction, and a slow way to the server would make it wait.
const TOGETHER: usize = 2 * 1024 * 1024;

/// What became of a group's plain orders.
pub(super) struct Kept {
    pub(super) ran: Vec<Ran>,
    /// What goes by itself, as it came.
    pub(super) rest: Vec<Job>,
}

/// Jobs with their places in the group.
type Placed = Vec<(usize, Job)>;

/// Keeps those that are plain, under a savepoint `plain` where the group has one.
///
/// # Errors
/// As any write, and the group as it came.
pub(super) fn keep(talk: &Talk, group: Vec<Job>, savepoint: bool) -> Result<Kept, (StoreError, Vec<Job>)> {
    let mut seen = Seen::default();
    let (perhaps, mut rest): (Placed, Placed) = group
        .into_iter()
        .enumerate()
        .partition(|(_, job)| job.incoming().is_some_and(|incoming| seen.is_alone(incoming)));
    let met = match met(talk, &perhaps) {
        Ok(met) => met,
        Err(error) => return undone(talk, error, perhaps.into_iter().chain(rest), savepoint),
    };
    let mut plain = Placed::new();
    for (job, met) in perhaps.into_iter().zip(met) {
        if met { rest.push(job) } else { plain.push(job) }
    }
    if !plain.is_empty() {
        let orders = plain.iter().filter_map(|(_, job)| job.incoming()).map(|incoming| &incoming.order);
        if let Err(error) = insert_all(talk, orders.map(|order| (order, own_number(order).is_some()))) {
            return undone(talk, error, plain.into_iter().chain(rest), savepoint);
        }
    }
    Ok(Kept { ran: plain.into_iter().map(|(_, job)| job.kept()).collect(), rest: as_they_came(rest) })
}

/// One of them cannot be kept: which, each will tell by itself.
fn undone(
    talk: &Talk,
    error: StoreError,
    jobs: impl Iterator<Item = (usize, Job)>,
    savepoint: bool,
) -> Result<Kept, (StoreError, Vec<Job>)> {
    let rest = as_they_came(jobs.collect());
    let ended = match error {
        StoreError::Refused(_) if savepoint => talk.batch("ROLLBACK TO plain").err(),
        error => Some(error),
    };
    match ended {
        None => Ok(Kept { ran: Vec::new(), rest }),
        Some(error) => Err((error, rest)),
    }
}

/// Of two requests with one key the later one is the newer.
fn as_they_came(mut jobs: Placed) -> Vec<Job> {
    jobs.sort_unstable_by_key(|(place, _)| *place);
    jobs.into_iter().map(|(_, job)| job).collect()
}

/// What the orders of a group would look for in each other.
#[derive(Default)]
struct Seen {
    parts: HashSet<(u8, String, Vec<u8>)>,
    bytes: usize,
}

impl Seen {
    /// Whether an order could be kept as it is, and nothing before it in its group is what it would have to look for.
    fn is_alone(&mut self, incoming: &Incoming) -> bool {
        let order = &incoming.order;
        let mut parts = vec![(b'c', order.channel.clone(), order.content.to_vec())];
        for key in order.key.iter().flat_map(|key| [key.clone(), hidden_key(&order.channel, key)]) {
            parts.push((b'k', order.channel.clone(), key.into_bytes()));
        }
        if let Some((source, number)) = own_number(order) {
            parts.push((b'n', order.account.clone(), format!("{source} {number}").into_bytes()));
        }
        let new = parts.iter().all(|part| !self.parts.contains(part));
        self.parts.extend(parts);
        self.bytes += order.submission.body.len();
        new && order.stamp.is_none() && order.doubt.is_none() && !incoming.is_careful() && self.bytes <= TOGETHER
    }
}

/// The number that would become its own.
fn own_number(order: &NewOrder) -> Option<(i64, String)> {
    identity(&order.body).filter(|_| order.state != State::Canceled)
}

fn met(talk: &Talk, perhaps: &[(usize, Job)]) -> Result<Vec<bool>, StoreError> {
    if perhaps.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<Asked<'_>> =
        perhaps.iter().filter_map(|(_, job)| job.incoming()).map(|incoming| Asked::of(&incoming.order)).collect();
    let rows: Vec<Vec<Value<'_>>> = asked.iter().map(Asked::values).collect();
    talk.query_rows(MET, &rows)?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What an order looks for.
struct Asked<'o> {
    order: &'o NewOrder,
    hidden: Option<String>,
    /// Since when an equal form is a repeat; where none is looked for, since never.
    since: i64,
    source: Option<i64>,
    number: Option<String>,
}

impl<'o> Asked<'o> {
    fn of(order: &'o NewOrder) -> Asked<'o> {
        let looks = order.on_repeat != OnRepeat::Off;
        let (source, number) = own_number(order).unzip();
        Asked {
            order,
            hidden: order.key.as_ref().map(|key| hidden_key(&order.channel, key)),
            since: if looks { order.received_at - limits::REPEAT_WINDOW_S * 1_000 } else { i64::MAX },
            source,
            number,
        }
    }

    fn values(&self) -> Vec<Value<'_>> {
        let order = self.order;
        params![
            order.channel,
            order.key,
            self.hidden,
            order.content,
            self.since,
            order.account,
            self.source,
            self.number
        ]
        .to_vec()
    }
}
