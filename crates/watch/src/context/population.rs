//! Which rows an incident is about: all that its monitor looks at in the series that fire, and the bad ones among them.

use std::collections::BTreeSet;

use serde_json::Value;
use signalbox_types::query::{Comparison, Function, Measure, Operator};
use signalbox_types::table::{self, ColumnType, SCORES, SPAN_MINUTES, SPANS, Table};
use signalbox_types::{Filter, Query};

use super::Window;
use crate::config::{Condition, MonitorConfig, Side};
use crate::evaluate::between;
use crate::incident::{Affected, Incident};
use crate::kinds::shown;
use crate::state::Labels;

/// Series that are told apart in one question.
const MOST_SERIES: usize = 50;

/// The rows of an incident.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Population {
    /// The table that is asked: that of the monitor, but spans for sums of spans.
    pub(super) table: &'static Table,
    search: Option<String>,
    /// All that are looked at.
    base: Option<Filter>,
    /// The bad ones of them; none if there are only too many or too few.
    pub(super) bad: Option<Filter>,
    /// What is summed up, if it isn't rows that are counted.
    pub(super) weight: Option<String>,
    /// There are too few: what is missing has to be looked for before.
    pub(super) falls: bool,
    /// The column by which some are worse, and whether the greatest are.
    pub(super) worst: Option<(String, bool)>,
    /// Columns that are the same in all bad rows, because that is what the monitor asks for.
    pub(super) fixed: BTreeSet<String>,
    /// The bad rows in words.
    pub(super) words: String,
    /// All rows in words.
    pub(super) all_words: String,
}

impl Population {
    /// Of a monitor, for the series of an incident. None if it asks nothing, or can't be asked by row.
    pub(super) fn of(monitor: &MonitorConfig, incident: &Incident) -> Option<Self> {
        let query = monitor.query.as_ref()?;
        let (of, over) = monitor.watched()?;
        let table = table::find(&query.table)?;
        let table = if table.name == SPAN_MINUTES.name { &SPANS } else { table };
        let worst = incident.series.iter().find(|one| one.firing).or_else(|| incident.series.first());
        let rises = rises(&monitor.condition, worst);
        let mut base: Vec<Filter> = query.filter.clone().into_iter().collect();
        base.extend(series_filter(table, incident));
        let mut made = Self {
            table,
            search: query.search.clone(),
            base: None,
            bad: None,
            weight: None,
            falls: false,
            worst: None,
            fixed: BTreeSet::new(),
            words: String::new(),
            all_words: noun(table, query.filter.as_ref()).to_owned(),
        };
        let exists = |column: &Option<String>| {
            column.as_ref().map(|column| Filter::compare(column, Operator::Exists, Value::Null))
        };
        let limit = worst.and_then(|one| one.limit.or(one.value));
        match (of.function, &of.column, limit) {
            (Function::Count, ..) if over.is_some_and(|over| over.function == Function::Count) => {
                base.extend(over.and_then(|over| over.filter.clone()));
                let hits = all(of.filter.clone().into_iter().chain(exists(&of.column)).collect());
                made.words = made.hits_in_words(of, hits.as_ref(), rises);
                made.bad = hits.map(|hits| if rises { hits } else { Filter::Not(Box::new(hits)) });
            }
            (Function::Sum | Function::Rate, Some(column), _) => {
                base.extend(of.filter.clone().into_iter().chain(exists(&of.column)));
                made.words = format!("the {}", column.replace('_', " "));
                (made.weight, made.worst, made.falls) = (Some(column.clone()), Some((column.clone(), true)), !rises);
            }
            (Function::Avg | Function::Min | Function::Max, Some(column), Some(limit)) => {
                made.beyond(of, column, limit, rises, &mut base);
            }
            (_, Some(column), Some(limit)) if of.quantile().is_some() => {
                made.beyond(of, column, limit, rises, &mut base);
            }
            _ => {
                base.extend(of.filter.clone().into_iter().chain(exists(&of.column)));
                made.words.clone_from(&made.all_words);
                made.falls = !rises;
            }
        }
        made.fixed = fixed(made.bad.as_ref().into_iter().chain(&base));
        made.base = all(base);
        // Sums by minute know columns that spans don't; and a word may search what isn't there.
        let whole = Window { from: incident.opened_at.minus(super::WIDEST), to: incident.opened_at };
        let mut asked = made.rows(whole, made.bad.is_some());
        asked.measures = vec![Measure::of(Function::Count, None)];
        asked.check().is_ok().then_some(made)
    }

    /// Rows beyond a limit are bad.
    fn beyond(&mut self, of: &Measure, column: &str, limit: f64, rises: bool, base: &mut Vec<Filter>) {
        base.extend(of.filter.clone());
        base.push(Filter::compare(column, Operator::Exists, Value::Null));
        let whole = self.table.column(column).is_some_and(|column| column.ty == ColumnType::Int);
        let bound = match whole {
            true if rises => Value::from(limit.floor() as i64),
            true => Value::from(limit.ceil() as i64),
            false => Value::from(limit),
        };
        let (op, word) = if rises { (Operator::Greater, "above") } else { (Operator::Less, "below") };
        self.bad = Some(Filter::compare(column, op, bound));
        self.worst = Some((column.to_owned(), rises));
        self.words = format!("{} with `{column}` {word} {}", self.all_words, shown(limit));
    }

