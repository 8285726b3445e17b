//! One fetch of an account's dictionaries without a dispatcher: for a command while no `serve` runs on the store. The
//! caller holds the store's lock, so that the account's budget has one owner.

use std::time::Duration;

use parom_core::delivery::rate::Budget;
use parom_core::dictionary::Kind;

use super::fetch::{Fetch, Next};
use crate::clock;
use crate::config::{Config, read_secret};
use crate::crm::{Client, Lines, List};
use crate::store::Store;

/// A person is not kept waiting longer than this without a word, in milliseconds.
const SHORT_MS: u64 = 2_000;

/// Fetches all dictionaries but the catalogue, which may take minutes, and writes how it ended. Where the minute's requests
/// are used, the last fetch is taken as it is if it is young, or waited for; `tell` says which.
///
/// # Errors
/// A key that cannot be read, or a store that does not write, in words; what the CRM answers is an outcome in the store.
pub async fn fetch_now(config: &Config, store: &Store, account: &str, tell: impl Fn(&str)) -> Result<(), String> {
    let words = |error: crate::store::StoreError| error.to_string();
    let settings = config.accounts.get(account).ok_or_else(|| format!("there is no account `{account}`"))?;
    let key =
        read_secret(&config.dir, &settings.api_key).map_err(|error| format!("accounts.{account}.api_key: {error}"))?;
    let client = Client::new(&settings, &key, &Lines::new(config.delivery.timeout)?)?;
    let mut budget = Budget::new(settings.requests_per_minute);
    let now = clock::mono();
    let timeout = u64::try_from(config.delivery.timeout.as_millis()).unwrap_or(u64::MAX);
    for (age, places) in store.spent(account).await.map_err(words)? {
        for _ in 0..places.min(settings.requests_per_minute) {
            budget.inherit_started(now, age, timeout);
        }
    }
    let mut fetch = Fetch::new(now);
    while let Some(list) = fetch.next(clock::mono()) {
        if matches!(list, List::Dictionary(Kind::Skus, _)) {
            break;
        }
        let ticket = loop {
            let now = clock::mono();
            if let Some(ticket) = budget.take(now) {
                break ticket;
            }
            let rest = budget.next_free(now).map_or(1_000, |free| free.since(now).max(1));
            if rest > SHORT_MS {
                let seconds = rest.div_ceil(1_000);
                let state = store.sync_state(account).await.map_err(words)?;
                if let Some(age) = state.young(clock::now().as_millisecond()) {
                    tell(&format!(
                        "the minute's requests are used: what was fetched {age} s ago is taken; anew in {seconds} s"
                    ));
                    return Ok(());
                }
                tell(&format!("the minute's requests are used: waiting for {seconds} s"));
            }
            tokio::time::sleep(Duration::from_millis(rest)).await;
        };
        store.spend(account, None).await.map_err(words)?;
        let (listed, granted) = client.list(list).await;
        let now = clock::mono();
        budget.settle(ticket, now);
        fetch.granted = granted.or(fetch.granted);
        match fetch.take(list, listed, now) {
            Next::More => {}
            Next::Keep(kind, rows) => {
                store.keep_dictionary(account, kind, rows).await.map_err(words)?;
            }
            Next::Wait(seconds) => return end(store, account, &format!("the CRM asks for {seconds} s"), &fetch).await,
            Next::Over(why) => return end(store, account, &why, &fetch).await,
        }
    }
    end(store, account, &fetch.outcome(), &fetch).await
}

async fn end(store: &Store, account: &str, outcome: &str, fetch: &Fetch) -> Result<(), String> {
    store.end_sync(account, outcome, fetch.granted, fetch.began).await.map_err(|error| error.to_string())
}
