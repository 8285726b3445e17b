//! Look-ups and looks back, as the gateway makes them.

use std::collections::{BTreeMap, HashMap};

use parom_core::delivery::checks::{self, Checked};
use parom_core::delivery::dispatch::{Back, Look, Looked};
use parom_core::delivery::rows::{Delivered, List, Wanted};
use parom_core::delivery::state::State;
use parom_core::delivery::verify::{Control, Verdict};

use super::SOURCE;
use super::crm::Mood;
use super::life::{Event, Life};

const LIES: [Mood; 10] = [
    Mood::Empty,
    Mood::All { newest: true, says_whole: false },
    Mood::All { newest: false, says_whole: false },
    Mood::All { newest: true, says_whole: true },
    Mood::All { newest: false, says_whole: true },
    Mood::Lagging,
    Mood::Part,
    Mood::OtherSource,
    Mood::NoAnswer,
    Mood::Limited,
];

impl Life {
    pub(crate) fn look_goes(&mut self, node: usize, epoch: u64, look: Look) {
        if self.crashes(node) {
            return;
        }
        let leads = look.tickets.iter().all(|_| self.store.spend(epoch, self.now));
        if self.crashes(node) {
            return;
        }
        if !leads {
            return self.abdicates(node);
        }
        let mood = self.mood();
        let looked = self.ask_all(&look, mood);
        let latency = 20 + self.dice.below(800);
        self.stalls(node, 8);
        let sent = look.seqs.iter().filter_map(|seq| Some((*seq, self.store.rows.get(seq)?.attempts))).collect();
        self.at(self.now + latency, node, Event::LookHeard(epoch, look, looked, sent));
    }

    fn mood(&mut self) -> Mood {
        if self.trouble(self.fate.lies) { LIES[self.favourite(10)] } else { Mood::Honest }
    }

    fn ask_all(&mut self, look: &Look, mood: Mood) -> Looked {
        let doubts: Vec<(i64, Wanted)> =
            look.seqs.iter().filter_map(|seq| Some((*seq, self.store.wanted(*seq)?))).collect();
        let controls = self.store.controls();
        let pays = look.pays_for_control();
        let mut looked = Looked {
            control: Control::Failed,
            found: HashMap::new(),
            rest: (mood == Mood::Limited).then_some(60),
            strange: false,
        };
        let (control, plain) = if look.alone {
            let (mut control, mut plain) = (Control::Failed, None);
            if pays {
                let list = match controls.first() {
                    Some(control) => match self.ask(std::slice::from_ref(&control.number), mood) {
                        Some(list) => list,
                        None => return looked,
                    },
                    None => List { rows: Vec::new(), whole: true },
                };
                (control, plain) = self.control(&list, &controls, 1, mood);
            }
            for (seq, wanted) in &doubts {
                if let Some(list) = self.ask(std::slice::from_ref(&wanted.number), mood) {
                    control = if list.whole { control } else { Control::Failed };
                    looked.found.insert(*seq, list.find(wanted));
                }
            }
            (control, plain)
        } else {
            let asked = doubts.iter().map(|(_, wanted)| &wanted.number).chain(controls.iter().map(|c| &c.number));
            let asked: Vec<String> = asked.cloned().collect();
            let Some(list) = self.ask(&asked, mood) else {
                looked.strange = matches!(mood, Mood::All { .. });
                return looked;
            };
            looked.found = doubts.iter().map(|(seq, wanted)| (*seq, list.find(wanted))).collect();
            if controls.is_empty() && !pays {
                (Control::Failed, None)
            } else {
                self.control(&list, &controls, doubts.len(), mood)
            }
        };
        for (seq, wanted) in &doubts {
            if let (Some(plain), Some(finding)) = (&plain, looked.found.get_mut(seq)) {
                plain.add(wanted, finding);
            }
            if control == Control::Weak && mood != Mood::Honest {
                self.crm.excepted.push(wanted.number.clone());
            }
        }
        looked.control = control;
        looked
    }

    fn ask(&mut self, asked: &[String], mood: Mood) -> Option<List> {
        self.crm.arrivals.push(self.now + 10);
        let names: Vec<&str> = asked.iter().map(String::as_str).collect();
        let commas = !self.fate.no_commas;
        self.crm.list(asked, commas, mood, self.now).filter(|list| list.answers(&names))
    }

    fn control(&mut self, list: &List, controls: &[Delivered], asked: usize, mood: Mood) -> (Control, Option<List>) {
        if let Some(control) = list.control(controls, asked) {
            return (control, None);
        }
        self.crm.arrivals.push(self.now + 15);
        match self.crm.newest(mood) {
            Some(plain) => (Control::Weak, Some(plain)),
            None => (Control::Failed, None),
        }
    }

