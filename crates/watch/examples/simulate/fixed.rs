//! Fixed limits as somebody sets them who has looked at two weeks of graphs: half as much again as the highest of a thousand windows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_types::query::{Filter, MAX_LIMIT, Order};
use signalbox_types::seam::EventStore;
use signalbox_types::time::{TimeBound, TimeRange};
use signalbox_types::{ProjectId, Query, Timestamp};
use signalbox_watch::{Condition, MonitorConfig, Side};

use crate::traffic::WARM_UP_DAYS;

const DAY: Duration = Duration::from_secs(86_400);
const FACTOR: f64 = 1.5;
const QUANTILE: f64 = 0.999;

/// Each monitor with a baseline, with a fixed limit for each of its series in its place; the others as they are.
pub(crate) async fn thresholds(
    store: &dyn EventStore,
    monitors: &[Arc<MonitorConfig>],
    began: Timestamp,
) -> Vec<Value> {
    let mut all = Vec::new();
    for monitor in monitors {
        let monitor = monitor.as_ref();
        let Condition::Baseline(baseline) = &monitor.condition else {
            all.push(json!({"notify": ["pager"], "name": format!("fixed.{}", short(&monitor.name))}));
            merge(&mut all, monitor);
            continue;
        };
        for (place, (series, mut values)) in windows(store, monitor, began).await.into_iter().enumerate() {
            values.sort_by(f64::total_cmp);
            let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
            let threshold = match baseline.side {
                Side::Lower => json!({"below": at(1.0 - QUANTILE) / FACTOR}),
                Side::Upper | Side::Both => json!({"above": at(QUANTILE) * FACTOR}),
            };
            let query = only(monitor.query.clone().unwrap_or_else(|| unreachable!("a baseline asks")), &series);
            all.push(json!({
                "name": format!("fixed.{}.{place}", short(&monitor.name)),
                "condition": {"threshold": threshold},
                "query": query,
                "notify": ["pager"],
            }));
            merge(&mut all, monitor);
        }
    }
    all
}

fn short(name: &str) -> &str {
    name.strip_prefix("starter.").unwrap_or(name)
}

/// What the last one doesn't say itself is as in the monitor.
fn merge(all: &mut [Value], monitor: &MonitorConfig) {
    let Some(Value::Object(last)) = all.last_mut() else { return };
    let Ok(Value::Object(own)) = serde_json::to_value(monitor) else { return };
    for (field, value) in own {
        last.entry(field).or_insert(value);
    }
}

/// The query of one series; it stays grouped, so that incidents say which it is.
fn only(mut query: Query, series: &[(String, Value)]) -> Query {
    let mut filters: Vec<Filter> = query.filter.take().into_iter().collect();
    for (field, value) in series {
        let one = json!({"field": field, "op": "=", "value": value});
        filters.extend(serde_json::from_value::<Filter>(one));
    }
    query.filter = (!filters.is_empty()).then_some(Filter::All(filters));
    query
}

/// Which one, and what its windows came to.
type Series = (Vec<(String, Value)>, Vec<f64>);

/// What the windows of the first weeks came to, by series.
async fn windows(store: &dyn EventStore, monitor: &MonitorConfig, began: Timestamp) -> Vec<Series> {
    let mut found: BTreeMap<String, Series> = BTreeMap::new();
    let Some((of, over)) = monitor.watched() else { return Vec::new() };
    let (of, over) = (of.name(), over.map(signalbox_types::query::Measure::name));
    for day in 0..WARM_UP_DAYS as u32 {
        let (from, to) = (began.plus(DAY * day), began.plus(DAY * (day + 1)));
        let mut query = monitor.query.clone().unwrap_or_else(|| unreachable!("a baseline asks"));
        query.time = TimeRange { from: TimeBound::At(from), to: TimeBound::At(to) };
        query.bucket = Some(format!("{}s", monitor.window.as_secs()));
        query.limit = Some(MAX_LIMIT);
        query.order = Vec::<Order>::new();
        let Ok(answer) = store.query(&ProjectId::new("default"), &query).await else { continue };
        let number = |row: &[Value], name: &str| answer.position(name).and_then(|place| row[place].as_f64());
        for row in &answer.rows {
            let series: Vec<(String, Value)> = query
                .group_by
                .iter()
                .filter_map(|field| Some((field.clone(), row[answer.position(field)?].clone())))
                .collect();
            let value = match &over {
                None => number(row, &of),
                Some(over) => {
                    number(row, over).filter(|over| *over >= 20.0).and_then(|over| Some(number(row, &of)? / over))
                }
            };
            let (_, values) = found.entry(format!("{series:?}")).or_insert_with(|| (series, Vec::new()));
            values.extend(value);
        }
    }
    found.into_values().filter(|(_, values)| values.len() > 10).collect()
}
