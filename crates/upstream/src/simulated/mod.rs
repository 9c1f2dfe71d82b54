//! The simulated provider: an ordinary provider whose answers are a pure function of (seed, model, messages).
//!
//! It speaks `openai_chat` (`/v1/chat/completions`, `/v1/embeddings`, `/v1/models`), `openai_responses`
//! (`/v1/responses`), `anthropic_messages` (`/v1/messages`, `/v1/messages/count_tokens`) and `gemini`
//! (`/v1beta/models/{model}:generateContent` and its neighbours), `bedrock_converse` (`/model/{model}/converse`,
//! `/model/{model}/converse-stream`) and `cohere_v2` (`/v2/chat`); `/v1` may be left out. Files and batches are kept at
//! `/v1/files` and `/v1/batches`; texts are ranked and embedded at Cohere's `/v2/rerank` and `/v2/embed`; `/sim/echo/…`
//! tells what it was asked. Models: `small` (short answers), `large` (longer, with reasoning tokens), `embed`; any other
//! name answers as `small` does, and `sim/` before a name is taken off. Provider `sim` reaches it in-process; [`serve`]
//! puts it on a socket for tests, the demo and benchmarks.
//!
//! How it behaves is set by [`SimOptions`], and for one request by headers (see [`directives`]).

mod along;
mod answer;
mod anthropic;
mod bedrock;
mod body;
mod cohere;
pub mod directives;
mod embeddings;
mod gemini;
mod gemini_request;
mod openai;
mod options;
mod request;
mod responses;
mod responses_request;
mod schema;
mod script;
mod server;
mod shelf;
mod stats;
mod text;
mod vertex;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use signalbox_wire::Dialect;

pub use body::{SimBody, SimCut};
pub use options::SimOptions;
pub use server::serve;
pub use stats::SimStats;

use crate::client::{Root, with_query};
use crate::{Operation, Provider, SendError, UpstreamCall};
use directives::Directives;
use script::Script;
use shelf::{Shelf, Taken};
use stats::Stats;
use text::Random;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The simulated provider's registry row.
pub const KIND: &str = "sim";
/// Headers that start so may go to a provider for which [`Provider::is_simulated`] holds, and to no other.
pub const HEADER_PREFIX: &str = "x-sim-";

const RESPONSES: &str = "/responses";
const COHERE: &str = "/chat";
const DEPLOYMENTS: &str = "/openai/deployments/";
/// Below it any request is answered with what it was.
const ECHO: &str = "/sim/echo";

/// The paths below `/v1`, what an error there is told in, and what is asked.
const SURFACES: &[(&str, Dialect, Operation)] = &[
    ("/chat/completions", Dialect::OpenaiChat, Operation::Chat),
    ("/embeddings", Dialect::OpenaiChat, Operation::Embeddings),
    (RESPONSES, Dialect::OpenaiResponses, Operation::Responses),
    ("/completions", Dialect::OpenaiCompletions, Operation::Completions),
    ("/moderations", Dialect::OpenaiChat, Operation::Moderations),
    ("/images/generations", Dialect::OpenaiChat, Operation::Images),
    ("/audio/speech", Dialect::OpenaiChat, Operation::Speech),
    ("/audio/transcriptions", Dialect::OpenaiChat, Operation::Transcriptions),
    (shelf::FILES, Dialect::OpenaiChat, Operation::Files),
    (shelf::BATCHES, Dialect::OpenaiChat, Operation::Batches),
    ("/rerank", Dialect::OpenaiChat, Operation::Rerank),
    ("/embed", Dialect::OpenaiChat, Operation::CohereEmbed),
    ("/messages", Dialect::AnthropicMessages, Operation::Chat),
    (COHERE, Dialect::CohereV2, Operation::Chat),
    ("/messages/count_tokens", Dialect::AnthropicMessages, Operation::CountTokens),
];

