//! Endpoints without a conversation: their requests and answers are passed along as they are, between caller and provider
//! of one dialect. One line here is one endpoint.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use signalbox_upstream::{Operation, UpstreamBody, UpstreamReply};
use signalbox_wire::along::{Along, Form, Shape};
use signalbox_wire::{Dialect, along};

use crate::call::{CallError, Reply};
use crate::endpoint::Endpoint;
use crate::exchange::{Ask, content_type};
use crate::headers::passed_back;
use crate::through;

/// One endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Surface {
    pub(crate) path: &'static str,
    /// Whose endpoint it is, and who is asked.
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
    /// It is Cohere's; whoever has it answers in its words, whatever else it speaks, and errors are told in them.
    pub(crate) is_coheres: bool,
    /// How a request is read; none where it is one of the dialect's.
    pub(crate) read: Option<Along>,
}

static SURFACES: [Surface; 8] = [
    Surface {
        path: "/v1/moderations",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Moderations,
        is_coheres: false,
        read: Some(Along { form: Form::Json, texts: &["input"], names_model: false }),
    },
    Surface {
        path: "/v1/images/generations",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Images,
        is_coheres: false,
        read: Some(Along { form: Form::Json, texts: &["prompt", "user"], names_model: false }),
    },
    Surface {
        path: "/v1/audio/speech",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Speech,
        is_coheres: false,
        read: Some(Along { form: Form::Json, texts: &["input", "instructions"], names_model: true }),
    },
    Surface {
        path: "/v1/audio/transcriptions",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Transcriptions,
        is_coheres: false,
        read: Some(Along { form: Form::Multipart, texts: &["prompt"], names_model: true }),
    },
    Surface {
        path: "/v1/messages/count_tokens",
        dialect: Dialect::AnthropicMessages,
        operation: Operation::CountTokens,
        is_coheres: false,
        read: None,
    },
    Surface {
        path: "/v2/rerank",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Rerank,
        is_coheres: true,
        read: Some(Along { form: Form::Json, texts: &["query", "documents"], names_model: true }),
    },
    Surface {
        path: "/v1/rerank",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Rerank,
        is_coheres: true,
        read: Some(Along { form: Form::Json, texts: &["query", "documents"], names_model: true }),
    },
    Surface {
        path: "/v2/embed",
        dialect: Dialect::OpenaiChat,
        operation: Operation::CohereEmbed,
        is_coheres: true,
        read: Some(Along { form: Form::Json, texts: &["texts", "inputs"], names_model: true }),
    },
];

/// The endpoint for an operation of a dialect.
pub(crate) fn of(operation: Operation, dialect: Dialect) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.operation == operation && surface.dialect == dialect)
}

pub(crate) fn find(path: &str) -> Option<&'static Surface> {
    SURFACES.iter().find(|surface| surface.path == path)
}

impl Surface {
    pub(crate) fn is_form(&self) -> bool {
        self.read.is_some_and(|read| read.form == Form::Multipart)
    }

    /// What went in, for the record.
    pub(crate) fn input(&self, body: &[u8], most_bytes: usize) -> Option<Value> {
        let texts = self.read?.texts(body).ok()?;
        let size: usize = texts.iter().map(|slot| slot.text.len()).sum();
        if size > most_bytes {
            return Some(Value::from(format!("[input of {size} bytes, not recorded]")));
        }
        let mut texts: Vec<String> = texts.into_iter().map(|slot| slot.text.into_owned()).collect();
        match (texts.pop(), texts.is_empty()) {
            (Some(only), true) => Some(Value::from(only)),
            (last, _) => Some(texts.into_iter().chain(last).collect()),
        }
    }
}

/// What went in where nothing is known of it, for the record.
pub(crate) fn any_input(content_type: Option<&str>, body: &[u8], most_bytes: usize) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    match Shape::of(content_type, body) {
        Shape::Json | Shape::Text if body.len() <= most_bytes => {
            let text = std::str::from_utf8(body).ok()?;
            Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
        }
        _ => Some(Value::from(format!("[input of {} bytes, not recorded]", body.len()))),
    }
}

/// What came out, for the record. A picture is no reading matter, and neither are numbers.
pub(crate) fn output(endpoint: Endpoint, body: &[u8], most_bytes: usize) -> Option<Value> {
    let is_unreadable = matches!(endpoint.operation(), Operation::Images | Operation::CohereEmbed);
    if is_unreadable || body.len() > most_bytes {
        return Some(Value::from(format!("[answer of {} bytes, not recorded]", body.len())));
    }
    let text = std::str::from_utf8(body).ok()?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
}

/// An answer that goes out while it arrives: sound, or events.
pub(crate) struct Passing {
    pub(crate) headers: HeaderMap,
    pub(crate) body: UpstreamBody,
    pub(crate) is_stream: bool,
    /// It is JSON, and short enough to be looked into afterwards.
    pub(crate) is_json: bool,
}

/// How an answer is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// What can be read is short, and may say what was used: it is read whole.
    Readable,
    /// As it is, whatever it is.
    Passing,
}

/// Takes an answer.
pub(crate) async fn take(ask: &mut Ask, reply: UpstreamReply) -> Result<Reply, CallError> {
    let kind = content_type(&reply.headers).unwrap_or_default().to_ascii_lowercase();
    let is_stream = kind.starts_with("text/event-stream");
    let is_through = matches!(ask.endpoint(), Endpoint::Through(_));
    let mut headers = if is_through { through::passed_back(&reply.headers) } else { passed_back(&reply.headers) };
    if !is_through && !headers.contains_key(CONTENT_TYPE) {
        tracing::debug!(provider = %ask.target().provider.name, "an answer says not what it is");
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"));
    }
    let is_json = kind.contains("json");
    if ask.take() == Take::Passing || is_stream || !(is_json || kind.starts_with("text/")) {
        return Ok(Reply::Passing(Box::new(Passing { headers, body: reply.body, is_stream, is_json })));
    }
    let body = ask.read(reply.body).await?;
    Ok(Reply::Whole { headers, body })
}

/// The searches that an answer says it is billed for.
pub(crate) fn search_units(body: &[u8]) -> Option<u64> {
    along::search_units(body)
}

/// What an answer says that was used.
pub(crate) fn usage(body: &[u8]) -> signalbox_types::Usage {
    along::usage(body)
}
