//! Who may post: tokens, origins, CORS.

use super::world::{SHOP, Settings, World, form};

const FORM: &str = "application/x-www-form-urlencoded";
const RULED: &str = "[access]\norigins = [\"https://shop.example.ua\"]\ntoken = { env = \"TEST_TOKEN\" }\n";

async fn ruled() -> World {
    let mut world = World::idle(Settings::default()).await;
    world.channel("ruled", &format!("{SHOP}{RULED}"));
    world.channel("token", &format!("{SHOP}[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n"));
    world.channel("pages", &format!("{SHOP}[access]\norigins = [\"https://shop.example.ua\"]\n"));
    world.channel("lost", &format!("{SHOP}[access]\ntoken = {{ env = \"TEST_TOKEN_NOT_SET\" }}\n"));
    world.channel("open", SHOP);
    world.serve(&[]);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_or_a_listed_origin_opens() {
    let world = ruled().await;
    let shop = ("origin", "https://shop.example.ua");
    let evil = ("origin", "https://evil.example");
    let right = ("authorization", "Bearer right-token");
    let wrong = ("authorization", "Bearer wrong-token");
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);
    let cases: &[Case] = &[
        ("/in/ruled", &[], 401),
        ("/in/ruled", &[shop], 202),
        ("/in/ruled", &[evil], 403),
        ("/in/ruled", &[right], 202),
        ("/in/ruled", &[wrong], 401),
        ("/in/ruled", &[wrong, shop], 401),
        ("/in/ruled/right-token", &[], 202),
        ("/in/ruled/right-token", &[evil], 202),
        ("/in/ruled/right-toke", &[], 401),
        ("/in/token", &[], 401),
        ("/in/token", &[shop], 401),
        ("/in/token", &[right], 202),
        ("/in/pages", &[], 202),
        ("/in/pages", &[evil], 403),
        ("/in/pages", &[("origin", "null")], 403),
        ("/in/pages", &[("origin", "https://shop.example.ua.evil.example")], 403),
        ("/in/pages/any", &[], 401),
        ("/in/open", &[evil], 202),
        // Its token cannot be read, and there was never a version that could: kept and held, not refused.
        ("/in/lost", &[], 202),
    ];
    for (path, headers, status) in cases {
        let answer = world.send(path, FORM, form("A").into(), headers).await;
        assert_eq!(answer.status, *status, "{path} {headers:?}: {}", answer.text);
    }
    let accepted = cases.iter().filter(|(path, _, status)| *status == 202 && *path != "/in/lost").count();
    world.crm_has(accepted).await;
    assert_eq!(world.orders().len(), accepted + 1);
    // Sent again by hand, it is said what is missing.
    let orders = world.orders();
    let lost = orders.iter().find(|order| order["channel"] == "lost").unwrap();
    let retried = world.cli(&["orders", "retry", lost["id"].as_str().unwrap()]);
    assert!(retried.code == 1 && retried.out.contains("TEST_TOKEN_NOT_SET"), "{}{}", retried.out, retried.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browsers_form_from_a_foreign_page_is_kept_and_held() {
    let world = ruled().await;
    let headers = [("origin", "https://evil.example"), ("accept", "text/html")];
    assert_eq!(world.send("/in/pages", FORM, form("A").into(), &headers).await.status, 200);
    let held = &world.orders()[0];
    assert_eq!(held["problems"][0]["code"], "foreign_origin");
    let id = held["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cli(&["orders", "retry", &id]).code, 0);
    world.crm_has(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn preflights_are_answered_for_the_allowed_origins_alone() {
    let world = ruled().await;
    let preflight = async |path: &str, origin: &str| {
        let request = world.http.request(reqwest::Method::OPTIONS, world.url(path)).header("origin", origin);
        let response = request.header("access-control-request-method", "POST").send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin").map(|v| v.to_str().unwrap().to_owned());
        (response.status().as_u16(), allowed)
    };
    let shop = "https://shop.example.ua";
    assert_eq!(preflight("/in/pages", shop).await, (204, Some(shop.into())));
    assert_eq!(preflight("/in/ruled/right-token", shop).await, (204, Some(shop.into())));
    assert_eq!(preflight("/in/pages", "https://evil.example").await, (403, None));
    assert_eq!(preflight("/in/token", shop).await, (403, None));
    assert_eq!(preflight("/in/open", "https://evil.example").await, (204, Some("*".into())));
    assert_eq!(preflight("/in/nobody", shop).await.0, 404);
    let answer = world.send("/in/pages", FORM, form("A").into(), &[("origin", shop)]).await;
    assert_eq!(answer.header("access-control-allow-origin"), shop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_channels_replay_asks_for_the_token_that_was_given() {
    let mut world = World::idle(Settings::default()).await;
    let text = format!("{SHOP}[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n");
    world.channel("shop", "broken");
    world.serve(&[]);
    assert_eq!(world.post("/in/shop/right-token", &form("Right")).await.status, 202);
    assert_eq!(world.post("/in/shop/guess", &form("Wrong")).await.status, 202);
    world.channel("shop", &text);
    world.crm_has(1).await;
    world
        .until("the other is held for its token", || {
            world.orders().iter().any(|o| o["state"] == "held" && o["problems"].to_string().contains("wrong_token"))
        })
        .await;
    assert_eq!(world.crm.orders()[0]["buyer"]["full_name"], "Right");
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_with_one_token_are_told() {
    let world = World::idle(Settings::default()).await;
    world.channel("alone", SHOP);
    world.channel("first", &format!("{SHOP}[access]\ntoken = {{ env = \"TEST_TOKEN\" }}\n"));
    world.channel("second", &format!("{SHOP}{RULED}"));
    let ran = world.cli(&["check", "--offline"]);
    let told =
        ran.out.lines().filter(|line| line.contains("first, second have one token") && line.contains("`second`"));
    assert_eq!((ran.code, told.count()), (0, 2), "{}", ran.out);
    world.channel(
        "signed",
        &format!("format = \"standardwebhooks\"\n{SHOP}[access]\nsecret = {{ env = \"TEST_TOKEN\" }}\n"),
    );
    let config = std::fs::read_to_string(world.config()).unwrap();
    let token = "\n[api.tokens.office]\ntoken = { env = \"TEST_TOKEN\" }\nrole = \"viewer\"\n";
    std::fs::write(world.config(), format!("{config}{token}")).unwrap();
    let ran = world.cli(&["check", "--offline"]);
    let line = config.lines().count() + 3;
    assert!(ran.out.contains("access.secret: the secret is shorter than 24 bytes"), "{}", ran.out);
    let told = format!("parom.toml:{line}:1: error: api.tokens.office.token: the token is shorter");
    assert!(ran.code == 1 && ran.out.contains(&told), "{}", ran.out);
    std::fs::write(world.config(), config).unwrap();
    world.channel("lost", &format!("{SHOP}[access]\norigins = []\ntoken = {{ env = \"TEST_TOKEN_NOT_SET\" }}\n"));
    let line = SHOP.lines().count() + 3;
    let ran = world.cli(&["check", "--offline"]);
    assert!(ran.out.contains(&format!("lost.toml:{line}:1: error: access.token")), "{}", ran.out);
}
