use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::{Value, json};
use signalbox_types::seam::{Arrival, Clock, Erase, EventStore};
use signalbox_types::{
    Action, Answer, Finding, Place, ProjectId, Query, Severity, Span, SpanSource, Timestamp, Verdict,
};

use super::{numbers, pages, tables};
use crate::ManualClock;
use crate::builders::{llm_span, span_id, trace_id};

/// Runs the contract of [`EventStore`] against a store that `make` opens empty, with this clock.
///
/// # Panics
/// The store breaks the contract.
pub async fn event_store<F, Made>(make: F)
where
    F: Fn(Arc<dyn Clock>) -> Made,
    Made: Future<Output = Arc<dyn EventStore>>,
{
    let clock = Arc::new(ManualClock::default());
    let store = make(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let mut live = store.watch(&ProjectId::new("one"));
    let mut all = store.watch_all();
    let begin = clock.now().minus(std::time::Duration::from_secs(600));
    let mut spans: Vec<Span> = (0..60)
        .map(|n| llm_span("one", n, if n % 3 == 0 { "sim/large" } else { "sim/small" }, begin, n * 10_000))
        .collect();
    spans[7].fail(signalbox_types::ErrorClass::RateLimited, "slow down");
    spans[8].session_id = Some("s-1".to_owned());
    spans[8].tags = vec!["beta".to_owned(), "eu".to_owned()];
    for (n, span) in spans.iter_mut().enumerate() {
        // Four of them are by somebody who is really called so.
        span.user_id = [("u-a", 0..6), ("other", 6..10), ("u-b", 10..13)]
            .into_iter()
            .find_map(|(user, numbers)| numbers.contains(&n).then(|| user.to_owned()));
    }
    spans[9].cost = None;
    spans[9].verdict = Some(Verdict::Flag);
    spans[9].findings = vec![finding()];
    store.append(spans.into()).await.expect("append");
    store.append(vec![llm_span("two", 1_000, "sim/small", begin, 0)].into()).await.expect("append");
    // An application's span around call 3, told after the gateway told of the call.
    let mut outer = llm_span("three", 3, "sim/small", begin, 0);
    let mut inner = llm_span("three", 4, "sim/small", begin, 1);
    outer.source = SpanSource::Otlp;
    (inner.trace_id, inner.parent_span_id) = (outer.trace_id, Some(outer.span_id));
    store.append(vec![inner].into()).await.expect("append");
    store.append(vec![outer].into()).await.expect("append");

    let check = Check { store: store.as_ref(), project: ProjectId::new("one") };
    rows_of_one_project_only(&check).await;
    filters(&check).await;
    searches(&check).await;
    measures(&check).await;
    numbers::rates(&check).await;
    numbers::quantiles(&check).await;
    numbers::top(&check).await;
    numbers::top_over_time(&check).await;
    numbers::minutes(&check).await;
    pages::each_row_once(&check).await;
    pages::while_data_arrives(store.as_ref(), &clock).await;
    findings(&check).await;
    fields(store.as_ref());
    calls_count_once(store.as_ref()).await;
    tables::every_kind_of_event(store.as_ref(), begin).await;
    refusals(&check).await;
    versions(store.as_ref(), begin).await;
    erasure(store.as_ref(), begin).await;
    let first = live.next().await.expect("the first span");
    assert_eq!((first.trace_id, first.span_id), (trace_id(0), span_id(0)), "watch gives spans in order");
    // Far more have come since than may wait.
    let told = async { all.next().await.expect("the first arrival") };
    let first = tokio::time::timeout(std::time::Duration::from_secs(10), told).await.expect("an arrival in time");
    match first {
        Arrival::Span(span) => assert_eq!(span.span_id, span_id(0), "watch_all gives spans of all projects in order"),
        Arrival::Missed(missed) => assert!(missed > 0, "watch_all tells how many were missed"),
    }
}

pub(super) struct Check<'a> {
    pub(super) store: &'a dyn EventStore,
    pub(super) project: ProjectId,
}

