//! T5: power cuts. The store lies on a file system in a file; the gateway is frozen under load and the file is copied: what
//! was never written back is not in the copy. The copy becomes the disk, and the gateway starts on it.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::super::world::{SHOP, Settings, World};
use super::acks::Acks;
use super::checker;
use super::disks::{self, Image};
use super::rows::{self, Dice};
use super::shop::Shop;

async fn world() -> World {
    let settings = Settings { file: "disk/parom.db", quiet: "300ms", gap: "100ms", ..Settings::default() };
    let world = World::of_file(settings).await;
    world.channel("shop", SHOP);
    world
}

/// Cuts the power under load; what the disk had then is the disk now.
async fn cut(world: &mut World, image: &mut Image, acks: &Arc<Acks>, env: &[(&str, &str)], dice: &mut Dice) {
    world.serve(env);
    let known = acks.count();
    let shop = Shop::open(world, 6, Duration::from_millis(dice.below(20)), acks);
    world.until("orders came in", || acks.count() > known + 5).await;
    tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
    kill_process(world.pid(), Signal::STOP).unwrap();
    let copy = image.copy();
    drop(shop);
    world.kill();
    image.replace(&copy);
}

/// Cuts that follow each other on one disk.
const CHAIN: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn t5_a_power_cut_takes_nothing_that_was_acknowledged() {
    let (runs, seed) = (rows::runs(CHAIN), rows::seed());
    let mut dice = Dice(seed);
    let mut acked = 0;
    for _ in 0..runs / CHAIN {
        let Some(more) = chain(&mut dice).await else {
            return disks::skipped("T5", "power cut: the disk's image under load", "root and loop mounts");
        };
        acked += more;
    }
    let figures = format!("{acked} acknowledged, 0 lost, 0 twice, 0 damaged");
    rows::row("T5", "power cut: the disk's image under load", runs, Some(seed), &figures);
}

/// One disk's cuts; how many orders were acknowledged meanwhile.
async fn chain(dice: &mut Dice) -> Option<usize> {
    let mut world = world().await;
    let mut image = Image::new(&world.dir.path().join("disk"))?;
    let acks = Arc::new(Acks::new());
    for _ in 0..CHAIN {
        cut(&mut world, &mut image, &acks, &[], dice).await;
        world.serve(&[]);
        assert_eq!(checker::integrity(&world.db()), "ok");
        let lost = checker::lost(&world.db(), &acks);
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        world.kill();
    }
    world.serve(&[]);
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    checker::delivered_or_cut_thrice(&world, &report);
    world.stop();
    Some(report.acked)
}

/// The control: with commits that are not flushed the same cut loses what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn t5_without_its_flushes_a_power_cut_loses_orders() {
    let (runs, seed) = (rows::runs(3), rows::seed());
    let mut dice = Dice(seed);
    let mut lost = 0;
    for _ in 0..runs {
        let mut world = world().await;
        let Some(mut image) = Image::new(&world.dir.path().join("disk")) else {
            return disks::skipped("T5", "power cut: control without flushes", "root and loop mounts");
        };
        let acks = Arc::new(Acks::new());
        cut(&mut world, &mut image, &acks, &[("PAROM_CARELESS", "1")], &mut dice).await;
        world.serve(&[]);
        lost += usize::from(!checker::lost(&world.db(), &acks).is_empty());
        world.kill();
    }
    // On a slow machine the system may have written back by itself meanwhile.
    assert!(lost > 0, "a cut without flushes lost nothing: the test proves nothing");
    rows::row("T5", "power cut: control without flushes", runs, Some(seed), &format!("{lost} of {runs} lose orders"));
}
