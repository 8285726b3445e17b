//! The imitation of Nova Poshta's directory: its key, its pages, its errors with HTTP 200, its throttling.

use std::collections::HashSet;

use keycrm_sandbox::{NovaPoshtaFault, NovaPoshtaFaultKind, NovaPoshtaSize, Options, Sandbox};
use serde_json::{Value, json};

use crate::client::{Answer, answered, send, start};

const SIZE: NovaPoshtaSize = NovaPoshtaSize { settlements: 200, branches: 1_300 };

async fn ask(sandbox: &Sandbox, key: &str, method: &str, asked: Value) -> Answer {
    let body = json!({"apiKey": key, "modelName": "AddressGeneral", "calledMethod": method, "methodProperties": asked});
    let kind = "Content-Type: application/json\r\n";
    answered(send(sandbox.addr(), "POST", "/v2.0/json/", kind, &body.to_string()).await)
}

async fn with(options: Options) -> Sandbox {
    start(Options { novaposhta_size: SIZE, ..options }).await
}

#[tokio::test]
async fn pages_have_their_limit_and_hold_every_row_once() {
    let sandbox = with(Options::default()).await;
    for (method, most, all) in [("getSettlements", 150, 200), ("getCities", 500, 200), ("getWarehouses", 500, 1_300)] {
        let mut refs = HashSet::new();
        for page in 1.. {
            let asked = json!({"Page": page.to_string(), "Limit": "1000000"});
            let answer = ask(&sandbox, "", method, asked).await.json();
            assert_eq!((&answer["success"], &answer["info"]["totalCount"]), (&true.into(), &all.into()), "{method}");
            let rows = answer["data"].as_array().unwrap().clone();
            assert!(rows.len() <= most, "{method}: {} rows", rows.len());
            if rows.is_empty() {
                break;
            }
            assert!(rows.iter().all(|row| refs.insert(row["Ref"].as_str().unwrap().to_owned())), "{method}");
        }
        assert_eq!(refs.len(), all, "{method}");
    }
}

#[tokio::test]
async fn both_refs_of_a_town_lead_to_its_branches() {
    let sandbox = with(Options::default()).await;
    let found = ask(&sandbox, "", "getCities", json!({"FindByString": "Одес"})).await.json();
    let city = found["data"][0]["Ref"].clone();
    let by_city = ask(&sandbox, "", "getWarehouses", json!({"CityRef": city})).await.json();
    let settlement = by_city["data"][0]["SettlementRef"].clone();
    let by_settlement = ask(&sandbox, "", "getWarehouses", json!({"SettlementRef": settlement})).await.json();
    assert_eq!(by_city["data"], by_settlement["data"]);
    assert!(by_city["data"].as_array().unwrap().iter().all(|row| row["CityDescription"] == "Одеса"));
    let closed = by_city["data"][0]["Ref"].as_str().unwrap().to_owned();
    sandbox.close_branch(&closed);
    let again = ask(&sandbox, "", "getWarehouses", json!({"CityRef": city})).await.json();
    assert_eq!(again["data"][0]["WarehouseStatus"], "NotWorking");
}

#[tokio::test]
async fn errors_come_with_status_200_and_a_code() {
    let options = Options { novaposhta_key: Some("right".into()), novaposhta_per_minute: 3, ..Options::default() };
    let sandbox = with(options).await;
    for (key, code) in [("", "20000200069"), ("wrong", "20000200068")] {
        let answer = ask(&sandbox, key, "getCities", json!({})).await;
        assert_eq!((answer.status, &answer.json()["errorCodes"]), (200, &json!([code])));
    }
    let right = ask(&sandbox, "right", "getCities", json!({})).await.json();
    assert_eq!(right["success"], true);
    let busy = ask(&sandbox, "right", "getCities", json!({})).await;
    assert_eq!((busy.status, &busy.json()["errors"]), (200, &json!(["To many requests"])));
    assert_eq!(sandbox.novaposhta_calls().len(), 4);
}

#[tokio::test]
async fn faults_are_played_in_their_turn() {
    let sandbox = with(Options::default()).await;
    let kind = NovaPoshtaFaultKind::ShortPage;
    sandbox.add_novaposhta_fault(NovaPoshtaFault { method: "getCities", kind, skip: 1, times: Some(1) });
    let mut rows = Vec::new();
    for _ in 0..3 {
        let answer = ask(&sandbox, "", "getCities", json!({})).await.json();
        rows.push(answer["data"].as_array().unwrap().len());
    }
    assert_eq!(rows, [200, 100, 200]);
}
