//! The security bar over HTTP: by which names, with which headers, within which limits, and by which addresses.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::proof::rows;
use super::ui::{PASSWORD, person};
use super::world::{Answer, SHOP, Settings, World, form};

/// A request as its bytes stand, and the status and text of the answer.
fn raw(world: &World, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port())).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default();
    (status, answer)
}

async fn named(top: &'static str) -> World {
    let mut world = World::idle(Settings { top, ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    world
}

/// A name that somebody points at this machine opens neither the pages nor the API, and shops may point theirs at intake.
#[tokio::test(flavor = "multi_thread")]
async fn pages_and_api_answer_to_their_own_names_alone() {
    let world = named("public_url = \"https://Orders.example.ua/\"\nhosts = [\"gate.lan\", \"192.168.7.7\"]").await;
    let private = ["/", "/login", "/orders", "/metrics", "/api/openapi.json", "/api/v1/orders", "/assets/ui.css"];
    let ours = [
        "orders.example.ua",
        "ORDERS.EXAMPLE.UA:443",
        "gate.lan:8080",
        "192.168.7.7",
        "localhost",
        "127.0.0.1",
        "[::1]:8080",
    ];
    let foreign = [
        "evil.example",
        "orders.example.ua.evil.example",
        "xorders.example.ua",
        "10.0.0.1",
        "0x7f.1",
        "localhost.evil.example",
    ];
    let mut tried = 0;
    for path in private {
        for host in ours {
            let answer = world.call("GET", path, &[("host", host)], "").await;
            assert_ne!(answer.status, 421, "{path} as {host}");
            tried += 1;
        }
        for host in foreign {
            let answer = world.call("GET", path, &[("host", host)], "").await;
            assert_eq!(answer.status, 421, "{path} as {host}");
            assert!(answer.text.contains("hosts in parom.toml") && !answer.text.contains("evil"), "{}", answer.text);
            tried += 1;
        }
    }
    for request in [
        "GET /login HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /login HTTP/1.0\r\n\r\n",
        "GET /login HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        "GET http://evil.example/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET http://localhost/login HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    ] {
        let (status, answer) = raw(&world, request);
        assert!(matches!(status, 400 | 421), "{request}: {answer}");
        tried += 1;
    }
    for host in ours.iter().chain(&foreign) {
        let headers = [("host", *host), ("x-forwarded-host", "evil.example")];
        let kind = "application/x-www-form-urlencoded";
        assert_eq!(world.send("/in/shop", kind, form("A").into(), &headers).await.status, 202, "{host}");
        for path in ["/healthz", "/readyz", "/assets/parom.js"] {
            assert_eq!(world.call("GET", path, &[("host", host)], "").await.status, 200, "{path} as {host}");
        }
    }
    for (setting, why) in [
        ("hosts = [\"https://gate.lan\"]", "hosts"),
        ("hosts = [\"gate.lan:8080\"]", "hosts"),
        ("hosts = [\"\"]", "hosts"),
        ("public_url = \"orders.example.ua\"", "public_url"),
    ] {
        let wrong = World::idle(Settings { top: setting, ..Settings::default() }).await;
        let checked = wrong.cli(&["check", "--offline"]);
        assert!(checked.code == 2 && checked.err.contains(why), "{setting}: {}", checked.err);
    }
    rows::row(
        "T28",
        "pages, API and metrics by foreign host names",
        tried,
        None,
        "every one 421 or 400; intake open to any name",
    );
}

/// What each answer to operators says, whatever it is.
fn assert_operators_headers(path: &str, answer: &Answer) {
    let page = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let what = format!("{path} {} {:?}", answer.status, answer.headers);
    let kept = if path.starts_with("/assets/") { "public, max-age=300" } else { "no-store" };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        ("cache-control", kept),
    ] {
        assert_eq!(answer.header(name), value, "{name} {what}");
    }
    assert!(answer.header("permissions-policy").contains("camera=()"), "{what}");
    let policy = answer.header("content-security-policy");
    let is_page = answer.header("content-type").starts_with("text/html");
    let right = if is_page { policy == page } else { policy.starts_with("default-src 'none'; frame-ancestors 'none'") };
    assert!(right && !policy.contains("unsafe"), "{what}");
    assert!(!answer.headers.contains_key("server") && !answer.headers.contains_key("x-powered-by"), "{what}");
}

/// What every answer of a door says, and what a page, an answer to a script, an asset and an error say beside it.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers() {
    let world = named("public_url = \"https://orders.example.ua\"").await;
    let anna = person(&world, "anna", "admin", &[]).await;
    let id = world.post("/in/shop", &form("A")).await.json()["id"].as_str().unwrap().to_owned();
    let mut tried = 0;
    let order = format!("/orders/{id}");
    let paths = [
        "/",
        "/login",
        "/orders",
        &order,
        "/orders/none",
        "/channels/shop/edit",
        "/orders/export?format=csv",
        "/me",
        "/metrics",
        "/assets/ui.css",
        "/assets/ui.js",
        "/api/openapi.json",
        "/api/v1/orders",
        "/api/v1/none",
        "/start/0000",
    ];
    for path in paths {
        for cookie in [anna.cookie.as_str(), ""] {
            assert_operators_headers(path, &world.call("GET", path, &[("cookie", cookie)], "").await);
            tried += 1;
        }
    }
    let html = [("accept", "text/html")];
    for (path, body, headers) in [
        ("/in/shop", form("A"), &html[..]),
        ("/in/shop", form("A"), &[][..]),
        ("/in/none", form("A"), &html[..]),
        ("/v1/order", "{}".to_owned(), &[][..]),
    ] {
        let answer = world.send(path, "application/x-www-form-urlencoded", body.into(), headers).await;
        let what = format!("{path} {} {:?}", answer.status, answer.headers);
        let hsts = ("strict-transport-security", "max-age=31536000");
        for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), hsts] {
            assert_eq!(answer.header(name), value, "{name} {what}");
        }
        if answer.header("content-type").starts_with("text/html") {
            assert!(
                answer.header("content-security-policy").contains("default-src 'none'; script-src 'self'"),
                "{what}"
            );
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
        }
        tried += 1;
    }
    let script = world.get("/assets/parom.js").await;
    assert_eq!(
        (script.header("x-content-type-options"), script.header("cross-origin-resource-policy")),
        ("nosniff", "")
    );
    // Without https no browser is told to insist on it.
    let plain = World::start().await;
    assert_eq!(plain.get("/login").await.header("strict-transport-security"), "");
    rows::row(
        "T38",
        "headers of answers: pages, files, errors, redirects, both doors",
        tried,
        None,
        "all as the table",
    );
}

