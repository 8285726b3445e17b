//! The client of the carrier's API: one page at a time.

use std::time::Duration;

use parom_core::novaposhta::{Answer, List, answer};
use secrecy::{ExposeSecret, SecretString};

use crate::reach::words;

/// One page, whole: a slow carrier takes seconds for it.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of a page that are read: 500 branches take 1 to 2 MB.
const PAGE_BYTES: usize = 16 << 20;

/// What a page came to.
#[derive(Debug)]
pub(super) enum Asked {
    /// What the carrier said.
    Said(Answer),
    /// It asked for a pause of so many seconds.
    Wait(u64),
    /// No answer that says anything; why.
    Lost(String),
}

/// The client.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    key: SecretString,
}

impl Client {
    /// A client with the operator's key.
    pub(super) fn new(url: &str, key: SecretString) -> Result<Client, String> {
        // A second call finds the provider set, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("parom/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| format!("no client for Nova Poshta: {}", words(error)))?;
        Ok(Client { http, url: url.to_owned(), key })
    }

    /// Asks for one page.
    pub(super) async fn page(&self, list: List, page: usize) -> Asked {
        let body = list.request(self.key.expose_secret(), page).to_string();
        let request = self.http.post(&self.url).header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        let (status, retry_after, body) = match read(request).await {
            Ok(read) => read,
            Err(why) => return Asked::Lost(why),
        };
        match status {
            // Reading megabytes of JSON is no work for a thread that answers senders.
            200 => match tokio::task::spawn_blocking(move || answer(list, &body)).await {
                Ok(said) => Asked::Said(said),
                Err(error) => Asked::Lost(error.to_string()),
            },
            429 => Asked::Wait(retry_after.unwrap_or(0)),
            401 | 403 => Asked::Said(Answer::KeyRefused(format!("Nova Poshta answered {status}"))),
            status => Asked::Lost(format!("Nova Poshta answered {status}")),
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<(u16, Option<u64>, Vec<u8>), String> {
    let mut response = request.send().await.map_err(words)?;
    let status = response.status().as_u16();
    let header = response.headers().get(reqwest::header::RETRY_AFTER);
    let retry_after = header.and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        if body.len() + chunk.len() > PAGE_BYTES {
            return Err(format!("a page is larger than {PAGE_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, retry_after, body))
}
