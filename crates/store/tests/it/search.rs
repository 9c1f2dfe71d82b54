use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_journal::fs::{Faulty, Real};
use signalbox_store::{Store, StoreConfig};
use signalbox_types::seam::EventStore;
use signalbox_types::{Message, Role};

use crate::{ask, clock, numbers, open, spans};

/// The numbers of the spans that answer a search, in order.
async fn find(store: &dyn EventStore, search: &str) -> Vec<u64> {
    let answer = ask(store, json!({"search": search, "select": ["attributes.number"], "limit": 10_000})).await;
    let mut numbers: Vec<u64> = answer.rows.iter().map(|row| row[0].as_str().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// Index files, by name.
fn indexes(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir.join("index/spans")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

/// Two files, and some rows in memory.
async fn fill(store: &Store) {
    for part in [0..30, 30..60] {
        store.append(spans(part).into()).await.unwrap();
        store.flush().await.unwrap();
    }
    store.append(spans(60..70).into()).await.unwrap();
}

#[tokio::test]
async fn finds_the_same_with_and_without_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    fill(&store).await;
    let searches = ["zürich", "question 7 OR 42 OR 65", "\"answer 33\"", "-large", "ans* 5 -small", "nothing"];
    let mut before = Vec::new();
    for search in searches {
        before.push(find(&*store, search).await);
    }
    assert_eq!(before[1], [7, 42, 65]);
    assert_eq!(before[2], [33]);
    store.index().await.unwrap();
    assert_eq!(indexes(dir.path()).len(), 2, "data files have an index, memory has none");
    for (search, before) in searches.iter().zip(before) {
        assert_eq!(find(&*store, search).await, before, "{search}");
    }
}

#[tokio::test]
async fn what_is_replaced_is_found_no_more_and_indexes_go_with_their_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    fill(&store).await;
    store.index().await.unwrap();
    let mut again = spans(7..8);
    again[0].output_messages = vec![Message::text(Role::Assistant, "quite another answer")];
    store.append(again.into()).await.unwrap();
    let check = async || {
        assert_eq!(find(&*store, "\"answer 7\"").await, [0_u64; 0]);
        assert_eq!(find(&*store, "\"another answer\"").await, [7]);
        assert_eq!(find(&*store, "question 7").await, [7]);
    };
    check().await;
    store.flush().await.unwrap();
    store.index().await.unwrap();
    check().await;
    let before = indexes(dir.path());
    store.compact().await.unwrap();
    check().await;
    store.index().await.unwrap();
    check().await;
    let after = indexes(dir.path());
    assert!(!after.is_empty() && after.iter().all(|index| !before.contains(index)), "{before:?} {after:?}");
}

#[tokio::test]
async fn indexes_are_mended() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    fill(&store).await;
    store.index().await.unwrap();
    drop(store);
    let files = indexes(dir.path());
    let stray = dir.path().join("index/spans/000000009999.index");
    std::fs::copy(&files[0], &stray).unwrap();
    std::fs::write(dir.path().join("index/spans/000000009998.tmp"), "half").unwrap();
    std::fs::write(&files[0], "damaged").unwrap();
    let store = open(dir.path());
    assert_eq!(find(&*store, "question 7 OR 42 OR 65").await, [7, 42, 65]);
    store.index().await.unwrap();
    assert_eq!(indexes(dir.path()), files, "strays and halves are gone");
    assert!(std::fs::metadata(&files[0]).unwrap().len() > 100, "what was damaged was built anew");
    assert_eq!(find(&*store, "question 7 OR 42 OR 65").await, [7, 42, 65]);
}

