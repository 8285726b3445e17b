//! A dead man's ping: a watcher elsewhere is asked every fourth look (every minute, unless set otherwise) while orders can be
//! accepted, and tells when that stops.

use parom_core::channel::SecretRef;
use secrecy::ExposeSecret;
use tokio::sync::watch;

use crate::config::{Alerts, Config, read_secret};
use crate::reach::words;
use crate::store::Store;

/// Pings until the process stops, where a watcher is named.
pub(super) async fn run(config: &Config, alerts: &Alerts, store: &Store, mut stop: watch::Receiver<bool>) {
    let Some(address) = &alerts.ping else { return };
    while !*stop.borrow() {
        if store.room_for_intake().is_ok() && store.probe().await.is_ok() {
            // Its address is a secret, and stands in no line of the log.
            if let Err(why) = ping(config, alerts, address).await {
                tracing::warn!(why, "the watcher could not be pinged");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(alerts.look * 4) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

pub(super) async fn ping(config: &Config, alerts: &Alerts, address: &SecretRef) -> Result<(), String> {
    let address = read_secret(&config.dir, address).map_err(|error| error.to_string())?;
    let response = alerts.reach.client()?.post(address.expose_secret())?.send().await.map_err(words)?;
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(format!("the answer was {status}")) }
}