/// Cookies, passwords and sessions as they are kept.
#[tokio::test(flavor = "multi_thread")]
async fn cookies_and_passwords_are_kept_as_they_should_be() {
    let world = named("public_url = \"https://orders.example.ua\"").await;
    let added = world.cli_with(&["user", "add", "olena"], &format!("{PASSWORD}\n"));
    assert_eq!(added.code, 0, "{}", added.err);
    let body = format!("name=olena&password={}", PASSWORD.replace(' ', "+"));
    let planted = "__Host-sid=planted-by-another; sid=planted-by-another";
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let answer = world.call("POST", "/login", &[("cookie", planted), kind], &body).await;
    let cookie = answer.header("set-cookie").to_owned();
    let (value, flags) = cookie.split_once(';').unwrap();
    assert_eq!(flags.trim(), "Path=/; HttpOnly; SameSite=Lax; Secure");
    let secret = value.strip_prefix("__Host-sid=").unwrap().to_owned();
    assert!(
        secret.len() >= 43 && secret != "planted-by-another",
        "256 bits, and not what the browser brought: {secret}"
    );
    let store = rusqlite::Connection::open(world.db()).unwrap();
    let (hash, session): (String, Vec<u8>) = store
        .query_row("SELECT o.password, s.hash FROM operators o JOIN sessions s ON s.operator = o.name", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let argon = hash.strip_prefix("$argon2id$v=19$m=").and_then(|rest| rest.split(['=', ',', '$']).next()).unwrap();
    assert!(argon.parse::<u32>().unwrap() >= 19_456 && hash.contains(",t=2,p=1$"), "{hash}");
    assert_eq!(session.len(), 32);
    // Signing in once more gives another session and ends the first; a cookie of the plain name opens nothing.
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    let again = world.call("POST", "/login", &[("cookie", value), kind], &body).await;
    // Who is signed in already posts with the page's token: without it the form is a stranger's.
    assert_eq!(again.status, 403);
    for (cookie, status) in
        [(format!("sid={secret}"), 303), (format!("__host-sid={secret}"), 303), (format!("__Host-sid={secret}"), 200)]
    {
        assert_eq!(world.call("GET", "/", &[("cookie", &cookie)], "").await.status, status, "{cookie}");
    }
    let home = world.call("GET", "/", &[("cookie", value)], "").await.text;
    let csrf = home.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let out = world.call("POST", "/logout", &[("cookie", value), kind], &format!("csrf={csrf}")).await;
    assert!(out.header("set-cookie").contains("Max-Age=0") && out.header("set-cookie").contains("Secure"));
    assert_eq!(world.call("GET", "/", &[("cookie", value)], "").await.status, 303);
    rows::row("T29", "cookie flags, fixation, hashes of passwords and sessions", 10, None, "as the table");
}

/// A browser that shows the pages over plain http drops the cookie of an https sign-in: that is said, and on this machine itself
/// the browser keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_over_plain_http_is_told_that_it_is_kept_by_https() {
    let world = named("public_url = \"https://orders.example.ua\"\nhosts = [\"gate.lan\"]").await;
    super::ui::person(&world, "olena", "admin", &[]).await;
    let body = format!("name=olena&password={}", PASSWORD.replace(' ', "+"));
    let from = |origin: &'static str, host: &'static str| {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        [("origin", origin), ("host", host), kind]
    };
    let plain = world.call("POST", "/login", &from("http://gate.lan", "gate.lan"), &body).await;
    assert_eq!((plain.status, plain.header("set-cookie")), (400, ""), "{}", plain.text);
    assert!(plain.text.contains("https"), "{}", plain.text);
    let own = world.call("POST", "/login", &from("https://orders.example.ua", "orders.example.ua"), &body).await;
    assert_eq!(own.status, 303, "{}", own.text);
    let browser = super::browser::Browser::start().await;
    super::ui_browser::sign_in(&browser, &world).await;
}

