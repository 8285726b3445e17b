//! Senders as they are: an order after the other, each repeated with its key until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::super::world::{World, form};
use super::acks::Acks;

const FORM: &str = "application/x-www-form-urlencoded";

/// A few senders at work.
pub(crate) struct Shop {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<()>>,
}

impl Shop {
    /// Opens; each sender rests for so long between two orders.
    pub(crate) fn open(world: &World, senders: usize, pause: Duration, acks: &Arc<Acks>) -> Shop {
        Shop::open_at(world.url("/in/shop"), senders, pause, acks)
    }

    /// The same with another door.
    pub(crate) fn open_at(url: String, senders: usize, pause: Duration, acks: &Arc<Acks>) -> Shop {
        let stop = Arc::new(AtomicBool::new(false));
        let sender = |_| tokio::spawn(send(url.clone(), pause, Arc::clone(acks), Arc::clone(&stop)));
        let senders = (0..senders).map(sender).collect();
        Shop { stop, senders }
    }

    /// Closes when each order under way is acknowledged.
    pub(crate) async fn close(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for sender in self.senders.drain(..) {
            sender.await.unwrap();
        }
    }
}

/// Senders that go away in the middle: what they were told by then is told.
impl Drop for Shop {
    fn drop(&mut self) {
        self.senders.iter().for_each(JoinHandle::abort);
    }
}

async fn send(url: String, pause: Duration, acks: Arc<Acks>, stop: Arc<AtomicBool>) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let sender = acks.sender();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let (key, body) = (format!("{sender}-{number}"), form(&format!("L{sender}x{number}")));
        while !ordered(&client, &url, &key, &body, &acks).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(pause).await;
    }
}

/// One request; whether it was acknowledged. The acknowledgement is flushed before anything else happens.
pub(crate) async fn ordered(client: &reqwest::Client, url: &str, key: &str, body: &str, acks: &Acks) -> bool {
    let request = client.post(url).header("content-type", FORM).header("idempotency-key", key);
    let Ok(response) = request.body(body.to_owned()).send().await else { return false };
    let taken = response.status().is_success();
    let Ok(text) = response.text().await else { return false };
    if taken {
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        acks.add(json["id"].as_str().unwrap(), key, body);
    }
    taken
}
