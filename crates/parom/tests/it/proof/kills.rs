//! T4: kill −9 at random times under load, with a CRM that loses answers.

use std::sync::Arc;
use std::time::Duration;

use keycrm_sandbox::{Fault, FaultKind, FaultOn};

use super::super::world::{SHOP, Settings, World};
use super::acks::Acks;
use super::checker;
use super::rows::{self, Dice};
use super::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn t4_kills_at_random_times_under_load_lose_and_double_nothing() {
    let (runs, seed) = (rows::runs(20), rows::seed());
    let mut dice = Dice(seed);
    let mut world = World::idle(Settings { quiet: "300ms", gap: "100ms", ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let acks = Arc::new(Acks::new());
    // Five senders with a pause of a fifth of a second: about 20 orders a second.
    let shop = Shop::open(&world, 5, Duration::from_millis(200), &acks);
    for _ in 0..runs {
        for kind in [FaultKind::CommitThenDrop, FaultKind::DropBefore] {
            if dice.below(3) == 0 {
                world.crm.add_fault(Fault::once(FaultOn::Post, kind));
            }
        }
        // A start takes about a tenth of a second: some kills come into it.
        let started = dice.below(4) > 0;
        world.kill();
        if started {
            world.serve(&[]);
        } else {
            world.launch(&[], &[]);
        }
        tokio::time::sleep(Duration::from_millis(dice.below(if started { 600 } else { 150 }))).await;
    }
    world.kill();
    world.serve(&[]);
    shop.close().await;
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.orders, report.acked, "each key made one order");
    checker::delivered_or_cut_thrice(&world, &report);
    rows::row("T4", "kill -9 at random times under load", runs, Some(seed), &report.figures());
}
