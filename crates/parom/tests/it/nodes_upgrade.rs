//! Two versions side by side on one database: nodes are updated one after the other while orders come in and go out.

use std::sync::Arc;
use std::time::Duration;

use super::nodes::{LEASE, two_of};
use super::proof::acks::Acks;
use super::proof::checker;
use super::proof::shop::Shop;
use super::world::{Settings, World};

/// A version with a step more than this one has, which adds to the tables that every order is written to.
const NEXT: (&str, &str) = (
    "PAROM_NEXT_STEP",
    "1;ALTER TABLE orders ADD COLUMN of_next BIGINT NOT NULL DEFAULT 0; ALTER TABLE order_events ADD COLUMN of_next TEXT; \
     CREATE INDEX of_next ON orders (of_next) WHERE of_next > 0",
);
/// One whose step older versions cannot live beside.
const FAR: (&str, &str) = ("PAROM_NEXT_STEP", "1000;ALTER TABLE orders ADD COLUMN far BIGINT");

async fn more(world: &World, acks: &Acks) {
    let before = acks.count();
    world.until("orders come in on both", || acks.count() > before + 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_updated_one_after_the_other_while_orders_go() {
    let settings = Settings { quiet: "2s", gap: "1s", ..Settings::default() };
    let Some((mut world, mut node)) = two_of(settings, |_| ()).await else { return };
    let acks = Arc::new(Acks::new());
    let pause = Duration::from_millis(25);
    let trade = [Shop::open(&world, 2, pause, &acks), Shop::open_at(node.url("/in/shop"), 2, pause, &acks)];
    more(&world, &acks).await;
    // The first is updated; the other goes on with what it knows, over a restart too.
    node.stop();
    node.serve(&[NEXT]);
    more(&world, &acks).await;
    world.kill();
    world.serve(&[LEASE]);
    assert!(world.log().contains("this one goes on beside it"), "{}", world.log());
    more(&world, &acks).await;
    // Then the second.
    assert_eq!(world.stop(), 0);
    world.serve(&[LEASE, NEXT]);
    more(&world, &acks).await;
    for shop in trade {
        shop.close().await;
    }
    world.until("all are settled", || world.is_settled()).await;
    let report = checker::check(&world, &acks).sound(&world);
    assert_eq!(report.states.get("delivered"), Some(&report.orders), "{:?}", report.states);
    // A step that an older version cannot live beside is refused by it, at a start.
    node.stop();
    world.stop();
    world.alter("DELETE FROM schema_steps WHERE step = (SELECT max(step) FROM schema_steps)");
    node.serve(&[FAR]);
    world.launch(&[], &[LEASE]);
    assert_eq!(world.died().await, Some(2), "{}", world.log());
    assert!(world.log().contains("use the newer parom that made it"), "{}", world.log());
}
