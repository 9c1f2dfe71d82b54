//! The embedded store from outside: contract, crashes, failing disks, SQL, and the naive model.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod backup;
mod contract;
mod disk;
mod lifetime;
mod model;
mod said;
mod search;
mod speed;
mod sql;
mod transfer;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_store::{Store, StoreConfig};
use signalbox_testkit::ManualClock;
use signalbox_testkit::builders::llm_span;
use signalbox_types::seam::{Clock, EventStore};
use signalbox_types::{Answer, ProjectId, Query, Span};

fn project() -> ProjectId {
    ProjectId::new("p")
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::default())
}

fn open(dir: &Path) -> Arc<Store> {
    Store::open(dir, StoreConfig::default(), clock()).unwrap()
}

/// Spans that began in the last hour, `numbers` milliseconds after its start.
fn spans(numbers: std::ops::Range<u64>) -> Vec<Span> {
    let start = clock().now().minus(std::time::Duration::from_secs(3_600));
    numbers.map(|n| llm_span("p", n, if n % 3 == 0 { "sim/large" } else { "sim/small" }, start, n)).collect()
}

async fn ask(store: &dyn EventStore, query: Value) -> Answer {
    let parsed: Query = serde_json::from_value(query.clone()).unwrap();
    store.query(&project(), &parsed).await.unwrap_or_else(|error| panic!("{query}: {error}"))
}

async fn count(store: &dyn EventStore) -> u64 {
    ask(store, json!({"measures": [{"fn": "count"}]})).await.rows[0][0].as_u64().unwrap()
}

/// The numbers of all spans, in order.
async fn numbers(store: &dyn EventStore) -> Vec<u64> {
    let answer = ask(store, json!({"select": ["attributes.number"], "limit": 10_000})).await;
    let mut numbers: Vec<u64> = answer.rows.iter().map(|row| row[0].as_str().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// Whether any file below a folder has these bytes, compressed ones not looked into.
fn found(dir: &Path, needle: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return found(&path, needle);
        }
        std::fs::read(path).unwrap().windows(needle.len()).any(|bytes| bytes == needle.as_bytes())
    })
}
