//! The operator's pages over HTTP: who gets in, what each role may, what is shown to whom, and what the forms do.

use std::collections::BTreeSet;

use axum::http::Method;
use parom_gateway::config::Role;
use parom_gateway::ui::{self, RouteNeeds};

use crate::world::{Answer, SHOP, Settings, World, form};

pub(crate) const PASSWORD: &str = "four unrelated words 7";

/// Somebody who signed in: the cookie and the token of the forms.
pub(crate) struct Person {
    pub(crate) cookie: String,
    csrf: String,
}

/// Adds a person and signs in as them.
pub(crate) async fn person(world: &World, name: &str, role: &str, accounts: &[&str]) -> Person {
    let mut arguments = vec!["user", "add", name, "--role", role];
    for account in accounts {
        arguments.extend(["--account", account]);
    }
    let added = world.cli_with(&arguments, &format!("{PASSWORD}\n"));
    assert_eq!(added.code, 0, "{}", added.err);
    signed_in(world, name).await
}

async fn signed_in(world: &World, name: &str) -> Person {
    let answer = sign_in(world, name, PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let home = world.call("GET", "/", &[("cookie", &cookie)], "").await;
    let csrf = home.text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    Person { cookie, csrf }
}

async fn sign_in(world: &World, name: &str, password: &str) -> Answer {
    // Five a second are let in, of all names together.
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    world.post("/login", &format!("name={name}&password={}", password.replace(' ', "+"))).await
}

impl Person {
    pub(crate) async fn get(&self, world: &World, path: &str) -> Answer {
        world.call("GET", path, &[("cookie", &self.cookie), ("accept-language", "en")], "").await
    }

    pub(crate) async fn post(&self, world: &World, path: &str, body: &str) -> Answer {
        let body = format!("csrf={}&{body}", self.csrf);
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("cookie", self.cookie.as_str()), ("accept-language", "en"), kind];
        world.call("POST", path, &headers, &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_gets_in_and_out() {
    let world = World::start().await;
    let stranger = world.get("/orders?state=held").await;
    assert_eq!((stranger.status, stranger.header("location")), (303, "/login?next=%2Forders%3Fstate%3Dheld"));
    assert!(world.get("/login").await.text.contains("parom user add"), "nobody can sign in yet, and that is said");
    let olena = person(&world, "olena", "operator", &[]).await;
    let page = olena.get(&world, "/orders").await;
    assert_eq!(page.status, 200);
    for (name, part) in [
        ("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert!(page.header(name).contains(part), "{name}: {}", page.header(name));
    }
    // The name of the page that was wanted is no way out to another site.
    for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let body = format!("name=olena&password={}&next={next}", PASSWORD.replace(' ', "+"));
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        assert_eq!(world.post("/login", &body).await.header("location"), "/", "{next}");
    }
    let out = olena.post(&world, "/logout", "").await;
    assert_eq!(out.header("location"), "/login");
    assert_eq!(olena.get(&world, "/orders").await.status, 303, "the session has ended");
    // Another password ends the sessions that are open.
    let again = signed_in(&world, "olena").await;
    assert_eq!(world.cli_with(&["user", "passwd", "olena"], "another four words 8").code, 0);
    assert_eq!(again.get(&world, "/").await.status, 303);
    assert_eq!(sign_in(&world, "olena", PASSWORD).await.status, 401);
    assert_eq!(sign_in(&world, "olena", "another four words 8").await.status, 303);
    assert!(!world.log().contains("another four words"));
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_and_a_weak_password_refused() {
    let world = World::start().await;
    person(&world, "olena", "operator", &[]).await;
    for _ in 0..5 {
        assert_eq!(sign_in(&world, "olena", "wrong").await.status, 401);
    }
    // The right one too: who guesses must not learn that it was.
    assert_eq!(sign_in(&world, "olena", PASSWORD).await.status, 429);
    // A name that nobody can have is not kept, whatever its length; a form of too many fields is not read.
    let long = world.post("/login", &format!("name={}&password=x", "n".repeat(500_000))).await;
    assert_eq!(long.status, 401);
    assert_eq!(world.post("/login", &"a=1&".repeat(10_001)).await.status, 413);
    assert_eq!(world.post("/start/0000", &format!("name=x&password={}", PASSWORD.replace(' ', "+"))).await.status, 410);
    let store = rusqlite::Connection::open(world.db()).unwrap();
    let longest: i64 = store.query_row("SELECT max(length(subject)) FROM failures", [], |row| row.get(0)).unwrap();
    assert!(longest < 100, "{longest}");
    for (password, why) in [
        ("short", "at least 12"),
        ("passwordpassword", "guessed"),
        ("olena2olena2", "guessed"),
        ("aaaaaaaaaaaaaaa", "guessed"),
        ("qwerty123456", "guessed"),
    ] {
        let refused = world.cli_with(&["user", "add", "olena2", "--role", "viewer"], password);
        assert!(refused.code == 2 && refused.err.contains(why), "{password}: {}", refused.err);
    }
    let taken = world.cli_with(&["user", "add", "olena"], PASSWORD);
    assert!(taken.code == 2 && taken.err.contains("already"), "{}", taken.err);
    let people = world.cli(&["user", "list", "--json"]);
    assert_eq!(people.out.matches("\"name\"").count(), 1, "{}", people.out);
    assert_eq!(world.cli(&["user", "remove", "olena"]).code, 0);
    assert_eq!(world.cli(&["user", "remove", "olena"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_person_comes_by_a_link_that_works_once() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let out = world.serve_and_read();
    let path = out.split("127.0.0.1:").nth(1).unwrap();
    let path = format!("/{}", path.split_once('/').unwrap().1.split_whitespace().next().unwrap());
    assert!(path.starts_with("/start/") && path.len() > 60, "{out}");
    assert!(!world.log().contains("/start/"), "the log is no place for it");
    assert_eq!(world.get(&path).await.status, 200);
    assert_eq!(world.get("/start/0000").await.status, 410);
    let made = world.post(&path, &format!("name=Boss&password={}", PASSWORD.replace(' ', "+"))).await;
    assert_eq!((made.status, made.header("location")), (303, "/"));
    assert_eq!(world.get(&path).await.status, 410);
    let again = world.post(&path, &format!("name=other&password={}", PASSWORD.replace(' ', "+"))).await;
    assert_eq!(again.status, 410);
    let people = world.cli(&["user", "list"]);
    assert!(people.out.contains("boss") && people.out.contains("admin"), "{}", people.out);
}

/// Each route of the pages by each role. A route cannot be added without a rule, and its rule is what happens.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_by_every_role() {
    let world = World::start().await;
    let people = [
        (None, None),
        (Some(Role::Viewer), Some(person(&world, "vira", "viewer", &[]).await)),
        (Some(Role::Operator), Some(person(&world, "oleh", "operator", &[]).await)),
        (Some(Role::Admin), Some(person(&world, "anna", "admin", &[]).await)),
    ];
    let rules = ui::rules();
    assert!(rules.len() > 20);
    for rule in &rules {
        let path = rule.path.replace("{id}", "00000000").replace("{name}", "nobody").replace("{code}", "required");
        let path = path.replace("{secret}", "0000");
        if path == "/events" || path == "/logout" {
            continue;
        }
        for (role, person) in &people {
            let answer = match (person, &rule.method) {
                (None, method) => world.call(method.as_str(), &path, &[], "").await,
                (Some(person), &Method::GET) => person.get(&world, &path).await,
                (Some(person), _) => person.post(&world, &path, "").await,
            };
            let what = format!("{} {path} by {role:?}: {} {}", rule.method, answer.status, answer.header("location"));
            match rule.needs {
                RouteNeeds::Nobody => assert!(answer.status != 403 && answer.status < 500, "{what}"),
                RouteNeeds::Role(_) if role.is_none() => {
                    assert!(answer.status == 303 && answer.header("location").starts_with("/login"), "{what}");
                }
                RouteNeeds::Role(needed) if role.unwrap() < needed => assert_eq!(answer.status, 403, "{what}"),
                RouteNeeds::Role(_) => {
                    let stays = !answer.header("location").starts_with("/login");
                    assert!(answer.status != 403 && answer.status < 500 && stays, "{what}");
                }
            }
        }
    }
    // Left out above: one never ends its answer, the other ends the session that asks.
    for (method, path) in [("GET", "/events"), ("POST", "/logout")] {
        let stranger = world.call(method, path, &[], "").await;
        assert!(stranger.status == 303 && stranger.header("location").starts_with("/login"), "{path}");
    }
    // What changes something is never a GET, and every POST of a person is refused without the page's token.
    for rule in rules.iter().filter(|rule| rule.method == Method::POST && rule.needs != RouteNeeds::Nobody) {
        let path = rule.path.replace("{id}", "00000000").replace("{name}", "nobody");
        let anna = people[3].1.as_ref().unwrap();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        for (headers, body) in [
            (vec![("cookie", anna.cookie.as_str()), kind], String::new()),
            (vec![("cookie", anna.cookie.as_str()), kind], "csrf=0000".to_owned()),
            (
                vec![("cookie", anna.cookie.as_str()), kind, ("sec-fetch-site", "cross-site")],
                format!("csrf={}", anna.csrf),
            ),
            (
                vec![("cookie", anna.cookie.as_str()), kind, ("origin", "https://evil.example")],
                format!("csrf={}", anna.csrf),
            ),
        ] {
            let answer = world.call("POST", &path, &headers, &body).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_no_buyer_and_an_agencys_client_only_its_own() {
    let world = World::start().await;
    let id = world.post("/in/shop", &form("Olena")).await.json()["id"].as_str().unwrap().to_owned();
    world.crm_has(1).await;
    let viewer = person(&world, "vira", "viewer", &[]).await;
    let operator = person(&world, "oleh", "operator", &[]).await;
    let foreign = person(&world, "client", "operator", &["main"]).await;
    for path in ["/orders".to_owned(), format!("/orders/{id}"), "/orders?text=Olena".to_owned()] {
        let seen = viewer.get(&world, &path).await;
        assert!(!seen.text.contains(">Olena") && !seen.text.contains("671112233"), "{path}: {}", seen.text);
        assert!(operator.get(&world, &path).await.text.contains("Olena"), "{path}");
        assert!(foreign.get(&world, &path).await.text.contains("Olena"), "{path}");
    }
    // The channel goes to another account now; orders of before are still of the old one.
    world.cli(&["user", "remove", "client"]);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let other = "[accounts.other]\nurl = \"http://127.0.0.1:1/v1\"\napi_key = { env = \"TEST_CRM_KEY\" }\n[delivery]";
    std::fs::write(world.config(), text.replace("[delivery]", other)).unwrap();
    let foreign = person(&world, "client", "admin", &["other"]).await;
    for path in ["/orders".to_owned(), "/".to_owned(), "/channels".to_owned(), "/accounts".to_owned()] {
        let seen = foreign.get(&world, &path).await;
        assert!(
            seen.status == 200 && !seen.text.contains("Olena") && !seen.text.contains(">main<"),
            "{path}: {}",
            seen.text
        );
    }
    let of_all = person(&world, "all", "admin", &[]).await.get(&world, "/").await.text;
    assert!(of_all.contains("href=\"/people\""));
    assert!(!foreign.get(&world, "/").await.text.contains("href=\"/people\""), "names of others are not for a client");
    for path in [format!("/orders/{id}"), "/channels/shop".to_owned()] {
        assert_eq!(foreign.get(&world, &path).await.status, 404, "{path}");
    }
    let refused = foreign.post(&world, &format!("/orders/{id}/cancel"), "reason=x").await;
    assert!(refused.header("location").contains("did=wrong"), "{}", refused.header("location"));
    let more = format!("name=more&role=admin&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(foreign.post(&world, "/people", &more).await.status, 403, "who sees a part lets nobody see more");
    for path in ["/people", "/tokens"] {
        assert_eq!(foreign.get(&world, path).await.status, 403, "names and deeds of others: {path}");
    }
    assert_eq!(foreign.post(&world, "/tokens", "name=x&role=admin&account=other").await.status, 403);
}

/// Pages have no script or style of their own, name nothing outside, and lack no text in any language.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_whole_in_three_languages_and_name_nothing_outside() {
    let world = World::start().await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let held = world.post("/in/shop", "name=Ivan&phone=0671112233&product=Mug&price=1,249").await;
    let id = held.json()["id"].as_str().unwrap().to_owned();
    world.post("/in/shop", &form("Ivan")).await;
    world.crm_has(1).await;
    let order = format!("/orders/{id}");
    let replay = format!("/orders/{id}/replay");
    let wrong = format!("/orders/{id}?did=wrong");
    let pages = [
        "/",
        "/orders",
        "/orders?done=1&left=1",
        &order,
        &replay,
        &wrong,
        "/channels",
        "/channels/shop",
        "/channels/shop/edit",
        "/channels/shop/history",
        "/new-channel",
        "/accounts",
        "/problems",
        "/people",
        "/tokens",
        "/me",
        "/orders/nothing",
    ];
    for language in ["uk", "ru", "en"] {
        let mut seen = std::collections::HashSet::new();
        let chosen = anna.post(&world, "/language", &format!("language={language}&place=/orders")).await;
        assert_eq!(chosen.header("location"), "/orders");
        let codes = parom_core::Code::ALL.iter().map(|code| format!("/problems/{}", code.as_str()));
        for path in pages.iter().map(|path| (*path).to_owned()).chain(codes) {
            let page = anna.get(&world, &path).await;
            assert!(page.text.contains(&format!("<html lang=\"{language}\">")), "{path}: {}", page.text);
            check_page(&path, &page.text);
            let title = page.text.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned();
            assert!(!title.trim().is_empty() && (seen.insert(title) || !path.starts_with("/problems")), "{path}");
        }
    }
    for path in ["/login", "/start/0000"] {
        check_page(path, &world.get(path).await.text);
    }
}

fn check_page(path: &str, html: &str) {
    assert!(!html.contains('⟦'), "{path} lacks a text: {html}");
    for (start, end) in [("<script", "</script>"), ("<style", "</style>")] {
        for piece in html.split(start).skip(1) {
            let (tag, rest) = piece.split_once('>').unwrap();
            let inner = rest.split(end).next().unwrap();
            assert!(inner.is_empty() && tag.contains("src=\"/assets/"), "{path} has {start}{tag}>{inner}");
        }
    }
    // What is to be pasted elsewhere is shown as text.
    let html: String =
        html.split("<pre").map(|piece| piece.split_once("</pre>").map_or(piece, |(_, rest)| rest)).collect();
    let lower = html.to_lowercase();
    assert!(!lower.contains(" style=") && !lower.contains(" onclick=") && !lower.contains("javascript:"), "{path}");
    for name in ["src=\"", "href=\"", "action=\""] {
        for address in html.split(&format!(" {name}")).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let shown = address.replace("&#x2f;", "/");
            // The CRM's own page of an order is the one address outside, on a link alone.
            let own = shown.starts_with('/') && !shown.starts_with("//")
                || shown.starts_with('#')
                || name == "href=\"" && shown.starts_with("http://127.0.0.1:");
            assert!(own, "{path} names {shown}");
        }
    }
}

/// The same texts in each language, each of them used, and no file with a fault.
#[test]
fn the_languages_have_the_same_texts_and_none_is_left_over() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../parom-gateway/src/ui");
    let read = |file: &str| std::fs::read_to_string(folder.join("words").join(file)).unwrap();
    let keys = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| line.split_once(" = ").unwrap_or_else(|| panic!("`{line}` has no text")).0.to_owned())
            .collect()
    };
    let of = |kind: &str| ["uk", "ru", "en"].map(|language| format!("{kind}{language}.ftl"));
    for files in ["", "problems.", "reasons."].map(of) {
        let first = keys(&read(&files[0]));
        for file in &files {
            assert_eq!(keys(&read(file)), first, "{file}");
            for line in read(file).lines() {
                assert_eq!(line.matches('{').count(), line.matches('}').count(), "{file}: {line}");
            }
        }
    }
    let reasons: BTreeSet<String> =
        parom_core::delivery::reason::ALL.iter().map(|(_, key)| format!("reason-{key}")).collect();
    assert!(keys(&read("reasons.en.ftl")).iter().eq(&reasons), "each reason has a text, and no other");
    let mut used = String::new();
    for (dir, ending) in [("templates", "html"), ("", "rs"), ("../alerts", "rs")] {
        for file in std::fs::read_dir(folder.join(dir)).unwrap().flatten().map(|file| file.path()) {
            if file.extension().is_some_and(|found| found == ending) {
                used.push_str(&std::fs::read_to_string(file).unwrap());
            }
        }
    }
    let built = ["state-", "role-", "kind-", "room-", "outcome-"];
    for key in keys(&read("en.ftl")).iter().filter(|key| !key.starts_with(' ')) {
        let named = used.contains(&format!("'{key}'")) || used.contains(&format!("\"{key}\""));
        assert!(named || built.iter().any(|start| key.starts_with(start)), "`{key}` is not used");
    }
}

/// What came of each try, and why the order went on, stands in the person's language.
#[tokio::test(flavor = "multi_thread")]
async fn an_orders_history_speaks_the_persons_language() {
    let world = World::start().await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let kept = world.post("/in/shop", &form("Ivan")).await.json()["id"].as_str().unwrap().to_owned();
    world.reaches(&kept, "delivered").await;
    for (language, told) in [("uk", "CRM прийняла"), ("ru", "CRM приняла"), ("en", "the CRM took it")] {
        anna.post(&world, "/language", &format!("language={language}&place=/")).await;
        let page = anna.get(&world, &format!("/orders/{kept}")).await.text;
        assert!(page.contains(told), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_may_have_an_address_of_their_own() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(world.config()).unwrap();
    std::fs::write(world.config(), format!("ui_listen = \"{own}\"\n{text}")).unwrap();
    world.serve(&[]);
    for (path, status) in [("/login", 404), ("/", 404), ("/api/v1/orders", 404), ("/metrics", 404), ("/healthz", 200)] {
        assert_eq!(world.get(path).await.status, status, "{path} where senders come in");
    }
    assert_eq!(world.post("/in/shop", &form("Ivan")).await.status, 202);
    for (path, status) in [("/login", 200), ("/api/v1/orders", 401), ("/metrics", 200), ("/in/shop", 404)] {
        let answer = world.http.get(format!("http://{own}{path}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path} where operators come in");
    }
    world.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_shown_once_and_revoked() {
    let world = World::start().await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let made = anna.post(&world, "/tokens", "name=reports&role=viewer").await;
    let token = made.text.split("parom_").nth(1).unwrap().split('<').next().unwrap();
    let token = format!("parom_{token}");
    assert_eq!(token.len(), 70, "{token}");
    assert!(!anna.get(&world, "/tokens").await.text.contains(&token), "shown once");
    let ask = async |method: &str, path: &str| {
        world.call(method, path, &[("authorization", &format!("Bearer {token}"))], "").await.status
    };
    assert_eq!(ask("GET", "/api/v1/orders").await, 200);
    assert_eq!(ask("POST", "/api/v1/accounts/main/pause").await, 403, "a viewer's token may only look");
    assert_eq!(anna.post(&world, "/tokens", "name=reports&role=admin").await.status, 422);
    assert_eq!(anna.post(&world, "/tokens", "name=x&role=admin&account=other").await.status, 422);
    anna.post(&world, "/tokens/reports/revoke", "").await;
    assert_eq!(ask("GET", "/api/v1/orders").await, 401);
    // Tokens go with who made them.
    let boris = person(&world, "boris", "admin", &[]).await;
    let made = boris.post(&world, "/tokens", "name=his&role=admin").await.text;
    let his = format!("parom_{}", made.split("parom_").nth(1).unwrap().split('<').next().unwrap());
    let bearer = format!("Bearer {his}");
    let api = async || world.call("GET", "/api/v1/orders", &[("authorization", &bearer)], "").await.status;
    assert_eq!(api().await, 200);
    anna.post(&world, "/people/boris/remove", "").await;
    assert_eq!(api().await, 401);
    let store = std::fs::read(world.db()).unwrap();
    let wal = std::fs::read(world.dir.path().join("parom.db-wal")).unwrap_or_default();
    for bytes in [store, wal] {
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "the store has no token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_sessions_and_password_are_in_ones_own_hands() {
    let world = World::start().await;
    let here = person(&world, "olena", "viewer", &[]).await;
    let there = signed_in(&world, "olena").await;
    let page = here.get(&world, "/me").await.text;
    assert_eq!(page.matches("<time").count(), 2, "{page}");
    here.post(&world, "/me/sessions", "").await;
    assert_eq!((here.get(&world, "/me").await.status, there.get(&world, "/me").await.status), (200, 303));
    let change = |old: &str, new: &str| format!("old={}&password={}", old.replace(' ', "+"), new.replace(' ', "+"));
    assert_eq!(here.post(&world, "/me/password", &change("wrong", "five unrelated words 9")).await.status, 422);
    assert_eq!(here.post(&world, "/me/password", &change(PASSWORD, "short")).await.status, 422);
    let done = here.post(&world, "/me/password", &change(PASSWORD, "five unrelated words 9")).await;
    assert_eq!(done.header("location"), "/login");
    assert_eq!(here.get(&world, "/me").await.status, 303);
    // The changes above counted as tries, and five a second are let in.
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(sign_in(&world, "olena", "five unrelated words 9").await.status, 303);
}
