//! In what bad rows differ from those before. Each value of each column is a guess at the cause; one counts if its share of the bad rows
//! is greater than it was before by more than chance makes it, with all the guesses taken into account.

use std::collections::HashMap;

use serde_json::Value;
use signalbox_types::query::{Function, Measure, Operator, Order};
use signalbox_types::table::{self, ColumnType, SCORES};
use signalbox_types::{Answer, Filter, Query};

use super::population::Population;
use super::significance::{holm, two_shares};
use super::{Ask, Difference, Window};

/// So many are told of.
const MOST: usize = 5;
/// Values of a column that are looked at: the most frequent ones.
const VALUES: u32 = 50;
/// A value with fewer rows is no lead.
const LEAST_ROWS: f64 = 5.0;
/// A share that has grown by less explains nothing.
const LEAST_GROWTH: f64 = 0.1;
/// Fewer rows are nothing to compare with.
const LEAST_BEFORE: f64 = 20.0;
/// How improbable a difference must be by chance, after correction.
const SIGNIFICANCE: f64 = 0.01;

/// What rows may differ in, by table. Several columns in one entry name something together.
const OF_SPANS: &[&[&str]] = &[
    &["provider"],
    &["model"],
    &["model_requested"],
    &["prompt_name", "prompt_version"],
    &["release"],
    &["environment"],
    &["service_name"],
    &["user_id"],
    &["session_id"],
    &["key_id"],
    &["kind"],
    &["status"],
    &["error_type"],
    &["http_status"],
    &["tool_name"],
    &["agent_name"],
    &["verdict"],
    &["streaming"],
    &["source"],
    &["dialect"],
    &["attributes.signalbox.route.arm"],
];
const OF_SCORES: &[&[&str]] = &[&["name"], &["label"], &["source"], &["author"], &["session_id"]];
/// Of the spans that were judged.
const OF_JUDGED: &[&[&str]] = &[
    &["provider"],
    &["model"],
    &["prompt_name", "prompt_version"],
    &["release"],
    &["environment"],
    &["service_name"],
    &["user_id"],
    &["key_id"],
];
const OF_FINDINGS: &[&[&str]] = &[&["scanner"], &["rule"], &["severity"], &["place"], &["action"]];
const OF_LOGS: &[&[&str]] =
    &[&["service_name"], &["environment"], &["severity_text"], &["event_name"], &["session_id"], &["key_id"]];
const OF_POINTS: &[&[&str]] = &[&["name"], &["service_name"], &["environment"], &["key_id"]];

/// Which rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The bad ones in the window.
    Now,
    /// The bad ones before.
    Before,
    /// All before.
    AllBefore,
}

/// Rows, and what they weigh where something is summed up.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    rows: f64,
    weight: f64,
}

/// All rows of a sort.
#[derive(Debug, Clone, Copy)]
struct Total {
    weight: f64,
    /// How many rows of equal weight would say as much: never more than these. For weights, their sum by the greatest, which is at most
    /// Kish's effective sample size.
    size: f64,
}

/// A value that may be the cause.
struct Lead {
    field: String,
    value: String,
    rows: f64,
    share: f64,
    before: f64,
    /// It was compared with all rows before, not with bad ones.
    with_all: bool,
    p: f64,
}

/// Where questions go to: the rows themselves, or for scores the spans that were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Rows,
    Judged,
}

/// What differs most, or why that can't be told.
pub(super) async fn differences(
    ask: Ask<'_>,
    population: &Population,
    window: Window,
    before: Window,
) -> Result<Vec<Difference>, String> {
    let rows = match population.table.name {
        "spans" => OF_SPANS,
        "scores" => OF_SCORES,
        "findings" => OF_FINDINGS,
        "logs" => OF_LOGS,
        _ => OF_POINTS,
    };
    let (mut leads, mut looked_at) = (Vec::new(), 0);
    let judged = (population.table.name == SCORES.name).then_some((Of::Judged, OF_JUDGED));
    for (of, columns) in [(Of::Rows, rows)].into_iter().chain(judged) {
        let compare = Compare::new(ask, population, window, before, of).await?;
        for columns in columns {
            if !columns.iter().any(|column| of == Of::Rows && population.fixed.contains(*column)) {
                looked_at += compare.column(columns, &mut leads).await?;
            }
        }
    }
    Ok(best(leads, looked_at, population))
}

/// One comparison: totals are known, columns are asked one by one.
struct Compare<'a> {
    ask: Ask<'a>,
    population: &'a Population,
    windows: (Window, Window),
    of: Of,
    now: Total,
    before: Option<Total>,
    all_before: Option<Total>,
}

