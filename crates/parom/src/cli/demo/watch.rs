//! What the demo's terminal shows: each order's way, and while one is in doubt, how long until that is settled.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use parom_core::delivery::state::State;
use parom_gateway::clock;
use parom_gateway::store::{Filter, Scope, Store, Summary};

use crate::cli::print;
use crate::cli::show::time;

const LOOK: Duration = Duration::from_millis(250);
/// The demo's own times, as `files` writes them: quiet period and gap.
const QUIET_S: i64 = 10;
const GAP_S: i64 = 3;

/// Runs until it is dropped.
pub(super) async fn watch(store: &Store) {
    let mut seen: HashMap<String, (State, i64)> = HashMap::new();
    let mut first = true;
    let mut line = StatusLine::default();
    loop {
        let filter = Filter { limit: 100, ..Filter::default() };
        let orders = store.orders(&Scope::All, filter).await.unwrap_or_default();
        let now = clock::now().as_millisecond();
        for order in orders.iter().rev() {
            let known = seen.get(&order.id).map(|(state, _)| *state);
            if known != Some(order.state) {
                seen.insert(order.id.clone(), (order.state, now));
                // Orders of an earlier run are told of only when they change.
                if !first || order.state == State::Unconfirmed {
                    line.clear();
                    print(&format!("{}  {}\n", time(now), describe(order)));
                }
            }
        }
        first = false;
        let delivered = orders.iter().any(|order| order.state == State::Delivered);
        line.show(&doubt(&orders, &seen, delivered, now));
        tokio::time::sleep(LOOK).await;
    }
}

fn describe(order: &Summary) -> String {
    let name = if order.buyer.is_empty() { "an order" } else { &order.buyer };
    let text = match order.state {
        State::Queued if order.attempts == 0 => "accepted: on disk, waiting for its turn".to_owned(),
        State::Queued => format!("waits to be sent again ({})", order.reason),
        State::Sending => "being sent".to_owned(),
        State::Unconfirmed => {
            format!("may or may not be in the CRM ({}): not sent again before that is known", order.reason)
        }
        State::Delivered => format!("in the CRM as {}", order.crm_order_id.unwrap_or_default()),
        State::Held => format!("held for a person: {}", problems(order)),
        State::Rejected => "refused by the CRM: `parom orders show` tells why".to_owned(),
        State::Disputed => format!("a person must decide: {}", order.reason),
        State::Canceled => "canceled".to_owned(),
    };
    format!("{:<15} {:<11} {name}: {text}", order.number, order.state.as_str())
}

fn problems(order: &Summary) -> String {
    let texts: Vec<&str> = order.problems.iter().map(|problem| problem.message.as_str()).collect();
    texts.join("; ")
}

/// The countdown: at the latest then it is known whether the oldest doubtful order is in the CRM.
fn doubt(orders: &[Summary], seen: &HashMap<String, (State, i64)>, delivered: bool, now: i64) -> String {
    let doubtful = orders.iter().filter(|order| order.state == State::Unconfirmed);
    let Some((order, since)) = doubtful.filter_map(|o| Some((o, seen.get(&o.id)?.1))).min_by_key(|(_, at)| *at) else {
        return String::new();
    };
    // Without a delivered order to compare with, the quiet period counts double.
    let quiet = if delivered { QUIET_S } else { 2 * QUIET_S };
    let left = (since + (quiet + GAP_S) * 1_000 - now + 999) / 1_000;
    if left > 0 {
        format!("  … looking for {} in the CRM; decided in at most {left} s", order.number)
    } else {
        format!("  … looking for {} in the CRM", order.number)
    }
}

/// One line that is written over at a terminal, and repeated now and then elsewhere.
#[derive(Default)]
struct StatusLine {
    shown: String,
    quiet: u32,
}

impl StatusLine {
    fn show(&mut self, text: &str) {
        if text == self.shown {
            return;
        }
        if std::io::stdout().is_terminal() {
            self.clear();
            print(text);
            let _ = std::io::stdout().flush();
        } else if !text.is_empty() {
            // About every five seconds.
            if self.quiet == 0 {
                print(&format!("{text}\n"));
                self.quiet = 5;
            }
            self.quiet -= 1;
        }
        text.clone_into(&mut self.shown);
    }

    fn clear(&mut self) {
        if !self.shown.is_empty() && std::io::stdout().is_terminal() {
            print("\r\x1b[2K");
        }
        self.shown.clear();
    }
}
