use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_types::{KeyId, ProjectId, SpanKind, Timestamp};

use crate::testing::{again, normalised, raw};
use crate::{NORMALISER_VERSION, RawEvent, is_placeholder, normalise};

#[test]
fn a_plain_span_keeps_what_it_says() {
    let span = normalised(&json!({
        "name": "GET /orders", "kind": "client",
        "resource": {"service.name": "shop", "service.version": "1.2", "deployment.environment": "prod", "host.name": "h"},
        "attributes": {"http.status_code": 200, "list": [1, "a"], "empty": "", "flag": true},
        "scope": {"name": "requests", "version": "2"}
    }));
    assert_eq!((span.kind, span.dialect.clone(), span.normaliser_version), (SpanKind::Span, None, NORMALISER_VERSION));
    assert_eq!(span.service_name.as_deref(), Some("shop"));
    assert_eq!(span.release.as_deref(), Some("1.2"));
    assert_eq!(span.environment.as_deref(), Some("prod"));
    assert_eq!(span.attributes["http.status_code"], "200");
    assert_eq!(span.attributes["list"], "[1,\"a\"]");
    assert_eq!(span.attributes["empty"], "");
    assert_eq!(span.attributes["otel.span.kind"], "client");
    assert_eq!(span.resource_attributes["host.name"], "h");
    assert_eq!(span.duration_ms(), 1_500.0);
}

#[test]
fn odd_times_and_parents() {
    let mut odd = raw(&json!({"name": ""}));
    odd.parent_span_id = Some(odd.span_id);
    (odd.start_ns, odd.end_ns) = (5_000, 2_000);
    let span = normalise(odd.clone(), &ProjectId::new("p"), None);
    assert_eq!((span.parent_span_id, span.name.as_str()), (None, "unnamed"));
    assert_eq!((span.start_time, span.end_time), (Timestamp::from_micros(5), Timestamp::from_micros(5)));
    (odd.start_ns, odd.end_ns) = (0, u64::MAX);
    let span = normalise(odd, &ProjectId::new("p"), None);
    assert_eq!(span.start_time, span.end_time);
}

#[test]
fn logfire_announcements_are_no_spans() {
    assert!(is_placeholder(&raw(&json!({"attributes": {"logfire.span_type": "pending_span"}}))));
    assert!(!is_placeholder(&raw(&json!({"attributes": {"logfire.span_type": "span"}}))));
}

/// Every name that any dialect looks at, and pieces of flattened ones.
const NAMES: &[&str] = &[
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.request.stream",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cost",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.evaluation.name",
    "gen_ai.prompt",
    "gen_ai.completion",
    "content",
    "message",
    "tool_calls",
    "finish_reason",
    "openinference.span.kind",
    "llm.input_messages",
    "llm.input_messages.0.message.role",
    "llm.input_messages.0.message.content",
    "llm.input_messages.0.message.contents.0.message_content.type",
    "llm.input_messages.0.message.contents.0.message_content.image.image.url",
    "llm.input_messages.99999999999999999999.message.content",
    "llm.input_messages.0.message.tool_calls.0.tool_call.function.name",
    "llm.output_messages.x.message",
    "llm.tools.0.tool.json_schema",
    "llm.invocation_parameters",
    "llm.token_count.prompt",
    "llm.token_count.prompt_details.cache_read",
    "llm.cost.prompt",
    "llm.cost.prompt_details.cache_read",
    "llm.prompts.0.prompt.text",
    "retrieval.documents.0.document.metadata",
    "embedding.embeddings.0.embedding.text",
    "input.value",
    "metadata",
    "tag.tags",
    "session.id",
    "logfire.span_type",
];

const TEXTS: &[&str] = &[
    "",
    "chat",
    "invoke_agent",
    "LLM",
    "12",
    "-1",
    "1e999",
    "[]",
    "{}",
    "[[]]",
    "{\"role\":1}",
    "data:;base64,",
    "é\u{0}",
    "42",
    "[\"a\",1]",
    LONG,
    "{\"$\":\"/input\"}",
];

/// Long enough to be left out of the attributes if it stands in a column.
const LONG: &str = "a text of more than 64 bytes, as they are left out: ~/\"\\ é, said more than once";

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // serde reads others back off by the last bit.
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        proptest::sample::select(&[f64::NAN, -0.0, 1e300, 9e15][..]).prop_map(Value::from),
        Just(Value::from(LONG)),
        proptest::sample::select(TEXTS).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let key = proptest::sample::select(
        &[
            "role",
            "parts",
            "type",
            "content",
            "text",
            "message",
            "messages",
            "tool_calls",
            "function",
            "name",
            "arguments",
            "system",
            "data",
            "source",
            "url",
        ][..],
    );
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let object = btree_map(key.clone().prop_map(str::to_owned), inner.clone(), 0..4);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            object.clone().prop_map(|map| Value::Object(map.into_iter().collect())),
            // JSON in a text.
            object.prop_map(|map| Value::from(json!(map).to_string())),
            vec(inner, 0..3).prop_map(|list| Value::from(json!(list).to_string())),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = prop_oneof![
        8 => proptest::sample::select(NAMES).prop_map(str::to_owned),
        1 => "(gen_ai|llm|mcp)(\\.[a-z0-9.]{0,9}){0,3}",
    ];
    vec((name, values()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics_and_never_contradicts_itself(
        attributes in attributes(),
        events in vec((proptest::sample::select(&["exception", "gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt", "gen_ai.client.inference.operation.details", "First Token Stream Event"][..]), self::attributes(), any::<u64>()), 0..4),
        times in any::<(u64, u64)>(),
        name in ".{0,8}",
    ) {
        let mut span = raw(&json!({}));
        span.name = name;
        (span.start_ns, span.end_ns) = times;
        span.attributes = attributes.iter().cloned().collect();
        span.events = events
            .into_iter()
            .map(|(name, attributes, time_ns)| RawEvent { name: name.to_owned(), attributes: attributes.into_iter().collect(), time_ns })
            .collect();
        let sent = span.clone();
        let span = normalise(span, &ProjectId::new("p"), Some(&KeyId::new("k")));
        again(sent, &span);

        prop_assert!(span.end_time >= span.start_time);
        prop_assert!(!span.name.is_empty());
        let usage = span.usage;
        if let Some(input) = usage.input_tokens {
            let cached = usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
            prop_assert!(cached <= input, "{usage:?}");
        }
        if let Some(cost) = span.cost {
            prop_assert!([cost.input, cost.cache_read, cost.cache_write, cost.output, cost.total].iter().all(|money| money.as_picos() >= 0));
        }
    }
}
