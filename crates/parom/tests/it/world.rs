//! A test's world: a folder with a configuration, a sandbox CRM in the test, and the gateway as a child process.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keycrm_sandbox::{DupMode, LedgerEntry, Options, Sandbox};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use crate::answer::Answer;
use crate::answer::read;
use crate::postgres::{self, Database};

/// The plain channel of most tests.
pub(crate) const SHOP: &str = r#"
account = "main"
on_repeat = "off"
[order]
source_id = 22
[order.buyer]
full_name = "{{ name }}"
email = "{{ email }}"
phone = "{{ phone }}"
[[order.products]]
name = "{{ product }}"
price = "{{ price }}"
quantity = "{{ qty | default(1) }}"
"#;

/// Where no CRM listens: what goes there is never sent, and waits.
pub(crate) const NO_CRM: &str = "http://127.0.0.1:1/v1";

/// A form that the plain channel takes.
pub(crate) fn form(name: &str) -> String {
    format!("name={name}&phone=067+111-22-33&product=Mug&price=1+249,50")
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) crm: Sandbox,
    pub(crate) http: reqwest::Client,
    pub(super) settings: Settings,
    port: u16,
    child: Option<Child>,
    pub(super) database: Option<Database>,
}

/// What a test may set; the times are short so that verification takes a second.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) crm_limit: u32,
    pub(crate) limit: u32,
    pub(crate) timeout: &'static str,
    pub(crate) quiet: &'static str,
    pub(crate) gap: &'static str,
    pub(crate) delivery: &'static str,
    pub(crate) store: &'static str,
    /// The store's file, below the folder.
    pub(crate) file: &'static str,
    pub(crate) top: &'static str,
    pub(crate) duplicates: DupMode,
    pub(crate) multi_lookup: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            crm_limit: 0,
            limit: 6_000,
            timeout: "1s",
            quiet: "400ms",
            gap: "150ms",
            delivery: "",
            store: "intake_min_free = \"1MiB\"\ndelivery_min_free = \"1MiB\"",
            file: "parom.db",
            top: "",
            duplicates: DupMode::Accept,
            multi_lookup: true,
        }
    }
}

