//! The state that all requests share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::orders::{Book, CreateError, Draft, Record, Shape, render};
use crate::rates::Rates;

/// The imitated CRM.
#[derive(Debug)]
pub(crate) struct Crm {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) rates: Rates,
    pub(crate) faults: Faults,
    pub(crate) api_url: String,
    book: Mutex<Book>,
    stop: watch::Receiver<bool>,
}

impl Crm {
    pub(crate) fn open(options: Options, api_url: String, stop: watch::Receiver<bool>) -> io::Result<Self> {
        Ok(Self {
            clock: Clock::start(),
            ledger: Ledger::default(),
            rates: Rates::new(options.requests_per_minute),
            faults: Faults::default(),
            api_url,
            book: Mutex::new(Book::open(&options)?),
            stop,
            options,
        })
    }

    /// The orders, for a moment: never held across an await.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates an order; where it waits for the disk, another thread does.
    pub(crate) async fn create(self: &Arc<Self>, draft: Draft) -> Result<Record, CreateError> {
        if !self.book().is_durable() {
            return self.book().create(draft, Clock::now()).cloned();
        }
        let crm = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || crm.book().create(draft, Clock::now()).cloned());
        task.await.unwrap_or_else(|panic| Err(CreateError::Disk(io::Error::other(panic))))
    }

    /// Every order as `GET /order/{id}` shows it with all associations.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let shape = Shape::whole(self.options.dates);
        self.book().records().iter().map(|record| render(&record.line, &shape)).collect()
    }

    /// One order with all associations.
    pub(crate) fn order(&self, id: u64) -> Option<Value> {
        let shape = Shape::whole(self.options.dates);
        self.book().get(id).map(|record| render(&record.line, &shape))
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