    fn hits_in_words(&self, of: &Measure, hits: Option<&Filter>, rises: bool) -> String {
        let all = &self.all_words;
        let Some(Filter::Compare(Comparison { field, op: Operator::Equal, value })) = hits else {
            let not = if rises { "" } else { "not " };
            return format!("{all} {not}counted as `{}`", of.name());
        };
        match (field.as_str(), value, rises) {
            ("status", Value::String(status), true) if status == "error" => format!("failed {all}"),
            ("verdict", Value::String(verdict), true) if verdict == "block" => format!("blocked {all}"),
            ("passed", Value::Bool(passed), rises) if *passed != rises => format!("{all} that didn't pass"),
            (field, value, rises) => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{all} with `{field}{}{value}`", if rises { "=" } else { "≠" })
            }
        }
    }

    /// All rows of a window, or the bad ones.
    pub(super) fn rows(&self, window: Window, only_bad: bool) -> Query {
        let bad = self.bad.iter().filter(|_| only_bad);
        Query {
            table: self.table.name.to_owned(),
            time: between(window.from, window.to),
            filter: all(self.base.iter().chain(bad).cloned().collect()),
            search: self.search.clone(),
            ..Query::default()
        }
    }

    /// For scores: the spans that were judged so, bad or at all. They began up to an hour earlier.
    pub(super) fn judged_spans(&self, window: Window, only_bad: bool) -> Option<Query> {
        if self.table.name != SCORES.name || self.search.is_some() {
            return None;
        }
        let within = [(Operator::GreaterOrEqual, window.from), (Operator::Less, window.to)];
        let within = within.map(|(op, at)| Filter::compare(SCORES.time_column, op, at.to_string()));
        let bad = self.bad.iter().filter(|_| only_bad);
        let judged = all(within.into_iter().chain(self.base.iter().chain(bad).cloned()).collect())?;
        Some(Query {
            time: between(window.from.minus(crate::marker::BEFORE), window.to),
            filter: Some(Filter::Score(Box::new(judged))),
            ..Query::of(&SPANS)
        })
    }
}

/// Whether the value is too great, and not too small.
fn rises(condition: &Condition, worst: Option<&Affected>) -> bool {
    let only_below = match condition {
        Condition::Absence(_) => true,
        Condition::Threshold(one) => one.above.is_none(),
        Condition::Change(one) => one.above.is_none(),
        Condition::Baseline(one) => one.side == Side::Lower,
        Condition::Sequential(one) => one.side == Side::Lower,
        Condition::Composite(_) | Condition::BurnRate(_) => false,
    };
    let two_sided = match condition {
        Condition::Threshold(one) => one.above.is_some() && one.below.is_some(),
        Condition::Change(one) => one.above.is_some() && one.below.is_some(),
        Condition::Baseline(one) => one.side == Side::Both,
        Condition::Sequential(one) => one.side == Side::Both,
        Condition::Absence(_) | Condition::Composite(_) | Condition::BurnRate(_) => false,
    };
    match worst.and_then(|one| Some((one.value?, one.limit?))) {
        Some((value, limit)) if two_sided => value >= limit,
        _ => !only_below,
    }
}

/// The rows of the series that fire.
fn series_filter(table: &Table, incident: &Incident) -> Option<Filter> {
    let firing = incident.series.iter().filter(|one| one.firing);
    let series: Vec<&Labels> = match firing.map(|one| &one.labels).collect::<Vec<_>>() {
        none if none.is_empty() => incident.series.iter().map(|one| &one.labels).collect(),
        some => some,
    };
    if series.iter().any(|labels| labels.is_empty()) || series.len() > MOST_SERIES {
        return None;
    }
    let one = |labels: &&Labels| {
        let each = labels.iter().map(|(name, value)| equals(table, name, value));
        Filter::All(each.collect())
    };
    match series.as_slice() {
        [] => None,
        [only] => Some(one(only)),
        many => Some(Filter::Any(many.iter().map(one).collect())),
    }
}

/// A label is text, whatever its column holds; an empty one stands for rows that have none.
pub(super) fn equals(table: &Table, name: &str, value: &str) -> Filter {
    if value.is_empty() {
        return Filter::Not(Box::new(Filter::compare(name, Operator::Exists, Value::Null)));
    }
    let typed = match table.column(name).map(|column| column.ty) {
        Some(ColumnType::Int | ColumnType::Float | ColumnType::Bool | ColumnType::Money) => {
            serde_json::from_str(value).ok()
        }
        _ => None,
    };
    Filter::equals(name, typed.unwrap_or_else(|| Value::String(value.to_owned())))
}

fn all(mut filters: Vec<Filter>) -> Option<Filter> {
    match filters.len() {
        0 | 1 => filters.pop(),
        _ => Some(Filter::All(filters)),
    }
}

/// Columns that must have one value, or that are only there or not.
fn fixed<'a>(filters: impl Iterator<Item = &'a Filter>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for filter in filters {
        match filter {
            Filter::All(all) => found.extend(fixed(all.iter())),
            Filter::Compare(Comparison { field, op: Operator::Equal, .. }) => {
                found.insert(field.clone());
            }
            Filter::Not(inner) => {
                if let Filter::Compare(Comparison { field, op: Operator::Equal | Operator::Exists, .. }) = &**inner {
                    found.insert(field.clone());
                }
            }
            Filter::Any(_) | Filter::Score(_) | Filter::Compare(_) => {}
        }
    }
    found
}

/// What rows of a table are called.
fn noun(table: &Table, filter: Option<&Filter>) -> &'static str {
    let calls = |filter: &Filter| matches!(filter, Filter::Compare(one) if one.field == "kind" && one.op == Operator::Equal && one.value == "llm");
    match (table.name, filter) {
        ("spans", Some(Filter::All(all))) if all.iter().any(calls) => "calls",
        ("spans", Some(filter)) if calls(filter) => "calls",
        ("logs", _) => "log records",
        ("metric_points", _) => "data points",
        (name, _) => name,
    }
}
