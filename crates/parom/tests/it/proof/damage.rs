//! T9: files with flipped bits, cut off, and with pages of nothing, after an unclean end. What SQLite's own checks see is
//! said and refused, and nothing panics.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::world::{NO_CRM, SHOP, Settings, World, form};
use super::acks::Acks;
use super::rows::{self, Dice};
use super::shop;

const PAGE: usize = 4_096;
const WHOLE: &str = "the store was read through and is whole";

/// A store that was killed at work: a file and its log.
struct Killed {
    file: Vec<u8>,
    log: Vec<u8>,
}

async fn killed(world: &mut World) -> Killed {
    world.configure(NO_CRM);
    world.serve(&[]);
    let acks = Acks::new();
    for number in 0..60 {
        let key = format!("d{number}");
        assert!(shop::ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
        // What came first is written back, what came last is in the log.
        if number == 30 {
            let file = Connection::open(world.db()).unwrap();
            file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        }
    }
    world.kill();
    Killed { file: fs::read(world.db()).unwrap(), log: fs::read(beside(world, "-wal")).unwrap() }
}

fn beside(world: &World, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", world.db().display()))
}

/// Damages some bytes; what was done, in words.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let mut below = |end: usize| usize::try_from(dice.below(end as u64)).unwrap();
    match below(4) {
        0 => {
            let at = below(bytes.len());
            bytes.truncate(at);
            format!("cut off at {at}")
        }
        1 => {
            let page = below(bytes.len() / PAGE) * PAGE;
            bytes[page..page + PAGE].fill(0);
            format!("nothing from {page} on, a page long")
        }
        2 => {
            let (page, bit) = (below(bytes.len() / PAGE) * PAGE, below(16 * 8));
            bytes[page + bit / 8] ^= 1 << (bit % 8);
            format!("the bit {bit} at {page}")
        }
        _ => {
            let flips: Vec<usize> = (0..=below(8)).map(|_| below(bytes.len())).collect();
            flips.iter().for_each(|at| bytes[*at] ^= 1 << (at % 8));
            format!("a bit each at {flips:?}")
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t9_a_damaged_file_is_noticed_and_refused() {
    let (runs, seed) = (rows::runs(100), rows::seed());
    let mut dice = Dice(seed);
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    let whole = killed(&mut world).await;
    let (mut noticed, mut harmless) = (0, 0);
    for run in 0..runs {
        let (mut file, mut log) = (whole.file.clone(), whole.log.clone());
        let what = if dice.below(4) == 0 {
            format!("log: {}", damage(&mut log, &mut dice))
        } else {
            format!("file: {}", damage(&mut file, &mut dice))
        };
        put(&world, &file, &log);
        let seen = seen_by_sqlite(&file, &log);
        fs::write(world.dir.path().join("log"), "").unwrap();
        world.launch(&[], &[]);
        let ended = ends_or_is_whole(&mut world).await;
        let said = world.log();
        assert!(!said.contains("panicked"), "{run}, {what}: {said}");
        if ended {
            assert!(said.contains("start from a backup") || !seen, "{run}, {what}: nobody says what to do:\n{said}");
            noticed += 1;
            continue;
        }
        assert!(!seen, "{run}, {what}: SQLite sees it, and nobody says so:\n{said}");
        let kind = "application/x-www-form-urlencoded";
        let Ok(answer) = world.try_send("/in/shop", kind, form("After").into_bytes(), &[]).await else {
            // What no look through the file sees, a statement may meet.
            assert_eq!(world.died().await, Some(2), "{run}, {what}: {}", world.log());
            assert!(world.log().contains("start from a backup"), "{run}, {what}: {}", world.log());
            noticed += 1;
            continue;
        };
        assert!(answer.status == 202 || answer.status == 503, "{run}, {what}: {}", answer.status);
        world.kill();
        harmless += 1;
    }
    let figures = format!("{noticed} noticed and refused, {harmless} harmless to SQLite, 0 panics");
    rows::row("T9", "damaged files and logs", runs, Some(seed), &figures);
}

/// A word that the schema does not allow is a damage too: no query would find the order in its state any more.
#[tokio::test(flavor = "multi_thread")]
async fn t9_a_state_that_nobody_knows_is_noticed() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    let mut whole = killed(&mut world).await;
    // Among the rows; the schema has the word in quotes.
    let rows = |bytes: &[u8]| bytes.windows(7).position(|window| window.ends_with(b"queued") && window[0] != b'\'');
    let mut damaged = 0;
    while let Some(at) = rows(&whole.file) {
        whole.file[at + 6] ^= 0x80;
        damaged += 1;
    }
    assert!(damaged > 0);
    put(&world, &whole.file, &[]);
    world.launch(&[], &[]);
    assert_eq!(world.died().await, Some(2), "{}", world.log());
    assert!(world.log().contains("start from a backup"), "{}", world.log());
}

/// No check of SQLite's reads the words of a trigger: the first statement that meets it says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn t9_a_trigger_that_names_nothing_is_told_as_damage() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    killed(&mut world).await;
    let file = Connection::open(world.db()).unwrap();
    file.pragma_update(None, "writable_schema", 1).unwrap();
    let sql = "UPDATE sqlite_schema SET sql = replace(sql, 'NEW.state', 'NEW.sta\u{f4}e') WHERE name = 'orders_legal'";
    assert_eq!(file.execute(sql, []).unwrap(), 1);
    drop(file);
    world.configure(&world.crm.api_url());
    world.launch(&[], &[]);
    assert_eq!(world.died().await, Some(2), "{}", world.log());
    assert!(world.log().contains("start from a backup"), "{}", world.log());
}

/// A file that was found damaged is not opened for writing again; one in its place is.
#[tokio::test(flavor = "multi_thread")]
async fn t9_a_file_that_was_found_damaged_is_left_alone_until_it_is_replaced() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    let whole = killed(&mut world).await;
    let mut file = whole.file.clone();
    // A page in the middle, which no start reads by itself.
    let middle = file.len() / 2 / PAGE * PAGE;
    file[middle..middle + PAGE].fill(0xff);
    put(&world, &file, &whole.log);
    world.launch(&[], &[]);
    assert_eq!(world.died().await, Some(2), "{}", world.log());
    // A log that is empty and one that is not there say the same: reading may put an empty one away.
    let stands = |world: &World| (fs::read(world.db()).unwrap(), fs::read(beside(world, "-wal")).unwrap_or_default());
    let before = stands(&world);
    world.launch(&[], &[]);
    assert_eq!(world.died().await, Some(2), "{}", world.log());
    assert!(world.log().contains("keep it as it is, and start from a backup"), "{}", world.log());
    assert!(stands(&world) == before, "a damaged file was written to");
    put(&world, &whole.file, &whole.log);
    world.serve(&[]);
    assert_eq!(world.post("/in/shop", &form("After")).await.status, 202);
    assert_eq!(world.orders().len(), 61);
    // A clean end needs no look.
    world.stop();
    let looks = world.log().matches(WHOLE).count();
    world.serve(&[]);
    assert_eq!(world.stop(), 0);
    assert_eq!(world.log().matches(WHOLE).count(), looks);
}

fn put(world: &World, file: &[u8], log: &[u8]) {
    fs::write(world.db(), file).unwrap();
    fs::write(beside(world, "-wal"), log).unwrap();
    let _ = fs::remove_file(beside(world, "-shm"));
    // The last end was unclean, and nothing was found yet.
    fs::write(beside(world, ".lock"), "").unwrap();
}

/// What SQLite says to a copy of the file and its log.
fn seen_by_sqlite(file: &[u8], log: &[u8]) -> bool {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("copy.db");
    fs::write(&path, file).unwrap();
    fs::write(dir.path().join("copy.db-wal"), log).unwrap();
    let check = |path: &Path| -> Result<String, rusqlite::Error> {
        Connection::open(path)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    check(&path).map_or(true, |answer| answer != "ok")
}

/// Whether the gateway ended by itself; else it has read its file through, and serves.
async fn ends_or_is_whole(world: &mut World) -> bool {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let said = world.log();
        if world.has_died() {
            assert_eq!(world.died().await, Some(2), "{}", world.log());
            return true;
        }
        if said.contains(WHOLE) && said.contains("\"message\":\"serving\"") {
            return false;
        }
        assert!(Instant::now() < until, "it neither ends nor says that the file is whole:\n{said}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
