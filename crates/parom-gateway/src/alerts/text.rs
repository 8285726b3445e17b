//! What a message says: how many orders wait, where and why, and a link. No buyer is in it.

use super::faults::Fault;
use crate::store::Waiting;
use crate::ui::word;

/// Lines of a message: the rest is on the page.
const LINES: usize = 20;

pub(super) fn of(language: &str, pages: &str, orders: &[Waiting], faults: &[Fault]) -> String {
    let mut lines = Vec::new();
    // First: each is told once, and must not be the line that finds no room.
    for fault in faults {
        lines.push(match fault {
            Fault::KeyRefused(account) => format!("• {}: {account}", word(language, "key-refused")),
            Fault::Rests(account) => format!("• {}: {account}", word(language, "account-rests")),
            Fault::InDoubt(account) => format!("• {}: {account}", word(language, "long-in-doubt")),
            Fault::Broken(channel, machine) => {
                format!("• {}: {channel}{}", word(language, "channel-broken"), on(machine))
            }
            Fault::AccountFile(account, machine) => {
                format!("• {}: {account}{}", word(language, "account-file-broken"), on(machine))
            }
            Fault::Silent(channel) => format!("• {}: {channel}", word(language, "channel-silent")),
            Fault::Disk(machine) => format!("• {}{}", word(language, "disk-low"), on(machine)),
            Fault::BackupOld(machine) => format!("• {}{}", word(language, "backup-old"), on(machine)),
            Fault::Stranger(account) => format!("• {}: {account}", word(language, "account-stranger")),
            Fault::NodeLost(node) => format!("• {}: {node}", word(language, "node-lost")),
        });
    }
    if !orders.is_empty() {
        lines.push(format!("{}:", word(language, "needs-a-person")));
    }
    for waiting in orders {
        let state = match waiting.state.as_str() {
            "change_refused" => word(language, "problem-change_refused"),
            state => word(language, &format!("state-{state}")),
        };
        lines.push(format!("• {state}: {} ({})", waiting.count, waiting.channel));
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(format!("… +{more}"));
    }
    let place = if orders.is_empty() { "/" } else { "/orders?state=person" };
    format!("Parom\n{}\n{pages}{place}", lines.join("\n"))
}

fn on(machine: &str) -> String {
    if machine.is_empty() { String::new() } else { format!(" ({machine})") }
}
