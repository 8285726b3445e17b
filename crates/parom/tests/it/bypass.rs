//! Every route by every kind of stranger, in every spelling: what needs a role is never had without it.

use std::io::{Read, Write};
use std::net::TcpStream;

use axum::http::Method;
use parom_gateway::config::Role;
use parom_gateway::ui::{self, RouteNeeds};
use serde_json::Value;

use super::proof::rows;
use super::ui::{Person, person};
use super::world::{SHOP, Settings, World, form};

/// Ways to ask for something else than is asked.
const OVERRIDES: [(&str, &str); 8] = [
    ("x-http-method-override", "GET"),
    ("x-http-method", "GET"),
    ("x-method-override", "POST"),
    ("x-original-url", "/login"),
    ("x-rewrite-url", "/login"),
    ("x-forwarded-user", "anna"),
    ("x-forwarded-proto", "https"),
    ("x-real-ip", "127.0.0.1"),
];

/// A path in the spellings by which a look at it may be passed by.
fn spellings(path: &str) -> Vec<String> {
    let tail = path.trim_start_matches('/');
    let first = tail.bytes().next().map_or(String::new(), |byte| format!("%{byte:02x}{}", &tail[1..]));
    vec![
        format!("//{tail}"),
        format!("///{tail}"),
        format!("/./{tail}"),
        format!("/%2e/{tail}"),
        format!("/login/../{tail}"),
        format!("/login/%2e%2e/{tail}"),
        format!("/assets/..%2f{tail}"),
        format!("/assets/ui.css/../../{tail}"),
        format!("/login/..;/{tail}"),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path}/."),
        format!("{path}%2f"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path};login"),
        format!("{path}.css"),
        format!("{path}?next=/login"),
        format!("/{}", tail.to_uppercase()),
        format!("/{first}"),
        format!("/\\{tail}"),
        format!("http://localhost{path}"),
    ]
}

/// The request as its bytes stand: no client may mend the path.
fn raw(port: u16, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default(), answer)
}

async fn world() -> World {
    let mut world = World::idle(Settings {
        delivery: "[api.tokens.eye]\ntoken = { env = \"TEST_EYE\" }\n[api.tokens.hand]\ntoken = { env = \"TEST_HAND\" }\nrole = \"operator\"",
        ..Settings::default()
    })
    .await;
    world.channel("shop", SHOP);
    world.serve(&[("TEST_EYE", "eye-token-of-twenty-four"), ("TEST_HAND", "hand-token-of-twenty-four")]);
    world
}

/// Cookies that open nothing: of nobody, ended, run out, of somebody who is gone, made up.
async fn worthless(world: &World) -> Vec<(&'static str, String)> {
    let ended = person(world, "ended", "admin", &[]).await;
    ended.post(world, "/logout", "").await;
    let expired = person(world, "expired", "admin", &[]).await;
    let idle = person(world, "idle", "admin", &[]).await;
    let gone = person(world, "gone", "admin", &[]).await;
    assert_eq!(world.cli(&["user", "remove", "gone"]).code, 0);
    world.alter("UPDATE sessions SET created_at = created_at - 86400000 WHERE operator = 'expired'");
    world.alter("UPDATE sessions SET seen_at = seen_at - 86400000 WHERE operator = 'idle'");
    let of = |person: &Person| person.cookie.clone();
    vec![
        ("nobody", String::new()),
        ("ended", of(&ended)),
        ("expired", of(&expired)),
        ("idle", of(&idle)),
        ("gone", of(&gone)),
        ("forged", format!("sid={}", "0".repeat(64))),
        ("a name", "sid=anna; operator=anna; role=admin".to_owned()),
        ("sql", "sid=' OR 1=1 --".to_owned()),
        ("empty", "sid=".to_owned()),
        ("another name", of(&expired).replacen("sid", "__Host-sid", 1)),
    ]
}

fn named(path: &str, id: &str) -> String {
    let path = path.replace("{id}", id).replace("{name}", if path.contains("accounts") { "main" } else { "shop" });
    path.replace("{code}", "required").replace("{secret}", "0000")
}

