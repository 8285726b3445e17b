//! T6: every call on the store's files is recorded under load, and disks are made of the record as a power cut may leave
//! them at any moment: with some of what was not flushed, in any order, torn at any sector.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use super::super::world::{SHOP, Settings, World, form};
use super::acks::Acks;
use super::rows::{self, Dice};
use super::trace::{self, Call, OnDisk, What};
use super::{disks, shop};

const ORDERS: usize = 80;
const FILE: &str = "parom.db";
const LOG: &str = "parom.db-wal";

/// The record of one run of the gateway.
struct Recorded {
    /// The file and its log before it.
    before: (Vec<u8>, Vec<u8>),
    calls: Vec<Call>,
    /// When each order was acknowledged, microseconds since 1970, and its id.
    acked: Vec<(u64, String)>,
}

impl Recorded {
    fn disks(&self) -> (OnDisk, OnDisk) {
        (OnDisk::new(self.before.0.clone()), OnDisk::new(self.before.1.clone()))
    }
}

async fn record(world: &mut World) -> Option<Recorded> {
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return None;
    }
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.stop();
    let before = (fs::read(world.db()).unwrap(), fs::read(world.dir.path().join(LOG)).unwrap_or_default());
    let out = world.dir.path().join("trace");
    // Short logs: they are written back and begun anew many times.
    world.serve_below(&trace::strace(out.to_str().unwrap()), &[("PAROM_CHECKPOINT_PAGES", "60")]);
    let (acks, mut times) = (Acks::new(), Vec::new());
    for number in 0..ORDERS {
        let key = format!("t{number}");
        assert!(shop::ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
        times.push(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap());
    }
    world.crm_has(ORDERS).await;
    world.kill();
    // The record is whole when the tracer has seen the end.
    for _ in 0..1_500 {
        if ended(&out) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let calls = trace::read(&out, world.db().parent().unwrap());
    let calls: Vec<Call> = calls.into_iter().filter(|call| [FILE, LOG].contains(&call.file.as_str())).collect();
    let back = calls.iter().filter(|call| call.file == FILE && matches!(call.what, What::Flush)).count();
    assert!(back >= 5, "the log was written back {back} times");
    let acked = times.into_iter().zip(acks.all().into_iter().map(|ack| ack.id)).collect();
    Some(Recorded { before, calls, acked })
}

fn ended(out: &Path) -> bool {
    let (dir, name) = (out.parent().unwrap(), format!("{}.", out.file_name().unwrap().to_str().unwrap()));
    let traces =
        fs::read_dir(dir).unwrap().flatten().filter(|entry| entry.file_name().to_str().unwrap().starts_with(&name));
    traces.map(|entry| fs::read_to_string(entry.path()).unwrap()).all(|text| text.trim_end().ends_with("+++"))
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_no_disk_that_a_power_cut_may_leave_lacks_an_acknowledged_order() {
    let (images, seed) = (rows::runs(500), rows::seed());
    let what = "power cut: recorded writes, subsets and tears";
    let mut dice = Dice(seed);
    let mut world = World::of_file(Settings::default()).await;
    let Some(recorded) = record(&mut world).await else { return disks::skipped("T6", what, "strace") };
    let mut moments: Vec<usize> =
        (0..images).map(|_| usize::try_from(dice.below(recorded.calls.len() as u64)).unwrap()).collect();
    moments.sort_unstable();
    let ((mut file, mut log), mut next) = (recorded.disks(), 0);
    for (number, moment) in moments.into_iter().enumerate() {
        while next <= moment {
            let call = &recorded.calls[next];
            if call.file == FILE {
                file.take(&call.what)
            } else {
                log.take(&call.what)
            }
            next += 1;
        }
        // What was acknowledged before the last of these calls began.
        let until = recorded.calls[moment].at;
        let promised: Vec<&str> =
            recorded.acked.iter().filter(|(at, _)| *at < until).map(|(_, id)| id.as_str()).collect();
        let cut = (file.cut(&mut dice), log.cut(&mut dice));
        let (whole, kept) = open(&cut.0, &cut.1);
        assert_eq!(whole, "ok", "image {number}, after call {moment}");
        let lost: Vec<&&str> = promised.iter().filter(|id| !kept.contains(**id)).collect();
        assert!(lost.is_empty(), "image {number}, after call {moment}: {lost:?}");
        if number % 100 == 50 {
            start(&mut world, &cut, &promised).await;
        }
    }
    let figures = format!("{} calls recorded, 0 damaged, 0 acknowledged orders missing", recorded.calls.len());
    rows::row("T6", what, images, Some(seed), &figures);
    control(&recorded, &mut dice);
}

/// A disk that only says that it flushed: then orders must be missing.
fn control(recorded: &Recorded, dice: &mut Dice) {
    let (mut file, mut log) = recorded.disks();
    for call in recorded.calls.iter().filter(|call| !matches!(call.what, What::Flush)) {
        if call.file == FILE { file.take(&call.what) } else { log.take(&call.what) }
    }
    let missing = (0..20).filter(|_| {
        let (whole, kept) = open(&file.cut(dice), &log.cut(dice));
        whole != "ok" || recorded.acked.iter().any(|(_, id)| !kept.contains(id))
    });
    let missing = missing.count();
    assert!(missing > 0, "a disk that does not flush lost nothing: the test proves nothing");
    rows::row(
        "T6",
        "control: a disk that only says that it flushed",
        20,
        None,
        &format!("{missing} of 20 lose orders"),
    );
}

/// What SQLite says to a file and its log, and the orders that it finds there.
fn open(file: &[u8], log: &[u8]) -> (String, HashSet<String>) {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::TempDir::new_in(memory) } else { tempfile::TempDir::new() }.unwrap();
    fs::write(dir.path().join(FILE), file).unwrap();
    fs::write(dir.path().join(LOG), log).unwrap();
    let read = || -> Result<(String, HashSet<String>), rusqlite::Error> {
        let connection = Connection::open(dir.path().join(FILE))?;
        let whole = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let mut ids = connection.prepare("SELECT id FROM orders")?;
        let ids = ids.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((whole, ids))
    };
    read().unwrap_or_else(|error| (error.to_string(), HashSet::new()))
}

/// The real gateway on such a disk.
async fn start(world: &mut World, cut: &(Vec<u8>, Vec<u8>), promised: &[&str]) {
    fs::write(world.db(), &cut.0).unwrap();
    fs::write(world.dir.path().join(LOG), &cut.1).unwrap();
    let _ = fs::remove_file(world.dir.path().join("parom.db-shm"));
    // The mark as the same power cut would have left it: not ahead of the file.
    let incarnation: String = Connection::open(world.db())
        .and_then(|file| file.query_row("SELECT value FROM facts WHERE name = 'incarnation'", [], |row| row.get(0)))
        .unwrap();
    fs::write(world.dir.path().join("parom.db.mark"), format!("{incarnation} 0\n")).unwrap();
    world.serve(&[]);
    world.until("all are settled", || world.is_settled()).await;
    let kept: Vec<serde_json::Value> = world.orders();
    assert!(promised.iter().all(|id| kept.iter().any(|order| order["id"] == *id)));
    world.kill();
}
