//! Headers that every answer has, whoever made it: a page, a file, an error, a redirect.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use crate::config::Config;

/// Nothing may be loaded by what is no page of ours, and nobody may frame it.
const BARE: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
/// No feature of a device is asked for.
const NO_FEATURES: &str = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                           magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

type Named = (HeaderName, &'static str);

/// The headers of a door.
#[derive(Clone, Debug)]
pub(super) struct Common(Arc<Vec<Named>>);

impl Common {
    /// For what senders see. Its scripts are loaded by pages of shops, so it belongs to no one origin; and the shop's page of
    /// thanks may know from which of its pages the buyer comes.
    pub(super) fn of_senders(config: &Config) -> Common {
        Common(Arc::new(shared(config)))
    }

    /// For what operators see: of this origin alone.
    pub(super) fn of_operators(config: &Config) -> Common {
        let mut named = shared(config);
        named.push((REFERRER_POLICY, "no-referrer"));
        named.push((CONTENT_SECURITY_POLICY, BARE));
        named.push((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"));
        named.push((HeaderName::from_static("cross-origin-resource-policy"), "same-origin"));
        Common(Arc::new(named))
    }
}

fn shared(config: &Config) -> Vec<Named> {
    let mut named = vec![
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("permissions-policy"), NO_FEATURES),
    ];
    if config.is_https() {
        named.push((STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    }
    named
}

/// Adds what an answer does not say by itself: a file says how long it is kept, a page what it loads.
pub(super) async fn add(State(common): State<Common>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in common.0.iter() {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
