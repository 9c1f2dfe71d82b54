//! Random spans and queries, through memory, files and restarts: the answers are those of the naive
//! model.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_store::{Store, StoreConfig};
use signalbox_testkit::builders::llm_span;
use signalbox_testkit::{ManualClock, MemoryStore};
use signalbox_types::seam::{Clock, EventStore};
use signalbox_types::{
    Action, ErrorClass, Finding, Message, Money, Place, ProjectId, Query, Role, Severity, Span, Timestamp,
};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Seed>),
    /// Other versions of spans that may be there already: (which of the numbers so far, what).
    Again(Vec<(prop::sample::Index, Seed)>),
    Flush,
    Compact,
    Index,
    Reopen,
}

#[derive(Debug, Clone)]
struct Seed {
    project: u8,
    offset_ms: u64,
    model: u8,
    session: Option<u8>,
    tags: Vec<u8>,
    tokens: Option<u16>,
    picos: Option<u32>,
    failed: bool,
    word: u8,
}

const WORDS: [&str; 5] = ["plain", "100% _sure_", "Zürich", "back\\slash", ""];

impl Seed {
    fn span(&self, number: u64, start: Timestamp) -> Span {
        let project = ["p", "q"][usize::from(self.project)];
        let mut span = llm_span(project, number, ["a", "b", "c"][usize::from(self.model)], start, self.offset_ms);
        span.session_id = self.session.map(|session| format!("s-{session}"));
        span.tags = self.tags.iter().map(|tag| format!("t{tag}")).collect();
        span.usage.input_tokens = self.tokens.map(u64::from);
        span.cost = span.cost.filter(|_| self.picos.is_some());
        if let (Some(cost), Some(picos)) = (&mut span.cost, self.picos) {
            cost.total = Money::from_picos(i128::from(picos) * 1_000_000);
        }
        for n in 0..self.word % 3 {
            let finding = Finding { message: format!("{n}"), ..finding(self.tokens.unwrap_or(0)) };
            span.findings.push(finding);
        }
        if self.failed {
            span.fail(ErrorClass::UpstreamError, WORDS[usize::from(self.word)]);
        }
        span.output_messages = vec![Message::text(Role::Assistant, WORDS[usize::from(self.word)])];
        span.attributes.insert("word".to_owned(), WORDS[usize::from(self.word)].to_owned());
        span
    }
}

fn finding(start: u16) -> Finding {
    Finding {
        scanner: "secrets".to_owned(),
        rule: "private_key".to_owned(),
        severity: Severity::High,
        confidence: 0.5,
        place: Place::Input,
        start: usize::from(start),
        end: usize::from(start) + 1,
        action: Action::Flag,
        message: String::new(),
    }
}

