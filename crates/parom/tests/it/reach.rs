//! Where messages and orders go, and where nothing can send them: numbers in every spelling, names that turn, redirects and
//! proxies.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parom_gateway::reach::{Lookup, Reach};

use super::proof::rows;
use super::world::{SHOP, Settings, World, form};

/// Forms of addresses that are not public, as somebody would write them to get past a look.
const INNER: &[&str] = &[
    // This machine.
    "http://127.0.0.1/",
    "http://127.0.0.1:22/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f.1/",
    "http://127.0.0.1./",
    "http://user@127.0.0.1/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/",
    "http://127.0.0.1\\@example.com/",
    "http:127.0.0.1/",
    "http:/127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "HTTP://127.0.0.1/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0x0/",
    "http://00000/",
    "https://127.0.0.1/",
    "\thttp://127.0.0.1/",
    "http://127.0.0.1\n/",
    "http://①②⑦.⓪.⓪.①/",
    // Private, of the link, of the provider.
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://012.0.0.1/",
    "http://0xa.0.0.1/",
    "http://167772161/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://0254.020.0.1/",
    "http://2886729729/",
    "http://192.168.0.1/",
    "http://192.168.255.255/",
    "http://0300.0250.0.1/",
    "http://3232235521/",
    "http://192.168.1/",
    "http://169.254.169.254/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://100.100.100.200/",
    // Reserved, of examples, many machines, all of them.
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://4294967295/",
    "http://0.1.2.3/",
    // IPv6, and IPv4 within it.
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000::0001]/",
    "http://[::1]:8080/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://[64:ff9b:1::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[fdff::1]/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[ff0e::1]/",
    "http://[2001:db8::1]/",
    "http://[2001::1]/",
    "http://[2001:0:4136:e378::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[5f00::1]/",
    "http://[::ffff:0:0]/",
    // No address to be asked for.
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "ldap://127.0.0.1/",
    "unix:/run/x.sock",
    "http://",
    "https:///",
    "http://256.0.0.1/",
    "http://[::1/",
    "http://1.2.3.4.5/",
    "http://[fe80::1%25eth0]/",
    "http://0x7f.0.0.0x100/",
    "",
];

/// Public ones, which pass.
const PUBLIC: &[&str] = &[
    "https://1.1.1.1/",
    "https://8.8.8.8:8443/x",
    "https://9.255.255.255/",
    "https://11.0.0.1/",
    "https://100.63.255.255/",
    "https://100.128.0.1/",
    "https://126.255.255.255/",
    "https://128.0.0.1/",
    "https://169.253.1.1/",
    "https://169.255.1.1/",
    "https://172.15.255.255/",
    "https://172.32.0.1/",
    "https://192.167.1.1/",
    "https://192.169.1.1/",
    "https://198.17.1.1/",
    "https://198.20.1.1/",
    "https://223.255.255.255/",
    "https://[2606:4700::1111]/",
    "https://[2a00:1450::1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[2001:4860:4860::8888]/",
];

fn caller_error(reach: &Reach, url: &str) -> Option<String> {
    reach.client().unwrap().post(url).err()
}

#[test]
fn no_spelling_of_an_inner_address_passes() {
    assert!(INNER.len() >= 80, "{}", INNER.len());
    let nothing = Reach::default();
    for url in INNER {
        assert!(caller_error(&nothing, url).is_some(), "{url}");
    }
    for url in PUBLIC {
        assert_eq!(caller_error(&nothing, url), None, "{url}");
    }
    let listed = ["10.0.0.0/8", "127.0.0.1", "fd00::/8", "::ffff:192.168.0.0/128", "172.16.0.0/12"].map(str::to_owned);
    let listed = Reach::new(&listed).unwrap();
    for (url, passes) in [
        ("http://10.9.8.7/", true),
        ("http://127.0.0.1:9/", true),
        ("http://[::ffff:127.0.0.1]/", true),
        ("http://0x7f000001/", true),
        ("http://[fd12::1]/", true),
        ("http://172.31.0.1/", true),
        ("http://127.0.0.2/", false),
        ("http://[::1]/", false),
        ("http://[fc00::1]/", false),
        ("http://192.168.0.1/", false),
        ("http://172.32.0.1/", true),
    ] {
        assert_eq!(caller_error(&listed, url).is_none(), passes, "{url}");
    }
    for wrong in ["localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "", "::/129", "*"] {
        assert!(Reach::new(&[wrong.to_owned()]).is_err(), "{wrong}");
    }
    let figures = format!("{} inner forms refused, {} public ones pass", INNER.len(), PUBLIC.len());
    rows::row("T30", "URL forms of addresses that no alert may reach", INNER.len() + PUBLIC.len(), None, &figures);
}

/// A listener that counts who comes.
fn trap() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (port, came)
}

