//! The database hangs: the kernel of its machine takes what is sent, and nothing answers.

use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::postgres;
use super::world::{SHOP, Settings, World, form};

/// Senders, and whoever watches, hear so within seconds; and when it is back, all goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_told_within_seconds() {
    if postgres::server().is_none() {
        println!("skipped: it needs PostgreSQL (PAROM_TEST_STORE)");
        return;
    }
    let cluster = Cluster::start("");
    let mut world = World::of_server(Settings::default(), &cluster.server()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    assert_eq!(world.post("/in/shop", &form("Before")).await.status, 202);
    world.until("it is delivered", || world.count(&["delivered"]) == 1).await;
    cluster.freezes();
    let began = Instant::now();
    let frozen = form("Frozen");
    let (order, ready, metrics) =
        tokio::join!(world.post("/in/shop", &frozen), world.get("/readyz"), world.get("/metrics"));
    let took = began.elapsed();
    cluster.thaws();
    assert_eq!((order.status, ready.status), (503, 503), "{}", order.text);
    assert!(!order.header("retry-after").is_empty() && took < Duration::from_secs(29), "{took:?}");
    assert!(metrics.text.contains("parom_store_up 0"), "{}", metrics.text);
    assert!(
        metrics.text.contains("parom_orders{state=\"delivered\"} NaN"),
        "old figures pass for new ones: {}",
        metrics.text
    );
    let since = Instant::now();
    while world.post("/in/shop", &frozen).await.status != 202 {
        assert!(since.elapsed() < Duration::from_secs(20), "{}", world.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.until("all is delivered", || world.count(&["queued", "sending", "unconfirmed"]) == 0).await;
    assert!(world.get("/metrics").await.text.contains("parom_store_up 1"));
    assert!(world.log().contains("does not answer for"), "{}", world.log());
}
