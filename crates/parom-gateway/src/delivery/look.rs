//! One look at the CRM for doubtful orders: many numbers in one request, with a control beside them.

use std::collections::HashMap;

use jiff::Timestamp;
use parom_core::delivery::cards;
use parom_core::delivery::outcome::rest_after;
use parom_core::delivery::rows::{Finding, List, Wanted, read};
use parom_core::delivery::verify::Control;
use parom_core::limits;
use parom_core::order::Target;

use crate::clock;
use crate::crash;
use crate::crm::{Client, LookUp, Seen};
use crate::store::{Doubtful, Store};

/// What a look found of each order, by row, and how far it can be trusted. No findings: no answer at all.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) control: Control,
    pub(super) found: HashMap<i64, Finding>,
    /// What to tell a person of it.
    pub(super) note: String,
    /// The CRM asked for so many seconds.
    pub(super) rest: Option<u64>,
}

/// Orders in one request: the controls need places too.
pub(super) const BATCH: usize = limits::LOOKUP_NUMBERS - 2;

/// Pages of cards that one look reads.
const CARD_PAGES: usize = 3;
/// A request may go on for so long after its answer was lost.
const CARD_LATE_MS: i64 = 3_600_000;
/// The CRM's clock may be off by so much.
const CARD_SLACK_MS: i64 = limits::CRM_CLOCK_SLACK_S * 1_000;

/// Looks the orders up. `alone` asks for one order with its control each in a request of its own: some installations do
/// not split numbers at commas.
pub(super) async fn look(
    store: &Store,
    client: &Client,
    account: &str,
    doubts: &[Doubtful],
    alone: bool,
    most: usize,
) -> Looked {
    crash::point("verify.before_look");
    let controls = store.controls(account).await.unwrap_or_default();
    let looked = match doubts.first().map_or(Target::Order, |doubt| doubt.target) {
        Target::Card => among_cards(store, client, account, doubts, most).await,
        Target::Order if alone => singly(client, doubts, &controls).await,
        Target::Order => together(client, doubts, &controls, most).await,
    };
    crash::point("verify.after_look");
    looked
}

/// How many requests a look may take.
pub(super) fn cost(target: Target, doubts: usize, alone: bool) -> usize {
    match target {
        Target::Card => CARD_PAGES,
        Target::Order if alone => doubts + 1,
        Target::Order => 2,
    }
}

/// The cards made since the oldest doubtful one came, page by page. Nothing serves as a control: an absence never leads to
/// another send.
async fn among_cards(store: &Store, client: &Client, account: &str, doubts: &[Doubtful], most: usize) -> Looked {
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
            return Looked { control: Control::Failed, found: HashMap::new(), note, rest: rest(&seen) };
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
            let note = error.to_string();
            return Looked { control: Control::Failed, found: HashMap::new(), note, rest: None };
        }
    };
    rows.retain(|row| !row.get("id").and_then(serde_json::Value::as_i64).is_some_and(|id| known.contains(&id)));
    let found = doubts.iter().map(|doubt| (doubt.seq, cards::find(&rows, &doubt.body, received(doubt)))).collect();
    Looked { control: if whole { Control::Found } else { Control::Failed }, found, note: String::new(), rest: None }
}

/// How long the CRM wants to be left alone, where it says so.
fn rest(seen: &Seen) -> Option<u64> {
    match seen {
        Seen::Response { status: 429, retry_after, .. } => Some(rest_after(*retry_after)),
        _ => None,
    }
}

async fn together(client: &Client, doubts: &[Doubtful], controls: &[Doubtful], most: usize) -> Looked {
    let asked: Vec<&Doubtful> = doubts.iter().chain(controls).collect();
    let list = match ask(client, &asked).await {
        Ok(list) => list,
        Err(lost) => return lost.looked(),
    };
    let found = doubts.iter().map(|doubt| (doubt.seq, list.find(&wanted(doubt)))).collect();
    // The second request is for a new account's control alone.
    let control =
        if controls.is_empty() && most < 2 { Control::Failed } else { control(client, &list, controls).await };
    Looked { control, found, note: String::new(), rest: None }
}

/// One number a request; the control is the first of them, alone.
async fn singly(client: &Client, doubts: &[Doubtful], controls: &[Doubtful]) -> Looked {
    let mut looked = Looked { control: Control::Failed, found: HashMap::new(), note: String::new(), rest: None };
    let list = match controls.first() {
        Some(control) => match ask(client, &[control]).await {
            Ok(list) => list,
            Err(lost) => return lost.looked(),
        },
        None => List { rows: Vec::new(), whole: true },
    };
    looked.control = control(client, &list, controls).await;
    for doubt in doubts {
        match ask(client, &[doubt]).await {
            Ok(list) => {
                looked.control = if list.whole { looked.control } else { Control::Failed };
                looked.found.insert(doubt.seq, list.find(&wanted(doubt)));
            }
            Err(lost) => {
                looked.rest = lost.rest.or(looked.rest);
                looked.note = lost.note;
            }
        }
    }
    looked
}

/// A look that gave no list.
struct Lost {
    note: String,
    rest: Option<u64>,
}

impl Lost {
    fn of(note: &str) -> Lost {
        Lost { note: note.to_owned(), rest: None }
    }

    fn looked(self) -> Looked {
        Looked { control: Control::Failed, found: HashMap::new(), note: self.note, rest: self.rest }
    }
}

/// The list of the asked numbers; none where the answer is out of shape or has rows that nobody asked for.
async fn ask(client: &Client, asked: &[&Doubtful]) -> Result<List, Lost> {
    let numbers: Vec<String> = asked.iter().map(|doubt| doubt.number.clone()).collect();
    let names: Vec<&str> = asked.iter().map(|doubt| doubt.number.trim()).collect();
    let seen = client.look_up(&LookUp::Numbers(numbers.clone())).await;
    let Seen::Response { status: 200, body, .. } = &seen else {
        return Err(Lost { note: seen.describe(), rest: rest(&seen) });
    };
    match read(body) {
        None => Err(Lost::of("the look-up's answer has another shape")),
        Some(list) if !list.answers(&names) => {
            Err(Lost::of("the look-up answered with orders that were not asked for"))
        }
        Some(list) => Ok(list),
    }
}

/// An absent row means something only where a row that must be there is there.
async fn control(client: &Client, list: &List, controls: &[Doubtful]) -> Control {
    if !list.whole {
        return Control::Failed;
    }
    if controls.iter().any(|control| matches!(list.find(&wanted(control)), Finding::Ours(_) | Finding::Several(_))) {
        return Control::Found;
    }
    if !controls.is_empty() {
        return Control::Failed;
    }
    // Nothing was delivered on this account yet: that the plain list answers in shape is all that can be asked.
    match client.look_up(&LookUp::Any).await {
        Seen::Response { status: 200, body, .. } if read(&body).is_some() => Control::Weak,
        _ => Control::Failed,
    }
}

fn wanted(doubt: &Doubtful) -> Wanted {
    Wanted { source_id: doubt.source_id, number: doubt.number.clone(), received_at: received(doubt) }
}

fn received(doubt: &Doubtful) -> Timestamp {
    Timestamp::from_millisecond(doubt.received_at).unwrap_or(Timestamp::UNIX_EPOCH)
}
