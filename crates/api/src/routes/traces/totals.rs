//! A trace in one line, made of its spans.
//!
//! Tokens and money are summed over *calls* (kinds `llm`, `embedding`, `reranker`) only: agents and
//! chains often repeat what their children used. And a call that two spans tell of is counted once:
//! where an SDK's `llm` span has the gateway's `llm` span beneath it (directly, or with glue such as an
//! HTTP client's span between them), the inner one counts, as it is nearer to the bill. What the inner
//! one doesn't know is taken from the outer one.

use std::collections::{BTreeSet, HashMap, HashSet};

use signalbox_types::{Money, SpanId, SpanKind, SpanStatus, Verdict};

use super::TraceSummary;
use super::step::Step;

/// Glue spans between two tellings of one call are at most so many.
const MAX_GLUE: usize = 16;

/// The summary of a trace; `None` if it has no span. `steps` are all of one trace, oldest first.
pub(super) fn summarise(steps: &[Step]) -> Option<TraceSummary> {
    let root = root(steps)?;
    let first_of = |pick: fn(&Step) -> &Option<String>| {
        let own = pick(root).clone();
        own.or_else(|| steps.iter().find_map(|step| pick(step).clone()))
    };
    let failed = |step: &&Step| step.status == SpanStatus::Error;
    let sums = sums(steps);
    let end = steps.iter().map(|step| step.end_time).max().unwrap_or(root.end_time);
    let begin = steps.iter().map(|step| step.start_time).min().unwrap_or(root.start_time);
    let first_failure = || steps.iter().filter(failed).find_map(|step| step.error_type.clone());
    let tags: BTreeSet<&String> = steps.iter().flat_map(|step| &step.tags).collect();
    let first_ttft = || steps.iter().filter(|step| step.is_call()).find_map(|step| step.ttft_ms);
    Some(TraceSummary {
        trace_id: root.trace_id,
        name: root.name.clone(),
        kind: root.kind,
        source: root.source,
        start_time: begin,
        duration_ms: end.since(begin).as_micros() as f64 / 1_000.0,
        status: root.status,
        error_type: root.error_type.clone().or_else(first_failure),
        span_count: steps.len() as u64,
        error_count: steps.iter().filter(failed).count() as u64,
        models: models(steps),
        input_tokens: sums.input_tokens,
        output_tokens: sums.output_tokens,
        total_tokens: sums.total_tokens,
        cost: sums.cost,
        ttft_ms: root.ttft_ms.or_else(first_ttft),
        session_id: first_of(|step| &step.session_id),
        user_id: first_of(|step| &step.user_id),
        service_name: first_of(|step| &step.service_name),
        environment: first_of(|step| &step.environment),
        tags: tags.into_iter().cloned().collect(),
        verdict: steps.iter().filter_map(|step| step.verdict).max(),
        input_preview: None,
        output_preview: None,
        search_highlight: None,
    })
}

/// The span that stands for the trace: the first without a parent, or else the first whose parent
/// is not here (it was sampled away, or is still running).
fn root(steps: &[Step]) -> Option<&Step> {
    let known: HashSet<SpanId> = steps.iter().map(|step| step.span_id).collect();
    let orphan = |step: &&Step| step.parent_span_id.is_none_or(|parent| !known.contains(&parent));
    steps
        .iter()
        .find(|step| step.parent_span_id.is_none())
        .or_else(|| steps.iter().find(orphan))
        .or_else(|| steps.first())
}

/// The spans whose previews stand for the trace, best first: for the input the root and the first
/// call, for the output the root and the last call.
pub(super) fn speakers(steps: &[Step]) -> (Vec<SpanId>, Vec<SpanId>) {
    let root = root(steps).map(|step| step.span_id);
    let calls = || steps.iter().filter(|step| step.kind == SpanKind::Llm);
    let first = calls().next().map(|step| step.span_id);
    let last = calls().max_by_key(|step| step.end_time).map(|step| step.span_id);
    (root.into_iter().chain(first).collect(), root.into_iter().chain(last).collect())
}

fn models(steps: &[Step]) -> Vec<String> {
    let mut models: Vec<String> = Vec::new();
    for model in steps.iter().filter(|step| step.is_call()).filter_map(|step| step.model.as_ref()) {
        if !models.contains(model) {
            models.push(model.clone());
        }
    }
    models
}

#[derive(Debug, Default, PartialEq)]
struct Sums {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    cost: Option<Money>,
}

fn sums(steps: &[Step]) -> Sums {
    let by_id: HashMap<SpanId, &Step> = steps.iter().map(|step| (step.span_id, step)).collect();
    let retold = |known: fn(&Step) -> bool| -> HashSet<SpanId> {
        let inner = steps.iter().filter(|step| step.is_call() && known(step));
        inner.flat_map(|step| outer_tellings(step, &by_id)).collect()
    };
    let (tokens_retold, cost_retold) = (retold(|step| step.total_tokens.is_some()), retold(|step| step.cost.is_some()));
    let mut sums = Sums::default();
    for step in steps.iter().filter(|step| step.is_call()) {
        if !tokens_retold.contains(&step.span_id) {
            add(&mut sums.input_tokens, step.input_tokens);
            add(&mut sums.output_tokens, step.output_tokens);
            add(&mut sums.total_tokens, step.total_tokens);
        }
        if !cost_retold.contains(&step.span_id)
            && let Some(cost) = step.cost
        {
            sums.cost = Some(sums.cost.unwrap_or_default() + cost);
        }
    }
    sums
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

/// The spans above `step` that tell of the same call: of the same kind, with nothing but glue between.
fn outer_tellings(step: &Step, by_id: &HashMap<SpanId, &Step>) -> Vec<SpanId> {
    let mut tellings = Vec::new();
    let mut parent = step.parent_span_id;
    // Bounded: what a sender says of parents may go round in circles.
    for _ in 0..MAX_GLUE {
        let Some(above) = parent.and_then(|id| by_id.get(&id)) else { break };
        if above.kind == step.kind && above.span_id != step.span_id {
            tellings.push(above.span_id);
        } else if !matches!(above.kind, SpanKind::Span | SpanKind::Chain) {
            break;
        }
        parent = above.parent_span_id;
    }
    tellings
}

/// The strongest of two verdicts is the greater one.
const _: () = assert!((Verdict::Allow as u8) < (Verdict::Block as u8));
