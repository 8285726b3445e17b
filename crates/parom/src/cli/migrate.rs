//! `parom migrate`: a store's rows into another database.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parom_gateway::config::Place;
use parom_gateway::store;
use serde_json::json;

use super::{Failed, Outcome, load, print, print_json};

#[derive(Subcommand)]
pub(super) enum Migrate {
    /// Move every row of a SQLite file into the PostgreSQL that store.url names
    SqliteToPostgres(SqliteToPostgres),
}

#[derive(Args)]
#[command(
    after_help = "Stop the gateway, name the PostgreSQL in store.url, then move the file into its empty database.\n\
    The file stays as it is, and no gateway starts on it any more. Run it again if it was cut off."
)]
pub(super) struct SqliteToPostgres {
    /// The file of before
    file: PathBuf,
    /// What was moved, as JSON
    #[arg(long)]
    json: bool,
}

impl Migrate {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let Migrate::SqliteToPostgres(asked) = self;
        let Place::Server(server) = load(config)?.store.place else {
            return Err(
                "store.url names a file: name the PostgreSQL there first (postgres://user@host/database)".into()
            );
        };
        let bar = ProgressBar::new(0);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}") {
            bar.set_style(style);
        }
        let (file, shown) = (asked.file.clone(), bar.clone());
        let moved = tokio::task::spawn_blocking(move || {
            store::move_to_postgres(&file, &server, &mut |table, rows, whole| {
                shown.set_length(whole);
                shown.set_position(rows);
                shown.set_message(table.to_owned());
            })
        });
        let moved = moved.await.map_err(|error| error.to_string())?;
        bar.finish_and_clear();
        show(&asked, &moved.map_err(|error| error.to_string())?);
        Ok(Outcome::Done)
    }
}

fn show(asked: &SqliteToPostgres, moved: &store::Moved) {
    if asked.json {
        let tables: serde_json::Map<_, _> = moved.iter().map(|(table, rows)| (table.clone(), json!(rows))).collect();
        return print_json(&json!({ "moved": tables }));
    }
    for (table, rows) in moved.iter().filter(|(_, rows)| *rows > 0) {
        print(&format!("{rows:>12}  {table}\n"));
    }
    print(&format!(
        "{} is in PostgreSQL now. Start the gateway, and keep the file as a backup of this day\n",
        asked.file.display()
    ));
}
