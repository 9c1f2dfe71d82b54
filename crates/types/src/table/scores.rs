//! `scores`: one row for each judgement of a trace, a span or a session.

use super::ColumnType::{Bool, Float, Text, TextMap, Time};
use super::{Cell, Column, Identity, Record, Retention, Table};
use crate::Score;

/// The table of scores.
pub static SCORES: Table = Table {
    name: "scores",
    doc: "One row for each judgement of a trace, a span or a session: feedback, reviews, judges, metrics.",
    columns: COLUMNS,
    time_column: "time",
    sort: &["project_id", "time"],
    key: &["id"],
    identity: Identity::Replaced,
    sums: None,
    retention: Retention::Scores,
};

const COLUMNS: &[Column] = &[
    Column::hot("project_id", Text, "The tenant.").required(),
    Column::hot("id", Text, "Its own id; a score that is sent again under it replaces it.").required(),
    Column::hot("trace_id", Text, "The trace it judges; absent if it judges a session."),
    Column::hot("span_id", Text, "The span it judges; absent if it judges the whole trace."),
    Column::hot("session_id", Text, "The session it judges or belongs to."),
    Column::hot("time", Time, "When it was judged.").required(),
    Column::hot("name", Text, "What was judged, e.g. helpfulness (`gen_ai.evaluation.name`).").required(),
    Column::hot("value", Float, "How much (`gen_ai.evaluation.score.value`); its range is the metric's."),
    Column::hot("label", Text, "Which of several kinds (`gen_ai.evaluation.score.label`)."),
    Column::hot("passed", Bool, "Good enough?"),
    Column::hot("source", Text, "Who judged: api, user_feedback, review, judge, code, guard or otlp.").required(),
    Column::hot("reason", Text, "Why (`gen_ai.evaluation.explanation`).").searchable(),
    Column::hot("author", Text, "The person, judge or program by name."),
    Column::body("metadata", TextMap, "Anything else; a key is addressed as `metadata.key`."),
];

impl Record for Score {
    fn table() -> &'static Table {
        &SCORES
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        out.extend([
            Cell::text(Some(self.project_id.as_str())),
            Cell::text(Some(&self.id)),
            self.trace_id.map_or(Cell::Null, |id| Cell::owned(id.to_string())),
            self.span_id.map_or(Cell::Null, |id| Cell::owned(id.to_string())),
            Cell::text(self.session_id.as_deref()),
            Cell::Time(self.time),
            Cell::text(Some(&self.name)),
            self.value.map_or(Cell::Null, Cell::Float),
            Cell::text(self.label.as_deref()),
            self.passed.map_or(Cell::Null, Cell::Bool),
            Cell::text(Some(self.source.as_str())),
            Cell::text(self.reason.as_deref()),
            Cell::text(self.author.as_deref()),
            Cell::map(&self.metadata),
        ]);
    }
}
