//! The main job on real input: `parom demo`, the shop's own form, the CRM's own page.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What the buyer typed, as the CRM has it.
const ON_THE_PAGE: &[&str] = &[
    "v name",
    "+380671112233",
    "olena@ukr.net",
    "v address_city",
    "v address_country",
    "v address_region",
    "v address_zip",
    "v secondary_line",
    "v receive_poin",
    "v recipient_full_name",
    "2026-12-01",
    "1ec09d2e-e1c2-11e3-8c4a-0050568002cf",
    "v utm_source",
    "v utm_medium",
    "v utm_campaign",
    "v utm_term",
    "v utm_content",
    "v product_name",
    "1249.5",
    "https://shop.example.ua/mug.jpg",
    "v color",
    "v description",
    "2026-11-24T08:30:00",
    "paid",
    "v value",
    "v value 1",
    "v value2",
    "v value 3",
    "LD_1022",
    "v comment",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_form_is_in_the_crms_page_with_all_its_fields() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = TempDir::new().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut child, port, page) = started(&http, dir.path()).await;
    let action = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let body = filled(&page);
    let request = http.post(&action).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.header("accept", "text/html").body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "the browser followed to the shop's page of thanks");
    let crm = format!("http://127.0.0.1:{}", port + 1);
    let until = Instant::now() + Duration::from_secs(20);
    let order = loop {
        let text = http.get(format!("{crm}/orders/1")).send().await.unwrap();
        if text.status().as_u16() == 200 {
            break text.text().await.unwrap();
        }
        assert!(Instant::now() < until, "the order did not arrive");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for value in ON_THE_PAGE {
        assert!(order.contains(value), "`{value}` is not on the CRM's page:\n{order}");
    }
    // The CRM has it a moment before its answer is read and written down.
    loop {
        let list = Command::new(env!("CARGO_BIN_EXE_parom"))
            .args(["orders", "list", "--config"])
            .arg(dir.path().join("parom.toml"))
            .output()
            .unwrap();
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        if list.contains("delivered") && list.contains("v name") {
            break;
        }
        assert!(Instant::now() < until, "{list}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The demo on ports of its own; another set where a test beside it has taken one in between.
async fn started(http: &reqwest::Client, dir: &Path) -> (Child, u16, String) {
    for _ in 0..5 {
        let port = three_free_ports();
        let mut child = Command::new(env!("CARGO_BIN_EXE_parom"))
            .args(["demo", "--port", &port.to_string(), "--dir"])
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while child.try_wait().unwrap().is_none() {
            if let Ok(response) = http.get(format!("http://127.0.0.1:{}/", port + 2)).send().await {
                return (child, port, response.text().await.unwrap());
            }
            assert!(Instant::now() < until, "the shop does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("the demo does not start");
}

/// A port that is free with the two after it.
fn three_free_ports() -> u16 {
    (0..100)
        .find_map(|_| {
            let first = std::net::TcpListener::bind("127.0.0.1:0").ok()?;
            let port = first.local_addr().ok()?.port();
            let rest: Option<Vec<_>> =
                (1..3).map(|offset| std::net::TcpListener::bind(("127.0.0.1", port + offset)).ok()).collect();
            rest.map(|_| port)
        })
        .unwrap()
}

/// Every field that the page has, with a value that can be told apart.
fn filled(page: &str) -> String {
    let mut body = String::new();
    for name in page.split(" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        if ["viewport"].contains(&name) {
            continue;
        }
        let value = match name {
            "phone" | "receive_phone" => "067 111 22 33".into(),
            "email" => "olena@ukr.net".into(),
            "product_price" | "amount" => "1 249,50".into(),
            "quantity" => "2".into(),
            "date" => "2026-12-01".into(),
            "payment_date" => "2026-11-24T10:30".into(),
            "payment_status" => "paid".into(),
            "payment_method_id" => "2".into(),
            "product_url" => "https://shop.example.ua/mug.jpg".into(),
            "warehouse_ref" => "1ec09d2e-e1c2-11e3-8c4a-0050568002cf".into(),
            other => format!("v {other}"),
        };
        let value: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        body.push_str(&format!("{}={value}&", name.replace(' ', "+")));
    }
    body
}
