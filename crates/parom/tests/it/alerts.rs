//! Alerts, received for real: by a mail server, a bot's API and an address of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use keycrm_sandbox::{Fault, FaultKind, FaultOn};
use parom_core::presets::named;

use super::proof::checker;
use super::world::{SHOP, Settings, World, form};

/// What was received: the address, the headers in small letters, the body.
pub(crate) type Heard = Arc<Mutex<Vec<(String, String, String)>>>;

/// An HTTP server that refuses the first requests and takes the others.
pub(crate) fn http_server(refused: usize) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for (at, stream) in listener.incoming().flatten().enumerate() {
            let mut reader = BufReader::new(stream);
            let (mut head, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                head.push_str(&line);
                line.clear();
            }
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or("0");
            let mut body = vec![0; length.trim().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let status = if at < refused { "500 No" } else { "200 OK" };
            let _ = write!(reader.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            if at >= refused {
                kept.lock().unwrap().push((path, head.to_lowercase(), String::from_utf8(body).unwrap()));
            }
        }
    });
    (url, heard)
}

/// A mail server as plain as one can be: each message whole.
pub(crate) fn mail_server() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let say = |reader: &mut BufReader<std::net::TcpStream>, text: &str| {
                let _ = reader.get_mut().write_all(format!("{text}\r\n").as_bytes());
            };
            say(&mut reader, "220 test");
            let (mut to, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                match line.split([' ', ':']).next().unwrap_or_default().trim().to_uppercase().as_str() {
                    "EHLO" => say(&mut reader, "250-test\r\n250 8BITMIME"),
                    "RCPT" => {
                        to.push_str(line.trim());
                        say(&mut reader, "250 ok");
                    }
                    "DATA" => {
                        say(&mut reader, "354 go");
                        let (mut mail, mut row) = (String::new(), String::new());
                        while reader.read_line(&mut row).is_ok_and(|read| read > 0) && row != ".\r\n" {
                            mail.push_str(&row);
                            row.clear();
                        }
                        kept.lock().unwrap().push((to.clone(), String::new(), mail));
                        say(&mut reader, "250 ok");
                    }
                    "QUIT" => {
                        say(&mut reader, "221 bye");
                        break;
                    }
                    _ => say(&mut reader, "250 ok"),
                }
                line.clear();
            }
        }
    });
    (url, heard)
}

pub(crate) fn configure(world: &World, alerts: &str) {
    let text = std::fs::read_to_string(world.config()).unwrap();
    let alerts = format!(
        "public_url = \"https://orders.example.ua\"\n{text}\n[alerts]\nlook = \"200ms\"\nallow = [\"127.0.0.1\"]\n{alerts}\n"
    );
    std::fs::write(world.config(), alerts).unwrap();
}

pub(crate) const BAD: &str = "name=Ivan+Secretenko&phone=0671112233&product=Mug&price=1,249";

