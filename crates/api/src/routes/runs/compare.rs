//! Runs compared with one of them: in sum, by segment, and item by item.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use signalbox_catalog::{ItemNumbers, Run, RunDirection, RunItem};
use signalbox_evals::paired;

use super::across::{Across, By};
use super::items::MOST_LISTED;
use super::within;
use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

const MOST_FIELDS: usize = 8;
const MOST_VALUES: usize = 20;
/// Scores whose difference is smaller are the same: the last digits are the sums' order.
const TIE: f64 = 1e-9;
const ALPHA: f64 = 0.05;

/// Which runs are compared.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompareAsk {
    /// Two to six runs, separated by commas.
    ids: String,
    /// The one that the others are compared with; the first, if nothing is said.
    baseline: Option<String>,
}

/// Runs side by side.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Comparison {
    /// The id of the run that the others are compared with.
    baseline: String,
    /// The runs, in the order that was asked for.
    runs: Vec<Run>,
    /// Items that all of them have.
    common_items: u64,
    /// Each metric, then `latency_ms` and `cost`.
    metrics: Vec<ComparedMetric>,
    /// The same by the fields that tell items apart, of the items that the baseline has: 8 fields, 20 values of each.
    segments: Vec<ComparedField>,
}

/// What a metric says of each run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedMetric {
    /// Its name; `latency_ms` and `cost` (dollars) are measures of their own.
    metric: String,
    /// Which values are good.
    direction: RunDirection,
    /// Each run, in the order that was asked for.
    runs: Vec<ComparedRun>,
}

/// What a metric says of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedRun {
    /// The run's id.
    run: String,
    /// Items with a value.
    n: u64,
    /// Their mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    /// The true mean lies above this and below `high` in 95 of 100 cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    /// See `low`.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    /// The difference from the baseline, on the items that both have; absent of the baseline itself, and where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<ComparedPairs>,
}

/// The difference between a run and the baseline, item by item.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedPairs {
    /// Items that both have.
    n: u64,
    /// The mean of the run's value less the baseline's.
    mean: f64,
    /// The true difference lies above this and below `high` in 95 of 100 cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    /// See `low`.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    /// How often chance alone makes a difference as large: McNemar's exact test of verdicts, else random sign flips, of many items the normal one.
    p_value: f64,
    /// The same, corrected for the number of comparisons in this list by Holm.
    p_adjusted: f64,
    /// The true difference that four of five such comparisons would find.
    #[serde(skip_serializing_if = "Option::is_none")]
    detectable: Option<f64>,
    /// Items that are better than in the baseline.
    wins: u64,
    /// Items that are the same.
    ties: u64,
    /// Items that are worse.
    losses: u64,
    /// What may be said: the corrected p-value is below 0.05, or it isn't.
    verdict: RunVerdict,
}

/// What may be said of a run against the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunVerdict {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// Every item is the same.
    Same,
    /// Chance may have made the difference.
    Unclear,
}

/// The comparison by a field that tells items apart.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedField {
    /// The field.
    field: String,
    /// Its values, the most frequent first.
    values: Vec<ComparedSegment>,
}

/// The comparison on the items with one value of a field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedSegment {
    /// The value.
    value: String,
    /// Items of the baseline that have it.
    items: u64,
    /// Each metric. Its p-values are corrected for the values of the field.
    metrics: Vec<ComparedMetric>,
}

/// Compare runs.
///
/// The mean of every metric with its confidence interval, and against the baseline the difference on the items that both runs have, with a
/// p-value, wins, ties and losses; in sum and by segment. Latency and cost stand beside.
#[utoipa::path(get, path = "/api/v1/runs/compare", operation_id = "compare_runs", tag = "Experiments", params(CompareAsk), responses(
    (status = 200, description = "The runs side by side.", body = Comparison),
    (status = 404, description = "This project has no such run.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn compare(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(ask): Params<CompareAsk>,
) -> Result<Json<Comparison>, ApiError> {
    let across = Across::read(&app, &caller.project, &ask.ids, ask.baseline.as_deref()).await?;
    let compared = tokio::task::spawn_blocking(move || compared(across)).await;
    compared.map(Json).map_err(|error| ApiError::internal(&error))
}

