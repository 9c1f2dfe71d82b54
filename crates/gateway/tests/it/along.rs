//! Endpoints without a conversation, which pass along as they are; and completions of texts.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use signalbox_types::{SpanKind, SpanStatus, Verdict};

use crate::house::{Answer, House, Plan, hand_written, http_answer, inner_secret, request, secret, with};

const COMPLETIONS: &str = "/v1/completions";
const MODERATIONS: &str = "/v1/moderations";
const IMAGES: &str = "/v1/images/generations";
const SPEECH: &str = "/v1/audio/speech";
const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";
const COUNT_TOKENS: &str = "/v1/messages/count_tokens";

/// With a provider that has the name of OpenAI, for what names no model.
async fn with_openai() -> House {
    let providers = vec![json!({"name": "openai", "kind": "sim", "dialect": "openai_chat"})];
    House::build(Plan { providers, ..Plan::default() }).await
}

fn form(model: &str, fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n\r\n--\r\n";
    let all: String = fields.iter().map(field).collect();
    format!("{file}{}{all}--b--\r\n", field(&("model", model)))
}

const FORM: [(&str, &str); 1] = [("content-type", "multipart/form-data; boundary=b")];

#[tokio::test]
async fn bytes_pass_both_ways_and_one_span_is_written() {
    let house = House::new().await;
    for (path, raw, operation, kind) in [
        (MODERATIONS, r#"{ "input" :["h\u00e9llo"],  "model":"oai/m" }"#, "moderation", SpanKind::Guardrail),
        (
            IMAGES,
            r#"{ "prompt" :"h\u00e9llo","n":1,  "model":"oai/m", "size":"1x1" }"#,
            "image_generation",
            SpanKind::Llm,
        ),
        (SPEECH, r#"{ "input" :"h\u00e9llo","voice":"alloy",  "model":"oai/m" }"#, "speech", SpanKind::Llm),
    ] {
        let answer = house.call_bytes(path, &[], raw.into()).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
        assert_eq!(answer.header("x-signalbox-provider"), "oai");
        let received = house.received().await.pop().unwrap();
        assert_eq!((&received["path"], &received["body"]), (&json!(path), &json!(raw.replace("oai/m", "m"))));
        let span = house.spans().await.pop().unwrap();
        assert_eq!((span.operation.as_deref(), span.kind, span.status), (Some(operation), kind, SpanStatus::Ok));
        assert_eq!(span.name, format!("{operation} m"));
        assert_eq!(span.input, Some(json!("héllo")));
        assert_eq!(span.model_requested.as_deref(), Some("oai/m"));
        assert_eq!(span.http_status, Some(200));
        // Unknown is not zero, and the price of a token of text isn't theirs.
        assert!(span.cost.is_none(), "{:?}", span.cost);
        match path {
            MODERATIONS => assert_eq!(span.output.unwrap()["results"][0]["flagged"], false),
            IMAGES => {
                assert_eq!(span.usage.output_tokens, Some(100));
                assert!(span.output.unwrap().as_str().unwrap().ends_with("not recorded]"));
            }
            _ => {
                assert_eq!(answer.header("content-type"), "audio/wav");
                assert!(answer.body.starts_with(b"RIFF"));
            }
        }
    }
    assert_eq!(house.spans().await.len(), 3);
    assert!(house.metrics().contains(r#"signalbox_gateway_requests_total{path="/v1/audio/speech",provider="oai""#));
}

#[tokio::test]
async fn forms_pass_with_their_files_and_another_name_of_the_model() {
    let house = House::new().await;
    let sent = form("oai/whisper-1", &[("prompt", "Mind the gap")]);
    let answer = house.call_bytes(TRANSCRIPTIONS, &FORM, sent.clone().into()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["text"], "Someone speaks for 10 bytes.");
    let received = house.received().await.pop().unwrap();
    assert_eq!(received["body"], sent.replace("oai/whisper-1", "whisper-1"));
    assert_eq!(received["headers"]["content-type"], FORM[0].1);
    let plain = house.call_bytes(TRANSCRIPTIONS, &FORM, form("oai/w", &[("response_format", "text")]).into()).await;
    assert_eq!(
        (plain.text(), plain.header("content-type")),
        ("Someone speaks for 10 bytes.\n", "text/plain; charset=utf-8")
    );
    let spans = house.spans().await;
    assert_eq!(spans[0].input, Some(json!("Mind the gap")));
    assert_eq!((spans[0].usage.input_tokens, spans[0].operation.as_deref()), (Some(14), Some("transcription")));
    assert_eq!(spans[1].output, Some(json!("Someone speaks for 10 bytes.\n")));

    let bad = house.call_bytes(TRANSCRIPTIONS, &FORM, "no form".into()).await;
    assert_eq!(bad.status, 400);
    assert!(bad.text().contains("multipart/form-data"), "{}", bad.text());
    let unnamed = house.call_bytes(TRANSCRIPTIONS, &FORM, form("", &[]).into()).await;
    assert_eq!(unnamed.json()["error"]["param"], "model", "{}", unnamed.text());
}

#[tokio::test]
async fn who_lacks_an_endpoint_says_so() {
    let house = House::new().await;
    for (path, body) in [
        (MODERATIONS, json!({"model": "ant/m", "input": "a"})),
        (IMAGES, json!({"model": "gem/m", "prompt": "a"})),
        (SPEECH, json!({"model": "rsp/m", "input": "a", "voice": "alloy"})),
        (COUNT_TOKENS, json!({"model": "oai/m", "messages": [{"role": "user", "content": "a"}]})),
        // Google counts, but not Anthropic's requests.
        (COUNT_TOKENS, json!({"model": "gem/m", "messages": [{"role": "user", "content": "a"}]})),
    ] {
        let answer = house.call(path, &[], &body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains("choose a model of"), "{path}: {}", answer.text());
    }
    assert!(house.received().await.is_empty());
    let missing = house.call(MODERATIONS, &[], &json!({"input": "a"})).await;
    assert_eq!(
        (missing.status.as_u16(), &missing.json()["error"]["param"]),
        (400, &json!("model")),
        "{}",
        missing.text()
    );
    let house = with_openai().await;
    let default = house.call(MODERATIONS, &[], &json!({"input": "a"})).await;
    assert_eq!(
        (default.status.as_u16(), default.header("x-signalbox-provider")),
        (200, "openai"),
        "{}",
        default.text()
    );
    let span = house.only_span().await;
    assert_eq!((span.name.as_str(), span.model_requested), ("moderation", None));
}

#[tokio::test]
async fn tokens_of_messages_are_counted_by_who_speaks_them() {
    let house = House::new().await;
    let body = json!({"model": "ant/large", "system": "Be brief.", "messages": [{"role": "user", "content": "What is a signal box?"}]});
    let answer = house.call(COUNT_TOKENS, &[("anthropic-version", "2023-06-01")], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["input_tokens"].as_u64().unwrap() > 5);
    let received = house.received().await.pop().unwrap();
    assert_eq!(
        (&received["path"], &received["headers"]["anthropic-version"]),
        (&json!(COUNT_TOKENS), &json!("2023-06-01"))
    );
    let span = house.only_span().await;
    assert_eq!((span.kind, span.name.as_str()), (SpanKind::Span, "count_tokens large"));
    assert_eq!(span.input_messages[1].readable(), "What is a signal box?");
    assert!(span.usage.is_unknown() && span.cost.is_none());
    let bad = house.call(COUNT_TOKENS, &[], &json!({"model": "ant/large"})).await;
    assert_eq!((bad.status.as_u16(), &bad.json()["type"]), (400, &json!("error")), "{}", bad.text());
}

#[tokio::test]
async fn a_route_finds_who_has_the_endpoint() {
    let routes = json!([{"name": "draw", "strategy": "priority", "targets": [{"provider": "ant", "model": "small"}, {"provider": "oai", "model": "small"}]}]);
    let house = House::build(Plan { routes, ..Plan::default() }).await;
    let answer = house.call(IMAGES, &[], &json!({"model": "draw", "prompt": "A box"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "oai"), "{}", answer.text());
    assert_eq!(house.received().await.len(), 1);
}

#[tokio::test]
async fn refusals_and_failures_are_told() {
    let house = House::new().await;
    let limited = house.call(IMAGES, &[("x-sim-status", "429")], &json!({"model": "oai/m", "prompt": "a"})).await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "1"));
    assert_eq!(limited.json()["error"]["code"], "rate_limit_exceeded");
    let unauthorised = house.call(SPEECH, &[("x-sim-status", "401")], &json!({"model": "oai/m", "input": "a"})).await;
    assert_eq!(unauthorised.status, 502, "{}", unauthorised.text());
    // Sound that breaks off must not look whole.
    let broken = house
        .send(request(SPEECH, &[("x-sim-cut-after", "1")], json!({"model": "oai/m", "input": "a"}).to_string().into()))
        .await;
    assert_eq!(broken.status(), 200);
    assert!(http_body_util::BodyExt::collect(broken.into_body()).await.is_err());
    let spans = house.spans().await;
    let errors: Vec<_> = spans.iter().map(|span| span.error_type.as_deref().unwrap()).collect();
    assert_eq!(errors, ["rate_limited", "upstream_auth", "upstream_error"]);
    assert!(spans[2].usage.is_unknown(), "sound isn't counted in tokens of text");

    // Events can say it.
    let events = "event: speech.audio.delta\ndata: {\"type\":\"speech.audio.delta\",\"audio\":\"AAAA\"}\n\n\
                  data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":3,\"output_tokens\":9}}\n\n";
    let base_url = hand_written(vec![http_answer("200 OK", "text/event-stream", events)]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_chat", "base_url": base_url})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    let streamed = house.call(SPEECH, &[], &json!({"model": "hand/m", "input": "a", "stream_format": "sse"})).await;
    assert_eq!((streamed.text(), streamed.header("content-type")), (events, "text/event-stream"));
    let span = house.only_span().await;
    assert_eq!((span.usage.output_tokens, span.streaming, span.status), (Some(9), true, SpanStatus::Ok));
}

#[tokio::test]
async fn what_is_asked_is_guarded() {
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["input", "output"], "action": "redact"}]});
    let house = House::build(Plan { guard, ..Plan::default() }).await;
    let text = format!("Say {} now", secret());
    for (path, body) in [
        (MODERATIONS, json!({"model": "oai/m", "input": [{"type": "text", "text": text}]})),
        (IMAGES, json!({"model": "oai/m", "prompt": text})),
        (SPEECH, json!({"model": "oai/m", "input": "a", "instructions": text})),
        (COMPLETIONS, json!({"model": "oai/m", "prompt": text})),
        (COUNT_TOKENS, json!({"model": "ant/m", "messages": [{"role": "user", "content": text}]})),
    ] {
        let answer = house.call(path, &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-verdict")), (200, "redact"), "{path}");
    }
    let sent = form("oai/m", &[("prompt", &text)]);
    let answer = house.call_bytes(TRANSCRIPTIONS, &FORM, Bytes::from(sent)).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-verdict")), (200, "redact"));
    for one in house.received().await {
        let body = one["body"].as_str().unwrap();
        assert!(body.contains("[REDACTED") && !body.contains(&inner_secret()), "{one}");
    }
    for span in house.spans().await {
        assert_eq!(span.verdict, Some(Verdict::Redact));
        assert!(!format!("{span:?}").contains(&inner_secret()), "{span:#?}");
    }
    // What was heard is an answer like others.
    let heard = json!({"text": text, "segments": [{"id": 0, "text": text}]}).to_string();
    let base_url = hand_written(vec![http_answer("200 OK", "application/json", &heard)]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_chat", "base_url": base_url})];
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["output"], "action": "redact"}]});
    let house = House::build(Plan { providers, guard, ..Plan::default() }).await;
    let answer = house.call_bytes(TRANSCRIPTIONS, &FORM, form("hand/m", &[]).into()).await;
    assert!(answer.text().contains("[REDACTED") && !answer.text().contains(&inner_secret()), "{}", answer.text());
}

