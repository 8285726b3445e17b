//! `parom convert`.

use std::path::PathBuf;

use clap::Subcommand;
use parom_core::php::{self, ConvertError, Note};
use serde_json::{Value, json};

use super::{Failed, Outcome, print, print_json};

/// Turn another program's rules into a channel.
#[derive(Subcommand)]
pub(super) enum Convert {
    /// A PHP script that sends orders to the CRM, as a channel file
    #[command(
        after_help = "The channel file goes to stdout; what a person has to look at goes to stderr with its line, \
        and then the exit code is 1.\n\
        Example: parom convert php order.php > channels/site.toml; parom check --offline"
    )]
    Php {
        /// The script; - is stdin. It is read, never run
        file: PathBuf,
        /// The account that the channel sends to
        #[arg(long, default_value = "main", value_name = "NAME")]
        account: String,
        /// An object of {channel, target, notes}
        #[arg(long)]
        json: bool,
    },
}

impl Convert {
    pub(super) fn run(self) -> Result<Outcome, Failed> {
        let Convert::Php { file, account, json: as_json } = self;
        let shown = file.display().to_string();
        let bytes = super::map::read(&file).map_err(|error| format!("{shown}: {error}"))?;
        // Old scripts are written in windows-1251, which reads every byte as some letter.
        let other = std::str::from_utf8(&bytes).is_err();
        let encoding = if other { encoding_rs::WINDOWS_1251 } else { encoding_rs::UTF_8 };
        let text = encoding.decode_with_bom_removal(&bytes).0;
        let converted = match php::convert(&text, &account) {
            Ok(converted) => converted,
            Err(error) => {
                if let ConvertError::NoOrder(notes) = &error {
                    tell(&shown, notes);
                }
                return Err(format!("{shown}: {error}"));
            }
        };
        if other {
            eprintln!(
                "{shown}: the script is not in UTF-8 and is read as windows-1251: look at its texts in the channel"
            );
        }
        let channel = format!("# Made of {shown} by `parom convert php`.\n{}", converted.channel);
        if as_json {
            let notes: Vec<Value> =
                converted.notes.iter().map(|note| json!({ "line": note.line, "text": note.text })).collect();
            print_json(&json!({ "channel": channel, "target": converted.target.as_str(), "notes": notes }));
        } else {
            print(&channel);
            tell(&shown, &converted.notes);
        }
        Ok(if converted.notes.is_empty() && !other { Outcome::Done } else { Outcome::Problems })
    }
}

fn tell(file: &str, notes: &[Note]) {
    for note in notes {
        eprintln!("{file}:{}: {}", note.line, note.text);
    }
}
