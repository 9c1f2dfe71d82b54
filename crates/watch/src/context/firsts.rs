//! What was seen for the first time: providers, models, versions of prompts and of programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use signalbox_types::query::{BUCKET, Function, Measure, Operator, Order};
use signalbox_types::seam::StoreError;
use signalbox_types::{Answer, Filter, Query, Timestamp};

use super::{Ask, Window};
use crate::evaluate::between;
use crate::marker::{Marker, MarkerKind};
use crate::state::Labels;

/// What wasn't seen in so long before is new.
const HISTORY: Duration = Duration::from_secs(7 * 86_400);
/// Of what there are no sums by minute less is read.
const SHORT_HISTORY: Duration = Duration::from_secs(86_400);
/// More new values of a column at once are no news, but the way it is used.
const MOST: usize = 10;
/// Values of a column in the window that are looked at: the most frequent.
const VALUES: u32 = 100;

/// A column, or two that name something together.
struct Column {
    kind: MarkerKind,
    table: &'static str,
    columns: &'static [&'static str],
    noun: &'static str,
}

const COLUMNS: [Column; 4] = [
    Column { kind: MarkerKind::Provider, table: "span_minutes", columns: &["provider"], noun: "provider" },
    Column { kind: MarkerKind::Model, table: "span_minutes", columns: &["model"], noun: "model" },
    Column {
        kind: MarkerKind::Prompt,
        table: "span_minutes",
        columns: &["prompt_name", "prompt_version"],
        noun: "prompt",
    },
    Column { kind: MarkerKind::Deploy, table: "spans", columns: &["service_name", "release"], noun: "release" },
];

type Names = Vec<String>;

/// What was seen for the first time within a window.
pub(super) async fn seen(ask: Ask<'_>, window: Window) -> Result<Vec<Marker>, StoreError> {
    let mut found = Vec::new();
    for column in &COLUMNS {
        found.extend(column.seen(ask, window).await?);
    }
    Ok(found)
}

impl Column {
    fn query(&self, from: Timestamp, to: Timestamp) -> Query {
        let last = self.columns.last().copied().unwrap_or_default();
        Query {
            table: self.table.to_owned(),
            time: between(from, to),
            filter: Some(Filter::compare(last, Operator::Exists, Value::Null)),
            measures: vec![Measure::of(Function::Count, None).named("rows")],
            ..Query::default()
        }
    }

    async fn seen(&self, ask: Ask<'_>, window: Window) -> Result<Vec<Marker>, StoreError> {
        let group_by: Vec<String> = self.columns.iter().map(|name| (*name).to_owned()).collect();
        let order = vec![Order { by: "rows".to_owned(), desc: true }];
        let recent =
            Query { group_by: group_by.clone(), order, limit: Some(VALUES), ..self.query(window.from, window.to) };
        let recent = self.names(&ask.query(&recent).await?);
        let history = if self.table == "spans" { SHORT_HISTORY } else { HISTORY };
        let before = self.query(window.from.minus(history), window.from);
        if recent.is_empty() || rows(&ask.query(&before).await?) == 0.0 {
            // Nothing was seen before: everything is new, and nothing is news.
            return Ok(Vec::new());
        }
        let known =
            Query { group_by: group_by.clone(), limit: Some(1_000), filter: any(self.columns, &recent), ..before };
        let known = self.names(&ask.query(&known).await?);
        let new: Vec<Names> = recent.into_iter().filter(|names| !known.contains(names)).collect();
        if new.is_empty() || new.len() > MOST {
            return Ok(Vec::new());
        }
        let when = Query {
            group_by,
            bucket: Some("1m".to_owned()),
            filter: any(self.columns, &new),
            limit: Some(10_000),
            ..self.query(window.from, window.to)
        };
        let answer = ask.query(&when).await?;
        let mut first: BTreeMap<Names, Timestamp> = BTreeMap::new();
        let bucket = answer.position(BUCKET);
        for (names, row) in self.names(&answer).into_iter().zip(&answer.rows) {
            let at = bucket.and_then(|place| row.get(place)?.as_str()?.parse::<Timestamp>().ok());
            if let Some(at) = at.filter(|at| first.get(&names).is_none_or(|known| at < known)) {
                first.insert(names, at);
            }
        }
        Ok(first
            .into_iter()
            .filter(|(names, _)| new.contains(names))
            .map(|(names, at)| self.marker(names, at))
            .collect())
    }

    fn names(&self, answer: &Answer) -> Vec<Names> {
        let places: Vec<Option<usize>> = self.columns.iter().map(|name| answer.position(name)).collect();
        let text = |row: &Vec<Value>, place: &Option<usize>| {
            let value = place.and_then(|place| row.get(place)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        answer.rows.iter().map(|row| places.iter().map(|place| text(row, place)).collect()).collect()
    }

    fn marker(&self, names: Names, at: Timestamp) -> Marker {
        let name = names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        let shown: String = name.chars().take(120).collect();
        let labels: Labels = self.columns.iter().map(|name| (*name).to_owned()).zip(names).collect();
        Marker {
            id: format!("seen-{}-{shown}", self.noun),
            at,
            kind: self.kind,
            title: format!("{} `{shown}` seen for the first time", self.noun),
            labels,
            url: None,
            by: None,
        }
    }
}

fn rows(answer: &Answer) -> f64 {
    let first = answer.rows.first().and_then(|row| row.get(answer.position("rows")?)?.as_f64());
    first.unwrap_or_default()
}

/// Rows with one of these names.
fn any(columns: &[&str], names: &[Names]) -> Option<Filter> {
    let one = |names: &Names| {
        let each = columns.iter().zip(names).map(|(column, name)| match name.is_empty() {
            true => Filter::Not(Box::new(Filter::compare(column, Operator::Exists, Value::Null))),
            false => Filter::equals(column, name.as_str()),
        });
        Filter::All(each.collect())
    };
    Some(Filter::Any(names.iter().map(one).collect()))
}
