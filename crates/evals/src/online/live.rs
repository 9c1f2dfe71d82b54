//! The rules in force.

use std::collections::HashMap;
use std::sync::Arc;

use signalbox_types::query::Filter;
use signalbox_types::table::{Record, SPANS};
use signalbox_types::{ProjectId, Span, SpanKind};

use super::ledger::KeptRule;
use super::make::{Made, Workshop};
use super::mapping;
use super::rule::Rule;
use super::sample;
use super::tracker::Tracker;

/// What marks calls that evaluation itself makes: a key of their metadata. They are scored by no rule, or a judge would
/// judge the judge.
pub const OWN_CALL: &str = "signalbox.evaluation";

/// A rule with everything that it takes to score.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) project: ProjectId,
    pub(super) version: u32,
    pub(super) rule: Rule,
    pub(super) scorers: Vec<Made>,
    pub(super) tracker: Arc<Tracker>,
    /// Why it scores nothing, though it is on.
    pub(super) problem: Option<String>,
    wants_trace: bool,
}

impl Live {
    pub(super) fn new(kept: KeptRule, workshop: &Workshop, tracker: Arc<Tracker>) -> Self {
        let KeptRule { project, version, rule, .. } = kept;
        let (scorers, problem) = match rule.scorers(workshop, &project) {
            Ok(scorers) => (scorers, None),
            Err(problem) => (Vec::new(), Some(problem.to_string())),
        };
        let wants_trace = wants_trace(&rule, &scorers);
        Self { project, version, rule, scorers, tracker, problem, wants_trace }
    }

    pub(super) fn is_on(&self) -> bool {
        self.rule.on && self.problem.is_none()
    }

    /// Whether it takes a span of its project, as far as that can be told at once: for the rest there is
    /// [`Live::matches`].
    pub(super) fn takes(&self, span: &Span) -> bool {
        let kind = self.rule.filter.is_some() || span.kind == SpanKind::Llm;
        self.is_on() && kind && sample::takes(&self.rule.name, &span.trace_id, self.rule.sample_rate) && !is_own(span)
    }

    pub(super) fn matches(&self, span: &Span) -> bool {
        matches(self.rule.filter.as_ref(), span)
    }

    /// Whether it is to wait for what retrievers of its trace say.
    pub(super) fn waits_for_trace(&self, span: &Span) -> bool {
        self.wants_trace && !mapping::says_context(span)
    }
}

/// Whether some scorer looks at a context, of which the rule doesn't say where it is.
pub(super) fn wants_trace(rule: &Rule, scorers: &[Made]) -> bool {
    mapping::wants_trace(&rule.mapping, scorers.iter().flat_map(Made::inputs).copied())
}

fn matches(filter: Option<&Filter>, span: &Span) -> bool {
    let Some(filter) = filter else { return span.kind == SpanKind::Llm };
    let mut cells = Vec::with_capacity(SPANS.columns.len());
    span.cells(&mut cells);
    filter.matches(&SPANS, &cells)
}

/// Whether evaluation itself made this call.
pub(super) fn is_own(span: &Span) -> bool {
    span.kind == SpanKind::Evaluator || span.attributes.keys().any(|key| key.ends_with(OWN_CALL))
}

/// The rules of all projects.
#[derive(Debug, Default)]
pub(super) struct Rules {
    by_project: HashMap<ProjectId, Vec<Arc<Live>>>,
    /// How often rules were read before.
    pub(super) generation: u64,
}

impl Rules {
    pub(super) fn new(all: impl IntoIterator<Item = Live>, generation: u64) -> Self {
        let mut rules = Self { generation, ..Self::default() };
        for live in all {
            rules.by_project.entry(live.project.clone()).or_default().push(Arc::new(live));
        }
        rules
    }

    pub(super) fn of(&self, project: &ProjectId) -> &[Arc<Live>] {
        self.by_project.get(project).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Live>> {
        self.by_project.values().flatten()
    }

    pub(super) fn find(&self, project: &ProjectId, name: &str) -> Option<&Arc<Live>> {
        self.of(project).iter().find(|live| live.rule.name == name)
    }

    pub(super) fn any_on(&self) -> bool {
        self.all().any(|live| live.is_on())
    }
}