    pub(crate) fn look_heard(
        &mut self,
        node: usize,
        epoch: u64,
        look: Look,
        looked: &Looked,
        sent: &BTreeMap<i64, u32>,
    ) {
        let mono = self.mono();
        let Some((own, dispatch)) = &mut self.nodes[node].dispatch else { return };
        if *own != epoch {
            return;
        }
        let verdicts = dispatch.looked(look, looked, mono);
        for (seq, verdict) in verdicts {
            if self.crashes(node) {
                return;
            }
            let (wall, at) = (self.wall(), (seq, sent.get(&seq).copied().unwrap_or_default()));
            match verdict {
                Verdict::Delivered(id) => self.store.resolve(at, State::Delivered, Some(id), "", wall),
                Verdict::Resend => self.store.resolve(at, State::Queued, None, "resend", wall),
                Verdict::Dispute(why) => self.store.resolve(at, State::Disputed, None, why, wall),
                Verdict::Wait => {}
            }
            self.compare(seq);
        }
        self.soon(node);
    }

    /// Starts a look back at what is due; else, how long until the next is.
    pub(crate) fn start_check(&mut self, node: usize, epoch: u64) -> Option<u64> {
        let wall = self.wall();
        let planned =
            self.store.rows.values().filter(|row| row.state == State::Delivered).filter_map(|row| row.check_at);
        let next = planned.map(|at| if checks::is_due(at, wall) { wall } else { at }).min()?;
        if next > wall || self.nodes[node].checking {
            return Some(u64::try_from(next.saturating_sub(wall)).unwrap_or(1).max(1_000));
        }
        let mono = self.mono();
        let (_, dispatch) = self.nodes[node].dispatch.as_mut()?;
        let due = self.store.rows.iter().filter(|(_, row)| row.state == State::Delivered);
        let due = due.filter(|(_, row)| row.check_at.is_some_and(|at| checks::is_due(at, wall))).map(|(seq, _)| *seq);
        match dispatch.look_back(mono) {
            Ok(back) => {
                let due = due.take(back.orders).collect();
                self.nodes[node].checking = true;
                self.push_in(node, 5, Event::CheckGoes(epoch, back, due));
                Some(60_000)
            }
            Err(at) => Some(at.map_or(1_000, |at| at.since(mono)).max(1)),
        }
    }

    pub(crate) fn check_goes(&mut self, node: usize, epoch: u64, back: Back, seqs: &[i64]) {
        self.nodes[node].checking = false;
        if self.crashes(node) {
            return;
        }
        if !back.tickets.iter().all(|_| self.store.spend(epoch, self.now)) {
            return self.abdicates(node);
        }
        let mood = self.mood();
        let wanted: Vec<(i64, Wanted)> = seqs.iter().filter_map(|seq| Some((*seq, self.store.wanted(*seq)?))).collect();
        let numbers: Vec<String> = wanted.iter().map(|(_, wanted)| wanted.number.clone()).collect();
        let controls = self.store.controls();
        let names: Vec<String> = controls.iter().map(|control| control.number.clone()).collect();
        let (list, proof) = if back.alone {
            (self.ask(&numbers, mood), names.first().and_then(|name| self.ask(std::slice::from_ref(name), mood)))
        } else {
            let all: Vec<String> = numbers.iter().chain(&names).cloned().collect();
            let list = self.ask(&all, mood);
            (list.clone(), list)
        };
        let trusted = proof.is_some_and(|list| list.control(&controls, 2) == Some(Control::Found));
        let mono = self.mono();
        if let Some((own, dispatch)) = &mut self.nodes[node].dispatch
            && *own == epoch
        {
            dispatch.looked_back(back, (list.is_some().then_some(trusted), false), None, mono);
        }
        let wall = self.wall();
        for (seq, wanted) in &wanted {
            let known = self.store.rows.get(seq).and_then(|row| row.crm_id).unwrap_or_default();
            let checked =
                list.as_ref().map(|list| checks::weigh(list, SOURCE, &wanted.number, known, trusted && list.whole));
            match checked.unwrap_or(Checked::Unclear) {
                Checked::Fine => self.store.checked(*seq, None, true, wall),
                Checked::Wrong(why) => self.store.checked(*seq, Some(why), false, wall),
                Checked::Gone => self.store.checked(*seq, None, true, wall),
                Checked::Unclear => self.store.check_later(*seq, wall),
            }
        }
        self.soon(node);
    }
}
