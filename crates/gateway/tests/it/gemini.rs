//! What only Google's API has: keys, paths, JSON lists, counting, and signatures that must come back.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_types::{SpanKind, SpanStatus};

use crate::house::{Answer, CHAT, GEMINI, House, KEY, MESSAGES, Plan, gemini_parts, question, with};

const ASK: &str = r#"{"contents":[{"parts":[{"text":"What is a signal box?"}]}]}"#;

/// A call with Google's own ways to send a key.
async fn keyed(house: &House, path: &str, header: Option<&str>, body: &str) -> Answer {
    let mut request = http::Request::post(path);
    if let Some(key) = header {
        request = request.header("x-goog-api-key", key);
    }
    let body = http_body_util::Full::new(body.to_owned().into()).map_err(|never| match never {}).boxed_unsync();
    Answer::read(house.send(request.body(body).unwrap()).await).await
}

#[tokio::test]
async fn keys_come_as_google_sends_them_and_go_nowhere() {
    let house = House::new().await;
    let path = "/v1beta/models/gem/small:generateContent";
    assert_eq!(keyed(&house, path, Some(KEY), ASK).await.status, 200);
    assert_eq!(keyed(&house, &format!("{path}?key={KEY}&x=1"), None, ASK).await.status, 200);
    assert_eq!(keyed(&house, "/v1/models/gem/small:generateContent", Some(KEY), ASK).await.status, 200);
    for (path, header) in
        [(path.to_owned(), None), (format!("{path}?key=sb-wrong"), None), (path.to_owned(), Some("sb-wrong"))]
    {
        let answer = keyed(&house, &path, header, ASK).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"]["status"], "UNAUTHENTICATED", "{}", answer.text());
        assert_eq!(answer.json()["error"]["code"], 401);
        assert!(!answer.text().contains("sb-wrong"));
    }
    let received = house.received().await;
    let queries: Vec<&str> = received.iter().map(|request| request["query"].as_str().unwrap_or_default()).collect();
    assert_eq!(queries, ["", "x=1", ""]);
    let spans = house.spans().await;
    assert_eq!(spans.len(), 3);
    let everything = format!("{received:?} {spans:?} {}", house.metrics());
    assert!(!everything.contains(KEY), "{everything}");
    assert_eq!(spans[0].attributes["url.path"], "/v1beta/models/{model}:generateContent");
    assert_eq!(spans[0].model_requested.as_deref(), Some("gem/small"));
    assert_eq!(spans[0].dialect.as_deref(), Some("gemini"));
}

#[tokio::test]
async fn a_stream_is_a_json_list_unless_events_are_asked_for() {
    let house = House::new().await;
    for model in ["gem/small", "oai/small", "ant/small"] {
        let path = format!("{GEMINI}{model}:streamGenerateContent");
        let echo = [("x-sim-echo", "one two three"), ("x-sim-split", "5")];
        let answer = house.call_bytes(&path, &echo, ASK.into()).await;
        assert_eq!(answer.header("content-type"), "application/json", "{model}");
        let list = answer.json();
        let chunks = list.as_array().unwrap();
        assert!(chunks.len() > 2, "{model}: {list}");
        let text: String =
            chunks.iter().flat_map(gemini_parts).filter_map(|part| part["text"].as_str().map(str::to_owned)).collect();
        assert_eq!(text, "one two three", "{model}");
        assert_eq!(chunks.last().unwrap()["candidates"][0]["finishReason"], "STOP", "{model}");
        let broken = house.call_bytes(&path, &[("x-sim-cut-after", "1")], ASK.into()).await;
        assert_eq!(broken.json().as_array().unwrap().last().unwrap()["error"]["status"], "INTERNAL", "{model}");
    }
    let spans = house.spans().await;
    assert_eq!(spans.iter().filter(|span| span.status == SpanStatus::Ok).count(), 3);
    assert!(spans.iter().all(|span| span.streaming));
}

#[tokio::test]
async fn a_stream_that_breaks_says_so_in_an_event() {
    let house = House::new().await;
    for model in ["gem/small", "oai/small", "ant/small"] {
        let body = with(question(GEMINI, model), json!({"stream": true}));
        let answer = house.call(GEMINI, &[("x-sim-cut-after", "2")], &body).await;
        let events = answer.events();
        assert_eq!(events.last().unwrap()["error"]["status"], "INTERNAL", "{model}: {}", answer.text());
        let first = house.call(GEMINI, &[("x-sim-error-event", "1")], &body).await;
        // OpenAI has no word for it within a stream.
        let (status, word) = if model.starts_with("oai") { (502, "INTERNAL") } else { (503, "UNAVAILABLE") };
        assert_eq!(first.status, status, "{model}: {}", first.text());
        assert_eq!(first.json()["error"]["status"], word, "{model}");
    }
}