fn compared(across: Across) -> Comparison {
    let rows = across.rows();
    let common_items = rows.iter().filter(|row| row.iter().all(Option::is_some)).count() as u64;
    let measures = across.measures();
    // The means are of all items of a run, the differences of those that it shares with the baseline.
    let whole: Vec<Vec<&ItemNumbers>> = across.sides.iter().map(|side| side.items.iter().collect()).collect();
    let mut metrics: Vec<ComparedMetric> =
        measures.iter().map(|measure| metric(&across, measure, &whole, rows.iter())).collect();
    correct(metrics.iter_mut());
    let segments = across
        .segments(&rows, MOST_FIELDS, MOST_VALUES)
        .into_iter()
        .map(|(field, values)| {
            let values = values.into_iter().map(|(value, at)| segment(&across, &measures, &rows, value, &at));
            let mut values: Vec<ComparedSegment> = values.collect();
            for at in 0..measures.len() {
                correct(values.iter_mut().filter_map(|segment| segment.metrics.get_mut(at)));
            }
            ComparedField { field: field.to_owned(), values }
        })
        .collect();
    let baseline = across.sides.get(across.baseline).map(|side| side.run.id.clone()).unwrap_or_default();
    Comparison {
        baseline,
        runs: across.sides.into_iter().map(|side| side.run).collect(),
        common_items,
        metrics,
        segments,
    }
}

fn segment(
    across: &Across,
    measures: &[(By, RunDirection)],
    rows: &[Vec<Option<&ItemNumbers>>],
    value: &str,
    at: &[usize],
) -> ComparedSegment {
    let chosen: Vec<&Vec<Option<&ItemNumbers>>> = at.iter().filter_map(|at| rows.get(*at)).collect();
    let sides = 0..across.sides.len();
    let items: Vec<Vec<&ItemNumbers>> =
        sides.map(|side| chosen.iter().filter_map(|row| row.get(side).copied().flatten()).collect()).collect();
    let metrics = measures.iter().map(|measure| metric(across, measure, &items, chosen.iter().copied())).collect();
    ComparedSegment { value: value.to_owned(), items: at.len() as u64, metrics }
}

fn metric<'a>(
    across: &Across,
    (by, direction): &(By, RunDirection),
    items: &[Vec<&ItemNumbers>],
    rows: impl Iterator<Item = &'a Vec<Option<&'a ItemNumbers>>> + Clone,
) -> ComparedMetric {
    let runs = across.sides.iter().zip(items).enumerate().map(|(at, (side, items))| {
        let numbers: Vec<f64> = items.iter().filter_map(|item| by.of(item)).collect();
        let mean = paired::mean(&numbers);
        let differences: Vec<f64> = if at == across.baseline {
            Vec::new()
        } else {
            rows.clone().filter_map(|row| Some(value(row, at, by)? - value(row, across.baseline, by)?)).collect()
        };
        ComparedRun {
            run: side.run.id.clone(),
            n: numbers.len() as u64,
            mean: mean.map(|mean| mean.mean),
            low: mean.and_then(|mean| mean.low),
            high: mean.and_then(|mean| mean.high),
            difference: pairs(&differences, *direction),
        }
    });
    ComparedMetric { metric: by.name().to_owned(), direction: *direction, runs: runs.collect() }
}

fn value(row: &[Option<&ItemNumbers>], side: usize, by: &By) -> Option<f64> {
    by.of(row.get(side).copied().flatten()?)
}

