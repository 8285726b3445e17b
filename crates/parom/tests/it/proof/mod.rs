//! The proof: power cuts, kills, disks, clocks and bad neighbours, each tried often, from a seed, and compared by a checker
//! that shares no code with the gateway.
//!
//! `make test` runs the small figures; `make soak MINUTES=n` repeats the same tests with larger ones. A row is
//! `plan, what, runs, seed, figures`; the lines are gathered in `proof.tsv` and printed as one table at the end.

pub(crate) mod acks;
mod answers;
mod back;
mod backup;
pub(crate) mod checker;
mod clocks;
mod cuts;
mod damage;
mod disks;
mod failing;
mod full;
mod kills;
mod kills_at;
mod lies;
pub(crate) mod mutate;
mod power;
mod recorded;
pub(crate) mod rows;
pub(crate) mod shop;
mod slow;
mod storms;
mod teeth;
mod trace;
mod twins;
mod webhooks;
mod wire;

/// Of sorted times the one that so many per cent are not above, in milliseconds.
pub(crate) fn percentile(sorted: &[std::time::Duration], percent: usize) -> u128 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .map_or(0, std::time::Duration::as_millis)
}
