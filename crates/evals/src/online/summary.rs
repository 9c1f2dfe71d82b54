//! What the scores of a rule say of all traffic.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use signalbox_types::query::{BUCKET, Function, MAX_LIMIT, Measure};
use signalbox_types::seam::{EventStore, StoreError};
use signalbox_types::table::SCORES;
use signalbox_types::{Filter, ProjectId, Query, TimeRange, Timestamp, TraceId};

use super::weigh::{Weighted, mean_interval, rate_interval, spread};

/// What one scorer's scores say of all traffic that the rule's filter means.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlineScorerSummary)]
pub struct ScorerSummary {
    /// The scores' name.
    pub name: String,
    /// Scores.
    pub scored: u64,
    /// Spans that they stand for: the sum of the weights.
    pub stands_for: f64,
    /// The mean of all traffic, estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Figure>,
    /// The part of all traffic that passes, estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<Figure>,
    /// The same over time.
    pub series: Vec<SummaryPoint>,
}

/// An estimate. It is over all scores; the interval is from the spread of the newest 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlineFigure)]
pub struct Figure {
    /// The estimate.
    pub value: f64,
    /// The lower end of the 95 % confidence interval; absent from fewer than two traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Its upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// A bucket of time.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = OnlineSummaryPoint)]
pub struct SummaryPoint {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub bucket: String,
    /// Scores.
    pub scored: u64,
    /// Their weighted mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The weighted part that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
}

/// Sums over rows of one weight, times that weight.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    scored: u64,
    weight: f64,
    values: f64,
    value_sum: f64,
    verdicts: f64,
    passed: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.scored += other.scored;
        self.weight += other.weight;
        self.values += other.values;
        self.value_sum += other.value_sum;
        self.verdicts += other.verdicts;
        self.passed += other.passed;
    }

    fn mean(&self) -> Option<f64> {
        (self.values > 0.0).then(|| self.value_sum / self.values)
    }

    fn pass_rate(&self) -> Option<f64> {
        (self.verdicts > 0.0).then(|| self.passed / self.verdicts)
    }
}

/// What the scores of a rule say, by the scores' name.
///
/// # Errors
/// The time range is wrong, or the store can't answer.
pub async fn summary(
    store: &dyn EventStore,
    project: &ProjectId,
    rule: &str,
    time: TimeRange,
    bucket: &str,
) -> Result<Vec<ScorerSummary>, StoreError> {
    let filter = Filter::equals("metadata.rule", rule);
    let by_bucket = sums(store, project, &filter, time, bucket).await?;
    let newest = newest(store, project, filter, time).await?;
    let summaries = by_bucket.into_iter().map(|(name, buckets)| {
        let mut all = Sums::default();
        buckets.values().for_each(|sums| all.add(*sums));
        let (values, verdicts) = newest.get(&name).cloned().unwrap_or_default();
        let series = buckets.into_iter().map(|(bucket, sums)| SummaryPoint {
            bucket,
            scored: sums.scored,
            mean: sums.mean(),
            pass_rate: sums.pass_rate(),
        });
        ScorerSummary {
            name,
            scored: all.scored,
            stands_for: all.weight,
            mean: all
                .mean()
                .map(|mean| figure(mean, all.scored, &values, |mean, variance, _| mean_interval(mean, variance))),
            pass_rate: all.pass_rate().map(|rate| figure(rate, all.scored, &verdicts, rate_interval)),
            series: series.collect(),
        }
    });
    Ok(summaries.collect())
}

/// An estimate over so many scores, with the spread of some of them.
fn figure(
    value: f64,
    scored: u64,
    some: &[Weighted<TraceId>],
    interval: impl Fn(f64, f64, f64) -> (f64, f64),
) -> Figure {
    let ends = spread(some).and_then(|spread| {
        let more = (scored as f64 / spread.values as f64).max(1.0);
        Some(interval(value, spread.variance? / more, spread.effective * more))
    });
    Figure { value, low: ends.map(|(low, _)| low), high: ends.map(|(_, high)| high) }
}

async fn sums(
    store: &dyn EventStore,
    project: &ProjectId,
    filter: &Filter,
    time: TimeRange,
    bucket: &str,
) -> Result<BTreeMap<String, BTreeMap<String, Sums>>, StoreError> {
    let measure = |function, column: Option<&str>, filter, name: &str| Measure {
        function,
        column: column.map(str::to_owned),
        q: None,
        filter,
        alias: Some(name.to_owned()),
    };
    let passed = Filter::equals("passed", true);
    let query = Query {
        time,
        filter: Some(filter.clone()),
        measures: vec![
            measure(Function::Count, None, None, "scored"),
            measure(Function::Count, Some("value"), None, "values"),
            measure(Function::Sum, Some("value"), None, "value_sum"),
            measure(Function::Count, Some("passed"), None, "verdicts"),
            measure(Function::Count, None, Some(passed), "passes"),
        ],
        group_by: vec!["name".to_owned(), "metadata.weight".to_owned()],
        bucket: Some(bucket.to_owned()),
        limit: Some(MAX_LIMIT),
        ..Query::of(&SCORES)
    };
    let mut by_name: BTreeMap<String, BTreeMap<String, Sums>> = BTreeMap::new();
    for row in store.query(project, &query).await?.objects() {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or_default();
        let weight = weight_of(row.get("metadata.weight"));
        let sums = Sums {
            scored: number("scored") as u64,
            weight: weight * number("scored"),
            values: weight * number("values"),
            value_sum: weight * number("value_sum"),
            verdicts: weight * number("verdicts"),
            passed: weight * number("passes"),
        };
        by_name.entry(text("name")).or_default().entry(text(BUCKET)).or_default().add(sums);
    }
    Ok(by_name)
}

type Newest = BTreeMap<String, (Vec<Weighted<TraceId>>, Vec<Weighted<TraceId>>)>;

/// Values and verdicts of the newest scores.
async fn newest(
    store: &dyn EventStore,
    project: &ProjectId,
    filter: Filter,
    time: TimeRange,
) -> Result<Newest, StoreError> {
    let select = ["name", "trace_id", "value", "passed", "metadata.weight"].map(str::to_owned).to_vec();
    let query = Query { time, filter: Some(filter), select, limit: Some(MAX_LIMIT), ..Query::of(&SCORES) };
    let mut newest = Newest::new();
    for row in store.query(project, &query).await?.objects() {
        let Some(name) = row.get("name").and_then(Value::as_str) else { continue };
        let trace = row.get("trace_id").and_then(Value::as_str).and_then(|id| id.parse::<TraceId>().ok());
        let Some(cluster) = trace else { continue };
        let weight = weight_of(row.get("metadata.weight"));
        let (values, verdicts) = newest.entry(name.to_owned()).or_default();
        let weighted = |value| Weighted { value, weight, cluster };
        values.extend(row.get("value").and_then(Value::as_f64).map(weighted));
        verdicts.extend(row.get("passed").and_then(Value::as_bool).map(|passed| weighted(f64::from(u8::from(passed)))));
    }
    Ok(newest)
}

fn weight_of(text: Option<&Value>) -> f64 {
    let weight = text.and_then(Value::as_str).and_then(|text| text.parse::<f64>().ok());
    weight.filter(|weight| weight.is_finite() && *weight > 0.0).unwrap_or(1.0)
}

/// How wide buckets are, so that a series has a readable number of them.
#[must_use]
pub fn bucket_for(from: Timestamp, to: Timestamp) -> &'static str {
    match to.since(from).as_secs() {
        0..=7_200 => "1m",
        7_201..=604_800 => "1h",
        _ => "1d",
    }
}