/// Nothing but a refusal or the way to sign in, and no buyer in it.
fn assert_refused(what: &str, status: u16, text: &str) {
    assert!((300..500).contains(&status), "{what}: {status}");
    if status == 303 {
        assert!(text.contains("location: /login"), "{what}: {text}");
    }
    assert!(!text.contains("Petrenko") && !text.contains("671112233"), "{what}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_had_without_its_role() {
    let world = world().await;
    let id = world.post("/in/shop", &form("Petrenko")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let viewer = person(&world, "vira", "viewer", &[]).await;
    let strangers = worthless(&world).await;
    let (port, mut tried) = (world.port(), 0);
    let rules = ui::rules();
    let open: Vec<&str> = rules.iter().filter(|rule| rule.needs == RouteNeeds::Nobody).map(|rule| rule.path).collect();
    for rule in rules.iter().filter(|rule| rule.needs != RouteNeeds::Nobody) {
        let (path, method) = (named(rule.path, &id), rule.method.as_str());
        for (who, cookie) in &strangers {
            let (status, text) = raw(port, method, &path, &[("cookie", cookie)]);
            assert_refused(&format!("{method} {path} by {who}"), status, &text);
            tried += 1;
        }
        for (name, value) in OVERRIDES {
            for method in [method, "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"] {
                let (status, text) = raw(port, method, &path, &[(name, value)]);
                assert_refused(&format!("{method} {path} with {name}"), status, &text);
                tried += 1;
            }
        }
        for spelled in spellings(&path) {
            let (status, text) = raw(port, method, &spelled, &[]);
            let is_open = open.contains(&spelled.split('?').next().unwrap_or_default());
            assert!(!is_open);
            assert_refused(&format!("{method} {spelled}"), status, &text);
            tried += 1;
        }
        let below = matches!(rule.needs, RouteNeeds::Role(role) if role > Role::Viewer);
        if below {
            let mut spelled = spellings(&path);
            spelled.push(path.clone());
            for spelled in spelled {
                for (name, value) in OVERRIDES.iter().take(3) {
                    let (status, text) = raw(port, method, &spelled, &[("cookie", &viewer.cookie), (name, value)]);
                    // A spelling may name another page that a viewer may see; what it may not is the buyer.
                    assert!(
                        status != 0 && status < 500 && !text.contains("671112233"),
                        "{spelled} by a viewer: {text}"
                    );
                    assert!(
                        rule.method == Method::GET || !(200..300).contains(&status),
                        "{method} {spelled}: {status}"
                    );
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(world.order(&id)["state"], "delivered", "nobody did anything");
    assert_eq!(world.cli(&["user", "list", "--json"]).out.matches("\"name\"").count(), 4, "nobody was added");
    rows::row("T28", "pages x strangers, override headers, spellings of the path", tried, None, "0 unexpected 2xx");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_of_the_api_is_made_without_its_token() {
    let world = world().await;
    let id = world.post("/in/shop", &form("Petrenko")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&id, "delivered").await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let revoked = {
        let made = anna.post(&world, "/tokens", "name=old&role=admin").await.text;
        anna.post(&world, "/tokens/old/revoke", "").await;
        format!("Bearer parom_{}", made.split("parom_").nth(1).unwrap().split('<').next().unwrap())
    };
    let (port, mut tried) = (world.port(), 0);
    let document: Value = world.get("/api/openapi.json").await.json();
    let strangers: Vec<(&str, &str)> = vec![
        ("authorization", ""),
        ("authorization", "Bearer "),
        ("authorization", &revoked),
        ("authorization", "Bearer canary-key-1"),
        ("authorization", "Bearer eye-token-of-twenty-fou"),
        ("authorization", "Bearer EYE-TOKEN-OF-TWENTY-FOUR"),
        ("authorization", "Basic ZXllLXRva2VuLW9mLXR3ZW50eS1mb3Vy"),
        ("authorization", "eye-token-of-twenty-four"),
        ("cookie", &anna.cookie),
        ("x-api-key", "hand-token-of-twenty-four"),
        ("x-original-url", "/api/openapi.json"),
        ("x-forwarded-for", "127.0.0.1"),
    ];
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = named(&path.replace("{account}", "main").replace("{kind}", "sources"), &id);
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            for (name, value) in &strangers {
                let (status, text) = raw(port, &method, &path, &[(name, value)]);
                assert_eq!(status, 401, "{method} {path} by {name}: {value}: {text}");
                tried += 1;
            }
            for spelled in spellings(&path) {
                let (status, text) = raw(port, &method, &spelled, &[]);
                assert!((300..500).contains(&status) && !text.contains("671112233"), "{method} {spelled}: {text}");
                let (status, text) =
                    raw(port, &method, &spelled, &[("authorization", "Bearer eye-token-of-twenty-four")]);
                let acts = method != "GET" && (200..300).contains(&status);
                assert!(!acts && status < 500 && !text.contains("671112233"), "{method} {spelled} by a viewer: {text}");
                tried += 2;
            }
            if method != "GET" {
                for (name, value) in OVERRIDES {
                    let headers = [("authorization", "Bearer eye-token-of-twenty-four"), (name, value)];
                    assert_eq!(raw(port, &method, &path, &headers).0, 403, "{method} {path} with {name}");
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(world.order(&id)["state"], "delivered");
    rows::row("T28", "API x strangers, override headers, spellings of the path", tried, None, "0 unexpected 2xx");
}
