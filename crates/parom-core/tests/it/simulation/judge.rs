//! What must hold at the end of a life, whatever happened in it.

use std::collections::BTreeMap;

use parom_core::delivery::state::State;

use super::life::{BUSY, Life};

impl Life {
    /// Every broken promise, in words.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.happened > BUSY {
            found.push(format!("a loop that never rests, {} s from the start", self.now / 1_000));
        }
        let mut copies: BTreeMap<&str, Vec<&super::crm::Kept>> = BTreeMap::new();
        for row in self.crm.rows.iter().filter(|row| !row.stranger) {
            copies.entry(&row.number).or_default().push(row);
        }
        for key in &self.acked {
            if !self.store.has(*key) && !self.lost_by_restore.contains(key) {
                found.push(format!("I1: order {key} was acknowledged and is nowhere"));
            }
        }
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.store.rows.values() {
            *numbers.entry(&row.number).or_default() += 1;
        }
        for row in self.store.rows.values() {
            let there = copies.get(row.number.as_str()).map_or(0, Vec::len);
            let accepted = numbers.get(row.number.as_str()).copied().unwrap_or_default();
            match row.state {
                State::Delivered if there == 0 => {
                    found.push(format!("I1: {} counts as delivered and is not in the CRM", row.number));
                }
                State::Delivered | State::Disputed | State::Rejected | State::Canceled => {}
                state => found.push(format!("I8: {} is {state} at the end ({})", row.number, row.reason)),
            }
            let excepted = self.crm.excepted.contains(&row.number) && row.state == State::Disputed;
            if there > 1 && !excepted || accepted > 1 {
                let state = row.state;
                found.push(format!("I2: {} is there {there} times and {state}, accepted {accepted}", row.number));
            }
            if copies.get(row.number.as_str()).is_some_and(|rows| rows.iter().any(|copy| copy.body != row.body)) {
                found.push(format!("I4: {} has another content in the CRM", row.number));
            }
            if row.resends > 2 {
                found.push(format!("{} was sent again {} times", row.number, row.resends));
            }
        }
        for number in copies.keys() {
            let lost = self.lost_by_restore.iter().any(|key| format!("P-{key}") == **number);
            if !numbers.contains_key(*number) && !lost {
                found.push(format!("I3: {number} is in the CRM and nobody ordered it"));
            }
        }
        // What was claimed when it was heard may still go, if the machine stood still between the two.
        if self.disobeyed > 4 && self.nodes.len() == 1 {
            found.push(format!("{} requests went while the CRM had asked for time", self.disobeyed));
        }
        found.extend(self.dreamt.iter().map(|number| format!("I1: {number} counted as delivered and was not there")));
        found.extend(self.over_the_limit());
        for (from, to) in &self.store.illegal {
            found.push(format!("I6: {from} became {to}"));
        }
        // Three unknown outcomes open the breaker, and so many more may be under way: four, or two once one was unknown.
        if self.doubted_at_once > 5 && self.nodes.len() == 1 {
            found.push(format!("{} orders became doubtful at once", self.doubted_at_once));
        }
        found
    }

    fn over_the_limit(&self) -> Option<String> {
        let mut arrivals = self.crm.arrivals.clone();
        arrivals.sort_unstable();
        let limit = usize::try_from(self.fate.limit).unwrap();
        let over = arrivals.windows(limit + 1).find(|window| window[limit] - window[0] < 60_000)?;
        Some(format!("I5: {} requests in {} ms", limit + 1, over[limit] - over[0]))
    }
}
