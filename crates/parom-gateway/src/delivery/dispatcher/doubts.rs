//! The doubtful orders' part of the loop: when to look, and what a look leads to.

use std::collections::HashMap;

use parom_core::delivery::Mono;
use parom_core::delivery::dispatch::{DoubtRow, Look, Looked};
use parom_core::delivery::reason;
use parom_core::delivery::rows::Finding;
use parom_core::delivery::state::State;
use parom_core::delivery::verify::{Control, Verdict};

use super::super::look;
use super::{Dispatcher, Done};
use crate::clock;
use crate::store::{Doubtful, StoreError};

impl Dispatcher {
    /// The rows decide which orders are doubtful; when each was first seen is this process's own knowledge.
    pub(super) async fn refresh_doubts(&mut self) -> Result<(), StoreError> {
        if !self.stale {
            return Ok(());
        }
        let hand = self.store.board().hand();
        if hand != self.hand {
            let state = self.store.sync_state(&self.account).await?;
            if state.asked_at > state.done_at {
                self.fetch.hurry_for(state.asked_at, clock::mono());
            }
        }
        self.hand = hand;
        let rows = self.store.doubts(&self.account).await?;
        self.stale = false;
        let known = rows.iter().map(|row| DoubtRow {
            seq: row.seq,
            taken: row.reason == reason::NUMBER_TAKEN,
            said: row.said,
            asked: row.reason == reason::ASKED,
            restored: row.reason == reason::RESTORED,
            bulk: row.reason == reason::BULK,
            attempts: row.attempts,
            resends: row.resends,
            target: row.target,
        });
        self.dispatch.refresh(known, clock::mono());
        self.doubts = rows.into_iter().map(|row| (row.seq, row)).collect();
        Ok(())
    }

    pub(super) fn start_look(&mut self) {
        let Some(look) = self.dispatch.look(clock::mono()) else { return };
        let rows: Vec<Doubtful> = look.seqs.iter().filter_map(|seq| self.doubts.get(seq)).cloned().collect();
        let (store, client, account) = (self.store.clone(), self.client.clone(), self.account.clone());
        let epoch = Some(self.epoch);
        self.work.spawn(async move {
            // The ledger first: a restart must know of each request.
            for _ in &look.tickets {
                if let Err(error) = store.spend(&account, epoch).await {
                    let nothing =
                        Looked { control: Control::Failed, found: HashMap::new(), rest: None, strange: false };
                    return Done::Looked(look, nothing, error.to_string());
                }
            }
            let (looked, note) = look::look(&store, &client, &account, &rows, &look).await;
            Done::Looked(look, looked, note)
        });
    }

    pub(super) async fn weigh_look(&mut self, look: Look, looked: &Looked, note: &str, now: Mono) {
        if let Some(rest) = looked.rest {
            tracing::warn!(account = %self.account, rest, "the CRM asked for time");
        }
        for (seq, verdict) in self.dispatch.looked(look, looked, now) {
            // Still listed until the next look at the rows: a verdict that is not written is found again.
            let Some(row) = self.doubts.get(&seq) else { continue };
            if let Err(error) = self.resolve(row, &verdict, looked, note).await {
                tracing::warn!(order = %row.id, %error, "a look-up's result could not be written yet");
            }
        }
    }

    async fn resolve(&self, row: &Doubtful, verdict: &Verdict, looked: &Looked, note: &str) -> Result<(), StoreError> {
        crate::crash::point("verify.before_result");
        match verdict {
            Verdict::Delivered(id) => {
                let note = format!("found in the CRM as {id}");
                tracing::info!(order = %row.id, crm_order_id = id, "found in the CRM");
                self.store.resolve(row, self.epoch, State::Delivered, Some(*id), "", &note).await?;
            }
            Verdict::Resend => {
                let note = "twice not in the CRM after the quiet period: sent again";
                tracing::warn!(order = %row.id, "not in the CRM; sent again");
                self.store.resolve(row, self.epoch, State::Queued, None, reason::RESEND, note).await?;
            }
            Verdict::Dispute(why) => {
                tracing::error!(order = %row.id, why, "a person must decide");
                self.store.resolve(row, self.epoch, State::Disputed, None, why, why).await?;
            }
            Verdict::Wait => {
                let note = match (looked.found.get(&row.seq), looked.control) {
                    (None, _) => format!("look-up without an answer: {note}"),
                    (Some(Finding::Absent), Control::Failed) => "not found, but the control is missing too".to_owned(),
                    (Some(_), _) => "not found yet".to_owned(),
                };
                self.store.note_look(row, &note).await?;
            }
        }
        Ok(())
    }
}
