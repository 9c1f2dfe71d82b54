//! What a monitor would have said of history: the same functions and the same states, window by window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use signalbox_types::seam::StoreError;
use signalbox_types::{ProjectId, Timestamp};

use crate::config::{Baseline, Condition, Length, MonitorConfig};
use crate::edit::EditError;
use crate::evaluate::{History, Plan, aligned, nature};
use crate::kinds::{self, Beside, Evidence, Model, Need, Outcome, Point, needs};
use crate::state::{Labels, Phase, SeriesState, Turn};
use crate::tick::observations;
use crate::watch::Watch;

/// Windows of a series at most.
const MOST_WINDOWS: u64 = 50_000;
/// Points of a series that are told, at most.
const MOST_POINTS: usize = 1_000;
/// Around an incident at least so much is shown before it, and as many windows.
const LEAST_BEFORE: Duration = Duration::from_secs(3_600);
const WINDOWS_BEFORE: u32 = 30;
/// After it, so many windows.
const WINDOWS_AFTER: u32 = 10;
/// Of one that goes on for longer, its beginning is shown.
const MOST_AROUND: Duration = Duration::from_secs(7 * 86_400);

/// What it would have said.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Backtest {
    /// The beginning of history that was looked at.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// How often it would have fired, all series together.
    pub firings: usize,
    /// Each series.
    pub series: Vec<TestedSeries>,
}

/// A series of it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TestedSeries {
    /// Which one.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// When it would have fired.
    pub firings: Vec<Firing>,
    /// Its windows, thinned out to a thousand.
    pub points: Vec<TestedPoint>,
}

/// A time during which it would have fired.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Firing {
    /// From when.
    pub from: Timestamp,
    /// Until when; absent if it fires at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    pub text: String,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TestedPoint {
    /// Its end.
    pub at: Timestamp,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What was usual, or the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// It would have fired.
    pub firing: bool,
}

impl Watch {
    /// Runs a monitor over the last days. A baseline is learned from all the history there is, as it would be now.
    ///
    /// # Errors
    /// The store can't answer, or the monitor looks at other monitors.
    pub async fn backtest(
        &self,
        project: &ProjectId,
        monitor: &MonitorConfig,
        lasts: Length,
    ) -> Result<Backtest, StoreError> {
        self.backtest_until(project, monitor, lasts, self.clock.now()).await
    }

    /// The values of an incident's series around it, with the band or the limit, by its monitor as it is now.
    ///
    /// # Errors
    /// There is no such incident, or none of the monitors of this Signalbox has found it.
    pub async fn around(&self, project: &ProjectId, id: &str) -> Result<Result<Backtest, StoreError>, EditError> {
        let incident = self.incident(project, id)?;
        let monitor = {
            let inner = self.inner.lock();
            let monitor = inner.monitors.get(&(project.clone(), incident.monitor.clone()));
            monitor.map(|monitor| Arc::clone(&monitor.config))
        };
        let Some(monitor) = monitor else { return Err(EditError::Unknown("monitor", incident.monitor)) };
        let (now, window) = (self.clock.now(), bucket(&monitor).0);
        let end = incident.resolved_at.unwrap_or(now).min(incident.opened_at.plus(MOST_AROUND));
        let after = (window * WINDOWS_AFTER).saturating_add(monitor.delay.0);
        let end = end.plus(after).min(now);
        let lasted = end.since(incident.opened_at);
        let before = LEAST_BEFORE.max(window * WINDOWS_BEFORE).max(lasted / 2);
        let lasts = Length(lasted.saturating_add(before));
        let tested = self.backtest_until(project, &monitor, lasts, end).await;
        Ok(tested.map(|mut tested| {
            tested.series.retain(|one| incident.series.iter().any(|own| own.labels == one.labels));
            tested.firings = tested.series.iter().map(|one| one.firings.len()).sum();
            tested
        }))
    }

    async fn backtest_until(
        &self,
        project: &ProjectId,
        monitor: &MonitorConfig,
        lasts: Length,
        end: Timestamp,
    ) -> Result<Backtest, StoreError> {
        let Some(plan) = Plan::of(monitor) else {
            let problem = "a `composite` looks at other monitors, whose past isn't kept; test those".to_owned();
            return Err(StoreError::Limit(problem));
        };
        let bucket = bucket(monitor);
        let windows = lasts.as_secs() / bucket.as_secs().max(1);
        if windows == 0 || windows > MOST_WINDOWS {
            let problem = format!("{lasts} are {windows} windows of {bucket}; expected 1 to {MOST_WINDOWS}");
            return Err(StoreError::Limit(problem));
        }
        let to = aligned(end.minus(monitor.delay.0), bucket.as_secs());
        let from = to.minus(bucket.0.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX)));
        let before = match &monitor.condition {
            Condition::Baseline(baseline) => baseline.history.0.saturating_sub(to.since(from)),
            _ => needs(monitor).iter().map(|need| need.ago.saturating_add(need.width)).max().unwrap_or_default(),
        };
        let begin = aligned(from.minus(before), bucket.as_secs());
        let mut history = self.asker.history(project, &plan, (begin, to), bucket).await?;
        if !plan.is_grouped() {
            history.entry(Labels::new()).or_default();
        }
        let longer = match &monitor.condition {
            Condition::Baseline(Baseline { longer: Some(width), .. }) => {
                let begin = aligned(begin, width.as_secs());
                Some((*width, self.asker.history(project, &plan, (begin, to), *width).await?))
            }
            _ => None,
        };
        let bad = self.bad_times(project, &monitor.name, to);
        let run = Run { monitor, plan: &plan, bucket, longer, from, to, bad };
        Ok(run.all(history))
    }
}

