//! The CRM's API: ledger, key, rate, fault, answer, in this order.

mod allowed;
mod call;
mod dictionaries;
mod import;
mod list;
mod odd_body;
mod page;
mod play;
mod reply;
mod run;
mod target;
mod write;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::crm::Crm;
use crate::rates::Verdict;
use crate::server::{DropConnection, Peer};
use call::Call;
use reply::Reply;

/// The largest body that is read.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// `GET /openapi.json`: this sandbox's own description, for tools; it is not the vendor's.
pub(crate) async fn openapi() -> Response {
    reply::raw(200, "application/json", include_str!("../../assets/openapi.json"))
}

/// Answers an API request, or any request that no page wants.
pub(crate) async fn answer(State(crm): State<Arc<Crm>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let (entry, at_ms) = crm.ledger.arrive(&crm.clock, parts.method.as_str(), parts.uri.path(), query);
    let response = match to_bytes(body, BODY_MAX).await {
        Ok(bytes) => {
            let call = Call::new(&parts, &bytes, entry);
            crm.ledger.body(entry, &bytes, call.source_uuid());
            let peer = parts.extensions.get::<Peer>();
            let caller = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
            admit(&crm, Arc::new(call), bearer(&parts.headers), caller, at_ms).await
        }
        Err(_) => Reply::message(413, "Payload Too Large").into_response(),
    };
    let dropped = response.extensions().get::<DropConnection>().is_some();
    let status = (!dropped).then(|| response.status().as_u16());
    crm.ledger.note(entry, |entry| entry.status = status);
    if crm.options.log_requests {
        let status = status.map_or_else(|| "dropped".to_owned(), |status| status.to_string());
        eprintln!("keycrm-sandbox: {} {} {status}", parts.method, parts.uri);
    }
    response
}

/// Lets the request through key and rate, then plays the fault that waits for it, or answers right.
async fn admit(crm: &Arc<Crm>, call: Arc<Call>, key: Option<&str>, caller: IpAddr, at_ms: u64) -> Response {
    let key = key.filter(|key| crm.options.api_key.as_deref().is_none_or(|wanted| wanted == *key));
    let Some(key) = key else {
        let response = Reply::message(401, "Unauthenticated.").into_response();
        return with_rate(crm, response, crm.rates.limit());
    };
    crm.ledger.note(call.entry, |entry| entry.key = number_of(key));
    let remaining = match crm.rates.take(caller, key, at_ms) {
        Verdict::Unlimited => 0,
        Verdict::Granted { remaining } => remaining,
        Verdict::Refused { retry_after } => {
            return with_rate(crm, reply::too_many(Some(retry_after)), 0);
        }
    };
    let fault = crm.faults.take(call.target.asker(), crm.clock.elapsed_ms());
    let response = match fault {
        Some(kind) => {
            crm.ledger.note(call.entry, |entry| entry.fault = Some(kind.name().to_owned()));
            play::play(crm, call, kind).await
        }
        None => run::run(crm, &call, run::Twist::None).await.into_response(),
    };
    with_rate(crm, response, remaining)
}

/// The key itself is kept nowhere.
fn number_of(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// The limit's headers are on every answer, where there is a limit.
fn with_rate(crm: &Crm, mut response: Response, remaining: u32) -> Response {
    let limit = crm.rates.limit();
    if limit > 0 {
        response.headers_mut().insert("x-ratelimit-limit", limit.into());
        response.headers_mut().insert("x-ratelimit-remaining", remaining.into());
    }
    response
}
