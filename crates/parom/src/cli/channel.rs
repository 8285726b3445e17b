//! `parom channel`.

use std::path::Path;

use clap::Subcommand;
use comfy_table::{ContentArrangement, Table, presets};
use parom_core::channel::{merged, suggest};
use parom_core::presets as core_presets;
use parom_core::submission::Submission;
use parom_gateway::channels::{Became, pull, push, read_all};
use parom_gateway::config::{Config, LiveChannel, load_channels};
use parom_gateway::store::{Role, Store};
use parom_gateway::{clock, inspect, intake};
use serde_json::{Value, json};

use super::{Failed, Outcome, load, print, print_json};

/// The channels.
#[derive(Subcommand)]
pub(super) enum Channel {
    /// Each channel with its account, its address and its state
    List {
        /// An array of channels
        #[arg(long)]
        json: bool,
    },
    /// Propose a channel file from what the site sends
    #[command(
        after_help = "A channel with learn = true keeps its last submissions; a field that only some bring is there too.\n\
        Examples: parom channel suggest site > site.toml\n          \
        parom channel suggest form.txt --source 22 > channels/site.toml"
    )]
    Suggest {
        /// A channel that has learnt, or a file with a form's body or JSON as sent; - is stdin
        #[arg(value_name = "CHANNEL|FILE")]
        sample: String,
        /// The id of the source in the CRM; by default the channel's, else 1
        #[arg(long, value_name = "ID")]
        source: Option<i64>,
        /// The account; by default the channel's, else main
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// An object of {channel}: the file's text
        #[arg(long)]
        json: bool,
    },
    /// The senders that a channel's `format` knows; with a name, how to set one up
    #[command(after_help = "Examples: parom channel format\n          parom channel format woocommerce\n          \
        parom channel format opencart --snippet parom-oc4.php > parom.php")]
    Format {
        /// A format
        name: Option<String>,
        /// A file to paste on the sender's side
        #[arg(long, value_name = "FILE", requires = "name")]
        snippet: Option<String>,
        /// The default mapping, to copy lines from
        #[arg(long, requires = "name", conflicts_with = "snippet")]
        mapping: bool,
        /// An array of {format, title, signed, snippets}, or of one format an object with its readme and mapping too
        #[arg(long, conflicts_with_all = ["snippet", "mapping"])]
        json: bool,
    },
    /// Bring channel files into the store that several nodes share
    #[command(
        after_help = "With PostgreSQL the store's channels are served, by every node; a file does nothing until it is pushed, but\n\
        for one of a new name. All that is named is pushed, or nothing. Earlier versions stay in the history.\n\
        Examples: parom channel push\n          parom channel push shop --json\n          parom channel push --delete"
    )]
    Push {
        /// Channels; by default every file
        names: Vec<String>,
        /// Take out of the store what has no file
        #[arg(long, conflicts_with = "names")]
        delete: bool,
        /// An array of {name, state}: new, changed, same, removed
        #[arg(long)]
        json: bool,
    },
    /// Write the store's channels into files
    #[command(after_help = "A file that is another than the store's is left as it is, and exit 1 says so.\n\
        Examples: parom channel pull\n          parom channel pull shop --force")]
    Pull {
        /// Channels; by default all
        names: Vec<String>,
        /// Write over files that are others
        #[arg(long)]
        force: bool,
        /// An array of {name, state}: new, changed, same, differs
        #[arg(long)]
        json: bool,
    },
    /// What a channel with learn = true has kept, newest first
    Samples {
        /// The channel
        channel: String,
        /// An array of samples, whole
        #[arg(long)]
        json: bool,
    },
}

