//! Every bug first becomes a case here, with its cause.

use super::world::{SHOP, World, form};

/// A command and `serve` write to one file; a busy moment is waited for, and no order is refused for it.
#[tokio::test(flavor = "multi_thread")]
async fn commands_beside_serve_do_not_disturb_intake() {
    let world = World::start().await;
    world.channel("shop", &SHOP.replace("{{ phone }}", "{{ tel }}"));
    world.until("the change is read", || world.log().matches("channel read").count() >= 2).await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let answer = world.post("/in/shop", &form(&format!("H{number}"))).await;
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    let config = world.config();
    let canceler = std::thread::spawn(move || {
        for id in ids {
            let status = std::process::Command::new(env!("CARGO_BIN_EXE_parom"))
                .args(["orders", "cancel", &id, "--config"])
                .arg(&config)
                .output()
                .unwrap();
            assert!(status.status.code() != Some(2), "{}", String::from_utf8_lossy(&status.stderr));
        }
    });
    for number in 0..60 {
        let body = format!("name=N{number}&tel=0671112233&product=Mug&price=5");
        assert_eq!(world.post("/in/shop", &body).await.status, 202);
    }
    canceler.join().unwrap();
    // Ten had only a name and no phone: they went, as rule 5 allows, unless the cancel came first.
    world
        .until("all are settled", || {
            world.orders().iter().all(|order| order["state"] == "delivered" || order["state"] == "canceled")
        })
        .await;
    assert_eq!(world.orders().len(), 70);
}
