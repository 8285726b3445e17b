//! The account of `init`: made in a folder of its own, tried, and moved into place only when its key works.

use std::fs;
use std::path::{Path, PathBuf};

use parom_core::dictionary::Kind;
use parom_gateway::config;
use parom_gateway::delivery::fetch_now;
use parom_gateway::store::{Role, Store};

use crate::cli::Failed;

/// Where the key is.
pub(super) enum Key {
    Env(String),
    File(PathBuf),
    /// It is kept in a file beside the configuration, for its owner alone.
    Typed(String),
}

/// A source of the account.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) id: i64,
    pub(super) name: String,
}

/// What the account has.
pub(super) struct Account {
    pub(super) sources: Vec<Source>,
}

/// The files before they are in place; dropped, they are gone.
pub(super) struct Draft {
    trial: PathBuf,
    config: PathBuf,
    dir: PathBuf,
}

const KEY_FILE: &str = "crm.key";

impl Draft {
    pub(super) fn make(dir: &Path, config: &Path, url: &str, key: Key) -> Result<Draft, Failed> {
        let trial = dir.join(format!(".parom-init-{}", std::process::id()));
        let named = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        clear_left(dir);
        ends_with_its_terminal(trial.clone());
        fs::create_dir_all(&trial).map_err(|error| named(&trial, error))?;
        let draft = Draft { trial, config: config.to_owned(), dir: dir.to_owned() };
        let reference = match key {
            Key::Env(name) => format!("{{ env = {name:?} }}"),
            Key::File(path) => format!("{{ file = {:?} }}", path.display().to_string()),
            Key::Typed(key) => {
                let path = draft.trial.join(KEY_FILE);
                write_secret(&path, key.trim()).map_err(|error| named(&path, error))?;
                format!("{{ file = {KEY_FILE:?} }}")
            }
        };
        let text = format!(
            "listen = \"127.0.0.1:8080\"\n# public_url = \"https://orders.example.ua\"\n\n[store]\nurl = \"sqlite:parom.db\"\n\n\
             [accounts.main]\nurl = {url:?}\napi_key = {reference}\nrequests_per_minute = 54\n\n\
             # The search for a branch in the form (docs/nova-poshta.md); the key is of Nova Poshta's cabinet.\n\
             # [novaposhta]\n# api_key = {{ file = \"np.key\" }}\n"
        );
        let path = draft.trial.join("parom.toml");
        fs::write(&path, text).map_err(|error| named(&path, error))?;
        Ok(draft)
    }

    /// Asks the CRM with the key.
    pub(super) async fn look(&self) -> Result<Account, Failed> {
        let config = config::load(&self.trial.join("parom.toml")).map_err(|error| error.to_string())?;
        let store = Store::open(&config.store, Role::Serve).map_err(|error| error.to_string())?;
        fetch_now(&config, &store, "main", |what| eprintln!("parom: {what}")).await?;
        let state = store.sync_state("main").await.map_err(|error| error.to_string())?;
        let (dictionary, _) = store.dictionary("main").await.map_err(|error| error.to_string())?;
        let Some(sources) = dictionary.entries(Kind::Sources) else {
            return Err(format!("the key could not be tried: {}", state.outcome));
        };
        let name = |entry: &parom_core::dictionary::Entry| {
            if entry.name.is_empty() { entry.alias.clone() } else { entry.name.clone() }
        };
        Ok(Account { sources: sources.iter().map(|entry| Source { id: entry.id, name: name(entry) }).collect() })
    }

    /// Moves the files into place: the configuration last, and with it what the store already knows of the account.
    pub(super) fn keep(self) -> Result<(), Failed> {
        for name in [KEY_FILE, "parom.db", "parom.db-wal", "parom.db-shm", "parom.db.mark", "parom.toml"] {
            let from = self.trial.join(name);
            let to = if name == "parom.toml" { self.config.clone() } else { self.dir.join(name) };
            if !from.exists() {
                continue;
            }
            if to.exists() {
                return Err(format!("{} exists; nothing of it was touched", to.display()));
            }
            fs::rename(&from, &to).map_err(|error| format!("{}: {error}", to.display()))?;
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.trial);
    }
}

/// Takes the folders away that another `init` left as it was killed: a key is in them.
fn clear_left(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid =
            name.to_str().and_then(|name| name.strip_prefix(".parom-init-")).and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A terminal that is closed, or whoever ends the wizard from outside, leaves no key behind either.
fn ends_with_its_terminal(trial: PathBuf) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut closed), Ok(mut ended)) = (signal(SignalKind::hangup()), signal(SignalKind::terminate())) else {
        return;
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = closed.recv() => {}
            _ = ended.recv() => {}
        }
        let _ = fs::remove_dir_all(&trial);
        std::process::exit(130);
    });
}

fn write_secret(path: &Path, key: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::File::options().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(key.as_bytes())
}