#[tokio::test]
async fn errors_of_every_provider_come_in_googles_words() {
    let house = House::new().await;
    for model in ["gem/small", "oai/small", "ant/small"] {
        for (status, code, word) in [
            ("429", 429, "RESOURCE_EXHAUSTED"),
            ("400", 400, "INVALID_ARGUMENT"),
            ("401", 502, "INTERNAL"),
            ("503", 503, "UNAVAILABLE"),
        ] {
            let answer = house.call(GEMINI, &[("x-sim-status", status)], &question(GEMINI, model)).await;
            assert_eq!(answer.status, code, "{model} {status}: {}", answer.text());
            assert_eq!(answer.json()["error"]["code"], code, "{model} {status}");
            assert_eq!(answer.json()["error"]["status"], word, "{model} {status}");
        }
    }
    // And Google's own, in the words of others.
    for path in [CHAT, MESSAGES] {
        let answer = house.call(path, &[("x-sim-status", "429")], &question(path, "gem/small")).await;
        assert_eq!(answer.status, 429, "{}", answer.text());
        let kind = &answer.json()["error"]["type"];
        assert_eq!(kind, "rate_limit_error", "{path}");
    }
    let bad = house.call_bytes("/v1beta/models/gem/small:generateContent", &[], r#"{"contents":"hi"}"#.into()).await;
    assert_eq!(bad.status, 400);
    assert_eq!(bad.json()["error"]["details"][0]["fieldViolations"][0]["field"], "contents");
    let missing = house.call(GEMINI, &[], &question(GEMINI, "nowhere/x")).await;
    assert_eq!((missing.status.as_u16(), &missing.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    let unserved = house.call_bytes("/v1beta/cachedContents", &[], ASK.into()).await;
    assert_eq!((unserved.status.as_u16(), &unserved.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    let unsaid =
        house.call(GEMINI, &[], &with(question(GEMINI, "ant/small"), json!({"tools": [{"codeExecution": {}}]}))).await;
    assert!(unsaid.text().contains("codeExecution"), "{}", unsaid.text());
}

#[tokio::test]
async fn tokens_are_counted_by_who_can() {
    let house = House::new().await;
    let counted = house.call_bytes("/v1beta/models/gem/small:countTokens", &[], ASK.into()).await;
    assert_eq!(counted.status, 200, "{}", counted.text());
    assert!(counted.json()["totalTokens"].as_u64().unwrap() > 5);
    let inner =
        format!(r#"{{"generateContentRequest":{{"model":"models/gem/small",{}}}"#, ASK.strip_prefix('{').unwrap());
    let again = house.call_bytes("/v1beta/models/gem/small:countTokens", &[], inner.into()).await;
    assert_eq!(again.json(), counted.json());
    assert!(house.received().await.last().unwrap()["body"].as_str().unwrap().contains(r#""model":"models/small""#));
    let other = house.call_bytes("/v1beta/models/oai/small:countTokens", &[], ASK.into()).await;
    assert_eq!(other.status, 400);
    assert!(other.text().contains("`openai_chat`"), "{}", other.text());
    let spans = house.spans().await;
    assert_eq!((spans[0].kind, spans[0].name.as_str()), (SpanKind::Span, "count_tokens small"));
    assert_eq!(spans[1].input_messages[0].readable(), "What is a signal box?");
    assert!(spans[0].cost.is_none() && spans[0].usage.is_unknown());
}

#[tokio::test]
async fn embeddings_cross_the_dialects() {
    let house = House::new().await;
    let one = |text: &str| json!({"model": "models/x/embed", "content": {"parts": [{"text": text}]}});
    let mut vectors = Vec::new();
    for model in ["gem/embed", "oai/embed"] {
        let single = house.call_bytes(&format!("{GEMINI}{model}:embedContent"), &[], one("a").to_string().into()).await;
        assert_eq!(single.status, 200, "{model}: {}", single.text());
        let batch = json!({"requests": [one("a"), one("b")]}).to_string();
        let batch = house.call_bytes(&format!("{GEMINI}{model}:batchEmbedContents"), &[], batch.into()).await;
        assert_eq!(batch.json()["embeddings"].as_array().unwrap().len(), 2, "{model}: {}", batch.text());
        let values = |value: &Value| -> Vec<f64> {
            value["values"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        vectors.push(values(&single.json()["embedding"]));
        vectors.push(values(&batch.json()["embeddings"][0]));
        let openai = house.call("/v1/embeddings", &[], &json!({"model": model, "input": ["a", "b"]})).await;
        assert_eq!(openai.json()["data"][1]["index"], 1, "{model}: {}", openai.text());
        vectors.push(values(&json!({"values": openai.json()["data"][0]["embedding"]})));
    }
    assert!(vectors.iter().all(|vector| *vector == vectors[0] && vector.len() == 256));
    let none = house.call_bytes(&format!("{GEMINI}ant/embed:embedContent"), &[], one("a").to_string().into()).await;
    assert_eq!(none.status, 400);
    assert!(none.text().contains("no embeddings endpoint"), "{}", none.text());
    let spans = house.spans().await;
    assert!(spans.iter().take(6).all(|span| span.kind == SpanKind::Embedding && span.usage.input_tokens > Some(0)));
    assert_eq!(spans[0].input, Some(json!(["a"])));
}

#[tokio::test]
async fn models_are_listed_in_googles_shape() {
    let house = House::new().await;
    let get = async |path: &str, header: bool| {
        let mut request = http::Request::get(path);
        if header {
            request = request.header("x-goog-api-key", KEY);
        }
        let body = http_body_util::combinators::UnsyncBoxBody::default();
        Answer::read(house.send(request.body(body).unwrap()).await).await
    };
    for (path, header) in
        [("/v1beta/models", true), ("/v1/models", true), (&*format!("/v1beta/models?key={KEY}"), false)]
    {
        let list = get(path, header).await.json();
        let names: Vec<&str> =
            list["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"models/sim/small"), "{path}: {list}");
    }
    assert_eq!(get("/v1beta/models/sim/small", true).await.json()["displayName"], "small");
    for (model, expected) in [
        ("sim/small", json!(["generateContent", "streamGenerateContent"])),
        ("sim/embed", json!(["embedContent", "batchEmbedContents"])),
    ] {
        let found = get(&format!("/v1beta/models/{model}"), true).await.json();
        assert_eq!(found["supportedGenerationMethods"], expected, "{found}");
        let count = house.call_bytes(&format!("/v1beta/models/{model}:countTokens"), &[], ASK.into()).await;
        assert_eq!(count.status, 400, "{}", count.text());
    }
    let missing = get("/v1beta/models/nope", true).await;
    assert_eq!((missing.status.as_u16(), &missing.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    assert_eq!(get("/v1beta/models", false).await.json()["error"]["status"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn an_unknown_method_is_told_which_there_are() {
    let house = House::new().await;
    let answer = house.call_bytes("/v1beta/models/gem/small:foo", &[], ASK.into()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    let told = answer.text();
    assert!(told.contains("no method `foo` of Gemini models here; known: `generateContent`, "), "{told}");
    assert!(told.contains("`batchEmbedContents`") && !told.contains("GET"), "{told}");
    let answer = house.call_bytes("/v1beta/models/gem/small", &[], ASK.into()).await;
    assert!(answer.status == 405 && answer.text().contains("/v1beta/models takes GET only"), "{}", answer.text());
}

/// What of the last request went to the provider as the model's own turn.
async fn models_parts(house: &House) -> Vec<Value> {
    let received = house.received().await;
    let body: Value = serde_json::from_str(received.last().unwrap()["body"].as_str().unwrap()).unwrap();
    let contents = body["contents"].as_array().unwrap();
    contents.iter().find(|content| content["role"] == "model").unwrap()["parts"].as_array().unwrap().clone()
}

/// GATEWAY.md, row 24: a signature that Gemini put on a call comes back on it, whatever the caller speaks.
#[tokio::test]
async fn signatures_survive_a_round_through_every_caller() {
    let house = House::new().await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let signature_of = |parts: &[Value]| {
        let call = parts.iter().find(|part| part.get("functionCall").is_some()).unwrap();
        (call["functionCall"]["id"].clone(), call["thoughtSignature"].clone())
    };
    let ask = json!({"role": "user", "content": "Weather?"});

    let function = json!({"type": "function", "function": {"name": "get_weather", "parameters": schema}});
    let body = json!({"model": "gem/small", "messages": [ask], "tools": [function]});
    let message = house.call(CHAT, &[], &body).await.json()["choices"][0]["message"].clone();
    let signature = message["tool_calls"][0]["extra_content"]["google"]["thought_signature"].clone();
    let id = message["tool_calls"][0]["id"].clone();
    assert!(signature.as_str().unwrap().len() > 10 && !id.as_str().unwrap().contains(signature.as_str().unwrap()));
    let result = json!({"role": "tool", "tool_call_id": id, "content": "rain"});
    let answer = house.call(CHAT, &[], &with(body, json!({"messages": [ask, message, result]}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(signature_of(&models_parts(&house).await), (id, signature));

    let tools = json!([{"name": "get_weather", "input_schema": schema}]);
    let body = json!({"model": "gem/small", "max_tokens": 4000, "messages": [ask], "tools": tools,
        "thinking": {"type": "enabled", "budget_tokens": 1024}});
    let content = house.call(MESSAGES, &[], &body).await.json()["content"].clone();
    let blocks = content.as_array().unwrap();
    let tool_use = blocks.iter().find(|block| block["type"] == "tool_use").unwrap();
    assert!(blocks.iter().any(|block| block["type"] == "thinking" && !block["thinking"].as_str().unwrap().is_empty()));
    let result = json!([{"type": "tool_result", "tool_use_id": tool_use["id"], "content": "rain"}]);
    let turns = json!([ask, {"role": "assistant", "content": content}, {"role": "user", "content": result}]);
    let answer = house.call(MESSAGES, &[], &with(body, json!({"messages": turns}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (id, signature) = signature_of(&models_parts(&house).await);
    assert_eq!(id, tool_use["id"]);
    let marked = format!("gemini:call:{}", signature.as_str().unwrap());
    assert!(blocks.iter().any(|block| block["signature"] == marked), "{content}");
}

/// Anthropic's signed thinking, to one of Google's callers and back.
#[tokio::test]
async fn anthropics_signatures_survive_googles_callers() {
    let house = House::new().await;
    let thinking = json!({"generationConfig": {"maxOutputTokens": 4000, "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": true}}});
    let body = with(question(GEMINI, "ant/small"), thinking);
    for stream in [false, true] {
        let answer = house.call(GEMINI, &[], &with(body.clone(), json!({"stream": stream}))).await;
        // As the SDKs' chats do: each piece of a stream is a content of its own.
        let contents: Vec<Value> = match stream {
            true => answer.events().iter().map(|event| event["candidates"][0]["content"].clone()).collect(),
            false => vec![answer.json()["candidates"][0]["content"].clone()],
        };
        let mut turns = vec![json!({"role": "user", "parts": [{"text": "What is a signal box?"}]})];
        turns.extend(contents);
        turns.push(json!({"role": "user", "parts": [{"text": "Thanks."}]}));
        let answer = house.call(GEMINI, &[], &with(body.clone(), json!({"contents": turns}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = house.received().await;
        let sent: Value = serde_json::from_str(received.last().unwrap()["body"].as_str().unwrap()).unwrap();
        let block = &sent["messages"][1]["content"][0];
        assert_eq!(block["type"], "thinking", "{stream}: {sent}");
        assert!(block["thinking"].as_str().unwrap().len() > 10, "{stream}: {sent}");
        assert!(block["signature"].as_str().unwrap().starts_with("sim-signature-"), "{stream}: {sent}");
        assert_eq!(sent["messages"].as_array().unwrap().len(), 3, "{stream}: {sent}");
    }
}

#[tokio::test]
async fn what_the_guard_redacts_is_gone_in_every_pairing() {
    let house = House::build(Plan {
        guard: serde_json::to_value(signalbox_guard::GuardConfig::default()).unwrap(),
        ..Plan::default()
    })
    .await;
    let (secret, inner) = (crate::house::secret(), crate::house::inner_secret());
    for model in ["gem/small", "oai/small", "ant/small"] {
        for stream in [false, true] {
            let body = with(question(GEMINI, model), json!({"stream": stream}));
            let echo = format!("Take {secret} and go.");
            let answer = house.call(GEMINI, &[("x-sim-echo", &echo), ("x-sim-split", "9")], &body).await;
            assert_eq!(answer.status, 200, "{model}: {}", answer.text());
            assert!(!answer.content().contains(&inner), "{model} {stream}: {}", answer.text());
            assert!(answer.content().ends_with("and go."), "{model} {stream}: {}", answer.text());
        }
    }
    for span in house.spans().await {
        assert!(!format!("{span:?}").contains(&inner), "{span:#?}");
    }
}
