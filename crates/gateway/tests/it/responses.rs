//! What only the Responses API has: reasoning that is sent back, state at the provider, and its own streams.

use serde_json::{Value, json};
use signalbox_types::{SpanKind, Verdict};

use crate::house::{
    CHAT, GEMINI, House, MESSAGES, Plan, RESPONSES, hand_written, http_answer, inner_secret, question, secret, with,
};

/// A house with a chat provider that has no Responses API: the simulated one behind a server of one's own.
async fn with_plain() -> (House, House) {
    let other = House::new().await;
    let base_url = format!("http://{}/v1", other.simulator);
    let providers = vec![json!({"name": "plain", "dialect": "openai_chat", "base_url": base_url})];
    (House::build(Plan { providers, ..Plan::default() }).await, other)
}

#[tokio::test]
async fn who_has_both_apis_is_asked_in_the_callers_and_others_in_their_own() {
    let (house, other) = with_plain().await;
    for stream in [false, true] {
        let native =
            house.call(RESPONSES, &[], &with(question(RESPONSES, "oai/small"), json!({"stream": stream}))).await;
        assert_eq!(native.status, 200, "{}", native.text());
        let translated =
            house.call(RESPONSES, &[], &with(question(RESPONSES, "plain/small"), json!({"stream": stream}))).await;
        assert_eq!(translated.status, 200, "{}", translated.text());
        assert_eq!(translated.content(), native.content());
        assert!(!native.content().is_empty());
    }
    let asked =
        |received: &[Value]| received.iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(asked(&house.received().await), [RESPONSES; 2]);
    assert_eq!(asked(&other.received().await), [CHAT; 2]);
    for span in house.spans().await {
        assert_eq!((span.dialect.as_deref(), span.kind), (Some("openai_responses"), SpanKind::Llm));
        assert!(span.usage.input_tokens > Some(0) && span.usage.output_tokens > Some(0), "{:?}", span.usage);
        assert_eq!(span.input_messages[0].readable(), "What is a signal box?");
        assert!(!span.output_messages[0].readable().is_empty());
    }
}

