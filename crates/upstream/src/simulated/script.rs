//! An answer as what is sent when.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use signalbox_wire::event_stream::Reframer;
use signalbox_wire::{Dialect, Framing};

use super::body::Step;
use super::directives::Directives;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const GARBAGE: &[u8] = b"<html><body>\xff\xfe 502 Bad Gateway";
const GARBAGE_EVENT: &[u8] = b"data: {\"id\": \"chatcmpl-\n\n";

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) status: u16,
    pub(crate) content_type: HeaderValue,
    /// Wait before the head.
    pub(crate) head_wait: Duration,
    pub(crate) steps: VecDeque<Step>,
}

impl Script {
    /// An error in the dialect's envelope.
    pub(crate) fn error(dialect: Dialect, status: u16, message: &str) -> Self {
        let body = error_body(dialect, status, message);
        Self { status, content_type: JSON, head_wait: Duration::ZERO, steps: VecDeque::from([Step::Send(body.into())]) }
    }

    /// A whole answer, which takes as long as its stream would.
    pub(crate) fn whole(body: Vec<u8>, output_tokens: u64, directives: &Directives) -> Self {
        let options = &directives.options;
        let tokens = u32::try_from(output_tokens).unwrap_or(u32::MAX);
        let head_wait = options.latency + options.ttft + options.chunk_delay.saturating_mul(tokens);
        let body = if directives.garbage { Bytes::from_static(GARBAGE) } else { Bytes::from(body) };
        let mut steps = VecDeque::new();
        match (directives.cut_after, directives.stall_after) {
            (None, None) => push(&mut steps, &body, directives.split),
            (cut, _) => {
                // Half of it, so that what arrived is not whole by chance.
                push(&mut steps, &body.slice(..body.len() / 2), directives.split);
                // hyper would throw away what it has not written yet.
                steps.extend([Step::Yield, if cut.is_some() { Step::Cut } else { Step::Stall }]);
            }
        }
        Self { status: 200, content_type: JSON, head_wait, steps }
    }
}

fn push(steps: &mut VecDeque<Step>, bytes: &Bytes, split: Option<usize>) {
    match split {
        None => steps.push_back(Step::Send(bytes.clone())),
        Some(size) => {
            let cuts = (0..bytes.len()).step_by(size);
            steps.extend(cuts.map(|from| Step::Send(bytes.slice(from..bytes.len().min(from + size)))));
        }
    }
}