#[tokio::test]
async fn a_text_is_completed_by_whoever_is_asked() {
    let other = House::new().await;
    // A server of one's own that chats only.
    let base_url = format!("http://{}/v1", other.simulator);
    let providers = vec![json!({"name": "plain", "kind": "cerebras", "base_url": base_url, "api_key": "k"})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    let body = |model: &str| json!({"model": model, "prompt": "Signals are", "max_tokens": 30});
    let mut texts = Vec::new();
    for model in ["oai/small", "plain/small", "ant/small", "gem/small", "rsp/small"] {
        let whole = house.call(COMPLETIONS, &[], &body(model)).await;
        assert_eq!(whole.status, 200, "{model}: {}", whole.text());
        let choice = whole.json()["choices"][0].clone();
        assert_eq!(whole.json()["object"], "text_completion");
        assert!(whole.json()["usage"]["prompt_tokens"].as_u64().unwrap() > 0, "{model}");
        let stream = with(body(model), json!({"stream": true, "stream_options": {"include_usage": true}}));
        let stream = house.call(COMPLETIONS, &[], &stream).await;
        assert!(stream.text().ends_with("data: [DONE]\n\n"), "{model}: {}", stream.text());
        let events = stream.events();
        let text: String = events.iter().filter_map(|event| event["choices"][0]["text"].as_str()).collect();
        assert_eq!(json!(text), choice["text"], "{model}");
        assert!(
            events.iter().any(|event| event["usage"]["completion_tokens"].is_number()),
            "{model}: {}",
            stream.text()
        );
        texts.push(text);
    }
    assert!(texts.iter().all(|text| *text == texts[0] && !text.is_empty()), "{texts:?}");
    let paths: Vec<Value> = house.received().await.iter().map(|one| one["path"].clone()).collect();
    assert_eq!(paths[..2], [json!(COMPLETIONS), json!(COMPLETIONS)]);
    assert!(other.received().await.iter().all(|one| one["path"] == "/v1/chat/completions"));
    for span in house.spans().await {
        assert_eq!((span.operation.as_deref(), span.kind), (Some("text_completion"), SpanKind::Llm));
        assert_eq!(span.input_messages[0].readable(), "Signals are");
        assert!(!span.output_messages[0].readable().is_empty());
    }
    let several = house.call(COMPLETIONS, &[], &with(body("plain/small"), json!({"prompt": ["a", "b"]}))).await;
    assert_eq!(
        (several.status.as_u16(), &several.json()["error"]["param"]),
        (400, &json!("prompt")),
        "{}",
        several.text()
    );
    let native = house.call(COMPLETIONS, &[], &with(body("oai/small"), json!({"prompt": ["a", "b"]}))).await;
    assert_eq!(native.json()["choices"].as_array().unwrap().len(), 2);
}

async fn kept(house: &House, method: Method, path: &str) -> Answer {
    let mut call = request(path, &[], Bytes::new());
    *call.method_mut() = method;
    Answer::read(house.send(call).await).await
}

#[tokio::test]
async fn what_openai_keeps_is_asked_of_it() {
    let house = with_openai().await;
    let found = kept(&house, Method::GET, "/v1/responses/resp_1?include[]=reasoning.encrypted_content").await;
    assert_eq!((found.status.as_u16(), &found.json()["id"]), (200, &json!("resp_1")), "{}", found.text());
    assert_eq!(kept(&house, Method::DELETE, "/v1/responses/resp_1").await.json()["deleted"], true);
    assert_eq!(kept(&house, Method::POST, "/v1/responses/resp_1/cancel").await.json()["status"], "cancelled");
    assert_eq!(kept(&house, Method::GET, "/v1/responses/resp_1/input_items").await.json()["data"][0]["role"], "user");
    let wrong = kept(&house, Method::POST, "/v1/responses/resp_1").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET, DELETE"), "{}", wrong.text());
    let missing = kept(&house, Method::GET, "/v1/responses/nothing").await;
    assert_eq!((missing.status.as_u16(), &missing.json()["error"]["code"]), (404, &json!("model_not_found")));
    let spans = house.spans().await;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names[..4], ["response.retrieve", "response.delete", "response.cancel", "response.input_items"]);
    assert!(spans.iter().all(|span| span.kind == SpanKind::Span && span.model_requested.is_none()));
    assert_eq!(spans[0].attributes["url.path"], "/v1/responses/{id}");

    let house = House::new().await;
    let nobody = kept(&house, Method::GET, "/v1/responses/resp_1").await;
    assert_eq!(nobody.status, 404, "{}", nobody.text());
    assert!(nobody.text().contains("OPENAI_API_KEY"), "{}", nobody.text());
    let mut call = request("/v1/responses/resp_1", &[], Bytes::new());
    *call.method_mut() = Method::GET;
    call.headers_mut().remove("authorization");
    assert_eq!(Answer::read(house.send(call).await).await.status, 401);
}

