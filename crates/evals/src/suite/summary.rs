//! What a run's figures are, in sum and by segment.

use serde::Serialize;
use serde_json::Value;

use super::result::{Row, Run};
use crate::stats::{Interval, mean, mean_interval, quantile, wilson};

/// The figures of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Who answered.
    pub target: String,
    /// The field and the value whose items these are; `None` of all.
    pub segment: Option<(String, String)>,
    /// Answers, those that failed among them.
    pub answers: usize,
    /// Answers of which something couldn't be had.
    pub failed: usize,
    /// What they cost; `None` if nobody knows.
    pub cost_usd: Option<f64>,
    /// The median of the time for an answer.
    pub latency_p50_ms: Option<f64>,
    /// The time in which 95 of 100 were there.
    pub latency_p95_ms: Option<f64>,
    /// By metric, in the suite's order.
    pub metrics: Vec<Figures>,
}

/// The figures of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The metric.
    pub metric: String,
    /// Answers with a value.
    pub measured: usize,
    /// Answers that couldn't be measured.
    pub errors: usize,
    /// The mean of the values.
    pub mean: Option<f64>,
    /// Where the true mean lies, in 95 of 100 cases.
    pub interval: Option<Interval>,
    /// The value below which a tenth lies.
    pub p10: Option<f64>,
    /// The value in the middle.
    pub p50: Option<f64>,
    /// Answers with a verdict.
    pub judged: usize,
    /// The share of these that pass.
    pub pass_rate: Option<f64>,
    /// Where the true share lies, in 95 of 100 cases.
    pub pass_interval: Option<Interval>,
}

/// The figures of a run: each target as a whole, then each segment of it.
#[must_use]
pub fn summarise(run: &Run, segments: &[String]) -> Vec<Summary> {
    let mut all = Vec::new();
    for target in run.targets() {
        let rows: Vec<&Row> = run.rows.iter().filter(|row| row.target == target).collect();
        all.push(of_rows(run, target, None, &rows));
        for field in segments {
            for value in values_of(&rows, field) {
                let of_it: Vec<&Row> =
                    rows.iter().copied().filter(|row| field_text(row, field).as_ref() == Some(&value)).collect();
                all.push(of_rows(run, target, Some((field.clone(), value)), &of_it));
            }
        }
    }
    all
}

fn of_rows(run: &Run, target: &str, segment: Option<(String, String)>, rows: &[&Row]) -> Summary {
    let all = |name: &str| -> Vec<f64> { rows.iter().filter_map(|row| row.value(name)).collect() };
    let (latencies, costs) = (all("latency_ms"), all("cost_usd"));
    Summary {
        target: target.to_owned(),
        segment,
        answers: rows.len(),
        failed: rows.iter().filter(|row| row.failed()).count(),
        cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
        latency_p50_ms: quantile(&latencies, 0.5),
        latency_p95_ms: quantile(&latencies, 0.95),
        metrics: run.header.metrics.iter().map(|metric| figures(&metric.name, rows)).collect(),
    }
}

/// The figures of a metric over some rows.
pub(super) fn figures(metric: &str, rows: &[&Row]) -> Figures {
    let values: Vec<f64> = rows.iter().filter_map(|row| row.value(metric)).collect();
    let verdicts: Vec<bool> = rows.iter().filter_map(|row| row.passed(metric)).collect();
    let passed = verdicts.iter().filter(|passed| **passed).count();
    let errors = rows
        .iter()
        .filter(|row| row.scores.get(metric).map_or_else(|| row.error.is_some(), |score| score.error.is_some()));
    let ones = values.iter().filter(|value| **value == 1.0).count();
    Figures {
        metric: metric.to_owned(),
        measured: values.len(),
        errors: errors.count(),
        mean: mean(&values),
        interval: match is_binary(&values) {
            true => wilson(ones, values.len(), 0.95),
            false => mean_interval(&values, 0.95),
        },
        p10: quantile(&values, 0.1),
        p50: quantile(&values, 0.5),
        judged: verdicts.len(),
        pass_rate: (!verdicts.is_empty()).then(|| passed as f64 / verdicts.len() as f64),
        pass_interval: wilson(passed, verdicts.len(), 0.95),
    }
}

/// Only 0 and 1.
pub(super) fn is_binary(values: &[f64]) -> bool {
    values.iter().all(|value| *value == 0.0 || *value == 1.0)
}

/// The values of a field, sorted.
pub(super) fn values_of(rows: &[&Row], field: &str) -> Vec<String> {
    let mut values: Vec<String> = rows.iter().filter_map(|row| field_text(row, field)).collect();
    values.sort();
    values.dedup();
    values
}

/// A field of an item as a word.
pub(super) fn field_text(row: &Row, field: &str) -> Option<String> {
    match row.item.get(field)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
