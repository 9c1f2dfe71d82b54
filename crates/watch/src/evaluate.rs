//! Asks the store what monitors want to know, and reads the answers as series of points.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use signalbox_types::query::{BUCKET, Function, MAX_LIMIT, Measure, Order};
use signalbox_types::seam::{EventStore, StoreError};
use signalbox_types::time::{TimeBound, TimeRange};
use signalbox_types::{Answer, ProjectId, Query, Timestamp};

use crate::config::{Length, MonitorConfig};
use crate::kinds::{Nature, Point};
use crate::state::Labels;

/// The measure that we add to each query: how many rows there were.
const SAMPLES: &str = "signalbox_samples";
/// An answer that nobody has asked for again for so long goes.
const KEPT: Duration = Duration::from_secs(600);
const MOST_KEPT: usize = 4_096;
/// Buckets of history asked for at once.
const BUCKETS_AT_ONCE: u64 = 2_000;

/// What a monitor asks.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    query: Query,
    of: String,
    over: Option<String>,
    none_is_zero: bool,
    max_series: u32,
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) labels: Labels,
    pub(crate) bucket: Option<Timestamp>,
    pub(crate) point: Option<Point>,
}

impl Plan {
    /// `None` for what asks nothing.
    pub(crate) fn of(monitor: &MonitorConfig) -> Option<Self> {
        let (of, over) = monitor.watched()?;
        let (of, over) = (of.name(), over.map(Measure::name));
        let mut query = monitor.query.clone()?;
        query.measures.retain(|measure| measure.name() == of || Some(measure.name()) == over);
        query.measures.push(Measure::of(Function::Count, None).named(SAMPLES));
        Some(Self { query, of, over, none_is_zero: monitor.none_is_zero(), max_series: monitor.max_series })
    }

    /// Whether it has a series for each of several groups.
    pub(crate) fn is_grouped(&self) -> bool {
        !self.query.group_by.is_empty()
    }

    /// Whether there may be more series than so many.
    pub(crate) fn is_full(&self, series: usize) -> bool {
        self.is_grouped() && series >= usize::try_from(self.max_series).unwrap_or(usize::MAX)
    }

    /// What a series without rows came to.
    pub(crate) fn nothing(&self) -> Option<Point> {
        self.none_is_zero.then(Point::default)
    }

    /// One window of every series; those with the most rows, if there are too many.
    fn window(&self, from: Timestamp, to: Timestamp) -> Query {
        let mut query = Query { time: between(from, to), ..self.query.clone() };
        if self.is_grouped() {
            query.order = vec![Order { by: SAMPLES.to_owned(), desc: true }];
            query.limit = Some(self.max_series);
        }
        query
    }

    fn history(&self, from: Timestamp, to: Timestamp, bucket: Length) -> Query {
        let bucket = Some(format!("{}s", bucket.as_secs()));
        Query { time: between(from, to), bucket, limit: Some(MAX_LIMIT), ..self.query.clone() }
    }

    fn rows(&self, answer: &Answer) -> Vec<Row> {
        let column = |name: &str| answer.position(name);
        let (of, samples) = (column(&self.of), column(SAMPLES));
        let over = self.over.as_deref().map(column);
        let groups: Vec<(&String, Option<usize>)> =
            self.query.group_by.iter().map(|name| (name, column(name))).collect();
        let bucket = column(BUCKET);
        let number = |row: &[Value], place: Option<usize>| row.get(place?)?.as_f64();
        let read = |row: &Vec<Value>| {
            let labels = groups.iter().map(|(name, place)| {
                let value = place.and_then(|place| row.get(place));
                ((*name).clone(), value.map(text_of).unwrap_or_default())
            });
            let samples = number(row, samples).unwrap_or_default();
            let of = number(row, of);
            let point = match over {
                None => of.or_else(|| self.none_is_zero.then_some(0.0)).map(|of| Point {
                    value: of,
                    of,
                    over: None,
                    samples,
                }),
                Some(over) => number(row, over).filter(|over| *over != 0.0).map(|over| {
                    let of = of.unwrap_or_default();
                    Point { value: of / over, of, over: Some(over), samples }
                }),
            };
            let bucket = bucket.and_then(|place| row.get(place)?.as_str()?.parse().ok());
            Row { labels: labels.collect(), bucket, point }
        };
        answer.rows.iter().map(read).collect()
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(crate) fn between(from: Timestamp, to: Timestamp) -> TimeRange {
    TimeRange { from: TimeBound::At(from), to: TimeBound::At(to) }
}

/// Asks the store; the same question is asked once, however many monitors have it.
#[derive(Debug)]
pub(crate) struct Asker {
    store: Arc<dyn EventStore>,
    kept: Mutex<HashMap<(ProjectId, String), Kept>>,
}

#[derive(Debug)]
struct Kept {
    answer: Arc<Answer>,
    used: Timestamp,
}

/// A series of history: its buckets by their beginning.
pub(crate) type History = BTreeMap<Labels, BTreeMap<Timestamp, Point>>;

impl Asker {
    pub(crate) fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store, kept: Mutex::default() }
    }

