//! Suspected spam: what the channel's rules say of a request, with what this process remembers of its senders.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use parom_core::order::Verdict;
use parom_core::spam::{self, Allowance, Allowances, FormTime, KEY_BYTES, Stamp};
use parom_core::submission::{Submission, lookup};
use parom_core::{Problem, limits};

use super::access::{Entry, is_token};
use super::answer::Refusal;
use super::decide::Decided;
use super::sender::brings_token;
use super::{Intake, cors};
use crate::config::LiveChannel;
use crate::passwords::random;
use crate::{clock, peers};

/// The key that signs form times, and who has sent how much; the latter a restart forgets.
#[derive(Debug)]
pub struct SpamWatch {
    key: [u8; KEY_BYTES],
    addresses: Mutex<Allowances>,
    forms: Mutex<Allowances>,
}

/// What was found of one request.
#[derive(Debug, Default)]
pub(super) struct Looked {
    problems: Vec<Problem>,
    stamp: Option<Stamp>,
    address: Option<(String, Allowance)>,
    form: Option<(String, Allowance)>,
}

impl Looked {
    /// Holds the order of a suspected request; the form time whose nonce it uses up.
    pub(super) fn apply(&mut self, decided: &mut Decided) -> Option<Stamp> {
        if !self.problems.is_empty() {
            decided.draft.problems.append(&mut self.problems);
            decided.verdict = Verdict::Hold;
        }
        self.stamp
    }
}

impl SpamWatch {
    /// A watch that remembers nobody.
    #[must_use]
    pub fn new(key: [u8; KEY_BYTES]) -> SpamWatch {
        // Channels are as many as there are files: none is forgotten for another.
        let (addresses, forms) = (Allowances::new(limits::ALLOWANCE_ADDRESSES), Allowances::new(usize::MAX));
        SpamWatch { key, addresses: Mutex::new(addresses), forms: Mutex::new(forms) }
    }

    /// What the page carries that sends a form again: signed, where whoever sent it may, as that page has another origin.
    pub(super) fn again(&self, live: &LiveChannel, entry: Entry) -> String {
        match entry {
            Entry::Foreign => uuid::Uuid::new_v4().to_string(),
            _ => spam::issue(&self.key, &pages(live), clock::now(), random()),
        }
    }

    /// Whether a form comes from such a page, and first came from one that may send.
    pub(super) fn came_by(&self, live: &LiveChannel, again: &str) -> bool {
        let rule = FormTime { min: Duration::ZERO, ..FormTime::default() };
        spam::judge(&self.key, &pages(live), again, rule, clock::now()).is_ok()
    }

    /// Looks at a request. Who holds the channel's token, or signs, is known: of it the honeypot alone is looked at, which
    /// a server may have passed on.
    pub(super) fn look(
        &self,
        live: &LiveChannel,
        submission: &Submission,
        token: Option<&str>,
        signed: bool,
        client: Option<IpAddr>,
    ) -> Looked {
        let mut looked = Looked::default();
        let Some(rules) = live.channel.as_ref().map(|channel| &channel.spam) else {
            return looked;
        };
        looked.problems.extend(spam::honeypot(rules, submission));
        if signed || token.is_some_and(|token| is_token(live, token)) || brings_token(live, submission) {
            return looked;
        }
        if let Some(rule) = rules.form_time {
            let text = form_time(submission);
            match spam::judge(&self.key, &live.name, text, rule, submission.received_at) {
                Ok(stamp) => looked.stamp = Some(stamp),
                Err(doubt) => looked.problems.push(spam::suspected(doubt.message())),
            }
        }
        let client = client.filter(|client| !client.to_canonical().is_loopback());
        if let (Some(allowance), Some(client)) = (rules.per_address, client) {
            let party = format!("{} {}", live.name, peers::network(client));
            looked.address = Some((party, allowance));
            if !self.take(&self.addresses, &mut looked.address) {
                looked.problems.push(spam::suspected(over(allowance, "from one address")));
            }
        }
        if let Some(allowance) = rules.per_form {
            looked.form = Some((live.name.clone(), allowance));
            if !self.take(&self.forms, &mut looked.form) {
                looked.problems.push(spam::suspected(over(allowance, "through this channel")));
            }
        }
        looked
    }

    /// What made no new order does not count: a repeat, or what could not be kept and comes again.
    pub(super) fn give_back(&self, looked: &Looked) {
        for (allowances, taken) in [(&self.addresses, &looked.address), (&self.forms, &looked.form)] {
            if let Some((party, allowance)) = taken {
                lock(allowances).give_back(party, *allowance);
            }
        }
    }

    fn take(&self, allowances: &Mutex<Allowances>, party: &mut Option<(String, Allowance)>) -> bool {
        let within =
            party.as_ref().is_none_or(|(name, allowance)| lock(allowances).take(name, *allowance, clock::mono()));
        if !within {
            *party = None;
        }
        within
    }
}

/// The name under which the pages of a channel are signed: no channel's, as it is no file's.
fn pages(live: &LiveChannel) -> String {
    format!("{}/again", live.name)
}

fn lock(allowances: &Mutex<Allowances>) -> MutexGuard<'_, Allowances> {
    // A count that a panic left half done is as good as any.
    allowances.lock().unwrap_or_else(PoisonError::into_inner)
}

fn over(allowance: Allowance, from: &str) -> String {
    let seconds = allowance.window.as_secs_f64();
    format!("more than {} orders in {seconds} s came {from}", allowance.count)
}

fn form_time(submission: &Submission) -> &str {
    let flat = lookup(&submission.flat, spam::FIELD);
    flat.or_else(|| submission.form.get(spam::FIELD).and_then(serde_json::Value::as_str)).unwrap_or_default()
}

/// Who sent a request.
pub(super) fn client(intake: &Intake, parts: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peers::client(&intake.config.trusted_proxies, peer.ip(), &parts.headers))
}

/// `GET /form-time/{channel}`: a form time for a form that is opened now.
pub(super) async fn issue(State(intake): State<Intake>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(live) = intake.channels.get(&name) else {
        return Refusal::new(404, format!("there is no channel `{name}`; check the form's address")).json();
    };
    let wanted = live.channel.as_ref().is_some_and(|channel| channel.spam.form_time.is_some());
    let mut response = if wanted {
        let text = spam::issue(&intake.spam.key, &live.name, clock::now(), random());
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, HeaderValue::from_static("no-store"))], text).into_response()
    } else {
        Refusal::new(404, format!("the channel `{name}` asks for no form time (form_time in [spam])")).json()
    };
    cors::allow(&live, &headers, &mut response);
    response
}
