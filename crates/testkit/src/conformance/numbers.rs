//! Rates, quantiles, and the greatest groups.

use serde_json::{Value, json};

use super::event_store::Check;

/// Rates are floats: what was summed in another order may differ in the last place.
fn close(value: &Value, expect: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expect).abs() < 1e-9)
}

pub(super) async fn rates(check: &Check<'_>) {
    let measures = json!([
        {"fn": "rate"}, {"fn": "rate", "column": "input_tokens"}, {"fn": "rate", "column": "cost"},
        {"fn": "rate", "column": "cache_read_tokens"},
        {"fn": "rate", "as": "failing", "filter": {"field": "status", "op": "=", "value": "error"}},
    ]);
    let answer = check.answer(json!({"time": {"from": "now-10m", "to": "now"}, "measures": measures})).await;
    let row = &answer.rows[0];
    assert!(close(&row[0], 60.0 / 600.0), "by the whole range: {row:?}");
    assert!(close(&row[1], 7_770.0 / 600.0), "{row:?}");
    assert!(close(&row[2], 59.0 * 0.000_003 / 600.0), "{row:?}");
    assert!(row[3].is_null(), "a sum of nothing is unknown: {row:?}");
    assert!(close(&row[4], 1.0 / 600.0), "{row:?}");
    let units: Vec<_> = answer.columns.iter().filter_map(|column| column.unit.as_deref()).collect();
    assert_eq!(units, ["/s", "tokens/s", "USD/s", "tokens/s", "/s"]);
    assert!(answer.columns.iter().all(|column| column.ty == "float"), "{:?}", answer.columns);

    let buckets = check.rows(json!({"bucket": "1m", "measures": [{"fn": "rate"}]})).await;
    assert_eq!(buckets.len(), 10);
    assert!(buckets.iter().all(|bucket| close(&bucket[1], 0.1)), "by the bucket: {buckets:?}");
    let least = json!({"group_by": ["model"], "measures": [{"fn": "rate"}], "order": [{"by": "rate"}]});
    assert_eq!(check.rows(least).await[0][0], "sim/large", "rates can be ordered by");
}

pub(super) async fn quantiles(check: &Check<'_>) {
    let of = |q: f64| json!({"fn": "quantile", "q": q, "column": "input_tokens"});
    let answer = check.answer(json!({"measures": [of(0.0), of(0.25), of(0.999), of(1.0)]})).await;
    let found: Vec<f64> = answer.rows[0].iter().filter_map(Value::as_f64).collect();
    assert_eq!((found[0], found[3]), (100.0, 159.0), "the ends are exact");
    assert!((found[1] - 114.75).abs() <= 1.0 && (found[2] - 159.0).abs() <= 0.5, "{found:?}");
    assert_eq!(answer.columns[2].name, "quantile_0.999_input_tokens");
    assert_eq!((answer.columns[2].ty.as_str(), answer.columns[2].unit.as_deref()), ("float", Some("tokens")));
}

/// By users there are 47 rows of nobody, 6 of u-a, 4 of other, 3 of u-b.
pub(super) async fn top(check: &Check<'_>) {
    let users = |top: u64| json!({"group_by": ["user_id"], "top": top, "measures": [{"fn": "count"}, {"fn": "unique", "column": "model"}, {"fn": "max", "column": "input_tokens"}]});
    let answer = check.answer(users(2)).await;
    let columns: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.ty.as_str())).collect();
    assert_eq!(columns[..3], [("user_id", "text"), ("other", "bool"), ("count", "int")]);
    let expected = [
        json!([null, false, 47, 2, 159]),
        json!(["u-a", false, 6, 2, 105]),
        // Of rows: two models, though each of its two groups knows two as well.
        json!(["other", true, 7, 2, 112]),
    ];
    assert_eq!(json!(answer.rows), json!(expected));

    let real = check.rows(users(3)).await;
    assert_eq!(json!(real[2]), json!(["other", false, 4, 2, 109]), "somebody who is really called so");
    assert_eq!(json!(real[3]), json!(["other", true, 3, 2, 112]), "comes before all others");
    assert_eq!(check.rows(users(4)).await.len(), 4, "nothing is left, so there are no others");

    let fewest = json!({"group_by": ["user_id"], "top": 1, "measures": [{"fn": "count"}, {"fn": "sum", "column": "input_tokens"}], "order": [{"by": "sum_input_tokens"}]});
    assert_eq!(
        json!(check.rows(fewest).await),
        json!([["u-b", false, 3, 333], ["other", true, 57, 7_437]]),
        "by the order"
    );

    let pairs = json!({"group_by": ["model", "user_id"], "top": 1, "measures": [{"fn": "count"}]});
    let pairs = check.rows(pairs).await;
    assert_eq!(json!(pairs), json!([["sim/small", null, false, 32], ["other", "other", true, 28]]));

    let numbers = json!({"group_by": ["input_tokens", "streaming"], "top": 1, "measures": [{"fn": "count"}]});
    let numbers = check.rows(numbers).await;
    assert_eq!(json!(numbers), json!([[100, false, false, 1], [null, null, true, 59]]), "only texts are called other");
    let none = json!({"time": {"from": "now-1s"}, "group_by": ["model"], "top": 3, "measures": [{"fn": "count"}]});
    assert!(check.rows(none).await.is_empty());
}

