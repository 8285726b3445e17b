//! Which orders: what is asked for, as conditions that an index leads to.

use parom_core::delivery::state::State;

use super::super::sql::{Argument, Db};
use super::super::{Scope, StoreError};
use super::detail::{COLUMNS, Summary, several};

/// Which orders.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// Of this channel.
    pub channel: Option<String>,
    /// Received at or after, milliseconds.
    pub since: Option<i64>,
    /// Received before, milliseconds.
    pub until: Option<i64>,
    /// Id, number, CRM number, phone, e-mail or name.
    pub text: Option<String>,
    /// Rows after this one, newest first.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// How a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// It is the whole of an id, a number, a phone or an e-mail.
    Whole,
    /// It is a part of a name or a phone.
    Within,
}

pub(super) fn listed(db: &Db<'_>, scope: &Scope, filter: &Filter, how: Text) -> Result<Vec<Summary>, StoreError> {
    let (conditions, arguments) = conditions(scope, filter, how);
    let limit = filter.limit.clamp(1, 100_000);
    let only = |of: &[State]| !filter.states.is_empty() && filter.states.iter().all(|state| of.contains(state));
    // By the order of rows alone the planner would rather read them all until enough are found.
    let index = match () {
        () if only(&[State::Queued]) => "INDEXED BY orders_queue",
        () if only(&[State::Sending, State::Unconfirmed]) => "INDEXED BY orders_doubt",
        () => "",
    };
    let sql = format!("SELECT {COLUMNS} FROM orders {index} WHERE {conditions} ORDER BY seq DESC LIMIT {limit}");
    several(db, &sql, &arguments)
}

/// The states as words of the statement, with the condition of the index that leads to them: by bound values no partial
/// index is taken, and a state that nothing is in would cost a look at every row.
fn in_states(states: &[State]) -> String {
    let words: Vec<String> = states.iter().map(|state| format!("'{state}'")).collect();
    let all = |of: &[State]| states.iter().all(|state| of.contains(state));
    let index = if all(&[State::Held, State::Rejected, State::Disputed]) {
        " AND state IN ('held', 'rejected', 'disputed')"
    } else if all(&[State::Queued]) {
        return "state = 'queued'".to_owned();
    } else if all(&[State::Sending, State::Unconfirmed]) {
        " AND state IN ('sending', 'unconfirmed')"
    } else {
        ""
    };
    format!("state IN ({}){index}", words.join(", "))
}

/// Each half has an index of its own.
pub(super) fn of_number(place: &str) -> String {
    format!("(number = {place} AND owns_number = 1) OR (number = {place} AND owns_number = 0)")
}

fn whole(text: &str, mut place: impl FnMut(Argument) -> String) -> String {
    let exact = place(Argument::Text(text.to_owned()));
    let lower = place(Argument::Text(text.to_lowercase()));
    let mut any = vec![format!("id = {exact}"), of_number(&exact), format!("(email = {lower} AND email <> '')")];
    if let Ok(phone) = parom_core::convert::phone(text, "UA") {
        any.push(format!("(phone = {} AND phone <> '')", place(Argument::Text(phone))));
    }
    if let Ok(id) = text.parse() {
        any.push(format!("crm_order_id = {}", place(Argument::Int(id))));
    }
    format!("({})", any.join(" OR "))
}

fn within(text: &str, mut place: impl FnMut(Argument) -> String) -> String {
    let mut capital = text.to_lowercase();
    if let Some(first) = text.chars().next() {
        let rest: String = text.chars().skip(1).collect();
        capital = first.to_uppercase().chain(rest.to_lowercase().chars()).collect();
    }
    let (exact, capital) = (place(Argument::Text(text.to_owned())), place(Argument::Text(capital)));
    let mut any = vec![format!("instr(buyer, {exact}) > 0"), format!("instr(buyer, {capital}) > 0")];
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // Only what is written as a phone is looked for among phones: a number of the CRM is digits too.
    if digits.len() >= 5 {
        any.push(format!("instr(phone, {}) > 0", place(Argument::Text(digits.trim_start_matches("38").to_owned()))));
    }
    format!("({})", any.join(" OR "))
}

pub(super) fn conditions(scope: &Scope, filter: &Filter, how: Text) -> (String, Vec<Argument>) {
    let mut parts = vec!["1 = 1".to_owned()];
    let mut arguments: Vec<Argument> = Vec::new();
    let mut place = |value: Argument| {
        arguments.push(value);
        format!("?{}", arguments.len())
    };
    if let Scope::Accounts(names) = scope {
        let names: Vec<String> = names.iter().map(|name| place(Argument::Text(name.clone()))).collect();
        parts.push(format!("account IN ({})", names.join(", ")));
    }
    if !filter.states.is_empty() {
        parts.push(in_states(&filter.states));
    }
    let bounds = [("received_at >=", filter.since), ("received_at <", filter.until), ("seq <", filter.before)];
    for (column, bound) in bounds {
        if let Some(bound) = bound {
            parts.push(format!("{column} {}", place(Argument::Int(bound))));
        }
    }
    if let Some(channel) = &filter.channel {
        parts.push(format!("channel = {}", place(Argument::Text(channel.clone()))));
    }
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        parts.push(match how {
            Text::Whole => whole(text, place),
            Text::Within => within(text, place),
        });
    }
    (parts.join(" AND "), arguments)
}
