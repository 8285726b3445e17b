//! `parom init`: from a key to a channel that takes orders. At a terminal it asks; elsewhere its flags answer.

mod account;
mod ask;
mod snippets;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use parom_core::channel::suggest;
use parom_core::submission::{Submission, decode_urlencoded};
use parom_gateway::{clock, intake};

use super::{Failed, Outcome, check, load, print};
use account::{Draft, Source};
use ask::Asker;

/// A form as most shops have it, where no sample is given.
const SAMPLE: &[u8] =
    b"name=Olena&phone=0671112233&email=olena@example.com&address_city=Kyiv&receive_point=1&comment=&\
    product_name=Mug&product_sku=MUG-1&product_price=250&quantity=1";

/// Make the files of a first channel.
#[derive(Args)]
#[command(after_help = "At a terminal it asks for what is not given. Without one, everything is a flag:\n  \
    parom init --key-file crm.key --source 22 --channel site --no-input\n\
    The files are made beside --config (parom.toml); those that exist are not touched.")]
pub(super) struct Init {
    /// A file that holds the CRM's key; it is named in the configuration
    #[arg(long, value_name = "FILE", conflicts_with = "key_env")]
    key_file: Option<PathBuf>,
    /// An environment variable that holds the CRM's key
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// The CRM's address
    #[arg(long, default_value = "https://openapi.keycrm.app/v1", value_name = "URL")]
    url: String,
    /// The source of the orders: its id or its name
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// The channel's name, which is its address too
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// A form's body or JSON, as the site sends it: the mapping is proposed from it
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Ask nothing
    #[arg(long)]
    no_input: bool,
}

impl Init {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        if config.exists() {
            return Err(format!(
                "{} exists: add a channel with a file in channels/, see docs/add-a-channel.md",
                config.display()
            ));
        }
        let dir = config.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let asker = Asker::new(!self.no_input);
        let sample = self.sample().await?;
        let draft = Draft::make(&dir, config, &self.url, self.key(&asker)?)?;
        print("asking the CRM …\n");
        let account = draft.look().await?;
        print(&format!("the key works: {} sources\n", account.sources.len()));
        let source = self.choose_source(&asker, &account.sources)?;
        let name = self.name(&asker)?;
        let channels = dir.join("channels");
        fs::create_dir_all(&channels).map_err(|error| format!("{}: {error}", channels.display()))?;
        let file = channels.join(format!("{name}.toml"));
        if file.exists() {
            return Err(format!("{} exists; give the channel another name with --channel", file.display()));
        }
        draft.keep()?;
        fs::write(&file, suggest("main", source.id, &sample))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        print(&format!("\nwritten: {}, {}\n", config.display(), file.display()));
        let listen = load(config)?.listen.to_string();
        print(&snippets::of(&name, &listen, &sample));
        check::by_the_last_fetch(config).await
    }

    async fn sample(&self) -> Result<Submission, Failed> {
        let (form, flat) = match &self.sample {
            Some(path) => {
                let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
                let body = fs::read(path).map_err(|error| named(&error))?;
                intake::sniff(body.into()).await.map_err(|error| named(&error))?
            }
            None => decode_urlencoded(SAMPLE).map_err(|error| error.to_string())?,
        };
        Ok(Submission { form, flat, ..Submission::empty(clock::now()) })
    }

    fn key(&self, asker: &Asker) -> Result<account::Key, Failed> {
        if let Some(name) = &self.key_env {
            return Ok(account::Key::Env(name.clone()));
        }
        if let Some(path) = &self.key_file {
            let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
            return Ok(account::Key::File(path));
        }
        match asker.secret("The CRM's API key (Settings → API)")? {
            Some(key) => Ok(account::Key::Typed(key)),
            None => Err("give the CRM's key: --key-file FILE, or --key-env NAME".into()),
        }
    }

    fn choose_source(&self, asker: &Asker, sources: &[Source]) -> Result<Source, Failed> {
        if sources.is_empty() {
            return Err(
                "the account has no source: add one in the CRM (Settings → Sources), then run init again".into()
            );
        }
        let list = || sources.iter().map(|source| format!("{} ({})", source.id, source.name)).collect::<Vec<_>>();
        if let Some(wanted) = &self.source {
            let fits = |source: &&Source| {
                source.id.to_string() == wanted.trim() || source.name.to_lowercase() == wanted.trim().to_lowercase()
            };
            let found = sources.iter().find(fits).cloned();
            return found.ok_or_else(|| format!("the account has no source `{wanted}`; it has: {}", list().join(", ")));
        }
        match asker.choose("Orders of this channel belong to the source", list())? {
            Some(index) => Ok(sources[index].clone()),
            None => Err(format!("name the source with --source; the account has: {}", list().join(", "))),
        }
    }

    fn name(&self, asker: &Asker) -> Result<String, Failed> {
        let name = match &self.channel {
            Some(name) => name.clone(),
            None => asker.text("Name of the channel (letters, digits, -)", "site")?,
        };
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if plain { Ok(name) } else { Err(format!("`{name}` is not a channel's name: letters, digits, - and _")) }
    }
}
