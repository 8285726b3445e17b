//! A real browser: Chromium by its driver, and a page of a shop on another origin than the gateway.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

/// A browser with an empty profile; both go when it is dropped.
pub(crate) struct Browser {
    pub(crate) client: Client,
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Browser {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = Driver(command.spawn().expect("chromedriver is needed: scripts/install-tools installs it"));
        let profile = TempDir::new().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        // The sandbox of Chromium does not start as root, and its own calls home are cut off.
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=390,844",
            folder.as_str(),
        ];
        let wanted = json!({ "goog:chromeOptions": { "args": arguments } });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wanted.as_object().unwrap().clone());
        for _ in 0..200 {
            if let Ok(client) = builder.connect(&format!("http://127.0.0.1:{port}")).await {
                return Browser { client, _driver: driver, _profile: profile };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the browser does not start");
    }

    /// Runs a script in the page and gives what it returns.
    pub(crate) async fn js(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }
}

/// The driver's process; the browser ends with it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A path, its content type, its body.
type Files = Arc<Mutex<Vec<(String, &'static str, String)>>>;

/// A shop's site: the same few files for whoever asks.
pub(crate) struct Site {
    pub(crate) url: String,
    files: Files,
}

impl Site {
    pub(crate) fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let files = Files::default();
        let served = Arc::clone(&files);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let served = Arc::clone(&served);
                std::thread::spawn(move || {
                    let mut head = [0; 8192];
                    let read = stream.read(&mut head).unwrap_or_default();
                    let text = String::from_utf8_lossy(&head[..read]).into_owned();
                    let path =
                        text.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
                    let files = served.lock().unwrap();
                    let found = files.iter().find(|(name, _, _)| *name == path);
                    let (status, kind, body) =
                        found.map_or(("404 Not Found", "text/plain", ""), |(_, kind, body)| ("200 OK", *kind, body));
                    let _ = write!(
                        stream,
                        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                });
            }
        });
        Site { url, files }
    }

    pub(crate) fn put(&self, path: &str, kind: &'static str, body: &str) {
        self.files.lock().unwrap().push((path.to_owned(), kind, body.to_owned()));
    }
}
