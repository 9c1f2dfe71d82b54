#![expect(clippy::expect_used, reason = "a test suite: it panics where the contract is broken")]
//! Scores, log records and data points: every table takes its rows and answers them.

use serde_json::{Value, json};
use signalbox_types::seam::{Erase, EventStore};
use signalbox_types::{Events, MetricKind, ProjectId, Temporality, Timestamp};

use super::event_store::Check;
use crate::builders::{gauge, llm_span, log, score, span_id, trace_id};

/// Events of every kind, in one append and one by one, in a project of their own.
pub(super) async fn every_kind_of_event(store: &dyn EventStore, begin: Timestamp) {
    store.append(Events::default()).await.expect("nothing at all");
    let mut structured = log("tables", 2, "", begin);
    structured.body = Some(json!({"role": "user", "content": "Grüße"}));
    structured.event_name = Some("gen_ai.user.message".to_owned());
    let mut session = score("tables", 2, "resolved", 0.0, begin);
    (session.trace_id, session.span_id, session.session_id) = (None, None, Some("s-1".to_owned()));
    (session.value, session.label, session.passed) = (None, Some("yes".to_owned()), Some(true));
    let mut histogram = gauge("tables", 2, "latency", 0.0, begin);
    (histogram.kind, histogram.temporality, histogram.value) = (MetricKind::Histogram, Temporality::Delta, None);
    (histogram.count, histogram.sum, histogram.min, histogram.max) = (Some(3), Some(1.5), Some(0.25), Some(1.0));
    (histogram.unit, histogram.start_time) = (Some("s".to_owned()), Some(begin));
    histogram.buckets = Some(json!({"bounds": [0.5], "counts": [2, 1]}));
    let together = Events {
        spans: vec![llm_span("tables", 1, "sim/small", begin, 0)],
        scores: vec![score("tables", 1, "helpfulness", 0.25, begin), session],
        logs: vec![log("tables", 1, "100% _sure_", begin), structured],
        metric_points: vec![gauge("tables", 1, "queue", 2.5, begin), histogram],
    };
    store.append(together).await.expect("append");
    store.append(vec![score("other", 9, "helpfulness", 1.0, begin)].into()).await.expect("append");
    store.append(vec![log("other", 9, "another's", begin)].into()).await.expect("append");
    store.append(vec![gauge("other", 9, "queue", 1.0, begin)].into()).await.expect("append");

    let check = Check { store, project: ProjectId::new("tables") };
    assert_eq!(check.rows(json!({"select": ["attributes.number"]})).await, [[json!("1")]], "the span came along");
    scores(&check).await;
    filters_on_scores(store, begin).await;
    the_last_version_counts(store, begin).await;
    what_hangs_on_erased_spans_goes(store, begin).await;
    logs(&check).await;
    metric_points(&check).await;
}

async fn scores(check: &Check<'_>) {
    let columns = ["id", "trace_id", "span_id", "session_id", "name", "value", "label", "passed", "source", "metadata"];
    let rows = check.rows(json!({"table": "scores", "select": columns})).await;
    let (trace, span) = (trace_id(1).to_string(), span_id(1).to_string());
    assert_eq!(
        rows,
        [
            [
                json!("resolved-2"),
                Value::Null,
                Value::Null,
                json!("s-1"),
                json!("resolved"),
                Value::Null,
                json!("yes"),
                json!(true),
                json!("judge"),
                json!({"number": "2"})
            ],
            [
                json!("helpfulness-1"),
                json!(trace),
                json!(span),
                Value::Null,
                json!("helpfulness"),
                json!(0.25),
                Value::Null,
                json!(false),
                json!("judge"),
                json!({"number": "1"})
            ],
        ],
        "newest first"
    );
    let low = json!({"table": "scores", "filter": {"field": "value", "op": "<", "value": 0.5}, "measures": [{"fn": "count"}, {"fn": "avg", "column": "value"}], "group_by": ["name"]});
    assert_eq!(check.rows(low).await, [[json!("helpfulness"), json!(1), json!(0.25)]]);
    assert_eq!(check.rows(json!({"table": "scores", "search": "judged 1 in züRICH", "select": ["id"]})).await.len(), 1);
}

