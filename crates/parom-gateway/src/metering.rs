//! The metrics and their text form.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

use crate::clock;
use crate::store::{Scope, Store};
use parom_core::delivery::Mono;
use parom_core::delivery::state::State;

/// Seconds: from a flush on a good disk to a form that waited.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Installs the recorder of this process, once; later calls give the same one.
pub fn install() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Another recorder in the process (a test's) keeps its place: then ours counts nothing, and harms nothing.
        let _ = metrics::set_global_recorder(recorder);
        describe();
        handle
    })
}

/// What stands beside each name where the text is read.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!("parom_submissions_total", "Requests of senders, by what they were answered with.");
    describe_gauge!("parom_orders", "Orders in each state now.");
    describe_gauge!("parom_oldest_queued_seconds", "Age of the oldest order that waits to be sent.");
    describe_gauge!("parom_store_up", "Whether the store can be read: 1, or 0.");
    describe_counter!("parom_attempts_total", "POSTs of orders to the CRM, by what they came to.");
    describe_counter!("parom_crm_requests_total", "Requests to the CRM.");
    describe_histogram!("parom_intake_seconds", "From a request's head to its answer.");
    describe_histogram!("parom_commit_seconds", "Commits of the store, each of one or several changes.");
}

/// Counts one submission, whatever it was answered with.
pub fn submission(channel: &str, status: u16, started: Mono) {
    let result = match status {
        200..=399 => "accepted",
        503 => "unavailable",
        _ => "refused",
    };
    metrics::counter!("parom_submissions_total", "channel" => channel.to_owned(), "result" => result).increment(1);
    metrics::histogram!("parom_intake_seconds").record(std::time::Duration::from_millis(clock::mono().since(started)));
}

/// The exposition text, with the gauges read from the store now.
pub async fn render(store: &Store) -> String {
    let handle = install();
    let read = (store.counts(&Scope::All).await.ok(), store.oldest_queued().await.ok());
    // Figures of before would pass for those of now: without the store there are none.
    metrics::gauge!("parom_store_up").set(if read.0.is_some() && read.1.is_some() { 1.0 } else { 0.0 });
    for state in State::ALL {
        let count = read.0.as_ref().map(|counts| counts.get(state.as_str()).copied().unwrap_or_default());
        // Counts stay far below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "a count of orders")]
        metrics::gauge!("parom_orders", "state" => state.as_str()).set(count.map_or(f64::NAN, |count| count as f64));
    }
    let age = read.1.map(|oldest| oldest.map_or(0, |at| (clock::now().as_millisecond() - at).max(0) / 1_000));
    #[expect(clippy::cast_precision_loss, reason = "an age in seconds")]
    metrics::gauge!("parom_oldest_queued_seconds").set(age.map_or(f64::NAN, |age| age as f64));
    handle.run_upkeep();
    handle.render()
}
