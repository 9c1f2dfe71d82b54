//! Figures, not a test: `cargo test --release -p signalbox-store -p signalbox -- --ignored --nocapture speed`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalbox_store::{Store, StoreConfig};
use signalbox_testkit::builders::{llm_span, trace_id};
use signalbox_types::seam::{Clock, EventStore};
use signalbox_types::{Message, Role, Span, Timestamp};

use crate::{ask, clock};

const SPANS: u64 = 1_000_000;
const BATCH: u64 = 500;
const CLIENTS: u64 = 8;

fn span(number: u64, start: Timestamp) -> Span {
    let mut span =
        llm_span("p", number, ["sim/small", "sim/large", "sim/huge"][(number % 3) as usize], start, number * 80);
    let body = format!("Tell me about parcel {number} and why it was late. ").repeat(20);
    span.input_messages = vec![Message::text(Role::User, body.clone())];
    span.output_messages = vec![Message::text(Role::Assistant, body)];
    span.session_id = Some(format!("session-{}", number / 20));
    span
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute; prints figures"]
async fn speed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreConfig::default(), clock()).unwrap();
    let start = clock().now().minus(Duration::from_secs(80 * SPANS / 1_000 + 60));
    let one = Instant::now();
    for n in 0..50 {
        store.append(vec![span(SPANS + n, start)].into()).await.unwrap();
    }
    println!("one span: {:.2} ms", one.elapsed().as_secs_f64() * 1_000.0 / 50.0);

    let began = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for batch in (client..SPANS / BATCH).step_by(CLIENTS as usize) {
                let spans: Vec<Span> = (batch * BATCH..(batch + 1) * BATCH).map(|n| span(n, start)).collect();
                while let Err(error) = store.append(spans.clone().into()).await {
                    println!("{error}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let took = began.elapsed().as_secs_f64();
    store.flush().await.unwrap();
    println!(
        "{:.0} spans/s acknowledged, {:.0}/s with the last flush",
        SPANS as f64 / took,
        SPANS as f64 / began.elapsed().as_secs_f64()
    );
    println!("{:?}", store.stats());
    let began = Instant::now();
    store.index().await.unwrap();
    println!("the rest indexed in {:.1} s", began.elapsed().as_secs_f64());

    let all = json!({"from": "now-40d"});
    let trace = json!({"field": "trace_id", "op": "=", "value": trace_id(SPANS / 3).to_string()});
    let session = json!({"field": "session_id", "op": "=", "value": "session-31111"});
    let queries: Vec<(&str, Value)> = vec![
        ("newest 50", json!({"time": all, "limit": 50})),
        (
            "newest 50 of a model",
            json!({"time": all, "limit": 50, "filter": {"field": "model", "op": "=", "value": "sim/large"}}),
        ),
        ("trace by id", json!({"time": all, "filter": trace})),
        ("session by id", json!({"time": all, "filter": session})),
        (
            "by hour: p50, p95, p99",
            json!({"time": all, "bucket": "1h", "measures": [{"fn": "count"}, {"fn": "p50", "column": "duration_ms"}, {"fn": "p95", "column": "duration_ms"}, {"fn": "p99", "column": "duration_ms"}]}),
        ),
        ("cost by model", json!({"time": all, "group_by": ["model"], "measures": [{"fn": "sum", "column": "cost"}]})),
        ("search an hour", json!({"time": {"from": "now-1h"}, "search": "\"parcel 999999\"", "limit": 50})),
        ("search a rare word", json!({"time": all, "search": "333333", "limit": 50})),
        ("search what is not there", json!({"time": all, "search": "nowhere", "limit": 50})),
        ("search a common word", json!({"time": all, "search": "parcel late", "limit": 50})),
        ("search a phrase", json!({"time": all, "search": "\"parcel 333333 and why\"", "limit": 50})),
        ("search a prefix", json!({"time": all, "search": "33333*", "limit": 50})),
        ("count a common word", json!({"time": all, "search": "parcel", "measures": [{"fn": "count"}]})),
        ("count", json!({"time": all, "measures": [{"fn": "count"}]})),
    ];
    for (name, query) in queries {
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..5 {
            let began = Instant::now();
            rows = ask(&*store, query.clone()).await.rows.len();
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        let first = times[0];
        times.sort_by(f64::total_cmp);
        println!("{name}: first {first:.1} ms, median {:.1} ms, {rows} rows", times[2]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a figure"]
async fn speed_of_a_large_trace() {
    const LARGE: u64 = 50_000;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreConfig::default(), clock()).unwrap();
    let start = clock().now().minus(Duration::from_secs(80 * LARGE / 1_000 + 60));
    for first in (0..LARGE).step_by(BATCH as usize) {
        let large = (first..first + BATCH).map(|n| Span { trace_id: trace_id(0), ..span(n, start) });
        let others = (LARGE + first..LARGE + first + BATCH).map(|n| span(n, start));
        store.append(large.chain(others).collect::<Vec<_>>().into()).await.unwrap();
    }
    store.flush().await.unwrap();
    let began = Instant::now();
    let (mut rows, mut cursor) = (0, json!(null));
    loop {
        let columns = [
            "span_id",
            "parent_span_id",
            "name",
            "kind",
            "start_time",
            "duration_ms",
            "status",
            "cost",
            "total_tokens",
            "output_preview",
        ];
        let query = json!({"time": {"from": "now-40d"}, "filter": {"field": "trace_id", "op": "=", "value": trace_id(0).to_string()}, "select": columns, "limit": 10_000, "cursor": cursor});
        let answer = ask(&*store, query).await;
        rows += answer.rows.len();
        match answer.next_cursor {
            Some(next) => cursor = json!(next),
            None => break,
        }
    }
    println!("{rows} spans of one trace: {:.1} ms", began.elapsed().as_secs_f64() * 1_000.0);
}
