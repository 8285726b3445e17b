//! T7: a disk that fills up at random points, also while the log grows and is written back, and is freed again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::world::{SHOP, Settings, World, form};
use super::acks::Acks;
use super::checker;
use super::disks::{self, Disk};
use super::rows::{self, Dice};
use super::shop::Shop;

/// Fillings of one disk.
const CHAIN: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn t7_a_disk_that_fills_up_loses_nothing_and_recovers_by_itself() {
    let (runs, seed) = (rows::runs(CHAIN), rows::seed());
    let mut dice = Dice(seed);
    let (mut acked, mut refused) = (0, 0);
    for _ in 0..runs / CHAIN {
        let Some(more) = chain(&mut dice).await else {
            return disks::skipped("T7", "disk full at random points", "root, to mount a small disk");
        };
        acked += more.0;
        refused += more.1;
    }
    assert!(refused > 0, "the disk was never felt");
    let figures = format!("{acked} acknowledged, {refused} fillings felt, 0 lost, 0 unrecorded sends");
    rows::row("T7", "disk full at random points", runs, Some(seed), &figures);
}

/// One disk's fillings: how many orders were acknowledged, and in how many fillings an order was refused.
async fn chain(dice: &mut Dice) -> Option<(usize, usize)> {
    let settings = Settings {
        file: "disk/parom.db",
        // No gate: the disk itself says no.
        store: "intake_min_free = \"1B\"\ndelivery_min_free = \"1B\"",
        ..Settings::default()
    };
    let mut world = World::of_file(settings).await;
    world.channel("shop", SHOP);
    let place = world.dir.path().join("disk");
    let _disk = Disk::in_memory(&place, "8m")?;
    world.serve(&[]);
    let acks = Arc::new(Acks::new());
    let shop = Shop::open(&world, 2, Duration::from_millis(40), &acks);
    let mut refused = 0;
    for round in 0..CHAIN {
        let known = acks.count();
        world.until("orders come in", || acks.count() > known + 3).await;
        tokio::time::sleep(Duration::from_millis(dice.below(150))).await;
        fill(&place, dice.below(24 << 10));
        refused += usize::from(try_orders(&world, &format!("filled-{round}"), &acks).await);
        tokio::time::sleep(Duration::from_millis(dice.below(250))).await;
        fs::remove_file(place.join("fill")).unwrap();
    }
    shop.close().await;
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    assert_eq!(checker::integrity(&world.db()), "ok");
    world.stop();
    Some((report.acked, refused))
}

/// Sends a few orders to the full disk; whether one was refused.
async fn try_orders(world: &World, key: &str, acks: &Acks) -> bool {
    for number in 0..6 {
        let (key, body) = (format!("{key}-{number}"), format!("{}&filler={}", form(key), "x".repeat(4_000)));
        let answer = world.send("/in/shop", "application/x-www-form-urlencoded", body.clone().into(), &[]).await;
        match answer.status {
            202 => acks.add(answer.json()["id"].as_str().unwrap(), &key, &body),
            503 => return true,
            other => panic!("a full disk is answered with {other}: {}", answer.text),
        }
    }
    false
}

/// Takes all of the disk's room but so many bytes.
fn fill(place: &Path, but: u64) {
    let stat = rustix::fs::statvfs(place).unwrap();
    let room = (stat.f_bavail * stat.f_frsize).saturating_sub(but);
    // The gateway may be faster: then the disk is full a little earlier.
    let _ = fs::write(place.join("fill"), vec![0; usize::try_from(room).unwrap()]);
}
