//! One call, several witnesses: an SDK's span and our gateway's span may describe the same call, and
//! an agent's span repeats what its calls used. Sums must count each call once.

use std::collections::{HashMap, VecDeque};

use crate::{ProjectId, Span, SpanId, SpanKind, SpanSource, TraceId};

/// Calls remembered. SDKs export seconds after the call, so this is minutes of heavy traffic.
const REMEMBERED: usize = 65_536;

type Call = (ProjectId, TraceId, SpanId);

/// Decides of each span whether its usage and cost count in sums (`Span::counted`).
///
/// Only spans of models count: llm, embedding, reranker. Where an SDK's span is the parent of the
/// gateway's spans of the same call (several, if it was retried), the side that came first counts.
/// A witness that comes after so many other calls, or after a restart, is counted again, unless it
/// says how it counted before.
#[derive(Debug, Default)]
pub struct CountOnce {
    /// A call is named by the SDK's span; the value is who told of it first.
    first_witness: HashMap<Call, SpanSource>,
    order: VecDeque<Call>,
}

impl CountOnce {
    /// Marks spans in the order they are stored.
    pub fn mark(&mut self, spans: &mut [Span]) {
        for span in spans {
            span.counted = matches!(span.kind, SpanKind::Llm | SpanKind::Embedding | SpanKind::Reranker);
            let call = match span.source {
                SpanSource::Gateway => span.parent_span_id,
                SpanSource::Otlp => Some(span.span_id),
            };
            let before = span.counted_before.take();
            if let Some(call) = call.filter(|_| span.counted) {
                let call = (span.project_id.clone(), span.trace_id, call);
                span.counted = before.unwrap_or_else(|| self.witness(call, span.source));
            }
        }
    }

    fn witness(&mut self, call: Call, source: SpanSource) -> bool {
        if let Some(first) = self.first_witness.get(&call) {
            return *first == source;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.first_witness.remove(&oldest);
        }
        self.order.push_back(call.clone());
        self.first_witness.insert(call, source);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn span(id: u8, parent: Option<u8>, source: SpanSource, kind: SpanKind) -> Span {
        let trace = TraceId::from_bytes([7; 16]).unwrap();
        let mut span =
            Span::new(ProjectId::new("p"), trace, SpanId::from_bytes([id; 8]).unwrap(), "x", Timestamp::default());
        span.parent_span_id = parent.and_then(|parent| SpanId::from_bytes([parent; 8]));
        (span.source, span.kind) = (source, kind);
        span
    }

    fn check(spans: &[Span], expected: &[bool]) {
        let mut once = CountOnce::default();
        let mut spans = spans.to_vec();
        once.mark(&mut spans);
        assert_eq!(spans.iter().map(|span| span.counted).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_call_counts_once_whoever_tells_first() {
        let sdk = span(1, Some(9), SpanSource::Otlp, SpanKind::Llm);
        let gateway = span(2, Some(1), SpanSource::Gateway, SpanKind::Llm);
        check(&[gateway.clone(), sdk.clone()], &[true, false]);
        check(&[sdk.clone(), gateway.clone()], &[true, false]);
        let retried = span(3, Some(1), SpanSource::Gateway, SpanKind::Llm);
        check(&[gateway, retried, sdk], &[true, true, false]);
    }

    #[test]
    fn a_version_that_replaces_one_counts_as_that_did() {
        let mut sdk = span(1, Some(9), SpanSource::Otlp, SpanKind::Llm);
        for before in [true, false] {
            sdk.counted_before = Some(before);
            check(&[sdk.clone()], &[before]);
        }
        // What is no call any more counts no more.
        let mut agent = span(1, None, SpanSource::Otlp, SpanKind::Agent);
        agent.counted_before = Some(true);
        check(&[agent], &[false]);
    }

    #[test]
    fn calls_below_an_agent_all_count_and_the_agent_does_not() {
        let agent = span(1, None, SpanSource::Otlp, SpanKind::Agent);
        let first = span(2, Some(1), SpanSource::Gateway, SpanKind::Llm);
        let second = span(3, Some(1), SpanSource::Gateway, SpanKind::Embedding);
        check(&[first, second, agent], &[true, true, false]);
    }
}
