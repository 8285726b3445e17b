//! Keeps the directory fresh: when it is due, page by page into a generation of its own, and then in one step into use.

use std::sync::Arc;
use std::time::Duration;

use parom_core::novaposhta::{Answer, Next, Refresh};
use tokio::sync::watch;

use super::NovaPoshta;
use super::client::{Asked, Client};
use crate::clock;
use crate::config::{self, Config};
use crate::store::{Standing, Store, StoreError};

/// How often it is looked whether a refresh is due, and whether another node has made one.
const LOOK: Duration = Duration::from_secs(2);
/// Between two pages: senders and the carrier come first.
const PAUSE: Duration = Duration::from_millis(250);
/// Times that one page is asked for.
const TRIES: u32 = 7;
/// The longest pause that the carrier may ask for.
const WAIT_MAX: u64 = 600;
/// After a refresh that failed; sooner while there is no directory at all.
const AGAIN_MS: i64 = 3_600_000;
const AGAIN_FIRST_MS: i64 = 600_000;

/// Refreshes the directory until the process stops.
pub async fn run(carrier: Arc<NovaPoshta>, config: Arc<Config>, store: Store, mut stop: watch::Receiver<bool>) {
    if config.novaposhta.is_none() {
        return;
    }
    if let Err(error) = store.novaposhta_free().await {
        tracing::warn!(%error, "a refresh that was cut off is begun again later");
    }
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            looked = look(&carrier, &config, &store) => {
                if let Err(error) = looked {
                    tracing::warn!(%error, "Nova Poshta's directory could not be looked at yet");
                }
            }
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(carrier: &NovaPoshta, config: &Config, store: &Store) -> Result<(), StoreError> {
    let standing = store.novaposhta().await?;
    carrier.catch_up(&standing, store).await?;
    let Some(settings) = &config.novaposhta else { return Ok(()) };
    let now = clock::now().as_millisecond();
    if !is_due(&standing, i64::try_from(settings.refresh.as_millis()).unwrap_or(i64::MAX), now) {
        return Ok(());
    }
    let Some(generation) = store.novaposhta_begin().await? else { return Ok(()) };
    let before = carrier.directory().map_or(0, |directory| {
        let counts = directory.counts();
        counts.branches + counts.lockers
    });
    let fetched = match fetch(config, store, generation, before).await? {
        Ok(counted) => usable(store, generation, counted).await?,
        failed => failed,
    };
    match fetched {
        Ok(counted) => {
            if store.novaposhta_switch(generation).await? {
                tracing::info!(generation, rows = counted.iter().sum::<usize>(), "Nova Poshta's directory was fetched");
            }
            carrier.catch_up(&store.novaposhta().await?, store).await?;
        }
        Err(why) => {
            tracing::warn!(why, "Nova Poshta's directory could not be refreshed; the one in use stays");
            store.novaposhta_failed(generation, &why).await?;
        }
    }
    while store.novaposhta_sweep().await? {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Whether the directory is to be fetched: somebody asked, or it is old and the last try is a while ago.
fn is_due(standing: &Standing, every_ms: i64, now: i64) -> bool {
    let again = if standing.generation == 0 { AGAIN_FIRST_MS } else { AGAIN_MS };
    if standing.taken_until > now {
        return false;
    }
    let asked = standing.asked_at > standing.tried_at;
    // A clock that was set back makes neither an age nor a pause endless.
    let old = standing.generation == 0 || (now - standing.fetched_at).abs() >= every_ms;
    let rested = standing.tried_at == 0 || (now - standing.tried_at).abs() >= again;
    asked || old && (rested || standing.taken_until != 0)
}

/// Whether what came makes a directory: rows without refs, or one page again and again, count as rows and make none.
async fn usable(store: &Store, generation: i64, counted: [usize; 3]) -> Result<Result<[usize; 3], String>, StoreError> {
    let (directory, _) = store.novaposhta_directory(generation).await?;
    let (counts, [_, _, came]) = (directory.counts(), counted);
    let branches = counts.branches + counts.lockers;
    let few = branches * 2 < came;
    Ok(if few { Err(format!("{came} branches came, and {branches} of them can be used")) } else { Ok(counted) })
}

/// Fetches every page; the rows of each list, or why not.
async fn fetch(
    config: &Config,
    store: &Store,
    generation: i64,
    before: usize,
) -> Result<Result<[usize; 3], String>, StoreError> {
    let client = match client(config) {
        Ok(client) => client,
        Err(why) => return Ok(Err(why)),
    };
    let mut refresh = Refresh::new(before);
    let mut tries = 0;
    loop {
        let Some((list, page)) = refresh.now() else { return Ok(Ok(refresh.counted())) };
        tries += 1;
        let failed = match client.page(list, page).await {
            Asked::Said(Answer::Rows(rows)) => match refresh.take(rows.rows, rows.total) {
                Next::Short(why) => return Ok(Err(why)),
                Next::Again => Failed::of(format!("{}: page {page} is short", list.as_str())),
                Next::Page(..) | Next::Complete => {
                    if !store.novaposhta_keep(generation, list, page, rows.kept).await? {
                        return Ok(Err("another node has begun a refresh".into()));
                    }
                    tries = 0;
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            Asked::Said(Answer::KeyRefused(why)) => return Ok(Err(format!("the key is refused: {why}"))),
            Asked::Said(Answer::TooMany) => Failed { why: "too many requests".into(), wait: 0 },
            Asked::Wait(seconds) => Failed { why: "too many requests".into(), wait: seconds.min(WAIT_MAX) },
            Asked::Said(Answer::Failed(why)) | Asked::Lost(why) => Failed::of(why),
        };
        if tries >= TRIES {
            return Ok(Err(format!("{} page {page}, tried {tries} times: {}", list.as_str(), failed.why)));
        }
        tracing::info!(list = list.as_str(), page, why = failed.why, "a page of Nova Poshta's is asked for again");
        tokio::time::sleep(Duration::from_secs(failed.wait.max(1 << (tries - 1)))).await;
    }
}

/// A page that did not come.
struct Failed {
    why: String,
    /// Seconds that the carrier asked for.
    wait: u64,
}

impl Failed {
    fn of(why: String) -> Failed {
        Failed { why, wait: 0 }
    }
}

fn client(config: &Config) -> Result<Client, String> {
    let settings = config.novaposhta.as_ref().ok_or("there is no [novaposhta] in the configuration")?;
    let key = config::read_secret(&config.dir, &settings.api_key).map_err(|error| error.to_string())?;
    Client::new(&settings.url, key)
}
