//! A PostgreSQL whose database was put back by the server's own tools: it has forgotten what was sent since.

use super::cluster::Cluster;
use super::postgres;
use super::world::{SHOP, Settings, World, form};

const ORDERS: usize = 6;

/// A world on this server, and orders that wait.
async fn with_orders_that_wait(cluster: &Cluster) -> Option<World> {
    if postgres::server().is_none() {
        println!("skipped: it needs PostgreSQL (PAROM_TEST_STORE)");
        return None;
    }
    let mut world =
        World::of_server(Settings { quiet: "1s", gap: "500ms", ..Settings::default() }, &cluster.server()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world.alter("INSERT INTO paused_accounts (account, at, actor) VALUES ('main', 0, 'test')");
    for number in 0..ORDERS {
        assert_eq!(world.post("/in/shop", &form(&format!("N{number}"))).await.status, 202);
    }
    assert_eq!(world.count(&["queued"]), ORDERS);
    Some(world)
}

async fn all_go(world: &World) {
    world.alter("DELETE FROM paused_accounts");
    world.until("all are in the CRM", || world.crm.orders().len() == ORDERS && world.is_settled()).await;
}

/// Each order of the copy is found in the CRM, and none goes again.
async fn none_goes_again(world: &World) {
    world.alter("DELETE FROM paused_accounts");
    world.until("all are settled", || world.is_settled()).await;
    assert_eq!(world.count(&["delivered"]), ORDERS, "{:#?}", world.orders());
    assert_eq!(world.crm.orders().len(), ORDERS, "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_that_is_put_back_on_the_same_server_is_noticed() {
    let cluster = Cluster::start("");
    let Some(mut world) = with_orders_that_wait(&cluster).await else { return };
    let (name, file) = (world.database.as_ref().unwrap().name().to_owned(), cluster.folder().join("dump"));
    cluster.dump(&name, &file);
    all_go(&world).await;
    world.stop();
    cluster.ask(&format!("DROP DATABASE {name}"));
    cluster.ask(&format!("CREATE DATABASE {name}"));
    cluster.put_back(&name, &file);
    assert_eq!(world.count(&["queued"]), ORDERS);
    world.serve(&[]);
    none_goes_again(&world).await;
    assert!(world.log().contains("the database was put back from a dump"), "{}", world.log());
}

/// A copy of the server's files shows nothing of itself: the operator says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_put_back_is_looked_up_when_the_operator_says_so() {
    let cluster = Cluster::start("");
    let Some(mut world) = with_orders_that_wait(&cluster).await else { return };
    let early = world.cli(&["restore", "--verify-first"]);
    assert!(early.code == 2 && early.err.contains("stop them first"), "{}", early.err);
    world.stop();
    cluster.stops();
    cluster.keep_files();
    cluster.up();
    world.serve(&[]);
    all_go(&world).await;
    world.stop();
    cluster.dies();
    cluster.put_files_back();
    cluster.up();
    let told = world.cli(&["restore", "--verify-first", "--json"]);
    assert!(told.code == 0 && told.out.contains(&format!("\"unconfirmed\": {ORDERS}")), "{}{}", told.out, told.err);
    world.serve(&[]);
    none_goes_again(&world).await;
}
