//! Where orders are kept: `[store]`.

use std::path::{Path, PathBuf};

use parom_core::channel::SecretRef;
use secrecy::SecretString;
use serde::Deserialize;

use super::file::{RawSecret, secret};
use super::secrets::{SecretError, read_secret};

/// Where orders are kept.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// In which database.
    pub place: Place,
    /// Intake stops below so much free space; none: the larger of 256 MiB and 2 % of the disk. Of a file alone.
    pub intake_min_free: Option<u64>,
    /// Delivery stops below so much free space; none: 64 MiB. Of a file alone.
    pub delivery_min_free: Option<u64>,
}

/// The database of orders.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL that several nodes share.
    Server(Server),
}

/// A PostgreSQL.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address: `postgres://user@host/database`.
    pub url: String,
    /// The authority of its certificate, PEM; none: those that the machine trusts.
    pub root_cert: Option<PathBuf>,
    dir: PathBuf,
    password: Option<SecretRef>,
}

impl StoreSettings {
    /// The SQLite file, where orders are kept in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    /// Whether there may be a store yet: a server is asked, a file is looked for.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file().is_none_or(Path::exists)
    }
}

impl Server {
    /// The user's password, where one is named.
    ///
    /// # Errors
    /// A secret that cannot be had.
    pub fn password(&self) -> Result<Option<SecretString>, SecretError> {
        self.password.as_ref().map(|password| read_secret(&self.dir, password)).transpose()
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    url: Option<String>,
    password: Option<RawSecret>,
    root_cert: Option<PathBuf>,
    intake_min_free: Option<String>,
    delivery_min_free: Option<String>,
}

pub(super) fn check(dir: &Path, raw: RawStore) -> Result<StoreSettings, String> {
    let size = |name: &str, text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        parse_size(text).map(Some).ok_or_else(|| format!("store.{name}: `{text}` is not a size; write 256MiB"))
    };
    Ok(StoreSettings {
        intake_min_free: size("intake_min_free", &raw.intake_min_free)?,
        delivery_min_free: size("delivery_min_free", &raw.delivery_min_free)?,
        place: check_place(dir, raw)?,
    })
}

fn check_place(dir: &Path, raw: RawStore) -> Result<Place, String> {
    let url = raw.url.unwrap_or_else(|| "sqlite:parom.db".into());
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let password = raw.password.map(|password| secret("store.password", password)).transpose()?;
        let root_cert = raw.root_cert.map(|path| dir.join(path));
        return Ok(Place::Server(Server { url, root_cert, dir: dir.to_owned(), password }));
    }
    let Some(file) = url.strip_prefix("sqlite:") else {
        return Err(format!("store.url: `{url}` is not taken; write sqlite:FILE or postgres://user@host/database"));
    };
    if file.is_empty() || file == ":memory:" {
        return Err("store.url: orders are kept in a file; write sqlite:parom.db".into());
    }
    if raw.password.is_some() || raw.root_cert.is_some() {
        return Err("store.password, store.root_cert: a SQLite file has neither; they are of postgres://".into());
    }
    Ok(Place::File(dir.join(file.trim_start_matches("//"))))
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}