/// What windows are made of: windows of an objective are added up from its shortest.
fn bucket(monitor: &MonitorConfig) -> Length {
    match &monitor.condition {
        Condition::BurnRate(burn) => burn.windows.iter().map(|window| window.short).min().unwrap_or(monitor.window),
        _ => monitor.window,
    }
}

struct Run<'a> {
    monitor: &'a MonitorConfig,
    plan: &'a Plan,
    bucket: Length,
    /// The longer windows of a baseline, which can't be added up from others.
    longer: Option<(Length, History)>,
    from: Timestamp,
    to: Timestamp,
    bad: Vec<(Timestamp, Timestamp)>,
}

impl Run<'_> {
    fn all(&self, history: History) -> Backtest {
        let mut series: Vec<TestedSeries> =
            history.into_iter().map(|(labels, buckets)| self.one(labels, &buckets)).collect();
        series.sort_by_key(|one| std::cmp::Reverse(one.firings.len()));
        series.truncate(usize::try_from(self.monitor.max_series).unwrap_or(usize::MAX));
        let firings = series.iter().map(|one| one.firings.len()).sum();
        Backtest { from: self.from, to: self.to, firings, series }
    }

    fn one(&self, labels: Labels, buckets: &BTreeMap<Timestamp, Point>) -> TestedSeries {
        let monitor = self.monitor;
        let longer = self.longer.as_ref().and_then(|(width, history)| Some((*width, history.get(&labels)?)));
        let is_learned = matches!(monitor.condition, Condition::Baseline(_));
        let model = if is_learned { self.learn(buckets, self.bucket) } else { None };
        let model_of_longer = longer.and_then(|(width, buckets)| self.learn(buckets, width));
        let mut evidence = Evidence::default();
        let mut state = SeriesState::new(labels.clone(), self.from);
        let (mut firings, mut points) = (Vec::<Firing>::new(), Vec::new());
        let needs = needs(monitor);
        let mut end = self.from.plus(self.bucket.0);
        // A series begins with its first data; before that it didn't exist.
        let first = buckets.first_key_value().map_or(self.from, |(first, _)| *first);
        while end <= self.to {
            if end <= first && self.plan.is_grouped() {
                end = end.plus(self.bucket.0);
                continue;
            }
            // Of the longer windows the last whole one.
            let end_of_longer = longer.map_or(end, |(width, _)| aligned(end, width.as_secs()));
            let window = |need: &Need| match longer.filter(|(width, _)| width.0 == need.width) {
                Some((width, buckets)) => {
                    buckets.get(&end_of_longer.minus(width.0)).copied().or_else(|| self.plan.nothing())
                }
                None => self.window(buckets, end, need),
            };
            let windows: Vec<Option<Point>> = needs.iter().map(window).collect();
            let beside = Beside {
                end,
                model: model.as_ref(),
                longer: model_of_longer.as_ref().map(|model| (model, end_of_longer)),
                recovered_at: state.recovered_at,
                evidence: Some(&mut evidence),
            };
            let judgement = kinds::judge(monitor, &windows, beside);
            match state.step(monitor, &judgement, end) {
                Some(Turn::Fired) => firings.push(Firing { from: end, until: None, text: judgement.text.clone() }),
                Some(Turn::Recovered) => {
                    if let Some(last) = firings.last_mut() {
                        last.until = Some(end);
                    }
                }
                Some(Turn::Worsened | Turn::Goes) | None => {}
            }
            let (low, high) = match judgement.band {
                Some(band) => (Some(band.low), Some(band.high)),
                None => (None, judgement.limit),
            };
            let value = judgement.value.filter(|_| judgement.outcome != Outcome::NoData);
            let firing = matches!(state.phase, Phase::Firing | Phase::Recovering);
            points.push(TestedPoint { at: end, value, low, high, firing });
            end = end.plus(self.bucket.0);
        }
        TestedSeries { labels, firings, points: thinned(points) }
    }

    fn learn(&self, buckets: &BTreeMap<Timestamp, Point>, width: Length) -> Option<Model> {
        let known = observations(self.monitor, buckets, width, self.to, self.plan.nothing(), &self.bad);
        Model::learn(&known, nature(self.monitor, known.iter().map(|one| one.point)), width.0)
    }

    /// A window, added up from buckets where it is wider than one.
    fn window(&self, buckets: &BTreeMap<Timestamp, Point>, end: Timestamp, need: &Need) -> Option<Point> {
        let end = end.minus(need.ago);
        if need.width <= self.bucket.0 {
            return buckets.get(&end.minus(self.bucket.0)).copied().or_else(|| self.plan.nothing());
        }
        sum(buckets, end, need.width)
    }
}

fn sum(buckets: &BTreeMap<Timestamp, Point>, end: Timestamp, width: Duration) -> Option<Point> {
    let within = buckets.range(end.minus(width)..end);
    let sum = within.fold(None::<Point>, |sum, (_, point)| {
        let sum = sum.unwrap_or_default();
        let over = Some(sum.over.unwrap_or_default() + point.over?);
        Some(Point { value: 0.0, of: sum.of + point.of, over, samples: sum.samples + point.samples })
    })?;
    let over = sum.over.filter(|over| *over > 0.0)?;
    Some(Point { value: sum.of / over, ..sum })
}

/// At most so many, those that would have fired first.
fn thinned(points: Vec<TestedPoint>) -> Vec<TestedPoint> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    points
        .into_iter()
        .enumerate()
        .filter(|(i, point)| i % step == 0 || point.firing)
        .map(|(_, point)| point)
        .take(MOST_POINTS * 2)
        .collect()
}