/// A command that ran.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A port that nobody listens on, below those that connections of other tests get by themselves.
pub(crate) fn free_port() -> u16 {
    let any = || 10_000 + u16::try_from(RandomState::new().hash_one(()) % 20_000).unwrap();
    std::iter::repeat_with(any).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

impl World {
    /// A running gateway with the plain channel `shop`.
    pub(crate) async fn start() -> World {
        let mut world = World::idle(Settings::default()).await;
        world.channel("shop", SHOP);
        world.serve(&[]);
        world
    }

    /// A world whose gateway does not run yet.
    pub(crate) async fn idle(settings: Settings) -> World {
        let database = match postgres::server() {
            Some(server) => Some(Database::create(&server).await),
            None => None,
        };
        World::begin(settings, database).await
    }

    /// The same with a SQLite file, whatever this run's orders are kept in: for tests of the file itself.
    pub(crate) async fn of_file(settings: Settings) -> World {
        World::begin(settings, None).await
    }

    /// The same in a database of this server.
    pub(crate) async fn of_server(settings: Settings, server: &str) -> World {
        World::begin(settings, Some(Database::create(server).await)).await
    }

    async fn begin(settings: Settings, database: Option<Database>) -> World {
        let crm = Sandbox::start(Options {
            requests_per_minute: settings.crm_limit,
            dup_mode: settings.duplicates,
            multi_lookup: settings.multi_lookup,
            ..Options::default()
        });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let world = World {
            dir: TempDir::new().unwrap(),
            crm: crm.await.unwrap(),
            http: http.timeout(Duration::from_secs(30)).build().unwrap(),
            port: free_port(),
            settings,
            child: None,
            database,
        };
        fs::create_dir(world.dir.path().join("channels")).unwrap();
        world.configure(&world.crm.api_url());
        world
    }

    pub(crate) fn configure(&self, crm: &str) {
        let s = &self.settings;
        let store = self.database.as_ref().map_or_else(|| format!("sqlite:{}", s.file), Database::url);
        let text = format!(
            "listen = \"127.0.0.1:{}\"\n{}\n[store]\nurl = \"{}\"\n{}\n\
             [accounts.main]\nurl = \"{crm}\"\napi_key = {{ env = \"TEST_CRM_KEY\" }}\nrequests_per_minute = {}\n\
             [delivery]\ntimeout = \"{}\"\nquiet_period = \"{}\"\nverify_gap = \"{}\"\n{}\n",
            self.port, s.top, store, s.store, s.limit, s.timeout, s.quiet, s.gap, s.delivery
        );
        fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("parom.toml")
    }

    /// Writes a channel's file. Where the store's channels are served, one that was taken into it needs a push.
    pub(crate) fn channel(&self, name: &str, text: &str) {
        let file = self.dir.path().join(format!("channels/{name}.toml"));
        let may_be_taken = self.database.is_some() && file.exists();
        fs::write(file, text).unwrap();
        if may_be_taken {
            let pushed = self.cli(&["channel", "push", name]);
            assert!(pushed.code == 0 || pushed.err.contains("nothing was pushed"), "{}", pushed.err);
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Requests a minute that the gateway may make.
    pub(crate) fn limit(&self) -> usize {
        usize::try_from(self.settings.limit).unwrap()
    }

    /// The running gateway's process.
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(self.child.as_ref().unwrap())
    }

    /// Resident memory of the gateway, bytes.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.as_ref().unwrap().id();
        memory(&fs::read_to_string(format!("/proc/{id}/status")).unwrap(), "VmRSS:")
    }

    /// Starts the gateway and waits until it is ready, or has died of an armed crash point.
    pub(crate) fn serve(&mut self, env: &[(&str, &str)]) {
        self.serve_below(&[], env);
    }

    /// Starts the gateway below another program, which must become it (as `strace -D` does), and waits as `serve` does.
    pub(crate) fn serve_below(&mut self, above: &[&str], env: &[(&str, &str)]) {
        let before = self.log().matches("\"message\":\"serving\"").count();
        self.launch(above, env);
        let until = Instant::now() + Duration::from_secs(20);
        while self.log().matches("\"message\":\"serving\"").count() == before {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                return;
            }
            assert!(Instant::now() < until, "the gateway does not listen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts the gateway and waits for nothing.
    pub(crate) fn launch(&mut self, above: &[&str], env: &[(&str, &str)]) {
        assert!(self.child.is_none(), "the gateway runs already");
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = self.command(env);
        if let Some((program, arguments)) = above.split_first() {
            let gateway = command;
            command = Command::new(program);
            command.args(arguments).arg(gateway.get_program()).args(gateway.get_args());
            command.envs(gateway.get_envs().filter_map(|(name, value)| Some((name, value?))));
        }
        self.child = Some(command.arg("serve").stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Starts the gateway, and what it prints.
    pub(crate) fn serve_and_read(&mut self) -> String {
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let out = self.dir.path().join("out");
        let file = fs::File::create(&out).unwrap();
        self.child = Some(self.command(&[]).arg("serve").stdout(file).stderr(log).spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let text = fs::read_to_string(&out).unwrap_or_default();
            if text.contains("It works once") && self.log().contains("\"message\":\"serving\"") {
                return text;
            }
            assert!(Instant::now() < until, "nothing is printed:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn command(&self, env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parom"));
        command.arg("--config").arg(self.config()).env("TEST_CRM_KEY", "canary-key-1").env("TEST_TOKEN", "right-token");
        command.envs(env.iter().copied());
        command
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Kills the gateway as a power cut kills a process.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Whether the gateway has died by itself.
    pub(crate) fn has_died(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some())
    }

    /// Waits until the gateway has died by itself.
    pub(crate) async fn died(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        for _ in 0..2_000 {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let _ = child.kill();
        panic!("the gateway did not die:\n{}", self.log());
    }

    /// Stops the gateway gracefully.
    pub(crate) fn stop(&mut self) -> i32 {
        let mut child = self.child.take().unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().code().unwrap_or(-1)
    }

    /// A command beside the running gateway.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Ran {
        let output = self.command(&[]).args(arguments).stdin(Stdio::null()).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A command, and the most memory that it had, bytes.
    pub(crate) fn cli_measured(&self, arguments: &[&str]) -> (Ran, u64) {
        let mut command = self.command(&[]);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (status, mut most) = (format!("/proc/{}/status", child.id()), 0);
        while child.try_wait().unwrap().is_none() {
            most = most.max(memory(&fs::read_to_string(&status).unwrap_or_default(), "VmHWM:"));
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }, most)
    }

    /// A command with something to read.
    pub(crate) fn cli_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(&[]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a command that is killed at a point; whether it was.
    pub(crate) fn killed(&self, arguments: &[&str], point: &str) -> bool {
        let output = self.command(&[("PAROM_CRASH_AT", point)]).args(arguments).stdin(Stdio::null()).output().unwrap();
        output.status.code().is_none()
    }

    /// The journal, newest first.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let ran = self.cli(&["orders", "list", "--json", "--limit", "100000"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    pub(crate) fn order(&self, id: &str) -> Value {
        let ran = self.cli(&["orders", "show", id, "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Posts a form as a script would.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(path, "application/x-www-form-urlencoded", body.as_bytes().to_vec(), &[]).await
    }

    /// Posts with headers.
    pub(crate) async fn send(&self, path: &str, kind: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Answer {
        self.try_send(path, kind, body, headers).await.unwrap()
    }

    /// Posts; the connection may be lost.
    pub(crate) async fn try_send(
        &self,
        path: &str,
        kind: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.post(self.url(path)).body(body);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await?).await
    }

    /// Any request.
    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, self.url(path)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await.unwrap()).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.http.get(self.url(path)).send().await.unwrap()).await.unwrap()
    }

    /// Waits until the CRM has so many orders; the number that it has at last.
    pub(crate) async fn crm_has(&self, count: usize) {
        self.until(&format!("{count} orders in the CRM"), || self.crm.orders().len() >= count).await;
    }

    /// Waits until an order is in a state.
    pub(crate) async fn reaches(&self, id: &str, state: &str) {
        self.until(&format!("{id} {state}"), || self.order(id)["state"] == state).await;
    }

    pub(crate) async fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        // After a restore the account rests for a minute.
        let began = Instant::now();
        while !done() {
            let waited = began.elapsed();
            assert!(waited.as_secs() < 120, "never: {what}\n{:#?}\n{}", self.orders(), self.log());
            // Many look by a command, a process each: who waits long looks seldom, and leaves the cores to the others.
            tokio::time::sleep((waited / 10).clamp(Duration::from_millis(20), Duration::from_millis(250))).await;
        }
    }

    /// POSTs that reached the CRM.
    pub(crate) fn crm_posts(&self) -> usize {
        self.posted().len()
    }

    /// The POSTs that reached the CRM, in order.
    pub(crate) fn posted(&self) -> Vec<LedgerEntry> {
        self.crm.ledger().into_iter().filter(|entry| entry.method == "POST").collect()
    }

    /// No order of the CRM is there twice, and the CRM has just these numbers.
    pub(crate) fn assert_once(&self, numbers: &[String]) {
        let mut found: Vec<String> =
            self.crm.orders().iter().map(|order| order["source_uuid"].as_str().unwrap().to_owned()).collect();
        found.sort();
        let mut expected = numbers.to_vec();
        expected.sort();
        assert_eq!(found, expected, "{}", self.log());
    }

    /// What must never be in a log: the CRM's key, a channel's token, a buyer's phone, in whatever form. And what must never be
    /// in the store: the key.
    pub(crate) fn assert_no_secret_in_the_log(&self) {
        let log = self.log();
        for canary in ["+380671112233", "067 111-22-33", "067+111", "0671112233", "671112233"] {
            assert!(!log.contains(canary), "the log has `{canary}`");
        }
        let mut files = vec![("log", log.into_bytes())];
        for name in ["parom.db", "parom.db-wal"] {
            files.push((name, fs::read(self.dir.path().join(name)).unwrap_or_default()));
        }
        for (name, bytes) in &files {
            let secrets: &[&str] = if *name == "log" { &["canary-key-1", "right-token"] } else { &["canary-key-1"] };
            let hits = secrets.iter().filter(|secret| is_in(secret, bytes)).collect::<Vec<_>>();
            assert!(hits.is_empty(), "{name} has {hits:?}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            self.assert_no_secret_in_the_log();
        }
    }
}

/// Whether bytes hold a text: raw, in percents, as a form writes it, or inside of base64.
pub(crate) fn is_in(text: &str, bytes: &[u8]) -> bool {
    let percents: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let form = text.replace('@', "%40").replace('+', "%2b").replace(' ', "+").replace('/', "%2f").replace(':', "%3a");
    let folded = bytes.to_ascii_lowercase();
    let plain = [text.to_ascii_lowercase(), percents, form.to_ascii_lowercase()];
    // Letters of base64 count.
    let hidden = parom_core::redact::in_base64(text.as_bytes());
    let found = |bytes: &[u8], word: &str| !word.is_empty() && find(bytes, word.as_bytes());
    plain.iter().any(|word| found(&folded, word)) || hidden.iter().any(|word| found(bytes, word))
}

/// Looks for the first byte before it compares: stores of load tests have hundreds of megabytes.
fn find(bytes: &[u8], word: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == word[0]) {
        if rest[at..].starts_with(word) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// A line of a process's status, in bytes.
fn memory(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1_024
}
