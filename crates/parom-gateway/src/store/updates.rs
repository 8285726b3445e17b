//! A later request of a sender for an order that is known. What is not sent is replaced; while it is on its way the request
//! waits for how that ends; what is in the CRM is left alone. The request is kept either way.

use super::sql::{Bind, Db, Value, params};
use parom_core::delivery::change::{Change, ChangeKind};
use parom_core::delivery::state::State;
use parom_core::limits;
use parom_core::order::Target;
use parom_core::{Effect, Problem};
use serde_json::{Map, Value as Json, json};

use super::accept::{Accepted, NewOrder, append_event, identity, number_owner};
use super::records::{buyer_columns, problems_from_json, problems_to_json};
use super::{StoreError, asked};

/// What became of a later request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It took the order's place, which was not sent yet.
    Replaced,
    /// The order is on its way: should it turn out not to be in the CRM, this takes its place.
    Waiting,
    /// The order was sent, canceled or edited by a person: it is kept beside it.
    Kept,
    /// A newer state had come before.
    Late,
}

impl Updated {
    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Updated::Replaced => "replaced",
            Updated::Waiting => "waiting",
            Updated::Kept => "kept",
            Updated::Late => "late",
        }
    }
}

/// The order as it stands.
struct Known {
    seq: i64,
    state: State,
    account: String,
    revision: i64,
    number: String,
    target: Target,
    problems: Vec<Problem>,
    changed_at: Option<i64>,
    erased: bool,
}

/// What takes the order's place.
struct Content {
    state: State,
    reason: String,
    account: String,
    channel_version: i64,
    number: String,
    checked: i64,
    body: Map<String, Json>,
    problems: Vec<Problem>,
}

/// Takes a request whose key made the order `id` with another content. Of an `overtaken` one it is known that what the order
/// is made of came after it.
pub(super) fn update(db: &Db<'_>, new: &NewOrder, id: String, overtaken: bool) -> Result<Accepted, StoreError> {
    let known = known(db, "id", id.bind())?;
    // A state that was seen before is a late repeat: where a sender tells no time of change, a payment or a mended address
    // is not undone by the first request's own retry.
    if came_before(db, &known, new)? {
        return Ok(Accepted::Duplicate(id));
    }
    if known.erased {
        return after_erasure(db, &known, new, id);
    }
    let how = match (known.changed_at, new.changed_at) {
        (Some(before), Some(now)) if now < before => Updated::Late,
        (None, _) | (_, None) if overtaken => Updated::Late,
        _ => place(&known, new),
    };
    let mut state = known.state;
    // Of several that came meanwhile the newest counts.
    if how != Updated::Late {
        keep_waiting(db, known.seq)?;
    }
    if how == Updated::Replaced {
        state = replace(db, &known, Content::of(new), new.received_at)?;
    }
    keep(db, new, &known, how)?;
    let note = match how {
        Updated::Replaced => "its sender changed it before it was sent: the new content goes",
        Updated::Waiting => "its sender changed it while it was on its way",
        Updated::Kept => "its sender changed it: kept beside what was sent",
        Updated::Late => "an older state of it came late: kept, and changes nothing",
    };
    append_event(db, known.seq, new.received_at, state, "sender", note)?;
    if how != Updated::Late && known.state != State::Canceled {
        take_changes(db, &known, new, how)?;
    }
    Ok(Accepted::Updated(id, how))
}

/// What it changes of an order that is in the CRM, or will be: a status has no place in the order that goes.
fn take_changes(db: &Db<'_>, known: &Known, new: &NewOrder, how: Updated) -> Result<(), StoreError> {
    match unmakeable(known, new, how) {
        None => drop(asked::add(db, known.seq, &new.account, &new.changes.0, new.received_at)?),
        Some(why) => mark_each(db, known.seq, &new.changes.0, why)?,
    }
    new.changes.1.iter().try_for_each(|problem| asked::mark_order(db, known.seq, "change", &problem.to_string()))
}

/// Why nothing can be changed of an order as it stands. Another account's CRM has another order of its number.
fn unmakeable(known: &Known, new: &NewOrder, how: Updated) -> Option<&'static str> {
    if known.target == Target::Card {
        return Some(asked::OF_CARD);
    }
    let moved = known.account != new.account && how != Updated::Replaced;
    moved.then_some("its channel goes to another account by now")
}

fn mark_each(db: &Db<'_>, seq: i64, changes: &[Change], why: &str) -> Result<(), StoreError> {
    changes.iter().try_for_each(|change| asked::mark_order(db, seq, change.kind.as_str(), why))
}

/// Takes a request whose key made the order `id` with another content, where the CRM refused that: its sender corrects it. Nothing
/// is kept for an order that may be in the CRM, or that a person looks at.
pub(super) fn correct(db: &Db<'_>, new: &NewOrder, id: String) -> Result<Accepted, StoreError> {
    let known = known(db, "id", id.bind())?;
    if came_before(db, &known, new)? {
        return Ok(Accepted::Duplicate(id));
    }
    let correctable = known.state == State::Rejected && !known.erased && known.number == new.number;
    // What a person would have to look at is no correction yet: it would stand behind the CRM's old answer.
    if !correctable || new.state != State::Queued || place(&known, new) != Updated::Replaced {
        return Ok(Accepted::Conflict(id));
    }
    update(db, new, id, false)
}