/// Call 1 belongs to the session that goes, call 2 does not.
async fn what_hangs_on_erased_spans_goes(store: &dyn EventStore, begin: Timestamp) {
    let mut spans = vec![llm_span("erased", 1, "m", begin, 0), llm_span("erased", 2, "m", begin, 0)];
    spans[0].session_id = Some("s".to_owned());
    let mut of_trace = score("erased", 1, "resolved", 1.0, begin);
    (of_trace.id, of_trace.span_id) = ("whole".to_owned(), None);
    let mut of_session = score("erased", 3, "resolved", 1.0, begin);
    (of_session.trace_id, of_session.span_id, of_session.session_id) = (None, None, Some("s".to_owned()));
    let scores = vec![score("erased", 1, "a", 1.0, begin), of_trace, of_session, score("erased", 2, "a", 1.0, begin)];
    let logs = vec![log("erased", 1, "x", begin), log("erased", 2, "x", begin)];
    let metric_points = vec![gauge("erased", 1, "queue", 1.0, begin)];
    store.append(Events { spans, scores, logs, metric_points }).await.expect("append");
    let check = Check { store, project: ProjectId::new("erased") };
    let erased = store.erase(&check.project, &Erase::SessionId("s".to_owned())).await.expect("erase");
    assert_eq!((erased.spans, erased.other_rows), (1, 4));
    for table in ["spans", "scores", "logs", "metric_points"] {
        let count = json!({"table": table, "measures": [{"fn": "count"}]});
        assert_eq!(check.rows(count).await, [[json!(1)]], "{table}");
    }
}

/// The same id again replaces a row, whatever else it says; in another project it is another row.
async fn the_last_version_counts(store: &dyn EventStore, begin: Timestamp) {
    let of = |number, value| {
        let mut score = score("twice", number, "helpfulness", value, begin);
        score.id = "one".to_owned();
        score
    };
    let mut other = of(9, 0.9);
    other.project_id = ProjectId::new("thrice");
    store.append(vec![of(1, 0.1), other, of(2, 0.2)].into()).await.expect("append");
    let check = Check { store, project: ProjectId::new("twice") };
    let all = json!({"table": "scores", "select": ["value", "metadata.number"]});
    assert_eq!(check.rows(all.clone()).await, [[json!(0.2), json!("2")]]);
    store.append(vec![of(3, 0.3)].into()).await.expect("append");
    assert_eq!(check.rows(all.clone()).await, [[json!(0.3), json!("3")]]);
    let elsewhere = Check { store, project: ProjectId::new("thrice") };
    assert_eq!(elsewhere.rows(all).await, [[json!(0.9), json!("9")]]);
    for _ in 0..2 {
        let again = Events {
            logs: vec![log("twice", 1, "x", begin), log("twice", 2, "x", begin)],
            metric_points: vec![gauge("twice", 1, "queue", 1.0, begin)],
            ..Events::default()
        };
        store.append(again).await.expect("append");
    }
    for (table, rows) in [("logs", 2), ("metric_points", 1)] {
        let count = json!({"table": table, "measures": [{"fn": "count"}]});
        assert_eq!(check.rows(count).await, [[json!(rows)]], "{table}");
    }
}

