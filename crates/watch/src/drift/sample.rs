//! Draws rows from a window: never more than were asked for, and from all over it rather than from its newest end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use signalbox_types::query::{BUCKET, Filter, Function, MAX_LIMIT, Measure, Operator};
use signalbox_types::seam::{EventStore, StoreError};
use signalbox_types::time::{TimeBound, TimeRange};
use signalbox_types::{ProjectId, Query, Timestamp};

use super::concept::CLUSTERS;
use super::config::{DriftConfig, Season};
use super::signal::{Cells, Place, Signal};
use crate::evaluate::aligned;

/// The windows of a side are cut into about so many slices, each of which gives as many rows as its share of all.
const SLICES: u64 = 48;
/// Windows of a reference at most: the latest.
const MOST_PARTS: usize = 26;
/// Rows of retrievers at most: each holds documents.
const MOST_RETRIEVALS: u64 = 500;
/// Traces of scores that are looked up at once.
const TRACES_AT_ONCE: usize = 200;
/// A score may come so long after its span.
const JUDGED_LATE: Duration = Duration::from_secs(86_400);
/// The current window ends so long before now, for data that comes late.
const DELAY: Duration = Duration::from_secs(60);
/// Columns of every draw of spans, beside what signals read.
const ALWAYS: [&str; 4] = ["trace_id", "span_id", "session_id", "status"];

/// From when to when.
pub(crate) type Part = (Timestamp, Timestamp);

impl Season {
    /// After how long it begins again.
    pub(crate) fn period(self) -> Option<crate::config::Length> {
        match self {
            Self::Week => Some(crate::config::Length::days(7)),
            Self::Day => Some(crate::config::Length::days(1)),
            Self::None => None,
        }
    }
}

impl DriftConfig {
    /// The window that is looked at.
    pub(crate) fn window(&self, now: Timestamp) -> Part {
        let end = aligned(now.minus(DELAY), 60);
        (end.minus(self.current.0), end)
    }

    /// What a window that ends then is compared with, the latest first.
    pub(crate) fn parts(&self, end: Timestamp) -> Vec<Part> {
        if let (Some(from), Some(to)) = (self.reference.from, self.reference.to) {
            return vec![(from, to)];
        }
        let last = end.minus(self.reference.ago.0);
        let first = last.minus(self.reference.width.0);
        let Some(period) = self.season.period() else { return vec![(first, last)] };
        // Parts don't overlap, whatever the window's width.
        let periods = self.current.0.as_secs().div_ceil(period.as_secs()).max(1);
        let step = period.0.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
        let mut parts = Vec::new();
        let mut to = end.minus(step);
        while to.minus(self.current.0) >= first && parts.len() < MOST_PARTS {
            if to <= last {
                parts.push((to.minus(self.current.0), to));
            }
            to = to.minus(step);
        }
        parts
    }
}

/// Rows, and how many there were to draw from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drawn {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
    pub(crate) total: u64,
}

impl Drawn {
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cells<'_>> {
        self.rows.iter().map(|row| Cells { columns: &self.columns, row })
    }
}

/// Everything that a comparison needs of one side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    pub(crate) parts: Vec<Part>,
    pub(crate) calls: Drawn,
    pub(crate) tools: Drawn,
    pub(crate) retrievals: Drawn,
    /// By name; each row is that of the judged span with `score.value`, `score.label` and `score.passed`.
    pub(crate) scores: BTreeMap<String, Drawn>,
}

