//! Answers ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::{Message, Part, Role};

use super::DIALECT;
use crate::canonical::{ChatResponse, FinishReason};
use crate::dialects::openai_chat::{Told, encode_usage, reason_of, word_of};
use crate::error::WireError;
use crate::json::{Body, Node, Path};
use crate::write::Writer;

pub(super) fn decode(bytes: &[u8]) -> Result<ChatResponse, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut response = ChatResponse {
        id: root.text("id", Path::Root)?.map(Cow::into_owned),
        model: root.text("model", Path::Root)?.map(Cow::into_owned),
        created: root.get("created").and_then(Node::read),
        usage: root.child("usage", Path::Root)?.map(|usage| Told::new(usage).usage()).unwrap_or_default(),
        ..ChatResponse::default()
    };
    let path = Path::Root.key("choices");
    if root.get("choices").is_none() {
        return Err(path.missing("a list of answers"));
    }
    for (index, node) in root.children("choices", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        let choice = node.object(path)?;
        let reason = choice.text("finish_reason", path)?.map_or(FinishReason::Stop, |word| reason_of(&word));
        let content = choice.required_text("text", path, "a string")?;
        response.messages.push(Message {
            role: Role::Assistant,
            parts: vec![Part::Text { content }],
            name: None,
            finish_reason: Some(reason.as_str().to_owned()),
        });
        response.finish_reasons.push(reason);
    }
    Ok(response)
}

pub(super) fn encode(response: &ChatResponse) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        w.field("id", response.id.as_deref().unwrap_or_default());
        w.field("object", "text_completion");
        w.field("created", &response.created.unwrap_or(0));
        w.field("model", response.model.as_deref().unwrap_or_default());
        let mut result = Ok(());
        w.list_field("choices", |w| {
            for (index, message) in response.messages.iter().enumerate() {
                match text(message) {
                    Ok(text) => {
                        let reason = response.finish_reasons.get(index).unwrap_or(&FinishReason::Stop);
                        w.object(|w| choice(w, u32::try_from(index).unwrap_or(0), &text, Some(reason)));
                    }
                    Err(error) => result = Err(error),
                }
            }
        });
        encode_usage(w, &response.usage);
        result
    })
}

/// What the model says. What it thinks is no part of a completed text.
fn text(message: &Message) -> Result<String, WireError> {
    let mut text = String::new();
    for part in &message.parts {
        match part {
            Part::Text { content } | Part::Refusal { content } => text.push_str(content),
            Part::Reasoning { .. } => {}
            _ => {
                return Err(
                    DIALECT.lacks("content", "the provider answered with content that has no counterpart there")
                );
            }
        }
    }
    Ok(text)
}

pub(super) fn choice(w: &mut Writer, index: u32, text: &str, reason: Option<&FinishReason>) {
    w.field("index", &index);
    w.field("text", text);
    w.field("logprobs", &());
    w.field("finish_reason", &reason.map(word_of));
}
