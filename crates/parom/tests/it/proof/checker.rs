//! The checker: compares what senders were told, what the CRM has and what our file says, by its own reading of all three.
//!
//! It uses no code of ours: its SQL, its list of legal transitions and its count of requests are its own, so that a
//! mistake of ours is not made twice.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use keycrm_sandbox::Sandbox;
use rusqlite::{Connection, OpenFlags};

use super::super::world::World;
use super::acks::Acks;

/// The states that are visible to an operator, and how each may be left.
const LEGAL: &[(&str, &[&str])] = &[
    ("held", &["queued", "canceled"]),
    ("queued", &["held", "sending", "canceled", "unconfirmed"]),
    ("sending", &["delivered", "queued", "rejected", "unconfirmed"]),
    ("unconfirmed", &["delivered", "queued", "disputed"]),
    ("delivered", &["disputed"]),
    ("rejected", &["queued", "canceled"]),
    ("disputed", &["unconfirmed", "delivered", "canceled"]),
    ("canceled", &[]),
];
/// An answer that came after its order had moved on is kept in the history, and is no transition.
const LATE: &str = "late result, not used";
const WINDOW_MS: u64 = 60_000;

/// An order of our file.
#[derive(Debug)]
struct Kept {
    id: String,
    state: String,
    source: Option<i64>,
    number: String,
    body: String,
    attempts: usize,
    crm_id: Option<i64>,
    submitted: Vec<u8>,
}

/// What was compared, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) wrong: Vec<String>,
    pub(crate) acked: usize,
    pub(crate) orders: usize,
    pub(crate) in_crm: usize,
    pub(crate) posts: usize,
    pub(crate) states: BTreeMap<String, usize>,
}

impl Report {
    /// Panics with all that is wrong.
    pub(crate) fn sound(self, world: &World) -> Report {
        assert!(self.wrong.is_empty(), "{:#?}\n{}", self.wrong, world.log());
        self
    }

    /// For a row of the table.
    pub(crate) fn figures(&self) -> String {
        format!("{} acknowledged, {} in the CRM, 0 lost, 0 twice", self.acked, self.in_crm)
    }
}

/// Compares a world's three books.
pub(crate) fn check(world: &World, acks: &Acks) -> Report {
    compare(&world.db(), acks, &world.crm, world.limit())
}

/// I1 to I6 of `docs/RELIABILITY.md`.
pub(crate) fn compare(db: &Path, acks: &Acks, crm: &Sandbox, ceiling: usize) -> Report {
    let file = open(db);
    let kept = kept(&file);
    let by_id: HashMap<&str, &Kept> = kept.iter().map(|order| (order.id.as_str(), order)).collect();
    let mut report = Report { orders: kept.len(), ..Report::default() };
    for order in &kept {
        *report.states.entry(order.state.clone()).or_default() += 1;
    }
    let mut keys: HashMap<String, String> = HashMap::new();
    for ack in acks.all() {
        report.acked += 1;
        match by_id.get(ack.id.as_str()) {
            None => report.wrong.push(format!("I1: {} was acknowledged and is lost", ack.id)),
            Some(order) if order.submitted != ack.body.as_bytes() => {
                report.wrong.push(format!("I4: {} keeps another body than was sent", ack.id));
            }
            Some(_) => {}
        }
        if let Some(other) = keys.insert(ack.key.clone(), ack.id.clone())
            && other != ack.id
        {
            report.wrong.push(format!("I2: the key {} made {other} and {}", ack.key, ack.id));
        }
    }
    in_the_crm(&mut report, &kept, crm);
    sent(&mut report, &kept, crm, ceiling);
    history(&mut report, &file);
    report
}

/// I1, I2, I3: each delivered order is in the CRM, each order of the CRM is an accepted one, and none is there twice.
fn in_the_crm(report: &mut Report, kept: &[Kept], crm: &Sandbox) {
    let mut found: HashMap<(i64, String), Vec<i64>> = HashMap::new();
    for order in crm.orders() {
        let key = (order["source_id"].as_i64().unwrap(), order["source_uuid"].as_str().unwrap().to_owned());
        found.entry(key).or_default().push(order["id"].as_i64().unwrap());
    }
    report.in_crm = found.len();
    for order in kept.iter().filter(|order| order.state == "delivered") {
        let ids = order.source.and_then(|source| found.get(&(source, order.number.clone())));
        if !ids.is_some_and(|ids| order.crm_id.is_some_and(|id| ids.contains(&id))) {
            report.wrong.push(format!("I1: {} is delivered, and the CRM does not have it", order.id));
        }
    }
    for ((source, number), ids) in &found {
        if ids.len() > 1 {
            report.wrong.push(format!("I2: {number} is in the CRM {} times", ids.len()));
        }
        if !kept.iter().any(|order| order.source == Some(*source) && order.number == *number) {
            report.wrong.push(format!("I3: the CRM has {number}, which nobody accepted"));
        }
    }
}

