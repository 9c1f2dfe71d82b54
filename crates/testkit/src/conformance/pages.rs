//! Pages by cursor.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_types::seam::{Clock, EventStore};
use signalbox_types::{ProjectId, Query};

use super::event_store::Check;
use crate::ManualClock;
use crate::builders::llm_span;

pub(super) async fn each_row_once(check: &Check<'_>) {
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    for page in 0..10 {
        let mut query = json!({"select": ["attributes.number"], "limit": 25});
        if !cursor.is_null() {
            query["cursor"] = cursor.clone();
        }
        let parsed: Query = serde_json::from_value(query).expect("a query");
        let answer = check.store.query(&check.project, &parsed).await.expect("an answer");
        seen.extend(answer.rows.iter().filter_map(|row| row[0].as_str().map(str::to_owned)));
        match answer.next_cursor {
            Some(next) => cursor = next.into(),
            None => break,
        }
        assert!(page < 9, "paging never ends");
    }
    let expected: Vec<String> = (0..60).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, expected, "newest first, each once");
    let cheapest =
        check.rows(json!({"select": ["cost", "attributes.number"], "order": [{"by": "cost"}], "limit": 1000})).await;
    assert_eq!(cheapest[59], [Value::Null, json!("9")], "absent values come last");
}

/// Newer rows shift nothing, time that goes on takes nothing away, and what arrives late is shown once
/// if its place is still to come.
pub(super) async fn while_data_arrives(store: &dyn EventStore, clock: &ManualClock) {
    let project = ProjectId::new("four");
    let begin = clock.now().minus(Duration::from_secs(590));
    // Two spans at each moment, so that pages also end between rows of one time.
    store
        .append((0..30).map(|n| llm_span("four", n, "sim/small", begin, n / 2 * 1_000)).collect::<Vec<_>>().into())
        .await
        .expect("append");
    let (mut seen, mut cursor, mut page) = (Vec::new(), None::<String>, 0);
    loop {
        let mut query = json!({"time": {"from": "now-10m"}, "select": ["attributes.number"], "limit": 7});
        if let Some(cursor) = &cursor {
            query["cursor"] = json!(cursor);
        }
        let parsed: Query = serde_json::from_value(query).expect("a query");
        let answer = store.query(&project, &parsed).await.expect("an answer");
        seen.extend(answer.rows.iter().filter_map(|row| row[0].as_str()?.parse::<u64>().ok()));
        cursor = answer.next_cursor;
        if cursor.is_none() {
            break;
        }
        // One that is newer than all, one older than all; and the range would now begin after the first rows.
        let late = [
            llm_span("four", 100 + page, "sim/small", begin, 60_000),
            llm_span("four", 200 + page, "sim/small", begin, 0),
        ];
        store.append(late.to_vec().into()).await.expect("append");
        clock.advance(Duration::from_secs(3));
        page += 1;
        assert!(page < 9, "paging never ends");
    }
    let (late, first): (Vec<u64>, Vec<u64>) = seen.iter().partition(|number| **number >= 100);
    assert_eq!(first, (0..30).rev().collect::<Vec<_>>(), "newest first, each once");
    assert_eq!(late, (200..200 + page).rev().collect::<Vec<_>>(), "those that came before their page was read");
}
