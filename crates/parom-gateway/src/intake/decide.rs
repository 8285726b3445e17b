//! A submission is decided: its order by the channel's mapping, its state, and the record that the store keeps.

use jiff::Timestamp;
use parom_core::channel::OnRepeat;
use parom_core::delivery::change::Change;
use parom_core::delivery::state::State as OrderState;
use parom_core::mapping::{self, Given};
use parom_core::order::{Draft, Verdict};
use parom_core::presets::Mark;
use parom_core::spam::Stamp;
use parom_core::submission::Submission;
use parom_core::{Code, Effect, Problem};

use super::access::Entry;
use super::keep;
use super::key::{self, Key};
use crate::config::LiveChannel;
use crate::store::{KeyConflict, NewOrder, NewSubmission};

/// The order of a submission; a channel that cannot be used holds, and replays when it is mended.
pub(super) fn decide(live: &LiveChannel, submission: &Submission, entry: Entry, given: Given<'_>) -> (Draft, Verdict) {
    let Some(channel) = &live.channel else { return broken(live, given.random) };
    if !channel.has_mapping() && channel.learn {
        let message =
            "the channel learns: what came is kept as a sample, and the order waits for its mapping".to_owned();
        let hint = "Write the mapping from a sample (parom channel suggest NAME): the order then goes by itself.";
        return held(given.random, Code::NoMapping, message, hint);
    }
    if !channel.has_mapping() {
        let message = "the channel takes drop-in requests alone, and a form came".to_owned();
        return held(given.random, Code::NoMapping, message, "Add a mapping to the channel, then retry this order.");
    }
    let (mut draft, mut verdict) = mapping::map(channel, submission, given);
    if entry == Entry::Foreign {
        let message = "the form was sent from a site that the channel does not list";
        let hint = "Release it if the site is yours, and add it to access.origins.";
        draft.problems.push(Problem::new("", Code::ForeignOrigin, Effect::Hold, message, hint));
        verdict = Verdict::Hold;
    }
    (draft, verdict)
}

/// What comes for a channel that cannot be used: held, and replayed when it is mended.
pub(super) fn broken(live: &LiveChannel, random: u128) -> (Draft, Verdict) {
    let message = format!("the channel's file cannot be used: {}", live.fault());
    held(random, Code::ChannelBroken, message, "Mend the file: the order then goes by itself.")
}

/// An order of which nothing is made yet but its number.
fn held(random: u128, code: Code, message: String, hint: &str) -> (Draft, Verdict) {
    let mut draft = Draft::default();
    draft.body.insert("source_uuid".into(), parom_core::number::own(random).into());
    draft.problems.push(Problem::new("", code, Effect::Hold, message, hint));
    (draft, Verdict::Hold)
}

/// What a later request of a sender changes of an order that is in the CRM.
pub(super) fn changes(
    live: &LiveChannel,
    submission: &Submission,
    mark: &Mark,
    given: Given<'_>,
) -> (Vec<Change>, Vec<Problem>) {
    match &live.channel {
        Some(channel) if mark.updates => mapping::changes(channel, submission, given),
        _ => Default::default(),
    }
}

/// What was decided about a submission, and by which version of the dictionaries.
pub(super) struct Decided {
    pub(super) draft: Draft,
    pub(super) verdict: Verdict,
    pub(super) checked: i64,
    /// The submission's hash.
    pub(super) content: [u8; 32],
}

/// The bits of the order's own number: what came by a key has the same number if it comes again.
pub(super) fn bits(live: &LiveChannel, key: Option<&str>, content: &[u8; 32]) -> u128 {
    key.map_or_else(|| uuid::Uuid::new_v4().as_u128(), |key| parom_core::number::bits(&live.name, key, content))
}

/// What the request says of itself.
#[derive(Default)]
pub(super) struct Told {
    pub(super) key: Key,
    /// The page that posted is none of the channel's.
    pub(super) foreign: bool,
    pub(super) mark: Mark,
    pub(super) signed: bool,
    pub(super) page: bool,
    pub(super) changes: (Vec<Change>, Vec<Problem>),
    /// The form time that it uses up.
    pub(super) stamp: Option<Stamp>,
}

pub(super) fn new_order(
    live: &LiveChannel,
    submission: &Submission,
    row: NewSubmission,
    decided: Decided,
    told: Told,
) -> NewOrder {
    let Decided { draft, verdict, checked, content } = decided;
    let (state, reason) = keep::standing(verdict, &draft.problems);
    // Some forms come as JSON: those of a known sender that gives its orders no id.
    let form_sender = live.channel.as_ref().is_some_and(|channel| channel.preset.is_some());
    let is_form = (!submission.flat.is_empty() || form_sender) && !told.signed;
    let looks = is_form && state != OrderState::Canceled && !told.key.text.as_deref().is_some_and(key::tells_orders);
    let on_repeat = live.channel.as_ref().filter(|_| looks).map_or(OnRepeat::Off, |channel| channel.on_repeat);
    NewOrder {
        id: uuid::Uuid::now_v7().to_string(),
        channel: live.name.clone(),
        channel_version: live.version,
        account: live.channel.as_ref().map(|channel| channel.account.clone()).unwrap_or_default(),
        received_at: submission.received_at.as_millisecond(),
        state,
        reason,
        target: draft.target,
        number: draft.number().unwrap_or_default().to_owned(),
        checked,
        body: draft.body,
        problems: draft.problems,
        content,
        key_conflict: match (told.mark.updates && told.key.of_sender && !told.foreign, told.page) {
            (true, _) => KeyConflict::Update,
            (false, true) => KeyConflict::Hold,
            (false, false) => KeyConflict::Refuse,
        },
        key: told.key.text,
        changes: told.changes,
        doubt: told.mark.doubt,
        changed_at: told.mark.changed_at.map(Timestamp::as_millisecond),
        stamp: told.stamp,
        on_repeat,
        submission: row,
    }
}
