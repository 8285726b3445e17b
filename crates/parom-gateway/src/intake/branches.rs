//! `GET /np/…`: the search for a branch while a form is filled in, out of our own copy of the directory.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use parom_core::limits;
use parom_core::novaposhta::{self, Branch, Directory, Found, Ref};
use parom_core::spam::{Allowance, Allowances};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Intake;
use super::access::{allows, origin};
use super::answer::Refusal;
use crate::config::LiveChannel;
use crate::{clock, peers};

/// Rows of an answer, where it does not ask for fewer, and at most.
const ROWS: usize = 20;
const ROWS_MAX: usize = 100;
/// A person types a few letters a second; an office of them shares an address.
const ALLOWANCE: Allowance = Allowance { count: 600, window: Duration::from_secs(60) };
/// The directory changes daily.
const KEPT: &str = "public, max-age=3600";

/// Who has searched how much; a restart forgets it.
#[derive(Debug)]
pub struct SearchWatch(Mutex<Allowances>);

impl Default for SearchWatch {
    fn default() -> SearchWatch {
        SearchWatch(Mutex::new(Allowances::new(limits::ALLOWANCE_ADDRESSES)))
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    settlement_ref: String,
    /// The channel whose form it is; without one, any channel's origins may ask.
    channel: String,
    lang: String,
    limit: Option<usize>,
}

type AskedFor = Result<Query<Asked>, axum::extract::rejection::QueryRejection>;
type Peer = ConnectInfo<SocketAddr>;

/// `GET /np/settlements?q=`: `{"settlements": [{ref, city_ref, name, kind, area, region, branches}]}`.
pub(super) async fn settlements(
    State(intake): State<Intake>,
    peer: Peer,
    headers: HeaderMap,
    asked: AskedFor,
) -> Response {
    answer(&intake, peer, &headers, asked, |directory, asked| {
        let found = novaposhta::settlements(directory, &asked.q, asked.rows());
        Ok(json!({ "settlements": found.iter().map(|found| settlement(found, asked)).collect::<Vec<_>>() }))
    })
}

/// `GET /np/warehouses?settlement_ref=&q=`: `{"warehouses": [{ref, number, kind, text, address, max_weight_kg}]}`.
pub(super) async fn warehouses(
    State(intake): State<Intake>,
    peer: Peer,
    headers: HeaderMap,
    asked: AskedFor,
) -> Response {
    answer(&intake, peer, &headers, asked, |directory, asked| {
        let settlement = Ref::parse(&asked.settlement_ref).ok_or_else(|| {
            Refusal::new(422, "settlement_ref is not the ref of a settlement; /np/settlements gives them")
        })?;
        if directory.settlement(settlement).is_none() {
            return Err(Refusal::new(404, "the directory has no settlement of this ref"));
        }
        let found = novaposhta::branches(directory, settlement, &asked.q, asked.rows());
        Ok(json!({ "warehouses": found.iter().map(|row| warehouse(row, asked)).collect::<Vec<_>>() }))
    })
}

fn answer(
    intake: &Intake,
    peer: Peer,
    headers: &HeaderMap,
    asked: AskedFor,
    search: impl FnOnce(&Directory, &Asked) -> Result<Value, Refusal>,
) -> Response {
    let asked = match asked {
        Ok(Query(asked)) => asked,
        Err(error) => return Refusal::new(400, format!("the query cannot be read: {error}")).json(),
    };
    let allowed = match may_read(intake, headers, &asked.channel) {
        Ok(allowed) => allowed,
        Err(refusal) => return refusal.json(),
    };
    let mut response = match found(intake, peer, headers, &asked, search) {
        Ok(response) => response,
        Err(refusal) => refusal.json(),
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
    response
}

fn found(
    intake: &Intake,
    peer: Peer,
    headers: &HeaderMap,
    asked: &Asked,
    search: impl FnOnce(&Directory, &Asked) -> Result<Value, Refusal>,
) -> Result<Response, Refusal> {
    let Some(directory) = intake.novaposhta.directory() else {
        return Err(Refusal::new(404, "this gateway keeps no directory of Nova Poshta ([novaposhta] in parom.toml)"));
    };
    within(intake, peer, headers)?;
    asked.check()?;
    if directory.is_empty() {
        return Err(Refusal::unavailable("Nova Poshta's directory was not fetched yet; try again in a minute"));
    }
    let tag = format!("W/\"{}\"", intake.novaposhta.generation());
    let cached = [
        (CACHE_CONTROL, HeaderValue::from_static(KEPT)),
        (ETAG, HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("W/\"0\""))),
    ];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, cached).into_response());
    }
    let body = search(&directory, asked)?;
    Ok((cached, axum::Json(body)).into_response())
}

impl Asked {
    fn rows(&self) -> usize {
        self.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX)
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.q.len() > limits::SEARCH_BYTES {
            return Err(Refusal::new(422, format!("q is longer than {} bytes", limits::SEARCH_BYTES)));
        }
        match self.lang.as_str() {
            "" | "uk" | "ru" | "en" => Ok(()),
            other => Err(Refusal::new(422, format!("lang: `{other}` is not taken; write uk, ru or en"))),
        }
    }
}

/// The origin that may read the answer; none where no page asks.
fn may_read(intake: &Intake, headers: &HeaderMap, channel: &str) -> Result<Option<HeaderValue>, Refusal> {
    let Some(origin) = origin(headers) else { return Ok(None) };
    // As for a post: without a rule any page may, and a channel of servers opens nothing to pages.
    let open = |live: &LiveChannel| {
        live.channel
            .as_ref()
            .map(|channel| &channel.access)
            .is_none_or(|access| access.origins.is_empty() && access.token.is_none() || allows(&access.origins, origin))
    };
    let allowed = if channel.is_empty() {
        intake.channels.current().values().any(|live| open(live))
    } else {
        let live = intake.channels.get(channel);
        let live = live.ok_or_else(|| Refusal::new(404, format!("there is no channel `{channel}`")))?;
        open(&live)
    };
    if !allowed {
        return Err(Refusal::new(403, "this page's origin is not one of the channel's"));
    }
    Ok(HeaderValue::from_str(origin).ok())
}

/// A limit by the client's address: never for this machine's own.
fn within(intake: &Intake, peer: Peer, headers: &HeaderMap) -> Result<(), Refusal> {
    let client: IpAddr = peers::client(&intake.config.trusted_proxies, peer.0.ip(), headers);
    if client.to_canonical().is_loopback() {
        return Ok(());
    }
    let mut allowances = intake.searches.0.lock().unwrap_or_else(PoisonError::into_inner);
    if allowances.take(&peers::network(client), ALLOWANCE, clock::mono()) {
        return Ok(());
    }
    Err(Refusal::new(429, "too many searches came from this address; go on in a moment").after(1))
}

fn settlement(found: &Found<'_>, asked: &Asked) -> Value {
    let row = found.settlement;
    let name = if asked.lang == "ru" && !row.name_ru.is_empty() { &row.name_ru } else { &row.name };
    json!({
        "ref": row.reference.to_string(), "city_ref": found.city.to_string(), "name": name, "kind": row.kind,
        "area": row.area, "region": row.region, "branches": found.branches,
    })
}

fn warehouse(row: &Branch, asked: &Asked) -> Value {
    let text = if asked.lang == "ru" && !row.text_ru.is_empty() { &row.text_ru } else { &row.text };
    json!({
        "ref": row.reference.to_string(), "number": row.number, "kind": row.kind.as_str(), "text": text,
        "address": row.address(), "max_weight_kg": if row.max_kg == 0 { Value::Null } else { row.max_kg.into() },
    })
}
