use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use signalbox_semconv::{NORMALISER_VERSION, RawSpan, normalise};
use signalbox_testkit::builders::{span_id, trace_id};
use signalbox_testkit::{ManualClock, MemoryStore};
use signalbox_types::seam::Clock;
use signalbox_types::{Action, Finding, KeyId, Place, Severity, SpanKind, Verdict};

use super::*;

struct Bench {
    store: Arc<MemoryStore>,
    reindex: Reindex,
    clock: Arc<ManualClock>,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
    let reindex = Reindex::new(Arc::<MemoryStore>::clone(&store), PriceBook::builtin().into());
    Bench { store, reindex, clock }
}

impl Bench {
    /// A chat call as it was normalised when it came.
    fn chat(&self, number: u64) -> Span {
        let mut sent = RawSpan::new(trace_id(number), span_id(number), "chat gpt-4o-mini");
        let begin = self.clock.now().minus(Duration::from_secs(60)).as_micros().unsigned_abs() * 1_000;
        (sent.start_ns, sent.end_ns) = (begin, begin + 1_500_000_000);
        let said = format!("Question {number}: {}", "what is the weather like? ".repeat(10));
        for (name, value) in [
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.provider.name", json!("openai")),
            ("gen_ai.request.model", json!("gpt-4o-mini")),
            ("gen_ai.request.stop_sequences", json!(["."])),
            ("gen_ai.usage.input_tokens", json!(1_000)),
            ("gen_ai.usage.output_tokens", json!(100)),
            (
                "gen_ai.input.messages",
                json!(json!([{"role": "user", "parts": [{"type": "text", "content": said}]}]).to_string()),
            ),
        ] {
            sent.attributes.insert(name, value);
        }
        let key = KeyId::new("key-1");
        crate::pipeline::priced(normalise(sent, &ProjectId::new("p"), Some(&key)), &PriceBook::builtin())
    }

    async fn append(&self, spans: Vec<Span>) {
        self.store.append(spans.into()).await.unwrap();
    }

    async fn run(&self) -> Vec<Reindexed> {
        let steps = self.reindex.reindex(&ProjectId::new("p"), TimeRange::all());
        steps.map(Result::unwrap).collect().await
    }
}

/// As if an earlier version had read it, one that knew nothing of models.
fn misread(mut span: Span) -> Span {
    span.normaliser_version = 1;
    span.kind = SpanKind::Span;
    (span.provider, span.model_requested, span.cost) = (None, None, None);
    span.usage = signalbox_types::Usage::default();
    span
}

#[tokio::test]
async fn what_was_misread_is_mended_and_what_was_found_stays() {
    let bench = bench();
    let right = bench.chat(1);
    let mut old = misread(right.clone());
    old.findings = vec![Finding {
        scanner: "secrets".to_owned(),
        rule: "openai_api_key".to_owned(),
        severity: Severity::High,
        confidence: 0.5,
        place: Place::Input,
        start: 1,
        end: 2,
        action: Action::Flag,
        message: "a key".to_owned(),
    }];
    old.verdict = Some(Verdict::Flag);
    bench.append(vec![old.clone()]).await;

    let steps = bench.run().await;
    assert_eq!(steps[0], Reindexed { total: 1, ..Reindexed::default() });
    assert_eq!(steps[1..], [Reindexed { total: 1, spans: 1, changed: 1, failed: 0, done: true }]);
    let expected = Span { findings: old.findings, verdict: old.verdict, counted: true, ..right };
    assert_eq!(*bench.store.spans()[0], expected);
    assert_eq!(bench.run().await, [Reindexed { done: true, ..Reindexed::default() }], "nothing is left to do");
}

#[tokio::test]
async fn what_was_read_well_only_says_who_read_it() {
    let bench = bench();
    let mut old = bench.chat(1);
    old.normaliser_version = 1;
    bench.append(vec![old.clone()]).await;
    assert_eq!(bench.run().await[1], Reindexed { total: 1, spans: 1, changed: 0, failed: 0, done: true });
    let expected = Span { normaliser_version: NORMALISER_VERSION, counted: true, ..old };
    assert_eq!(*bench.store.spans()[0], expected);
}

#[tokio::test]
async fn a_call_counts_as_it_did() {
    let bench = bench();
    let mut old = bench.chat(1);
    old.normaliser_version = 1;
    // The gateway told of the call first, before a restart: nobody remembers.
    old.counted_before = Some(false);
    bench.append(vec![old]).await;
    bench.run().await;
    assert!(!bench.store.spans()[0].counted);
}

#[tokio::test]
async fn many_pages_and_some_that_fail() {
    let bench = bench();
    let total = u64::from(PAGE) * 2 + 7;
    let mut spans: Vec<Span> = (0..total).map(|number| misread(bench.chat(number))).collect();
    // What was moved is nowhere, all over the pages.
    for span in spans.iter_mut().step_by(100) {
        span.input_messages.clear();
    }
    bench.append(spans).await;
    let steps = bench.run().await;
    let failed = total.div_ceil(100);
    assert_eq!(steps.len(), 4);
    assert_eq!(steps[3], Reindexed { total, spans: total, changed: total - failed, failed, done: true });
    let again = bench.run().await;
    assert_eq!(again.last().map(|step| (step.total, step.failed)), Some((failed, failed)));
}

#[tokio::test]
async fn spans_of_others_and_without_bodies_are_left_alone() {
    let bench = bench();
    let (mut gateway, mut stripped, mut imported) = (misread(bench.chat(1)), misread(bench.chat(2)), bench.chat(3));
    gateway.source = SpanSource::Gateway;
    stripped.attributes.clear();
    imported.normaliser_version = 0;
    let other = Span { project_id: ProjectId::new("q"), ..misread(bench.chat(4)) };
    bench.append(vec![gateway, stripped, imported, other]).await;
    assert_eq!(bench.run().await, [Reindexed { done: true, ..Reindexed::default() }]);
}
