//! `findings`: one row for each hit of a scanner, so that they can be counted without opening spans.

use super::ColumnType::{Float, Int, Text, Time};
use super::{Cell, Column, Identity, Record, Retention, Table};
use crate::{Finding, ProjectId, Span, SpanId, Timestamp, TraceId};

/// The table of findings.
pub static FINDINGS: Table = Table {
    name: "findings",
    doc: "One row for each hit of a guardrail scanner on a gateway call.",
    columns: COLUMNS,
    time_column: "time",
    sort: &["project_id", "time"],
    key: &["trace_id", "span_id", "number"],
    identity: Identity::BelongsTo(&super::SPANS),
    sums: None,
    retention: Retention::Spans,
};

const COLUMNS: &[Column] = &[
    Column::hot("project_id", Text, "The tenant.").required(),
    Column::hot("trace_id", Text, "The trace it was found in.").required(),
    Column::hot("span_id", Text, "The span it was found in.").required(),
    Column::hot("number", Int, "Its place among the span's findings, from 0.").required(),
    Column::hot("time", Time, "When the span began.").required(),
    Column::hot("scanner", Text, "The scanner, e.g. secrets.").required(),
    Column::hot("rule", Text, "The rule, e.g. openai_api_key.").required(),
    Column::hot("severity", Text, "low, medium, high or critical.").required(),
    Column::hot("confidence", Float, "How sure the scanner is, 0 to 1.").required(),
    Column::hot("place", Text, "input or output.").required(),
    Column::hot("action", Text, "What was done: flag, tokenise, redact, rewrite or block.").required(),
    Column::hot("message", Text, "What it means.").required().searchable(),
];

/// A finding with the span it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    project_id: ProjectId,
    trace_id: TraceId,
    span_id: SpanId,
    number: i64,
    time: Timestamp,
    finding: Finding,
}

impl FindingRow {
    /// The findings of a span, as rows.
    pub fn of(span: &Span) -> impl Iterator<Item = Self> + '_ {
        let place = (span.project_id.clone(), span.trace_id, span.span_id, span.start_time);
        Self::of_span(place, span.findings.iter().cloned())
    }

    /// The findings of the span with this project, trace, id and start, as rows.
    pub fn of_span(
        (project_id, trace_id, span_id, time): (ProjectId, TraceId, SpanId, Timestamp),
        findings: impl IntoIterator<Item = Finding>,
    ) -> impl Iterator<Item = Self> {
        let numbered = (0..).zip(findings);
        numbered.map(move |(number, finding)| Self {
            project_id: project_id.clone(),
            trace_id,
            span_id,
            number,
            time,
            finding,
        })
    }
}

impl Record for FindingRow {
    fn table() -> &'static Table {
        &FINDINGS
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        let finding = &self.finding;
        out.extend([
            Cell::text(Some(self.project_id.as_str())),
            Cell::owned(self.trace_id.to_string()),
            Cell::owned(self.span_id.to_string()),
            Cell::Int(self.number),
            Cell::Time(self.time),
            Cell::text(Some(&finding.scanner)),
            Cell::text(Some(&finding.rule)),
            Cell::text(Some(finding.severity.as_str())),
            Cell::Float(f64::from(finding.confidence)),
            Cell::text(Some(finding.place.as_str())),
            Cell::text(Some(finding.action.as_str())),
            Cell::text(Some(&finding.message)),
        ]);
    }
}
