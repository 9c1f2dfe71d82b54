//! What becomes of rows with time: new versions, merging, erasure, retention, quota.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signalbox_store::{ProjectRetention, RetentionConfig, Store, StoreConfig};
use signalbox_testkit::ManualClock;
use signalbox_testkit::builders::llm_span;
use signalbox_types::seam::{Clock, Erase, EventStore, StoreError};
use signalbox_types::{ProjectId, Span};

use crate::{ask, clock, count, found, numbers, open, project, spans};

fn data_files(dir: &Path, table: &str) -> usize {
    std::fs::read_dir(dir.join("files").join(table)).unwrap().count()
}

#[tokio::test]
async fn many_files_become_few_and_rows_stay_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..12 {
        store.append(spans(n * 10..n * 10 + 10).into()).await.unwrap();
        // Every other one again, as a later version.
        store.append(spans(n * 5..n * 5 + 3).into()).await.unwrap();
        store.flush().await.unwrap();
    }
    store.compact().await.unwrap();
    assert_eq!(numbers(&*store).await, (0..120).collect::<Vec<_>>());
    drop(store);
    assert!(data_files(dir.path(), "spans") <= 2, "{}", data_files(dir.path(), "spans"));
    assert_eq!(numbers(&*open(dir.path())).await, (0..120).collect::<Vec<_>>());
}

#[tokio::test]
async fn queries_that_run_keep_their_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..4 {
        store.append(spans(n * 50..n * 50 + 50).into()).await.unwrap();
        store.flush().await.unwrap();
    }
    let asking = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for _ in 0..20 {
                assert_eq!(count(&*store).await, 200);
            }
        }
    });
    for _ in 0..5 {
        store.append(spans(0..200).into()).await.unwrap();
        store.flush().await.unwrap();
        store.compact().await.unwrap();
    }
    asking.await.unwrap();
    assert_eq!(count(&*store).await, 200);
}

#[tokio::test]
async fn erased_bytes_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let of = |numbers: std::ops::Range<u64>, user: &str| -> Vec<Span> {
        let mut spans = spans(numbers);
        spans.iter_mut().for_each(|span| span.user_id = Some(user.to_owned()));
        spans
    };
    store.append(of(0..20, "user-to-forget").into()).await.unwrap();
    store.append(of(20..40, "somebody").into()).await.unwrap();
    store.flush().await.unwrap();
    store.append(of(40..50, "user-to-forget").into()).await.unwrap();
    let mut other = llm_span("q", 99, "m", clock().now(), 0);
    other.user_id = Some("other-project-user".to_owned());
    store.append(vec![other].into()).await.unwrap();
    assert!(found(dir.path(), "user-to-forget"));

    let erased = store.erase(&project(), &Erase::UserId("user-to-forget".to_owned())).await.unwrap();
    assert_eq!((erased.spans, erased.complete), (30, true));
    assert_eq!(summed(&*store).await, 20, "sums know nothing of them");
    assert_eq!(numbers(&*store).await, (20..40).collect::<Vec<_>>());
    assert!(!found(dir.path(), "user-to-forget"));
    let nobody = store.erase(&project(), &Erase::UserId("other-project-user".to_owned())).await.unwrap();
    assert_eq!(nobody.spans, 0);
    // What comes later is kept, and nothing comes back.
    store.append(of(60..61, "user-to-forget").into()).await.unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(numbers(&*store).await, (20..40).chain(60..61).collect::<Vec<_>>());

    let trace = spans(25..26)[0].trace_id.to_string();
    assert_eq!(store.erase(&project(), &Erase::TraceId(trace)).await.unwrap().spans, 1);
    assert_eq!(count(&*store).await, 20);
}

fn keeping(dir: &Path, clock: &Arc<ManualClock>, retention: RetentionConfig) -> Arc<Store> {
    let config = StoreConfig { retention, ..StoreConfig::default() };
    Store::open(dir, config, Arc::clone(clock) as Arc<dyn Clock>).unwrap()
}

