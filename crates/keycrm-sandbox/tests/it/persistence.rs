//! The data file across restarts.

use std::fs;
use std::io::Write;

use keycrm_sandbox::{Options, Sandbox};

use crate::client::{get, order, post, start, unlimited};

#[tokio::test]
async fn orders_survive_and_a_torn_line_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.ndjson");
    let options = Options { data: Some(path.clone()), ..unlimited() };

    let sandbox = start(options.clone()).await;
    post(&sandbox, &order("A")).await;
    post(&sandbox, &order("B")).await;
    let before = sandbox.orders();
    sandbox.stop().await;

    let whole = fs::read(&path).unwrap();
    let half = &whole[..whole.len() / 4];
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(half).unwrap();
    let sandbox = start(options.clone()).await;
    assert_eq!(sandbox.orders(), before);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(post(&sandbox, &order("A")).await.status, 422);
    assert_eq!(post(&sandbox, &order("C")).await.json()["id"], 3);
    assert_eq!(get(&sandbox, "/v1/order?filter[source_uuid]=B").await.json()["total"], 1);
    sandbox.stop().await;

    let sandbox = start(options).await;
    assert_eq!(sandbox.orders().len(), 3);
}

#[tokio::test]
async fn a_file_of_something_else_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "not an order\nand another\n").unwrap();
    let error = Sandbox::start(Options { data: Some(path.clone()), ..unlimited() }).await.unwrap_err();
    assert!(error.to_string().ends_with("notes.txt: line 1 is not an order"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "not an order\nand another\n");
}