/// A resolver whose answers are in its hands: the first time these, every other time those.
fn resolver(first: &'static [&'static str], then: &'static [&'static str], asked: &Arc<AtomicUsize>) -> Lookup {
    let asked = Arc::clone(asked);
    Arc::new(move |_| {
        let found = if asked.fetch_add(1, Ordering::SeqCst) == 0 { first } else { then };
        let found: Vec<IpAddr> = found.iter().map(|text| text.parse().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_resolved_once_and_only_what_passed_is_connected_to() {
    let (port, came) = trap();
    let asked = Arc::new(AtomicUsize::new(0));
    let inner: &[&'static [&'static str]] = &[
        &["127.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["192.168.1.1"],
        &["100.64.0.1"],
        &["fd00::1"],
        &["fe80::1"],
        &["64:ff9b::7f00:1"],
        &["0.0.0.0"],
        &["255.255.255.255"],
        &["224.0.0.1"],
        &["127.0.0.1", "::1", "10.0.0.1"],
        &[],
    ];
    for found in inner {
        let caller = Reach::default().client_by(resolver(found, found, &asked)).unwrap();
        let error =
            caller.post(&format!("http://hooks.example.ua:{port}/x?token=canary")).unwrap().send().await.unwrap_err();
        assert!(error.is_connect(), "{found:?}");
        let words = parom_gateway::reach::words(error);
        assert!(!words.contains("canary") && (words.contains("alerts.allow") || found.is_empty()), "{words}");
    }
    assert_eq!(came.load(Ordering::SeqCst), 0, "nobody came");
    // A name that turns after it was looked at: it is not asked again, and the address that passed is the one.
    asked.store(0, Ordering::SeqCst);
    let loopback = Reach::new(&["127.0.0.1".to_owned()]).unwrap();
    let caller = loopback.client_by(resolver(&["127.0.0.1"], &["10.0.0.1"], &asked)).unwrap();
    let _ = caller.post(&format!("http://turns.example.ua:{port}/")).unwrap().send().await;
    assert_eq!((asked.load(Ordering::SeqCst), came.load(Ordering::SeqCst)), (1, 1));
    // Of a mixed answer only what passes is tried.
    asked.store(0, Ordering::SeqCst);
    let caller = loopback.client_by(resolver(&["127.0.0.2", "127.0.0.1"], &[], &asked)).unwrap();
    let _ = caller.post(&format!("http://mixed.example.ua:{port}/")).unwrap().send().await;
    assert_eq!(came.load(Ordering::SeqCst), 2);
    rows::row(
        "T30",
        "names that resolve to inner addresses, and names that turn",
        inner.len() + 2,
        None,
        "0 connections to them",
    );
}

/// A server that sends everybody elsewhere.
fn redirecting(to: u16) -> (String, Arc<AtomicUsize>) {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(200)));
            let _ = stream.read(&mut [0; 65_536]);
            let status = [301, 302, 303, 307, 308][count.fetch_add(1, Ordering::SeqCst) % 5];
            let place = format!("http://127.0.0.1:{to}/stolen");
            let _ = write!(
                stream,
                "HTTP/1.1 {status} Go\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
    });
    (url, came)
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_redirect_nor_a_proxy_of_the_environment_leads_away() {
    let (port, came) = trap();
    let (crm, crm_asked) = redirecting(port);
    let (hook, hook_asked) = redirecting(port);
    let alerts = |hook: &str| {
        format!(
            "[alerts]\nlook = \"200ms\"\ndigest = \"200ms\"\nallow = [\"127.0.0.1\"]\n[alerts.webhook]\nurl = \"{hook}\"\nsecret = {{ env = \"HOOK\" }}\n"
        )
    };
    let mut world = World::idle(Settings::default()).await;
    world.channel("shop", SHOP);
    world.configure(&format!("{crm}/v1"));
    let text = std::fs::read_to_string(world.config()).unwrap();
    std::fs::write(world.config(), format!("{text}\n{}", alerts(&hook))).unwrap();
    let proxy = format!("http://127.0.0.1:{port}");
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let mut env: Vec<(&str, &str)> = names.iter().map(|name| (*name, proxy.as_str())).collect();
    env.push(("HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    world.serve(&env);
    world.post("/in/shop", "name=Ivan&phone=0671112233&product=Mug&price=1,249").await;
    world.post("/in/shop", &form("Olena")).await;
    world
        .until("both were asked", || crm_asked.load(Ordering::SeqCst) > 3 && hook_asked.load(Ordering::SeqCst) > 0)
        .await;
    world.until("it is noted", || world.log().contains("an alert was not sent")).await;
    // What a proxy or a redirect would have had: nothing.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(came.load(Ordering::SeqCst), 0);
    let asked = crm_asked.load(Ordering::SeqCst) + hook_asked.load(Ordering::SeqCst);
    rows::row(
        "T30",
        "redirects of five kinds and six proxy variables, for orders and alerts",
        asked,
        None,
        "0 followed",
    );
    // An inner address that nobody listed is no address for alerts.
    world.stop();
    std::fs::write(world.config(), format!("{text}\n{}", alerts(&hook).replace("allow = [\"127.0.0.1\"]\n", "")))
        .unwrap();
    let checked = world.cli(&["check", "--offline"]);
    assert!(checked.code == 2 && checked.err.contains("alerts.allow"), "{}", checked.err);
    std::fs::write(world.config(), format!("{text}\n{}", alerts(&hook).replace("127.0.0.1\"]", "everything\"]")))
        .unwrap();
    assert!(world.cli(&["check", "--offline"]).err.contains("no address or network"));
}