/// I3, I4, I5: what was sent is what is kept, byte for byte, each time with an intent, and never more often than the
/// ceiling allows.
fn sent(report: &mut Report, kept: &[Kept], crm: &Sandbox, ceiling: usize) {
    let orders: HashMap<&str, &Kept> = kept.iter().map(|order| (order.number.as_str(), order)).collect();
    let ledger = crm.ledger();
    let mut posts: HashMap<&str, usize> = HashMap::new();
    for entry in ledger.iter().filter(|entry| entry.method == "POST") {
        // A request that was cut off shows no number.
        let Some(number) = entry.source_uuid.as_deref() else { continue };
        report.posts += 1;
        *posts.entry(number).or_default() += 1;
        if orders.get(number).is_some_and(|order| order.body != entry.body) {
            report.wrong.push(format!("I4: {number} was sent with another body than is kept"));
        }
    }
    for (number, posts) in posts {
        let intents = orders.get(number).map_or(0, |order| order.attempts);
        if posts > intents {
            report.wrong.push(format!("I3: {number} was sent {posts} times with {intents} intents"));
        }
    }
    let times: Vec<u64> = ledger.iter().map(|entry| entry.at_ms).collect();
    let busiest =
        (0..times.len()).map(|first| times[first..].iter().filter(|at| *at - times[first] < WINDOW_MS).count());
    let busiest = busiest.max().unwrap_or_default();
    if busiest > ceiling {
        report.wrong.push(format!("I5: {busiest} requests within 60 s, and {ceiling} are allowed"));
    }
}

/// I6: the history is whole, in order, and shows legal transitions alone; its end is the order's state.
fn history(report: &mut Report, file: &Connection) {
    let events = "SELECT id, seq, state, note FROM order_events ORDER BY id";
    let mut statement = file.prepare(events).unwrap();
    let mut rows = statement.query([]).unwrap();
    let (mut last, mut states) = (0, HashMap::<i64, String>::new());
    while let Some(row) = rows.next().unwrap() {
        let (id, seq): (i64, i64) = (row.get(0).unwrap(), row.get(1).unwrap());
        let (state, note): (String, String) = (row.get(2).unwrap(), row.get(3).unwrap());
        // A server's numbers have gaps, where a transaction was given up.
        if id <= last || id != last + 1 && super::super::postgres::server().is_none() {
            report.wrong.push(format!("I6: after the event {last} comes {id}"));
        }
        last = id;
        if note.starts_with(LATE) {
            continue;
        }
        match states.insert(seq, state.clone()) {
            // What comes by a key soon after a restore may have been sent before it: it begins with a look.
            None if matches!(state.as_str(), "queued" | "held" | "unconfirmed") => {}
            None => report.wrong.push(format!("I6: the order {seq} began as {state}")),
            Some(was) if was == state => {}
            Some(was) => {
                let legal = LEGAL.iter().any(|(from, to)| *from == was && to.contains(&state.as_str()));
                if !legal {
                    report.wrong.push(format!("I6: the order {seq} went from {was} to {state}"));
                }
            }
        }
    }
    let mut statement = file.prepare("SELECT seq, state FROM orders").unwrap();
    let ends = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
    for (seq, state) in ends.map(Result::unwrap) {
        if !LEGAL.iter().any(|(known, _)| *known == state) {
            report.wrong.push(format!("I1: the order {seq} is in `{state}`, where nobody sees it"));
        }
        if states.get(&seq) != Some(&state) {
            report.wrong.push(format!("I6: the order {seq} is {state}, its history ends with {:?}", states.get(&seq)));
        }
    }
}

/// Our file, for reading alone.
pub(crate) fn open(db: &Path) -> Connection {
    let file = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    file
}

/// One number out of our file.
pub(crate) fn number(db: &Path, sql: &str) -> usize {
    open(db).query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize
}

/// The acknowledged orders that are not in our file.
pub(crate) fn lost(db: &Path, acks: &Acks) -> Vec<String> {
    let file = open(db);
    let mut known = file.prepare("SELECT 1 FROM orders WHERE id = ?1").unwrap();
    acks.all().into_iter().map(|ack| ack.id).filter(|id| !known.exists([id]).unwrap()).collect()
}

/// Each order is delivered, but one whose every sending was cut off, by an end of the process between intent and result or by
/// a CRM that hung up before it kept the order, as often as it may be sent: that one is not in the CRM, and a person decides,
/// as promised.
pub(crate) fn delivered_or_cut_thrice(world: &World, report: &Report) {
    let sql = "SELECT o.id || ', ' || o.state || ' (' || coalesce(o.reason, '') || '): ' ||
                 (SELECT group_concat(line, ' > ') FROM
                   (SELECT e.state || ' ' || coalesce(e.note, '') AS line FROM order_events e WHERE e.seq = o.seq ORDER BY e.id))
               FROM orders o WHERE o.state <> 'delivered' ORDER BY o.seq LIMIT 10";
    let file = open(&world.db());
    let mut statement = file.prepare(sql).unwrap();
    let histories: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let cuts = ["the process ended between the intent and the result", "(lost: "];
    let by_the_rule = |history: &String| {
        cuts.iter().map(|cut| history.matches(cut).count()).sum::<usize>() == 3
            && history.ends_with("disputed sent three times, and not in the CRM")
    };
    assert!(histories.len() <= 2 && histories.iter().all(by_the_rule), "{:?} {histories:#?}", report.states);
    assert_eq!(report.in_crm + histories.len(), report.orders, "{:?} {histories:#?}", report.states);
}

/// What SQLite says to the whole file: `ok`, or what is broken.
pub(crate) fn integrity(db: &Path) -> String {
    let file = open(db);
    file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap_or_else(|error| error.to_string())
}

fn kept(file: &Connection) -> Vec<Kept> {
    let sql = "SELECT o.id, o.state, o.source_id, o.number, o.body, o.crm_order_id, s.body,
                 (SELECT count(*) FROM attempts a WHERE a.seq = o.seq)
               FROM orders o JOIN submissions s ON s.seq = o.seq ORDER BY o.seq";
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Kept {
            id: row.get(0)?,
            state: row.get(1)?,
            source: row.get(2)?,
            number: row.get(3)?,
            body: row.get(4)?,
            crm_id: row.get(5)?,
            submitted: row.get(6)?,
            attempts: row.get::<_, u32>(7)? as usize,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}