fn pairs(differences: &[f64], direction: RunDirection) -> Option<ComparedPairs> {
    let found = paired::paired(differences)?;
    let (more, less) = (
        differences.iter().filter(|difference| **difference > TIE).count() as u64,
        differences.iter().filter(|difference| **difference < -TIE).count() as u64,
    );
    let (wins, losses) = if direction == RunDirection::Higher { (more, less) } else { (less, more) };
    let n = found.mean.n as u64;
    Some(ComparedPairs {
        n,
        mean: found.mean.mean,
        low: found.mean.low,
        high: found.mean.high,
        p_value: found.p_value,
        p_adjusted: found.p_value,
        detectable: found.detectable,
        wins,
        ties: n - wins - losses,
        losses,
        verdict: RunVerdict::Unclear,
    })
}

/// Corrects p-values for their number, and says what may be said then.
fn correct<'a>(metrics: impl Iterator<Item = &'a mut ComparedMetric>) {
    let mut all: Vec<(RunDirection, &mut ComparedPairs)> = Vec::new();
    for metric in metrics {
        let direction = metric.direction;
        all.extend(metric.runs.iter_mut().filter_map(|run| run.difference.as_mut()).map(|pairs| (direction, pairs)));
    }
    let p_values: Vec<f64> = all.iter().map(|(_, pairs)| pairs.p_value).collect();
    for ((direction, pairs), adjusted) in all.into_iter().zip(paired::holm(&p_values)) {
        pairs.p_adjusted = adjusted;
        let is_better = (pairs.mean > 0.0) == (direction == RunDirection::Higher);
        pairs.verdict = match adjusted {
            _ if pairs.wins + pairs.losses == 0 => RunVerdict::Same,
            p if p >= ALPHA => RunVerdict::Unclear,
            _ if is_better => RunVerdict::Better,
            _ => RunVerdict::Worse,
        };
    }
}

/// Which items are compared.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompareItemsAsk {
    /// Two to six runs, separated by commas.
    ids: String,
    /// The one that the others are compared with; the first, if nothing is said.
    baseline: Option<String>,
    /// By which metric they are sorted, the largest losses first; the first of the runs, if nothing is said. Also `latency_ms` and `cost`.
    metric: Option<String>,
    /// `all`, or those that are `worse`, `better` or `changed` in any run, or have an error in one (`failed`).
    #[param(inline)]
    show: Option<Show>,
    /// Only items whose field has this value, as `field:value`.
    segment: Option<String>,
    /// How many at most, up to 200.
    limit: Option<u32>,
    /// How many are left out at the beginning.
    offset: Option<u64>,
}

/// Which items are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Show {
    /// All of them.
    #[default]
    All,
    /// A run is worse than the baseline.
    Worse,
    /// A run is better than the baseline.
    Better,
    /// A run is better or worse.
    Changed,
    /// A run has no answer.
    Failed,
}

/// Items of several runs side by side.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedItems {
    /// The metric that they are sorted by.
    metric: String,
    /// The page; the largest losses first, what can't be compared last.
    items: Vec<ComparedItem>,
    /// How many are on all pages.
    total: u64,
    /// How many are worse in any run.
    worse: u64,
    /// How many are better in any run.
    better: u64,
}

/// An item in every run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedItem {
    /// The id of the item.
    item_id: String,
    /// Each run, in the order that was asked for.
    runs: Vec<ComparedItemRun>,
}

/// An item in one run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ComparedItemRun {
    /// The run's id.
    run: String,
    /// The item there; absent if the run doesn't have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<RunItem>,
    /// How much better it is than in the baseline by the metric that is sorted by; below zero it is worse, whichever values are good.
    #[serde(skip_serializing_if = "Option::is_none")]
    gain: Option<f64>,
}

