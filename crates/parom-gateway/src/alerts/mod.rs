//! Alerts: what needs a person is told within minutes, once, by messages that hold no buyer's data.
//!
//! One look finds what came to wait for a person since the last message and puts a message for each receiver into the store;
//! another takes them out and sends them, again and again until each is sent or a day has passed.

mod email;
mod post;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::channels::Channels;
use crate::clock;
use crate::config::{Alerts, Config, read_secret};
use crate::store::{DueAlert, Store, StoreError};

/// A message that could not be sent for so long is given up.
const GIVEN_UP_MS: i64 = 24 * 3_600_000;
/// The wait after the first failure, and the longest.
const AGAIN_MS: i64 = 30_000;
const LONGEST_MS: i64 = 3_600_000;
/// One try to send.
const PATIENCE: Duration = Duration::from_secs(20);
/// An account that rests for so long is told of.
const RESTS_MS: u64 = 120_000;

/// What is wrong beside orders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The CRM refuses an account's key.
    KeyRefused(String),
    /// The CRM takes nothing from an account.
    Rests(String),
    /// A channel's file cannot be used.
    Broken(String),
}

struct Watch {
    config: Arc<Config>,
    alerts: Alerts,
    store: Store,
    channels: Arc<Channels>,
    /// Faults that were told of, and last.
    told: Vec<Fault>,
    /// Since when accounts rest, by this process's clock.
    resting: BTreeMap<String, u64>,
}

/// Looks and sends until the process stops.
pub(crate) async fn run(config: Arc<Config>, store: Store, channels: Arc<Channels>, mut stop: watch::Receiver<bool>) {
    let Some(alerts) = config.alerts.clone() else {
        let _ = stop.wait_for(|stop| *stop).await;
        return;
    };
    let look = alerts.look;
    let mut watch = Watch { config, alerts, store, channels, told: Vec::new(), resting: BTreeMap::new() };
    loop {
        if let Err(error) = watch.look().await {
            tracing::warn!(%error, "alerts could not be looked for");
        }
        // The process does not wait for a receiver: what was not taken goes at the next start.
        tokio::select! {
            sent = watch.send() => {
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

impl Watch {
    async fn look(&mut self) -> Result<(), StoreError> {
        let news = self.store.news().await?;
        let faults = self.faults().await?;
        let new: Vec<Fault> = faults.iter().filter(|fault| !self.told.contains(fault)).cloned().collect();
        let now = clock::now().as_millisecond();
        if news.orders.is_empty() && new.is_empty() {
            // What is over may be told of again when it comes back.
            self.told.retain(|fault| faults.contains(fault));
            if news.told_at.is_none() {
                self.store.tell(news.event, Vec::new()).await?;
            }
            return Ok(());
        }
        let digest = i64::try_from(self.alerts.digest.as_millis()).unwrap_or(i64::MAX);
        if news.told_at.is_some_and(|at| now - at < digest && now >= at) {
            return Ok(());
        }
        let text = text::of(&self.alerts.language, &self.config.pages_url(), &news.orders, &new);
        let receivers = self.receivers().into_iter().map(|receiver| (receiver, text.clone())).collect();
        self.store.tell(news.event, receivers).await?;
        self.told = faults;
        Ok(())
    }

    fn receivers(&self) -> Vec<&'static str> {
        let mut receivers = Vec::new();
        receivers.extend(self.alerts.telegram.is_some().then_some("telegram"));
        receivers.extend(self.alerts.email.is_some().then_some("email"));
        receivers.extend(self.alerts.webhook.is_some().then_some("webhook"));
        receivers
    }

    async fn faults(&mut self) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        let now = clock::mono().0;
        for name in self.config.accounts.keys() {
            if self.store.sync_state(name).await?.outcome.contains("refuses the key") {
                faults.push(Fault::KeyRefused(name.clone()));
            }
            // Who paused it knows that it rests.
            if !self.store.board().pulse(name).resting || self.store.board().is_paused(name) {
                self.resting.remove(name);
            } else if now.saturating_sub(*self.resting.entry(name.clone()).or_insert(now)) >= RESTS_MS {
                faults.push(Fault::Rests(name.clone()));
            }
        }
        let set = self.channels.current();
        faults.extend(set.values().filter(|live| live.is_broken()).map(|live| Fault::Broken(live.name.clone())));
        Ok(faults)
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

async fn send_one(config: &Config, alerts: &Alerts, store: &Store, alert: DueAlert) -> Result<(), StoreError> {
    let sent = tokio::time::timeout(PATIENCE, deliver(config, alerts, &alert)).await;
    match sent.unwrap_or_else(|_| Err("no answer in time".into())) {
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

async fn deliver(config: &Config, alerts: &Alerts, alert: &DueAlert) -> Result<(), String> {
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
            email::send(settings, password.as_ref(), &alerts.language, &alert.text).await
        }
    }
}