/// The path of an operation for a provider of a dialect.
fn surface(dialect: Dialect, operation: Operation) -> Option<&'static str> {
    let (dialect, operation) = match (dialect, operation) {
        (Dialect::OpenaiResponses, Operation::Chat) => (dialect, Operation::Responses),
        (Dialect::OpenaiCompletions, Operation::Chat) => (dialect, Operation::Completions),
        // Beside it, as at OpenAI.
        (Dialect::OpenaiChat, Operation::Responses) => (Dialect::OpenaiResponses, operation),
        (Dialect::OpenaiChat, Operation::Completions) => (Dialect::OpenaiCompletions, operation),
        other => other,
    };
    let mut all = SURFACES.iter();
    all.find(|(_, of, asked)| (*of, *asked) == (dialect, operation)).map(|(path, ..)| *path)
}

/// Whether the provider in this process can be asked so.
pub(crate) fn has(dialect: Dialect, operation: Operation) -> bool {
    match dialect {
        Dialect::Gemini => gemini::Asks::path(operation, false, "m").is_some(),
        Dialect::BedrockConverse => operation == Operation::Chat,
        dialect => surface(dialect, operation).is_some(),
    }
}

/// What is asked of the provider in this process by a path.
pub(crate) fn operation_at(dialect: Dialect, path: &str) -> Option<Operation> {
    let path = unversioned(path);
    SURFACES.iter().map(|(_, _, operation)| *operation).find(|operation| surface(dialect, *operation) == Some(path))
}

/// A path, and that of an operation.
pub(crate) fn below(dialect: Dialect, operation: Operation, path: &str) -> Option<(String, &'static str)> {
    Some((unversioned(path).to_owned(), surface(dialect, operation)?))
}