#[tokio::test]
async fn same_dialect_passes_bytes_through() {
    let house = House::new().await;
    for model in ["oai/m", "rsp/m"] {
        let raw = format!(
            "{{ \"store\" :false,\n \"previous_response_id\":null,\"unknown\":[1,  {{\"a\":\"\\u00e9\"}}],\"input\":[{{\"role\":\"user\",\"content\":\"x\"}}], \"tools\":[{{\"type\":\"web_search\"}}], \"model\": \"{model}\" }}"
        );
        let answer = house.call_bytes(RESPONSES, &[], raw.clone().into()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(house.received().await.last().unwrap()["body"], raw.replace(model, "m"));
    }
}

#[tokio::test]
async fn what_only_the_provider_keeps_is_refused_where_it_would_be_lost() {
    let (house, other) = with_plain().await;
    let body = with(question(RESPONSES, "plain/small"), json!({"previous_response_id": "resp_1"}));
    let answer = house.call(RESPONSES, &[], &body).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let error = &answer.json()["error"];
    assert_eq!((&error["param"], &error["type"]), (&json!("previous_response_id"), &json!("invalid_request_error")));
    assert!(error["message"].as_str().unwrap().contains("send the whole conversation"), "{error}");
    assert!(other.received().await.is_empty());
    let answer = house.call(RESPONSES, &[], &with(body, json!({"model": "oai/small"}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The provider's proof of its reasoning comes back to it, whoever the caller is.
#[tokio::test]
async fn reasoning_is_sent_back_as_it_came() {
    let house = House::new().await;
    let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4096});
    for stream in [false, true] {
        let body = with(with(question(MESSAGES, "rsp/large"), thinking.clone()), json!({"stream": stream}));
        let answer = house.call(MESSAGES, &[], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let signature = match stream {
            false => answer.json()["content"][0]["signature"].as_str().unwrap().to_owned(),
            true => answer
                .events()
                .iter()
                .find_map(|event| event["delta"]["signature"].as_str().map(str::to_owned))
                .unwrap(),
        };
        assert!(signature.contains("sim-encrypted-"), "{signature}");
        let block = json!({"type": "thinking", "thinking": "Hm.", "signature": signature});
        let history = json!({"messages": [
            {"role": "user", "content": "What is a signal box?"},
            {"role": "assistant", "content": [block, {"type": "text", "text": "A box."}]},
            {"role": "user", "content": "And then?"},
        ]});
        let answer = house.call(MESSAGES, &[], &with(body, history)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = house.received().await;
        let sent: Value = serde_json::from_str(received.last().unwrap()["body"].as_str().unwrap()).unwrap();
        let item = &sent["input"][1];
        assert_eq!(item["type"], "reasoning", "{sent}");
        assert!(item["encrypted_content"].as_str().unwrap().starts_with("sim-encrypted-"), "{item}");
        assert_eq!((&sent["store"], &sent["include"]), (&json!(false), &json!(["reasoning.encrypted_content"])));
    }
}

#[tokio::test]
async fn anthropics_thinking_comes_back_to_it_from_a_responses_caller() {
    let house = House::new().await;
    let body =
        with(question(RESPONSES, "ant/large"), json!({"reasoning": {"effort": "low"}, "max_output_tokens": 4096}));
    let answer = house.call(RESPONSES, &[], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let output = answer.json()["output"].clone();
    assert_eq!(output[0]["type"], "reasoning", "{output}");
    let mut input = vec![json!({"role": "user", "content": "What is a signal box?"})];
    input.extend(output.as_array().unwrap().iter().cloned());
    input.push(json!({"role": "user", "content": "And then?"}));
    let answer = house.call(RESPONSES, &[], &with(body, json!({"input": input}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = house.received().await;
    let sent: Value = serde_json::from_str(received.last().unwrap()["body"].as_str().unwrap()).unwrap();
    let block = &sent["messages"][1]["content"][0];
    assert_eq!(block["type"], "thinking", "{sent}");
    assert!(block["signature"].as_str().unwrap().starts_with("sim-signature-"), "{block}");
}

#[tokio::test]
async fn a_secret_is_redacted_wherever_a_stream_repeats_it() {
    let house = House::guarded().await;
    let text = format!("Before. Use {} now. After.", secret());
    for model in ["oai/small", "ant/small"] {
        for stream in [false, true] {
            let body = with(question(RESPONSES, model), json!({"stream": stream}));
            let answer = house.call(RESPONSES, &[("x-sim-echo", &text)], &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(!answer.text().contains(&inner_secret()), "{model}: {}", answer.text());
            let content = answer.content();
            assert!(content.starts_with("Before. Use [REDACTED") && content.ends_with(" now. After."), "{content}");
            if stream {
                let events = answer.events();
                let done = events.iter().find(|event| event["type"] == "response.output_text.done").unwrap();
                assert_eq!(done["text"], content);
                let last = events.last().unwrap();
                assert_eq!(last["response"]["output"][0]["content"][0]["text"], content, "{last}");
            }
        }
    }
    for span in house.spans().await {
        assert_eq!(span.verdict, Some(Verdict::Redact));
        assert_eq!(span.findings.len(), 1, "told again is not found again: {:?}", span.findings);
        assert!(!format!("{span:?}").contains(&inner_secret()));
    }
}

#[tokio::test]
async fn errors_come_in_the_callers_words() {
    let house = House::new().await;
    for model in ["oai/small", "rsp/small", "ant/small", "gem/small"] {
        for (status, code, kind) in
            [("429", 429, "rate_limit"), ("401", 502, "server_error"), ("503", 503, "server_error")]
        {
            let answer = house.call(RESPONSES, &[("x-sim-status", status)], &question(RESPONSES, model)).await;
            assert_eq!(answer.status, code, "{model} {status}: {}", answer.text());
            let error = &answer.json()["error"];
            assert!(error["message"].is_string(), "{error}");
            // Its own kind is passed on as it came.
            let theirs = status == "429" && matches!(model, "oai/small" | "rsp/small");
            let expected = if theirs { "requests" } else { kind };
            assert!(error["type"].as_str().unwrap().starts_with(expected), "{model} {status}: {error}");
        }
        let body = with(question(RESPONSES, model), json!({"stream": true}));
        let first = house.call(RESPONSES, &[("x-sim-error-event", "1")], &body).await;
        assert_eq!(first.status, 503, "{model}: {}", first.text());
        let cut = house.call(RESPONSES, &[("x-sim-cut-after", "3")], &body).await;
        let last = cut.events().pop().unwrap();
        assert_eq!((cut.status.as_u16(), &last["type"]), (200, &json!("error")), "{model}: {}", cut.text());
        assert!(last["error"]["message"].as_str().unwrap().contains("cut its answer short"), "{last}");
        assert!(!cut.text().contains("response.completed"));
    }
    for path in [CHAT, MESSAGES, GEMINI] {
        let answer = house.call(path, &[("x-sim-status", "429")], &question(path, "rsp/small")).await;
        assert_eq!(answer.status, 429, "{}", answer.text());
        let first = house
            .call(path, &[("x-sim-error-event", "1")], &with(question(path, "rsp/small"), json!({"stream": true})))
            .await;
        assert_eq!(first.status, 503, "{path}: {}", first.text());
    }
}

/// An answer with HTTP 200 that says that it failed is a failure.
#[tokio::test]
async fn a_failed_response_is_no_answer() {
    let failed = r#"{"id":"resp_1","object":"response","created_at":1,"status":"failed","model":"m","output":[],"error":{"code":"rate_limit_exceeded","message":"Too many tokens."}}"#;
    let base_url = hand_written(vec![http_answer("200 OK", "application/json", failed)]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_responses", "base_url": base_url})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    for path in [RESPONSES, CHAT] {
        let answer = house.call(path, &[], &question(path, "hand/m")).await;
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert_eq!(answer.json()["error"]["message"], "Too many tokens.");
    }
}
