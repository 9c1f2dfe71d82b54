//! Streams: what goes out when, and how they end.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_types::SpanStatus;

use crate::house::{
    Answer, CHAT, House, MESSAGES, Plan, RESPONSES, hand_written, http_answer, question, request, with,
};

fn streamed(path: &str, model: &str) -> Value {
    with(question(path, model), json!({"stream": true}))
}

const OPENAI: &str = concat!(
    ": keep-alive\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"x\":1,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\r\n\r\n",
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo \u{1f682}\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2,\"total_tokens\":6}}\n\n",
    "data: [DONE]\n\n",
);

const ANTHROPIC: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":4,\"output_tokens\":1}}}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    "event: brand_new\ndata: {\"type\":\"brand_new\",\"x\":1}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

async fn hand_house(dialect: &str, content_type: &str, body: &str, guard: bool) -> House {
    let base_url = hand_written(vec![http_answer("200 OK", content_type, body)]).await;
    let providers = vec![json!({"name": "hand", "dialect": dialect, "base_url": base_url, "api_key": "upstream-key"})];
    let guard = if guard {
        serde_json::to_value(signalbox_guard::GuardConfig::default()).unwrap()
    } else {
        json!({"policies": []})
    };
    House::build(Plan { providers, guard, ..Plan::default() }).await
}

#[tokio::test]
async fn same_dialect_streams_pass_byte_for_byte() {
    for (path, dialect, stream) in [(CHAT, "openai_chat", OPENAI), (MESSAGES, "anthropic_messages", ANTHROPIC)] {
        for guard in [false, true] {
            let house = hand_house(dialect, "text/event-stream", stream, guard).await;
            let body = with(streamed(path, "hand/m"), json!({"stream_options": {"include_usage": true}}));
            let body = if path == MESSAGES { streamed(path, "hand/m") } else { body };
            let answer = house.call(path, &[], &body).await;
            assert_eq!(answer.text(), stream, "guard: {guard}");
            let span = house.only_span().await;
            assert_eq!(span.status, SpanStatus::Ok, "{span:#?}");
            assert_eq!(span.usage.total(), Some(6));
            assert!(span.output_messages[0].readable().starts_with("Hel"), "{span:#?}");
        }
    }
}

#[tokio::test]
async fn usage_that_the_caller_did_not_ask_for_is_asked_for_and_hidden() {
    let house = House::new().await;
    for (extra, shown) in [(json!({}), false), (json!({"stream_options": {"include_usage": true}}), true)] {
        let answer = house.call(CHAT, &[], &with(streamed(CHAT, "oai/small"), extra)).await;
        assert_eq!(answer.events().iter().any(|event| event["usage"].is_object()), shown, "{}", answer.text());
        assert_eq!(answer.events().last().unwrap(), "[DONE]");
    }
    for request in house.received().await {
        let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
    for span in house.spans().await {
        assert!(span.usage.output_tokens > Some(0), "{span:#?}");
        assert!(span.cost.is_some());
    }
}

#[tokio::test]
async fn nothing_slips_past_the_guard_after_the_end() {
    let late =
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", crate::house::secret());
    let house = hand_house("openai_chat", "text/event-stream", &format!("{OPENAI}{late}: bye\n\n"), true).await;
    let answer = house
        .call(CHAT, &[], &with(streamed(CHAT, "hand/m"), json!({"stream_options": {"include_usage": true}})))
        .await;
    assert_eq!(answer.text(), format!("{OPENAI}: bye\n\n"));
}

#[tokio::test]
async fn who_refuses_stream_options_is_not_sent_them() {
    let providers = |address: &str| {
        let base_url = format!("http://{address}/v1");
        vec![json!({"name": "picky", "kind": "mistral", "base_url": base_url, "api_key": "k"})]
    };
    let other = House::new().await;
    let house = House::build(Plan { providers: providers(&other.simulator), ..Plan::default() }).await;
    for path in [CHAT, MESSAGES] {
        let answer = house.call(path, &[], &streamed(path, "picky/small")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for request in other.received().await {
        let body = request["body"].as_str().unwrap();
        assert!(!body.contains("stream_options"), "{request}");
        // The limit has the only name that this kind of provider knows.
        assert!(!body.contains("max_completion_tokens"), "{request}");
    }
}

#[tokio::test]
async fn a_cut_stream_ends_with_an_error_and_without_a_proper_end() {
    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/small"), (CHAT, "ant/small"), (MESSAGES, "ant/small"), (MESSAGES, "oai/small")] {
        let answer = house.call(path, &[("x-sim-cut-after", "3")], &streamed(path, model)).await;
        assert_eq!(answer.status, 200);
        let last = answer.events().pop().unwrap();
        assert!(last["error"]["message"].as_str().unwrap().contains("cut its answer short"), "{}", answer.text());
        assert!(!answer.text().contains("[DONE]") && !answer.text().contains("message_stop"), "{}", answer.text());
        if path == MESSAGES {
            assert_eq!(last["type"], "error");
        }
        assert!(!answer.content().is_empty());
    }
    for span in house.spans().await {
        assert_eq!(span.error_type.as_deref(), Some("upstream_error"), "{span:#?}");
        assert_eq!(span.http_status, Some(200));
        assert!(!span.output_messages[0].readable().is_empty(), "the partial answer is kept");
    }
}

#[tokio::test]
async fn an_end_without_a_goodbye_is_a_cut() {
    let cut = OPENAI.split("data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},").next().unwrap();
    let house = hand_house("openai_chat", "text/event-stream", cut, false).await;
    let answer = house.call(CHAT, &[], &streamed(CHAT, "hand/m")).await;
    assert!(answer.events().last().unwrap()["error"].is_object(), "{}", answer.text());
    assert_eq!(house.only_span().await.error_type.as_deref(), Some("upstream_error"));
}

#[tokio::test]
async fn garbage_in_a_stream_is_told() {
    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/small"), (CHAT, "ant/small"), (MESSAGES, "ant/small"), (MESSAGES, "oai/small")] {
        let answer = house.call(path, &[("x-sim-garbage", "1")], &streamed(path, model)).await;
        let last = answer.events().pop().unwrap();
        assert!(last["error"]["message"].as_str().unwrap().contains("can't be read"), "{}", answer.text());
    }
    for span in house.spans().await {
        assert_eq!(span.error_type.as_deref(), Some("upstream_error"), "{span:#?}");
    }
}

#[tokio::test]
async fn an_error_inside_of_200_becomes_a_status() {
    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/small"), (CHAT, "ant/small"), (MESSAGES, "ant/small"), (MESSAGES, "oai/small")] {
        let answer = house.call(path, &[("x-sim-error-event", "1")], &streamed(path, model)).await;
        assert!(answer.status.is_server_error(), "{path} {model}: {} {}", answer.status, answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("overloaded"), "{message}");
    }
    let body = r#"{"error":{"message":"No credits left","type":"billing","code":null}}"#;
    for stream in [false, true] {
        let house = hand_house("openai_chat", "application/json", body, false).await;
        let answer = house.call(CHAT, &[], &with(question(CHAT, "hand/m"), json!({"stream": stream}))).await;
        assert!(answer.status.is_server_error(), "{} {}", answer.status, answer.text());
        assert!(answer.text().contains("No credits left"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_told() {
    for (kind, body) in [("text/html", "<html>"), ("application/json", r#"{"id":"x","choices":[]}"#)] {
        let house = hand_house("openai_chat", kind, body, false).await;
        let answer = house.call(CHAT, &[], &streamed(CHAT, "hand/m")).await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert_eq!(house.only_span().await.error_type.as_deref(), Some("upstream_error"));
    }
    let house = hand_house("openai_chat", "text/event-stream", ": nothing\n\n", false).await;
    assert_eq!(house.call(CHAT, &[], &streamed(CHAT, "hand/m")).await.status, 502);
}

#[tokio::test]
async fn an_error_in_the_middle_passes_and_is_recorded() {
    let begun = ANTHROPIC.split("event: content_block_stop").next().unwrap();
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let stream = format!("{begun}{error}");
    for path in [MESSAGES, CHAT] {
        let house = hand_house("anthropic_messages", "text/event-stream", &stream, false).await;
        let answer = house.call(path, &[], &streamed(path, "hand/m")).await;
        if path == MESSAGES {
            assert_eq!(answer.text(), stream);
        } else {
            assert_eq!(answer.events().last().unwrap()["error"]["message"], "Overloaded", "{}", answer.text());
        }
        let span = house.only_span().await;
        assert_eq!(span.error_type.as_deref(), Some("upstream_overloaded"), "{span:#?}");
        assert_eq!(span.output_messages[0].readable(), "Hello");
    }
}

#[tokio::test]
async fn who_hangs_up_after_the_end_has_cancelled_nothing() {
    let house = House::new().await;
    let body = streamed(CHAT, "oai/small").to_string();
    let mut response = house.send(request(CHAT, &[], body.into())).await;
    let mut seen = String::new();
    while !seen.contains("[DONE]") {
        let frame = response.body_mut().frame().await.unwrap().unwrap();
        seen.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    drop(response);
    assert_eq!(house.only_span().await.status, SpanStatus::Ok);
}

#[tokio::test]
async fn first_content_is_measured_not_the_role() {
    let house = House::new().await;
    let body = streamed(CHAT, "oai/small").to_string();
    let response = house.send(request(CHAT, &[("x-sim-ttft-ms", "20")], body.into())).await;
    assert_eq!(response.headers()["x-signalbox-latency-ms"], "0.0");
    house.clock.advance(std::time::Duration::from_millis(150));
    Answer::read(response).await;
    let span = house.only_span().await;
    assert_eq!(span.ttft_ms, Some(150.0));
    assert_eq!(span.duration_ms(), 150.0);
}

/// Anthropic's, of a search that it ran, and of a program.
const SEARCHED: &str = include_str!("../../../wire/src/dialects/anthropic_messages/fixtures/stream/web_search.sse");
const RAN: &str = include_str!("../../../wire/src/dialects/anthropic_messages/fixtures/stream/code_execution.sse");

#[tokio::test]
async fn a_search_of_the_provider_is_told_to_callers_who_know_of_searches() {
    let house = hand_house("anthropic_messages", "text/event-stream", SEARCHED, true).await;
    let tools = json!({"stream": true, "tools": [{"type": "web_search"}]});
    let answer = house.call(RESPONSES, &[], &with(question(RESPONSES, "hand/m"), tools)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let last = answer.events().pop().unwrap();
    let kinds: Vec<&str> =
        last["response"]["output"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "web_search_call", "message"]);
    assert_eq!(last["response"]["output"][1]["action"]["query"], "weather NYC today");
    let span = house.only_span().await;
    assert!(format!("{:?}", span.output_messages).contains("weather NYC today"), "{:?}", span.output_messages);
    // Chat completions tell of sources only.
    let answer = house.call(CHAT, &[], &with(question(CHAT, "hand/m"), json!({"stream": true}))).await;
    assert_eq!(answer.content(), "I'll check.It is sunny.");
    assert!(answer.text().contains("https://weather.example/nyc"), "{}", answer.text());
}

#[tokio::test]
async fn what_a_provider_ran_and_nobody_else_can_say_ends_a_translated_stream_and_passes_in_its_own() {
    let house = hand_house("anthropic_messages", "text/event-stream", RAN, false).await;
    let stream = json!({"stream": true});
    let own = house.call(MESSAGES, &[], &with(question(MESSAGES, "hand/m"), stream.clone())).await;
    assert_eq!(own.text(), RAN);
    let told = house.call(CHAT, &[], &with(question(CHAT, "hand/m"), stream)).await;
    assert!(told.text().contains("can't be said to a caller that speaks `openai_chat`"), "{}", told.text());
}

#[tokio::test]
async fn a_call_that_waited_for_room_costs_half_and_the_span_says_why() {
    let usage = r#""usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}"#;
    let whole = format!(
        r#"{{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","service_tier":"flex","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],{usage}}}"#
    );
    let piece = |rest: &str| {
        format!(
            r#"data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","service_tier":"flex",{rest}}}"#
        )
    };
    let choice = r#""choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]"#;
    let streamed =
        [piece(choice), piece(&format!(r#""choices":[],{usage}"#)), "data: [DONE]".to_owned(), String::new()]
            .join("\n\n");
    for (content_type, body, stream) in
        [("application/json", whole.as_str(), false), ("text/event-stream", streamed.as_str(), true)]
    {
        let house = hand_house("openai_chat", content_type, body, false).await;
        house.call(CHAT, &[], &with(question(CHAT, "hand/gpt-4o"), json!({"stream": stream}))).await;
        let span = house.only_span().await;
        assert_eq!(span.cost.unwrap().total.to_string(), "0.00175", "half of 1 000 × $2.50/M + 100 × $10/M");
        assert_eq!(span.attributes["signalbox.service_tier"], "flex");
    }
}