/// A channel file for what a site sends, and what to tell beside it.
async fn propose(
    config: &Path,
    sample: &str,
    source: Option<i64>,
    account: Option<String>,
) -> Result<(String, Option<String>), Failed> {
    let file = Path::new(sample);
    if sample == "-" || file.exists() {
        let named = |error: &dyn std::fmt::Display| format!("{sample}: {error}");
        let body = super::map::read(file).map_err(|error| named(&error))?;
        if body.trim_ascii().is_empty() {
            return Err(named(&"there is nothing in it; give a form's body, or JSON, as the site sends it"));
        }
        let (form, flat) = intake::sniff(body.into()).await.map_err(|error| named(&error))?;
        let submission = Submission { form, flat, ..Submission::empty(clock::now()) };
        return Ok((suggest(account.as_deref().unwrap_or("main"), source.unwrap_or(1), &submission), None));
    }
    let config = load(config)?;
    let live = read(&config).await?.into_iter().find(|live| live.name == sample);
    let live = live.ok_or_else(|| format!("`{sample}` is neither a file nor a channel; see `parom channel list`"))?;
    let samples = inspect::samples(&store(&config)?, sample).await.map_err(|error| error.to_string())?;
    let Some(submission) = merged(&samples) else {
        return Err(format!(
            "the channel `{sample}` has no samples yet: set learn = true in its file, and send a form"
        ));
    };
    let own = live.channel.as_ref();
    if own.is_none() && (source.is_none() || account.is_none()) {
        // A shell empties the file first that the output goes to.
        return Err(format!(
            "{} cannot be used now, so its account and source are not known: write the proposal into another file, or name \
             both with --account and --source",
            live.file.display()
        ));
    }
    let account = account.or_else(|| own.map(|channel| channel.account.clone())).unwrap_or_else(|| "main".into());
    let source = source.or_else(|| own.and_then(|channel| channel.source_id())).unwrap_or(1);
    let told =
        format!("proposed from {} samples; look it over, then put it into {}", samples.len(), live.file.display());
    Ok((suggest(&account, source, &submission), Some(told)))
}

/// The kept samples: when, of what kind, with which fields.
async fn list_samples(config: &Path, channel: &str, as_json: bool) -> Result<Outcome, Failed> {
    let config = load(config)?;
    let store = store(&config)?;
    let samples = store.samples(channel).await.map_err(|error| error.to_string())?;
    if as_json {
        let rows = samples.iter().map(|sample| {
            json!({
                "received_at": super::show::time(sample.received_at),
                "content_type": sample.content_type,
                "body": parom_core::submission::masked(&sample.body),
            })
        });
        print_json(&rows.collect());
        return Ok(Outcome::Done);
    }
    if samples.is_empty() {
        return Err(format!("the channel `{channel}` has no samples: set learn = true in its file, and send a form"));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["RECEIVED (UTC)", "TYPE", "FIELDS"]);
    for (sample, submission) in samples.iter().zip(inspect::samples(&store, channel).await.unwrap_or_default()) {
        let fields = submission.form.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let kind = sample.content_type.split(';').next().unwrap_or_default();
        table.add_row([&super::show::time(sample.received_at), kind, &fields.collect::<Vec<_>>().join(", ")]);
    }
    print(&format!("{table}\n"));
    Ok(Outcome::Done)
}

/// A preset for machines.
fn preset_to_json(preset: &core_presets::Preset) -> Value {
    let snippets: Vec<&str> = preset.snippets.iter().map(|(name, _)| *name).collect();
    json!({
        "format": preset.name, "title": preset.title, "signed": preset.signing.is_some(), "snippets": snippets,
    })
}

/// The presets in a table.
fn formats(as_json: bool) -> Outcome {
    if as_json {
        print_json(&core_presets::all().iter().map(|preset| preset_to_json(preset)).collect());
        return Outcome::Done;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["FORMAT", "SENDER", "SIGNS", "TO PASTE"]);
    for preset in core_presets::all() {
        let signs = if preset.signing.is_some() { "yes" } else { "no" };
        let files: Vec<&str> = preset.snippets.iter().map(|(name, _)| *name).collect();
        let files = if files.is_empty() { "-".to_owned() } else { files.join(", ") };
        table.add_row([preset.name, preset.title, signs, &files]);
    }
    print(&format!("{table}\n"));
    Outcome::Done
}

/// One preset: what to do on its side, a file to paste, or its mapping.
fn format(name: &str, snippet: Option<&str>, mapping: bool, as_json: bool) -> Result<Outcome, Failed> {
    let preset =
        core_presets::named(name).ok_or_else(|| format!("there is no format `{name}`; see `parom channel format`"))?;
    match snippet {
        None if as_json => {
            let mut whole = preset_to_json(preset);
            whole["readme"] = preset.readme.into();
            whole["mapping"] = preset.mapping.into();
            print_json(&whole);
        }
        None if mapping => print(preset.mapping),
        None => print(preset.readme),
        Some(file) => {
            let found = preset.snippets.iter().find(|(known, _)| *known == file);
            let known: Vec<&str> = preset.snippets.iter().map(|(name, _)| *name).collect();
            let none = || format!("the format `{name}` has no file `{file}`; it has: {}", known.join(", "));
            print(found.ok_or_else(none)?.1);
        }
    }
    Ok(Outcome::Done)
}