impl<'a> Compare<'a> {
    async fn new(
        ask: Ask<'a>,
        population: &'a Population,
        window: Window,
        before: Window,
        of: Of,
    ) -> Result<Self, String> {
        // What is missing is looked for among what was there.
        let windows = if population.falls { (before, window) } else { (window, before) };
        let none = Total { weight: 0.0, size: 0.0 };
        let mut made = Self { ask, population, windows, of, now: none, before: None, all_before: None };
        made.now = made.total(Which::Now).await?;
        let enough = |total: Total| (total.size >= LEAST_BEFORE).then_some(total);
        made.before = enough(made.total(Which::Before).await?);
        if population.bad.is_some() {
            made.all_before = enough(made.total(Which::AllBefore).await?);
        } else if population.falls {
            // Nothing at all is left: every share of it is none.
            made.before = Some(made.total(Which::Before).await?);
        }
        if made.before.is_none() && made.all_before.is_none() {
            return Err(format!("differences: there were fewer than {LEAST_BEFORE} rows before to compare with"));
        }
        Ok(made)
    }

    fn query(&self, which: Which) -> Query {
        let (window, only_bad) = match which {
            Which::Now => (self.windows.0, true),
            Which::Before => (self.windows.1, true),
            Which::AllBefore => (self.windows.1, false),
        };
        let query = match self.of {
            Of::Rows => Some(self.population.rows(window, only_bad)),
            Of::Judged => self.population.judged_spans(window, only_bad),
        };
        let mut query = query.unwrap_or_default();
        query.measures = vec![Measure::of(Function::Count, None).named("rows")];
        if let Some(column) = self.weighed() {
            query.measures.push(Measure::of(Function::Sum, Some(column)).named("weight"));
        }
        query
    }

    fn weighed(&self) -> Option<&str> {
        self.population.weight.as_deref().filter(|_| self.of == Of::Rows)
    }

    async fn answer(&self, query: &Query) -> Result<Answer, String> {
        self.ask.query(query).await.map_err(|error| format!("differences: {error}"))
    }

    async fn total(&self, which: Which) -> Result<Total, String> {
        let mut query = self.query(which);
        if let Some(column) = self.weighed() {
            query.measures.push(Measure::of(Function::Max, Some(column)).named("greatest"));
        }
        let answer = self.answer(&query).await?;
        let count = answer.rows.first().map(|row| self.count(&answer, row)).unwrap_or_default();
        let greatest = answer.rows.first().and_then(|row| row.get(answer.position("greatest")?)?.as_f64());
        let size = match greatest {
            Some(greatest) if greatest > 0.0 => (count.weight / greatest).min(count.rows),
            Some(_) => 0.0,
            None => count.rows,
        };
        Ok(Total { weight: count.weight, size })
    }

    fn count(&self, answer: &Answer, row: &[Value]) -> Count {
        let number = |name: &str| row.get(answer.position(name)?)?.as_f64();
        let rows = number("rows").unwrap_or_default();
        let weight = if self.weighed().is_some() { number("weight").unwrap_or_default() } else { rows };
        Count { rows, weight: weight.max(0.0) }
    }

    /// How many rows each value has.
    async fn groups(
        &self,
        which: Which,
        columns: &[&str],
        of: Option<&[String]>,
    ) -> Result<Vec<(String, Count)>, String> {
        let mut query = self.query(which);
        query.group_by = columns.iter().map(|column| (*column).to_owned()).collect();
        let by = if self.weighed().is_some() { "weight" } else { "rows" };
        query.order = vec![Order { by: by.to_owned(), desc: true }];
        query.limit = Some(if which == Which::Now { VALUES } else { 1_000 });
        // Asked for by name, they are told of however rare they were.
        let table = table::find(&query.table);
        let is_text =
            |name: &str| table.and_then(|table| table.column(name)).is_some_and(|one| one.ty == ColumnType::Text);
        if let (Some(values), [column]) = (of, columns)
            && is_text(column)
            && values.iter().all(|value| !value.is_empty())
        {
            let wanted = Filter::compare(column, Operator::In, values.to_vec());
            query.filter = Some(match query.filter.take() {
                Some(filter) => Filter::All(vec![filter, wanted]),
                None => wanted,
            });
        }
        let answer = self.answer(&query).await?;
        let places: Vec<Option<usize>> = columns.iter().map(|column| answer.position(column)).collect();
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let name = |row: &[Value]| {
            let parts = places.iter().map(|place| place.and_then(|place| row.get(place)).map(text).unwrap_or_default());
            parts.collect::<Vec<_>>().join(" ").trim().to_owned()
        };
        Ok(answer.rows.iter().map(|row| (name(row), self.count(&answer, row))).collect())
    }

