use std::sync::Arc;

use serde_json::json;
use signalbox_store::{Store, StoreConfig};
use signalbox_testkit::builders::llm_span;
use signalbox_types::ProjectId;
use signalbox_types::seam::{Clock, EventStore, StoreError};

use crate::{clock, project, spans};

async fn store() -> (tempfile::TempDir, Arc<Store>) {
    store_with(StoreConfig::default()).await
}

async fn store_with(config: StoreConfig) -> (tempfile::TempDir, Arc<Store>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), config, clock()).unwrap();
    store.append(spans(0..30).into()).await.unwrap();
    store.flush().await.unwrap();
    store.append(spans(30..60).into()).await.unwrap();
    store.append(vec![llm_span("other", 1_000, "secret-model", clock().now(), 0)].into()).await.unwrap();
    (dir, store)
}

#[tokio::test]
async fn answers_about_one_project() {
    let (_dir, store) = store().await;
    let check = async |sql: &str, expected: serde_json::Value| {
        let answer = store.sql(&project(), sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(json!(answer.rows), expected, "{sql}");
    };
    check("SELECT count(*) FROM spans", json!([[60]])).await;
    check(
        "select model, count(*) n, sum(input_tokens) from spans group by 1 order by n desc",
        json!([["sim/small", 40, 5_200], ["sim/large", 20, 2_570]]),
    )
    .await;
    check("SELECT DISTINCT project_id FROM spans", json!([["p"]])).await;
    check("SELECT count(*) FROM spans WHERE project_id = 'other' OR true", json!([[60]])).await;
    check("SELECT count(*) FROM spans s JOIN findings f ON s.trace_id = f.trace_id", json!([[0]])).await;
    check(
        "WITH s AS (SELECT * FROM spans) SELECT count(*) AS n FROM s UNION ALL SELECT 1 ORDER BY n",
        json!([[1], [60]]),
    )
    .await;
    check("SELECT attributes['number'] FROM spans WHERE attributes['number'] = '42'", json!([["42"]])).await;
    check("SELECT cost FROM spans LIMIT 1", json!([[0.000_003]])).await;
    check("SELECT 1 WHERE 'Ä' = 'ä'", json!([])).await;
    check(
        "SELECT count(*) FILTER (WHERE (model = 'sim/large') IS TRUE), count(model) FILTER (WHERE (model = 'sim/large') IS TRUE) FROM spans",
        json!([[20, 20]]),
    )
    .await;
    check("SELECT count(*) FROM \"signalbox\".\"public\".spans", json!([[60]])).await;
    let answer = store.sql(&project(), "SELECT input_messages, start_time FROM spans LIMIT 1").await.unwrap();
    assert_eq!(answer.rows[0][0][0]["role"], "user", "JSON columns are answered as JSON");
    assert!(answer.rows[0][1].as_str().unwrap().ends_with('Z'));
    assert_eq!((answer.columns[0].ty.as_str(), answer.columns[1].ty.as_str()), ("json", "time"));
    let other = store.sql(&ProjectId::new("o'ther"), "SELECT count(*) FROM spans").await.unwrap();
    assert_eq!(other.rows, [[json!(0)]]);
}

#[tokio::test]
async fn refuses_everything_but_one_select() {
    let (dir, store) = store().await;
    let check = async |sql: &str, expected: &str| {
        let error = store.sql(&project(), sql).await.map(|answer| answer.rows).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, StoreError::Sql(_)), "{sql}: {error:?}");
        assert!(text.contains(expected), "{sql}: {text}");
        assert!(!text.contains(dir.path().to_str().unwrap()), "{sql}: {text}");
    };
    for sql in [
        "DROP TABLE spans",
        "DELETE FROM spans",
        "INSERT INTO spans (name) VALUES ('x')",
        "UPDATE spans SET name = 'x'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY spans TO '/tmp/out.csv'",
        "SET datafusion.execution.batch_size = 1",
        "SHOW FUNCTIONS",
        "EXPLAIN SELECT * FROM spans",
        "EXPLAIN ANALYZE SELECT * FROM spans",
        "PREPARE p AS SELECT 1",
    ] {
        check(sql, "only one SELECT").await;
    }
    check("SELECT 1; SELECT 2", "single SQL statement").await;
    check("", "No SQL").await;
    check("SELEC 1", "this is not SQL").await;
    check("SELECT modle FROM spans", "modle").await;
    check("SELECT * FROM span", "span").await;
    check("SELECT * FROM information_schema.tables", "information_schema").await;
    check("SELECT * FROM '/etc/passwd'", "passwd").await;
    check("SELECT * FROM read_csv('/etc/passwd')", "read_csv").await;
    check("SELECT nope(1)", "nope").await;
}

