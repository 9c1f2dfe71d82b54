//! Answers that go well: every pair of dialects, whole and streamed, with and without tools.

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_types::seam::Clock as _;
use signalbox_types::{Part, SpanKind, SpanStatus};

use crate::house::{CHAT, GEMINI, House, MESSAGES, Plan, RESPONSES, hand_written, http_answer, question, with};

/// A caller's path and a model of a provider, by (caller's dialect, provider's dialect).
const PAIRS: [(&str, &str); 16] = [
    (CHAT, "oai/small"),
    (CHAT, "ant/small"),
    (CHAT, "gem/small"),
    (MESSAGES, "ant/small"),
    (MESSAGES, "oai/small"),
    (MESSAGES, "gem/small"),
    (GEMINI, "gem/small"),
    (GEMINI, "oai/small"),
    (GEMINI, "ant/small"),
    (CHAT, "rsp/small"),
    (MESSAGES, "rsp/small"),
    (GEMINI, "rsp/small"),
    (RESPONSES, "rsp/small"),
    // It has both APIs.
    (RESPONSES, "oai/small"),
    (RESPONSES, "ant/small"),
    (RESPONSES, "gem/small"),
];

fn weather_tool(path: &str) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    if path == GEMINI {
        let function =
            json!({"name": "get_weather", "description": "Weather of a city", "parametersJsonSchema": schema});
        json!({"tools": [{"functionDeclarations": [function]}]})
    } else if path == MESSAGES {
        json!({"tools": [{"name": "get_weather", "description": "Weather of a city", "input_schema": schema}]})
    } else if path == RESPONSES {
        json!({"tools": [{"type": "function", "name": "get_weather", "description": "Weather of a city", "parameters": schema}]})
    } else {
        let function = json!({"name": "get_weather", "description": "Weather of a city", "parameters": schema});
        json!({"tools": [{"type": "function", "function": function}]})
    }
}

#[tokio::test]
async fn every_pair_of_dialects_answers_whole_and_streamed() {
    let house = House::new().await;
    let echo = "Signals, levers and a kettle – ünïcödé 🚂";
    let header = "Signals, levers and a kettle %E2%80%93 %C3%BCn%C3%AFc%C3%B6d%C3%A9 %F0%9F%9A%82";
    for (path, model) in PAIRS {
        for stream in [false, true] {
            let body = with(question(path, model), json!({"stream": stream}));
            let answer = house.call(path, &[("x-sim-echo", header), ("x-sim-split", "7")], &body).await;
            assert_eq!(answer.status, 200, "{path} {model} {stream}: {}", answer.text());
            assert_eq!(answer.content(), echo, "{path} {model} {stream}: {}", answer.text());
            let provider = model.split('/').next().unwrap();
            assert_eq!(answer.header("x-signalbox-provider"), provider);
            assert_eq!(answer.header("x-signalbox-model"), "small");
            assert_eq!(answer.headers.contains_key("x-signalbox-cost-usd"), !stream, "{:?}", answer.headers);
            assert_eq!(answer.header("x-signalbox-verdict"), "");
            // Anthropic doesn't say when; OpenAI's callers want to know.
            if (path, model, stream) == (CHAT, "ant/small", false) {
                assert_eq!(answer.json()["created"], house.clock.now().as_secs());
            }
        }
    }
    let spans = house.spans().await;
    assert_eq!(spans.len(), 2 * PAIRS.len());
    for span in spans {
        assert_eq!(span.status, SpanStatus::Ok, "{span:#?}");
        assert_eq!(span.kind, SpanKind::Llm);
        assert_eq!(span.name, "chat small");
        assert_eq!(span.http_status, Some(200));
        assert_eq!(span.input_messages[0].readable(), "What is a signal box?");
        assert_eq!(span.output_messages[0].readable(), echo);
        assert_eq!(span.finish_reasons, ["stop"]);
        assert!(span.usage.input_tokens > Some(0), "{:?}", span.usage);
        assert!(span.usage.output_tokens > Some(0), "{:?}", span.usage);
        assert!(span.cost.is_some(), "{:?} {:?}", span.provider, span.model());
        assert_eq!(span.ttft_ms.is_some(), span.streaming);
        assert_eq!(span.key_id, house.catalog.authenticate(crate::house::KEY).ok().map(|principal| principal.key_id));
    }
}