    /// Adds what of a column may be a cause. Tells how many values were looked at.
    async fn column(&self, columns: &[&str], leads: &mut Vec<Lead>) -> Result<usize, String> {
        let now = self.groups(Which::Now, columns, None).await?;
        if self.now.weight <= 0.0 || now.iter().all(|(value, _)| value.is_empty()) {
            return Ok(0);
        }
        let share = |count: &Count| count.weight / self.now.weight;
        let remarkable = |(_, count): &&(String, Count)| count.rows >= LEAST_ROWS && share(count) >= LEAST_GROWTH;
        let remarkable: Vec<&(String, Count)> = now.iter().filter(remarkable).collect();
        if remarkable.is_empty() {
            return Ok(now.len());
        }
        let values: Vec<String> = remarkable.iter().map(|(value, _)| value.clone()).collect();
        let mut references = Vec::new();
        for (which, total) in [(Which::Before, self.before), (Which::AllBefore, self.all_before)] {
            if let Some(total) = total {
                let groups = self.groups(which, columns, Some(&values)).await?;
                references.push((which, total, groups.into_iter().collect::<HashMap<_, _>>()));
            }
        }
        for (value, count) in remarkable {
            let share = share(count).min(1.0);
            let compared = references.iter().map(|(which, total, groups)| {
                let weight = groups.get(value).map_or(0.0, |count| count.weight);
                let before = if total.weight > 0.0 { (weight / total.weight).min(1.0) } else { 0.0 };
                // An outage leaves nothing to compare with, which is what is to be told.
                let size = total.size.max(if self.population.falls { LEAST_BEFORE } else { 0.0 });
                (*which, before, two_shares(share, self.now.size, before, size))
            });
            // It must be news against the bad rows before as well as against all: what always fails is none, nor is what has much traffic.
            let compared: Vec<(Which, f64, f64)> = compared.collect();
            let p = compared.iter().map(|(.., p)| *p).fold(0.0, f64::max);
            let Some((which, before, _)) = compared.into_iter().max_by(|one, other| one.1.total_cmp(&other.1)) else {
                continue;
            };
            if share - before >= LEAST_GROWTH {
                let with_all = which == Which::AllBefore;
                leads.push(Lead {
                    field: columns.join(" "),
                    value: value.clone(),
                    rows: count.rows,
                    share,
                    before,
                    with_all,
                    p,
                });
            }
        }
        Ok(now.len())
    }
}

/// What is improbable by chance, what explains most first; of what says the same twice, one.
fn best(mut leads: Vec<Lead>, looked_at: usize, population: &Population) -> Vec<Difference> {
    let p: Vec<f64> = leads.iter().map(|lead| lead.p).collect();
    for (lead, p) in leads.iter_mut().zip(holm(&p, looked_at)) {
        lead.p = p;
    }
    leads.retain(|lead| lead.p <= SIGNIFICANCE);
    leads.sort_by(|one, other| (other.share - other.before).total_cmp(&(one.share - one.before)));
    let mut told: Vec<Lead> = Vec::new();
    for lead in leads {
        let says_the_same =
            |one: &Lead| one.value == lead.value && !lead.value.is_empty() && (one.share - lead.share).abs() < 0.05;
        if told.len() < MOST && !told.iter().any(says_the_same) {
            told.push(lead);
        }
    }
    told.into_iter().map(|lead| lead.told(population)).collect()
}

impl Lead {
    fn told(self, population: &Population) -> Difference {
        let shown: String = self.value.chars().take(80).map(|c| if c == '`' { '\'' } else { c }).collect();
        let named = match self.value.as_str() {
            "" => format!("no `{}`", self.field),
            _ => format!("`{}={shown}`", self.field.replace(' ', "+")),
        };
        let (words, all) = (&population.words, &population.all_words);
        let (then, now) = (percent(self.before), percent(self.share));
        let text = match (population.falls, self.with_all) {
            // It was looked at the other way round: the share is the one before.
            (true, _) => format!("{named}: {then} of {words}, {now} before"),
            (false, true) => format!("{named}: {now} of {words}, {then} of all {all} before"),
            (false, false) => format!("{named}: {now} of {words}, {then} before"),
        };
        let (share, share_before) =
            if population.falls { (self.before, self.share) } else { (self.share, self.before) };
        let lift = (share_before > 0.0).then(|| share / share_before);
        let rows = self.rows.max(0.0).round() as u64;
        Difference { field: self.field, value: self.value, share, share_before, lift, rows, p: self.p, text }
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        none if none <= 0.0 => "0 %".to_owned(),
        little if little < 1.0 => "under 1 %".to_owned(),
        much if (99.5..100.0).contains(&much) => "over 99 %".to_owned(),
        other => format!("{other:.0} %"),
    }
}