#[tokio::test]
async fn says_what_there_is() {
    let (_dir, store) = store().await;
    for sql in ["SHOW TABLES", " show tables ; "] {
        let answer = store.sql(&project(), sql).await.unwrap();
        let names: Vec<&str> = answer.rows.iter().filter_map(|row| row[0].as_str()).collect();
        assert_eq!(names, ["findings", "logs", "metric_points", "scores", "span_minutes", "spans"]);
    }
    for sql in ["DESCRIBE spans", "desc Spans;"] {
        let answer = store.sql(&project(), sql).await.unwrap();
        let names: Vec<_> = answer.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["name", "type", "unit", "doc"]);
        let row = answer.rows.iter().find(|row| row[0] == "duration_ms").unwrap();
        assert_eq!(json!(row), json!(["duration_ms", "float", "ms", "How long it took."]));
    }
    let error = store.sql(&project(), "DESCRIBE nope").await.unwrap_err();
    assert!(matches!(&error, StoreError::Sql(text) if text.contains("findings, logs")), "{error:?}");
}

#[tokio::test]
async fn amplifiers_are_no_functions() {
    let (_dir, store) = store().await;
    for sql in [
        "SELECT repeat('a', 2000000000)",
        "SELECT length(repeat('ab', 300000000))",
        "SELECT sum(length(repeat(name, 2000000))) FROM spans",
        "SELECT length(lpad('a', 2000000000))",
        "SELECT length(rpad('a', 2000000000))",
        "SELECT array_repeat(1, 2000000000)",
        "SELECT list_repeat(1, 2000000000)",
        "SELECT array_resize([1], 2000000000)",
        "SELECT list_resize([1], 2000000000)",
        "SELECT range(1, 2000000000)",
        "SELECT generate_series(1, 2000000000)",
    ] {
        let error = store.sql(&project(), sql).await.map(|answer| answer.rows.len()).unwrap_err();
        assert!(matches!(error, StoreError::Sql(_)), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn functions_that_make_much_out_of_little_are_stopped_before() {
    let (_dir, store) = store().await;
    let refused = async |sql: &str, expected: &str| {
        let error = store.sql(&project(), sql).await.map(|answer| answer.rows.len()).unwrap_err();
        let (text, start) = (error.to_string(), sql.chars().take(200).collect::<String>());
        assert!(matches!(error, StoreError::Sql(_)), "{start}: {error:?}");
        assert!(text.contains(expected), "{start}: {text}");
    };
    // From one letter, and from what a row says.
    for start in ["'aaaaaaaaaaaaaaaa'", "name"] {
        let nested = |times: usize, before: &str, after: &str| {
            format!("SELECT max(length({}{start}{})) FROM spans", before.repeat(times), after.repeat(times))
        };
        refused(&nested(12, "replace(", ", 'a', 'aaaaaaaaaaaaaaaa')"), "`replace` may not make more than").await;
        refused(&nested(12, "regexp_replace(", ", 'a', 'aaaaaaaaaaaaaaaa', 'g')"), "`regexp_replace` may not make")
            .await;
        let doubled = |join: &str| {
            let steps: Vec<String> =
                (0..40).map(|i| format!("s{} AS (SELECT {} AS t FROM s{i})", i + 1, join)).collect();
            format!("WITH s0 AS (SELECT {start} AS t FROM spans), {} SELECT max(length(t)) FROM s40", steps.join(", "))
        };
        refused(&doubled("t || t"), "`||` may not make more than").await;
        refused(&doubled("concat(t, t)"), "`concat` may not make more than").await;
        refused(&doubled("concat_ws(t, t, t)"), "`concat_ws` may not make more than").await;
        refused(&doubled("overlay(t placing t from 1 for 0)"), "`overlay` may not make more than").await;
        let lists: Vec<String> =
            (0..40).map(|i| format!("s{} AS (SELECT array_concat(t, t) AS t FROM s{i})", i + 1)).collect();
        let lists = format!(
            "WITH s0 AS (SELECT [{start}] AS t FROM spans), {} SELECT max(array_length(t)) FROM s40",
            lists.join(", ")
        );
        refused(&lists, "`array_concat` may not make more than").await;
    }
    let long = format!("'{}'", "x".repeat(20_000));
    refused(&format!("SELECT levenshtein({long}, {long} || name) FROM spans"), "`levenshtein` would take too long")
        .await;
}

#[tokio::test]
async fn guarded_functions_are_what_they_were() {
    let (_dir, store) = store().await;
    let check = async |sql: &str, expected: serde_json::Value| {
        let answer = store.sql(&project(), sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(json!(answer.rows), expected, "{sql}");
    };
    check(
        "SELECT 'a' || 'b' || 1, NULL || 'x', concat('a', NULL, 'b'), concat_ws('-', 'a', NULL, 'b')",
        json!([["ab1", null, "ab", "a-b"]]),
    )
    .await;
    check(
        "SELECT replace('abcabc', 'b', 'xy'), replace('abc', '', '-'), regexp_replace('a1b22', '[0-9]+', '<\\0>', 'g')",
        json!([["axycaxyc", "abc", "a<1>b<22>"]]),
    )
    .await;
    check(
        "SELECT [1, 2] || [3], array_append([1], 2), array_to_string(['a', NULL, 'b'], ',', '*'), make_array('a')",
        json!([[[1, 2, 3], [1, 2], "a,*,b", ["a"]]]),
    )
    .await;
    check("SELECT levenshtein('kitten', 'sitting'), array_has_any(['a'], ['b', 'a']), overlay('Txxxxas' placing 'hom' from 2 for 4)", json!([[3, true, "Thomas"]])).await;
    check("SELECT to_char(timestamp '2026-11-24 08:00:00', '%Y-%m')", json!([["2026-11"]])).await;
    // In every place where an expression may stand, and by the name that people see.
    check("SELECT model || '!' FROM spans WHERE model || '!' = 'sim/large!' GROUP BY model || '!' HAVING max(model || '?') = 'sim/large?' ORDER BY model || '!'", json!([["sim/large!"]])).await;
    check("SELECT count(*) FROM spans WHERE replace(model, 'sim/', '') IN (SELECT replace(model, 'sim/', '') FROM spans WHERE concat(model, '') = 'sim/large')", json!([[20]])).await;
    check(
        "SELECT string_agg(DISTINCT model || '', ',' ORDER BY model || '') FROM spans",
        json!([["sim/large,sim/small"]]),
    )
    .await;
    let answer = store.sql(&project(), "SELECT concat(model, '!'), model || '!' FROM spans LIMIT 1").await.unwrap();
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["concat(spans.model,Utf8(\"!\"))", "spans.model || Utf8(\"!\")"]);
    // Long texts are fine as long as they stay what they are: here some 8 MB.
    let big = "WITH s AS (SELECT string_agg(input_messages, '') AS t FROM spans, generate_series(1, 1000)) SELECT length(replace(t, 'u', 'v')) = length(t) FROM s";
    check(big, json!([[true]])).await;
}

#[tokio::test]
async fn limits_are_said_clearly() {
    let (_dir, quick) = store_with(StoreConfig { query_timeout_s: 1, ..StoreConfig::default() }).await;
    let (_dir, store) = store_with(StoreConfig { query_memory_mb: 16, ..StoreConfig::default() }).await;
    let check = async |store: &Store, sql: &str, expected: &str| {
        let error = store.sql(&project(), sql).await.map(|answer| answer.rows.len()).unwrap_err();
        assert!(
            matches!(&error, StoreError::Limit(text) if text.contains(expected)),
            "{}: {error:?}",
            &sql.get(..80).unwrap_or(sql)
        );
    };
    check(&store, "SELECT * FROM generate_series(1, 20000)", "more than 10000 rows").await;
    check(&quick, "SELECT count(*) FROM generate_series(1, 100000000000) WHERE value % 7 = 3", "longer than 1 s").await;
    check(
        &store,
        "SELECT sum(n) FROM (SELECT row_number() OVER (ORDER BY value DESC) n FROM generate_series(1, 5000000))",
        "memory",
    )
    .await;
    check(&store, &format!("SELECT {}1", "1 + ".repeat(20_000)), "longer than").await;
    check(&store, &format!("SELECT {}1", "1 + ".repeat(4_000)), "words and signs").await;
    // As deep as is allowed: an answer or a refusal, not a crash.
    let chain =
        |link: &str, times: usize, end: &str| format!("SELECT count(*) FROM spans WHERE {}{end}", link.repeat(times));
    for sql in [
        chain("input_tokens + ", 1_980, "1 > 0"),
        chain("name = 'x' OR ", 990, "true"),
        chain("NOT ", 3_900, "true"),
        chain("(", 1_900, &format!("true{}", ")".repeat(1_900))),
        format!("SELECT 1 {}", "UNION SELECT 1 ".repeat(1_300)),
        format!("SELECT {}1{}", "abs(".repeat(1_300), ")".repeat(1_300)),
    ] {
        if let Err(error) = store.sql(&project(), &sql).await {
            assert!(!matches!(error, StoreError::Internal(_)), "{error}");
        }
    }
    assert_eq!(crate::count(&*store).await, 60);
}
