//! The simulated provider, in-process with a paused clock and on a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_upstream::simulated::{SimOptions, serve};
use signalbox_upstream::{BodyError, Operation, SendError, Upstream, UpstreamCall, UpstreamReply};
use signalbox_wire::{Accumulator, Dialect, SseDecoder, codec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::support::{call, eventually, health, upstream};

/// In-process, in every dialect.
pub(crate) fn in_process() -> Upstream {
    upstream(
        "[[providers]]\nname = 'sim-anthropic'\nkind = 'sim'\ndialect = 'anthropic_messages'\n\
         [[providers]]\nname = 'sim-gemini'\nkind = 'sim'\ndialect = 'gemini'\n\
         [[providers]]\nname = 'sim-responses'\nkind = 'sim'\ndialect = 'openai_responses'",
    )
}

/// The simulator on a socket, and an upstream with `sim`, `sim-anthropic` and `impatient` there.
pub(crate) struct Socket {
    pub(crate) address: SocketAddr,
    pub(crate) upstream: Upstream,
    shutdown: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Socket {
    pub(crate) async fn start(options: SimOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve(listener, options, async { stopped.await.unwrap_or(()) }));
        let url = format!("http://{address}");
        let upstream = upstream(&format!(
            "[[providers]]\nname = 'sim'\nbase_url = '{url}'\n[[providers]]\nname = 'sim-anthropic'\nkind = 'sim'\n\
             dialect = 'anthropic_messages'\nbase_url = '{url}'\n[[providers]]\nname = 'impatient'\nkind = 'sim'\n\
             base_url = '{url}'\ntimeouts = {{ idle = '60ms' }}"
        ));
        Self { address, upstream, shutdown: Some(shutdown), task }
    }

    async fn get(&self, path: &str, header: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{header}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

pub(crate) fn question(stream: bool) -> Value {
    json!({
        "model": "sim/small", "max_tokens": 500, "stream": stream,
        "messages": [{"role": "user", "content": "How do railway signals work?"}],
    })
}

pub(crate) async fn ask(
    upstream: &Upstream,
    model: &str,
    body: &Value,
    headers: &[(&'static str, &'static str)],
) -> Result<UpstreamReply, SendError> {
    let mut call = call(&body.to_string());
    for (name, value) in headers {
        call.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    upstream.send(&upstream.resolve(model).unwrap(), call).await
}

pub(crate) async fn whole(reply: UpstreamReply) -> Value {
    serde_json::from_slice(&reply.body.read_all(1 << 20).await.unwrap()).unwrap()
}

/// The data of a stream's events, which must be JSON; `[DONE]` is left out.
fn events(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    let data = text.split("\n\n").filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn joined<'a>(events: &'a [Value], pointer: &str) -> String {
    let texts = events.iter().filter_map(|event: &'a Value| event.pointer(pointer).and_then(Value::as_str));
    texts.collect()
}

#[tokio::test]
async fn streamed_and_whole_answers_agree_in_both_dialects() {
    for upstream in [in_process(), Socket::start(SimOptions::default()).await.upstream] {
        let answer = whole(ask(&upstream, "sim/small", &question(false), &[]).await.unwrap()).await;
        let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(text.contains("railway"), "{text}");
        assert_eq!(answer["model"], "small");
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");

        let mut streamed = question(true);
        streamed["stream_options"] = json!({"include_usage": true});
        let reply = ask(&upstream, "sim/small", &streamed, &[]).await.unwrap();
        assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        let stream = reply.body.read_all(1 << 20).await.unwrap();
        assert!(stream.ends_with(b"data: [DONE]\n\n"));
        let chunks = events(&stream);
        assert_eq!(joined(&chunks, "/choices/0/delta/content"), text);
        assert_eq!(chunks.last().unwrap()["usage"], answer["usage"]);

        let model = "sim-anthropic/small";
        let message = whole(ask(&upstream, model, &question(false), &[]).await.unwrap()).await;
        assert_eq!(message["content"][0]["text"], text, "one answer, whatever the dialect");
        assert_eq!(message["stop_reason"], "end_turn");
        assert_eq!(message["usage"]["input_tokens"], answer["usage"]["prompt_tokens"]);
        let stream = ask(&upstream, model, &question(true), &[]).await.unwrap().body.read_all(1 << 20).await.unwrap();
        let all = events(&stream);
        assert_eq!(joined(&all, "/delta/text"), text);
        assert_eq!(all.last().unwrap()["type"], "message_stop");
    }
}

#[tokio::test]
async fn tools_and_thinking_in_both_dialects() {
    let upstream = in_process();
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let mut body = question(false);
    body["tools"] = json!([{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]);
    let answer = whole(ask(&upstream, "sim/small", &body, &[]).await.unwrap()).await;
    let message = &answer["choices"][0]["message"];
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(message["content"], Value::Null);
    let arguments = message["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(arguments).unwrap()["city"].is_string());
    body["stream"] = json!(true);
    let stream = ask(&upstream, "sim/small", &body, &[]).await.unwrap().body.read_all(1 << 20).await.unwrap();
    assert_eq!(joined(&events(&stream), "/choices/0/delta/tool_calls/0/function/arguments"), arguments);

    let mut body = question(false);
    body["tools"] = json!([{"name": "get_weather", "input_schema": schema}]);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let answer = whole(ask(&upstream, "sim-anthropic/large", &body, &[]).await.unwrap()).await;
    assert_eq!(answer["stop_reason"], "tool_use");
    assert_eq!(answer["content"][0]["type"], "thinking");
    assert!(answer["content"][1]["input"]["city"].is_string());
    body["stream"] = json!(true);
    let stream = ask(&upstream, "sim-anthropic/large", &body, &[]).await.unwrap().body.read_all(1 << 20).await.unwrap();
    let all = events(&stream);
    assert_eq!(joined(&all, "/delta/partial_json"), answer["content"][1]["input"].to_string());
    assert_eq!(joined(&all, "/delta/signature"), answer["content"][0]["signature"].as_str().unwrap());
}

/// What our own codecs make of an answer, whole and streamed, must be one and the same.
#[tokio::test]
async fn our_codecs_read_every_answer() {
    let upstream = in_process();
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let openai_tools = json!([{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]);
    let anthropic_tools = json!([{"name": "get_weather", "input_schema": schema}]);
    let responses_tools = json!([{"type": "function", "name": "get_weather", "parameters": schema}]);
    let gemini_tools = json!([{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": schema}]}]);
    for (model, dialect, tools) in [
        ("sim/large", Dialect::OpenaiChat, openai_tools),
        ("sim-anthropic/large", Dialect::AnthropicMessages, anthropic_tools),
        ("sim-gemini/large", Dialect::Gemini, gemini_tools),
        ("sim-responses/large", Dialect::OpenaiResponses, responses_tools),
    ] {
        for with_tools in [false, true] {
            let codec = codec(dialect);
            let body = |stream: bool| {
                let mut body = question(stream);
                if dialect == Dialect::Gemini {
                    let contents = [json!({"parts": [{"text": body["messages"][0]["content"]}]})];
                    body = json!({"contents": contents, "generationConfig": {"thinkingConfig": {"includeThoughts": true}}});
                }
                if dialect == Dialect::OpenaiResponses {
                    body = json!({
                        "model": "large", "stream": stream, "input": body["messages"],
                        "include": ["reasoning.encrypted_content"],
                    });
                }
                if with_tools {
                    body["tools"] = tools.clone();
                }
                if dialect == Dialect::AnthropicMessages {
                    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
                } else if stream && dialect == Dialect::OpenaiChat {
                    body["stream_options"] = json!({"include_usage": true});
                }
                body
            };
            let reply = ask(&upstream, model, &body(false), &[]).await.unwrap();
            let whole = codec.decode_response(&reply.body.read_all(1 << 20).await.unwrap()).unwrap();
            let streaming = UpstreamCall { stream: true, ..call(&body(true).to_string()) };
            let reply = upstream.send(&upstream.resolve(model).unwrap(), streaming).await.unwrap();
            let mut sse = SseDecoder::new();
            sse.push(&reply.body.read_all(1 << 20).await.unwrap()).unwrap();
            let mut decoder = codec.decode_stream();
            let mut streamed = Accumulator::default();
            while let Some(event) = sse.next() {
                for event in decoder.event(&event).unwrap() {
                    streamed.event(&event);
                }
            }
            for event in decoder.finish().unwrap() {
                streamed.event(&event);
            }
            let streamed = streamed.finish();
            assert_eq!(streamed.messages, whole.messages, "{model}");
            assert_eq!(streamed.usage, whole.usage, "{model}");
            assert_eq!(streamed.id, whole.id, "{model}");
        }
    }
}

#[tokio::test]
async fn gemini_embeds_counts_and_refuses() {
    let upstream = in_process();
    let send = async |operation: Operation, body: Value, status: &'static str| {
        let mut call = UpstreamCall { operation, ..call(&body.to_string()) };
        if !status.is_empty() {
            call.headers.insert("x-sim-status", HeaderValue::from_static(status));
        }
        whole(upstream.send(&upstream.resolve("sim-gemini/embed").unwrap(), call).await.unwrap()).await
    };
    let content = json!({"parts": [{"text": "How do railway signals work?"}]});
    let one = json!({"content": content, "outputDimensionality": 8});
    let single = send(Operation::Embeddings, one.clone(), "").await;
    assert_eq!(single["embedding"]["values"].as_array().unwrap().len(), 8);
    let batch = send(Operation::EmbeddingsBatch, json!({"requests": [one, one]}), "").await;
    assert_eq!(batch["embeddings"][1], single["embedding"]);
    let counted = send(Operation::CountTokens, json!({"contents": [content]}), "").await;
    let inner = json!({"generateContentRequest": {"model": "models/embed", "contents": [content]}});
    assert!(counted["totalTokens"].as_u64().unwrap() > 5);
    assert_eq!(send(Operation::CountTokens, inner, "").await, counted);
    let refused = send(Operation::Chat, json!({"contents": [content]}), "429").await;
    assert_eq!(refused["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(refused["error"]["code"], 429);
}

#[tokio::test]
async fn embeddings_and_models() {
    let socket = Socket::start(SimOptions::default()).await;
    let target = socket.upstream.resolve("sim/embed").unwrap();
    for (format, is_text) in [("float", false), ("base64", true)] {
        let body = json!({"model": "embed", "input": ["a", "b"], "dimensions": 8, "encoding_format": format});
        let call = UpstreamCall { operation: Operation::Embeddings, ..call(&body.to_string()) };
        let answer = whole(socket.upstream.send(&target, call).await.unwrap()).await;
        let vector = &answer["data"][1]["embedding"];
        assert!(if is_text { vector.is_string() } else { vector.as_array().unwrap().len() == 8 }, "{answer}");
        assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() >= 2);
    }
    assert_eq!(socket.get("/v1/models", "").await["data"][0]["id"], "small");
    assert_eq!(socket.get("/v1/models/large", "").await["id"], "large");
    assert_eq!(socket.get("/v1/models", "anthropic-version: 2023-06-01\r\n").await["data"][0]["type"], "model");
    assert!(socket.get("/v1/nothing", "").await["error"]["message"].is_string());
}

#[tokio::test(start_paused = true)]
async fn answers_take_the_time_they_are_told() {
    let upstream = in_process();
    let ms = |start: Instant| start.elapsed().as_millis();
    let timing = [
        ("x-sim-latency-ms", "200"),
        ("x-sim-ttft-ms", "300"),
        ("x-sim-chunk-delay-ms", "10"),
        ("x-sim-echo", "a b c"),
    ];
    let start = Instant::now();
    let mut reply = ask(&upstream, "sim/small", &question(true), &timing).await.unwrap();
    assert_eq!(ms(start), 200);
    reply.body.frame().await.unwrap().unwrap();
    assert_eq!(ms(start), 200, "the role comes at once");
    reply.body.frame().await.unwrap().unwrap();
    assert_eq!(ms(start), 500);
    reply.body.read_all(1 << 20).await.unwrap();
    assert_eq!(ms(start), 520);

    let start = Instant::now();
    ask(&upstream, "sim/small", &question(false), &timing).await.unwrap();
    assert_eq!(ms(start), 530, "an answer that isn't streamed takes as long as its stream");

    let options = "[simulated]\nlatency = '40ms'\nttft = '2s'\n[timeouts]\nfirst_byte = '1s'";
    let error = ask(&super::support::upstream(options), "sim/small", &question(false), &[]).await.unwrap_err();
    assert!(matches!(error, SendError::FirstByteTimeout { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn rates_are_kept_and_a_second_try_can_succeed() {
    let upstream = upstream("[simulated]\nerror_rate = 0.2\nrate_limit_rate = 0.1");
    let mut counts = [0, 0, 0];
    for _ in 0..1_000 {
        let reply = ask(&upstream, "sim/small", &question(false), &[]).await.unwrap();
        match reply.status.as_u16() {
            200 => counts[0] += 1,
            429 => {
                assert_eq!(reply.headers["retry-after"], "1");
                counts[1] += 1;
            }
            500 => counts[2] += 1,
            other => panic!("{other}"),
        }
    }
    assert!((650..750).contains(&counts[0]) && (70..130).contains(&counts[1]), "{counts:?}");
    let health = health(&upstream, "sim");
    assert_eq!((health.ok, health.failed), (counts[0], counts[1] + counts[2]));
}

#[tokio::test]
async fn failures_that_are_asked_for() {
    let socket = Socket::start(SimOptions::default()).await;
    for upstream in [&in_process(), &socket.upstream] {
        let reply = ask(upstream, "sim/small", &question(false), &[("x-sim-status", "529")]).await.unwrap();
        assert_eq!(reply.status.as_u16(), 529);
        let reply = ask(upstream, "sim-anthropic/small", &question(false), &[("x-sim-status", "429")]).await.unwrap();
        assert_eq!(whole(reply).await["error"]["type"], "rate_limit_error");
        let reply = ask(upstream, "sim/small", &question(false), &[("x-sim-status", "abc")]).await.unwrap();
        assert_eq!(reply.status.as_u16(), 400);
        assert!(whole(reply).await["error"]["message"].as_str().unwrap().contains("x-sim-status"));

        let error = ask(upstream, "sim/small", &question(false), &[("x-sim-drop", "1")]).await.unwrap_err();
        assert!(matches!(error, SendError::Reset { .. }), "{error}");

        for stream in [true, false] {
            let reply = ask(upstream, "sim/small", &question(stream), &[("x-sim-cut-after", "3")]).await.unwrap();
            let error = reply.body.read_all(1 << 20).await.unwrap_err();
            assert!(matches!(error, BodyError::Cut { .. }), "{error}");
        }

        let reply = ask(upstream, "sim/small", &question(false), &[("x-sim-garbage", "1")]).await.unwrap();
        let body = reply.body.read_all(1 << 20).await.unwrap();
        assert!(serde_json::from_slice::<Value>(&body).is_err());

        let reply = ask(upstream, "sim/small", &question(true), &[("x-sim-error-event", "1")]).await.unwrap();
        assert_eq!(reply.status.as_u16(), 200);
        assert!(events(&reply.body.read_all(1 << 20).await.unwrap())[0]["error"].is_object());

        let reply = ask(upstream, "sim/small", &question(false), &[("x-sim-no-usage", "1")]).await.unwrap();
        assert!(whole(reply).await.get("usage").is_none());
    }
    let stall = [("x-sim-stall-after", "2")];
    let reply = ask(&socket.upstream, "impatient/small", &question(true), &stall).await.unwrap();
    assert!(matches!(reply.body.read_all(1 << 20).await, Err(BodyError::IdleTimeout { .. })));
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_field() {
    let upstream = in_process();
    for (model, body, part) in [
        ("sim/small", json!({"model": "small"}), "messages"),
        ("sim/small", json!({"model": "small", "messages": []}), "at least one"),
        ("sim/small", json!({"model": "small", "messages": [{"role": "robot", "content": "x"}]}), "messages[0].role"),
        ("sim/small", json!({"model": "small", "messages": [{"role": "user", "content": 7}]}), "messages[0].content"),
        ("sim/small", json!({"model": "embed", "messages": [{"role": "user", "content": "x"}]}), "embeddings"),
        (
            "sim-anthropic/small",
            json!({"model": "small", "messages": [{"role": "user", "content": "x"}]}),
            "max_tokens",
        ),
    ] {
        let reply = ask(&upstream, model, &body, &[]).await.unwrap();
        assert_eq!(reply.status.as_u16(), 400, "{body}");
        let error = whole(reply).await["error"]["message"].as_str().unwrap().to_owned();
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn split_anywhere_the_bytes_stay_the_same() {
    let socket = Socket::start(SimOptions::default()).await;
    for upstream in [&in_process(), &socket.upstream] {
        let echo = ("x-sim-echo", "%F0%9F%A6%80 caf%C3%A9 sk-live-4242");
        let expected =
            ask(upstream, "sim/small", &question(true), &[echo]).await.unwrap().body.read_all(1 << 20).await.unwrap();
        assert!(joined(&events(&expected), "/choices/0/delta/content").contains("🦀 café sk-live-4242"));
        for size in ["1", "2", "3", "7", "100"] {
            let reply = ask(upstream, "sim/small", &question(true), &[echo, ("x-sim-split", size)]).await;
            let mut body = reply.unwrap().body;
            let mut all = Vec::new();
            while let Some(frame) = body.frame().await {
                let data: Bytes = frame.unwrap().into_data().unwrap();
                assert!(data.len() <= size.parse().unwrap());
                all.extend_from_slice(&data);
            }
            assert_eq!(all, expected);
        }
    }
}

#[tokio::test]
async fn a_cancelled_call_is_seen_by_the_server() {
    let socket = Socket::start(SimOptions { record: true, ..SimOptions::default() }).await;
    let stall = [("x-sim-stall-after", "2"), ("traceparent", "00-1-2-01")];
    let mut reply = ask(&socket.upstream, "sim/small", &question(true), &stall).await.unwrap();
    reply.body.frame().await.unwrap().unwrap();
    drop(reply);
    eventually("the cancelled call", async || socket.get("/sim/stats", "").await["cancelled"] == 1).await;
    let late = [("x-sim-latency-ms", "60000")];
    let body = question(true);
    {
        let mut sending = Box::pin(ask(&socket.upstream, "sim/small", &body, &late));
        tokio::select! {
            reply = &mut sending => panic!("{reply:?}"),
            () = eventually("the call", async || socket.get("/sim/stats", "").await["requests"] == 2) => {}
        }
    }
    eventually("the cancelled call", async || socket.get("/sim/stats", "").await["cancelled"] == 2).await;
    let recorded = socket.get("/sim/requests", "").await;
    assert_eq!(recorded[0]["headers"]["traceparent"], "00-1-2-01");
    assert!(recorded[0]["body"].as_str().unwrap().contains("railway"));
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight() {
    let mut socket = Socket::start(SimOptions::default()).await;
    let slow = [("x-sim-chunk-delay-ms", "5"), ("x-sim-echo", "one two three four five six")];
    let reply = ask(&socket.upstream, "sim/small", &question(true), &slow).await.unwrap();
    socket.shutdown.take().unwrap().send(()).unwrap();
    assert!(reply.body.read_all(1 << 20).await.unwrap().ends_with(b"data: [DONE]\n\n"));
    socket.task.await.unwrap();
    assert!(TcpStream::connect(socket.address).await.is_err());
}

#[tokio::test]
async fn a_stalled_body_in_process_meets_the_idle_limit() {
    let upstream = upstream("timeouts = { idle = '20ms' }");
    let reply = ask(&upstream, "sim/small", &question(true), &[("x-sim-stall-after", "0")]).await.unwrap();
    let error = reply.body.read_all(1 << 20).await.unwrap_err();
    assert!(matches!(error, BodyError::IdleTimeout { waited, .. } if waited == Duration::from_millis(20)), "{error}");
}
