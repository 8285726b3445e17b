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
    if draft.problems.len() > limits::PROBLEMS {
        // What holds it is among those that are kept.
        draft.problems.sort_by_key(|problem| std::cmp::Reverse(problem.effect));
        draft.problems.truncate(limits::PROBLEMS);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Code, Problem};

    /// A cart has more lines than an order keeps problems: what holds it is not cut off with the rest.
    #[test]
    fn what_holds_an_order_counts_however_late_it_was_found() {
        let mut draft = Draft::default();
        for line in 0..limits::PROBLEMS + 10 {
            let (effect, code) = match line > limits::PROBLEMS {
                true => (Effect::Hold, Code::AmbiguousNumber),
                false => (Effect::Mend, Code::InvalidUrl),
            };
            let path = format!("products.{line}.picture");
            draft.problems.push(Problem::new(&path, code, effect, "no address", "Send one."));
            draft.left_out.push((path, format!("text {line}")));
        }
        assert_eq!(settle(&mut draft, OnInvalid::Mend), Verdict::Hold);
        assert_eq!(draft.problems.len(), limits::PROBLEMS);
        assert_eq!(draft.problems.iter().filter(|problem| problem.effect == Effect::Hold).count(), 9);
        let comment = draft.body["manager_comment"].as_str().unwrap();
        assert!(comment.contains("products.100.picture: text 100"), "{comment}");
    }
}