#[tokio::test]
async fn a_disk_that_fails_costs_speed_only() {
    let dir = tempfile::tempdir().unwrap();
    let (fs, faults) = Faulty::new(Arc::new(Real));
    let store = Store::open_on(Arc::new(fs), dir.path(), StoreConfig::default(), clock()).unwrap();
    store.append(spans(0..30).into()).await.unwrap();
    faults.sync_fails();
    // The rows stay in memory, so there is nothing to index.
    store.flush().await.unwrap_err();
    assert_eq!(find(&*store, "question 7").await, [7]);
    faults.mend();
    drop(store);
    let store = open(dir.path());
    store.flush().await.unwrap();
    store.index().await.unwrap();
    assert_eq!(find(&*store, "question 7").await, [7]);
    assert_eq!(numbers(&*store).await.len(), 30);
}

#[tokio::test]
async fn a_search_goes_back_as_far_as_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // More files than are searched at first, and a word in all of them.
    for part in 0..12 {
        let mut part_spans = spans(part * 40..part * 40 + 40);
        for span in &mut part_spans {
            span.output_messages = vec![Message::text(Role::Assistant, "the common word")];
        }
        part_spans[0].output_messages = vec![Message::text(Role::Assistant, "a rarity, the common word")];
        store.append(part_spans.into()).await.unwrap();
        store.flush().await.unwrap();
    }
    let newest = |from: u64, to: u64| (from..to).rev().map(|n| json!(n.to_string())).collect::<Vec<Value>>();
    for indexed in [false, true] {
        if indexed {
            store.index().await.unwrap();
        }
        let page = json!({"search": "common", "select": ["attributes.number"], "limit": 10});
        let answer = ask(&*store, page.clone()).await;
        let shown: Vec<Value> = answer.rows.into_iter().map(|row| row[0].clone()).collect();
        assert_eq!(shown, newest(470, 480));
        let mut next = page;
        next["cursor"] = json!(answer.next_cursor);
        let shown: Vec<Value> = ask(&*store, next).await.rows.into_iter().map(|row| row[0].clone()).collect();
        assert_eq!(shown, newest(460, 470));
        assert_eq!(find(&*store, "rarity").await, (0..12).map(|part| part * 40).collect::<Vec<u64>>());
        let old = json!({"field": "attributes.number", "op": "in", "value": ["3", "41"]});
        let query = json!({"search": "common", "filter": old, "select": ["attributes.number"], "limit": 1});
        assert_eq!(ask(&*store, query).await.rows, [[json!("41")]]);
    }
}

#[tokio::test]
async fn a_phrase_of_frequent_words_is_found_in_a_large_file() {
    const SPANS: u64 = 36_000;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut all = spans(0..SPANS);
    for (number, span) in (0_u64..).zip(&mut all) {
        // Every row has both words; one in three has them side by side.
        let text = if number % 3 == 0 { "it was a late parcel" } else { "the parcel was late" };
        span.output_messages = vec![Message::text(Role::Assistant, format!("{text} {number}"))];
    }
    store.append(all.into()).await.unwrap();
    store.flush().await.unwrap();
    let expected: Vec<Value> = (0..SPANS).rev().filter(|n| n % 3 == 0).take(5).map(|n| json!(n.to_string())).collect();
    for indexed in [false, true] {
        if indexed {
            store.index().await.unwrap();
        }
        let count = json!({"search": "\"late parcel\"", "measures": [{"fn": "count"}]});
        assert_eq!(ask(&*store, count).await.rows, [[json!(SPANS / 3)]], "indexed: {indexed}");
        let without = json!({"search": "late -\"late parcel\"", "measures": [{"fn": "count"}]});
        assert_eq!(ask(&*store, without).await.rows, [[json!(SPANS - SPANS / 3)]], "indexed: {indexed}");
        let newest = json!({"search": "\"late parcel\"", "select": ["attributes.number"], "limit": 5});
        let shown: Vec<Value> = ask(&*store, newest).await.rows.into_iter().map(|row| row[0].clone()).collect();
        assert_eq!(shown, expected, "indexed: {indexed}");
        assert_eq!(find(&*store, "\"late parcel 300\"").await, [300]);
        assert_eq!(find(&*store, "\"late parcel 301\"").await, [0_u64; 0]);
    }
}
