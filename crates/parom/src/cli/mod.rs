//! The command line: one file a command. Exit 0: done; 1: ran and found problems; 2: wrong usage or configuration.

mod alerts;
mod backup;
mod channel;
mod check;
mod convert;
mod demo;
mod import;
mod init;
mod log;
mod map;
mod migrate;
mod novaposhta;
mod orders;
mod sandbox;
mod serve;
mod show;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};
use parom_gateway::config::{self, Config};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// It ran, and found problems.
    Problems,
}

/// A command that could not run; its text says what to do.
pub(crate) type Failed = String;

#[derive(Parser)]
#[command(
    name = "parom",
    version,
    about = "Parom carries orders from any form into KeyCRM, and never drops one",
    after_help = "Start with `parom demo`: a shop page, the gateway and a CRM to look at, with nothing to configure."
)]
struct Arguments {
    /// The configuration file
    #[arg(long, global = true, default_value = "parom.toml", value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway, a sandbox CRM and an example shop, with nothing to configure
    Demo(demo::Demo),
    /// Make the files of a first channel: key, source, mapping
    Init(init::Init),
    /// Run the gateway
    Serve(serve::Serve),
    /// Look over every channel file
    Check(check::Check),
    /// Show the order that a submission would become
    Map(map::Map),
    /// Turn a PHP order script into a channel file
    #[command(subcommand)]
    Convert(convert::Convert),
    /// The journal of orders: look, mend, send again
    #[command(subcommand)]
    Orders(orders::Orders),
    /// Take orders from a CSV, XLSX or NDJSON file
    Import(import::Import),
    /// The channels
    #[command(subcommand)]
    Channel(channel::Channel),
    /// The people who may sign in to the pages
    #[command(subcommand)]
    User(user::User),
    /// Copy the store while the gateway runs
    Backup(backup::Backup),
    /// Put a backup in the store's place
    Restore(backup::Restore),
    /// Move the store into another database
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Messages about what needs a person: a test of them
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Nova Poshta's directory of branches: its age, a refresh, a try
    #[command(subcommand)]
    Novaposhta(novaposhta::Carrier),
    /// Run the sandbox CRM alone
    Sandbox(sandbox::Sandbox),
}

/// Parses, runs, and gives the exit code.
pub(crate) fn run() -> ExitCode {
    log::hide_panics();
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no runtime: {error}")),
    };
    let config = arguments.config;
    let ended = runtime.block_on(async {
        match arguments.command {
            Command::Demo(command) => command.run().await,
            Command::Init(command) => command.run(&config).await,
            Command::Serve(command) => command.run(&config).await,
            Command::Check(command) => command.run(&config).await,
            Command::Map(command) => command.run(&config).await,
            Command::Convert(command) => command.run(),
            Command::Import(command) => command.run(&config).await,
            Command::Orders(command) => command.run(&config).await,
            Command::Channel(command) => command.run(&config).await,
            Command::User(command) => command.run(&config).await,
            Command::Backup(command) => command.run(&config).await,
            Command::Restore(command) => command.run(&config).await,
            Command::Migrate(command) => command.run(&config).await,
            Command::Alerts(command) => command.run(&config).await,
            Command::Novaposhta(command) => command.run(&config).await,
            Command::Sandbox(command) => command.run().await,
        }
    });
    if let (Ok(_), Some(error)) = (&ended, unprinted()) {
        return fail(&format!("what was asked for could not be written: {error}"));
    }
    match ended {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Problems) => ExitCode::from(1),
        Err(failed) => fail(&failed),
    }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("parom: {text}");
    ExitCode::from(2)
}

fn load(path: &std::path::Path) -> Result<Config, Failed> {
    config::load(path).map_err(|error| error.to_string())
}

/// Waits for Ctrl-C, or for the signal by which a service manager stops a process.
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    // From here on the signal is heard, also before anybody waits for it.
    let terminate = signal(SignalKind::terminate());
    async {
        match terminate {
            Ok(mut terminate) => tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            },
            Err(_) => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
}

/// The first failure of a print.
static UNPRINTED: OnceLock<std::io::Error> = OnceLock::new();

/// Prints to stdout. A reader that has gone away (`| head`) ends the printing and is no failure; a full disk is one.
fn print(text: &str) {
    use std::io::Write;
    keep_failure(std::io::stdout().write_all(text.as_bytes()));
}

fn keep_failure(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        let _ = UNPRINTED.set(error);
    }
}

/// Why not all was printed, once nothing more is.
fn unprinted() -> Option<&'static std::io::Error> {
    use std::io::Write;
    keep_failure(std::io::stdout().flush());
    UNPRINTED.get()
}

/// Prints JSON.
fn print_json(value: &serde_json::Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    print(&format!("{text}\n"));
}
