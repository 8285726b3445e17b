//! F22: two gateways with stores of their own on the same account and source, some of whose numbers are the same.

use keycrm_sandbox::DupMode;
use rusqlite::params;

use super::super::world::{SHOP, Settings, World, form};
use super::{checker, rows};

/// Numbers that both use.
const SHARED: usize = 15;
const OWN: usize = 15;

async fn gateway(crm: Option<&World>) -> World {
    // An answer that is lost would leave the found row in doubt: here none is, however busy the machine.
    let settings = Settings { limit: 120, timeout: "10s", duplicates: DupMode::Reject, ..Settings::default() };
    let mut world = World::idle(settings).await;
    world.channel("shop", &SHOP.replace("source_id = 22", "source_id = 22\nsource_uuid = \"{{ nr }}\""));
    if let Some(other) = crm {
        world.configure(&other.crm.api_url());
    }
    world.serve(&[]);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn f22_two_gateways_with_the_same_numbers_claim_no_order_of_each_other() {
    let one = gateway(None).await;
    let two = gateway(Some(&one)).await;
    for number in 0..SHARED.max(OWN) {
        for (name, world) in [("A", &one), ("B", &two)] {
            for nr in [format!("{number}"), format!("{name}{number}")] {
                let answer = world.post("/in/shop", &format!("{}&nr={nr}", form(&format!("{name} {nr}")))).await;
                assert_eq!(answer.status, 202);
            }
        }
    }
    for world in [&one, &two] {
        world.until("all are settled", || world.is_settled()).await;
    }
    // Each row of the CRM belongs to the gateway that made it, and that gateway alone says that it is delivered.
    let rows_of_crm = one.crm.orders();
    assert_eq!(rows_of_crm.len(), SHARED + 2 * OWN);
    let mut asked = 0;
    for (name, world) in [("A", &one), ("B", &two)] {
        let file = checker::open(&world.db());
        let mut find = file.prepare("SELECT state, crm_order_id FROM orders WHERE number = ?1").unwrap();
        for row in &rows_of_crm {
            let (number, buyer) = (row["source_uuid"].as_str().unwrap(), row["buyer"]["full_name"].as_str().unwrap());
            let kept: Option<(String, Option<i64>)> =
                find.query_row(params![number], |row| Ok((row.get(0)?, row.get(1)?))).ok();
            match kept {
                Some((state, id)) if buyer.starts_with(name) => {
                    assert_eq!((state.as_str(), id), ("delivered", row["id"].as_i64()), "{name} {number}");
                }
                Some((state, _)) => {
                    assert_eq!(state, "disputed", "{name} says that {number} of {buyer} is its own");
                    asked += 1;
                }
                None => {}
            }
        }
        let busiest = "SELECT max((SELECT count(*) FROM crm_requests b WHERE b.at BETWEEN a.at AND a.at + 59999))
                       FROM crm_requests a";
        assert!(checker::number(&world.db(), busiest) <= world.limit());
    }
    assert_eq!(asked, SHARED);
    rows::row("F22", "two gateways, one account and source", 2, None, &format!("{asked} shared numbers ask a person"));
}
