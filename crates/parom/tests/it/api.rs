//! The operator's API: tokens, roles, accounts, and the verbs.

use serde_json::{Value, json};

use super::world::{Answer, SHOP, Settings, World, form};

async fn world() -> World {
    let mut world = World::idle(Settings {
        delivery: "[api.tokens.eye]\ntoken = { env = \"TEST_EYE\" }\n[api.tokens.hand]\ntoken = { env = \"TEST_HAND\" }\n\
                   role = \"operator\"\n[api.tokens.other]\ntoken = { env = \"TEST_OTHER\" }\nrole = \"admin\"\naccounts = [\"else\"]",
        ..Settings::default()
    })
    .await;
    world.channel("shop", SHOP);
    world.serve(&[
        ("TEST_EYE", "eye-token-of-twenty-four"),
        ("TEST_HAND", "hand-token-of-twenty-four"),
        ("TEST_OTHER", "other-token-of-twenty-four"),
    ]);
    world.until("dictionaries are fetched", || world.log().contains("dictionaries fetched")).await;
    world
}

async fn ask(world: &World, method: &str, path: &str, token: &str, body: &str) -> Answer {
    world.call(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_needs_a_token_of_its_role_and_accounts() {
    let world = world().await;
    let id = world.post("/in/shop", &form("Olena")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let order = format!("/api/v1/orders/{id}");
    let document: Value = world.get("/api/openapi.json").await.json();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{id}", &id)
            .replace("{name}", "shop")
            .replace("{account}", "main")
            .replace("{kind}", "sources");
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            tried += 1;
            let method = method.to_uppercase();
            for token in ["", "wrong", "eye-token-of-twenty-fou", "right-token", "canary-key-1"] {
                assert_eq!(ask(&world, &method, &path, token, "{}").await.status, 401, "{method} {path} by `{token}`");
            }
            let reads = method == "GET";
            let eye = ask(&world, &method, &path, "eye-token-of-twenty-four", "{}").await.status;
            assert_eq!(eye == 403, !reads, "{method} {path} by a viewer: {eye}");
            let hand = ask(&world, &method, &path, "hand-token-of-twenty-four", "{}").await.status;
            assert!(!matches!(hand, 401 | 403 | 500..), "{method} {path} by an operator: {hand}");
        }
    }
    assert!(tried >= 11, "{tried}");
    assert_eq!(world.get("/api/v1/nothing").await.status, 401);
    assert_eq!(ask(&world, "GET", "/api/v1/nothing", "eye-token-of-twenty-four", "").await.status, 404);
    assert_eq!(ask(&world, "DELETE", &order, "hand-token-of-twenty-four", "").await.status, 405);
    // Another account's operator sees nothing of this one.
    assert_eq!(ask(&world, "GET", &order, "other-token-of-twenty-four", "").await.status, 404);
    assert_eq!(ask(&world, "POST", &format!("{order}/retry"), "other-token-of-twenty-four", "").await.status, 404);
    for path in ["orders", "channels", "dictionaries", "check"] {
        let answer = ask(&world, "GET", &format!("/api/v1/{path}"), "other-token-of-twenty-four", "").await.text;
        assert!(!answer.contains("shop") && !answer.contains("main"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_shown_mended_and_canceled() {
    let world = world().await;
    let id = world.post("/in/shop", "name=Olena&phone=12345&product=Mug&price=5").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/orders/{id}");
    let list = ask(&world, "GET", "/api/v1/orders?state=held&text=Olena", "hand-token-of-twenty-four", "").await.json();
    assert_eq!((&list["orders"][0]["id"], list["orders"].as_array().unwrap().len()), (&json!(id), 1));
    assert!(ask(&world, "GET", &path, "hand-token-of-twenty-four", "").await.text.contains("12345"));
    assert_eq!(ask(&world, "GET", "/api/v1/orders?text=067", "eye-token-of-twenty-four", "").await.status, 403);
    let masked = ask(&world, "GET", &path, "eye-token-of-twenty-four", "").await.text;
    assert!(!masked.contains("12345") && !masked.contains("Olena"), "{masked}");
    assert!(!ask(&world, "GET", "/api/v1/orders", "eye-token-of-twenty-four", "").await.text.contains("12345"));
    let still = ask(&world, "POST", &format!("{path}/retry"), "hand-token-of-twenty-four", "").await.json();
    assert_eq!(still["state"], "held");
    // A new buyer without a phone says nothing of the one that could not be used.
    let edit = r#"{"set":{"buyer":{"full_name":"Olha"}}}"#;
    assert_eq!(ask(&world, "PATCH", &path, "hand-token-of-twenty-four", edit).await.json()["state"], "held");
    let edit = r#"{"set":{"buyer.phone":"0671112233"}}"#;
    assert_eq!(ask(&world, "PATCH", &path, "hand-token-of-twenty-four", edit).await.json()["state"], "queued");
    world.reaches(&id, "delivered").await;
    assert!(world.order(&id)["history"].to_string().contains("api:hand"));
    assert_eq!(ask(&world, "POST", &format!("{path}/cancel"), "hand-token-of-twenty-four", "{}").await.status, 409);
    for (query, status) in
        [("state=lost", 400), ("limit=x", 400), ("since=yesterday", 400), ("limit=0", 400), ("a=b", 400)]
    {
        assert_eq!(
            ask(&world, "GET", &format!("/api/v1/orders?{query}"), "hand-token-of-twenty-four", "").await.status,
            status,
            "{query}"
        );
    }
    for (body, status) in [
        ("{", 400),
        ("[]", 400),
        ("{}", 422),
        (r#"{"set":{"byer.phone":"1"}}"#, 422),
        (r#"{"set":[]}"#, 422),
        (r#"{"sett":{}}"#, 422),
    ] {
        assert_eq!(ask(&world, "PATCH", &path, "hand-token-of-twenty-four", body).await.status, status, "{body}");
    }
    let answer = ask(&world, "PATCH", &path, "hand-token-of-twenty-four", r#"{"set":{"byer.phone":"1"}}"#).await.json();
    assert!(answer["errors"]["byer.phone"][0].as_str().unwrap().contains("did you mean `buyer`"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_dictionaries_and_findings_are_told() {
    let world = world().await;
    let checked = ask(&world, "GET", "/api/v1/check", "eye-token-of-twenty-four", "").await.json();
    assert_eq!((&checked["findings"], &checked["accounts"][0]["key"]), (&json!([]), &json!("ok")));
    let sources = ask(&world, "GET", "/api/v1/dictionaries/main/sources", "eye-token-of-twenty-four", "").await.json();
    assert_eq!(sources.as_array().unwrap().len(), 50);
    let before = world.crm.ledger().len();
    assert_eq!(
        ask(&world, "POST", "/api/v1/dictionaries/main/refresh", "hand-token-of-twenty-four", "").await.status,
        202
    );
    world.until("they are fetched again", || world.crm.ledger().len() > before + 8).await;
    let map = world
        .call(
            "POST",
            "/api/v1/channels/shop/map",
            &[
                ("authorization", "Bearer hand-token-of-twenty-four"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            &form("Olena"),
        )
        .await
        .json();
    assert_eq!((&map["verdict"], &map["order"]["buyer"]["phone"]), (&json!("go"), &json!("+380671112233")));
    assert_eq!(world.orders().len(), 0, "a dry run keeps nothing");
}

/// From another machine the metrics want a token, and one that sees every account.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_whoever_bears_a_token_of_every_account() {
    let mut world = World::idle(Settings {
        top: "trusted_proxies = [\"127.0.0.1\"]",
        delivery: "[api.tokens.eye]\ntoken = { env = \"TEST_EYE\" }\n\
                   [api.tokens.other]\ntoken = { env = \"TEST_OTHER\" }\naccounts = [\"else\"]",
        ..Settings::default()
    })
    .await;
    world.channel("shop", SHOP);
    world.serve(&[("TEST_EYE", "eye-token-of-twenty-four"), ("TEST_OTHER", "other-token-of-twenty-four")]);
    let there = |token: &str| {
        [("x-forwarded-for".to_owned(), "8.8.8.8".to_owned()), ("authorization".to_owned(), format!("Bearer {token}"))]
    };
    for (token, status) in
        [("", 403), ("wrong", 403), ("other-token-of-twenty-four", 403), ("eye-token-of-twenty-four", 200)]
    {
        let headers = there(token);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(world.call("GET", "/metrics", &headers, "").await.status, status, "`{token}`");
    }
}

/// Whatever is asked for in a wrong way is answered in the one shape of errors.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_told_as_json() {
    let world = world().await;
    for (method, path, status) in [
        ("POST", "/in/%ff", 404),
        ("POST", "/in/shop/%ff", 404),
        ("GET", "/api/v1/orders/%ff", 404),
        ("GET", "/in/shop", 405),
        ("PUT", "/v1/order", 405),
        ("POST", "/healthz", 405),
        ("GET", "/nothing", 404),
    ] {
        let answer = world.call(method, path, &[], "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.json()["message"].is_string(), "{method} {path}: {}", answer.text);
    }
}

/// Whoever opens a wrong address in a browser reads so in their language, and is not told that an order was refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_a_page_in_a_browser() {
    let world = world().await;
    let browser = [("accept", "text/html,*/*;q=0.8"), ("accept-language", "ru-UA,ru;q=0.9")];
    for (method, path, status, text) in [
        ("GET", "/nothing", 404, "Здесь ничего нет"),
        ("GET", "/%ff", 404, "Здесь ничего нет"),
        ("POST", "/inn/shop", 404, "ничего не сохранено"),
        ("GET", "/in/shop", 405, "методом POST"),
    ] {
        let answer = world.call(method, path, &browser, "").await;
        assert!(answer.status == status && answer.text.contains(text), "{method} {path}: {}", answer.text);
        assert!(answer.text.starts_with("<!doctype html>\n<html lang=\"ru\">"), "{}", answer.text);
    }
    assert!(world.call("PUT", "/in/shop", &browser, "").await.json()["message"].is_string());
}

/// What is not known is told in our words, and every answer has the headers of an answer.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_does_not_know_it_says() {
    let world = world().await;
    let id = world.post("/in/shop", "name=Olena&phone=12345&product=Mug&price=5").await.json()["id"].clone();
    let path = format!("/api/v1/orders/{}/cancel", id.as_str().unwrap());
    let answer = ask(&world, "POST", &path, "hand-token-of-twenty-four", r#"{"reson":"twice"}"#).await;
    assert!(answer.status == 422 && answer.text.contains("`reson`"), "{}", answer.text);
    assert_eq!(world.order(id.as_str().unwrap())["state"], "held");
    let large = "x".repeat(1 << 20) + "y";
    let answer = ask(&world, "POST", &path, "hand-token-of-twenty-four", &large).await;
    assert!(answer.status == 413 && answer.text.contains("larger than 1048576 bytes"), "{}", answer.text);
    let answer = ask(&world, "GET", "/api/v1/orders?a=b", "hand-token-of-twenty-four", "").await;
    assert!(answer.status == 400 && answer.text.contains("the query: "), "{}", answer.text);
    for path in ["/nothing", "/in", "/api/nothing", "/%ff"] {
        let answer = world.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}: {}", answer.status);
    }
}
