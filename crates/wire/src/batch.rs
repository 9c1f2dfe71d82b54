//! What stands in the results of a batch: one answer a line, with what it used. Nothing of what is said is kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use signalbox_types::Usage;

use crate::canonical::Charges;
use crate::registry::{Dialect, codec};
use crate::{along, embeddings};

/// A line of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The model that answered; empty if nobody says.
    pub model: String,
    /// What was asked.
    pub kind: LineKind,
    /// What was used.
    pub usage: Usage,
    /// What changes the price of that.
    pub charges: Charges,
    /// When it was answered, in Unix seconds, if somebody says.
    pub created: Option<i64>,
    /// It is a failure.
    pub failed: bool,
}

/// What a line answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A conversation.
    Chat,
    /// A text to go on with.
    Completion,
    /// Texts to make numbers of.
    Embeddings,
    /// Something else.
    Other,
}

impl LineKind {
    /// `gen_ai.operation.name`.
    #[must_use]
    pub fn operation(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "text_completion",
            Self::Embeddings => "embeddings",
            Self::Other => "batch",
        }
    }
}

#[derive(Deserialize)]
struct Told<'a> {
    /// OpenAI's, and Gemini's.
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    /// Anthropic's.
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(default)]
    status_code: Option<u16>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    object: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
}

/// Reads a line; none if it is none of results: no JSON, or that of what was asked.
#[must_use]
pub fn line(bytes: &[u8]) -> Option<Line> {
    let told: Told<'_> = serde_json::from_slice(bytes).ok()?;
    let failed = || Line {
        model: String::new(),
        kind: LineKind::Other,
        usage: Usage::default(),
        charges: Charges::default(),
        created: None,
        failed: true,
    };
    if let Some(response) = told.response {
        let parts: Response<'_> = serde_json::from_str(response.get()).ok()?;
        return Some(match (parts.body, parts.status_code) {
            (Some(body), status) => Line { failed: status.is_some_and(|status| status >= 400), ..of_openai(body) },
            (None, Some(_)) => failed(),
            (None, None) => chat(Dialect::Gemini, response),
        });
    }
    if let Some(result) = told.result {
        let outcome: Outcome<'_> = serde_json::from_str(result.get()).ok()?;
        return Some(outcome.message.map_or_else(failed, |message| chat(Dialect::AnthropicMessages, message)));
    }
    told.error.map(|_| failed())
}

fn of_openai(body: &RawValue) -> Line {
    let known: Option<Body<'_>> = serde_json::from_str(body.get()).ok();
    let (object, model) = known.map(|body| (body.object, body.model)).unwrap_or_default();
    match object.as_deref() {
        Some("response") => chat(Dialect::OpenaiResponses, body),
        Some("chat.completion") => chat(Dialect::OpenaiChat, body),
        Some("text_completion") => Line { kind: LineKind::Completion, ..chat(Dialect::OpenaiCompletions, body) },
        object => {
            let is_list = object == Some("list");
            let usage = match is_list {
                true => embeddings::usage_of(embeddings::Form::Openai, body.get().as_bytes()),
                false => along::usage(body.get().as_bytes()),
            };
            Line {
                model: model.unwrap_or_default().into_owned(),
                kind: if is_list { LineKind::Embeddings } else { LineKind::Other },
                usage,
                charges: Charges::default(),
                created: None,
                failed: false,
            }
        }
    }
}

/// An answer of a dialect, or what is known of one that can't be read.
fn chat(dialect: Dialect, body: &RawValue) -> Line {
    let body = body.get().as_bytes();
    let (model, usage, charges, created) = match codec(dialect).decode_response(body) {
        Ok(answer) => (answer.model, answer.usage, answer.charges, answer.created),
        Err(_) => (None, along::usage(body), Charges::default(), None),
    };
    Line { model: model.unwrap_or_default(), kind: LineKind::Chat, usage, charges, created, failed: false }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Line {
        line(value.to_string().as_bytes()).unwrap_or_else(|| panic!("{value}"))
    }

    fn answered(body: &Value) -> Value {
        json!({"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "request_id": "r", "body": body}, "error": null})
    }

    #[test]
    fn usage_is_read_of_every_kind_of_answer() {
        let chat = json!({"id": "c", "object": "chat.completion", "created": 7, "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25, "prompt_tokens_details": {"cached_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 2}}});
        let read_chat = read(&answered(&chat));
        let usage = Usage {
            input_tokens: Some(20),
            output_tokens: Some(5),
            cache_read_tokens: Some(8),
            reasoning_tokens: Some(2),
            ..Usage::default()
        };
        assert_eq!((read_chat.model.as_str(), read_chat.kind), ("gpt-4o-mini-2024-07-18", LineKind::Chat));
        assert_eq!((read_chat.usage, read_chat.created, read_chat.failed), (usage, Some(7), false));

        let response = json!({"id": "r", "object": "response", "created_at": 7, "model": "m", "status": "completed", "output": [],
            "usage": {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 4, "total_tokens": 7}});
        let read_response = read(&answered(&response));
        assert_eq!((read_response.usage.total(), read_response.usage.cache_read_tokens), (Some(7), Some(1)));

        let numbers = json!({"object": "list", "model": "text-embedding-3-small", "data": [{"object": "embedding", "index": 0,
            "embedding": [0.5]}], "usage": {"prompt_tokens": 6, "total_tokens": 6}});
        let read_numbers = read(&answered(&numbers));
        assert_eq!((read_numbers.kind, read_numbers.model.as_str()), (LineKind::Embeddings, "text-embedding-3-small"));
        assert_eq!(read_numbers.usage.input_tokens, Some(6));

        let text = json!({"id": "t", "object": "text_completion", "created": 1, "model": "m", "choices": [{"index": 0, "text": "x",
            "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}});
        assert_eq!(read(&answered(&text)).kind, LineKind::Completion);

        let claude = json!({"custom_id": "a", "result": {"type": "succeeded", "message": {"id": "m", "type": "message", "role":
            "assistant", "model": "claude-haiku-4-5", "content": [], "stop_reason": "end_turn",
            "usage": {"input_tokens": 5, "cache_read_input_tokens": 10, "output_tokens": 2}}}});
        let read_claude = read(&claude);
        assert_eq!((read_claude.model.as_str(), read_claude.usage.input_tokens), ("claude-haiku-4-5", Some(15)));

        let gemini = json!({"key": "a", "response": {"candidates": [{"content": {"role": "model", "parts": [{"text": "x"}]},
            "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 1, "totalTokenCount": 5},
            "modelVersion": "gemini-2.5-flash"}});
        assert_eq!((read(&gemini).usage.total(), read(&gemini).model.as_str()), (Some(5), "gemini-2.5-flash"));
    }

    #[test]
    fn failures_are_told_and_what_is_no_result_is_none() {
        let refused = json!({"custom_id": "a", "response": {"status_code": 400, "body": {"error": {"message": "no"}}}, "error": null});
        assert!(read(&refused).failed && read(&refused).usage.is_unknown());
        let expired =
            json!({"custom_id": "a", "response": null, "error": {"code": "batch_expired", "message": "late"}});
        assert!(read(&expired).failed);
        let errored = json!({"custom_id": "a", "result": {"type": "errored", "error": {"type": "x"}}});
        assert!(read(&errored).failed);
        let asked = json!({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"}});
        for none in [asked.to_string(), "{}".to_owned(), "[1]".to_owned(), "no JSON".to_owned(), String::new()] {
            assert_eq!(line(none.as_bytes()), None, "{none}");
        }
    }
}