#[tokio::test]
async fn every_pair_of_dialects_calls_tools_and_takes_their_results() {
    let house = House::new().await;
    for (path, model) in PAIRS {
        for stream in [false, true] {
            let body = with(with(question(path, model), weather_tool(path)), json!({"stream": stream}));
            let answer = house.call(path, &[("x-sim-tool-calls", "2"), ("x-sim-split", "11")], &body).await;
            assert_eq!(answer.status, 200, "{path} {model} {stream}: {}", answer.text());
            let calls = answer.tool_calls();
            assert_eq!(calls.len(), 2, "{path} {model} {stream}: {}", answer.text());
            for (name, arguments) in calls {
                assert_eq!(name, "get_weather");
                assert!(arguments["city"].is_string(), "{arguments}");
            }
        }
    }
    for span in house.spans().await {
        assert_eq!(span.finish_reasons, ["tool_calls"], "{span:#?}");
        assert_eq!(span.tools[0].name, "get_weather");
        let calls = span.output_messages[0].parts.iter().filter(|part| matches!(part, Part::ToolCall { .. })).count();
        assert_eq!(calls, 2);
    }
    for (path, model) in PAIRS {
        let messages = if path == MESSAGES {
            json!([
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {"city": "York"}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "rain"}]},
            ])
        } else {
            json!([
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"York\"}"}}]},
                {"role": "tool", "tool_call_id": "t1", "content": "rain"},
            ])
        };
        let contents = json!([
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "get_weather", "args": {"city": "York"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"output": "rain"}}}]},
        ]);
        let input = json!([
            {"role": "user", "content": "Weather?"},
            {"type": "function_call", "call_id": "t1", "name": "get_weather", "arguments": "{\"city\":\"York\"}"},
            {"type": "function_call_output", "call_id": "t1", "output": "rain"},
        ]);
        let turns = match path {
            GEMINI => json!({"contents": contents}),
            RESPONSES => json!({"input": input}),
            _ => json!({"messages": messages}),
        };
        let body = with(with(question(path, model), weather_tool(path)), turns);
        let answer = house.call(path, &[], &body).await;
        assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
        assert!(answer.tool_calls().is_empty(), "the loop must end: {}", answer.text());
        assert!(!answer.content().is_empty());
    }
}