/// The channels that are served: the files, or the store's where that is the truth.
pub(super) async fn read(config: &Config) -> Result<Vec<LiveChannel>, Failed> {
    if config.store.file().is_some() {
        return load_channels(config);
    }
    read_all(config, &store(config)?).await.map_err(|error| error.to_string())
}

/// The store, where it and not the files are the truth.
fn shared(config: &Config) -> Result<Store, Failed> {
    if config.store.file().is_some() {
        return Err("with SQLite the files in channels/ are served as they change; push and pull are for a \
                    PostgreSQL store (store.url)"
            .into());
    }
    store(config)
}

fn moved(moved: &[(String, Became)], as_json: bool) -> Outcome {
    if as_json {
        print_json(&moved.iter().map(|(name, became)| json!({ "name": name, "state": became.as_str() })).collect());
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["CHANNEL", "STATE"]);
        moved.iter().for_each(|(name, became)| _ = table.add_row([name, became.as_str()]));
        print(&format!("{table}\n"));
    }
    let left = moved.iter().any(|(_, became)| *became == Became::Differs);
    if left {
        eprintln!(
            "files that differ were left as they are; --force writes over them, `parom channel push` brings them in"
        );
    }
    if left { Outcome::Problems } else { Outcome::Done }
}

fn store(config: &Config) -> Result<Store, Failed> {
    Store::open(&config.store, Role::Command).map_err(|error| error.to_string())
}

impl Channel {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let as_json = match self {
            Channel::List { json } => json,
            Channel::Suggest { sample, source, account, json } => {
                let (text, told) = propose(config, &sample, source, account).await?;
                if json {
                    print_json(&json!({ "channel": text }))
                } else {
                    print(&text)
                }
                told.iter().for_each(|line| eprintln!("{line}"));
                return Ok(Outcome::Done);
            }
            Channel::Format { name: None, json, .. } => return Ok(formats(json)),
            Channel::Format { name: Some(name), snippet, mapping, json } => {
                return format(&name, snippet.as_deref(), mapping, json);
            }
            Channel::Push { names, delete, json } => {
                let config = load(config)?;
                return Ok(moved(&push(&config, &shared(&config)?, &names, delete, "command line").await?, json));
            }
            Channel::Pull { names, force, json } => {
                let config = load(config)?;
                return Ok(moved(&pull(&config, &shared(&config)?, &names, force).await?, json));
            }
            Channel::Samples { channel, json } => return list_samples(config, &channel, json).await,
        };
        let config = load(config)?;
        let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
        let store = if config.store.exists() {
            Some(Store::open(&config.store, Role::Command).map_err(|error| error.to_string())?)
        } else {
            None
        };
        let mut rows = Vec::new();
        for live in read(&config).await? {
            let versions = match &store {
                Some(store) => store.versions(&live.name).await.map_err(|error| error.to_string())?,
                None => 0,
            };
            rows.push(json!({
                "name": live.name,
                "account": live.channel.as_ref().map(|channel| channel.account.clone()),
                "address": format!("{}/in/{}", base.trim_end_matches('/'), live.name),
                "file": live.file.display().to_string(),
                "state": if live.is_broken() { "broken" } else { "ok" },
                "versions": versions,
                "fault": if live.is_broken() { Value::String(live.fault()) } else { Value::Null },
            }));
        }
        if as_json {
            print_json(&Value::Array(rows));
            return Ok(Outcome::Done);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["CHANNEL", "ACCOUNT", "STATE", "VERSIONS", "ADDRESS"]);
        for row in &rows {
            let cell = |key: &str| match &row[key] {
                Value::String(text) => text.clone(),
                Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            table.add_row([cell("name"), cell("account"), cell("state"), cell("versions"), cell("address")]);
        }
        print(&format!("{table}\n"));
        rows.iter().filter_map(|row| row["fault"].as_str()).for_each(|fault| print(&format!("broken: {fault}\n")));
        Ok(Outcome::Done)
    }
}