fn seed() -> impl Strategy<Value = Seed> {
    let parts = (
        0..2_u8,
        0..600_000_u64,
        0..3_u8,
        prop::option::of(0..3_u8),
        prop::collection::vec(0..3_u8, 0..3),
        prop::option::of(any::<u16>()),
        prop::option::of(any::<u32>()),
        any::<bool>(),
        0..WORDS.len() as u8,
    );
    parts.prop_map(|(project, offset_ms, model, session, tags, tokens, picos, failed, word)| Seed {
        project,
        offset_ms,
        model,
        session,
        tags,
        tokens,
        picos,
        failed,
        word,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(seed(), 1..30).prop_map(Step::Append),
        2 => prop::collection::vec((any::<prop::sample::Index>(), seed()), 1..20).prop_map(Step::Again),
        2 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => Just(Step::Index),
        1 => Just(Step::Reopen),
    ]
}

fn comparison() -> impl Strategy<Value = Value> {
    let of = |field: &'static str, op: &'static str, value: Value| json!({"field": field, "op": op, "value": value});
    prop_oneof![
        (prop::sample::select(vec!["=", "!=", ">", "<="]), prop::sample::select(vec!["a", "b", "x"]))
            .prop_map(move |(op, value)| of("model", op, json!(value))),
        (prop::sample::select(vec!["=", "!=", ">", ">=", "<", "<="]), any::<u16>()).prop_map(move |(op, value)| of(
            "input_tokens",
            op,
            json!(value)
        )),
        (prop::sample::select(vec![">", "<"]), 0.0..70_000.5_f64).prop_map(move |(op, value)| of(
            "input_tokens",
            op,
            json!(value)
        )),
        (prop::sample::select(vec![">", "<="]), any::<u16>()).prop_map(move |(op, value)| of(
            "cost",
            op,
            json!(f64::from(value) * 1e-7)
        )),
        (prop::sample::select(vec!["=", "!="]), 0..3_u8).prop_map(move |(op, value)| of(
            "session_id",
            op,
            json!(format!("s-{value}"))
        )),
        prop::sample::select(vec!["session_id", "cost", "error_type", "tags", "attributes.word", "attributes.none"])
            .prop_map(|field| json!({"field": field, "op": "exists"})),
        (prop::sample::select(vec!["in", "not_in"]), prop::collection::vec(0..3_u8, 0..3))
            .prop_map(move |(op, values)| of("session_id", op, values.iter().map(|n| format!("s-{n}")).collect())),
        (0..3_u8).prop_map(move |tag| of("tags", "contains", json!(format!("t{tag}")))),
        (
            prop::sample::select(vec!["attributes.word", "output_messages", "status_message"]),
            prop::sample::select(vec!["PLAIN", "% _", "\\", "zürich", "Z"])
        )
            .prop_map(move |(field, value)| of(field, "contains", json!(value))),
        prop::sample::select(vec!["1", "b", "100% _"]).prop_map(move |value| of(
            "attributes.word",
            "starts_with",
            json!(value)
        )),
        any::<bool>().prop_map(move |value| of("streaming", "=", json!(value))),
    ]
}

fn filter() -> impl Strategy<Value = Value> {
    comparison().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|all| json!({"all": all})),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|any| json!({"any": any})),
            inner.prop_map(|not| json!({"not": not})),
        ]
    })
}

fn query() -> impl Strategy<Value = Value> {
    let list = (filter(), 1..40_u32).prop_map(|(filter, limit)| {
        json!({"filter": filter, "limit": limit, "select": ["attributes.number", "model", "cost", "tags", "output_messages", "start_time"]})
    });
    let texts = vec![
        "plain",
        "100% _SURE_",
        "back\\",
        "question 1",
        "zürich -plain",
        "\"about ZÜRICH\"",
        "plain OR slash",
        "\"chat a\"",
        "-chat",
        "sla*",
        "\"back sl*\"",
    ];
    let searched = (prop::sample::select(texts), prop::option::of(filter()), 1..40_u32, any::<bool>()).prop_map(
        |(text, filter, limit, counted)| {
            let mut query = if counted {
                json!({"search": text, "group_by": ["model"], "measures": [{"fn": "count"}]})
            } else {
                json!({"search": text, "select": ["attributes.number", "search_highlight"], "limit": limit})
            };
            if let Some(filter) = filter {
                query["filter"] = filter;
            }
            query
        },
    );
    let measured = (
        filter(),
        filter(),
        prop::sample::subsequence(vec!["model", "session_id", "attributes.word", "status"], 0..3),
        prop::option::of(prop::sample::select(vec!["1m", "90s", "1h"])),
        prop::option::of(1..4_u32),
        any::<bool>(),
    )
        .prop_map(|(filter, inner, group_by, bucket, top, by_sum)| {
            let top = top.filter(|_| !group_by.is_empty());
            let mut query = json!({"filter": filter, "group_by": group_by, "limit": 1000, "measures": [
                {"fn": "count"}, {"fn": "sum", "column": "input_tokens"}, {"fn": "unique", "column": "session_id"},
                {"fn": "min", "column": "duration_ms"}, {"fn": "max", "column": "start_time"},
                {"fn": "count", "filter": inner, "as": "some"}, {"fn": "avg", "column": "input_tokens"},
                {"fn": "rate", "column": "input_tokens"}, {"fn": "rate"},
            ]});
            if let Some(top) = top {
                query["top"] = json!(top);
            }
            if by_sum {
                query["order"] = json!([{"by": "sum_input_tokens", "desc": true}, {"by": "count"}]);
            }
            if let Some(bucket) = bucket {
                query["bucket"] = json!(bucket);
            }
            query
        });
    let windowed = (0..700_u32, comparison()).prop_map(|(ago, filter)| {
        json!({"time": {"from": format!("now-{ago}s")}, "filter": filter, "measures": [{"fn": "count"}]})
    });
    let found =
        Just(json!({"table": "findings", "limit": 1000, "select": ["trace_id", "span_id", "number", "message"]}));
    let traces = (0..200_u64).prop_map(|n| {
        let span = llm_span("p", n, "a", Timestamp::default(), n);
        let filter = json!({"field": "trace_id", "op": "=", "value": span.trace_id.to_string()});
        json!({"filter": filter, "select": ["attributes.number", "model", "start_time"]})
    });
    let of_minutes = prop::sample::select(vec![
        json!({"all": []}),
        json!({"field": "model", "op": "!=", "value": "a"}),
        json!({"field": "error_type", "op": "exists"}),
        json!({"field": "duration_ms", "op": ">", "value": 300}),
        json!({"field": "status", "op": "=", "value": "ok"}),
    ]);
    let minutes = (
        of_minutes.clone(),
        of_minutes,
        prop::sample::subsequence(vec!["model", "status", "error_type", "kind"], 0..3),
        prop::option::of(prop::sample::select(vec!["1m", "3m", "1h"])),
        prop::option::of(1..3_u32),
    )
        .prop_map(|(filter, inner, group_by, bucket, top)| {
            let mut query = json!({"table": "span_minutes", "filter": filter, "group_by": group_by, "limit": 1000, "measures": [
                {"fn": "count"}, {"fn": "sum", "column": "input_tokens"}, {"fn": "sum", "column": "cost"},
                {"fn": "count", "filter": inner, "as": "some"}, {"fn": "count", "column": "error_type"},
                {"fn": "avg", "column": "duration_ms"}, {"fn": "sum", "column": "duration_total_ms"},
                {"fn": "p50", "column": "duration_ms"}, {"fn": "p99", "column": "duration_ms", "filter": inner, "as": "slow"},
                {"fn": "rate"}, {"fn": "rate", "column": "total_tokens"},
            ]});
            if let Some(top) = top.filter(|_| !group_by.is_empty()) {
                query["top"] = json!(top);
            }
            if let Some(bucket) = bucket {
                query["bucket"] = json!(bucket);
            }
            query
        });
    prop_oneof![3 => list, 3 => searched, 4 => measured, 3 => minutes, 1 => windowed, 1 => found, 1 => traces]
}