#[tokio::test]
async fn same_dialect_passes_bytes_through_both_ways() {
    // Odd spacing, unknown fields, duplicate escapes: nothing of it may be normalised.
    let openai = r#"{ "id":"x1", "object":"chat.completion","created":1,"model":"m", "new_field":{"b":1,"a":[2,  3]},
 "choices":[{"index":0,"message":{"role":"assistant","content":"h\u00e9llo \ud83d\ude82","audio":null},"finish_reason":"stop"}],
 "usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"queue_time":0.25}}"#;
    let anthropic = r#"{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi","citations":null},
 {"type":"brand_new","x":1}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2,"new":{}}}"#;
    let gemini = r#"{"candidates": [{"content": {"parts": [{"text": "h\u00e9","new":1}], "role":"model"},"finishReason":"STOP", "groundingMetadata":{"x":[1,  2]}}],
 "usageMetadata": {"promptTokenCount":3, "candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"m"}"#;
    let responses = r#"{ "id":"resp_1","object":"response", "created_at":1, "status":"completed","model":"m","error":null,
 "output":[{"type":"brand_new","id":"n1","x":[1,  2]}, {"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"h\u00e9","annotations":[]}]}],
 "usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5,"new":{}}}"#;
    let whole = [
        (CHAT, "openai_chat", openai),
        (MESSAGES, "anthropic_messages", anthropic),
        (GEMINI, "gemini", gemini),
        (RESPONSES, "openai_responses", responses),
    ];
    for (path, dialect, whole) in whole {
        let base_url = hand_written(vec![http_answer("200 OK", "application/json", whole)]).await;
        let providers =
            vec![json!({"name": "hand", "dialect": dialect, "base_url": base_url, "api_key": "upstream-key"})];
        let house = House::build(Plan { providers, ..Plan::default() }).await;
        let answer = house.call(path, &[], &question(path, "hand/m")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.text(), whole);
        assert_eq!(house.only_span().await.usage.output_tokens, Some(2));
    }

    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/m"), (MESSAGES, "ant/m")] {
        let raw = format!(
            "{{ \"stream\" :false,\n \"max_tokens\":9,\"unknown\":[1,  {{\"a\":\"\\u00e9\"}}],\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}], \"model\": \"{model}\" }}"
        );
        let answer = house.call_bytes(path, &[], Bytes::from(raw.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = house.received().await;
        // The provider's name for the model is spliced in; nothing else is touched.
        assert_eq!(received.last().unwrap()["body"], raw.replace(model, "m"));
    }
    let raw = r#"{ "contents" :[{"parts":[ {"text":"\u00e9"}]}],  "unknown":[1,  2], "generation_config":{ } }"#;
    let answer = house.call_bytes("/v1beta/models/gem/m:generateContent", &[], Bytes::from(raw)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = house.received().await;
    let last = received.last().unwrap();
    assert_eq!((&last["path"], &last["body"]), (&json!("/v1beta/models/m:generateContent"), &json!(raw)));
}

#[tokio::test]
async fn embeddings_pass_and_are_recorded() {
    let house = House::new().await;
    let body = json!({"model": "oai/embed", "input": ["one", "two"]});
    let answer = house.call("/v1/embeddings", &[], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    let span = house.only_span().await;
    assert_eq!(span.kind, SpanKind::Embedding);
    assert_eq!(span.name, "embeddings embed");
    assert_eq!(span.input, Some(json!(["one", "two"])));
    assert!(span.usage.input_tokens > Some(0));

    let answer = house.call("/v1/embeddings", &[], &json!({"model": "ant/embed", "input": "one"})).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("no embeddings endpoint"), "{}", answer.text());
}

#[tokio::test]
async fn models_are_listed_in_the_callers_shape() {
    let house = House::new().await;
    let get = |path: &str, anthropic: bool| {
        let mut request = http::Request::get(path).header("x-api-key", crate::house::KEY);
        if anthropic {
            request = request.header("anthropic-version", "2023-06-01");
        }
        let empty = http_body_util::combinators::UnsyncBoxBody::default();
        let house = &house;
        let request = request.body(empty).unwrap();
        async move { crate::house::Answer::read(house.send(request).await).await }
    };
    let list = get("/v1/models", false).await.json();
    assert_eq!(list["object"], "list");
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"sim/small") && ids.contains(&"oai/small"), "{ids:?}");
    let list = get("/v1/models", true).await.json();
    assert_eq!(list["data"][0]["type"], "model");
    assert_eq!(list["has_more"], false);
    assert_eq!(get("/v1/models/sim%2Fsmall", false).await.json()["id"], "sim/small");
    assert_eq!(get("/v1/models/sim/small", true).await.json()["id"], "sim/small");
    let missing = get("/v1/models/nope", false).await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["error"]["code"], "model_not_found");
    assert_eq!(get("/v1/models/nope", true).await.json()["type"], "error");
    assert!(house.spans().await.is_empty());
    assert!(house.metrics().contains(r#"signalbox_gateway_requests_total{path="/v1/models""#));
}

#[tokio::test]
async fn query_strings_go_on_in_the_same_dialect() {
    let house = House::new().await;
    let older = |(path, model): &(&str, &str)| *path != GEMINI && !model.starts_with("gem");
    let mut expected = Vec::new();
    for (path, model) in PAIRS.into_iter().filter(older) {
        let same = matches!(
            (path, model),
            (CHAT | RESPONSES, "oai/small") | (RESPONSES, "rsp/small") | (MESSAGES, "ant/small")
        );
        expected.push(if same { "beta=true" } else { "" });
        let body = question(path, model).to_string();
        let request = crate::house::request(&format!("{path}?beta=true&key=sb-x"), &[], Bytes::from(body));
        assert_eq!(house.send(request).await.status(), 200, "{path} {model}");
    }
    let queries: Vec<String> =
        house.received().await.iter().map(|request| request["query"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(queries, expected);
}
