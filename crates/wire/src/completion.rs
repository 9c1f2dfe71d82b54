//! A call on our own behalf (`types::seam::Completer`) in OpenAI's chat dialect, which gateway and command line send it in.

use bytes::Bytes;
use serde_json::Number;
use signalbox_types::seam::{Completed, Completion, CompletionError};
use signalbox_types::{ErrorClass, Part};

use crate::canonical::{ChatRequest, ResponseFormat};
use crate::error::WireError;
use crate::registry::{Dialect, codec};

const DIALECT: Dialect = Dialect::OpenaiChat;
/// How much of what isn't an error in OpenAI's form is told.
const MOST_TOLD_BYTES: usize = 300;

/// The body of the call.
///
/// # Errors
/// It can't be said in OpenAI's dialect.
pub fn ask(completion: &Completion) -> Result<Bytes, WireError> {
    let mut request = ChatRequest::new(DIALECT, completion.model.clone());
    for (at, message) in completion.messages.iter().enumerate() {
        request.push(message.clone(), format_args!("messages[{at}]"));
    }
    request.temperature = completion.temperature.and_then(number);
    request.max_tokens = completion.max_tokens.map(u64::from);
    request.seed = completion.seed.map(Number::from);
    request.response_format = completion.schema.clone().map(|schema| ResponseFormat::JsonSchema {
        name: Some("answer".to_owned()),
        description: None,
        schema,
        strict: Some(true),
    });
    codec(DIALECT).encode_request(&request)
}

/// `0`, not `0.0`: some servers are strict.
fn number(value: f64) -> Option<Number> {
    if value == 0.0 { Some(Number::from(0)) } else { Number::from_f64(value) }
}

/// What was answered; cost and trace are for whoever knows them.
///
/// # Errors
/// It is no answer, or has no text: a refusal's words are the error's.
pub fn answered(body: &[u8]) -> Result<Completed, CompletionError> {
    let broken = |message: String| CompletionError::new(ErrorClass::UpstreamError, message);
    let response = codec(DIALECT).decode_response(body).map_err(|error| broken(error.to_string()))?;
    let (mut text, mut refusal) = (String::new(), None);
    for part in response.messages.first().into_iter().flat_map(|message| &message.parts) {
        match part {
            Part::Text { content } => text.push_str(content),
            Part::Refusal { content } => refusal = Some(content.clone()),
            _ => {}
        }
    }
    if let Some(refusal) = refusal.filter(|_| text.is_empty()) {
        return Err(broken(format!("the model declined to answer: {refusal}")));
    }
    let model = response.model.unwrap_or_default();
    Ok(Completed { text, model, usage: response.usage, cost: None, trace_id: None })
}

/// Why there is no answer. `class` is what is known of it without the body.
#[must_use]
pub fn refused(class: ErrorClass, body: &[u8], retry_after_s: Option<u64>) -> CompletionError {
    #[derive(serde::Deserialize)]
    struct Body {
        error: Detail,
    }
    #[derive(serde::Deserialize)]
    struct Detail {
        message: String,
    }
    let message = match serde_json::from_slice::<Body>(body) {
        Ok(body) => body.error.message,
        Err(_) => {
            let text = String::from_utf8_lossy(body.get(..MOST_TOLD_BYTES).unwrap_or(body)).trim().to_owned();
            if text.is_empty() { format!("the call was refused ({class})") } else { text }
        }
    };
    CompletionError { class, message, retry_after_s }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use signalbox_types::{Message, Role};

    use super::*;

    #[test]
    fn a_call_is_said_and_its_answer_is_read() {
        let completion = Completion {
            model: "m".to_owned(),
            messages: vec![Message::text(Role::System, "s"), Message::text(Role::User, "u")],
            schema: Some(json!({"type": "object"})),
            temperature: Some(0.0),
            max_tokens: Some(7),
            seed: Some(3),
            metadata: [("a".to_owned(), "b".to_owned())].into(),
        };
        let body: Value = serde_json::from_slice(&ask(&completion).unwrap()).unwrap();
        assert_eq!(
            body,
            json!({
                "model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
                "temperature": 0, "max_completion_tokens": 7, "seed": 3,
                "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}},
            })
        );
        let answer = json!({"id": "1", "object": "chat.completion", "created": 1, "model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}]});
        let told = answered(answer.to_string().as_bytes()).unwrap();
        assert_eq!((told.text.as_str(), told.model.as_str(), told.usage.input_tokens), ("yes", "m-1", Some(3)));
        let declined = json!({"model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": null, "refusal": "I can't."}}]});
        let error = answered(declined.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.message, "the model declined to answer: I can't.");
        assert_eq!(answered(b"<html>").unwrap_err().class, ErrorClass::UpstreamError);
    }

    #[test]
    fn a_refusal_says_why() {
        let check = |body: &[u8], expected: &str| {
            assert_eq!(refused(ErrorClass::RateLimited, body, Some(2)).message, expected);
        };
        check(br#"{"error": {"message": "slow down", "type": "x"}}"#, "slow down");
        check(b"<html>busy</html>", "<html>busy</html>");
        check(b"", "the call was refused (rate_limited)");
    }
}