/// Where a buyer goes to after the form is the channel's to say: nothing that came can turn it.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_thanks_cannot_be_steered() {
    let mut world = World::idle(Settings::default()).await;
    let thanks = "https://shop.example.ua/thanks?from=form";
    world.channel("shop", &format!("thank_you_url = \"{thanks}\"\n{SHOP}"));
    world.channel("own", SHOP);
    world.serve(&[]);
    let names = [
        "thank_you_url",
        "redirect",
        "next",
        "return_url",
        "url",
        "continue",
        "_redirect",
        "success_url",
        "location",
        "page",
        "to",
    ];
    let places = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:evil.example",
        "\r\nlocation: https://evil.example",
    ];
    let kind = "application/x-www-form-urlencoded";
    let mut tried = 0;
    for (at, name) in names.iter().enumerate() {
        let place: String = form_urlencoded(places[at % places.len()]);
        for path in ["/in/shop", "/in/own"] {
            let body = format!("{}&{name}={place}", form("A"));
            let evil = "https://evil.example/x";
            let headers = [
                ("accept", "text/html"),
                ("referer", evil),
                ("x-forwarded-host", "evil.example"),
                ("x-original-url", evil),
                ("host", "evil.example"),
            ];
            let answer = world.send(&format!("{path}?{name}={place}"), kind, body.into(), &headers).await;
            let expected = if path == "/in/shop" { (303, thanks) } else { (200, "") };
            assert_eq!((answer.status, answer.header("location")), expected, "{path} {name}={place}");
            assert!(!answer.text.contains("evil.example"), "{}", answer.text);
            tried += 1;
        }
    }
    rows::row("T28", "fields, queries and headers that try to turn the page of thanks", tried, None, "0 turned");
}

fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// `X-Forwarded-For` is a word of the proxy alone; what the client wrote before it opens no metrics and buys no more guesses.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_pretend_to_be_another() {
    let direct = World::start().await;
    let mut tried = 0;
    // No proxy is trusted: the header is nothing, the peer is this machine.
    for hop in ["8.8.8.8", "unknown", ""] {
        assert_eq!(direct.call("GET", "/metrics", &[("x-forwarded-for", hop)], "").await.status, 200);
    }
    let behind = named("trusted_proxies = [\"127.0.0.1\"]").await;
    for hops in [
        "8.8.8.8",
        "127.0.0.1, 8.8.8.8",
        "::1, 8.8.8.8",
        "localhost, 8.8.8.8",
        "127.0.0.1, unknown",
        "127.0.0.1,",
        "127.0.0.1, 8.8.8.8:1",
        "127.0.0.1, [2a00::1]:9",
        "8.8.8.8, 127.0.0.1",
    ] {
        let answer = behind.call("GET", "/metrics", &[("x-forwarded-for", hops)], "").await;
        assert_eq!(answer.status, 403, "{hops}");
        tried += 1;
    }
    for name in ["x-real-ip", "forwarded", "client-ip", "true-client-ip", "cf-connecting-ip"] {
        let answer = behind.call("GET", "/metrics", &[("x-forwarded-for", "8.8.8.8"), (name, "127.0.0.1")], "").await;
        assert_eq!(answer.status, 403, "{name}");
        tried += 1;
    }
    // Twenty guesses of a network, whoever it says it is.
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let mut last = 0;
    for guess in 0..24 {
        tokio::time::sleep(std::time::Duration::from_millis(210)).await;
        let hops = format!("{guess}.1.1.1, 8.8.8.8");
        let body = format!("name=name{guess}&password=wrong+wrong+wrong");
        last = behind.call("POST", "/login", &[("x-forwarded-for", &hops), kind], &body).await.status;
        tried += 1;
    }
    assert_eq!(last, 429, "the network has had its guesses");
    rows::row("T28", "forwarded addresses made up by the client", tried, None, "0 believed");
}

/// What a buyer types runs in no spreadsheet, and breaks no line of the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_runs_nowhere() {
    let world = World::start().await;
    let starts = [
        "=",
        "+",
        "-",
        "@",
        "\t=",
        "\r=",
        "\n=",
        "＝",
        "＋",
        "－",
        "＠",
        " =",
        "\"=",
        "',=",
        "\u{202e}=",
        "a\r\n=",
        "=cmd|'/c calc'!A0 ",
    ];
    let kind = "application/x-www-form-urlencoded";
    for start in starts {
        let body = format!("name={}&phone=0671112233&product=Mug&price=1,249", form_urlencoded(&format!("{start}1+1")));
        assert_eq!(world.post("/in/shop", &body).await.status, 202);
        let evil =
            format!("/in/{}", form_urlencoded(&format!("x{start}\u{1b}[2J\u{7}\u{202e}\r\n{{\"level\":\"FORGED\"}}")));
        assert_eq!(world.send(&evil, kind, "a=1".into(), &[("accept", "text/html")]).await.status, 404);
    }
    let table = world.cli(&["orders", "export", "--format", "csv", "--limit", "0"]).out;
    let mut rows = csv::ReaderBuilder::new().from_reader(table.as_bytes());
    let (mut cells, mut seen) = (0, 0);
    for row in rows.records() {
        for cell in row.unwrap().iter() {
            let risky = cell
                .trim_start_matches(' ')
                .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
            assert!(!risky, "{cell:?}");
            cells += 1;
        }
        seen += 1;
    }
    assert_eq!(seen, starts.len());
    let log = world.log();
    assert!(!log.contains("FORGED\"}") && !log.contains('\u{1b}') && !log.contains('\u{202e}'), "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    rows::row(
        "T34",
        "names and paths that would run in a spreadsheet or forge a line of the log",
        cells,
        None,
        "0 cells, 0 lines",
    );
}

/// A name that nobody has takes as long as a wrong password: who guesses names learns nothing by the clock.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let hash = parom_gateway::passwords::hash(PASSWORD).await.unwrap();
    let took = async |hash: Option<&str>| {
        let begun = std::time::Instant::now();
        assert!(!parom_gateway::passwords::matches("a wrong password 9", hash).await);
        begun.elapsed()
    };
    let runs = rows::runs(25);
    let middle = |mut times: Vec<std::time::Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    // The machine may be busy with something else for a while: then once more.
    let mut difference = std::time::Duration::MAX;
    for _ in 0..3 {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            known.push(took(Some(&hash)).await);
            unknown.push(took(None).await);
        }
        difference = middle(known).abs_diff(middle(unknown));
        if difference.as_millis() < 10 {
            break;
        }
    }
    assert!(difference.as_millis() < 10, "{difference:?}");
    let figures = format!("medians differ by {} us", difference.as_micros());
    rows::row("T29", "sign-in of an unknown name and with a wrong password", 2 * runs, None, &figures);
}
