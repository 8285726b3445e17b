//! What became of the rows: a bar while it runs, the troubled rows, and the counts.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parom_core::delivery::state::State;
use parom_gateway::intake::Landed;
use parom_gateway::store::problems_to_json;
use serde_json::{Value, json};

use super::Import;
use crate::cli::show::printable;
use crate::cli::{Failed, Outcome, print, print_json};

/// Troubled rows that are printed; `--report` has all.
const SHOWN: u64 = 50;

pub(super) struct Report {
    bar: ProgressBar,
    file: Option<BufWriter<File>>,
    json: bool,
    dry_run: bool,
    rows: u64,
    queued: u64,
    marked: u64,
    held: u64,
    known: u64,
    /// Of those, the ones that came in with other content.
    differing: u64,
    failed: u64,
}

impl Report {
    pub(super) fn new(asked: &Import, bytes: u64) -> Result<Report, Failed> {
        let file = match &asked.report {
            Some(path) => {
                let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
                Some(BufWriter::new(file))
            }
            None => None,
        };
        let bar = ProgressBar::new(bytes);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}% {msg} {eta} left") {
            bar.set_style(style);
        }
        let (json, dry_run) = (asked.json, asked.dry_run);
        Ok(Report {
            bar,
            file,
            json,
            dry_run,
            rows: 0,
            queued: 0,
            marked: 0,
            held: 0,
            known: 0,
            differing: 0,
            failed: 0,
        })
    }

    /// No row was taken yet.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// So many bytes of the file are read.
    pub(super) fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
        let seconds = self.bar.elapsed().as_secs().max(1);
        self.bar.set_message(format!("{} rows, {}/s", self.rows, self.rows / seconds));
    }

    pub(super) fn add(&mut self, place: u64, landed: Result<Landed, String>) -> Result<(), Failed> {
        self.rows += 1;
        let line = match landed {
            Ok(Landed::New(id, state, problems)) => {
                // One that is looked up first, after a restore, goes by itself too.
                let troubled = !matches!(state, State::Queued | State::Unconfirmed);
                self.held += u64::from(troubled);
                self.queued += u64::from(!troubled);
                self.marked += u64::from(!troubled && !problems.is_empty());
                if troubled {
                    let texts: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.path, p.message)).collect();
                    self.tell(place, &format!("held: {}", texts.join("; ")));
                }
                let id = (!self.dry_run).then_some(id);
                json!({ "row": place, "result": state.as_str(), "id": id, "problems": problems_to_json(&problems) })
            }
            Ok(Landed::Known(id)) => {
                self.known += 1;
                json!({ "row": place, "result": "known", "id": id })
            }
            Ok(Landed::Differs(id)) => {
                self.known += 1;
                self.differing += 1;
                self.tell(place, &format!("known as the order {id}, which came in with other content"));
                json!({ "row": place, "result": "known", "id": id, "message": "the order came in with other content" })
            }
            Ok(Landed::Conflict(id)) => {
                let why =
                    format!("its key made the order {id} with another content: compare the two; nothing was kept");
                self.fail(place, &why, &[])
            }
            Ok(Landed::Refused(problems)) => {
                let texts: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.path, p.message)).collect();
                self.fail(place, &format!("refused: {}", texts.join("; ")), &problems)
            }
            Err(why) => self.fail(place, &why, &[]),
        };
        if let Some(file) = &mut self.file {
            writeln!(file, "{line}").map_err(|error| format!("--report: {error}"))?;
        }
        Ok(())
    }

    fn fail(&mut self, place: u64, why: &str, problems: &[parom_core::Problem]) -> Value {
        self.failed += 1;
        self.tell(place, why);
        json!({ "row": place, "result": "failed", "message": why, "problems": problems_to_json(problems) })
    }

    fn tell(&self, place: u64, text: &str) {
        match self.held + self.failed + self.differing {
            ..=SHOWN => self.bar.suspend(|| eprintln!("row {place}: {}", printable(text))),
            n if n == SHOWN + 1 => self.bar.suspend(|| eprintln!("… more such rows: --report FILE has all of them")),
            _ => {}
        }
    }

    /// The words for an import that could not go on; what is in stays in.
    pub(super) fn stopped(&self, why: &str) -> Failed {
        self.bar.finish_and_clear();
        format!("{why}; stopped after {} rows. Run it again: rows that are in are not added twice", self.rows)
    }

    pub(super) fn end(mut self) -> Result<Outcome, Failed> {
        self.bar.finish_and_clear();
        if let Some(file) = &mut self.file {
            file.flush().map_err(|error| format!("--report: {error}"))?;
        }
        if self.json {
            print_json(&json!({
                "rows": self.rows, "queued": self.queued, "marked": self.marked, "held": self.held,
                "known": self.known, "differing": self.differing, "failed": self.failed, "dry_run": self.dry_run,
            }));
        } else {
            let dry = if self.dry_run { " (a dry run: nothing was kept)" } else { "" };
            let differing = match self.differing {
                0 => String::new(),
                n => format!(" ({n} with other content)"),
            };
            print(&format!(
                "{} rows: {} queued ({} marked), {} held, {} known already{differing}, {} failed{dry}\n",
                self.rows, self.queued, self.marked, self.held, self.known, self.failed
            ));
        }
        Ok(if self.held + self.failed > 0 { Outcome::Problems } else { Outcome::Done })
    }
}