/// Compare runs item by item.
///
/// Items of the baseline with what became of them in the other runs, the largest losses first.
#[utoipa::path(get, path = "/api/v1/runs/compare/items", operation_id = "compare_run_items", tag = "Experiments",
    params(CompareItemsAsk), responses(
    (status = 200, description = "A page of items.", body = ComparedItems),
    (status = 404, description = "This project has no such run.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn items(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(ask): Params<CompareItemsAsk>,
) -> Result<Json<ComparedItems>, ApiError> {
    let limit = within("limit", ask.limit.unwrap_or(25), MOST_LISTED)?;
    let segment = ask.segment.as_deref().map(|text| {
        text.split_once(':')
            .ok_or_else(|| ApiError::invalid("segment", format_args!("expected field:value, found `{text}`")))
    });
    let segment = segment.transpose()?;
    let across = Across::read(&app, &caller.project, &ask.ids, ask.baseline.as_deref()).await?;
    let (by, direction) = match &ask.metric {
        Some(name) => By::find(name, &across)?,
        None => across.measures().into_iter().next().unwrap_or((By::Latency, RunDirection::Lower)),
    };
    let found = sorted(&across, &by, direction, ask.show.unwrap_or_default(), segment);
    let offset = usize::try_from(ask.offset.unwrap_or(0)).unwrap_or(usize::MAX);
    let page: Vec<&Row> = found.rows.iter().skip(offset).take(limit as usize).collect();
    let ids: Vec<String> = page.iter().map(|row| row.id.to_owned()).collect();
    let mut items: Vec<ComparedItem> = page
        .iter()
        .map(|row| ComparedItem { item_id: row.id.to_owned(), runs: Vec::with_capacity(across.sides.len()) })
        .collect();
    for (at, side) in across.sides.iter().enumerate() {
        let mut whole =
            app.catalog.run_items_by_id(&caller.project, &side.run.id, ids.clone()).await?.into_iter().peekable();
        for (shown, row) in items.iter_mut().zip(&page) {
            let item = whole.next_if(|item| item.item_id == shown.item_id);
            let gain = row.gains.get(at).copied().flatten();
            shown.runs.push(ComparedItemRun { run: side.run.id.clone(), item, gain });
        }
    }
    let total = found.rows.len() as u64;
    Ok(Json(ComparedItems { metric: by.name().to_owned(), items, total, worse: found.worse, better: found.better }))
}

struct Row<'a> {
    id: &'a str,
    gains: Vec<Option<f64>>,
}

struct Sorted<'a> {
    rows: Vec<Row<'a>>,
    worse: u64,
    better: u64,
}

fn sorted<'a>(
    across: &'a Across,
    by: &By,
    direction: RunDirection,
    show: Show,
    segment: Option<(&str, &str)>,
) -> Sorted<'a> {
    let sign = if direction == RunDirection::Higher { 1.0 } else { -1.0 };
    let mut found = Sorted { rows: Vec::new(), worse: 0, better: 0 };
    for row in across.rows() {
        let Some(base) = row.get(across.baseline).copied().flatten() else { continue };
        if segment.is_some_and(|(field, value)| base.segments.get(field).is_none_or(|found| found != value)) {
            continue;
        }
        let before = by.of(base);
        let gain = |(at, item): (usize, &Option<&ItemNumbers>)| {
            let gain = (by.of((*item)?)? - before?) * sign;
            (at != across.baseline).then_some(if gain.abs() <= TIE { 0.0 } else { gain })
        };
        let gains: Vec<Option<f64>> = row.iter().enumerate().map(gain).collect();
        let is_worse = gains.iter().flatten().any(|gain| *gain < 0.0);
        let is_better = gains.iter().flatten().any(|gain| *gain > 0.0);
        found.worse += u64::from(is_worse);
        found.better += u64::from(is_better);
        let is_shown = match show {
            Show::All => true,
            Show::Worse => is_worse,
            Show::Better => is_better,
            Show::Changed => is_worse || is_better,
            Show::Failed => row.iter().any(|item| item.is_none_or(|item| item.is_error)),
        };
        if is_shown {
            found.rows.push(Row { id: &base.item_id, gains });
        }
    }
    let least = |row: &Row| row.gains.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let greatest = |row: &Row| row.gains.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    match show {
        // Who looks at what became better wants the largest gains.
        Show::Better => found.rows.sort_by(|a, b| greatest(b).total_cmp(&greatest(a))),
        _ => found.rows.sort_by(|a, b| least(a).total_cmp(&least(b))),
    }
    found
}