/// `/v1` may be left out.
fn unversioned(path: &str) -> &str {
    // Cohere's second version has the same answers here.
    let rest = ["/v1", "/v2"].into_iter().find_map(|version| path.strip_prefix(version));
    rest.filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// The simulated provider.
#[derive(Debug)]
pub struct Simulator {
    options: SimOptions,
    /// Numbers the requests, so that a call that failed by chance can succeed when it is tried again.
    drawn: AtomicU64,
    stats: Arc<Stats>,
    /// What callers have given it to keep.
    shelf: Shelf,
}

/// The simulator was told to close the connection without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("closed without an answer, as x-sim-drop asked")]
pub struct Dropped;

impl Simulator {
    /// A simulator that behaves so.
    #[must_use]
    pub fn new(options: SimOptions) -> Self {
        Self { options, drawn: AtomicU64::new(0), stats: Arc::default(), shelf: Shelf::default() }
    }

    /// What it has seen.
    #[must_use]
    pub fn stats(&self) -> SimStats {
        self.stats.snapshot()
    }

    /// Answers one request, after the time that the options say.
    ///
    /// # Errors
    /// [`Dropped`] if the request asks for no answer.
    pub async fn answer(&self, request: Request<Bytes>) -> Result<Response<SimBody>, Dropped> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        // Azure has the deployment's name in the path.
        let deployed = path.strip_prefix(DEPLOYMENTS).and_then(|rest| rest.split_once('/'));
        let asks = gemini::Asks::find(path);
        let converse = bedrock::Asks::find(path);
        let path = unversioned(path);
        let path = deployed.map_or(path, |(model, _)| path.get(DEPLOYMENTS.len() + model.len()..).unwrap_or(path));
        if let Some(below) = path.strip_prefix(RESPONSES).filter(|below| !below.is_empty()) {
            return Ok(self.kept(&head, below, &body));
        }
        if shelf::is_on(path) {
            return Ok(self.on_the_shelf(&head, path, &body));
        }
        if path.starts_with(ECHO) {
            return Ok(self.echo(&head, &body));
        }
        if head.method == Method::GET {
            return Ok(self.look_up(path, &head.headers));
        }
        let (path, body) = match vertex::read(path, &body) {
            None => (path, body),
            Some(Ok(read)) => read,
            Some(Err(message)) => return Ok(refuse(Dialect::AnthropicMessages, &message)),
        };
        let found = SURFACES.iter().find(|(known, ..)| *known == path).copied();
        let (_, dialect, operation) = found.unwrap_or(match (&asks, &converse) {
            (Some(_), _) => ("", Dialect::Gemini, Operation::Chat),
            (None, Some(_)) => ("", Dialect::BedrockConverse, Operation::Chat),
            (None, None) => ("", Dialect::OpenaiChat, Operation::Chat),
        });
        let is_known = found.is_some() || asks.is_some() || converse.is_some();
        let mut script = match head.method == Method::POST && is_known {
            true => {
                if self.options.record {
                    self.stats.record(&head, &body);
                }
                match Directives::read(&head.headers, &self.options) {
                    Ok(directives) if directives.drop => {
                        self.stats.begun();
                        tokio::time::sleep(directives.options.latency).await;
                        self.stats.finished();
                        return Err(Dropped);
                    }
                    Ok(directives) => self.failure(dialect, &directives).unwrap_or_else(|| {
                        let made = match (&asks, &converse, operation) {
                            (Some(asks), ..) => gemini::script(asks, &body, &directives),
                            (None, Some(converse), _) => bedrock::script(converse, &body, &directives),
                            (None, None, Operation::Embeddings) => embeddings::script(&body, &directives),
                            (None, None, Operation::Responses) => responses::script(&body, &directives),
                            (None, None, Operation::Chat) if dialect == Dialect::CohereV2 => {
                                cohere::script(&body, &directives)
                            }
                            (None, None, Operation::Chat) if dialect == Dialect::AnthropicMessages => {
                                anthropic::script(&body, &directives)
                            }
                            (None, None, Operation::Chat) => openai::script(&body, &directives),
                            (None, None, other) => {
                                along::script(other, head.headers.get(CONTENT_TYPE), &body, &directives)
                            }
                        };
                        made.unwrap_or_else(|message| Script::error(dialect, 400, &message))
                    }),
                    Err(message) => Script::error(dialect, 400, &message),
                }
            }
            false => Script::error(dialect, 404, &format!("no route for {} {}", head.method, head.uri.path())),
        };
        let guard = Stats::guard(&self.stats);
        if script.head_wait > Duration::ZERO {
            tokio::time::sleep(script.head_wait).await;
        }
        let body = SimBody::new(std::mem::take(&mut script.steps), Some(guard));
        Ok(respond(script.status, script.content_type, body))
    }

    /// A failure that was asked for, or drawn by (seed, number of the request).
    fn failure(&self, dialect: Dialect, directives: &Directives) -> Option<Script> {
        let options = &directives.options;
        let status = if let Some(status) = directives.status {
            Some(status)
        } else if options.error_rate > 0.0 || options.rate_limit_rate > 0.0 {
            let mut random = Random::new(options.seed ^ self.drawn.fetch_add(1, Ordering::Relaxed));
            let drawn = random.fraction();
            if drawn < options.rate_limit_rate {
                Some(429)
            } else if drawn < options.rate_limit_rate + options.error_rate {
                Some(500)
            } else {
                None
            }
        } else {
            None
        };
        let status = status.filter(|status| *status >= 400)?;
        let message = match status {
            401 => "Incorrect API key provided.",
            404 => "The model does not exist or you do not have access to it.",
            429 => "Rate limit reached for requests. Please try again in 1s.",
            503 | 529 => "The engine is currently overloaded, please try again later.",
            ..500 => "The request was refused, as the simulation asked.",
            _ => "The server had an error while processing your request.",
        };
        let mut script = Script::error(dialect, status, message);
        script.head_wait = options.latency;
        Some(script)
    }

    /// What is asked of a response that was made before.
    fn kept(&self, head: &http::request::Parts, below: &str, body: &Bytes) -> Response<SimBody> {
        if self.options.record {
            self.stats.record(head, body);
        }
        match responses::kept(&head.method, below) {
            Some(json) => respond(200, script::JSON, SimBody::once(json.to_string().into())),
            None => {
                let message = format!("nothing is kept at {RESPONSES}{below}");
                let script = Script::error(Dialect::OpenaiResponses, 404, &message);
                respond(script.status, script.content_type, SimBody::new(script.steps, None))
            }
        }
    }

    fn on_the_shelf(&self, head: &http::request::Parts, path: &str, body: &Bytes) -> Response<SimBody> {
        if self.options.record {
            self.stats.record(head, body);
        }
        match self.shelf.ask(&head.method, path, head.uri.query().unwrap_or_default(), &head.headers, body) {
            Taken::Object(json) => respond(200, script::JSON, SimBody::once(json.to_string().into())),
            Taken::Content(content) => respond(200, OCTETS, SimBody::once(content)),
            Taken::Refused(status, message) => {
                let script = Script::error(Dialect::OpenaiChat, status, &message);
                respond(script.status, script.content_type, SimBody::new(script.steps, None))
            }
        }
    }

    /// What came, credentials left out; `x-sim-status` says with which status.
    fn echo(&self, head: &http::request::Parts, body: &Bytes) -> Response<SimBody> {
        if self.options.record {
            self.stats.record(head, body);
        }
        let status = head.headers.get("x-sim-status").and_then(|status| status.to_str().ok()?.parse().ok());
        let told = serde_json::json!({
            "method": head.method.as_str(), "path": head.uri.path(), "query": head.uri.query(), "bytes": body.len(),
            "body": String::from_utf8_lossy(body.get(..body.len().min(4_096)).unwrap_or_default()),
        });
        respond(status.unwrap_or(200), script::JSON, SimBody::once(told.to_string().into()))
    }

    fn look_up(&self, path: &str, headers: &http::HeaderMap) -> Response<SimBody> {
        let json = match path {
            "/models" if headers.contains_key("anthropic-version") => anthropic::models(),
            "/models" => openai::models(),
            "/v1beta/models" => gemini::models(),
            "/sim/stats" => serde_json::to_string(&self.stats()).unwrap_or_default(),
            "/sim/requests" => self.stats.recorded(),
            "/healthz" => r#"{"ok":true}"#.to_owned(),
            _ => match path
                .strip_prefix("/models/")
                .and_then(openai::model)
                .or_else(|| path.strip_prefix("/v1beta/models/").and_then(gemini::model))
            {
                Some(model) => model,
                None => {
                    let script = Script::error(Dialect::OpenaiChat, 404, &format!("nothing at {path}"));
                    return respond(script.status, script.content_type, SimBody::new(script.steps, None));
                }
            },
        };
        respond(200, script::JSON, SimBody::once(json.into()))
    }

    /// The in-process way of provider `sim`: what [`serve`] does, without a socket.
    pub(crate) async fn send(
        &self,
        provider: &Arc<Provider>,
        model: &str,
        call: UpstreamCall,
    ) -> Result<Response<SimBody>, SendError> {
        let path = match provider.dialect {
            _ if call.operation == Operation::Through => {
                Root::default().through(call.below.as_deref().unwrap_or_default())
            }
            Dialect::Gemini => gemini::Asks::path(call.operation, call.stream, model),
            Dialect::BedrockConverse => bedrock::Asks::path(call.operation, call.stream, model),
            dialect => surface(dialect, call.operation)
                .and_then(|path| format!("/v1{path}{}", call.below.as_deref().unwrap_or_default()).parse().ok()),
        };
        let Some(uri) = path else {
            let operation = call.operation.as_str();
            return Err(SendError::Unsupported { provider: Arc::clone(&provider.name), operation });
        };
        let uri = with_query(&uri, call.query.as_deref()).into_owned();
        let body = match call.upload {
            Some(upload) => server::read_upload(upload).await.map_err(|_| SendError::Upload {
                provider: Arc::clone(&provider.name),
                reason: "it broke off, or is too long for a simulation".to_owned(),
            })?,
            None => call.body,
        };
        let mut request = Request::new(body);
        *request.method_mut() = call.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers;
        if let Some(content_type) = call.content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        let limits = &provider.limits;
        let first_byte = limits.total.map_or(limits.first_byte, |total| total.min(limits.first_byte));
        match tokio::time::timeout(first_byte, self.answer(request)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(dropped)) => {
                Err(SendError::Reset { provider: Arc::clone(&provider.name), reason: dropped.to_string() })
            }
            Err(_) => Err(SendError::FirstByteTimeout { provider: Arc::clone(&provider.name), waited: first_byte }),
        }
    }
}

fn refuse(dialect: Dialect, message: &str) -> Response<SimBody> {
    let script = Script::error(dialect, 400, message);
    respond(script.status, script.content_type, SimBody::new(script.steps, None))
}

fn respond(status: u16, content_type: HeaderValue, body: SimBody) -> Response<SimBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if matches!(status, 429 | 503 | 529) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