impl Check<'_> {
    pub(super) async fn rows(&self, query: Value) -> Vec<Vec<Value>> {
        self.answer(query).await.rows
    }

    pub(super) async fn answer(&self, query: Value) -> Answer {
        let parsed: Query = serde_json::from_value(query.clone()).expect("a query");
        let answer = self.store.query(&self.project, &parsed).await;
        answer.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    async fn counts(&self, filter: Value, expected: u64) {
        let query = json!({"filter": filter, "measures": [{"fn": "count"}]});
        assert_eq!(self.rows(query.clone()).await, [[json!(expected)]], "{query}");
    }
}

async fn rows_of_one_project_only(check: &Check<'_>) {
    assert_eq!(check.rows(json!({"limit": 1000})).await.len(), 60);
    let two = ProjectId::new("two");
    let other = check.store.query(&two, &Query::default()).await.expect("answer");
    assert_eq!(other.rows.len(), 1);
    let none = check.store.query(&ProjectId::new("none"), &Query::default()).await.expect("answer");
    assert!(none.rows.is_empty());
    assert!(!none.columns.is_empty(), "columns are named even when there are no rows");
    check.counts(json!({"field": "project_id", "op": "=", "value": "two"}), 0).await;
}

async fn filters(check: &Check<'_>) {
    check.counts(json!({"field": "model", "op": "=", "value": "sim/large"}), 20).await;
    check.counts(json!({"field": "model", "op": "!=", "value": "sim/large"}), 40).await;
    check.counts(json!({"field": "model", "op": "in", "value": ["sim/large", "x"]}), 20).await;
    check.counts(json!({"field": "error_type", "op": "=", "value": "rate_limited"}), 1).await;
    check.counts(json!({"field": "error_type", "op": "!=", "value": "rate_limited"}), 59).await;
    check.counts(json!({"field": "error_type", "op": "not_in", "value": ["rate_limited"]}), 59).await;
    check.counts(json!({"field": "session_id", "op": "exists"}), 1).await;
    check.counts(json!({"not": {"field": "session_id", "op": "exists"}}), 59).await;
    check.counts(json!({"not": {"field": "session_id", "op": "=", "value": "s-1"}}), 59).await;
    check.counts(json!({"field": "tags", "op": "contains", "value": "beta"}), 1).await;
    check.counts(json!({"field": "attributes.number", "op": "=", "value": "42"}), 1).await;
    check.counts(json!({"field": "attributes.nothing", "op": "=", "value": "42"}), 0).await;
    check.counts(json!({"field": "input_tokens", "op": ">=", "value": 150}), 10).await;
    check.counts(json!({"field": "duration_ms", "op": "<", "value": 101.5}), 2).await;
    check.counts(json!({"field": "cost", "op": ">", "value": 0.000_002}), 59).await;
    check.counts(json!({"field": "streaming", "op": "=", "value": false}), 60).await;
    check.counts(json!({"field": "name", "op": "starts_with", "value": "chat sim/l"}), 20).await;
    check.counts(json!({"field": "input_messages", "op": "contains", "value": "QUESTION 59"}), 1).await;
    check.counts(json!({"all": [{"field": "model", "op": "=", "value": "sim/small"}, {"any": [{"field": "status", "op": "=", "value": "error"}, {"field": "session_id", "op": "exists"}]}]}), 2).await;
    check.counts(json!({"all": []}), 60).await;
    check.counts(json!({"any": []}), 0).await;
    let recent = check.rows(json!({"time": {"from": "now-65s"}, "measures": [{"fn": "count"}]})).await;
    assert_eq!(recent, [[json!(6)]], "the last 65 seconds");
}

fn fields(store: &dyn EventStore) {
    let project = ProjectId::new("two");
    let all = store.fields(&project, None);
    let number = all.iter().find(|field| field.field == "attributes.number");
    assert_eq!(number.map(|field| (field.count, field.values.len())), Some((1, 0)), "fields without their values");
    let model = store.fields(&project, Some("model"));
    let values: Vec<_> =
        model.iter().flat_map(|field| &field.values).map(|one| (one.value.as_str(), one.count)).collect();
    assert_eq!(values, [("sim/small", 1)], "of one project");
    assert_eq!(store.fields(&project, Some("nothing")), []);
}

