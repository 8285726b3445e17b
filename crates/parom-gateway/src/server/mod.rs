//! The running gateway: the HTTP server, delivery, and the watch over channel files.

mod connections;
mod headers;
mod health;
mod hosts;
mod nothing;
mod places;
mod slow;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api;
use crate::channels::Channels;
use crate::config::Config;
use crate::delivery::Delivery;
use crate::dictionaries::Dictionaries;
use crate::intake::{self, Intake, SpamWatch};
use crate::metering;
use crate::novaposhta::NovaPoshta;
use crate::passwords;
use crate::store::{Role, Store};
use crate::ui;
use headers::Common;
use hosts::Hosts;
use nothing::nothing_else;

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its store.
    pub store: Store,
    /// Its channels.
    pub channels: Arc<Channels>,
    delivery: Delivery,
    server: JoinHandle<()>,
    watcher: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Gateway {
    /// Opens the store, reads the channels, starts delivery, and listens.
    ///
    /// # Errors
    /// What does not start, in words that say what to do.
    pub async fn start(config: Config) -> Result<Gateway, String> {
        metering::install();
        let config = Arc::new(config);
        let listener = connections::listen(config.listen).map_err(|error| {
            format!("cannot listen on {}: {error}; is another program there? (listen in parom.toml)", config.listen)
        })?;
        let addr = listener.local_addr().map_err(|error| error.to_string())?;
        let own = match config.ui_listen {
            Some(own) => Some(connections::listen(own).map_err(|error| {
                format!("cannot listen on {own}: {error}; is another program there? (ui_listen in parom.toml)")
            })?),
            None => None,
        };
        let store = Store::open(&config.store, Role::Serve).map_err(|error| error.to_string())?;
        let channels = Channels::start(&config, &store).await.map_err(|error| error.to_string())?;
        let channels = Arc::new(channels);
        let carrier = NovaPoshta::start(&config, &store).await.map_err(|error| error.to_string())?;
        let carrier = Arc::new(carrier);
        let accounts = config.accounts.names();
        let dictionaries = Dictionaries::start(&accounts, &store, Arc::clone(&carrier));
        let dictionaries = dictionaries.await.map_err(|error| error.to_string())?;
        let dictionaries = Arc::new(dictionaries);
        for account in store.pauses().await.map_err(|error| error.to_string())?.keys() {
            store.board().set_paused(account, true);
        }
        let (stop, stopping) = watch::channel(false);
        let key = store.form_time_key(passwords::random()).await.map_err(|error| error.to_string())?;
        let intake = Intake {
            config: Arc::clone(&config),
            store: store.clone(),
            channels: Arc::clone(&channels),
            dictionaries: Arc::clone(&dictionaries),
            novaposhta: Arc::clone(&carrier),
            searches: Arc::default(),
            spam: Arc::new(SpamWatch::new(key)),
        };
        // Nothing is sent before all that can be wrong with the configuration was looked at.
        let (public, private) = (open_routes(intake.clone()), operator_routes(intake, stopping.clone())?);
        let delivery = Delivery::start(&config, &store, &dictionaries).await?;
        let server = match own {
            None => tokio::spawn(connections::serve(
                listener,
                nothing_else(public.merge(private), &config),
                stopping.clone(),
            )),
            Some(own) => {
                let senders = connections::serve(listener, nothing_else(public.clone(), &config), stopping.clone());
                let operators = connections::serve(own, nothing_else(private, &config), stopping.clone());
                tokio::spawn(async move {
                    tokio::join!(senders, operators);
                })
            }
        };
        let alerts = crate::alerts::run(Arc::clone(&config), store.clone(), Arc::clone(&channels), stopping.clone());
        let retention = crate::retention::run(Arc::clone(&config), store.clone(), stopping.clone());
        let refresher = crate::novaposhta::run(carrier, Arc::clone(&config), store.clone(), stopping.clone());
        let replayer = Arc::clone(&channels).watch(config, store.clone(), Arc::clone(&dictionaries), stopping.clone());
        let checker = dictionaries.watch(Arc::clone(&channels), store.clone(), stopping);
        let watcher = tokio::spawn(async move {
            tokio::join!(replayer, checker, alerts, retention, refresher);
        });
        Ok(Gateway { addr, store, channels, delivery, server, watcher, stop })
    }

    /// Waits until a part of the gateway ended that never should: then the process must end, and the next start looks up
    /// what was under way.
    pub async fn failed(&mut self) -> &'static str {
        tokio::select! {
            () = self.delivery.failed() => "delivery ended",
            _ = &mut self.watcher => "the watch over channels and dictionaries ended",
            _ = &mut self.server => "the listener ended",
        }
    }

    /// Stops gracefully: no new connection, requests and deliveries under way are brought to their end.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.server.await;
        let _ = self.watcher.await;
        self.delivery.stop().await;
        // A mark that lags behind only notices less.
        let _ = self.store.mark().await;
    }
}

/// For senders and for the machine that watches.
fn open_routes(intake: Intake) -> Router {
    let common = Common::of_senders(&intake.config);
    let routes = health::routes(intake.clone()).merge(intake::routes(intake));
    routes.layer(middleware::from_fn_with_state(common, headers::add))
}

/// For operators: the pages, the API, the metrics; by names of ours alone.
fn operator_routes(intake: Intake, stopping: watch::Receiver<bool>) -> Result<Router, String> {
    let common = Common::of_operators(&intake.config);
    let hosts = Arc::new(Hosts::of(&intake.config));
    let api = api::Api::new(intake.clone())?;
    let routes = health::metrics(api.clone()).merge(api::routes(api)).merge(ui::routes(intake, stopping)?);
    let routes = routes.layer(middleware::from_fn_with_state(hosts, hosts::guard));
    Ok(routes.layer(middleware::from_fn_with_state(common, headers::add)))
}