pub(super) async fn top_over_time(check: &Check<'_>) {
    let query = json!({"bucket": "1m", "group_by": ["user_id"], "top": 1, "measures": [{"fn": "count"}], "filter": {"field": "user_id", "op": "exists"}});
    let rows = check.rows(query).await;
    let of = |other: bool| -> Vec<u64> {
        rows.iter().filter(|row| row[2] == other).filter_map(|row| row[3].as_u64()).collect()
    };
    // The first minute holds u-a's six, the others come in the second and third: there, too, u-a is the greatest.
    assert_eq!((of(false), of(true)), (vec![6], vec![6, 1]), "{rows:?}");
    assert!(rows.is_sorted_by_key(|row| row[0].to_string()), "oldest first: {rows:?}");

    let busiest = json!({"bucket": "5m", "group_by": ["model"], "top": 1, "measures": [{"fn": "count"}], "order": [{"by": "bucket"}, {"by": "count", "desc": true}]});
    let rows = check.rows(busiest).await;
    assert!(rows.iter().all(|row| (row[1] == "sim/small") != row[2].as_bool().unwrap_or(true)), "{rows:?}");
    assert!(
        rows.windows(2).all(|pair| pair[0][0] != pair[1][0] || pair[0][2] == false),
        "others last in a bucket: {rows:?}"
    );
}

/// What spans sum up to answers like the spans themselves.
pub(super) async fn minutes(check: &Check<'_>) {
    let measures = json!([
        {"fn": "count"}, {"fn": "sum", "column": "input_tokens"}, {"fn": "sum", "column": "cost"},
        {"fn": "count", "as": "failing", "filter": {"field": "error_type", "op": "=", "value": "rate_limited"}},
        {"fn": "count", "as": "of_nobody", "filter": {"field": "model", "op": "=", "value": "nobody"}},
        {"fn": "p50", "column": "duration_ms"}, {"fn": "quantile", "q": 1.0, "column": "duration_ms"},
        {"fn": "avg", "column": "duration_ms"}, {"fn": "rate"}, {"fn": "sum", "column": "reasoning_tokens"},
    ]);
    let ask = |table: &str, bucket: Value| json!({"table": table, "time": {"from": "now-10m"}, "group_by": ["model"], "bucket": bucket, "measures": measures});
    for bucket in [Value::Null, json!("1m"), json!("5m")] {
        let (sums, spans) =
            (check.answer(ask("span_minutes", bucket.clone())).await, check.answer(ask("spans", bucket)).await);
        assert_eq!(sums.columns, spans.columns);
        let columns: Vec<&str> = sums.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(sums.rows.len(), spans.rows.len());
        for (sums, spans) in sums.rows.iter().zip(&spans.rows) {
            for ((sum, span), column) in sums.iter().zip(spans).zip(&columns) {
                let alike = match (sum.as_f64(), span.as_f64()) {
                    // Classes of durations are 5 % wide; a quantile of few may fall to a neighbour.
                    (Some(sum), Some(span)) if column.ends_with("duration_ms") => (sum / span - 1.0).abs() < 0.16,
                    (Some(sum), Some(span)) => (sum - span).abs() < 1e-9,
                    _ => sum == span,
                };
                assert!(alike, "{column}: {sum} and {span}");
            }
        }
    }
    let total = json!({"table": "span_minutes", "measures": [{"fn": "sum", "column": "duration_total_ms"}]});
    let exact = json!({"measures": [{"fn": "sum", "column": "duration_ms"}]});
    assert_eq!(check.rows(total).await, check.rows(exact).await, "what they took together is exact");
    for refused in [
        json!({"table": "span_minutes"}),
        json!({"table": "span_minutes", "measures": [{"fn": "avg", "column": "cost"}]}),
        json!({"table": "span_minutes", "measures": [{"fn": "unique", "column": "model"}]}),
    ] {
        let query = serde_json::from_value(refused.clone()).expect("a query");
        assert!(check.store.query(&check.project, &query).await.is_err(), "{refused}");
    }
}
