use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use signalbox_store::Store;
use signalbox_types::seam::{EventStore, Export, FileFormat, Imported, StoreError};
use signalbox_types::time::TimeRange;
use signalbox_types::{Action, Finding, Money, Place, ProjectId, Severity, Span};

use crate::{count, open, spans};

fn export(table: &str, format: FileFormat, select: &[&str]) -> Export {
    let select = select.iter().map(|name| (*name).to_owned()).collect();
    Export { table: table.to_owned(), format, time: TimeRange::all(), select }
}

async fn file_of(store: &Store, project: &str, export: &Export) -> Vec<u8> {
    let mut parts = store.export(&ProjectId::new(project), export).await.unwrap();
    let mut file = Vec::new();
    while let Some(part) = parts.next().await {
        file.extend_from_slice(&part.unwrap());
    }
    file
}

async fn take_in(store: &Store, format: FileFormat, file: &[u8], part: usize) -> Result<Imported, StoreError> {
    let parts: Vec<io::Result<Bytes>> = file.chunks(part).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    store.import(&ProjectId::new("p"), "spans", format, Box::pin(futures_util::stream::iter(parts))).await
}

/// Everything that a table can hold, and that text formats may get wrong.
fn awkward(numbers: std::ops::Range<u64>) -> Vec<Span> {
    let mut spans = spans(numbers);
    for (i, span) in spans.iter_mut().enumerate() {
        if i % 3 == 0 {
            span.name = "a, \"quoted\"\r\nname ".to_owned();
            span.status_message = Some(String::new());
            span.tags = vec!["a,b".to_owned(), String::new(), "\"".to_owned()];
            span.attributes.insert("k\"ey\n".to_owned(), "välue, x".to_owned());
            span.input = Some(json!({"deep": [1.5, null, "line\nbreak", {"😀": "\u{2028}"}]}));
            if let Some(cost) = &mut span.cost {
                cost.total = Money::from_picos(123_456_789_012_345_678_901);
            }
            span.findings = vec![
                Finding {
                    scanner: "secrets".to_owned(),
                    rule: "jwt".to_owned(),
                    severity: Severity::High,
                    confidence: 0.9,
                    place: Place::Input,
                    start: 1,
                    end: 2,
                    action: Action::Flag,
                    message: "a JSON Web Token".to_owned(),
                };
                2
            ];
        } else if i % 3 == 1 {
            span.cost = None;
            span.ttft_ms = Some(0.1 + 0.2);
            span.name = String::new();
        }
    }
    spans
}

/// The rows of a table as text, sorted, without the project.
async fn rows(store: &Store, project: &str, table: &str) -> Vec<String> {
    let file = file_of(store, project, &export(table, FileFormat::Jsonl, &[])).await;
    let text = String::from_utf8(file).unwrap();
    let mut rows: Vec<String> = text.lines().map(|line| line.replacen(&format!("\"{project}\""), "", 1)).collect();
    rows.sort_unstable();
    rows
}

#[tokio::test]
async fn what_goes_out_comes_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("from"));
    store.append(awkward(0..900).into()).await.unwrap();
    store.flush().await.unwrap();
    store.append(awkward(800..1_200).into()).await.unwrap();
    let mut foreign = spans(0..5);
    foreign.iter_mut().for_each(|span| span.project_id = ProjectId::new("q"));
    store.append(foreign.into()).await.unwrap();
    let (wanted, findings) = (rows(&store, "p", "spans").await, rows(&store, "p", "findings").await);
    assert_eq!((wanted.len(), findings.len()), (1_200, 2 * (300 - 33 + 134)));
    for format in FileFormat::ALL {
        let file = file_of(&store, "p", &export("spans", *format, &[])).await;
        let copy = open(&dir.path().join(format.as_str()));
        // Twice, and cut into other pieces: nothing changes.
        for part in [1_000, 65_537] {
            let imported = take_in(&copy, *format, &file, part).await.unwrap();
            assert_eq!(imported.rows, 1_200, "{format:?}");
            assert!(rows(&copy, "p", "spans").await == wanted, "{format:?}");
            assert!(rows(&copy, "p", "findings").await == findings, "{format:?}");
        }
        assert_eq!(count(&*copy).await, 1_200);
        drop(copy);
        // It was in the journal.
        assert_eq!(count(&*open(&dir.path().join(format.as_str()))).await, 1_200);
    }
}

