//! Traces that show what is wrong.

use serde_json::{Map, Value};
use signalbox_types::query::Order;
use signalbox_types::seam::StoreError;

use super::population::Population;
use super::{Ask, Example, Window};

/// Examples at most.
const MOST: usize = 10;
/// Rows that are read for them: several may belong to one trace.
const ROWS: u32 = 60;
const LONGEST: usize = 160;

/// Bad rows of different traces: the worst, or the latest.
pub(super) async fn examples(
    ask: Ask<'_>,
    population: &Population,
    window: Window,
) -> Result<Vec<Example>, StoreError> {
    let table = population.table;
    let has = |name: &str| table.column(name).is_some();
    if !has("trace_id") || population.falls {
        return Ok(Vec::new());
    }
    let mut query = population.rows(window, true);
    let mut select = vec!["trace_id", "span_id", table.time_column];
    select.extend(described(table.name));
    query.select = select.into_iter().filter(|name| has(name)).map(str::to_owned).collect();
    if let Some((column, greatest)) = &population.worst {
        if !query.select.contains(column) {
            query.select.push(column.clone());
        }
        query.order = vec![Order { by: column.clone(), desc: *greatest }];
    }
    query.limit = Some(ROWS);
    let answer = ask.query(&query).await?;
    let mut found: Vec<Example> = Vec::new();
    for row in answer.objects() {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some((trace_id, at)) = text("trace_id").zip(text(table.time_column)) else { continue };
        if found.len() < MOST
            && !found.iter().any(|one| one.trace_id == trace_id)
            && let Ok(at) = at.parse()
        {
            let worst = population.worst.as_ref().map(|(column, _)| column.as_str());
            found.push(Example { trace_id, span_id: text("span_id"), at, text: line(&row, table.name, worst) });
        }
    }
    Ok(found)
}

/// What a row is told apart by.
fn described(table: &str) -> &'static [&'static str] {
    match table {
        "spans" => &["name", "provider", "status", "error_type", "verdict", "duration_ms"],
        "scores" => &["name", "value", "label", "passed", "reason"],
        "findings" => &["scanner", "rule", "severity", "message"],
        "logs" => &["severity_text", "event_name", "body_preview"],
        _ => &[],
    }
}

fn line(row: &Map<String, Value>, table: &str, worst: Option<&str>) -> String {
    let number = |name: &str, value: &Value| {
        let value = value.as_f64().map_or_else(|| value.to_string(), crate::kinds::shown);
        match name.strip_suffix("_ms") {
            Some(name) => format!("{name} {value} ms"),
            None => format!("{name} {value}"),
        }
    };
    let mut parts = Vec::new();
    let names = described(table).iter().copied();
    for name in names.clone().chain(worst.filter(|worst| !names.clone().any(|name| name == *worst))) {
        match row.get(name) {
            Some(Value::String(text)) if name == "status" && text != "error" => {}
            Some(Value::String(text)) => parts.push(crate::incident::one_line(text)),
            Some(Value::Bool(passed)) => parts.push(if *passed { "passed" } else { "didn't pass" }.to_owned()),
            Some(value @ Value::Number(_)) => parts.push(number(name, value)),
            _ => {}
        }
    }
    let text = parts.join(" · ");
    match text.chars().count() {
        chars if chars > LONGEST => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        _ => text,
    }
}
