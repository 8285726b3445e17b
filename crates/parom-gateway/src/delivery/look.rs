//! One look at the CRM for doubtful orders: many numbers in one request, with a control beside them.

use std::collections::HashMap;

use jiff::Timestamp;
use parom_core::delivery::cards;
use parom_core::delivery::dispatch::{CARD_PAGES, Look, Looked};
use parom_core::delivery::outcome::rest_after;
use parom_core::delivery::reason;
use parom_core::delivery::rows::{Delivered, Finding, List, Wanted, read};
use parom_core::delivery::verify::Control;
use parom_core::limits;
use parom_core::number;
use parom_core::order::Target;

use crate::clock;
use crate::crash;
use crate::crm::{Client, LookUp, Seen};
use crate::store::{Doubtful, Store};

/// A request may go on for so long after its answer was lost.
const CARD_LATE_MS: i64 = 3_600_000;
/// The CRM's clock may be off by so much.
const CARD_SLACK_MS: i64 = limits::CRM_CLOCK_SLACK_S * 1_000;

/// Looks the orders up; what was found, and what to tell a person of it. A look `alone` asks for one order a request, with
/// the control in one of its own: some installations do not split numbers at commas.
pub(super) async fn look(
    store: &Store,
    client: &Client,
    account: &str,
    doubts: &[Doubtful],
    look: &Look,
) -> (Looked, String) {
    crash::point("verify.before_look");
    let most = look.tickets.len();
    let controls = store.controls(account).await.unwrap_or_default();
    let looked = match look.target {
        Target::Card => among_cards(store, client, account, doubts, most).await,
        Target::Order if look.alone => singly(client, doubts, &controls, most).await,
        Target::Order => together(client, doubts, &controls, look.pays_for_control()).await,
    };
    crash::point("verify.after_look");
    looked
}

