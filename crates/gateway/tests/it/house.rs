//! A gateway with everything around it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use signalbox_catalog::Catalog;
use signalbox_gateway::{
    BoxError, Gateway, GatewayConfig, GatewayParts, RequestBody, ResponseBody, Routes, Settings, Switch,
};
use signalbox_guard::{Guard, GuardConfig};
use signalbox_prices::PriceBook;
use signalbox_testkit::{ManualClock, VecSink};
use signalbox_types::seam::{Clock, SpanSink};
use signalbox_types::{Secret, Span};
use signalbox_upstream::{Problem, Upstream, simulated};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

pub(crate) const KEY: &str = "sb-test-key-0001";

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const RESPONSES: &str = "/v1/responses";
/// Stands for Google's paths, which [`House::call`] makes of the body's `model` and `stream`.
pub(crate) const GEMINI: &str = "/v1beta/models/";

/// A secret that the default policy redacts from answers.
pub(crate) fn secret() -> String {
    // In two pieces, so that scanners of this repository don't find it.
    format!("sk-proj-{}", "Zx9Qm2Lr7Tk4Vb8Nc1Wd5Hf3Jg6Ps0Ya9Ue2Ri7Ot4Xz8Bv1Mn5Kq3")
}

/// A part of it that no mark may leave over.
pub(crate) fn inner_secret() -> String {
    secret().chars().skip(8).take(12).collect()
}

/// What can be set before a house is built.
pub(crate) struct Plan {
    pub(crate) config: GatewayConfig,
    pub(crate) guard: Value,
    /// More providers, as in the configuration file.
    pub(crate) providers: Vec<Value>,
    /// As in the configuration file.
    pub(crate) routes: Value,
    pub(crate) sink: Arc<VecSink>,
    pub(crate) timeouts: Value,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            config: GatewayConfig::default(),
            guard: json!({"policies": []}),
            providers: Vec::new(),
            routes: json!([]),
            sink: Arc::default(),
            timeouts: json!({}),
        }
    }
}

impl Plan {
    fn settings(self, simulator: &str) -> Settings {
        let base_url = format!("http://{simulator}/v1");
        let mut providers = vec![
            json!({"name": "oai", "kind": "sim", "dialect": "openai_chat", "base_url": base_url, "models": ["small"]}),
            json!({"name": "ant", "kind": "sim", "dialect": "anthropic_messages", "base_url": base_url, "models": ["large"]}),
            json!({"name": "gem", "kind": "sim", "dialect": "gemini", "base_url": format!("http://{simulator}")}),
            json!({"name": "bed", "kind": "sim", "dialect": "bedrock_converse", "base_url": format!("http://{simulator}")}),
            json!({"name": "coh", "kind": "sim", "dialect": "cohere_v2", "base_url": format!("http://{simulator}")}),
            json!({"name": "rsp", "kind": "sim", "dialect": "openai_responses", "base_url": base_url}),
        ];
        providers.extend(self.providers);
        let guard: GuardConfig = serde_json::from_value(self.guard).unwrap();
        Settings {
            config: self.config,
            guard: Guard::compile(&guard).unwrap(),
            upstream: serde_json::from_value(json!({"providers": providers, "timeouts": self.timeouts})).unwrap(),
            routes: serde_json::from_value(self.routes).unwrap(),
            prices: Arc::new(PriceBook::builtin()),
        }
    }
}

