//! What is said is kept once, and read as if it stood in every row.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use signalbox_store::Store;
use signalbox_testkit::builders::{llm_span, trace_id};
use signalbox_types::seam::{Clock, Erase, EventStore, Export, FileFormat};
use signalbox_types::time::TimeRange;
use signalbox_types::{Message, Query, Role, Span, ToolDefinition};

use crate::{ask, clock, found, open, project};

/// Turn `turn` of a conversation: everything that was said before, and a question. Its answer is `a TURN`.
fn turn(number: u64, trace: u64, turn: u64) -> Span {
    let mut span = llm_span("p", number, "m", clock().now().minus(Duration::from_secs(600)), number * 1_000);
    span.trace_id = trace_id(trace);
    span.session_id = Some("talk".to_owned());
    span.user_id = Some(format!("user-{trace}"));
    span.input_messages = vec![Message::text(Role::System, "Be kind to everyone.")];
    for before in 0..turn {
        span.input_messages.push(Message::text(Role::User, format!("question {before}")));
        span.input_messages.push(Message::text(Role::Assistant, format!("answer {before}")));
    }
    span.input_messages.push(Message::text(Role::User, format!("question {turn}")));
    let answer = Message::text(Role::Assistant, format!("answer {turn}"));
    span.output_messages = vec![Message { finish_reason: Some("stop".to_owned()), ..answer }];
    let tool = ToolDefinition {
        name: "look_up".to_owned(),
        description: Some("Looks a parcel up.".to_owned()),
        parameters: json!({"type": "object"}),
        strict: None,
    };
    span.tools = vec![tool];
    span
}

/// What each span says, oldest first.
async fn read(store: &dyn EventStore) -> Vec<Value> {
    let columns = ["span_id", "input_messages", "output_messages", "tools", "input_messages_known"];
    let order = json!([{"by": "start_time"}]);
    let answer = ask(store, json!({"select": columns, "order": order, "limit": 1_000})).await;
    answer.rows.into_iter().map(Value::Array).collect()
}

fn expected(spans: &[Span], known: &[u64]) -> Vec<Value> {
    let said = spans.iter().zip(known);
    let row = |(span, known): (&Span, &u64)| {
        json!([span.span_id.to_string(), span.input_messages, span.output_messages, span.tools, known])
    };
    said.map(row).collect()
}

async fn find(store: &dyn EventStore, search: &str) -> usize {
    ask(store, json!({"search": search, "select": ["span_id"], "limit": 1_000})).await.rows.len()
}

/// Rows of bodies on disk, by the manifest.
fn bodies_on_disk(dir: &std::path::Path) -> u64 {
    let manifest: Value = serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    files.iter().filter(|file| file["table"] == "messages").map(|file| file["rows"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn a_conversation_is_kept_once_and_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let spans: Vec<Span> = (0..20).map(|n| turn(n, n, n)).collect();
    for (n, span) in spans.iter().enumerate() {
        store.append(vec![span.clone()].into()).await.unwrap();
        if n % 7 == 6 {
            store.flush().await.unwrap();
        }
        if n == 12 {
            // What the journal brings back is remembered.
            drop(store);
            store = open(dir.path());
        }
    }
    let known = vec![0; 20];
    let check = async |store: &Store| {
        let rows = read(store).await;
        for (row, wanted) in rows.iter().zip(expected(&spans, &known)) {
            (0..4).for_each(|column| assert_eq!(row[column], wanted[column]));
        }
        assert_eq!(rows.len(), spans.len());
        assert_eq!(find(store, "\"question 15\"").await, 1, "only where it was said");
        assert_eq!(find(store, "\"answer 3\"").await, 2, "where it was said, and once more after a restart");
    };
    check(&store).await;
    store.flush().await.unwrap();
    check(&store).await;
    store.compact().await.unwrap();
    store.index().await.unwrap();
    check(&store).await;
    // 20 questions, 20 answers, instructions and tools; flushes before the restart made it forget some.
    let bodies = bodies_on_disk(dir.path());
    assert!((42..90).contains(&bodies), "{bodies}");
}

#[tokio::test]
async fn known_messages_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let spans: Vec<Span> = (0..4).map(|n| turn(n, n, n)).collect();
    for span in &spans {
        store.append(vec![span.clone()].into()).await.unwrap();
    }
    // Instructions, and questions with their answers; the new question is not among them.
    assert_eq!(read(&*store).await, expected(&spans, &[0, 3, 5, 7]));
    store.append(vec![spans[0].clone()].into()).await.unwrap();
    assert_eq!(read(&*store).await, expected(&spans, &[0, 3, 5, 7]), "sent again, it says what it said");
}

#[tokio::test]
async fn filters_sql_and_files_see_the_texts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let spans: Vec<Span> = (0..5).map(|n| turn(n, n, n)).collect();
    store.append(spans.clone().into()).await.unwrap();
    for flushed in [false, true] {
        let filter = json!({"field": "input_messages", "op": "contains", "value": "QUESTION 3"});
        let count = json!({"filter": filter, "measures": [{"fn": "count"}]});
        assert_eq!(ask(&*store, count).await.rows[0][0], 2);
        let sql =
            "SELECT input_messages, upper(output_messages) AS loud FROM spans WHERE output_messages LIKE '%answer 4%'";
        let answer = store.sql(&project(), sql).await.unwrap();
        assert_eq!(answer.columns[0].ty, "json");
        assert_eq!(answer.rows.len(), 1, "{flushed}");
        assert_eq!(answer.rows[0][0], json!(spans[4].input_messages));
        assert!(answer.rows[0][1].as_str().unwrap().contains("\"FINISH_REASON\":\"STOP\""));
        store.flush().await.unwrap();
    }
    for format in [FileFormat::Jsonl, FileFormat::Csv, FileFormat::Parquet] {
        let export = Export { table: "spans".to_owned(), format, time: TimeRange::all(), select: Vec::new() };
        let pieces: Vec<_> = store.export(&project(), &export).await.unwrap().collect().await;
        let file: Vec<_> = pieces.into_iter().map(|piece| Ok(piece.unwrap())).collect();
        let dir = tempfile::tempdir().unwrap();
        let other = open(dir.path());
        let file = Box::pin(futures_util::stream::iter(file));
        assert_eq!(other.import(&project(), "spans", format, file).await.unwrap().rows, 5);
        assert_eq!(read(&*other).await, read(&*store).await, "{format:?}");
        other.flush().await.unwrap();
        assert!(bodies_on_disk(dir.path()) <= 13, "each once");
    }
}