fn error_body(dialect: Dialect, status: u16, message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(160 + message.len());
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiResponses => {
            let (kind, code) = match status {
                401 => ("invalid_request_error", "\"invalid_api_key\""),
                404 => ("invalid_request_error", "\"model_not_found\""),
                429 => ("requests", "\"rate_limit_exceeded\""),
                400..500 => ("invalid_request_error", "null"),
                _ => ("server_error", "null"),
            };
            out.extend_from_slice(b"{\"error\":{\"message\":");
            string(&mut out, message);
            raw(&mut out, format_args!(",\"type\":\"{kind}\",\"param\":null,\"code\":{code}}}}}"));
        }
        Dialect::Gemini => {
            let word = match status {
                401 => "UNAUTHENTICATED",
                403 => "PERMISSION_DENIED",
                404 => "NOT_FOUND",
                429 => "RESOURCE_EXHAUSTED",
                503 | 529 => "UNAVAILABLE",
                504 => "DEADLINE_EXCEEDED",
                400..500 => "INVALID_ARGUMENT",
                _ => "INTERNAL",
            };
            raw(&mut out, format_args!("{{\"error\":{{\"code\":{status},\"message\":"));
            string(&mut out, message);
            raw(&mut out, format_args!(",\"status\":\"{word}\"}}}}"));
        }
        // Cohere's kind is the status; the exception's name is in a header, or the event's.
        Dialect::CohereV2 | Dialect::BedrockConverse => {
            out.extend_from_slice(b"{\"message\":");
            string(&mut out, message);
            out.push(b'}');
        }
        Dialect::AnthropicMessages => {
            let kind = match status {
                401 => "authentication_error",
                403 => "permission_error",
                404 => "not_found_error",
                413 => "request_too_large",
                429 => "rate_limit_error",
                503 | 529 => "overloaded_error",
                400..500 => "invalid_request_error",
                _ => "api_error",
            };
            raw(&mut out, format_args!("{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":"));
            string(&mut out, message);
            out.extend_from_slice(b"}}");
        }
    }
    out
}

/// A stream while it is written: all events in one buffer.
#[derive(Debug, Default)]
pub(crate) struct StreamWriter {
    pub(crate) out: Vec<u8>,
    /// Where each event ends, and whether it carries content.
    ends: Vec<(usize, bool)>,
}

impl StreamWriter {
    pub(crate) fn new() -> Self {
        Self { out: Vec::with_capacity(4096), ends: Vec::with_capacity(32) }
    }

    /// Ends the event that was written to `out`.
    pub(crate) fn end(&mut self, is_content: bool) {
        self.out.extend_from_slice(b"\n\n");
        self.ends.push((self.out.len(), is_content));
    }

    pub(crate) fn script(self, dialect: Dialect, directives: &Directives) -> Script {
        let options = &directives.options;
        let mut steps = VecDeque::with_capacity(self.ends.len() + 4);
        let framing = signalbox_wire::codec(dialect).framing();
        let send = |steps: &mut VecDeque<Step>, bytes: &Bytes| match framing {
            Framing::Sse => push(steps, bytes, directives.split),
            Framing::AmazonEventStream => push(steps, &Reframer::default().push(bytes), directives.split),
        };
        let content_type = match framing {
            Framing::Sse => EVENT_STREAM,
            Framing::AmazonEventStream => HeaderValue::from_static(framing.content_type()),
        };
        if directives.error_event {
            let mut event = match dialect {
                Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::Gemini => b"data: ".to_vec(),
                Dialect::AnthropicMessages | Dialect::OpenaiResponses => b"event: error\ndata: ".to_vec(),
                Dialect::CohereV2 => b"event: message-end\ndata: ".to_vec(),
                Dialect::BedrockConverse => b"event: serviceUnavailableException\ndata: ".to_vec(),
            };
            let message = "The model is overloaded. Please try again later.";
            match dialect {
                Dialect::CohereV2 => raw(
                    &mut event,
                    format_args!(
                        "{{\"type\":\"message-end\",\"delta\":{{\"error\":\"{message}\",\"finish_reason\":\"ERROR\"}}}}"
                    ),
                ),
                // The reference has it flat.
                Dialect::OpenaiResponses => raw(
                    &mut event,
                    format_args!(
                        "{{\"type\":\"error\",\"code\":\"overloaded\",\"message\":\"{message}\",\"param\":null,\"sequence_number\":0}}"
                    ),
                ),
                _ => event.extend(error_body(dialect, 529, message)),
            }
            event.extend_from_slice(b"\n\n");
            send(&mut steps, &event.into());
            return Script { status: 200, content_type, head_wait: options.latency, steps };
        }
        let all = Bytes::from(self.out);
        let mut from = 0;
        let mut content = 0;
        for (to, is_content) in self.ends {
            if is_content {
                let ends = [(directives.cut_after, Step::Cut), (directives.stall_after, Step::Stall)];
                if let Some((_, end)) = ends.into_iter().find(|(after, _)| *after == Some(content)) {
                    steps.extend([Step::Yield, end]);
                    break;
                }
                let wait = if content == 0 { options.ttft } else { options.chunk_delay };
                if wait > Duration::ZERO {
                    steps.push_back(Step::Wait(wait));
                }
                content += 1;
            }
            send(&mut steps, &all.slice(from..to));
            if directives.garbage && is_content && content == 1 {
                // Frames have no room for it: it is none.
                push(&mut steps, &Bytes::from_static(GARBAGE_EVENT), directives.split);
            }
            from = to;
        }
        Script { status: 200, content_type, head_wait: options.latency, steps }
    }
}

/// A JSON string literal.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Can't fail: a Vec takes everything, and every str is a JSON string.
    serde_json::to_writer(out, text).unwrap_or_default();
}

/// JSON as it stands.
pub(crate) fn raw(out: &mut Vec<u8>, json: std::fmt::Arguments<'_>) {
    out.write_fmt(json).unwrap_or_default();
}