/// Call 1 and call 2 have scores of their own, call 3 one of its whole trace, call 4 has none.
async fn filters_on_scores(store: &dyn EventStore, begin: Timestamp) {
    let mut of_trace = score("judged", 3, "helpfulness", 0.25, begin);
    of_trace.span_id = None;
    let scores = vec![
        score("judged", 1, "helpfulness", 0.25, begin),
        score("judged", 1, "relevance", 0.75, begin),
        score("judged", 2, "helpfulness", 0.75, begin),
        of_trace,
    ];
    let spans = (1..5).map(|n| llm_span("judged", n, "sim/small", begin, n)).collect();
    store.append(Events { spans, scores, ..Events::default() }).await.expect("append");
    store.append(vec![score("another", 4, "helpfulness", 0.25, begin)].into()).await.expect("append");
    let check = Check { store, project: ProjectId::new("judged") };
    let name = json!({"field": "name", "op": "=", "value": "helpfulness"});
    let low = json!({"score": {"all": [name, {"field": "value", "op": "<", "value": 0.5}]}});
    let found = |filter: Value, expected: Vec<&'static str>| {
        let check = &check;
        async move {
            let query = json!({"filter": filter, "select": ["attributes.number"], "order": [{"by": "start_time"}]});
            let rows = check.rows(query.clone()).await;
            assert_eq!(
                rows.iter().map(|row| row[0].as_str().unwrap_or_default()).collect::<Vec<_>>(),
                expected,
                "{query}"
            );
        }
    };
    found(low.clone(), vec!["1", "3"]).await;
    found(json!({"not": low}), vec!["2", "4"]).await;
    found(json!({"any": [low, {"field": "attributes.number", "op": "=", "value": "4"}]}), vec!["1", "3", "4"]).await;
    found(json!({"all": [low, {"score": {"field": "name", "op": "=", "value": "relevance"}}]}), vec!["1"]).await;
    found(json!({"score": {"all": []}}), vec!["1", "2", "3"]).await;
    found(json!({"score": {"field": "label", "op": "exists"}}), vec![]).await;
    let share = json!({"measures": [{"fn": "count"}, {"fn": "count", "filter": low, "as": "low"}]});
    assert_eq!(check.rows(share).await, [[json!(4), json!(2)]], "in a measure");
    let logs = json!({"table": "logs", "filter": low, "measures": [{"fn": "count"}]});
    assert_eq!(check.rows(logs).await, [[json!(0)]]);
}

async fn logs(check: &Check<'_>) {
    let rows = check.rows(json!({"table": "logs", "select": ["id", "severity_number", "event_name", "body_preview", "body", "attributes.number"]})).await;
    let content = json!({"role": "user", "content": "Grüße"});
    assert_eq!(
        rows,
        [
            [
                json!("log-2"),
                json!(9),
                json!("gen_ai.user.message"),
                json!(content.to_string()),
                content.clone(),
                json!("2")
            ],
            [json!("log-1"), json!(9), Value::Null, json!("100% _sure_"), json!("100% _sure_"), json!("1")],
        ]
    );
    for (text, found) in [("% _SURE", "log-1"), ("grüße", "log-2")] {
        let rows = check.rows(json!({"table": "logs", "search": text, "select": ["id"]})).await;
        assert_eq!(rows, [[json!(found)]], "{text}");
    }
    let by_trace = json!({"table": "logs", "filter": {"field": "trace_id", "op": "=", "value": trace_id(2).to_string()}, "select": ["id"]});
    assert_eq!(check.rows(by_trace).await, [[json!("log-2")]]);
}

async fn metric_points(check: &Check<'_>) {
    let columns = ["id", "name", "kind", "unit", "value", "count", "sum", "min", "max", "temporality", "buckets"];
    let rows = check.rows(json!({"table": "metric_points", "select": columns})).await;
    assert_eq!(
        rows,
        [
            [
                json!("point-2"),
                json!("latency"),
                json!("histogram"),
                json!("s"),
                Value::Null,
                json!(3),
                json!(1.5),
                json!(0.25),
                json!(1.0),
                json!("delta"),
                json!({"bounds": [0.5], "counts": [2, 1]})
            ],
            [
                json!("point-1"),
                json!("queue"),
                json!("gauge"),
                Value::Null,
                json!(2.5),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                json!("unspecified"),
                Value::Null
            ],
        ]
    );
    let mean = json!({"table": "metric_points", "filter": {"field": "name", "op": "=", "value": "queue"}, "measures": [{"fn": "max", "column": "value"}], "bucket": "1h"});
    assert_eq!(check.rows(mean).await[0][1], json!(2.5));
}