#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_is_told_by_every_way_without_its_buyer() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let (bot, bot_heard) = http_server(0);
    let (hook, hook_heard) = http_server(0);
    let (mail, mail_heard) = mail_server();
    configure(
        &world,
        &format!(
            "language = \"en\"\ndigest = \"1s\"\n[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = -100200\n\
             [alerts.webhook]\nurl = \"{hook}/told\"\nsecret = {{ env = \"HOOK\" }}\n\
             [alerts.email]\nserver = \"{mail}\"\nfrom = \"parom@example.ua\"\nto = [\"boss@example.ua\", \"help@example.ua\"]"
        ),
    );
    world.serve(&[("BOT", "1234:canary-token"), ("HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
    world.post("/in/shop", &form("Fine")).await;
    world.post("/in/shop", BAD).await;
    let all = || [&bot_heard, &hook_heard, &mail_heard].iter().all(|heard| !heard.lock().unwrap().is_empty());
    world.until("all three are told", all).await;
    let (path, _, body) = bot_heard.lock().unwrap()[0].clone();
    assert_eq!(path, "/bot1234:canary-token/sendMessage");
    let message: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(message["chat_id"], "-100200");
    let text = message["text"].as_str().unwrap().to_owned();
    assert_eq!(text, "Parom\nWaiting for a person:\n• Held: 1 (shop)\nhttps://orders.example.ua/orders?state=person");
    let (_, head, body) = hook_heard.lock().unwrap()[0].clone();
    let header = |name: &str| head.split(&format!("{name}: ")).nth(1).unwrap().lines().next().unwrap().to_owned();
    let headers: Vec<(String, String)> =
        ["webhook-id", "webhook-timestamp"].map(|name| (name.into(), header(name))).into();
    // Letters of the signature count: from the request as it came.
    assert_eq!(headers[0].1, "alert_3");
    assert!(body.contains("\"type\":\"parom.alert\"") && body.contains("Held: 1 (shop)"), "{body}");
    let signing = named("standardwebhooks").unwrap().signing.as_ref().unwrap();
    let before = format!("{}.{}.", headers[0].1, headers[1].1);
    let right = signing.sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &before, body.as_bytes());
    assert_eq!(header("webhook-signature"), right.to_lowercase());
    let (to, _, mail) = mail_heard.lock().unwrap()[0].clone();
    assert!(to.contains("boss@example.ua") && to.contains("help@example.ua"), "{to}");
    assert!(mail.contains("Subject: Parom: Waiting for a person"), "{mail}");
    for told in [text, body, mail] {
        assert!(!told.contains("Secretenko") && !told.contains("671112233") && !told.contains("1,249"), "{told}");
    }
    assert!(!world.log().contains("canary-token"), "{}", world.log());
    // What was told is not told again, also after a restart.
    world.stop();
    world.serve(&[("BOT", "1234:canary-token"), ("HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(bot_heard.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_one_digest_and_faults_are_told_once() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let (bot, heard) = http_server(0);
    let telegram = format!("[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = \"@shop\"");
    configure(&world, &format!("language = \"uk\"\ndigest = \"3s\"\n{telegram}"));
    world.serve(&[("BOT", "1:x")]);
    world.post("/in/shop", BAD).await;
    world.until("the first is told at once", || heard.lock().unwrap().len() == 1).await;
    for _ in 0..7 {
        world.post("/in/shop", BAD).await;
    }
    world.channel("second", "account = \"main\"\n[order\n");
    world.until("the rest in one message", || heard.lock().unwrap().len() == 2).await;
    let (_, _, body) = heard.lock().unwrap()[1].clone();
    assert!(body.contains("Чекає на людину: 7 (shop)") && body.contains("Файл каналу має помилку: second"), "{body}");
    tokio::time::sleep(std::time::Duration::from_millis(3_500)).await;
    assert_eq!(heard.lock().unwrap().len(), 2, "{:?}", heard.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_is_told_later_and_a_wrong_setting_at_the_start() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    // Held before anybody was to be told: said at the first start with alerts.
    world.serve(&[]);
    world.post("/in/shop", BAD).await;
    world.stop();
    let before = std::fs::read_to_string(world.config()).unwrap();
    for (alerts, why) in [
        ("[alerts.webhook]\nurl = \"http://example.ua/x\"\nsecret = { env = \"HOOK\" }", "https"),
        ("[alerts.email]\nserver = \"mail\"\nfrom = \"a@b.ua\"\nto = [\"a@b.ua\"]", "mail server"),
        ("[alerts.email]\nserver = \"smtps://mail.ua\"\nfrom = \"a@b.ua\"\nto = [\"nobody\"]", "e-mail address"),
        ("language = \"de\"", "uk, ru or en"),
        ("[alerts.telegram]\ntoken = \"plain\"\nchat = 1", "token"),
    ] {
        configure(&world, alerts);
        let checked = world.cli(&["check", "--offline"]);
        assert!(checked.code == 2 && checked.err.contains(why), "{alerts}: {}", checked.err);
        std::fs::write(world.config(), &before).unwrap();
    }
    // A secret that is not there is told before the first alert fails.
    configure(&world, "[alerts.telegram]\ntoken = { env = \"NOT_SET_ANYWHERE\" }\nchat = 1");
    let checked = world.cli(&["check", "--offline"]);
    assert!(
        checked.out.contains("alerts.telegram.token") && checked.out.contains("NOT_SET_ANYWHERE"),
        "{}",
        checked.out
    );
    std::fs::write(world.config(), &before).unwrap();
    let (hook, heard) = http_server(1);
    configure(&world, &format!("[alerts.webhook]\nurl = \"{hook}\"\nsecret = {{ env = \"HOOK\" }}"));
    world.serve(&[("HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
    world.until("the failure is in the log", || world.log().contains("an alert was not sent")).await;
    assert!(world.log().contains("500") && heard.lock().unwrap().is_empty());
    // The next try is half a minute away; the test does not wait for it but moves the row's time.
    assert_eq!(world.alter("UPDATE alerts SET due_at = 0 WHERE state = 'waiting'"), 1);
    world.until("told at last", || heard.lock().unwrap().len() == 1).await;
    assert!(heard.lock().unwrap()[0].2.contains("(shop)"));
}

/// Killed before and after a message is put on its way, and before it is noted as sent: it is told, and only in the last
/// case perhaps twice.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_the_message_still_comes() {
    for (point, most) in
        [("store.before_commit.tell", 1), ("store.after_commit.tell", 1), ("store.before_commit.alert_sent", 2)]
    {
        let mut world = World::idle(Settings::default()).await;
        world.channel("shop", SHOP);
        world.serve(&[]);
        world.post("/in/shop", BAD).await;
        world.stop();
        let (bot, heard) = http_server(0);
        configure(&world, &format!("[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1"));
        world.serve(&[("BOT", "1:x"), ("PAROM_CRASH_AT", point)]);
        world.died().await;
        world.serve(&[("BOT", "1:x")]);
        world.until(point, || !heard.lock().unwrap().is_empty()).await;
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        assert!((1..=most).contains(&heard.lock().unwrap().len()), "{point}");
    }
}

/// A channel that stopped, a disk that fills up, a mistyped account, and backups that are not made: each once, over restarts too, and again
/// only when it was over in between. Meanwhile the watcher is pinged.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_beside_orders_is_told_once() {
    let disk = rustix::fs::statvfs(std::env::temp_dir().as_path()).unwrap();
    let room = disk.f_bavail * disk.f_frsize / 10 * 7;
    let store = format!("intake_min_free = \"{}MiB\"\ndelivery_min_free = \"1MiB\"", room >> 20);
    let mut world = World::of_file(Settings { store: store.leak(), ..Settings::default() }).await;
    world.channel("shop", SHOP);
    world.serve(&[]);
    for number in 0..12 {
        world.post("/in/shop", &form(&format!("n{number}"))).await;
    }
    world.until("all are delivered", || world.count(&["delivered"]) == 12).await;
    world.stop();
    // An order an hour, until nine hours ago.
    let sql = "UPDATE orders SET received_at = received_at - 9 * 3600000 - (12 - seq) * 3600000";
    assert_eq!(world.alter(sql), 12);
    let backups = world.dir.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    let accounts = world.dir.path().join("accounts");
    std::fs::create_dir(&accounts).unwrap();
    std::fs::write(accounts.join("mistyped.toml"), "url").unwrap();
    let ((bot, heard), (watcher, pings)) = (http_server(0), http_server(0));
    configure(
        &world,
        &format!(
            "language = \"en\"\ndigest = \"200ms\"\nbackups = \"backups\"\nping = {{ env = \"PING\" }}\n\
             [alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1"
        ),
    );
    let env = [("BOT", "1:x"), ("PING", &*format!("{watcher}/ping/canary-ping-1"))];
    world.serve(&env);
    world.until("it is told", || !heard.lock().unwrap().is_empty()).await;
    let text = heard.lock().unwrap()[0].2.clone();
    for what in [
        "silent for unusually long: shop",
        "The disk is almost full",
        "The newest backup is too old",
        "The account's file cannot be used: mistyped",
    ] {
        assert!(text.contains(what), "{what}: {text}");
    }
    world.until("pings come", || pings.lock().unwrap().len() >= 2).await;
    assert_eq!(pings.lock().unwrap()[0].0, "/ping/canary-ping-1");
    world.stop();
    world.serve(&env);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(heard.lock().unwrap().len(), 1, "a restart is no news");
    std::fs::write(backups.join("parom-1.db"), "a backup").unwrap();
    let left = || checker::number(&world.db(), "SELECT count(*) FROM alert_faults");
    world.until("the backup's fault is over", || left() == 3).await;
    std::fs::remove_file(backups.join("parom-1.db")).unwrap();
    world.until("it is told again", || heard.lock().unwrap().len() == 2).await;
    let text = heard.lock().unwrap()[1].2.clone();
    assert!(text.contains("The newest backup is too old") && !text.contains("silent"), "{text}");
    assert!(!world.log().contains("canary-ping"), "{}", world.log());
}

/// An order that the CRM has, and of which it answers nothing: after a quarter of an hour somebody is told, once; it is not
/// sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_stays_in_doubt_is_told() {
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    let (bot, heard) = http_server(0);
    let telegram = format!("[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 1");
    configure(&world, &format!("language = \"en\"\ndigest = \"200ms\"\n{telegram}"));
    world.crm.add_fault(Fault::once(FaultOn::Post, FaultKind::CommitThenDrop));
    world.crm.add_fault(Fault::always(FaultOn::Lookup, FaultKind::RefuseBefore { status: 503 }));
    world.serve(&[("BOT", "1:x")]);
    world.post("/in/shop", &form("Waits")).await;
    world.until("it is in doubt", || world.count(&["unconfirmed"]) == 1).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(heard.lock().unwrap().is_empty(), "not at once: {:?}", heard.lock().unwrap());
    assert_eq!(world.alter("UPDATE orders SET updated_at = updated_at - 901000 WHERE state = 'unconfirmed'"), 1);
    world.until("it is told", || !heard.lock().unwrap().is_empty()).await;
    let text = heard.lock().unwrap()[0].2.clone();
    assert!(text.contains("Not confirmed by the CRM for more than 15 minutes: main"), "{text}");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(heard.lock().unwrap().len(), 1, "{:?}", heard.lock().unwrap());
    world.crm.clear_faults();
    world.until("it is settled", || world.count(&["delivered"]) == 1).await;
    assert_eq!(world.crm.orders().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_by_every_way_and_tells_who_did_not_take_it() {
    let world = World::idle(Settings::default()).await;
    let none = world.cli(&["alerts", "test"]);
    assert!(none.code == 2 && none.err.contains("[alerts.telegram]"), "{}", none.err);
    let (bot, bot_heard) = http_server(1);
    let (watcher, watched) = http_server(0);
    let (mail, mail_heard) = mail_server();
    configure(
        &world,
        &format!(
            "language = \"en\"\nping = {{ env = \"PING\" }}\n[alerts.telegram]\nurl = \"{bot}\"\ntoken = {{ env = \"BOT\" }}\nchat = 5\n\
             [alerts.webhook]\nurl = \"{bot}/told\"\nsecret = {{ env = \"NOT_SET_HOOK\" }}\n\
             [alerts.email]\nserver = \"{mail}\"\nfrom = \"parom@example.ua\"\nto = [\"boss@example.ua\"]"
        ),
    );
    let run = |more: &[&str]| {
        let secrets = [("BOT", "1234:canary-token"), ("PING", watcher.as_str())];
        let ran = world.command(&secrets).args(["alerts", "test"]).args(more).output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    };
    let (code, out) = run(&["--json"]);
    let said: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let sent: Vec<(&str, bool)> =
        said.iter().map(|row| (row["receiver"].as_str().unwrap(), row["sent"].as_bool().unwrap())).collect();
    // The bot answers with an error the first time.
    assert_eq!(sent, [("telegram", false), ("email", true), ("webhook", false), ("ping", true)], "{out}");
    assert!(said[2]["why"].as_str().unwrap().contains("NOT_SET_HOOK") && !out.contains("canary"), "{out}");
    let (again, table) = run(&[]);
    assert_eq!((code, again), (Some(1), Some(1)), "{table}");
    assert!(table.lines().any(|line| line.contains("telegram") && line.contains("yes")), "{table}");
    let mail = mail_heard.lock().unwrap()[0].clone();
    assert!(format!("{mail:?}").contains("Parom: a test"), "{mail:?}");
    assert!(bot_heard.lock().unwrap().iter().any(|(_, _, body)| body.contains("This is a test")));
    assert!(!watched.lock().unwrap().is_empty());
}
