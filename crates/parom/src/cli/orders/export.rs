//! `parom orders export`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use parom_gateway::config::Config;
use parom_gateway::export;
use parom_gateway::store::{Scope, Store, part_of};

use super::open;
use super::select::Select;
use crate::cli::{Failed, Outcome};

/// Rows read at once.
const PAGE: usize = 500;

/// Write orders to a file or to stdout.
#[derive(Args)]
#[command(after_help = "Example: parom orders export --format csv --since 2026-11-01 -o november.csv")]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    select: Select,
    /// ndjson holds every field for machines; csv is a table for people
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// The file; without it, stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Ndjson,
    Csv,
}

impl Export {
    pub(super) async fn run(self, config: &Config) -> Result<Outcome, Failed> {
        let store = open(config)?;
        let (format, filter) = (self.format, self.select.filter(0)?);
        let Some(path) = &self.output else {
            return ended(write_all(&store, filter, format, &mut BufWriter::new(std::io::stdout().lock())).await);
        };
        let named = |error: std::io::Error| format!("{}: {error}", path.display());
        let before = fs::symlink_metadata(path).ok();
        if before.as_ref().is_some_and(|before| !before.is_file()) {
            // A device, a pipe, a link: what it leads to is written.
            let file = File::options().write(true).truncate(true).open(path).map_err(named)?;
            return ended(write_all(&store, filter, format, &mut BufWriter::new(file)).await);
        }
        // Under its name once it is whole: half a file would pass for all orders.
        let part = part_of(path);
        let file = File::create(&part).map_err(named)?;
        if let Some(before) = before {
            file.set_permissions(before.permissions()).map_err(named)?;
        }
        let written = ended(write_all(&store, filter, format, &mut BufWriter::new(file)).await);
        let put = written.and_then(|outcome| fs::rename(&part, path).map(|()| outcome).map_err(named));
        put.inspect_err(|_| drop(fs::remove_file(&part)))
    }
}

fn ended(written: Result<(), Ended>) -> Result<Outcome, Failed> {
    match written {
        // `| head` has seen enough.
        Err(Ended::Reader(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Outcome::Done),
        Err(Ended::Reader(error)) => Err(format!("cannot write: {error}")),
        Err(Ended::Store(text)) => Err(text),
        Ok(()) => Ok(Outcome::Done),
    }
}

enum Ended {
    Reader(std::io::Error),
    Store(String),
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Ended {
        Ended::Reader(error)
    }
}

async fn write_all(
    store: &Store,
    mut filter: parom_gateway::store::Filter,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Ended> {
    let mut left = filter.limit;
    if format == Format::Csv {
        out.write_all(export::csv_head().as_bytes())?;
    }
    while left > 0 {
        filter.limit = PAGE.min(left);
        let page = store.orders(&Scope::All, filter.clone()).await.map_err(|error| Ended::Store(error.to_string()))?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.seq);
        left = left.saturating_sub(page.len());
        for order in &page {
            match format {
                Format::Csv => out.write_all(export::csv_row(order).as_bytes())?,
                Format::Ndjson => {
                    let detail = store.order(&Scope::All, &order.id).await;
                    let detail = detail.map_err(|error| Ended::Store(error.to_string()))?;
                    if let Some(detail) = detail {
                        out.write_all(export::ndjson_row(&detail).as_bytes())?;
                    }
                }
            }
        }
    }
    out.flush()?;
    Ok(())
}