fn came_before(db: &Db<'_>, known: &Known, new: &NewOrder) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM updates WHERE seq = ?1 AND content = ?2 LIMIT 1";
    db.exists(sql, params![known.seq, new.content])
}

/// Of a request for an order whose buyer was erased nothing is kept but that it came. A status is set all the same; whether a
/// payment is in the CRM already is not known any more, so a person looks.
fn after_erasure(db: &Db<'_>, known: &Known, new: &NewOrder, id: String) -> Result<Accepted, StoreError> {
    let sql = "INSERT INTO updates (seq, received_at, changed_at, result, content, content_type, context, body)
               VALUES (?1, ?2, ?3, 'kept', ?4, ?5, '{}', ?6)";
    let kind = &new.submission.content_type;
    db.execute(sql, params![known.seq, new.received_at, new.changed_at, new.content, kind, [0_u8; 0]])?;
    let note = "its sender changed it after the buyer's data was erased: what came is not kept";
    append_event(db, known.seq, new.received_at, known.state, "sender", note)?;
    let (status, other): (Vec<Change>, Vec<Change>) =
        new.changes.0.iter().cloned().partition(|change| change.kind == ChangeKind::Status);
    if known.state == State::Delivered {
        match unmakeable(known, new, Updated::Kept) {
            None => drop(asked::add(db, known.seq, &new.account, &status, new.received_at)?),
            Some(why) => mark_each(db, known.seq, &status, why)?,
        }
        mark_each(db, known.seq, &other, "the buyer's data was erased before it came")?;
    }
    Ok(Accepted::Updated(id, Updated::Kept))
}

/// An order left the wire. If it is not in the CRM, it goes on with what its sender sent meanwhile; if it is, that stands
/// beside it. In a dispute nobody knows yet.
pub(super) fn settle_waiting(db: &Db<'_>, seq: i64, state: State, now: i64) -> Result<(), StoreError> {
    match state {
        State::Queued | State::Rejected => take_waiting(db, seq, now),
        State::Delivered | State::Canceled => keep_waiting(db, seq),
        _ => Ok(()),
    }
}

fn take_waiting(db: &Db<'_>, seq: i64, now: i64) -> Result<(), StoreError> {
    let sql = "SELECT id, becomes FROM updates WHERE seq = ?1 AND result = 'waiting' ORDER BY id DESC LIMIT 1";
    let row = db.first(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((id, becomes)): Option<(i64, String)> = row else {
        return Ok(());
    };
    let known = known(db, "seq", seq.bind())?;
    let Some(content) = Content::parse(&becomes).filter(|_| known.revision == 0) else {
        return keep_waiting(db, seq);
    };
    let state = replace(db, &known, content, now)?;
    let sql = "UPDATE updates SET becomes = NULL, result = 'replaced' WHERE id = ?1";
    db.execute(sql, params![id])?;
    keep_waiting(db, seq)?;
    append_event(db, seq, now, state, "sender", "it is not in the CRM: its sender's newer content goes")
}

/// What waited and was overtaken, or came too late, stands beside the order.
fn keep_waiting(db: &Db<'_>, seq: i64) -> Result<(), StoreError> {
    let sql = "UPDATE updates SET becomes = NULL, result = 'kept' WHERE seq = ?1 AND result = 'waiting'";
    db.execute(sql, params![seq])?;
    Ok(())
}

fn known(db: &Db<'_>, column: &str, value: Value<'_>) -> Result<Known, StoreError> {
    let sql = format!(
        "SELECT seq, state, revision, number, target, problems, changed_at, erased_at, account FROM orders
         WHERE {column} = ?1{}",
        db.for_update()
    );
    let known = db.one(&sql, params![value], |row| {
        Ok(Known {
            seq: row.get(0)?,
            state: State::parse(&row.get::<String>(1)?).unwrap_or(State::Disputed),
            revision: row.get(2)?,
            number: row.get(3)?,
            target: Target::parse(&row.get::<String>(4)?).unwrap_or_default(),
            problems: problems_from_json(&row.get::<String>(5)?),
            changed_at: row.get(6)?,
            erased: row.get::<Option<i64>>(7)?.is_some(),
            account: row.get(8)?,
        })
    })?;
    Ok(known)
}

/// What is `queued` was never sent, or is proven absent. No person's edit is undone.
fn place(known: &Known, new: &NewOrder) -> Updated {
    if known.revision > 0 || known.target != new.target || new.state == State::Canceled {
        return Updated::Kept;
    }
    match known.state {
        State::Held | State::Rejected | State::Queued => Updated::Replaced,
        State::Sending | State::Unconfirmed | State::Disputed => Updated::Waiting,
        State::Delivered | State::Canceled => Updated::Kept,
    }
}

/// The new body under the old number: what was fixed when the order came never changes. The state that this leads to.
fn replace(db: &Db<'_>, known: &Known, mut new: Content, now: i64) -> Result<State, StoreError> {
    new.renumber(known);
    for problem in known.problems.iter().filter(|p| p.effect == Effect::Hold && p.code.is_suspicion()) {
        new.hold(problem.clone());
    }
    let identity = identity(&new.body);
    let owner = match &identity {
        Some((source_id, number)) => number_owner(db, &new.account, *source_id, number, known.seq)?,
        None => None,
    };
    if let Some(id) = &owner {
        new.hold(Problem::number_taken(&new.number, id));
    }
    // A refused order that is still wrong stays what it is.
    if known.state == State::Rejected && new.state == State::Held {
        new.state = State::Rejected;
    }
    let (buyer, phone, email) = buyer_columns(&new.body);
    let sql = "UPDATE orders SET state = ?2, reason = ?3, account = ?4, channel_version = ?5, body = ?6, problems = ?7,
                 source_id = ?8, owns_number = ?9, buyer = ?10, phone = ?11, email = ?12, checked = ?13,
                 updated_at = ?14, due_at = ?14, replaced = replaced + 1
               WHERE seq = ?1";
    db.execute(
        sql,
        params![
            known.seq,
            new.state.as_str(),
            new.reason,
            new.account,
            new.channel_version,
            serde_json::to_string(&new.body).unwrap_or_default(),
            problems_to_json(&new.problems).to_string(),
            identity.as_ref().map(|(source_id, _)| *source_id),
            identity.is_some() && owner.is_none(),
            buyer,
            phone,
            email,
            new.checked,
            now,
        ],
    )?;
    asked::follow(db, known.seq, now)?;
    Ok(new.state)
}

fn keep(db: &Db<'_>, new: &NewOrder, known: &Known, how: Updated) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO updates (seq, received_at, changed_at, result, becomes, content, content_type, context, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let submission = &new.submission;
    db.execute(
        sql,
        params![
            known.seq,
            new.received_at,
            new.changed_at,
            how.as_str(),
            (how == Updated::Waiting).then(|| Content::of(new).to_json().to_string()),
            new.content,
            submission.content_type,
            submission.context.to_string(),
            submission.body.as_ref(),
        ],
    )?;
    if how != Updated::Late {
        let sql = "UPDATE orders SET changed_at = coalesce(?2, changed_at) WHERE seq = ?1";
        db.execute(sql, params![known.seq, new.changed_at])?;
    }
    // The newest are kept, and the one that the order is made of.
    let sql = "DELETE FROM updates WHERE id IN (
                 SELECT id FROM updates WHERE seq = ?1 AND result <> 'waiting'
                   AND id <> coalesce((SELECT max(id) FROM updates WHERE seq = ?1 AND result = 'replaced'), 0)
                 ORDER BY id DESC LIMIT 1000000 OFFSET ?2)";
    db.execute(sql, params![known.seq, limits::UPDATES])?;
    Ok(())
}

