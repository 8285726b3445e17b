//! The demo's configuration: real files, to look at and to change while it runs.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::cli::Failed;

/// The sandbox's key; it opens nothing else.
pub(super) const KEY: &str = "demo-key-of-the-sandbox";

const CHANNEL: &str = include_str!("shop.toml");

/// The three addresses of the demo.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) gateway: SocketAddr,
    pub(super) crm: SocketAddr,
    pub(super) shop: SocketAddr,
}

impl Ports {
    pub(super) fn of(first: u16) -> Result<Ports, Failed> {
        let at = |offset: u16| {
            let port = first.checked_add(offset).ok_or("--port is too high: the demo takes three ports from it on")?;
            Ok::<_, Failed>(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        };
        if first == 0 {
            return Err("--port must be a number from 1: the demo takes three ports from it on".into());
        }
        Ok(Ports { gateway: at(0)?, crm: at(1)?, shop: at(2)? })
    }
}

/// Writes what is missing; the channel file stays as it is, so that changes to it are kept.
pub(super) fn write(dir: &Path, ports: Ports) -> Result<(), Failed> {
    let named = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let channels = dir.join("channels");
    fs::create_dir_all(&channels).map_err(|error| named(&channels, error))?;
    let key = dir.join("crm.key");
    write_secret(&key).map_err(|error| named(&key, error))?;
    let config = dir.join("parom.toml");
    fs::write(&config, settings(ports)).map_err(|error| named(&config, error))?;
    let channel = channels.join("shop.toml");
    if !channel.exists() {
        let text = CHANNEL.replace("SHOP_ADDRESS", &ports.shop.to_string());
        fs::write(&channel, text).map_err(|error| named(&channel, error))?;
    }
    Ok(())
}

fn write_secret(path: &Path) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::File::options().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(KEY.as_bytes())
}

fn settings(ports: Ports) -> String {
    format!(
        "# Written by `parom demo` at each start.\n\
         listen = \"{}\"\n\n\
         [store]\nurl = \"sqlite:parom.db\"\n# A demo may run on a nearly full disk.\nintake_min_free = \"16MiB\"\n\
         delivery_min_free = \"8MiB\"\n\n\
         [accounts.main]\nurl = \"http://{}/v1\"\napi_key = {{ file = \"crm.key\" }}\n\n\
         # The sandbox has a directory of Nova Poshta too: the towns are real, the branches are made up.\n\
         [novaposhta]\nurl = \"http://{}/v2.0/json/\"\napi_key = {{ file = \"crm.key\" }}\n\n\
         # Short times, so that a fault heals while you look. The defaults are 30s, 180s and 60s.\n\
         [delivery]\ntimeout = \"5s\"\nquiet_period = \"10s\"\nverify_gap = \"3s\"\n",
        ports.gateway, ports.crm, ports.crm
    )
}
