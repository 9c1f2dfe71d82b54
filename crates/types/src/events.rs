//! What is stored at once.

use crate::{LogRecord, MetricPoint, Score, Span};

/// Events of any projects and tables that are appended together: all of them, or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Events {
    /// Spans, with their findings.
    pub spans: Vec<Span>,
    /// Scores.
    pub scores: Vec<Score>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// Data points of metrics.
    pub metric_points: Vec<MetricPoint>,
}

impl Events {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len() + self.scores.len() + self.logs.len() + self.metric_points.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<Span>> for Events {
    fn from(spans: Vec<Span>) -> Self {
        Self { spans, ..Self::default() }
    }
}

impl From<Vec<Score>> for Events {
    fn from(scores: Vec<Score>) -> Self {
        Self { scores, ..Self::default() }
    }
}

impl From<Vec<LogRecord>> for Events {
    fn from(logs: Vec<LogRecord>) -> Self {
        Self { logs, ..Self::default() }
    }
}

impl From<Vec<MetricPoint>> for Events {
    fn from(metric_points: Vec<MetricPoint>) -> Self {
        Self { metric_points, ..Self::default() }
    }
}