#[tokio::test]
async fn what_is_no_list_of_messages_stays_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let row = json!({"trace_id": trace_id(1).to_string(), "span_id": "00000000000000aa", "name": "odd", "kind": "llm",
        "source": "otlp", "status": "ok", "start_time": clock().now().to_string(), "end_time": clock().now().to_string(),
        "duration_ms": 1.0, "streaming": false, "counted": true, "normaliser_version": 1,
        "input_messages": {"written": "by another tool"}});
    let file = futures_util::stream::iter([Ok(format!("{row}\n").into())]);
    let imported = store.import(&project(), "spans", FileFormat::Jsonl, Box::pin(file)).await.unwrap();
    assert_eq!(imported.rows, 1);
    for _ in 0..2 {
        assert_eq!(read(&*store).await[0][1], row["input_messages"]);
        assert_eq!(find(&*store, "\"another tool\"").await, 1);
        store.flush().await.unwrap();
        store.index().await.unwrap();
    }
}

#[tokio::test]
async fn an_append_that_nobody_waits_for_is_whole_after_an_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (first, second) = (turn(0, 0, 2), turn(1, 1, 3));
    store.append(vec![first.clone()].into()).await.unwrap();
    // It relies on what the first one brought, and whoever sent it hangs up at once.
    let mut append = store.append(vec![second.clone()].into());
    assert!(futures_util::poll!(&mut append).is_pending());
    drop(append);
    store.erase(&project(), &Erase::TraceId(first.trace_id.to_string())).await.unwrap();
    assert_eq!(read(&*store).await[0][1], json!(second.input_messages));
}

#[tokio::test]
async fn what_others_say_too_survives_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let spans: Vec<Span> = (0..3).map(|n| turn(n, n, n)).collect();
    store.append(spans[..2].to_vec().into()).await.unwrap();
    store.flush().await.unwrap();
    store.append(spans[2..].to_vec().into()).await.unwrap();
    // The first call brought most of what the others say.
    let trace = |n: usize| Erase::TraceId(spans[n].trace_id.to_string());
    assert_eq!(store.erase(&project(), &trace(0)).await.unwrap().spans, 1);
    let rows = read(&*store).await;
    assert_eq!(
        rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>(),
        [json!(spans[1].input_messages), json!(spans[2].input_messages)]
    );
    assert!(bodies_on_disk(dir.path()) > 0);
    // What only the last one says goes with it; and what comes afterwards relies on nothing that went.
    assert_eq!(store.erase(&project(), &trace(2)).await.unwrap().spans, 1);
    let all: Vec<Span> = (0..3).map(|n| turn(10 + n, 10 + n, n)).collect();
    store.append(all.clone().into()).await.unwrap();
    let rows = read(&*store).await;
    assert_eq!(rows[0][1], json!(spans[1].input_messages));
    assert_eq!(rows[3][1], json!(all[2].input_messages));
    store.erase(&project(), &Erase::SessionId("talk".to_owned())).await.unwrap();
    assert_eq!(bodies_on_disk(dir.path()), 0, "nobody says it any more");
    assert!(!found(dir.path(), "question"));
}

#[tokio::test]
async fn a_span_that_says_something_else_takes_nothing_from_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (first, second) = (turn(0, 0, 1), turn(1, 1, 2));
    store.append(vec![first.clone()].into()).await.unwrap();
    store.append(vec![second.clone()].into()).await.unwrap();
    let mut other = first.clone();
    other.input_messages = vec![Message::text(Role::User, "something else")];
    store.append(vec![other.clone()].into()).await.unwrap();
    for _ in 0..2 {
        let rows = read(&*store).await;
        assert_eq!(rows[0][1], json!(other.input_messages));
        assert_eq!(rows[1][1], json!(second.input_messages));
        store.flush().await.unwrap();
        store.compact().await.unwrap();
    }
}

#[tokio::test]
async fn days_apart_it_is_kept_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut spans: Vec<Span> = (0..4).map(|n| turn(n, n, 0)).collect();
    for (hours, span) in [9 * 24, 5 * 24, 4 * 24 + 1, 0].into_iter().zip(&mut spans) {
        span.start_time = span.start_time.minus(Duration::from_secs(hours * 3_600));
        span.end_time = span.start_time;
    }
    store.append(spans.clone().into()).await.unwrap();
    store.flush().await.unwrap();
    store.compact().await.unwrap();
    let query: Query = serde_json::from_value(
        json!({"time": {"from": "now-30d"}, "select": ["input_messages"], "order": [{"by": "start_time"}]}),
    )
    .unwrap();
    let store: Arc<dyn EventStore> = store;
    let rows = store.query(&project(), &query).await.unwrap().rows;
    assert_eq!(rows, vec![vec![json!(spans[0].input_messages)]; 4]);
    // Instructions, question, answer and tools, for three of the four.
    assert_eq!(bodies_on_disk(dir.path()), 12);
}