#[tokio::test]
async fn rows_go_when_their_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let short = ProjectRetention { spans_days: Some(3), ..ProjectRetention::default() };
    let projects = [("q".to_owned(), short)].into_iter().collect();
    let retention = RetentionConfig { spans_days: 30, bodies_days: 10, projects, ..RetentionConfig::default() };
    let store = keeping(dir.path(), &clock, retention);
    let days_ago = |days: u64| clock.now().minus(Duration::from_secs(days * 86_400 + 60));
    for (n, days) in [(1, 40), (2, 20), (3, 5), (4, 0)] {
        let spans = ["p", "q"].map(|project| llm_span(project, n, "m", days_ago(days), 0));
        store.append(spans.to_vec().into()).await.unwrap();
        store.flush().await.unwrap();
    }
    store.expire().await.unwrap();
    let all = json!({"from": "now-90d"});
    let rows = |project: &'static str| {
        let (store, all) = (Arc::clone(&store), all.clone());
        async move {
            let query = json!({"time": all, "select": ["attributes.number", "model"]});
            let query = serde_json::from_value(query).unwrap();
            store.query(&ProjectId::new(project), &query).await.unwrap().rows
        }
    };
    // The bodies of the second are gone, its model is not.
    assert_eq!(rows("p").await, [[json!("4"), json!("m")], [json!("3"), json!("m")], [json!(null), json!("m")]]);
    assert_eq!(rows("q").await, [[json!("4"), json!("m")]]);
    store.expire().await.unwrap();
    drop(store);
    let store = keeping(dir.path(), &clock, RetentionConfig::default());
    assert_eq!(ask(&*store, json!({"time": all, "measures": [{"fn": "count"}]})).await.rows, [[json!(3)]]);
}

async fn summed(store: &dyn EventStore) -> u64 {
    let query = json!({"table": "span_minutes", "time": {"from": "now-90d"}, "measures": [{"fn": "count"}]});
    ask(store, query).await.rows[0][0].as_u64().unwrap()
}

#[tokio::test]
async fn sums_stay_when_spans_go() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let short = ProjectRetention { spans_days: Some(3), ..ProjectRetention::default() };
    let projects = [("q".to_owned(), short)].into_iter().collect();
    let retention = RetentionConfig { spans_days: 30, projects, ..RetentionConfig::default() };
    let store = keeping(dir.path(), &clock, retention.clone());
    let days_ago = |days: u64| clock.now().minus(Duration::from_secs(days * 86_400 + 60));
    let append = |n: u64, days: u64, model: &'static str| {
        let spans = ["p", "q"].map(|project| llm_span(project, n, model, days_ago(days), 0));
        store.append(spans.to_vec().into())
    };
    for (n, days) in [(1, 40), (2, 40), (3, 20), (4, 5), (5, 0)] {
        append(n, days, "m").await.unwrap();
        store.flush().await.unwrap();
    }
    // It replaces one that is in a file, and is replaced itself in memory.
    append(2, 40, "other").await.unwrap();
    append(2, 40, "last").await.unwrap();
    let by_model = |project: &'static str| {
        let query = json!({"table": "span_minutes", "time": {"from": "now-90d"}, "group_by": ["model"], "measures": [{"fn": "count"}]});
        let (store, query) = (Arc::clone(&store), serde_json::from_value(query).unwrap());
        async move { json!(store.query(&ProjectId::new(project), &query).await.unwrap().rows) }
    };
    let expected = json!([["m", 4], ["last", 1]]);
    assert_eq!(by_model("p").await, expected);
    store.flush().await.unwrap();
    assert_eq!(by_model("p").await, expected);
    store.expire().await.unwrap();
    for project in ["p", "q"] {
        assert_eq!(by_model(project).await, expected, "{project}: what was too old is summed up");
    }
    store.compact().await.unwrap();
    store.expire().await.unwrap();
    assert_eq!((by_model("p").await, by_model("q").await), (expected.clone(), expected.clone()));
    let left = json!({"time": {"from": "now-90d"}, "measures": [{"fn": "count"}]});
    assert_eq!(ask(&*store, left).await.rows, [[json!(3)]]);
    store.close().await.unwrap();
    drop(store);
    let store = keeping(dir.path(), &clock, RetentionConfig { aggregates_days: 10, ..retention });
    assert_eq!(summed(&*store).await, 5);
    store.compact().await.unwrap();
    store.expire().await.unwrap();
    assert_eq!(summed(&*store).await, 3, "but for so long; the sums of a file go with it");
}

#[tokio::test]
async fn a_folder_of_the_first_format_opens() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(spans(0..20).into()).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    // As it was before files had keys.
    std::fs::remove_dir_all(dir.path().join("keys")).unwrap();
    let manifest = std::fs::read_to_string(dir.path().join("manifest.json")).unwrap();
    std::fs::write(dir.path().join("manifest.json"), manifest.replace("\"format\":2", "\"format\":1")).unwrap();
    let store = open(dir.path());
    store.append(spans(0..5).into()).await.unwrap();
    assert_eq!(numbers(&*store).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_quota_refuses_writes_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { max_disk_gb: Some(0), ..StoreConfig::default() };
    let store = Store::open(dir.path(), config, clock()).unwrap();
    let error = store.append(spans(0..1).into()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Disk(text) if text.contains("max_disk_gb")), "{error}");
    assert_eq!(count(&*store).await, 0);
}
