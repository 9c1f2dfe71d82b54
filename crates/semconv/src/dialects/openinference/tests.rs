use serde_json::{Value, json};
use signalbox_types::{SpanKind, Usage};

use crate::testing::{normalised, shown};

#[test]
fn fixtures() {
    insta::glob!("fixtures/*.json", |path| {
        let fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        insta::assert_snapshot!(shown(normalised(&fixture)));
    });
}

fn with(attributes: Value) -> signalbox_types::Span {
    normalised(&json!({"name": "s", "attributes": attributes}))
}

#[test]
fn kinds_in_any_case() {
    let check =
        |kind: &str, expected: SpanKind| assert_eq!(with(json!({"openinference.span.kind": kind})).kind, expected);
    check("LLM", SpanKind::Llm);
    check("llm", SpanKind::Llm);
    check("RERANKER", SpanKind::Reranker);
    check("GUARDRAIL", SpanKind::Guardrail);
    check("UNKNOWN", SpanKind::Span);
}

#[test]
fn its_kind_wins_over_the_conventions_and_both_are_read() {
    let span = with(json!({
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o",
        "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.output_tokens": 7, "gen_ai.conversation.id": "c"
    }));
    assert_eq!((span.kind, span.dialect.as_deref()), (SpanKind::Llm, Some("openinference")));
    assert_eq!(span.usage.output_tokens, Some(7));
    assert_eq!(span.session_id.as_deref(), Some("c"));
}

#[test]
fn a_chain_repeats_the_usage_of_its_calls() {
    let span = with(json!({"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 9, "llm.cost.total": 1}));
    assert_eq!((span.usage, span.cost), (Usage::default(), None));
}

#[test]
fn values_by_their_type() {
    let check = |mime_type: Value, expected: Value| {
        let span = with(json!({
            "openinference.span.kind": "CHAIN", "input.value": "{\"q\":1}", "input.mime_type": mime_type
        }));
        assert_eq!(span.input, Some(expected));
    };
    check(json!("application/json"), json!({"q": 1}));
    check(Value::Null, json!({"q": 1}));
    check(json!("text/plain"), json!("{\"q\":1}"));
}

#[test]
fn costs_are_disjoint() {
    let cost = with(json!({
        "openinference.span.kind": "LLM", "llm.cost.prompt": 0.03, "llm.cost.completion": "0.01",
        "llm.cost.prompt_details.cache_read": 0.01, "llm.cost.prompt_details.cache_write": 0.005
    }))
    .cost
    .unwrap();
    let found = [cost.input, cost.cache_read, cost.cache_write, cost.output, cost.total].map(|money| money.to_string());
    assert_eq!(found, ["0.015", "0.01", "0.005", "0.01", "0.04"]);
}
