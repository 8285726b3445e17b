//! The doubtful orders' part of the loop: when to look, and what a look leads to.

use std::collections::HashMap;

use parom_core::delivery::Mono;
use parom_core::delivery::rate::Ticket;
use parom_core::delivery::rows::Finding;
use parom_core::delivery::state::State;
use parom_core::delivery::verify::{Control, Doubt, Verdict};
use parom_core::order::Target;

use super::super::look::{self, Looked};
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
                self.fetch.hurry(clock::mono());
            }
        }
        self.hand = hand;
        let rows = self.store.doubts(&self.account).await?;
        self.stale = false;
        let now = clock::mono();
        let mut kept = HashMap::with_capacity(rows.len());
        for row in rows {
            let known = self.doubts.remove(&row.seq).filter(|(_, old)| old.resends == row.resends);
            let taken = row.reason == "number_taken";
            let doubt =
                known.map_or_else(|| Doubt::new(now, &self.plan, taken, row.resends, row.target), |(doubt, _)| doubt);
            kept.insert(row.seq, (doubt, row));
        }
        self.doubts = kept;
        Ok(())
    }

    pub(super) fn start_look(&mut self) {
        let now = clock::mono();
        let due = self.doubts.values().any(|(doubt, _)| doubt.next_look() <= now);
        if self.looking || !due {
            return;
        }
        // One request settles many: those that are not due yet come along.
        let mut chosen: Vec<(Mono, Doubtful)> =
            self.doubts.values().map(|(doubt, row)| (doubt.next_look(), row.clone())).collect();
        chosen.sort_by_key(|(next, row)| (*next, row.seq));
        // Orders and cards are looked for in lists of their own: what is most urgent says which.
        let target = chosen[0].1.target;
        chosen.retain(|(_, row)| row.target == target);
        chosen.truncate(if self.alone { 3 } else { look::BATCH });
        let most = self.budget.ceiling(now);
        if self.alone {
            chosen.truncate(most.saturating_sub(1).max(1));
        }
        // Never more than a whole minute can pay for.
        let needed = look::cost(target, chosen.len(), self.alone).min(most);
        let tickets: Vec<Ticket> = (0..needed).map_while(|_| self.budget.take(now)).collect();
        if tickets.len() < needed {
            tickets.into_iter().for_each(|ticket| self.budget.give_back(ticket));
            return;
        }
        self.looking = true;
        let rows: Vec<Doubtful> = chosen.into_iter().map(|(_, row)| row).collect();
        let (store, client, account, alone) =
            (self.store.clone(), self.client.clone(), self.account.clone(), self.alone);
        self.work.spawn(async move {
            let seqs = rows.iter().map(|row| row.seq).collect();
            // The ledger first: a restart must know of each request.
            for _ in &tickets {
                if let Err(error) = store.spend(&account).await {
                    let note = error.to_string();
                    return Done::Looked(
                        tickets,
                        seqs,
                        Looked { control: Control::Failed, found: HashMap::new(), note, rest: None },
                    );
                }
            }
            let looked = look::look(&store, &client, &account, &rows, alone, needed).await;
            Done::Looked(tickets, seqs, looked)
        });
    }

    pub(super) async fn weigh_look(&mut self, seqs: &[i64], looked: &Looked, now: Mono) {
        // If the control is missing from an answer to many numbers, perhaps commas do not split them.
        let of_orders = seqs.iter().filter_map(|seq| self.doubts.get(seq)).all(|(_, row)| row.target == Target::Order);
        if looked.control == Control::Failed && !looked.found.is_empty() && of_orders {
            self.alone = !self.alone;
        }
        if let Some(rest) = looked.rest {
            tracing::warn!(account = %self.account, rest, "the CRM asked for time");
            self.budget.limited(now, rest.saturating_mul(1_000));
        }
        for seq in seqs {
            let Some((mut doubt, row)) = self.doubts.remove(seq) else {
                continue;
            };
            let verdict = match looked.found.get(seq) {
                Some(finding) => doubt.weigh(finding, looked.control, now, &self.plan),
                None => {
                    doubt.missed(now, &self.plan);
                    Verdict::Wait
                }
            };
            let done = self.resolve(&row, &verdict, looked).await;
            if let Err(error) = done {
                tracing::warn!(order = %row.id, %error, "a look-up's result could not be written yet");
            }
            // Still listed until the next look at the rows: a verdict that was not written is found again.
            self.doubts.insert(*seq, (doubt, row));
        }
    }

    async fn resolve(&self, row: &Doubtful, verdict: &Verdict, looked: &Looked) -> Result<(), StoreError> {
        crate::crash::point("verify.before_result");
        match verdict {
            Verdict::Delivered(id) => {
                let note = format!("found in the CRM as {id}");
                tracing::info!(order = %row.id, crm_order_id = id, "found in the CRM");
                self.store.resolve(row, State::Delivered, Some(*id), "", &note).await?;
            }
            Verdict::Resend => {
                let note = "twice not in the CRM after the quiet period: sent again";
                tracing::warn!(order = %row.id, "not in the CRM; sent again");
                self.store.resolve(row, State::Queued, None, "resend", note).await?;
            }
            Verdict::Dispute(why) => {
                tracing::error!(order = %row.id, why, "a person must decide");
                self.store.resolve(row, State::Disputed, None, why, why).await?;
            }
            Verdict::Wait => {
                let note = match (looked.found.get(&row.seq), looked.control) {
                    (None, _) => format!("look-up without an answer: {}", looked.note),
                    (Some(Finding::Absent), Control::Failed) => "not found, but the control is missing too".to_owned(),
                    (Some(_), _) => "not found yet".to_owned(),
                };
                self.store.note_look(vec![row.seq], &note).await?;
            }
        }
        Ok(())
    }
}