async fn searches(check: &Check<'_>) {
    let found = check.rows(json!({"search": "answer 31", "select": ["attributes.number"]})).await;
    assert_eq!(found, [[json!("31")]]);
    for (search, expected) in [
        ("ZÜRICH", 60),
        ("zu\u{308}rich", 60),
        ("\"question 31 about\"", 1),
        ("\"about question 31\"", 0),
        ("question -answer", 0),
        ("answ* 31", 1),
        ("\"question 31 ab*\"", 1),
        ("answer 31 OR 32", 2),
        ("zürich -31", 59),
        ("sim_large", 20),
        ("quest", 0),
        ("slow down", 1),
        ("user", 0),
        ("100% _nothing_", 0),
    ] {
        let query = json!({"search": search, "measures": [{"fn": "count"}]});
        assert_eq!(check.rows(query).await, [[json!(expected)]], "{search}");
    }
    let failed = json!({"field": "status", "op": "=", "value": "error"});
    let query = json!({"search": "zürich", "filter": failed, "select": ["attributes.number"]});
    assert_eq!(check.rows(query).await, [[json!("7")]], "filters hold for what is found");
    let recent = json!({"search": "zürich", "time": {"from": "now-65s"}, "limit": 4});
    assert_eq!(check.rows(recent).await.len(), 4);
    let shown = json!({"search": "\"question 31\"", "select": ["search_highlight", "attributes.number"]});
    let highlight = json!({"column": "input_messages", "snippet": "Question 31 about Zürich", "ranges": [[0, 11]]});
    assert_eq!(check.rows(shown).await, [[highlight, json!("31")]]);
    let none = check.rows(json!({"search": "jsonwebtoken", "table": "findings"})).await;
    assert!(none.is_empty());
    let found = check.rows(json!({"search": "json tok*", "table": "findings", "select": ["rule"]})).await;
    assert_eq!(found, [[json!("jwt")]]);
}

async fn measures(check: &Check<'_>) {
    let by_model = json!({"group_by": ["model"], "measures": [
        {"fn": "count"}, {"fn": "sum", "column": "input_tokens"}, {"fn": "sum", "column": "cost", "as": "cost"},
        {"fn": "count", "filter": {"field": "status", "op": "=", "value": "error"}, "as": "errors"},
        {"fn": "unique", "column": "trace_id", "as": "traces"}, {"fn": "max", "column": "input_tokens"},
    ]});
    let rows = check.rows(by_model).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0][..3], [json!("sim/small"), json!(40), json!(5_200)], "most first");
    assert_eq!(rows[0][4..], [json!(1), json!(40), json!(159)]);
    assert_eq!(rows[1][..3], [json!("sim/large"), json!(20), json!(2_570)]);
    let cost = rows[0][3].as_f64().expect("a number of dollars");
    assert!((cost - 40.0 * 0.000_003).abs() < 1e-12, "{cost}");

    let all = check.rows(json!({"measures": [{"fn": "p50", "column": "duration_ms"}, {"fn": "min", "column": "start_time"}, {"fn": "avg", "column": "ttft_ms"}, {"fn": "sum", "column": "cache_read_tokens"}]})).await;
    let median = all[0][0].as_f64().expect("a median");
    assert!((median - 129.5).abs() <= 1.5, "{median}");
    assert!(all[0][1].as_str().is_some_and(|time| time.ends_with('Z')), "{all:?}");
    assert!(all[0][2].is_number() && all[0][3].is_null(), "a sum of nothing is unknown: {all:?}");

    let buckets = check.rows(json!({"bucket": "1m", "measures": [{"fn": "count"}]})).await;
    assert_eq!(buckets.len(), 10, "{buckets:?}");
    assert!(buckets.iter().all(|bucket| bucket[1] == json!(6)), "{buckets:?}");
    assert!(buckets.is_sorted_by_key(|bucket| bucket[0].to_string()), "oldest first");

    let not_large = json!({"field": "model", "op": "!=", "value": "sim/large"});
    let twice = check.rows(json!({"filter": not_large, "measures": [{"fn": "count", "filter": not_large}, {"fn": "sum", "column": "input_tokens", "filter": not_large}]})).await;
    assert_eq!(twice, [[json!(40), json!(5_200)]], "one filter in many places");

    let keyed = check.rows(json!({"group_by": ["attributes.number"], "measures": [{"fn": "count"}], "order": [{"by": "attributes.number"}], "limit": 2})).await;
    assert_eq!(keyed, [[json!("0"), json!(1)], [json!("1"), json!(1)]]);
}