    /// Whom it asks.
    pub(crate) fn store(&self) -> &dyn EventStore {
        &*self.store
    }

    /// One window of every series of a monitor.
    pub(crate) async fn window(
        &self,
        project: &ProjectId,
        plan: &Plan,
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Vec<Row>, StoreError> {
        let query = plan.window(from, to);
        let key = (project.clone(), serde_json::to_string(&query).unwrap_or_default());
        let known = self.kept.lock().get_mut(&key).map(|kept| {
            kept.used = now;
            Arc::clone(&kept.answer)
        });
        let answer = match known {
            Some(answer) => answer,
            None => {
                let answer = Arc::new(self.store.query(project, &query).await?);
                self.kept.lock().insert(key, Kept { answer: Arc::clone(&answer), used: now });
                answer
            }
        };
        Ok(plan.rows(&answer))
    }

    /// Asks what nobody else will ask.
    pub(crate) async fn ask(&self, project: &ProjectId, query: &Query) -> Result<Answer, StoreError> {
        self.store.query(project, query).await
    }

    /// Forgets answers that nobody asks for any more.
    pub(crate) fn forget(&self, now: Timestamp) {
        let mut kept = self.kept.lock();
        kept.retain(|_, one| now.since(one.used) < KEPT);
        if kept.len() > MOST_KEPT {
            kept.clear();
        }
    }

    /// The buckets of every series, from the first to before the last moment.
    pub(crate) async fn history(
        &self,
        project: &ProjectId,
        plan: &Plan,
        (from, to): (Timestamp, Timestamp),
        bucket: Length,
    ) -> Result<History, StoreError> {
        let mut history = History::new();
        let at_once = if plan.is_grouped() { BUCKETS_AT_ONCE / 10 } else { BUCKETS_AT_ONCE };
        let mut begin = from;
        let mut buckets = at_once;
        while begin < to {
            let width = bucket.0.saturating_mul(u32::try_from(buckets).unwrap_or(u32::MAX));
            let end = begin.plus(width).min(to);
            let answer = self.store.query(project, &plan.history(begin, end, bucket)).await?;
            if answer.rows.len() >= MAX_LIMIT as usize && buckets > 1 {
                // More groups than were thought: less time at once.
                buckets = (buckets / 4).max(1);
                continue;
            }
            for row in plan.rows(&answer) {
                if let (Some(at), Some(point)) = (row.bucket, row.point) {
                    history.entry(row.labels).or_default().insert(at, point);
                }
            }
            begin = end;
        }
        Ok(history)
    }
}

/// How its values scatter.
pub(crate) fn nature(monitor: &MonitorConfig, points: impl Iterator<Item = Point>) -> Nature {
    let counts = |measure: &Measure| matches!(measure.function, Function::Count | Function::Unique);
    match monitor.watched() {
        Some((of, Some(over))) if counts(of) && counts(over) && points.into_iter().all(|point| point.value <= 1.0) => {
            Nature::Share
        }
        Some((of, None)) if counts(of) => Nature::Count,
        _ => Nature::Amount,
    }
}

/// The moment before that lies on a multiple of so many seconds.
pub(crate) fn aligned(at: Timestamp, seconds: u64) -> Timestamp {
    let step = i64::try_from(seconds.max(1)).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    Timestamp::from_micros(at.as_micros().div_euclid(step).saturating_mul(step))
}

/// The ends of long windows move in steps, so that one answer serves many evaluations: a sixtieth of the window.
pub(crate) fn window_of(end: Timestamp, ago: Duration, width: Duration) -> (Timestamp, Timestamp) {
    let end = end.minus(ago);
    let end = if width >= Duration::from_secs(7_200) { aligned(end, width.as_secs() / 60) } else { end };
    (end.minus(width), end)
}
