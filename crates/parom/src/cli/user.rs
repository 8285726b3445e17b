//! `parom user`: who may sign in to the pages.

use std::io::{IsTerminal, Read};
use std::path::Path;

use clap::{Subcommand, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use inquire::{Password, PasswordDisplayMode};
use parom_gateway::config::{Config, Role};
use parom_gateway::passwords;
use parom_gateway::store::{self, Operator, Scope, Store};
use serde_json::json;

use super::{Failed, Outcome, load, print, print_json};

/// The people who may sign in.
#[derive(Subcommand)]
pub(super) enum User {
    /// Add a person; the password is asked for, or read from stdin
    #[command(after_help = "Example: parom user add olena --role operator --account main")]
    Add {
        /// Small Latin letters, digits, dot, hyphen
        name: String,
        /// viewer looks with buyers hidden, operator mends and sends, admin adds people
        #[arg(long, value_enum, default_value_t = Word::Operator)]
        role: Word,
        /// An account that they may see, again for more; without it, all
        #[arg(long = "account", value_name = "NAME")]
        accounts: Vec<String>,
    },
    /// Who may sign in
    List {
        /// An array of people
        #[arg(long)]
        json: bool,
    },
    /// Give a person another password; their sessions end
    Passwd {
        /// Whose
        name: String,
    },
    /// Remove a person; their sessions end
    Remove {
        /// Whom
        name: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Word {
    Viewer,
    Operator,
    Admin,
}

/// For the audit: who stands at the machine.
const ACTOR: &str = "command line";

impl User {
    pub(super) async fn run(self, config: &Path) -> Result<Outcome, Failed> {
        let config = load(config)?;
        let store = Store::open(&config.store, store::Role::Command).map_err(|error| error.to_string())?;
        match self {
            User::Add { name, role, accounts } => add(&config, &store, name, role, accounts).await,
            User::List { json } => list(&store, json).await,
            User::Passwd { name } => {
                let name = name.to_lowercase();
                if store.operator(&name).await.map_err(|error| error.to_string())?.is_none() {
                    return Err(nobody(&name));
                }
                let password = ask(&name).await?;
                store.set_password(&name, password, ACTOR).await.map_err(|error| error.to_string())?;
                print(&format!("{name} has another password; their sessions have ended\n"));
                Ok(Outcome::Done)
            }
            User::Remove { name } => {
                let name = name.to_lowercase();
                if !store.remove_operator(&name, ACTOR).await.map_err(|error| error.to_string())? {
                    return Err(nobody(&name));
                }
                print(&format!("{name} is removed; their sessions have ended\n"));
                Ok(Outcome::Done)
            }
        }
    }
}

fn nobody(name: &str) -> Failed {
    format!("there is nobody called `{name}`; see `parom user list`")
}

async fn add(
    config: &Config,
    store: &Store,
    name: String,
    role: Word,
    accounts: Vec<String>,
) -> Result<Outcome, Failed> {
    let name = name.to_lowercase();
    if !passwords::is_name(&name) {
        return Err(format!("`{name}` is not taken as a name: small Latin letters, digits, dot, hyphen, at most 64"));
    }
    if let Some(unknown) = accounts.iter().find(|account| !config.accounts.has(account)) {
        return Err(format!("there is no account `{unknown}` in {}", config.file.display()));
    }
    let role = match role {
        Word::Viewer => Role::Viewer,
        Word::Operator => Role::Operator,
        Word::Admin => Role::Admin,
    };
    let scope = if accounts.is_empty() { Scope::All } else { Scope::Accounts(accounts) };
    let password = ask(&name).await?;
    let operator = Operator { name: name.clone(), password, role, scope, language: String::new(), created_at: 0 };
    if !store.add_operator(operator, ACTOR).await.map_err(|error| error.to_string())? {
        return Err(format!(
            "there is somebody called `{name}` already; `parom user passwd {name}` changes the password"
        ));
    }
    print(&format!("{name} may sign in as {}\n", role.as_str()));
    Ok(Outcome::Done)
}

async fn list(store: &Store, as_json: bool) -> Result<Outcome, Failed> {
    let people = store.operators().await.map_err(|error| error.to_string())?;
    if as_json {
        let rows = people.iter().map(
            |person| json!({ "name": person.name, "role": person.role.as_str(), "accounts": person.scope.names() }),
        );
        print_json(&rows.collect());
        return Ok(Outcome::Done);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["NAME", "ROLE", "ACCOUNTS"]);
    for person in &people {
        let seen = person.scope.names().map_or_else(|| "all".to_owned(), |names| names.join(", "));
        table.add_row([person.name.as_str(), person.role.as_str(), &seen]);
    }
    print(&format!("{table}\n"));
    Ok(Outcome::Done)
}

/// The hash of a password that was typed twice, or came in one line by stdin.
async fn ask(name: &str) -> Result<String, Failed> {
    let password = if std::io::stdin().is_terminal() {
        Password::new("Password:")
            .with_display_mode(PasswordDisplayMode::Masked)
            .with_custom_confirmation_message("Once more:")
            .prompt()
            .map_err(|error| error.to_string())?
    } else {
        let mut text = String::new();
        std::io::stdin().take(4_096).read_to_string(&mut text).map_err(|error| format!("stdin: {error}"))?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    };
    passwords::check(&password, name).map_err(|weak| weak.to_string())?;
    passwords::hash(&password).await
}
