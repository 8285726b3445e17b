//! Alerts: what needs a person is told within minutes, once, by messages that hold no buyer's data.
//!
//! One look finds what came to wait for a person since the last message and puts a message for each receiver into the store;
//! another takes them out and sends them, again and again until each is sent or a day has passed.

mod email;
mod faults;
mod ping;
mod post;
mod text;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::channels::Channels;
use crate::clock;
use crate::config::{Alerts, Config, read_secret};
use crate::store::{DueAlert, Store, StoreError, Told};
use crate::ui::word;

use faults::{Eyes, Fault};

/// A message that could not be sent for so long is given up.
const GIVEN_UP_MS: i64 = 24 * 3_600_000;
/// The wait after the first failure, and the longest.
const AGAIN_MS: i64 = 30_000;
const LONGEST_MS: i64 = 3_600_000;
/// One try to send.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver said of a test.
pub type Tried = (&'static str, Result<(), String>);

/// Sends a test to each receiver that is configured, and asks the watcher; what each said.
pub async fn test(config: &Config, alerts: &Alerts) -> Vec<Tried> {
    let text = format!("Parom\n{}\n{}", word(&alerts.language, "alerts-test-text"), config.pages_url());
    let now = clock::now().as_millisecond();
    let tries = receivers(alerts).into_iter().map(|receiver| {
        let alert =
            DueAlert { id: now, receiver: receiver.to_owned(), text: text.clone(), created_at: now, attempts: 0 };
        async move { (receiver, within_patience(deliver(config, alerts, &alert, "alerts-test")).await) }
    });
    let mut tried = join_all(tries).await;
    if let Some(address) = &alerts.ping {
        tried.push(("ping", within_patience(ping::ping(config, alerts, address)).await));
    }
    tried
}

async fn within_patience(sending: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::time::timeout(PATIENCE, sending).await.unwrap_or_else(|_| Err("no answer in time".into()))
}

fn receivers(alerts: &Alerts) -> Vec<&'static str> {
    let mut receivers = Vec::new();
    receivers.extend(alerts.telegram.is_some().then_some("telegram"));
    receivers.extend(alerts.email.is_some().then_some("email"));
    receivers.extend(alerts.webhook.is_some().then_some("webhook"));
    receivers
}

struct Watch {
    config: Arc<Config>,
    alerts: Alerts,
    store: Store,
    channels: Arc<Channels>,
    eyes: Eyes,
}

/// Looks and sends until the process stops.
pub(crate) async fn run(config: Arc<Config>, store: Store, channels: Arc<Channels>, mut stop: watch::Receiver<bool>) {
    let Some(alerts) = config.alerts.clone() else {
        let _ = stop.wait_for(|stop| *stop).await;
        return;
    };
    let pinged = ping::run(&config, &alerts, &store, stop.clone());
    let (told, look) = (Watch::new(&config, &alerts, &store, &channels), alerts.look);
    tokio::join!(pinged, told.run(look, stop));
}

impl Watch {
    fn new(config: &Arc<Config>, alerts: &Alerts, store: &Store, channels: &Arc<Channels>) -> Watch {
        let (config, channels) = (Arc::clone(config), Arc::clone(channels));
        Watch { config, alerts: alerts.clone(), store: store.clone(), channels, eyes: Eyes::new(store) }
    }

    async fn run(mut self, look: Duration, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "alerts could not be looked for");
            }
            // The process does not wait for a receiver: what was not taken goes at the next start.
            tokio::select! {
                sent = self.send() => {
                    if let Err(error) = sent {
                        tracing::warn!(%error, "alerts could not be sent");
                    }
                }
                _ = stop.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(look) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let news = self.store.news().await?;
        let faults = self.eyes.look(&self.config, &self.alerts, &self.store, &self.channels).await?;
        let before: Vec<Fault> = news.faults.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        let new: Vec<Fault> = faults.iter().filter(|fault| !before.contains(fault)).cloned().collect();
        // What is over may be told of again when it comes back.
        let over = before.iter().filter(|fault| !faults.contains(fault) && self.eyes.judges(fault));
        let over: Vec<String> = over.map(kept).collect();
        let now = clock::now().as_millisecond();
        let digest = i64::try_from(self.alerts.digest.as_millis()).unwrap_or(i64::MAX);
        let early = news.told_at.is_some_and(|at| now - at < digest && now >= at);
        let quiet = news.orders.is_empty() && new.is_empty();
        if quiet && over.is_empty() && news.mark.is_some() || early {
            return Ok(());
        }
        let mut told = Told { over, ..Told::default() };
        if !quiet {
            let text = text::of(&self.alerts.language, &self.config.pages_url(), &news.orders, &new);
            told.messages = receivers(&self.alerts).into_iter().map(|receiver| (receiver, text.clone())).collect();
            told.new = new.iter().map(kept).collect();
        }
        self.store.tell(&news, told).await
    }

    /// One that does not answer keeps no other waiting.
    async fn send(&self) -> Result<(), StoreError> {
        let mut under_way = JoinSet::new();
        for alert in self.store.due_alerts().await? {
            let (config, alerts, store) = (Arc::clone(&self.config), self.alerts.clone(), self.store.clone());
            under_way.spawn(async move { send_one(&config, &alerts, &store, alert).await });
        }
        while let Some(done) = under_way.join_next().await {
            done.unwrap_or(Ok(()))?;
        }
        Ok(())
    }
}

/// As the store keeps it.
fn kept(fault: &Fault) -> String {
    serde_json::to_string(fault).unwrap_or_default()
}

async fn send_one(config: &Config, alerts: &Alerts, store: &Store, alert: DueAlert) -> Result<(), StoreError> {
    match within_patience(deliver(config, alerts, &alert, "needs-a-person")).await {
        Ok(()) => store.alert_sent(alert.id).await,
        Err(why) => {
            let now = clock::now().as_millisecond();
            let wait = (AGAIN_MS << alert.attempts.clamp(0, 20)).min(LONGEST_MS);
            let again = Some(now + wait).filter(|at| at - alert.created_at < GIVEN_UP_MS);
            tracing::warn!(receiver = alert.receiver, why, again = again.is_some(), "an alert was not sent");
            store.alert_failed(alert.id, again, &why).await
        }
    }
}

/// Sends one message; `about` is the word that a mail's subject says.
async fn deliver(config: &Config, alerts: &Alerts, alert: &DueAlert, about: &str) -> Result<(), String> {
    let read = |secret| read_secret(&config.dir, secret).map_err(|error| error.to_string());
    match alert.receiver.as_str() {
        "telegram" => {
            let settings = alerts.telegram.as_ref().ok_or("no longer configured")?;
            post::telegram(settings, &alerts.reach, &read(&settings.token)?, &alert.text).await
        }
        "webhook" => {
            let settings = alerts.webhook.as_ref().ok_or("no longer configured")?;
            post::webhook(settings, &alerts.reach, &read(&settings.secret)?, alert).await
        }
        _ => {
            let settings = alerts.email.as_ref().ok_or("no longer configured")?;
            let password = settings.password.as_ref().map(read).transpose()?;
            email::send(settings, password.as_ref(), &word(&alerts.language, about), &alert.text).await
        }
    }
}
