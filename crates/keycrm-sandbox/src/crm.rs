//! The state that all requests share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::account::{Account, WriteError};
use crate::cards;
use crate::clock::Clock;
use crate::directory::Directory;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::novaposhta::NovaPoshta;
use crate::options::Options;
use crate::orders::{self, Shape};
use crate::rates::Rates;

/// The imitated CRM.
#[derive(Debug)]
pub(crate) struct Crm {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) rates: Rates,
    pub(crate) faults: Faults,
    pub(crate) novaposhta: NovaPoshta,
    pub(crate) api_url: String,
    account: Mutex<Account>,
    directory: RwLock<Arc<Directory>>,
    stop: watch::Receiver<bool>,
}

impl Crm {
    pub(crate) fn open(options: Options, api_url: String, stop: watch::Receiver<bool>) -> io::Result<Self> {
        let account = Account::open(&options)?;
        let mut directory = Directory::default();
        account.restore_methods(&mut directory);
        Ok(Self {
            clock: Clock::start(),
            ledger: Ledger::default(),
            rates: Rates::new(options.requests_per_minute),
            faults: Faults::default(),
            novaposhta: NovaPoshta::new(
                options.novaposhta_key.clone(),
                options.novaposhta_per_minute,
                options.novaposhta_size,
            ),
            api_url,
            account: Mutex::new(account),
            directory: RwLock::new(Arc::new(directory)),
            stop,
            options,
        })
    }

    /// Orders, buyers and cards, for a moment: never held across an await.
    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The dictionaries as they are now.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the dictionaries; requests under way go on with what they have read.
    pub(crate) fn change_directory<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut directory))
    }

    /// Writes to the account; where that waits for the disk, another thread does.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Account) -> Result<T, WriteError> + Send + 'static,
    ) -> Result<T, WriteError> {
        if !self.account().is_durable() {
            return change(&mut self.account());
        }
        let crm = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || change(&mut crm.account()));
        task.await.unwrap_or_else(|panic| Err(WriteError::Disk(io::Error::other(panic))))
    }

    /// Makes the methods that checked payments still name, and puts their ids in.
    pub(crate) fn settle_methods(&self, payments: &mut [Map<String, Value>]) {
        for payment in payments {
            let named = payment.get("payment_method").and_then(Value::as_str);
            let Some(name) = named.map(str::to_owned).filter(|_| !payment.contains_key("payment_method_id")) else {
                continue;
            };
            let id = self.change_directory(|directory| directory.method_or_new(&name));
            payment.insert("payment_method_id".to_owned(), json!(id));
        }
    }

    fn whole(&self, includes: &[&str]) -> Shape {
        Shape::whole(includes, self.options.dates, self.directory())
    }

    /// Every order as `GET /order/{id}` shows it with all associations.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let mut orders = self.newest_orders(usize::MAX);
        orders.reverse();
        orders
    }

    /// The newest orders with all associations, newest first.
    pub(crate) fn newest_orders(&self, count: usize) -> Vec<Value> {
        let shape = self.whole(orders::INCLUDES);
        let account = self.account();
        let newest = account.orders.records().iter().rev().take(count);
        newest.map(|record| orders::render(&record.line, &shape)).collect()
    }

    /// One order with all associations.
    pub(crate) fn order(&self, id: u64) -> Option<Value> {
        let shape = self.whole(orders::INCLUDES);
        self.account().orders.get(id).map(|record| orders::render(&record.line, &shape))
    }

    /// Every card as `GET /pipelines/cards/{id}` shows it with all associations.
    pub(crate) fn cards(&self) -> Vec<Value> {
        let shape = self.whole(cards::INCLUDES);
        let account = self.account();
        account.cards.rows().iter().map(|card| cards::render(card, &account.buyers, &shape)).collect()
    }

    /// One card with all associations.
    pub(crate) fn card(&self, id: u64) -> Option<Value> {
        let shape = self.whole(cards::INCLUDES);
        let account = self.account();
        account.cards.get(id).map(|card| cards::render(card, &account.buyers, &shape))
    }

    /// Returns when the sandbox stops.
    pub(crate) async fn stopped(&self) {
        // An error means that the sandbox was dropped, which stops it as well.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Waits; `false` where the sandbox stopped first.
    pub(crate) async fn wait(&self, ms: u64) -> bool {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => true,
            () = self.stopped() => false,
        }
    }
}
