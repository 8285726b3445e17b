//! Secrets by reference: an environment variable, or a file.

use std::fmt;
use std::path::Path;

use parom_core::channel::{Access, SecretRef};
use secrecy::SecretString;

use crate::redact;

/// Why a secret cannot be had. Its text names the reference, never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError(String);

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SecretError {}

/// Reads a secret. A file's path resolves beside the configuration; its last newline is not part of the secret.
///
/// # Errors
/// A variable that is not set, a file that cannot be read or that others may write, an empty secret.
pub fn read_secret(dir: &Path, secret: &SecretRef) -> Result<SecretString, SecretError> {
    let text = match secret {
        SecretRef::Env(name) => {
            #[expect(clippy::disallowed_methods, reason = "config/ is where the environment is read")]
            let value = std::env::var(name);
            value.map_err(|_| SecretError(format!("the environment variable {name} is not set")))?
        }
        SecretRef::File(path) => from_file(&dir.join(path))?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(SecretError(format!("the secret in {} is empty", describe(secret))));
    }
    if text.chars().any(|c| c.is_control()) {
        return Err(SecretError(format!("the secret in {} has control characters", describe(secret))));
    }
    redact::hide(text);
    Ok(SecretString::from(text.to_owned()))
}

/// The secrets of a channel's access rule.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The token of servers.
    pub token: Option<SecretString>,
    /// Those by which the sender signs.
    pub signing: Vec<SecretString>,
}

/// Reads every secret that an access rule names.
///
/// # Errors
/// The first that cannot be had, with its key in the channel's file.
pub fn read_secrets(dir: &Path, access: &Access) -> Result<Secrets, (&'static str, SecretError)> {
    let token = access.token.as_ref().map(|secret| read_secret(dir, secret)).transpose();
    let signing: Result<Vec<_>, _> = access.secrets.iter().map(|secret| read_secret(dir, secret)).collect();
    Ok(Secrets {
        token: token.map_err(|error| ("access.token", error))?,
        signing: signing.map_err(|error| ("access.secret", error))?,
    })
}

fn describe(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => format!("the environment variable {name}"),
        SecretRef::File(path) => format!("the file {path}"),
    }
}

fn from_file(path: &Path) -> Result<String, SecretError> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|error| SecretError(format!("the file {shown}: {error}")))?;
    let mode = meta.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(SecretError(format!("the file {shown} can be written by others: chmod 600 {shown}")));
    }
    if mode & 0o044 != 0 {
        tracing::warn!(file = %shown, "a secret's file can be read by others; chmod 600 it");
    }
    std::fs::read_to_string(path).map_err(|error| SecretError(format!("the file {shown}: {error}")))
}