#[tokio::test]
async fn what_a_provider_keeps_is_asked_of_who_made_it() {
    let house = with_openai().await;
    for stream in [false, true] {
        let body = json!({"model": "oai/small", "input": format!("Keep it, {stream}"), "stream": stream});
        let made = house.call("/v1/responses", &[], &body).await;
        let id = match stream {
            false => made.json()["id"].clone(),
            true => made.events()[0]["response"]["id"].clone(),
        };
        let path = format!("/v1/responses/{}", id.as_str().unwrap());
        let found = kept(&house, Method::GET, &path).await;
        assert_eq!((found.status.as_u16(), found.header("x-signalbox-provider")), (200, "oai"), "{}", found.text());
        assert_eq!(found.json()["id"], id);
    }
    // Who doesn't speak the Responses API keeps nothing, so that OpenAI is asked.
    let body = json!({"model": "ant/small", "input": "Keep it"});
    let made = house.call("/v1/responses", &[], &body).await;
    let path = format!("/v1/responses/{}", made.json()["id"].as_str().unwrap());
    let found = kept(&house, Method::GET, &path).await;
    assert_eq!(found.header("x-signalbox-provider"), "openai", "{}", found.text());
}

#[tokio::test]
async fn texts_are_ranked_and_embedded_as_cohere_has_it() {
    let house = House::new().await;
    let documents = ["A kettle", "A signal box routes trains", "A box"];
    for path in ["/v2/rerank", "/v1/rerank"] {
        let asked =
            json!({"model": "oai/rerank-v3.5", "query": "What is a signal box?", "documents": documents, "top_n": 2});
        let answer = house.call(path, &[], &asked).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.json()["results"][0]["index"], 1, "{}", answer.text());
        assert_eq!(answer.json()["results"].as_array().unwrap().len(), 2);
        let received = house.received().await.pop().unwrap();
        assert_eq!(received["path"], "/v1/rerank");
        let sent: Value = serde_json::from_str(received["body"].as_str().unwrap()).unwrap();
        assert_eq!(sent, with(asked, json!({"model": "rerank-v3.5"})));
        let span = house.spans().await.pop().unwrap();
        assert_eq!((span.kind, span.name.as_str()), (SpanKind::Reranker, "rerank rerank-v3.5"));
        assert_eq!(span.attributes["signalbox.usage.search_units"], "1");
        assert_eq!(span.input.unwrap()[2], "A signal box routes trains");
        assert_eq!(span.output.unwrap()["results"][0]["index"], 1);
        // A search has no tokens, and a price of its own.
        assert!(span.usage.is_unknown());
        assert_eq!(span.cost.unwrap().total.to_string(), "0.002");
        assert_eq!(answer.header("x-signalbox-cost-usd"), "0.002");
    }
    let asked =
        json!({"model": "oai/embed-v4.0", "input_type": "search_query", "texts": ["a", "b"], "output_dimension": 8});
    let answer = house.call("/v2/embed", &[], &asked).await;
    assert_eq!(answer.json()["embeddings"]["float"][1].as_array().unwrap().len(), 8, "{}", answer.text());
    let span = house.spans().await.pop().unwrap();
    assert_eq!((span.kind, span.usage.input_tokens), (SpanKind::Embedding, Some(2)));
    assert!(span.output.unwrap().as_str().unwrap().ends_with("not recorded]"));

    // In Cohere's words, what goes wrong, too.
    let refused = house.call("/v2/rerank", &[], &json!({"model": "ant/m", "query": "a", "documents": ["a"]})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["message"].as_str().unwrap().contains("no rerank endpoint"), "{}", refused.text());
    let missing = house.call("/v2/rerank", &[], &json!({"query": "a", "documents": ["a"]})).await;
    assert!(missing.json()["message"].as_str().unwrap().contains("`model` is missing"), "{}", missing.text());
    let policies = json!({"policies": [{"scanner": "secrets", "on": ["input"], "action": "redact"}]});
    let house = House::build(Plan { guard: policies, ..Plan::default() }).await;
    let asked = json!({"model": "oai/m", "query": "a", "documents": [{"text": format!("Say {}", secret())}]});
    assert_eq!(house.call("/v2/rerank", &[], &asked).await.header("x-signalbox-verdict"), "redact");
    assert!(!house.received().await[0].to_string().contains(&inner_secret()));
}

#[tokio::test]
async fn what_is_spoken_costs_by_the_character() {
    let house = House::new().await;
    let asked = json!({"model": "oai/tts-1", "input": "Mind the g\u{e0}p", "voice": "alloy"});
    assert_eq!(house.call(SPEECH, &[], &asked).await.status, 200);
    let span = house.only_span().await;
    assert_eq!(span.cost.unwrap().total.to_string(), "0.00018");
}
