//! `parom import`: a file of orders through a channel's mapping, row by row.

mod files;
mod report;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use futures_util::future::join_all;
use parom_core::dictionary::Dictionary;
use parom_core::novaposhta::Directory;
use parom_gateway::channels::Channels;
use parom_gateway::config::LiveChannel;
use parom_gateway::dictionaries::Dictionaries;
use parom_gateway::intake::{Landed, Row, take_row};
use parom_gateway::novaposhta::NovaPoshta;
use parom_gateway::store::{Role, Store};

use super::{Failed, Outcome, load};
use files::{Asked, Reader, Taken};
use report::Report;

/// Rows that share a commit.
const TOGETHER: usize = 128;

/// Take orders from a file.
#[derive(Args)]
#[command(after_help = "Running it again adds nothing: a row is known by --key, else by the channel's\n\
    idempotency_key, else by its content.\n\
    A column is a field of the form: order.buyer.phone = \"{{ form['Телефон'] }}\".\n\
    Exit 1 if a row was held, refused, or could not be read.\n\
    Example: parom import shop november.csv --key \"Номер замовлення\" --dry-run")]
pub(super) struct Import {
    /// The channel whose mapping the rows go through
    channel: String,
    /// A .csv, .xlsx, .ndjson or .jsonl file
    file: PathBuf,
    /// The column that identifies a row
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// Show what would become of each row, and keep nothing
    #[arg(long)]
    dry_run: bool,
    /// CSV: what separates columns; found by the header line where not given
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<char>,
    /// CSV: utf-8, windows-1251, utf-16le …; found by the content where not given
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// XLSX: the sheet; the first where not given
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Write what became of each row, a JSON line each
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The counts, for machines
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        let store = Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?;
        let channels = Channels::start(&config, &store).await.map_err(|error| error.to_string())?;
        let live = channels.get(&self.channel).ok_or_else(|| {
            let known: Vec<String> = channels.current().keys().cloned().collect();
            format!("there is no channel `{}`; there are: {}", self.channel, known.join(", "))
        })?;
        let Some(channel) = &live.channel else {
            return Err(format!("the channel `{}` cannot be used; {}", self.channel, live.fault()));
        };
        let carrier = NovaPoshta::start(&config, &store).await.map_err(|error| error.to_string())?;
        let dictionaries = Dictionaries::start(&config.accounts.names(), &store, Arc::new(carrier)).await;
        let dictionaries = dictionaries.map_err(|error| error.to_string())?;
        let known = (dictionaries.get(&channel.account), dictionaries.directory());
        let mut reader = self.open()?;
        let mut report = Report::new(&self, reader.bytes())?;
        loop {
            let batch: Vec<Taken> = reader.by_ref().take(TOGETHER).collect();
            if batch.is_empty() {
                break;
            }
            if let Some(fault) = self.unknown_key(&batch).filter(|_| report.is_empty()) {
                return Err(fault);
            }
            if let (Err((free, needed)), false) = (store.room_for_intake(), self.dry_run) {
                return Err(report.stopped(&format!("the disk has {free} bytes free, {needed} are needed")));
            }
            let landed = join_all(batch.into_iter().map(|taken| {
                let (store, live, known) = (store.clone(), Arc::clone(&live), known.clone());
                let asked = &self;
                async move { (taken.place, asked.land(&store, &live, &known, taken.row).await) }
            }));
            for (place, landed) in landed.await {
                let landed = landed.map_err(|error| report.stopped(&error))?;
                report.add(place, landed)?;
            }
            report.at(reader.read());
        }
        report.end()
    }

    /// A key that is none of the columns would fail every row. Each line of JSON has names of its own.
    fn unknown_key(&self, batch: &[Taken]) -> Option<Failed> {
        let column = self.key.as_ref().filter(|_| matches!(self.ending().as_str(), "csv" | "tsv" | "txt" | "xlsx"))?;
        let first = batch.iter().find_map(|taken| taken.row.as_ref().ok()?.as_object())?;
        if first.contains_key(column) {
            return None;
        }
        let known: Vec<&str> = first.keys().map(String::as_str).collect();
        Some(format!("--key: there is no column `{column}`; there are: {}", known.join(", ")))
    }

    fn ending(&self) -> String {
        self.file.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
    }

    fn open(&self) -> Result<Reader, Failed> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", self.file.display());
        let file = File::open(&self.file).map_err(|error| named(&error))?;
        let bytes = file.metadata().map_err(|error| named(&error))?.len();
        let ending = self.ending();
        let (encoding, sheet) = (self.encoding.as_deref(), self.sheet.as_deref());
        let asked = Asked { delimiter: self.delimiter, encoding, sheet };
        Reader::new(file, bytes, &ending, asked).map_err(|error| named(&error))
    }

    async fn land(
        &self,
        store: &Store,
        live: &LiveChannel,
        (dictionary, directory): &(Option<Arc<Dictionary>>, Option<Arc<Directory>>),
        row: Result<serde_json::Value, String>,
    ) -> Result<Result<Landed, String>, Failed> {
        let form = match row {
            Ok(form) => form,
            Err(why) => return Ok(Err(why)),
        };
        let key = match &self.key {
            None => None,
            Some(column) => match form.get(column).and_then(parom_core::convert::plain).filter(|text| !text.is_empty())
            {
                Some(key) => Some(key),
                None => return Ok(Err(format!("the column `{column}` is empty or not there"))),
            },
        };
        let landed =
            take_row(store, live, (dictionary.as_deref(), directory.as_ref()), Row { form, key }, self.dry_run).await;
        landed.map(Ok).map_err(|error| error.to_string())
    }
}
