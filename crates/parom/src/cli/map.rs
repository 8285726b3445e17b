//! `parom map`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use parom_core::channel::{Channel, Severity, parse};
use parom_core::dictionary::Dictionary;
use parom_core::mapping::{self, Given};
use parom_core::novaposhta::Directory;
use parom_core::order::Verdict;
use parom_core::submission::Submission;
use parom_gateway::config::{Config, LiveChannel};
use parom_gateway::novaposhta::NovaPoshta;
use parom_gateway::store::{Role, Store, problems_to_json};
use parom_gateway::{clock, intake};
use serde_json::{Value, json};

use super::{Failed, Outcome, load, print_json};

/// Show the order that a submission would become.
#[derive(Args)]
#[command(after_help = "The order's JSON goes to stdout, problems to stderr; exit 1 if it would be held or refused.\n\
    Example: echo 'name=Olena&phone=0671112233' | parom map shop -")]
pub(super) struct Map {
    /// The channel's name, or the path of a channel file
    channel: String,
    /// A form's body or JSON, as sent; - is stdin
    file: PathBuf,
    /// An object of {verdict, target, order, problems}
    #[arg(long)]
    json: bool,
}

impl Map {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        let channel = self.channel(&config).await?;
        let (dictionary, directory) = known(&config, &channel.account).await?;
        let body = read(&self.file).map_err(|error| format!("{}: {error}", self.file.display()))?;
        let (form, flat) =
            intake::sniff(body.into()).await.map_err(|error| format!("{}: {error}", self.file.display()))?;
        let submission = Submission { form, flat, ..Submission::empty(clock::now()) };
        let given = Given { dictionary: Some(&dictionary), directory: directory.as_ref(), random: clock_bits() };
        let (draft, verdict) = mapping::map(&channel, &submission, given);
        let outcome = if verdict == Verdict::Go { Outcome::Done } else { Outcome::Problems };
        if self.json {
            print_json(&json!({
                "verdict": verdict.as_str(), "target": draft.target.as_str(), "order": draft.body,
                "problems": problems_to_json(&draft.problems),
            }));
            return Ok(outcome);
        }
        print_json(&Value::Object(draft.body));
        for problem in &draft.problems {
            eprintln!("{} ({})", problem, problem.effect.as_str());
        }
        Ok(outcome)
    }

    async fn channel(&self, config: &Config) -> Result<Channel, Failed> {
        let file = Path::new(&self.channel);
        if file.components().count() > 1 || self.channel.ends_with(".toml") {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let (channel, findings) = parse(&name, &text);
            let first = findings.iter().find(|finding| finding.severity == Severity::Error);
            let fault = first.map_or_else(String::new, |found| format!("{}: {}", found.line, found.message));
            return channel.ok_or_else(|| format!("the channel cannot be used; {}:{fault}", file.display()));
        }
        let channels = super::channel::read(config).await?;
        let live = channels.iter().find(|live| live.name == self.channel);
        let live = live.ok_or_else(|| unknown(&self.channel, &channels))?;
        // A token that is not set here does not matter for a dry run.
        let channel = parse(&live.name, &live.text).0;
        channel.ok_or_else(|| format!("the channel `{}` cannot be used; {}", self.channel, live.fault()))
    }
}

/// The account's dictionaries and Nova Poshta's directory, as far as they were ever fetched.
async fn known(config: &Config, account: &str) -> Result<(Dictionary, Option<Arc<Directory>>), Failed> {
    if !config.store.exists() {
        return Ok((Dictionary::default(), None));
    }
    let store = Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?;
    let (dictionary, _) = store.dictionary(account).await.map_err(|error| error.to_string())?;
    let carrier = NovaPoshta::start(config, &store).await.map_err(|error| error.to_string())?;
    Ok((dictionary, carrier.directory()))
}

fn unknown(name: &str, channels: &[LiveChannel]) -> Failed {
    let known: Vec<&str> = channels.iter().map(|live| live.name.as_str()).collect();
    format!("there is no channel `{name}`; there are: {}", known.join(", "))
}

/// A file, or stdin for `-`.
pub(super) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut body = Vec::new();
        std::io::stdin().lock().read_to_end(&mut body)?;
        return Ok(body);
    }
    std::fs::read(file)
}

/// Enough for a dry run's number, which nobody keeps.
fn clock_bits() -> u128 {
    clock::now().as_nanosecond().unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}
