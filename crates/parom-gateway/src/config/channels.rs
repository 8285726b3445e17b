//! The channel files, live: read at the start and whenever they change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parom_core::channel::{Channel, Finding, Severity, parse};
use parom_core::problem::Code;

use super::secrets::{Secrets, read_secrets};
use super::{Config, line_in};

/// One channel as it is served.
#[derive(Debug)]
pub struct LiveChannel {
    /// The file's name without its ending.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// The file's text.
    pub text: String,
    /// The version that is used: the file's, or the last good one; none where there was never one.
    pub channel: Option<Arc<Channel>>,
    /// The used version's row in the store; 0 until it is kept there.
    pub version: i64,
    /// The secrets that its access rule names.
    pub secrets: Secrets,
    /// What a look over the file found.
    pub findings: Vec<Finding>,
}

/// All channels by name.
pub type ChannelSet = BTreeMap<String, Arc<LiveChannel>>;

impl LiveChannel {
    /// The file as it is now cannot be used.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// What is wrong with it, in a line.
    #[must_use]
    pub fn fault(&self) -> String {
        let first = self.findings.iter().find(|finding| finding.severity == Severity::Error);
        first.map_or_else(String::new, |f| format!("{}:{}: {}", self.file.display(), f.line, f.message))
    }
}

/// A channel's file: its name, its path, and its text or why that cannot be read.
pub type ChannelFile = (String, PathBuf, Result<String, String>);

/// The files of the channels folder. A folder that is not there has none.
///
/// # Errors
/// In words: a folder that cannot be read. Nobody knows then which channels there are.
pub fn read_channel_files(dir: &Path) -> Result<Vec<ChannelFile>, String> {
    let paths = match paths(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        paths => paths.map_err(|error| format!("the channels' folder {} cannot be read: {error}", dir.display()))?,
    };
    let mut files: Vec<_> = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            Some((name, path, text))
        })
        .collect();
    files.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(files)
}

fn paths(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}

/// Reads every channel file. A broken one is there too, with its findings and without a channel.
///
/// # Errors
/// As [`read_channel_files`].
pub fn load_channels(config: &Config) -> Result<Vec<LiveChannel>, String> {
    let files = read_channel_files(&config.channels_dir())?;
    Ok(files.into_iter().map(|(name, file, text)| channel_of(config, name, file, text)).collect())
}

/// A channel of its text, or of why that cannot be read. A broken one has findings and no channel.
#[must_use]
pub fn channel_of(config: &Config, name: String, file: PathBuf, text: Result<String, String>) -> LiveChannel {
    let written = text.as_ref().cloned().unwrap_or_default();
    let finding = |path: &str, code: Code, message: String, hint: &str| Finding {
        line: line_in(&written, &path.split('.').collect::<Vec<_>>()),
        column: 1,
        path: path.into(),
        code,
        severity: Severity::Error,
        message,
        hint: hint.into(),
    };
    let (text, mut channel, mut findings) = match text {
        Ok(text) => {
            let (channel, findings) = parse(&name, &text);
            (text, channel, findings)
        }
        Err(error) => {
            let hint = "The file must be readable, and UTF-8.";
            (String::new(), None, vec![finding("", Code::Unreadable, format!("cannot be read: {error}"), hint)])
        }
    };
    let plain_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !plain_name || name.len() > 64 {
        let hint = "A channel's file name is its address: letters, digits, - and _, up to 64.";
        findings.push(finding("", Code::InvalidSetting, format!("`{name}` is not a channel's name"), hint));
        channel = None;
    }
    let mut secrets = Secrets::default();
    if let Some(read) = &channel {
        if !config.accounts.has(&read.account) {
            let hint = match config.accounts.faults().get(&read.account) {
                Some(fault) => format!("Its file cannot be used: {fault}."),
                None => format!("Known accounts: {}.", config.accounts.names().join(", ")),
            };
            let message = format!("there is no account `{}`", read.account);
            findings.push(finding("account", Code::UnknownAccount, message, &hint));
            // By its token alone a script's orders find the channel, and are held.
            secrets = read_secrets(&config.dir, &read.access).unwrap_or_default();
            channel = None;
        } else {
            match read_secrets(&config.dir, &read.access) {
                Ok(all) => secrets = all,
                Err((place, error)) => {
                    let hint = "Without it nobody may post: set it and the channel is read again.";
                    findings.push(finding(place, Code::Unreadable, error.to_string(), hint));
                    channel = None;
                }
            }
        }
    }
    LiveChannel { name, file, text, channel: channel.map(Arc::new), version: 0, secrets, findings }
}