pub(crate) struct House {
    /// What was in force at the start.
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) switch: Switch,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) sink: Arc<VecSink>,
    pub(crate) clock: Arc<ManualClock>,
    /// Where the simulated provider listens.
    pub(crate) simulator: String,
    _data: tempfile::TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::build(Plan::default()).await
    }

    /// With the guard's default policy.
    pub(crate) async fn guarded() -> Self {
        Self::build(Plan { guard: serde_json::to_value(GuardConfig::default()).unwrap(), ..Plan::default() }).await
    }

    pub(crate) async fn build(plan: Plan) -> Self {
        let sink = Arc::<VecSink>::clone(&plan.sink);
        Self::finish(plan, sink).await
    }

    pub(crate) async fn with_sink(sink: Arc<dyn SpanSink>) -> Self {
        Self::finish(Plan::default(), sink).await
    }

    async fn finish(plan: Plan, sink: Arc<dyn SpanSink>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = listener.local_addr().unwrap().to_string();
        let options = simulated::SimOptions { record: true, ..simulated::SimOptions::default() };
        tokio::spawn(simulated::serve(listener, options, std::future::pending()));

        let clock = Arc::new(ManualClock::default());
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let data = tempfile::tempdir().unwrap();
        let catalog = Arc::new(Catalog::open(data.path(), Arc::clone(&time)).await.unwrap());
        catalog.bootstrap(Some(Secret::new(KEY.to_owned()))).await.unwrap();

        let plan_sink = Arc::clone(&plan.sink);
        let settings = plan.settings(&simulator);
        let upstream = Upstream::new(&settings.upstream, &|_| None, Arc::clone(&time)).unwrap();
        let gateway = Gateway::new(GatewayParts {
            config: settings.config,
            guard: settings.guard,
            catalog: Arc::clone(&catalog),
            routes: Routes::compile(&settings.routes, &upstream).unwrap(),
            upstream: Arc::new(upstream),
            prices: settings.prices,
            sink,
            clock: time,
        });
        let switch = Switch::new(gateway);
        Self { gateway: switch.current(), switch, catalog, sink: plan_sink, clock, simulator, _data: data }
    }

    /// Has another plan from now on; its sink stays.
    pub(crate) fn reload(&self, plan: Plan) -> Result<(), Vec<Problem>> {
        self.switch.apply(plan.settings(&self.simulator), &|_| None)
    }

    pub(crate) async fn send(&self, request: Request<RequestBody>) -> Response<ResponseBody> {
        self.switch.serve(request).await
    }

    pub(crate) async fn call(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut body = body.clone();
        let mut path = path.to_owned();
        if let (GEMINI, Value::Object(fields)) = (path.as_str(), &mut body) {
            let model = fields.remove("model").unwrap_or_default();
            let method = match fields.remove("stream") {
                Some(Value::Bool(true)) => "streamGenerateContent?alt=sse",
                _ => "generateContent",
            };
            path = format!("{GEMINI}{}:{method}", model.as_str().unwrap());
        }
        self.call_bytes(&path, headers, body.to_string().into()).await
    }

    pub(crate) async fn call_bytes(&self, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        Answer::read(self.send(request(path, headers, body)).await).await
    }

    /// What the simulated provider got, in order.
    pub(crate) async fn received(&self) -> Vec<Value> {
        let text = get(&self.simulator, "/v1/sim/requests").await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What the simulated provider counted.
    pub(crate) async fn stats(&self) -> Value {
        serde_json::from_str(&get(&self.simulator, "/v1/sim/stats").await).unwrap()
    }

    /// The spans, once all calls are written down.
    pub(crate) async fn spans(&self) -> Vec<Span> {
        self.gateway.drain().await;
        self.sink.spans()
    }

    pub(crate) async fn only_span(&self) -> Span {
        let mut spans = self.spans().await;
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    pub(crate) fn metrics(&self) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        self.gateway.metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }
}

