use super::*;

fn check(json: &str, expect: &str) {
    let problem = match serde_json::from_str::<Query>(json) {
        Ok(query) => query.check().map_or_else(|error| error.to_string(), |table| table.name.to_owned()),
        Err(error) => error.to_string(),
    };
    assert!(problem.contains(expect), "{json}: {problem}");
}

#[test]
fn good_queries() {
    check("{}", "spans");
    check(
        r#"{"measures":[{"fn":"rate"},{"fn":"rate","column":"cost"},{"fn":"quantile","q":0.999,"column":"ttft_ms"}]}"#,
        "spans",
    );
    check(
        r#"{"top":5,"group_by":["user_id"],"bucket":"1h","measures":[{"fn":"count"}],"order":[{"by":"bucket"}]}"#,
        "spans",
    );
    check(r#"{"table":"findings"}"#, "findings");
    check(r#"{"measures":[{"fn":"p95","column":"duration_ms"}],"group_by":["model"],"bucket":"1m"}"#, "spans");
    check(r#"{"filter":{"field":"attributes.http.route","op":"=","value":"/x"}}"#, "spans");
    check(
        r#"{"filter":{"all":[{"field":"status","op":"in","value":["error"]},{"not":{"field":"model","op":"exists"}}]}}"#,
        "spans",
    );
}

#[test]
fn bad_queries_say_where_and_what_was_expected() {
    check(r#"{"table":"span"}"#, "expected one of findings, logs, metric_points, scores, span_minutes, spans");
    check(r#"{"selekt":[]}"#, "unknown field `selekt`");
    check(r#"{"select":["search_highlight"]}"#, "no column `search_highlight`");
    check(r#"{"select":["modle"]}"#, "`select[0]`: `spans` has no column `modle`");
    check(r#"{"measures":[{"fn":"avg","column":"model"}]}"#, "`measures[0].column`");
    check(r#"{"measures":[{"fn":"avg"}]}"#, "needs a column");
    check(r#"{"group_by":["model"]}"#, "need at least one measure");
    check(r#"{"bucket":"1 minute","measures":[{"fn":"count"}]}"#, "no bucket width");
    check(r#"{"limit":0}"#, "1 to 10000");
    check(r#"{"filter":{"all":[{"field":"duration_ms","op":">","value":"slow"}]}}"#, "`filter.all[0].value`");
    check(r#"{"filter":{"field":"model"}}"#, "op");
    check(r#"{"filter":{"score":{"field":"model","op":"exists"}}}"#, "`filter.score.field`: `scores` has no column");
    check(r#"{"table":"scores","filter":{"score":{"all":[]}}}"#, "rows of `scores` have no scores");
    check(r#"{"filter":{"score":{"score":{"all":[]}}}}"#, "`filter.score.score`: rows of `scores`");
    check(r#"{"filter":{"score":{"all":[]},"field":"model","op":"exists"}}"#, "a filter is one of");
    check(r#"{"measures":[{"fn":"rate","column":"model"}]}"#, "it needs a column of numbers, or none to count rows");
    check(r#"{"measures":[{"fn":"quantile","column":"ttft_ms"}]}"#, "`measures[0].q`: `quantile` needs to know");
    check(r#"{"measures":[{"fn":"quantile","q":99,"column":"ttft_ms"}]}"#, "99 is out of range; expected 0 to 1");
    check(r#"{"measures":[{"fn":"p99","q":0.5,"column":"ttft_ms"}]}"#, "`p99` takes no `q`");
    check(r#"{"top":5,"measures":[{"fn":"count"}]}"#, "`top`: needs groups");
    check(
        r#"{"top":0,"group_by":["model"],"measures":[{"fn":"count"}]}"#,
        "`top`: 0 is out of range; expected 1 to 100",
    );
    check(r#"{"group_by":["attributes"],"measures":[{"fn":"count"}]}"#, "as in `attributes.key`");
}

#[test]
fn one_name_stands_for_one_column() {
    let twice = "already";
    check(
        r#"{"measures":[{"fn":"count"},{"fn":"count","filter":{"field":"status","op":"exists"}}]}"#,
        "`measures[1].as`",
    );
    check(r#"{"measures":[{"fn":"count","as":"n"},{"fn":"sum","column":"cost","as":"n"}]}"#, twice);
    check(r#"{"measures":[{"fn":"count","as":"model"}],"group_by":["model"]}"#, twice);
    check(r#"{"measures":[{"fn":"count","as":"bucket"}],"bucket":"1h"}"#, twice);
    check(r#"{"measures":[{"fn":"count","as":"other"}],"group_by":["model"],"top":1}"#, twice);
    check(r#"{"measures":[{"fn":"count"}],"group_by":["model","model"]}"#, "`group_by[1]`");
    check(r#"{"select":["name","name"]}"#, "`select[1]`");
    check(r#"{"order":[{"by":"name"},{"by":"name","desc":true}]}"#, "`order[1].by`");
    check(r#"{"measures":[{"fn":"count","as":""}]}"#, "`measures[0].as`: is empty");
}

#[test]
fn lists_are_no_objects() {
    for json in [
        "[]",
        r#"{"time":["now-1h","now"]}"#,
        r#"{"measures":[["count"]]}"#,
        r#"{"order":[["name"]]}"#,
        r#"{"filter":[null]}"#,
    ] {
        check(json, "expected an object, written {…}");
    }
    let query: Query = serde_json::from_str(r#"{"measures":[{"fn":"count"}],"order":[{"by":"count"}]}"#).unwrap();
    let json = r#"{"table":"spans","time":{"from":"now-3600s","to":"now"},"measures":[{"fn":"count"}],"order":[{"by":"count","desc":false}]}"#;
    assert_eq!(serde_json::to_string(&query).unwrap(), json);
}

#[test]
fn time_does_not_run_backwards() {
    let now = "2026-11-24T08:00:00Z".parse().unwrap();
    let check = |from: &str, to: &str, expect: &str| {
        let query = serde_json::json!({ "time": { "from": from, "to": to } });
        let query: Query = serde_json::from_value(query).unwrap();
        let found = query.range(now).map_or_else(|error| error.to_string(), |_| "fine".to_owned());
        assert!(found.contains(expect), "{from} to {to}: {found}");
    };
    check("now-1h", "now", "fine");
    check("now", "now", "fine");
    check(
        "now",
        "now-1h",
        "`time.from`: `from` (2026-11-24T08:00:00.000000Z) is after `to` (2026-11-24T07:00:00.000000Z); swap",
    );
    check("2026-11-24T09:00:00Z", "now", "is after");
    check("now-1h", "2026-11-24T07:00:00Z", "there is no time between");
}

#[test]
fn measures_say_what_they_are() {
    let check = |json: &str, name: &str, ty: ColumnType, unit: Option<&str>| {
        let measure: Measure = serde_json::from_str(json).unwrap();
        assert_eq!(
            (measure.name(), measure.answers(&table::SPANS)),
            (name.to_owned(), (ty, unit.map(str::to_owned))),
            "{json}"
        );
    };
    check(r#"{"fn":"rate"}"#, "rate", ColumnType::Float, Some("/s"));
    check(r#"{"fn":"rate","column":"input_tokens"}"#, "rate_input_tokens", ColumnType::Float, Some("tokens/s"));
    check(r#"{"fn":"rate","column":"cost"}"#, "rate_cost", ColumnType::Float, Some("USD/s"));
    check(
        r#"{"fn":"quantile","q":0.999,"column":"duration_ms"}"#,
        "quantile_0.999_duration_ms",
        ColumnType::Float,
        Some("ms"),
    );
    check(r#"{"fn":"p95","column":"input_tokens"}"#, "p95_input_tokens", ColumnType::Float, Some("tokens"));
    check(r#"{"fn":"unique","column":"cost"}"#, "unique_cost", ColumnType::Int, None);
}