/// Draws one side of a comparison.
pub(crate) async fn side(
    store: &dyn EventStore,
    project: &ProjectId,
    check: &DriftConfig,
    parts: Vec<Part>,
) -> Result<Side, StoreError> {
    let signals: Vec<Signal> = if check.signals.is_empty() { Signal::ALL.to_vec() } else { check.signals.clone() };
    let sample = u64::from(check.sample);
    let population = |place: Place| {
        let mut columns: BTreeSet<&str> = ALWAYS.into();
        let own: Vec<&Signal> = signals.iter().filter(|signal| signal.place() == place).collect();
        columns.extend(own.iter().flat_map(|signal| signal.columns()));
        columns.extend(check.segment_by.as_deref());
        (!own.is_empty() || place == Place::Calls).then(|| columns.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let mut side = Side { parts, ..Side::default() };
    for (place, kind, most) in [
        (Place::Calls, None, sample),
        (Place::Tools, Some("tool"), sample),
        (Place::Retrievals, Some("retriever"), sample.min(MOST_RETRIEVALS)),
    ] {
        let Some(select) = population(place) else { continue };
        let filter = match kind {
            None => check.calls(),
            Some(kind) => of_kind(check.calls(), kind),
        };
        let query = Query { filter: Some(filter), select, ..Query::default() };
        let drawn = draw(store, project, &query, &side.parts, most).await?;
        match place {
            Place::Calls => side.calls = drawn,
            Place::Tools => side.tools = drawn,
            Place::Retrievals => side.retrievals = drawn,
        }
    }
    let names: BTreeSet<&String> = check.scores.iter().chain(check.concept.iter().map(|one| &one.score)).collect();
    for name in names {
        let drawn = judged(store, project, check, name, &side.parts).await?;
        side.scores.insert(name.clone(), drawn);
    }
    Ok(side)
}

/// The same rows, but of another kind: what a filter says of `kind` is left out where all of it must hold.
fn of_kind(filter: Filter, kind: &str) -> Filter {
    fn without(filter: Filter) -> Option<Filter> {
        match filter {
            Filter::Compare(one) if one.field == "kind" => None,
            Filter::All(all) => Some(Filter::All(all.into_iter().filter_map(without).collect())),
            other => Some(other),
        }
    }
    let own = Filter::equals("kind", kind);
    Filter::All(without(filter).into_iter().chain([own]).collect())
}

/// Draws rows of a query from windows: a count by slices first, then from each slice the newest so many, by its share of all. Rows that
/// stand together are thus drawn only within a slice, a fiftieth of the window.
async fn draw(
    store: &dyn EventStore,
    project: &ProjectId,
    query: &Query,
    parts: &[Part],
    most: u64,
) -> Result<Drawn, StoreError> {
    let each = (SLICES / u64::try_from(parts.len().max(1)).unwrap_or(SLICES)).max(4);
    let mut slices: Vec<(Part, u64)> = Vec::new();
    for (from, to) in parts {
        let width = (to.since(*from).as_secs() / each).max(1);
        let count = Query {
            select: Vec::new(),
            measures: vec![Measure::of(Function::Count, None)],
            bucket: Some(format!("{width}s")),
            time: between(*from, *to),
            limit: Some(MAX_LIMIT),
            ..query.clone()
        };
        let answer = store.query(project, &count).await?;
        let (bucket, number) = (answer.position(BUCKET), answer.position("count"));
        for row in &answer.rows {
            let begin: Option<Timestamp> = bucket.and_then(|place| row.get(place)?.as_str()?.parse().ok());
            let rows = number.and_then(|place| row.get(place)?.as_u64()).unwrap_or_default();
            if let Some(begin) = begin.filter(|_| rows > 0) {
                let end = begin.plus(Duration::from_secs(width));
                slices.push(((begin.max(*from), end.min(*to)), rows));
            }
        }
    }
    let total: u64 = slices.iter().map(|(_, rows)| rows).sum();
    let wanted: Vec<(Part, u64)> = if total <= most.min(u64::from(MAX_LIMIT)) {
        parts.iter().map(|part| (*part, total)).filter(|(_, rows)| *rows > 0).collect()
    } else {
        // Rounded so that all together are as many as were asked for.
        let mut before = 0_u64;
        let mut share = |rows: u64| {
            let upto = |rows: u64| rows.saturating_mul(most) / total;
            let taken = upto(before);
            before += rows;
            upto(before) - taken
        };
        slices.into_iter().map(|(part, rows)| (part, share(rows))).filter(|(_, rows)| *rows > 0).collect()
    };
    let mut drawn = Drawn { total, ..Drawn::default() };
    for ((from, to), rows) in wanted {
        let limit = Some(u32::try_from(rows).unwrap_or(MAX_LIMIT).min(MAX_LIMIT));
        let answer = store.query(project, &Query { time: between(from, to), limit, ..query.clone() }).await?;
        drawn.columns = answer.columns.into_iter().map(|column| column.name).collect();
        drawn.rows.extend(answer.rows);
    }
    Ok(drawn)
}

/// Draws scores of a name, with the spans that they judge: the span itself if the check's filter holds for it, or else one of its trace
/// for which it does. Scores of others are left out.
async fn judged(
    store: &dyn EventStore,
    project: &ProjectId,
    check: &DriftConfig,
    name: &str,
    parts: &[Part],
) -> Result<Drawn, StoreError> {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let query = Query {
        table: "scores".to_owned(),
        filter: Some(Filter::equals("name", name)),
        select: texts(&["trace_id", "span_id", "value", "label", "passed"]),
        ..Query::default()
    };
    let scores = draw(store, project, &query, parts, u64::from(check.sample)).await?;
    let mut columns = texts(&["trace_id", "span_id", "session_id", "input_preview"]);
    let by = check.concept.as_ref().map(|one| &one.by).filter(|by| *by != CLUSTERS);
    columns.extend(check.segment_by.iter().chain(by).cloned());
    columns.sort();
    columns.dedup();
    let traces: BTreeSet<&str> = scores.cells().filter_map(|cells| cells.text("trace_id")).collect();
    let traces: Vec<&str> = traces.into_iter().collect();
    let (Some(from), Some(to)) = (parts.iter().map(|part| part.0).min(), parts.iter().map(|part| part.1).max()) else {
        return Ok(Drawn::default());
    };
    let mut spans: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
    for some in traces.chunks(TRACES_AT_ONCE) {
        let of_these = Filter::compare("trace_id", Operator::In, some.to_vec());
        let query = Query {
            filter: Some(Filter::All(vec![check.calls(), of_these])),
            select: columns.clone(),
            time: between(from.minus(JUDGED_LATE), to),
            limit: Some(MAX_LIMIT),
            ..Query::default()
        };
        let answer = store.query(project, &query).await?;
        columns = answer.columns.into_iter().map(|column| column.name).collect();
        for row in answer.rows {
            let trace = Cells { columns: &columns, row: &row }.text("trace_id").map(str::to_owned);
            spans.entry(trace.unwrap_or_default()).or_default().push(row);
        }
    }
    let mut rows = Vec::with_capacity(scores.rows.len());
    for score in scores.cells() {
        let Some(own) = score.text("trace_id").and_then(|trace| spans.get(trace)) else { continue };
        let id = |row: &[Value]| Cells { columns: &columns, row }.text("span_id").map(str::to_owned);
        let judged = own.iter().find(|row| id(row).as_deref() == score.text("span_id")).or_else(|| own.first());
        let said = ["value", "label", "passed"].map(|name| score.get(name).cloned().unwrap_or(Value::Null));
        rows.extend(judged.map(|row| row.iter().cloned().chain(said).collect()));
    }
    columns.extend(texts(&["score.value", "score.label", "score.passed"]));
    Ok(Drawn { columns, rows, total: scores.total })
}

fn between(from: Timestamp, to: Timestamp) -> TimeRange {
    TimeRange { from: TimeBound::At(from), to: TimeBound::At(to) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parts(more: serde_json::Value) -> Vec<String> {
        let mut check = json!({"name": "d"});
        check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let check = DriftConfig::read(&check).unwrap();
        let end: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        let day = |at: Timestamp| at.to_string().chars().skip(5).take(8).collect::<String>();
        check.parts(end).into_iter().map(|(from, to)| format!("{}-{}", day(from), day(to))).collect()
    }

    #[test]
    fn a_day_is_compared_with_days_like_it() {
        assert_eq!(parts(json!({})), ["03-23T12-03-24T12"]);
        let month = json!({"reference": {"ago": "7d", "width": "28d"}});
        assert_eq!(parts(month), ["03-23T12-03-24T12", "03-16T12-03-17T12", "03-09T12-03-10T12", "03-02T12-03-03T12"]);
        let days = json!({"season": "day", "current": "12h", "reference": {"ago": "1d", "width": "2d"}});
        assert_eq!(parts(days), ["03-30T00-03-30T12", "03-29T00-03-29T12"]);
        let all = json!({"season": "none", "reference": {"ago": "1d", "width": "2d"}});
        assert_eq!(parts(all), ["03-28T12-03-30T12"]);
        let weeks = json!({"current": "8d", "reference": {"ago": "14d", "width": "28d"}});
        assert_eq!(parts(weeks), ["03-09T12-03-17T12", "02-23T12-03-03T12"]);
    }

    #[test]
    fn what_tools_did_is_asked_with_the_rest_of_the_filter() {
        let filter: Filter = serde_json::from_value(json!({"all": [
            {"field": "kind", "op": "=", "value": "llm"}, {"field": "environment", "op": "=", "value": "live"},
        ]}))
        .unwrap();
        let expected = json!({"all": [
            {"all": [{"field": "environment", "op": "=", "value": "live"}]}, {"field": "kind", "op": "=", "value": "tool"},
        ]});
        assert_eq!(serde_json::to_value(of_kind(filter, "tool")).unwrap(), expected);
        let only = serde_json::to_value(of_kind(Filter::equals("kind", "llm"), "tool")).unwrap();
        assert_eq!(only, json!({"all": [{"field": "kind", "op": "=", "value": "tool"}]}));
    }
}