pub(crate) fn request(path: &str, headers: &[(&str, &str)], body: Bytes) -> Request<RequestBody> {
    let mut request = Request::post(path).header("authorization", format!("Bearer {KEY}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body).map_err(|never| match never {}).boxed_unsync()).unwrap()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn read(response: Response<ResponseBody>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: head.status, headers: head.headers, body }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `data` of every event, as JSON where it is.
    pub(crate) fn events(&self) -> Vec<Value> {
        events(self.text())
    }

    /// The answer's text, whole or streamed, in either dialect.
    pub(crate) fn content(&self) -> String {
        if self.header("content-type").starts_with("text/event-stream") {
            return content(self.text());
        }
        let json = self.json();
        match json["choices"][0]["message"]["content"].as_str() {
            Some(text) => text.to_owned(),
            None => {
                let blocks = json["content"].as_array().into_iter().flatten();
                let blocks: String = blocks.filter_map(|block| block["text"].as_str()).collect();
                let items = json["output"].as_array().into_iter().flatten();
                let items: String = items.filter_map(|item| item["content"][0]["text"].as_str()).collect();
                blocks + &items + &gemini_text(&json)
            }
        }
    }

    /// The tools that are called: name and arguments.
    pub(crate) fn tool_calls(&self) -> Vec<(String, Value)> {
        let parse = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| panic!("arguments: {text}"));
        let mut calls: Vec<(String, String)> = Vec::new();
        if !self.header("content-type").starts_with("text/event-stream") {
            let json = self.json();
            let openai = json["choices"][0]["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
            let openai = openai.iter().map(|call| &call["function"]);
            let found = openai.map(|call| (text(&call["name"]), parse(&text(&call["arguments"]))));
            let anthropic = json["content"].as_array().cloned().unwrap_or_default();
            let anthropic = anthropic.iter().filter(|block| block["type"] == "tool_use");
            let anthropic = anthropic.map(|block| (text(&block["name"]), block["input"].clone()));
            return found.chain(anthropic).chain(gemini_calls(&json)).chain(responses_calls(&json)).collect();
        }
        for event in self.events() {
            for call in event["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
                if let Some(name) = call["function"]["name"].as_str() {
                    calls.push((name.to_owned(), String::new()));
                }
                if let (Some(more), Some(last)) = (call["function"]["arguments"].as_str(), calls.last_mut()) {
                    last.1.push_str(more);
                }
            }
            if event["content_block"]["type"] == "tool_use" {
                calls.push((text(&event["content_block"]["name"]), String::new()));
            }
            if let (Some(more), Some(last)) = (event["delta"]["partial_json"].as_str(), calls.last_mut()) {
                last.1.push_str(more);
            }
        }
        let gemini: Vec<(String, Value)> = self.events().iter().flat_map(gemini_calls).collect();
        let calls = calls.into_iter().map(|(name, arguments)| (name, parse(&arguments)));
        let responses = self.events().last().map(|last| responses_calls(&last["response"])).unwrap_or_default();
        calls.chain(gemini).chain(responses).collect()
    }
}

pub(crate) fn gemini_parts(answer: &Value) -> Vec<Value> {
    answer["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()
}

fn gemini_text(answer: &Value) -> String {
    let parts = gemini_parts(answer);
    parts.iter().filter(|part| part["thought"] != true).filter_map(|part| part["text"].as_str()).collect()
}

fn gemini_calls(answer: &Value) -> Vec<(String, Value)> {
    let parts = gemini_parts(answer);
    let calls = parts.iter().filter_map(|part| part.get("functionCall"));
    calls.map(|call| (text(&call["name"]), call["args"].clone())).collect()
}

fn responses_calls(answer: &Value) -> Vec<(String, Value)> {
    let items = answer["output"].as_array().into_iter().flatten().filter(|item| item["type"] == "function_call");
    items.map(|item| (text(&item["name"]), serde_json::from_str(&text(&item["arguments"])).unwrap())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::from(data))).collect()
}

/// The text of a stream so far, in either dialect.
pub(crate) fn content(stream: &str) -> String {
    let delta = |event: &Value| {
        let openai = event["choices"][0]["delta"]["content"].as_str();
        let responses = event["delta"].as_str().filter(|_| event["type"] == "response.output_text.delta");
        let anthropic = event["delta"]["text"].as_str();
        openai.or(anthropic).or(responses).unwrap_or_default().to_owned() + &gemini_text(event)
    };
    events(stream).iter().map(delta).collect()
}

/// A question in the dialect of a path.
pub(crate) fn question(path: &str, model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "What is a signal box?"}]);
    if path == GEMINI {
        json!({"model": model, "contents": [{"role": "user", "parts": [{"text": "What is a signal box?"}]}]})
    } else if path == MESSAGES {
        json!({"model": model, "max_tokens": 200, "messages": messages})
    } else if path == RESPONSES {
        json!({"model": model, "input": messages})
    } else {
        json!({"model": model, "messages": messages})
    }
}

pub(crate) fn with(mut value: Value, more: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut value, more) else { panic!("expected objects") };
    fields.extend(more);
    value
}

/// A provider that answers every request with the same bytes, written in these pieces, and closes.
pub(crate) async fn hand_written(pieces: Vec<Bytes>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let pieces = pieces.clone();
            tokio::spawn(async move {
                read_request(&mut socket).await;
                for piece in pieces {
                    if socket.write_all(&piece).await.is_err() {
                        return;
                    }
                    socket.flush().await.ok();
                    tokio::task::yield_now().await;
                }
            });
        }
    });
    format!("http://{address}/v1")
}

/// Head and body of a request.
pub(crate) async fn read_request(socket: &mut tokio::net::TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = socket.read(&mut buffer).await.unwrap_or(0);
        seen.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&seen);
        let Some(head) = text.find("\r\n\r\n").or_else(|| (read == 0).then_some(0)) else { continue };
        let length = text.to_ascii_lowercase();
        let length: usize = length
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0);
        if read == 0 || seen.len() >= head + 4 + length {
            return text.into_owned();
        }
    }
}

/// An HTTP answer with this body that ends when the connection closes.
pub(crate) fn http_answer(status: &str, content_type: &str, body: &str) -> Bytes {
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n{body}").into()
}

async fn get(address: &str, path: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// A request body that never ends.
pub(crate) struct Slow;

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Pending
    }
}