async fn findings(check: &Check<'_>) {
    let rows = check.rows(json!({"table": "findings", "select": ["scanner", "rule", "action", "trace_id"]})).await;
    assert_eq!(rows, [[json!("secrets"), json!("jwt"), json!("flag"), json!(trace_id(9).to_string())]]);
    let on_span = check.rows(json!({"select": ["findings", "output_messages"], "filter": {"field": "verdict", "op": "=", "value": "flag"}})).await;
    assert_eq!(on_span[0][0][0]["rule"], "jwt", "JSON columns are answered as JSON");
    assert_eq!(on_span[0][1][0]["parts"][0]["content"], "Answer 9");
}

async fn calls_count_once(store: &dyn EventStore) {
    let check = Check { store, project: ProjectId::new("three") };
    let rows = check.rows(json!({"measures": [{"fn": "count"}, {"fn": "sum", "column": "input_tokens", "filter": {"field": "counted", "op": "=", "value": true}}]})).await;
    assert_eq!(rows, [[json!(2), json!(104)]], "the gateway told first, so its span counts");
}

/// Of several versions of a span the last counts, with its findings.
async fn versions(store: &dyn EventStore, begin: Timestamp) {
    let check = Check { store, project: ProjectId::new("seven") };
    let version = |n: u64, model: &str, findings: usize| {
        let mut span = llm_span("seven", n, model, begin, n);
        span.findings = vec![finding(); findings];
        span
    };
    store.append(vec![version(1, "a", 2), version(2, "a", 1)].into()).await.expect("append");
    store.append(vec![version(1, "b", 1), version(1, "c", 0)].into()).await.expect("append");
    let rows = check.rows(json!({"select": ["model"], "order": [{"by": "model"}]})).await;
    assert_eq!(rows, [[json!("a")], [json!("c")]]);
    assert_eq!(check.rows(json!({"table": "findings"})).await.len(), 1, "those of span 2");
}

async fn erasure(store: &dyn EventStore, begin: Timestamp) {
    let check = Check { store, project: ProjectId::new("eight") };
    let of = |project: &str, n: u64, session: &str| {
        let mut span = llm_span(project, n, "m", begin, n);
        span.session_id = Some(session.to_owned());
        span.findings = vec![finding()];
        span
    };
    let spans = vec![of("eight", 1, "s"), of("eight", 2, "s"), of("eight", 3, "t"), of("nine", 1, "s")];
    store.append(spans.into()).await.expect("append");
    let erased = store.erase(&check.project, &Erase::SessionId("s".to_owned())).await.expect("erase");
    assert_eq!((erased.spans, erased.other_rows, erased.complete), (2, 2, true));
    check.counts(json!({"all": []}), 1).await;
    assert_eq!(check.rows(json!({"table": "findings"})).await.len(), 1);
    let other = Check { store, project: ProjectId::new("nine") };
    other.counts(json!({"all": []}), 1).await;
}

async fn refusals(check: &Check<'_>) {
    let wrong = [
        json!({"table": "nope"}),
        json!({"select": ["nope"]}),
        json!({"group_by": ["model"]}),
        json!({"search": "***"}),
        json!({"search": "a*", "measures": [{"fn": "count"}]}),
        json!({"time": {"from": "now", "to": "now-1h"}}),
        json!({"measures": [{"fn": "count"}, {"fn": "count"}]}),
        json!({"cursor": "nonsense"}),
    ];
    for wrong in wrong {
        let parsed: Query = serde_json::from_value(wrong.clone()).expect("a query");
        let error = check.store.query(&check.project, &parsed).await.expect_err("refused");
        assert!(matches!(error, signalbox_types::seam::StoreError::Query(_)), "{wrong}: {error}");
    }
}

fn finding() -> Finding {
    Finding {
        scanner: "secrets".to_owned(),
        rule: "jwt".to_owned(),
        severity: Severity::Medium,
        confidence: 0.9,
        place: Place::Input,
        start: 0,
        end: 10,
        action: Action::Flag,
        message: "a JSON Web Token".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_model_itself_conforms() {
        event_store(|clock| async { Arc::new(crate::MemoryStore::new(clock)) as Arc<dyn EventStore> }).await;
    }
}
