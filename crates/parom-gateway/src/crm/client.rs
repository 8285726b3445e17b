//! One HTTP/1.1 client an account. A POST has a fresh connection and is never repeated by the library: a request that the
//! library believes unsent may have been applied.

use std::time::Duration;

use parom_core::delivery::outcome::Answer;
use parom_core::limits;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::config::Account;
use crate::reach::words;

const CONNECT: Duration = Duration::from_secs(5);
/// Connections that wait for the next look-up, of all accounts.
const IDLE: usize = 8;

/// What came back, owned; [`Seen::answer`] is its meaning for the core.
#[derive(Debug)]
pub enum Seen {
    /// Nothing was handed to the socket; why.
    NotSent(String),
    /// The connection or the time was lost; why.
    Lost(String),
    /// An answer.
    Response {
        /// Its status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
        /// The CRM's rate header was there.
        has_rate_header: bool,
        /// Requests a minute that it grants, by that header.
        granted: Option<u32>,
        /// Its body.
        body: Vec<u8>,
    },
}

impl Seen {
    /// The core's view.
    #[must_use]
    pub fn answer(&self) -> Answer<'_> {
        match self {
            Seen::NotSent(_) => Answer::NotSent,
            Seen::Lost(_) => Answer::Lost,
            Seen::Response { status, retry_after, has_rate_header, body, .. } => {
                Answer::Response { status: *status, retry_after: *retry_after, has_rate_header: *has_rate_header, body }
            }
        }
    }

    /// The status, where there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        if let Seen::Response { status, .. } = self { Some(*status) } else { None }
    }

    /// Requests a minute that the CRM says it grants.
    #[must_use]
    pub fn granted(&self) -> Option<u32> {
        if let Seen::Response { granted, .. } = self { *granted } else { None }
    }

    /// A line for the history.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Seen::NotSent(why) => format!("not sent: {why}"),
            Seen::Lost(why) => format!("lost: {why}"),
            Seen::Response { status, .. } => format!("the CRM answered {status}"),
        }
    }
}

/// A question to the CRM's list of orders.
#[derive(Clone, Debug)]
pub enum LookUp {
    /// The rows with one of these numbers.
    Numbers(Vec<String>),
    /// Any row: shows whether the list answers at all.
    Any,
    /// Cards made between two times (UTC, `YYYY-MM-DD HH:MM:SS`), with their contacts; a page from 1.
    Cards {
        /// From.
        from: String,
        /// To.
        to: String,
        /// From 1.
        page: u32,
    },
}

/// What every account's requests go over: made once, since each has its own TLS settings and the machine's certificates.
#[derive(Clone, Debug)]
pub struct Lines {
    posts: reqwest::Client,
    looks: reqwest::Client,
    timeout: Duration,
}

impl Lines {
    /// Requests may take so long, whole.
    ///
    /// # Errors
    /// A system without TLS roots.
    pub fn new(timeout: Duration) -> Result<Lines, String> {
        // A second call finds the provider set, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("parom/", env!("CARGO_PKG_VERSION")))
                .http1_only()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(CONNECT.min(timeout))
                .timeout(timeout)
        };
        let named = |error: reqwest::Error| format!("no client for the CRM: {}", words(error));
        Ok(Lines {
            posts: builder().pool_max_idle_per_host(0).build().map_err(named)?,
            looks: builder().pool_max_idle_per_host(IDLE).build().map_err(named)?,
            timeout,
        })
    }
}

/// The client of one account.
#[derive(Clone, Debug)]
pub struct Client {
    lines: Lines,
    url: String,
    /// Never shown: it is marked as sensitive.
    bearer: HeaderValue,
    account: String,
}

impl Client {
    /// A client with the account's key.
    ///
    /// # Errors
    /// A key that cannot stand in a header; the text does not hold it.
    pub fn new(account: &Account, key: &SecretString, lines: &Lines) -> Result<Client, String> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .map_err(|_| format!("the key of account `{}` has characters that no header takes", account.name))?;
        bearer.set_sensitive(true);
        Ok(Client { lines: lines.clone(), url: account.url.clone(), bearer, account: account.name.clone() })
    }

    /// How long one request may take, whole.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.lines.timeout
    }

    /// Sends a body, once.
    pub(super) async fn write(
        &self,
        method: reqwest::Method,
        path: &str,
        body: String,
        endpoint: &'static str,
    ) -> Seen {
        let request = self.lines.posts.request(method, format!("{}/{path}", self.url));
        self.run(request.header(CONTENT_TYPE, "application/json").body(body), endpoint).await
    }

    /// Asks for a path under the API's base.
    pub(super) async fn get(&self, path: &str, endpoint: &'static str) -> Seen {
        self.run(self.lines.looks.get(format!("{}/{path}", self.url)), endpoint).await
    }

    /// Asks the list of orders, or of cards.
    pub async fn look_up(&self, what: &LookUp) -> Seen {
        let (address, endpoint) = what.address();
        self.get(&address, endpoint).await
    }

    async fn run(&self, request: reqwest::RequestBuilder, endpoint: &'static str) -> Seen {
        let request = request.header(AUTHORIZATION, self.bearer.clone()).header(ACCEPT, "application/json");
        let seen = exchange(request).await;
        let status = seen.status().map_or_else(|| "none".to_owned(), |status| status.to_string());
        metrics::counter!("parom_crm_requests_total",
            "account" => self.account.clone(), "endpoint" => endpoint, "status" => status)
        .increment(1);
        seen
    }
}

impl LookUp {
    /// The path and query under the API's base, and the endpoint's name in the metrics.
    fn address(&self) -> (String, &'static str) {
        let most = limits::LOOKUP_NUMBERS.to_string();
        let mut query = form_urlencoded::Serializer::new(String::new());
        let (path, endpoint) = match self {
            LookUp::Numbers(numbers) => {
                query.append_pair("filter[source_uuid]", &numbers.join(",")).append_pair("limit", &most);
                ("order", "order_list")
            }
            LookUp::Any => {
                query.append_pair("limit", "1");
                ("order", "order_list")
            }
            LookUp::Cards { from, to, page } => {
                query.append_pair("filter[created_between]", &format!("{from}, {to}"));
                query.append_pair("include", "contact").append_pair("limit", &most);
                query.append_pair("page", &page.to_string());
                ("pipelines/cards", "card_list")
            }
        };
        (format!("{path}?{}", query.finish()), endpoint)
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Seen {
    let mut response = match request.send().await {
        Ok(response) => response,
        // Only a failed connect proves that no byte of the request was handed over.
        Err(error) if error.is_connect() || error.is_builder() => {
            return Seen::NotSent(words(error));
        }
        Err(error) => return Seen::Lost(words(error)),
    };
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header("retry-after").and_then(|text| text.trim().parse().ok());
    let granted = header("x-ratelimit-limit").and_then(|text| text.trim().parse().ok());
    let has_rate_header = response.headers().keys().any(|name| name.as_str().starts_with("x-ratelimit-"));
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limits::CRM_ANSWER_BYTES => {
                return Seen::Lost(format!("the answer ({status}) is larger than {} bytes", limits::CRM_ANSWER_BYTES));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => {
                return Seen::Response { status, retry_after, has_rate_header, granted, body };
            }
            Err(error) => {
                return Seen::Lost(format!("the answer ({status}) broke off: {}", words(error)));
            }
        }
    }
}
