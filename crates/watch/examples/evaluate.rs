//! What evaluating monitors costs by itself: a store whose answers cost nothing, a clock that is moved.
//! `cargo run --release -p signalbox-watch --example evaluate -- 1000 10 60` (monitors, series of each, minutes)
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a command line tool that is measured, not shipped")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_testkit::ManualClock;
use signalbox_types::query::AnswerColumn;
use signalbox_types::seam::{BoxFuture, BoxStream, Erase, Erased, EventStore, StoreError, StoreStats};
use signalbox_types::{Answer, Events, ProjectId, Query, Span};
use signalbox_watch::{Http, HttpAnswer, HttpRequest, Keep, Key, Term, Watch, WatchConfig, WatchParts};

fn main() {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u32>().unwrap());
    let mut number = |usual: u32| numbers.next().unwrap_or(usual);
    let (monitors, series, minutes) = (number(1_000), number(10), number(60));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seconds = runtime.block_on(run(monitors, series, minutes));
    let share = seconds / f64::from(minutes) / 60.0;
    println!(
        "{}",
        json!({"monitors": monitors, "series": series, "ms_a_minute": share * 60_000.0, "share_of_core": share})
    );
}

/// Seconds on this one thread.
async fn run(monitors: u32, series: u32, minutes: u32) -> f64 {
    let clock = Arc::new(ManualClock::default());
    let monitor = |number: u32| {
        json!({
            "name": format!("monitor-{number}"),
            "query": {
                "table": "span_minutes",
                "filter": {"field": "service_name", "op": "=", "value": format!("service-{number}")},
                "measures": [{"fn": "count", "as": "calls"}],
                "group_by": ["model"],
            },
            "condition": {"threshold": {"above": 100}},
        })
    };
    let all: Vec<Value> = (0..monitors).map(monitor).collect();
    let config: WatchConfig = serde_json::from_value(json!({"starter": false, "monitors": all})).unwrap();
    assert_eq!(config.problems(), []);
    let parts = WatchParts {
        config,
        node: "one".to_owned(),
        project: ProjectId::new("default"),
        store: Arc::new(Canned { series }),
        clock: Arc::<ManualClock>::clone(&clock),
        keep: Arc::new(Forgets),
        http: Arc::new(Nobody),
    };
    let watch = Watch::open(parts).await.unwrap();
    watch.tick().await;
    let start = Instant::now();
    // As the binary does: it looks every second whether something is due.
    for _ in 0..minutes * 60 {
        clock.advance(Duration::from_secs(1));
        watch.tick().await;
        watch.deliver().await;
    }
    start.elapsed().as_secs_f64()
}

/// The same rows whatever is asked.
#[derive(Debug)]
struct Canned {
    series: u32,
}

impl EventStore for Canned {
    fn append(&self, _: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn query<'a>(&'a self, _: &'a ProjectId, query: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        let column = |name: String| AnswerColumn { name, ty: "int".to_owned(), unit: None };
        let measures = query.measures.iter().map(signalbox_types::query::Measure::name);
        let columns = query.group_by.iter().cloned().chain(measures).map(column).collect();
        let row = |number: u32| {
            let counts = query.measures.iter().map(|_| Value::from(number + 10));
            std::iter::once(Value::from(format!("model-{number}"))).chain(counts).collect()
        };
        let rows = (0..self.series).map(row).collect();
        Box::pin(async { Ok(Answer { columns, rows, next_cursor: None, elapsed_ms: 0.0 }) })
    }

    fn sql<'a>(&'a self, _: &'a ProjectId, _: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async { Err(StoreError::Sql("there is no SQL here".to_owned())) })
    }

    fn watch(&self, _: &ProjectId) -> BoxStream<Arc<Span>> {
        Box::pin(futures_util::stream::empty())
    }

    fn erase<'a>(&'a self, _: &'a ProjectId, _: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        Box::pin(async { Err(StoreError::Internal("there is nothing to erase".to_owned())) })
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}

/// Nothing outlives this process.
#[derive(Debug)]
struct Forgets;

impl Keep for Forgets {
    fn load(&self) -> BoxFuture<'_, Result<Vec<(Key, Value)>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn write(&self, _: Vec<(Key, Option<Value>)>, _: &Term) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async { Ok(true) })
    }
}

/// Nobody is told.
#[derive(Debug)]
struct Nobody;

impl Http for Nobody {
    fn post(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        Box::pin(async { Ok(HttpAnswer { status: 200, retry_after_s: None, body: Bytes::new() }) })
    }
}
