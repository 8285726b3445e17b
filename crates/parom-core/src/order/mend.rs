//! What a channel does with an order that has problems: mend it, hold it, or refuse it.

use serde_json::Value;

use super::Draft;
use crate::limits;
use crate::problem::Effect;

/// A channel's `on_invalid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// A bad value that the order can do without moves to the manager's comment; the order goes, marked.
    Mend,
    /// Any problem holds.
    Hold,
    /// The sender gets 422; the submission is kept.
    Reject,
}

/// What happens to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to the CRM.
    Go,
    /// It waits for a person.
    Hold,
    /// It is refused to its sender.
    Reject,
}

impl Verdict {
    /// Its word, as the contract has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Go => "go",
            Verdict::Hold => "hold",
            Verdict::Reject => "reject",
        }
    }
}

/// Applies the policy: moves what was left out into the manager's comment and says what happens.
pub fn settle(draft: &mut Draft, policy: OnInvalid) -> Verdict {
    draft.problems.truncate(limits::PROBLEMS);
    if policy != OnInvalid::Mend {
        let mends = draft.problems.iter_mut().filter(|problem| problem.effect == Effect::Mend);
        mends.for_each(|problem| problem.effect = Effect::Hold);
    }
    let worst = draft.problems.iter().map(|problem| problem.effect).max();
    let verdict = match (worst, policy) {
        (None | Some(Effect::Warn), _) | (Some(Effect::Mend), OnInvalid::Mend) => Verdict::Go,
        (_, OnInvalid::Reject) => Verdict::Reject,
        _ => Verdict::Hold,
    };
    if policy == OnInvalid::Mend {
        comment(draft);
    }
    verdict
}

/// Nothing that the buyer wrote gets lost: a text that fits no field is for the manager to read.
fn comment(draft: &mut Draft) {
    let mended = |path: &str| draft.problems.iter().any(|p| p.path == path && p.effect == Effect::Mend);
    let lines: Vec<String> = draft
        .left_out
        .iter()
        .filter(|(path, _)| mended(path) && path != "manager_comment")
        .map(|(path, text)| format!("{path}: {}", text.chars().take(limits::MENDED_TEXT_CHARS).collect::<String>()))
        .collect();
    if lines.is_empty() {
        return;
    }
    let before = draft.body.get("manager_comment").and_then(Value::as_str).unwrap_or_default();
    let added = lines.join("\n");
    let whole = if before.is_empty() { added } else { format!("{before}\n{added}") };
    draft.body.insert("manager_comment".into(), Value::String(whole));
    draft.left_out.clear();
}
