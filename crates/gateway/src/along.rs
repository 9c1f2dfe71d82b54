//! Endpoints without a conversation: their requests and answers are passed along as they are, between caller and provider
//! of one dialect. One line here is one endpoint.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use signalbox_upstream::{Operation, Target, UpstreamBody, UpstreamReply};
use signalbox_wire::along::{Along, Form};
use signalbox_wire::{Dialect, along};

use crate::call::{CallError, Reply};
use crate::endpoint::Endpoint;
use crate::exchange::{broken, content_type};
use crate::headers::passed_back;

/// One endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Surface {
    pub(crate) path: &'static str,
    /// Whose endpoint it is, and who is asked.
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
    /// How a request is read; none where it is one of the dialect's.
    pub(crate) read: Option<Along>,
}

static SURFACES: [Surface; 5] = [
    Surface {
        path: "/v1/moderations",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Moderations,
        read: Some(Along { form: Form::Json, texts: &["input"], names_model: false }),
    },
    Surface {
        path: "/v1/images/generations",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Images,
        read: Some(Along { form: Form::Json, texts: &["prompt", "user"], names_model: false }),
    },
    Surface {
        path: "/v1/audio/speech",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Speech,
        read: Some(Along { form: Form::Json, texts: &["input", "instructions"], names_model: true }),
    },
    Surface {
        path: "/v1/audio/transcriptions",
        dialect: Dialect::OpenaiChat,
        operation: Operation::Transcriptions,
        read: Some(Along { form: Form::Multipart, texts: &["prompt"], names_model: true }),
    },
    Surface {
        path: "/v1/messages/count_tokens",
        dialect: Dialect::AnthropicMessages,
        operation: Operation::CountTokens,
        read: None,
    },
];

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

/// What came out, for the record. A picture is no reading matter.
pub(crate) fn output(endpoint: Endpoint, body: &[u8], most_bytes: usize) -> Option<Value> {
    if endpoint.operation() == Operation::Images || body.len() > most_bytes {
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
}

/// Takes an answer. What is JSON or text is short, and may say what was used.
pub(crate) async fn take(target: &Target, reply: UpstreamReply, max_answer_bytes: usize) -> Result<Reply, CallError> {
    let kind = content_type(&reply.headers).unwrap_or_default().to_ascii_lowercase();
    let is_stream = kind.starts_with("text/event-stream");
    let mut headers = passed_back(&reply.headers);
    if !headers.contains_key(CONTENT_TYPE) {
        tracing::debug!(provider = %target.provider.name, "an answer says not what it is");
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/octet-stream"));
    }
    if is_stream || !(kind.contains("json") || kind.starts_with("text/")) {
        return Ok(Reply::Passing(Box::new(Passing { headers, body: reply.body, is_stream })));
    }
    let body = reply.body.read_all(max_answer_bytes).await.map_err(|error| broken(&error))?;
    Ok(Reply::Whole { headers, body })
}

/// What an answer says that was used.
pub(crate) fn usage(body: &[u8]) -> signalbox_types::Usage {
    along::usage(body)
}
