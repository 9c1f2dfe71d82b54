use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_store::{SpanQueue, Store, StoreConfig};
use signalbox_testkit::conformance;
use signalbox_types::seam::{
    Arrival, BoxFuture, BoxStream, Erase, Erased, EventStore, SpanSink, StoreError, StoreStats,
};
use signalbox_types::{Answer, Events, FieldValues, ProjectId, Query, Span};

use crate::{ask, clock, count, numbers, open, project, spans};

/// Every append ends in a file of its own.
#[derive(Debug)]
struct Flushed(Arc<Store>);

impl EventStore for Flushed {
    fn append(&self, events: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.0.append(events).await?;
            self.0.flush().await
        })
    }

    fn query<'a>(&'a self, project: &'a ProjectId, query: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        self.0.query(project, query)
    }

    fn sql<'a>(&'a self, project: &'a ProjectId, sql: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        self.0.sql(project, sql)
    }

    fn watch(&self, project: &ProjectId) -> BoxStream<Arc<Span>> {
        self.0.watch(project)
    }

    fn watch_all(&self) -> BoxStream<Arrival> {
        self.0.watch_all()
    }

    fn erase<'a>(&'a self, project: &'a ProjectId, what: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        self.0.erase(project, what)
    }

    fn fields(&self, project: &ProjectId, field: Option<&str>) -> Vec<FieldValues> {
        self.0.fields(project, field)
    }

    fn stats(&self) -> StoreStats {
        self.0.stats()
    }
}

#[tokio::test]
async fn rows_in_memory_conform() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    conformance::event_store(|clock| async {
        Store::open(path, StoreConfig::default(), clock).unwrap() as Arc<dyn EventStore>
    })
    .await;
}

#[tokio::test]
async fn rows_in_files_conform() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    conformance::event_store(|clock| async {
        Arc::new(Flushed(Store::open(path, StoreConfig::default(), clock).unwrap())) as Arc<dyn EventStore>
    })
    .await;
}

#[tokio::test]
async fn survives_being_dropped_and_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = 0;
    for life in 0..6 {
        let store = open(dir.path());
        assert_eq!(numbers(&*store).await, (0..expected).collect::<Vec<_>>(), "life {life}");
        store.append(spans(expected..expected + 50).into()).await.unwrap();
        if life % 3 == 1 {
            store.flush().await.unwrap();
        }
        store.append(spans(expected + 50..expected + 60).into()).await.unwrap();
        expected += 60;
        if life % 3 == 2 {
            store.close().await.unwrap();
            assert_eq!(store.stats().memtable_rows, 0);
            assert!(matches!(store.append(spans(0..1).into()).await, Err(StoreError::Internal(_))));
            assert_eq!(count(&*store).await, expected, "queries go on after closing");
        }
    }
    let store = open(dir.path());
    let tokens = store.fields(&project(), Some("kind"));
    assert!(tokens[0].count > 0, "counts come back with the data");
    let stats = store.stats();
    assert_eq!((stats.files, stats.read_only), (12, false), "of spans, what they say and what they sum up to");
}

#[tokio::test]
async fn pages_are_stable_while_data_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(spans(0..100).into()).await.unwrap();
    let mut seen: Vec<Value> = Vec::new();
    let mut cursor = None;
    for page in 0..10 {
        let mut query = json!({"select": ["attributes.number"], "limit": 10});
        if let Some(cursor) = &cursor {
            query["cursor"] = json!(cursor);
        }
        let answer = ask(&*store, query).await;
        seen.extend(answer.rows.into_iter().map(|row| row[0].clone()));
        cursor = answer.next_cursor;
        store.append(spans(1_000 + page * 10..1_010 + page * 10).into()).await.unwrap();
        if page % 3 == 0 {
            store.flush().await.unwrap();
        }
    }
    let expected: Vec<Value> = (0..100).rev().map(|n| json!(n.to_string())).collect();
    assert_eq!(seen, expected);
    assert!(cursor.is_none(), "the last page says that it is the last");
    let wrong: Query = serde_json::from_value(json!({"cursor": "nonsense"})).unwrap();
    let error = store.query(&crate::project(), &wrong).await.unwrap_err();
    assert!(error.to_string().contains("next_cursor"), "{error}");
}

#[tokio::test]
async fn a_deep_store_pages_the_same() {
    // More rows in files than make it look for the page's last row first.
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for part in 0..3 {
        store.append(spans(part * 8_000..(part + 1) * 8_000).into()).await.unwrap();
        store.flush().await.unwrap();
    }
    store.append(spans(24_000..24_010).into()).await.unwrap();
    let answer = ask(&*store, json!({"select": ["attributes.number", "input_messages"], "limit": 50})).await;
    let newest: Vec<String> = (23_960..24_010).rev().map(|n: u64| n.to_string()).collect();
    let shown: Vec<&str> = answer.rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(shown, newest);
    assert_eq!(answer.rows[0][1][0]["parts"][0]["content"], "Question 24009 about Zürich");
    let next = ask(&*store, json!({"select": ["attributes.number"], "limit": 2, "cursor": answer.next_cursor})).await;
    assert_eq!(next.rows, [[json!("23959")], [json!("23958")]]);
    let one = json!({"filter": {"field": "trace_id", "op": "=", "value": signalbox_testkit::builders::trace_id(17).to_string()}});
    assert_eq!(ask(&*store, one).await.rows.len(), 1);
    let few = json!({"filter": {"field": "attributes.number", "op": "in", "value": ["3", "9000", "23999"]}, "select": ["attributes.number"]});
    assert_eq!(ask(&*store, few).await.rows, [[json!("23999")], [json!("9000")], [json!("3")]]);
}

/// What `Function::Quantile` promises of the part of all values that lies below the answer.
#[tokio::test]
async fn quantiles_are_as_close_as_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for part in 0..10 {
        // Shuffled: 7 919 is prime.
        let mut spans = spans(part * 1_000..(part + 1) * 1_000);
        for (n, span) in (part * 1_000..).zip(&mut spans) {
            span.usage.input_tokens = Some((n * 7_919 % 10_000).pow(2));
        }
        store.append(spans.into()).await.unwrap();
        if part % 3 == 0 {
            store.flush().await.unwrap();
        }
    }
    let wanted = [0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0];
    let measures: Vec<Value> =
        wanted.iter().map(|q| json!({"fn": "quantile", "q": q, "column": "input_tokens"})).collect();
    let answer = ask(&*store, json!({ "measures": measures })).await;
    for (q, value) in wanted.iter().zip(&answer.rows[0]) {
        let below = value.as_f64().unwrap().sqrt() / 10_000.0;
        let allowed = if (0.05..0.95).contains(q) { 0.01 } else { 0.001 };
        assert!((below - q).abs() <= allowed, "{q}: {value} has {below} below it");
    }
    let unique = json!({"measures": [{"fn": "unique", "column": "input_tokens"}]});
    assert_eq!(ask(&*store, unique).await.rows, [[json!(10_000)]], "exact");
}

#[tokio::test]
async fn a_queue_empties_into_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreConfig::default(), clock()).unwrap();
    let (queue, task) = SpanQueue::start(Arc::clone(&store) as Arc<dyn EventStore>, 2_000);
    for span in spans(0..1_500) {
        queue.try_emit(span).unwrap();
    }
    queue.drain().await;
    task.await.unwrap();
    assert_eq!((count(&*store).await, queue.shed()), (1_500, 0));
}