/// Floats may differ in the last place: they are summed in another order.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        _ => left == right,
    }
}

async fn run(steps: Vec<Step>, queries: Vec<Value>) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let start = clock.now().minus(Duration::from_secs(600));
    let model = MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let open = || Store::open(dir.path(), StoreConfig::default(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let mut store = open();
    let mut number = 0;
    for step in steps {
        match step {
            Step::Append(seeds) => {
                let spans: Vec<Span> =
                    seeds.iter().zip(number..).map(|(seed, number)| seed.span(number, start)).collect();
                number += seeds.len() as u64;
                model.append(spans.clone().into()).await.unwrap();
                store.append(spans.into()).await.unwrap();
            }
            Step::Again(seeds) if number > 0 => {
                let again = seeds.iter().map(|(index, seed)| seed.span(index.index(number as usize) as u64, start));
                let spans: Vec<Span> = again.collect();
                model.append(spans.clone().into()).await.unwrap();
                store.append(spans.into()).await.unwrap();
            }
            Step::Again(_) => {}
            Step::Flush => store.flush().await.unwrap(),
            Step::Compact => store.compact().await.unwrap(),
            Step::Index => store.index().await.unwrap(),
            Step::Reopen => {
                drop(store);
                store = open();
            }
        }
    }
    let project = ProjectId::new("p");
    for text in queries {
        let query: Query = serde_json::from_value(text.clone()).unwrap();
        let expected = model.query(&project, &query).await.unwrap();
        let found = store.query(&project, &query).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert_eq!(&found.columns, &expected.columns);
        prop_assert!(
            same(&json!(found.rows), &json!(expected.rows)),
            "{}\nfound    {}\nexpected {}",
            text,
            json!(found.rows),
            json!(expected.rows)
        );
        prop_assert_eq!(found.next_cursor.is_some(), expected.next_cursor.is_some());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_model(steps in prop::collection::vec(step(), 1..14), queries in prop::collection::vec(query(), 8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps, queries))?;
    }
}
