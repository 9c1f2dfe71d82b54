//! What a comparison found, as it is shown and kept.

use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use super::signal::Values;

/// Points of a trend at most.
const LONGEST_TREND: usize = 90;

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DriftResult)]
pub struct DriftResult {
    /// When it was made.
    pub at: Timestamp,
    /// What is now.
    pub current: DriftWindow,
    /// What was.
    pub reference: DriftWindow,
    /// How many signals and segments have drifted.
    pub drifted: usize,
    /// How many could be compared.
    pub compared: usize,
    /// Each signal of all rows, then of each segment.
    pub cells: Vec<DriftCell>,
    /// Whether the same sort of input is judged as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<DriftConcept>,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftWindow {
    /// Its beginning; of several parts that of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Its end; of several parts that of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Of how many parts it is made, e.g. the same day of several weeks.
    pub parts: usize,
    /// Calls in it.
    pub rows: u64,
    /// Calls that were drawn from it.
    pub drawn: usize,
}

/// Where something has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DriftDirection)]
pub enum Direction {
    /// More than before.
    Up,
    /// Less than before.
    Down,
    /// Other than before.
    Other,
    /// As before.
    #[default]
    Same,
}

/// A signal of all rows, or of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftCell {
    /// Which signal; `score:NAME` of a score.
    pub signal: String,
    /// Which segment; absent of all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// What kind of values it has.
    pub values: Values,
    /// Its unit, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Values now.
    pub current_samples: usize,
    /// Values before.
    pub reference_samples: usize,
    /// It has drifted: surely, and by enough.
    pub drifted: bool,
    /// How it was compared; absent if there were too few values, or if there is a `problem`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<DriftFound>,
    /// Why it could not be compared though there were enough values, e.g. because an embedding model could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftFound {
    /// How much it has changed, by the measure of its kind of values.
    pub effect: f64,
    /// Less is no drift.
    pub min_effect: f64,
    /// How likely as much is by chance …
    pub p: f64,
    /// … with all signals and segments of the comparison taken into account (Benjamini and Hochberg).
    pub p_adjusted: f64,
    /// Where it has gone.
    pub direction: Direction,
    /// The median or the share now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// The median or the share before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// In words.
    pub text: String,
    /// Both distributions: intervals in order, or categories, the most frequent first, or words that came and went.
    pub distribution: Vec<DriftBar>,
    /// Traces of now that were least likely before.
    pub current_examples: Vec<DriftExample>,
    /// Traces of before that are least likely now.
    pub reference_examples: Vec<DriftExample>,
}

/// An interval or a category, and how many values are in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftBar {
    /// Its name.
    pub label: String,
    /// The share of values now.
    pub current: f64,
    /// The share of values before.
    pub reference: f64,
}

/// A trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftExample {
    /// Which one.
    pub trace_id: String,
    /// Its span.
    pub span_id: String,
    /// Its value, shortened.
    pub value: String,
}

/// Whether the same sort of input is judged as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftConcept {
    /// The score.
    pub score: String,
    /// What sorts the input: a column, or `input`.
    pub by: String,
    /// As of a signal.
    pub cell: DriftCell,
    /// The sorts of input, the most frequent first.
    pub groups: Vec<DriftGroup>,
}

/// A sort of input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftGroup {
    /// The value of the column, or words that are frequent in the cluster.
    pub name: String,
    /// Scores now.
    pub current_samples: usize,
    /// Scores before.
    pub reference_samples: usize,
    /// Their mean now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// Their mean before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// A trace of now, the worst of the sort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<DriftExample>,
}

/// How a signal has gone, comparison by comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftTrend {
    /// Which signal.
    pub signal: String,
    /// Which segment; absent of all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The latest 90, oldest first.
    pub points: Vec<DriftPoint>,
}

/// One comparison of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DriftPoint {
    /// When it was made.
    pub at: Timestamp,
    /// How much it had changed.
    pub effect: f64,
    /// The median or the share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// It had drifted.
    pub drifted: bool,
}

impl DriftResult {
    /// Every cell, that of concept drift as well.
    pub(crate) fn all(&self) -> impl Iterator<Item = &DriftCell> {
        self.cells.iter().chain(self.concept.iter().map(|concept| &concept.cell))
    }

    /// Why something in it could not be compared, if that is so.
    pub(crate) fn problem(&self) -> Option<&String> {
        self.cells.iter().find_map(|cell| cell.problem.as_ref())
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut DriftCell> {
        self.cells.iter_mut().chain(self.concept.iter_mut().map(|concept| &mut concept.cell))
    }
}

/// The latest result and how it came there, as it outlives the process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) last: Option<DriftResult>,
    pub(crate) trends: Vec<DriftTrend>,
}

impl Kept {
    /// With another result.
    pub(crate) fn after(&self, result: DriftResult) -> Self {
        let mut trends = Vec::new();
        for cell in result.all() {
            let same = |one: &&DriftTrend| one.signal == cell.signal && one.segment == cell.segment;
            let before = self.trends.iter().find(same);
            let mut points = before.map(|one| one.points.clone()).unwrap_or_default();
            if let Some(found) = &cell.found {
                let (effect, now, drifted) = (found.effect, found.now, cell.drifted);
                points.push(DriftPoint { at: result.at, effect, now, drifted });
            }
            points.drain(..points.len().saturating_sub(LONGEST_TREND));
            if !points.is_empty() {
                trends.push(DriftTrend { signal: cell.signal.clone(), segment: cell.segment.clone(), points });
            }
        }
        Self { last: Some(result), trends }
    }
}
