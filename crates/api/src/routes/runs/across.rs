//! Several runs over the same items, side by side: the numbers that comparisons are made of.

use std::collections::{BTreeMap, HashMap};

use signalbox_catalog::{CatalogError, ItemNumbers, Run, RunDirection};
use signalbox_types::{Money, ProjectId};

use crate::error::ApiError;
use crate::parts::App;

const MOST_RUNS: usize = 6;

/// What runs are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    Metric(String),
    Latency,
    Cost,
}

impl By {
    /// The measure of this name. A metric of a run has it before time and money.
    pub(super) fn find(name: &str, across: &Across) -> Result<(Self, RunDirection), ApiError> {
        let all = across.measures();
        if let Some(found) = all.iter().find(|(by, _)| by.name() == name) {
            return Ok(found.clone());
        }
        let names: Vec<&str> = all.iter().map(|(by, _)| by.name()).collect();
        Err(ApiError::invalid(
            "metric",
            format_args!("the runs have no metric `{name}`; they have {}", names.join(", ")),
        ))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Metric(name) => name,
            Self::Latency => "latency_ms",
            Self::Cost => "cost",
        }
    }

    pub(super) fn of(&self, item: &ItemNumbers) -> Option<f64> {
        match self {
            Self::Metric(name) => item.scores.get(name)?.number(),
            Self::Latency => item.latency_ms,
            Self::Cost => item.cost.map(Money::as_dollars),
        }
    }
}

/// A run with the numbers of its items.
pub(super) struct Side {
    pub(super) run: Run,
    pub(super) items: Vec<ItemNumbers>,
}

/// The runs in the order in which they were asked for, and which of them is the baseline.
pub(super) struct Across {
    pub(super) sides: Vec<Side>,
    pub(super) baseline: usize,
}

impl Across {
    pub(super) async fn read(
        app: &App,
        project: &ProjectId,
        ids: &str,
        baseline: Option<&str>,
    ) -> Result<Self, ApiError> {
        let mut names: Vec<&str> = Vec::new();
        for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            if !names.contains(&id) {
                names.push(id);
            }
        }
        if !(2..=MOST_RUNS).contains(&names.len()) {
            let problem =
                format!("expected 2 to {MOST_RUNS} different runs, separated by commas, found {}", names.len());
            return Err(ApiError::invalid("ids", problem));
        }
        let baseline = match baseline {
            None => 0,
            Some(id) => names
                .iter()
                .position(|name| *name == id)
                .ok_or_else(|| ApiError::invalid("baseline", format_args!("expected one of `ids`, found `{id}`")))?,
        };
        let mut sides = Vec::new();
        for id in names {
            let found = app.catalog.run_numbers(project, id).await?;
            let (run, items) = found.ok_or_else(|| CatalogError::UnknownRun(id.to_owned()))?;
            sides.push(Side { run, items });
        }
        Ok(Self { sides, baseline })
    }

    /// The metrics of all runs, in the order of the baseline's, then time and money if any run tells them.
    pub(super) fn measures(&self) -> Vec<(By, RunDirection)> {
        let mut all: Vec<(By, RunDirection)> = Vec::new();
        let first = self.sides.get(self.baseline).into_iter();
        for side in first.chain(&self.sides) {
            let announced = side.run.about.metrics.iter().map(|metric| (metric.name.as_str(), metric.direction));
            let scored = side.run.summary.iter().flat_map(|summary| &summary.metrics);
            let others = scored.map(|metric| (metric.metric.as_str(), RunDirection::Higher));
            for (name, direction) in announced.chain(others) {
                if all.iter().all(|(by, _)| by.name() != name) {
                    all.push((By::Metric(name.to_owned()), direction));
                }
            }
        }
        for by in [By::Latency, By::Cost] {
            let is_told = self.sides.iter().any(|side| side.items.iter().any(|item| by.of(item).is_some()));
            if is_told && all.iter().all(|(other, _)| other.name() != by.name()) {
                all.push((by, RunDirection::Lower));
            }
        }
        all
    }

    /// Each item of the baseline with the same item of every run; the baseline's own is among them.
    pub(super) fn rows(&self) -> Vec<Vec<Option<&ItemNumbers>>> {
        let Some(base) = self.sides.get(self.baseline) else { return Vec::new() };
        let by_id: Vec<HashMap<&str, &ItemNumbers>> = self
            .sides
            .iter()
            .map(|side| side.items.iter().map(|item| (item.item_id.as_str(), item)).collect())
            .collect();
        let row = |item: &ItemNumbers| by_id.iter().map(|items| items.get(item.item_id.as_str()).copied()).collect();
        base.items.iter().map(row).collect()
    }

    /// The fields that tell items apart, with the rows of each of their most frequent values.
    pub(super) fn segments<'a>(
        &self,
        rows: &'a [Vec<Option<&'a ItemNumbers>>],
        most_fields: usize,
        most_values: usize,
    ) -> Vec<(&'a str, Vec<(&'a str, Vec<usize>)>)> {
        let mut fields: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let Some(Some(item)) = row.get(self.baseline) else { continue };
            for (field, value) in &item.segments {
                fields.entry(field).or_default().entry(value).or_default().push(at);
            }
        }
        let frequent = |values: BTreeMap<&'a str, Vec<usize>>| {
            let mut values: Vec<(&str, Vec<usize>)> = values.into_iter().collect();
            values.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
            values.truncate(most_values);
            values
        };
        // A field that is another one for each item is its name, and tells nothing of groups.
        let groups = |values: &BTreeMap<&str, Vec<usize>>| values.values().any(|rows| rows.len() > 1);
        let told = fields.into_iter().filter(|(_, values)| groups(values));
        told.take(most_fields).map(|(field, values)| (field, frequent(values))).collect()
    }
}
