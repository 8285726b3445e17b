//! `POST /in/{channel}`: a form, a webhook, JSON.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use axum::response::Response;
use http::request::Parts;
use jiff::Timestamp;
use parom_core::delivery::state::State as OrderState;
use parom_core::limits;
use parom_core::mapping::Given;
use parom_core::order::Verdict;
use parom_core::presets::Mark;
use parom_core::submission::Submission;

use super::access::{Entry, enter};
use super::answer::{self, Refusal, wants_page};
use super::decide::{Decided, Told, bits, changes, decide, new_order};
use super::decode::decode_within;
use super::keep::{self, AGAIN, Context};
use super::language::Language;
use super::sender::{self, Sent};
use super::{Intake, body, cors, key, pages, spam};
use crate::clock;
use crate::config::LiveChannel;
use crate::metering;
use crate::store::{Accepted, NewOrder, NewSubmission, StoreError, Turn};

pub(super) async fn post_open(
    State(intake): State<Intake>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response {
    post(&intake, &name, None, request).await
}

pub(super) async fn post_with_token(
    State(intake): State<Intake>,
    Path((name, token)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    post(&intake, &name, Some(&token), request).await
}

async fn post(intake: &Intake, name: &str, token: Option<&str>, request: Request<Body>) -> Response {
    let started = clock::mono();
    let (parts, body) = request.into_parts();
    let page = wants_page(&parts.headers);
    let Some(live) = intake.channels.get(name) else {
        let refusal = Refusal::new(404, format!("there is no channel `{name}`; check the form's address"));
        metering::submission("unknown", refusal.status(), started);
        return if page { refusal.page(Language::of(&parts.headers)) } else { refusal.json() };
    };
    let mut response = match accept(intake, &live, token, &parts, body).await {
        Ok(response) => response,
        Err(Turned::Away(refusal)) if page => refusal.page(Language::of(&parts.headers)),
        Err(Turned::Away(refusal)) => refusal.json(),
        Err(Turned::Later(later)) => match *later {
            (refusal, Some(response)) if page => refusal.dress(response),
            (refusal, _) => refusal.json(),
        },
    };
    cors::allow(&live, &parts.headers, &mut response);
    metering::submission(name, response.status().as_u16(), started);
    response
}

/// Why a sender was not served.
enum Turned {
    /// The same request would meet the same.
    Away(Refusal),
    /// The same request can pass later; for a browser, with a page that sends it again.
    Later(Box<(Refusal, Option<Response>)>),
}

impl From<Refusal> for Turned {
    fn from(refusal: Refusal) -> Turned {
        Turned::Away(refusal)
    }
}

async fn accept(
    intake: &Intake,
    live: &LiveChannel,
    token: Option<&str>,
    parts: &Parts,
    body: Body,
) -> Result<Response, Turned> {
    let headers = &parts.headers;
    let page = wants_page(headers);
    let mut entry = enter(live, headers, token);
    let context = Context::of(headers, parts.uri.query(), token.or_else(|| super::access::bearer(headers)));
    if entry == Entry::Foreign && context.again().is_some_and(|again| intake.spam.came_by(live, again)) {
        entry = Entry::Open;
    }
    let preset = live.channel.as_ref().and_then(|channel| channel.preset);
    match preset {
        None => entry.refuse(page)?,
        Some(preset) if entry == Entry::NeedsToken && sender::heads_token(live, preset, headers) => entry = Entry::Open,
        Some(_) => {}
    }
    let whole = body::read(body, headers).await?;
    let turn = intake.store.turn();
    if !page {
        // Nothing is looked at of what cannot be kept; a person gets the page that sends it again.
        has_room(intake, turn.as_ref())?;
    }
    let row = keep::row("in", headers, &context, whole.bytes.clone());
    let nodes = if preset.is_some() { limits::SHOP_JSON_NODES } else { limits::JSON_NODES };
    // A sender's try is empty, whatever it says to be.
    let kind = if preset.is_some() && whole.bytes.trim_ascii().is_empty() { "" } else { row.content_type.as_str() };
    let decoded = decode_within(kind, whole.bytes.clone(), nodes).await.map_err(Refusal::from)?;
    let submission = keep::submission(decoded, &context, clock::now());
    let (mark, signed) = match preset.map(|preset| sender::look(live, preset, &submission, &row.body, entry, page)) {
        None => (Mark::default(), false),
        Some(sent) => match sent? {
            Sent::Order(mark, signed) => (mark, signed),
            Sent::Answered(response) => return Ok(response),
        },
    };
    // A browser sends no key, and may have to send once more.
    let pages = page.then(|| intake.spam.again(live, entry));
    let mut key = key::of_form(live, headers, (&context, pages.as_deref()), &submission, &mark)?;
    let carried = context.again().or(pages.as_deref()).unwrap_or_default();
    let again = || pages::again(&again_address(parts, carried, &context), &submission.flat, Language::of(headers));
    has_room(intake, turn.as_ref()).map_err(|refusal| Turned::Later(Box::new((refusal, Some(again())))))?;
    let dictionary = live.channel.as_ref().and_then(|channel| intake.dictionaries.get(&channel.account));
    let content = keep::content_hash(&submission);
    let random = bits(live, key.text.as_deref(), &content);
    let directory = intake.dictionaries.directory();
    let known_now = Given { dictionary: dictionary.as_deref(), directory: directory.as_ref(), random };
    let (mut draft, verdict) = decide(live, &submission, entry, known_now);
    draft.problems.extend(key.problem.take());
    let checked = dictionary.as_ref().map_or(0, |known| known.version);
    let mut decided = Decided { draft, verdict, checked, content };
    if decided.verdict == Verdict::Reject {
        let language = if page { Some(Language::of(headers)) } else { Language::asked(headers) };
        return Err(rejected(intake, live, &submission, row, decided, language).await.into());
    }
    let number = decided.draft.number().unwrap_or_default().to_owned();
    let given = token.or_else(|| super::access::bearer(headers));
    let mut looked = intake.spam.look(live, &submission, given, signed, spam::client(intake, parts));
    let stamp = looked.apply(&mut decided);
    let changes = changes(live, &submission, &mark, known_now);
    learn(intake, live, &row, submission.received_at).await;
    let told = Told { key: key.clone(), foreign: entry == Entry::Foreign, mark, signed, page, changes, stamp };
    let order = new_order(live, &submission, row, decided, told);
    let id = order.id.clone();
    let accepted = store(intake, live, order, &looked).await;
    let kept = known(live, id, accepted, again)?;
    Ok(answered(live, kept, page.then_some((number.as_str(), Language::of(headers)))))
}

/// Keeps an order, and tells those who look after what waits.
async fn store(
    intake: &Intake,
    live: &LiveChannel,
    order: NewOrder,
    looked: &spam::Looked,
) -> Result<Accepted, StoreError> {
    let (account, checked, lacks_directory) = (order.account.clone(), order.checked, order.lacks_directory());
    crate::crash::point("intake.before_accept");
    let accepted = intake.store.accept(order).await;
    crate::crash::point("intake.after_accept");
    match accepted {
        Ok(Accepted::New(OrderState::Held)) => {
            intake.channels.notice_held(live);
            intake.dictionaries.notice(&account, checked, lacks_directory);
        }
        Ok(Accepted::New(_)) => {}
        _ => intake.spam.give_back(looked),
    }
    accepted
}

/// Refuses while more orders wait than can be kept soon, or while the disk is nearly full.
pub(super) fn has_room(intake: &Intake, turn: Option<&Turn>) -> Result<(), Refusal> {
    if turn.is_none() {
        let message = "more orders come than can be kept at once; the order was not kept, send it again";
        return Err(Refusal::unavailable(message));
    }
    intake.store.room_for_intake().map_err(|(free, needed)| {
        tracing::error!(free, needed, "intake stopped: the disk is nearly full");
        Refusal::unavailable("the disk is nearly full; the order was not kept, send it again")
    })
}

/// What a sender hears of a kept order; a browser's person sees its number.
fn answered(live: &LiveChannel, (id, duplicate): (String, bool), person: Option<(&str, Language)>) -> Response {
    let channel = live.channel.as_ref();
    if let Some((number, language)) = person {
        let thanks = channel.and_then(|channel| channel.thank_you_page(number));
        return answer::thank_you(thanks.as_deref(), number, language);
    }
    match channel.and_then(|channel| channel.preset) {
        Some(preset) => sender::accepted(preset, &id, duplicate),
        None => answer::accepted(&id, duplicate),
    }
}

/// The order that the store has now, and whether it had it before.
fn known(
    live: &LiveChannel,
    id: String,
    accepted: Result<Accepted, StoreError>,
    again: impl FnOnce() -> Response,
) -> Result<(String, bool), Turned> {
    match accepted {
        Ok(Accepted::New(state)) => {
            tracing::info!(order = %id, channel = %live.name, state = state.as_str(), "accepted");
            Ok((id, false))
        }
        Ok(Accepted::Duplicate(first)) => Ok((first, true)),
        Ok(Accepted::Updated(first, how)) => {
            tracing::info!(order = %first, channel = %live.name, how = how.as_str(), "changed by its sender");
            Ok((first, true))
        }
        Ok(Accepted::Conflict(_)) => {
            let message = "this idempotency key already came with another content; a new order needs a new key";
            Err(Refusal::new(409, message).into())
        }
        Err(error) => Err(not_kept(&error, again())),
    }
}

/// Keeps a sample of a channel that learns; one more or less concerns no buyer.
async fn learn(intake: &Intake, live: &LiveChannel, row: &NewSubmission, at: Timestamp) {
    if live.channel.as_ref().is_some_and(|channel| channel.learn)
        && let Err(error) = intake.store.keep_sample(&live.name, row.clone(), at.as_millisecond()).await
    {
        tracing::warn!(channel = %live.name, %error, "a sample could not be kept");
    }
}

/// The sender hears of the problems whether or not the record of them could be kept.
async fn rejected(
    intake: &Intake,
    live: &LiveChannel,
    submission: &Submission,
    row: NewSubmission,
    decided: Decided,
    language: Option<Language>,
) -> Refusal {
    let refusal = Refusal::invalid(&decided.draft.problems, language);
    let _ = intake.store.accept(new_order(live, submission, row, decided, Told::default())).await;
    refusal
}

fn not_kept(error: &StoreError, page: Response) -> Turned {
    tracing::error!(%error, "an order could not be kept");
    Turned::Later(Box::new((
        Refusal::unavailable("the order could not be kept now; send it again with the same key"),
        Some(page),
    )))
}

/// Where the page sends the form again: the same place, with a key that stays the same, and the page that it came from, which
/// the browser names no more.
fn again_address(parts: &Parts, again: &str, context: &Context) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        if name != AGAIN {
            query.append_pair(&name, &value);
        }
    }
    if !context.page().is_empty() && !context.query().iter().any(|(name, _)| name == "page") {
        query.append_pair("page", context.page());
    }
    query.append_pair(AGAIN, again);
    format!("{}?{}", parts.uri.path(), query.finish())
}
