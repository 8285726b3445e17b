//! The delivery protocol under a seeded schedule of faults: crashes between any two verbs, lost and late answers, storms,
//! lies, clocks that jump, frozen machines, restores, several dispatchers.
//!
//! What decides is the code that runs in production (`delivery::dispatch`, `outcome`, `rows`, `verify`, `rate`, `breaker`,
//! `checks`); what is played here is the store's verbs, the network, the CRM and time. A seed is one whole life of a few
//! orders; the same seed is the same life.

mod bulk;
mod crm;
mod judge;
mod life;
mod look;
mod send;
mod store;
mod tests;

use crate::dice::Dice;
use parom_core::delivery::verify::Plan;

/// Times of the protocol, as in production.
pub(crate) const PLAN: Plan = Plan { quiet: 180_000, gap: 60_000, resend: true };
/// One POST, whole.
pub(crate) const TIMEOUT: u64 = 30_000;
pub(crate) const LEASE: u64 = 90_000;
pub(crate) const RENEW: u64 = 20_000;
pub(crate) const SOURCE: i64 = 22;
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;

/// Faults of the store's verbs and of the machinery around the decisions; those of the decisions are `Planted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The sender is answered before the commit.
    AckBeforeCommit,
    /// The intent is not on disk when the request goes.
    IntentUncommitted,
    /// A claim by a dispatcher that lost its lease is taken.
    EpochUnchecked,
    /// A result is written whoever moved the order meanwhile.
    ResultUnguarded,
    /// What was being sent is queued again at the start.
    RecoverToQueued,
    /// The HTTP library sends a request again whose connection was lost.
    Redial,
    /// The sender's key is not looked at.
    KeyUnchecked,
    /// A restored store goes on as if nothing had been sent since.
    RestoredAsIs,
}

impl Broken {
    pub(crate) const ALL: [Broken; 8] = [
        Broken::AckBeforeCommit,
        Broken::IntentUncommitted,
        Broken::EpochUnchecked,
        Broken::ResultUnguarded,
        Broken::RecoverToQueued,
        Broken::Redial,
        Broken::KeyUnchecked,
        Broken::RestoredAsIs,
    ];
}

/// How a life goes: drawn from its seed, before it begins.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) orders: u64,
    pub(crate) nodes: usize,
    pub(crate) limit: u32,
    /// Faults come until then.
    pub(crate) faults_until: u64,
    /// Of 1,000 steps between verbs, so many crash.
    pub(crate) crash: u64,
    /// Of 1,000 steps between verbs, so many stop the machine for a while.
    pub(crate) freeze: u64,
    /// Of 100 requests, so many meet a fault.
    pub(crate) trouble: u64,
    /// The one trouble and the one lie of this life, of all that there are; else any.
    pub(crate) favourite: Option<u64>,
    /// Of 100 looks, so many lie or fail.
    pub(crate) lies: u64,
    /// The CRM refuses a number that it has.
    pub(crate) rejects_taken: bool,
    /// The CRM may apply a request later than any quiet period: the named exception.
    pub(crate) beyond: bool,
    /// A stranger's orders have some of the numbers.
    pub(crate) strangers: bool,
    /// Commas do not split numbers.
    pub(crate) no_commas: bool,
    /// The store is put back to an earlier state once.
    pub(crate) restore: bool,
    /// The only trouble: every POST fails for a while.
    pub(crate) storm: bool,
    /// A backlog goes by the bulk call.
    pub(crate) bulk: bool,
}

impl Fate {
    pub(crate) fn of(dice: &mut Dice) -> Fate {
        let storm = dice.below(10) == 0;
        let nodes = if dice.below(3) == 0 { 2 + usize::try_from(dice.below(2)).unwrap() } else { 1 };
        Fate {
            orders: if storm { 12 + dice.below(12) } else { 2 + dice.below(8) },
            nodes,
            limit: [4, 6, 12, 54][usize::try_from(dice.below(4)).unwrap()],
            faults_until: 5 * MINUTE + dice.below(20) * MINUTE,
            crash: [0, 5, 20, 60][usize::try_from(dice.below(4)).unwrap()],
            freeze: [0, 0, 10, 30][usize::try_from(dice.below(4)).unwrap()],
            favourite: (dice.below(2) == 0).then(|| dice.next()),
            trouble: if storm { 0 } else { [5, 20, 50][usize::try_from(dice.below(3)).unwrap()] },
            lies: [0, 10, 40, 90][usize::try_from(dice.below(4)).unwrap()],
            rejects_taken: dice.below(3) == 0,
            beyond: dice.below(8) == 0,
            strangers: dice.below(8) == 0,
            no_commas: dice.below(8) == 0,
            restore: nodes == 1 && dice.below(8) == 0,
            storm,
            bulk: false,
        }
    }
}

/// Now, to measure how many lives a second there are.
#[expect(clippy::disallowed_methods, reason = "how long lives take is measured, not lived by")]
pub(crate) fn moment() -> std::time::Instant {
    std::time::Instant::now()
}

/// Whether one life is played, of `PAROM_SEED`, and tells each of its events (`PAROM_TELL=1`).
#[expect(clippy::disallowed_methods, reason = "asked for from outside of the tests")]
pub(crate) fn tells() -> bool {
    std::env::var("PAROM_TELL").is_ok()
}
