//! The checker itself: what it must find, it finds.

use rusqlite::Connection;

use super::super::world::{SHOP, Settings, World, form};
use super::acks::Acks;
use super::{checker, shop};

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_finds_what_it_must() {
    let mut world = World::of_file(Settings::default()).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    let acks = Acks::new();
    for number in 0..4 {
        let key = format!("k{number}");
        assert!(shop::ordered(&world.http, &world.url("/in/shop"), &key, &form(&key), &acks).await);
    }
    world.until("all are settled", || world.is_settled()).await;
    world.stop();
    assert!(checker::check(&world, &acks).wrong.is_empty());
    // A second and a stranger's order in the CRM.
    let twice = world.posted()[0].body.clone();
    for body in [twice, r#"{"source_id":22,"source_uuid":"X","buyer":{"full_name":"Other"}}"#.to_owned()] {
        let request = world.http.post(format!("{}/order", world.crm.api_url())).bearer_auth("canary-key-1");
        let made = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(made.status().as_u16(), 201);
    }
    let file = Connection::open(world.db()).unwrap();
    file.execute_batch(
        "DROP TRIGGER orders_legal; DROP TRIGGER order_events_all;
         DELETE FROM orders WHERE seq = 2;
         UPDATE orders SET body = body || ' ' WHERE seq = 3;
         UPDATE orders SET state = 'queued' WHERE seq = 4;
         DELETE FROM order_events WHERE id = (SELECT max(id) - 1 FROM order_events);",
    )
    .unwrap();
    let report = checker::compare(&world.db(), &acks, &world.crm, 5);
    for finding in ["I1", "I2", "I3", "I4", "I5", "I6"] {
        assert!(report.wrong.iter().any(|wrong| wrong.starts_with(finding)), "{finding}: {:#?}", report.wrong);
    }
}