/// The request that the order is made of now, where it is not its first.
pub(super) fn newest(db: &Db<'_>, seq: i64) -> Result<Option<(String, String, Vec<u8>)>, StoreError> {
    let sql = "SELECT content_type, context, body FROM updates WHERE seq = ?1 AND result = 'replaced'
               ORDER BY id DESC LIMIT 1";
    db.first(sql, params![seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

impl Content {
    fn of(new: &NewOrder) -> Content {
        Content {
            state: new.state,
            reason: new.reason.clone(),
            account: new.account.clone(),
            channel_version: new.channel_version,
            number: new.number.clone(),
            checked: new.checked,
            body: new.body.clone(),
            problems: new.problems.clone(),
        }
    }

    fn renumber(&mut self, known: &Known) {
        let own = Json::String(known.number.clone());
        // A card's number is its title too, where the channel maps none.
        let titled = self.body.get("title").and_then(Json::as_str) == Some(&self.number);
        match known.target {
            Target::Order => drop(self.body.insert("source_uuid".into(), own)),
            Target::Card if titled => drop(self.body.insert("title".into(), own)),
            Target::Card => {}
        }
        self.number.clone_from(&known.number);
    }

    fn hold(&mut self, problem: Problem) {
        if self.state == State::Queued {
            self.state = State::Held;
            self.reason = problem.code.as_str().to_owned();
        }
        self.problems.push(problem);
    }

    fn to_json(&self) -> Json {
        json!({
            "state": self.state.as_str(), "reason": self.reason, "account": self.account,
            "channel_version": self.channel_version, "number": self.number, "checked": self.checked,
            "body": self.body, "problems": problems_to_json(&self.problems),
        })
    }

    fn parse(text: &str) -> Option<Content> {
        let tree: Json = serde_json::from_str(text).ok()?;
        let text = |key: &str| tree.get(key).and_then(Json::as_str).map(str::to_owned);
        Some(Content {
            state: State::parse(&text("state")?)?,
            reason: text("reason")?,
            account: text("account")?,
            channel_version: tree.get("channel_version")?.as_i64()?,
            number: text("number")?,
            checked: tree.get("checked")?.as_i64()?,
            body: tree.get("body")?.as_object()?.clone(),
            problems: problems_from_json(&tree.get("problems")?.to_string()),
        })
    }
}
