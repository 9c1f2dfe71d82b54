use serde_json::{Value, json};
use signalbox_types::{CostSource, SpanKind, SpanStatus};

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
fn kinds() {
    let check = |attributes: Value, kind: SpanKind| assert_eq!(with(attributes.clone()).kind, kind, "{attributes}");
    for (operation, kind) in [
        ("chat", SpanKind::Llm),
        ("text_completion", SpanKind::Llm),
        ("generate_content", SpanKind::Llm),
        ("embeddings", SpanKind::Embedding),
        ("retrieval", SpanKind::Retriever),
        ("execute_tool", SpanKind::Tool),
        ("invoke_agent", SpanKind::Agent),
        ("create_agent", SpanKind::Agent),
        ("invoke_workflow", SpanKind::Workflow),
        ("plan", SpanKind::Plan),
        ("search_memory", SpanKind::Memory),
        ("create_memory_store", SpanKind::Memory),
        ("something_new", SpanKind::Span),
    ] {
        check(json!({"gen_ai.operation.name": operation}), kind);
    }
    check(json!({"gen_ai.tool.name": "f"}), SpanKind::Tool);
    check(json!({"mcp.method.name": "tools/list"}), SpanKind::Mcp);
    check(json!({"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool"}), SpanKind::Tool);
    check(json!({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}), SpanKind::Llm);
    check(json!({"gen_ai.evaluation.name": "relevance"}), SpanKind::Evaluator);
}

#[test]
fn cached_tokens_by_every_name_and_both_meanings() {
    let check = |attributes: Value, expected: [Option<u64>; 3]| {
        let usage = with(json!({"gen_ai.operation.name": "chat"}).merged(attributes)).usage;
        assert_eq!([usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens], expected);
    };
    check(
        json!({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.cache_write.input_tokens": 30}),
        [Some(100), Some(60), Some(30)],
    );
    check(
        json!({"gen_ai.usage.prompt_tokens": "100", "gen_ai.usage.cache_creation.input_tokens": "40"}),
        [Some(100), None, Some(40)],
    );
    // Reported without the cached ones.
    check(
        json!({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read_input_tokens": 60, "gen_ai.usage.cache_creation_input_tokens": 30}),
        [Some(100), Some(60), Some(30)],
    );
    check(json!({}), [None, None, None]);
}

#[test]
fn an_agent_repeats_the_usage_of_its_calls() {
    let agent = with(json!({
        "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cost": 0.5
    }));
    assert!(agent.usage.is_unknown());
    assert_eq!(agent.cost, None);
    assert_eq!(agent.attributes["gen_ai.usage.input_tokens"], "100", "but it is kept");
}

#[test]
fn reported_zero_is_a_cost() {
    let cost = with(json!({"gen_ai.operation.name": "chat", "gen_ai.usage.cost": 0})).cost.unwrap();
    assert_eq!((cost.total.as_picos(), cost.source), (0, CostSource::Reported));
    assert_eq!(with(json!({"gen_ai.operation.name": "chat"})).cost, None);
    assert_eq!(with(json!({"gen_ai.operation.name": "chat", "gen_ai.usage.cost": -1})).cost, None);
}

#[test]
fn sessions_and_users_on_any_span() {
    let plain = with(json!({"session.id": 42, "user.id": "u", "http.route": "/x"}));
    assert_eq!((plain.session_id.as_deref(), plain.user_id.as_deref()), (Some("42"), Some("u")));
    assert_eq!((plain.kind, plain.dialect), (SpanKind::Span, None));
    let tool = with(json!({"gen_ai.operation.name": "execute_tool", "gen_ai.conversation.id": "c"}));
    assert_eq!(tool.session_id.as_deref(), Some("c"));
}

#[test]
fn failures() {
    let check = |fixture: Value, status: SpanStatus, error: Option<&str>, message: Option<&str>| {
        let span = normalised(&fixture);
        assert_eq!((span.status, span.error_type.as_deref(), span.status_message.as_deref()), (status, error, message));
    };
    let exception = json!([{"name": "exception", "attributes": {"exception.type": "TimeoutError", "exception.message": "too slow"}}]);
    check(
        json!({"status": {"code": "error"}, "events": exception}),
        SpanStatus::Error,
        Some("TimeoutError"),
        Some("too slow"),
    );
    check(
        json!({"attributes": {"error.type": "500"}, "events": exception}),
        SpanStatus::Error,
        Some("500"),
        Some("too slow"),
    );
    check(json!({"status": {"code": "ok"}, "events": exception}), SpanStatus::Ok, None, None);
    check(json!({"events": exception}), SpanStatus::Unset, None, None);
    check(json!({"status": {"code": "error", "message": "no"}}), SpanStatus::Error, None, Some("no"));
}

trait Merged {
    fn merged(self, other: Value) -> Value;
}

impl Merged for Value {
    fn merged(mut self, other: Value) -> Value {
        if let (Value::Object(mine), Value::Object(other)) = (&mut self, other) {
            mine.extend(other);
        }
        self
    }
}
