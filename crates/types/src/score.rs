//! A judgement of something that happened, whoever made it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::span::named;
use crate::{ProjectId, SpanId, Timestamp, TraceId};

named!(
    /// Who judged.
    ScoreSource {
        /// A program, through the API.
        #[default]
        Api = "api",
        /// The user of the application: a thumb, stars, an edit.
        UserFeedback = "user_feedback",
        /// A person of the team who looked at it.
        Review = "review",
        /// A language model.
        Judge = "judge",
        /// A metric in code.
        Code = "code",
        /// A guardrail.
        Guard = "guard",
        /// An evaluator that told of it over OpenTelemetry.
        Otlp = "otlp",
    }
);

/// How good something was: a trace, one of its spans, or a session. A metric, a judge, a person's
/// rating and a thumb are all scores.
///
/// `(project_id, id)` names it; of two with the same name the later one counts. It has a value, a
/// label or a verdict, or several of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The tenant.
    pub project_id: ProjectId,
    /// Its own id: the sender's, or one of ours.
    pub id: String,
    /// The trace it judges; `None` if it judges a session.
    pub trace_id: Option<TraceId>,
    /// The span it judges; `None` if it judges the whole trace.
    pub span_id: Option<SpanId>,
    /// The session it judges or belongs to.
    pub session_id: Option<String>,
    /// When it was judged.
    pub time: Timestamp,
    /// What was judged, e.g. `helpfulness`.
    pub name: String,
    /// How much; its range is the metric's.
    pub value: Option<f64>,
    /// Which of several kinds, e.g. `off_topic`.
    pub label: Option<String>,
    /// Good enough?
    pub passed: Option<bool>,
    /// Who judged.
    pub source: ScoreSource,
    /// Why, for people.
    pub reason: Option<String>,
    /// The person, judge or program by name.
    pub author: Option<String>,
    /// Anything else.
    pub metadata: BTreeMap<String, String>,
}

impl Score {
    /// A score without a value yet, of nothing yet.
    #[must_use]
    pub fn new(project_id: ProjectId, id: impl Into<String>, name: impl Into<String>, time: Timestamp) -> Self {
        Self {
            project_id,
            id: id.into(),
            trace_id: None,
            span_id: None,
            session_id: None,
            time,
            name: name.into(),
            value: None,
            label: None,
            passed: None,
            source: ScoreSource::Api,
            reason: None,
            author: None,
            metadata: BTreeMap::new(),
        }
    }
}