#[tokio::test]
async fn files_hold_what_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(awkward(0..4).into()).await.unwrap();
    let columns = ["name", "cost", "tags", "input", "start_time", "output_tokens", "streaming"];
    let csv = file_of(&store, "p", &export("spans", FileFormat::Csv, &columns)).await;
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with("name,cost,tags,input,start_time,output_tokens,streaming\n"), "{csv}");
    assert!(csv.contains("\"a, \"\"quoted\"\"\r\nname \",123456789.012345678901,\"[\"\"a,b\"\",\"\"\"\","), "{csv}");
    assert!(csv.contains("\n\"\",,,,2026-"), "{csv}");
    let jsonl = file_of(&store, "p", &export("spans", FileFormat::Jsonl, &columns)).await;
    let first: BTreeMap<String, Value> =
        String::from_utf8(jsonl).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).next().unwrap();
    assert_eq!(first["input"]["deep"][1], Value::Null);
    assert_eq!(first["tags"], json!(["a,b", "", "\""]));

    let mut none = export("spans", FileFormat::Jsonl, &[]);
    none.time = serde_json::from_value(json!({"from": "now-30m", "to": "now-20m"})).unwrap();
    assert_eq!(file_of(&store, "p", &none).await, b"");
    assert_eq!(file_of(&store, "nobody", &export("spans", FileFormat::Jsonl, &[])).await, b"");
    for (wrong, expected) in [
        (export("nope", FileFormat::Csv, &[]), "tables: findings, "),
        (export("spans", FileFormat::Csv, &["nope"]), "columns: project_id"),
        (export("spans", FileFormat::Csv, &["name", "name"]), "twice"),
    ] {
        let error = store.export(&ProjectId::new("p"), &wrong).await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn wrong_files_are_refused_with_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append(spans(0..3).into()).await.unwrap();
    let csv = String::from_utf8(file_of(&store, "p", &export("spans", FileFormat::Csv, &[])).await).unwrap();
    let check = async |format, file: &[u8], expected: &str| {
        let error = take_in(&store, format, file, 100).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    };
    check(FileFormat::Csv, csv.replacen(",llm,", ",llama,", 1).as_bytes(), "line 2, column kind").await;
    check(FileFormat::Csv, csv.replacen("\np,1111", "\np,11x1", 1).as_bytes(), "line 2, column trace_id").await;
    check(FileFormat::Parquet, b"PAR1 is not enough", "it can't be read as Parquet").await;
    let parquet = file_of(&store, "p", &export("spans", FileFormat::Parquet, &["trace_id", "span_id"])).await;
    check(FileFormat::Parquet, &parquet, "column start_time").await;
    check(FileFormat::Parquet, &parquet[..parquet.len() - 3], "Parquet").await;
    let parts = futures_util::stream::iter([Ok(Bytes::new()), Err(io::Error::other("gone"))]);
    let broken = store.import(&ProjectId::new("p"), "spans", FileFormat::Csv, Box::pin(parts)).await;
    assert!(broken.unwrap_err().to_string().contains("broke off"));
    for follows in ["findings", "span_minutes"] {
        let none = Box::pin(futures_util::stream::iter([]));
        let error = store.import(&ProjectId::new("p"), follows, FileFormat::Csv, none).await.unwrap_err().to_string();
        assert!(error.contains("import `spans` instead"), "{error}");
    }
    assert_eq!(count(&*store).await, 3);
}
