//! By which names the pages, the API and the metrics may be asked for. A name that somebody points at this machine makes their
//! page one of ours in a browser's eyes (DNS rebinding); shops may point any name at intake.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HOST};

use crate::config::Config;

const REFUSED: &str =
    "this is not an address of the gateway: use the one of public_url, or add the name to hosts in parom.toml";

/// The names that are ours.
#[derive(Debug)]
pub(super) struct Hosts {
    names: BTreeSet<String>,
    /// It listens on every address: any of them may be written as a number, which no name server can turn.
    any_number: bool,
}

impl Hosts {
    pub(super) fn of(config: &Config) -> Hosts {
        let listened = || [Some(config.listen), config.ui_listen].into_iter().flatten();
        let public = config.public_url.as_deref().and_then(|url| reqwest::Url::parse(url).ok());
        let public = public.as_ref().and_then(|url| url.host_str()).map(plain);
        let mut names: BTreeSet<String> = config.hosts.iter().map(|name| plain(name)).collect();
        names.extend(public);
        names.extend(listened().map(|address| address.ip().to_string()));
        Hosts { names, any_number: listened().any(|address| address.ip().is_unspecified()) }
    }

    fn allows(&self, authority: &str) -> bool {
        let name = plain(authority);
        if let Ok(number) = name.parse::<IpAddr>() {
            return self.any_number || number.to_canonical().is_loopback() || self.names.contains(&number.to_string());
        }
        name == "localhost" || name.ends_with(".localhost") || self.names.contains(&name)
    }
}

/// A host without its port, brackets, last dot and capitals.
fn plain(authority: &str) -> String {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        // More than one colon and no brackets: an IPv6 address as the configuration has it.
        None if authority.matches(':').count() > 1 => authority,
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Lets through what is asked for by a name of ours.
pub(super) async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let mut named = request.headers().get_all(HOST).iter();
    let header = named.next().and_then(|value| value.to_str().ok());
    let (once, line) = (named.next().is_none(), request.uri().authority().map(|authority| authority.as_str()));
    // The request's line, where it has a whole address, counts before the header; neither may lie.
    let ours = header.is_some_and(|host| once && hosts.allows(host)) && line.is_none_or(|host| hosts.allows(host));
    if ours {
        return next.run(request).await;
    }
    let status = StatusCode::MISDIRECTED_REQUEST;
    if request.uri().path().starts_with("/api/") {
        return (status, axum::Json(serde_json::json!({ "message": REFUSED }))).into_response();
    }
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], REFUSED).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Hosts, plain};

    #[test]
    fn a_host_is_ours_by_its_whole_name() {
        let names = ["orders.example.ua", "192.168.1.5"].map(str::to_owned).into();
        let hosts = Hosts { names, any_number: false };
        for host in [
            "orders.example.ua",
            "ORDERS.example.ua:443",
            "orders.example.ua.",
            "localhost:8080",
            "shop.localhost",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "192.168.1.5:8080",
        ] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "orders.example.ua.evil.example",
            "evil.orders.example.ua",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.1.6",
            "[fe80::1]",
            "orders.example.ua@evil.example",
            "0x7f.1",
            "2130706433",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
        let anywhere = Hosts { names: [].into(), any_number: true };
        assert!(anywhere.allows("10.1.2.3:80") && anywhere.allows("[fe80::1]:80") && !anywhere.allows("evil.example"));
        assert_eq!(plain("fe80::1"), "fe80::1");
    }
}