/// The cards made since the oldest doubtful one came, page by page. Nothing serves as a control: an absence never leads to
/// another send.
async fn among_cards(
    store: &Store,
    client: &Client,
    account: &str,
    doubts: &[Doubtful],
    most: usize,
) -> (Looked, String) {
    let oldest = doubts.iter().map(|doubt| doubt.received_at).min().unwrap_or_default();
    let spell = |millis: i64| {
        let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    // A card is made before its order becomes doubtful, or soon after.
    let latest = doubts.iter().map(|doubt| doubt.since).max().unwrap_or_default() + CARD_LATE_MS;
    let latest = latest.min(clock::now().as_millisecond()) + CARD_SLACK_MS;
    let (from, to) = (spell(oldest - CARD_SLACK_MS), spell(latest));
    let (mut rows, mut whole) = (Vec::new(), false);
    for page in 1..=u32::try_from(CARD_PAGES.min(most)).unwrap_or(1) {
        let seen = client.look_up(&LookUp::Cards { from: from.clone(), to: to.clone(), page }).await;
        let list = match &seen {
            Seen::Response { status: 200, body, .. } => cards::read(body),
            _ => None,
        };
        let Some(list) = list else {
            let note = format!("the list of cards: {}", seen.describe());
            return Lost { note, rest: rest(&seen), strange: false }.looked();
        };
        rows.extend(list.rows);
        whole = list.whole;
        if whole {
            break;
        }
    }
    // A row that is another order's already is not this one's.
    let ids = rows.iter().filter_map(|row| row.get("id").and_then(serde_json::Value::as_i64)).collect();
    let known = match store.known_in_crm(account, Target::Card, ids).await {
        Ok(known) => known,
        Err(error) => {
            return Lost::of(&error.to_string()).looked();
        }
    };
    rows.retain(|row| !row.get("id").and_then(serde_json::Value::as_i64).is_some_and(|id| known.contains(&id)));
    let found = doubts.iter().map(|doubt| (doubt.seq, cards::find(&rows, &doubt.body, received(doubt)))).collect();
    let control = if whole { Control::Found } else { Control::Failed };
    (Looked { control, found, rest: None, strange: false }, String::new())
}

/// How long the CRM wants to be left alone, where it says so.
fn rest(seen: &Seen) -> Option<u64> {
    match seen {
        Seen::Response { status: 429, retry_after, .. } => Some(rest_after(*retry_after)),
        _ => None,
    }
}

async fn together(client: &Client, doubts: &[Doubtful], controls: &[Delivered], pays: bool) -> (Looked, String) {
    let numbers = doubts.iter().map(|doubt| &doubt.number).chain(controls.iter().map(|control| &control.number));
    let list = match ask(client, numbers.cloned().collect()).await {
        Ok(list) => list,
        Err(lost) => return lost.looked(),
    };
    let mut found = doubts.iter().map(|doubt| (doubt.seq, list.find(&wanted(doubt)))).collect();
    // The second request is for a new account's control alone.
    if controls.is_empty() && !pays {
        return (Looked { control: Control::Failed, found, rest: None, strange: false }, String::new());
    }
    let (control, plain) = control(client, &list, controls, doubts.len()).await;
    add(plain.as_ref(), doubts, &mut found);
    (Looked { control, found, rest: None, strange: false }, String::new())
}

/// One number a request, and no more of them than there are places; the control is the first, alone, where there is one for it.
async fn singly(client: &Client, doubts: &[Doubtful], controls: &[Delivered], places: usize) -> (Looked, String) {
    let mut looked = Looked { control: Control::Failed, found: HashMap::new(), rest: None, strange: false };
    let (mut plain, mut left) = (None, places);
    if places > 1 {
        let (asked, list) = first_of(client, &controls[..controls.len().min(places - 1)]).await;
        let list = match list {
            Ok(list) => list,
            Err(lost) => return lost.looked(),
        };
        (looked.control, plain) = control(client, &list, controls, 1).await;
        // Without any control it is the plain list that was asked for.
        left -= asked.max(1);
    }
    let mut note = String::new();
    for doubt in doubts.iter().take(left) {
        match ask(client, vec![doubt.number.clone()]).await {
            Ok(list) => {
                looked.control = if list.whole { looked.control } else { Control::Failed };
                looked.found.insert(doubt.seq, list.find(&wanted(doubt)));
            }
            Err(lost) => {
                looked.rest = lost.rest.or(looked.rest);
                looked.strange |= lost.strange;
                note = lost.note;
            }
        }
    }
    add(plain.as_ref(), doubts, &mut looked.found);
    (looked, note)
}

/// The list of one control, the first that brings no rows of others with it; and how many were asked for.
async fn first_of(client: &Client, controls: &[Delivered]) -> (usize, Result<List, Lost>) {
    let (mut asked, mut list) = (0, Ok(List { rows: Vec::new(), whole: true }));
    for control in controls {
        (asked, list) = (asked + 1, ask(client, vec![control.number.clone()]).await);
        if !matches!(&list, Err(lost) if lost.strange) {
            break;
        }
    }
    (asked, list)
}

/// A look that gave no list.
#[derive(Clone)]
pub(super) struct Lost {
    note: String,
    pub(super) rest: Option<u64>,
    /// It had rows that nobody asked for.
    pub(super) strange: bool,
}

impl Lost {
    fn of(note: &str) -> Lost {
        Lost { note: note.to_owned(), rest: None, strange: false }
    }

    fn looked(self) -> (Looked, String) {
        (Looked { control: Control::Failed, found: HashMap::new(), rest: self.rest, strange: self.strange }, self.note)
    }
}

/// The list of the asked numbers; none where the answer is out of shape or has rows that nobody asked for.
pub(super) async fn ask(client: &Client, numbers: Vec<String>) -> Result<List, Lost> {
    let names: Vec<&str> = numbers.iter().map(|number| number.trim()).collect();
    let seen = client.look_up(&LookUp::Numbers(numbers.clone())).await;
    let Seen::Response { status: 200, body, .. } = &seen else {
        return Err(Lost { note: seen.describe(), rest: rest(&seen), strange: false });
    };
    match read(body) {
        None => Err(Lost::of("the look-up's answer has another shape")),
        Some(list) if !list.answers(&names) => {
            let note = "the look-up answered with orders that were not asked for".to_owned();
            Err(Lost { note, rest: None, strange: true })
        }
        Some(list) => Ok(list),
    }
}

/// An absent row means something only where a row that must be there is there.
async fn control(client: &Client, list: &List, controls: &[Delivered], asked: usize) -> (Control, Option<List>) {
    if let Some(control) = list.control(controls, asked) {
        return (control, None);
    }
    // Nothing was delivered on this account yet: that the plain list answers in shape is all that can be asked.
    let plain = match client.look_up(&LookUp::Any).await {
        Seen::Response { status: 200, body, .. } => read(&body),
        _ => None,
    };
    (if plain.is_some() { Control::Weak } else { Control::Failed }, plain)
}

/// The plain list was asked for anyhow: an order that the filter did not show may stand in it.
fn add(plain: Option<&List>, doubts: &[Doubtful], found: &mut HashMap<i64, Finding>) {
    let Some(plain) = plain else { return };
    for doubt in doubts {
        if let Some(finding) = found.get_mut(&doubt.seq) {
            plain.add(&wanted(doubt), finding);
        }
    }
}

fn wanted(doubt: &Doubtful) -> Wanted {
    Wanted { source_id: doubt.source_id, number: doubt.number.clone(), received_at: received(doubt) }
}

/// What was repeated after a restore is older in the CRM than here; a number of our own follows from what was sent.
fn received(doubt: &Doubtful) -> Timestamp {
    if doubt.reason == reason::RESTORED && number::is_own(&doubt.number) {
        return Timestamp::UNIX_EPOCH;
    }
    Timestamp::from_millisecond(doubt.received_at).unwrap_or(Timestamp::UNIX_EPOCH)
}
