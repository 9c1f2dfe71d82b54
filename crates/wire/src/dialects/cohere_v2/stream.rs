//! Streams → canonical events.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use signalbox_types::ErrorClass;

use super::response::{reason_of, usage_of};
use super::{DIALECT, citations};
use crate::canonical::StreamEvent;
use crate::canonical::notes::length;
use crate::codec::StreamDecoder;
use crate::error::{ErrorBody, WireError};
use crate::json::{Body, Node, Object, Path};
use crate::sse::SseEvent;

/// The plan is one text beside the content blocks, which are numbered.
pub(super) const PLAN: u32 = u32::MAX - 1;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    ended: bool,
    calls: BTreeSet<u32>,
    /// How many characters each content block has said: places are told within one.
    said: BTreeMap<u32, u64>,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        if event.data.is_empty() || event.data.as_ref() == b"[DONE]" {
            return Ok(vec![StreamEvent::Ping]);
        }
        let body = Body::parse(&event.data)?;
        let root = body.object()?;
        // The name in `event:` says the same.
        let kind = root.text("type", Path::Root)?.or_else(|| event.event.as_deref().map(Cow::Borrowed));
        let mut out = Vec::new();
        match kind.as_deref() {
            Some("message-start") => {
                let id = root.text("id", Path::Root)?.map(Cow::into_owned);
                out.push(StreamEvent::Start { id, model: None });
            }
            Some("content-start" | "content-delta" | "tool-plan-delta") => self.content(&root, &mut out)?,
            Some("tool-call-start" | "tool-call-delta") => self.call(&root, &mut out)?,
            Some("message-end") => self.end(&root, &mut out)?,
            None if root.get("message").is_some_and(|node| node.is_text()) => {
                self.ended = true;
                out.push(StreamEvent::Error(crate::error::read(200, &event.data)));
            }
            Some("citation-start") => self.citation(&root, &mut out)?,
            // Ends of citations and blocks, and what the API will add.
            _ => {}
        }
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        if self.ended {
            return Ok(Vec::new());
        }
        Err(WireError::Truncated { dialect: DIALECT, expected: "an event `message-end`" })
    }
}

fn message<'a>(root: &Object<'a>) -> Result<Option<Object<'a>>, WireError> {
    let path = Path::Root.key("delta");
    let Some(delta) = root.child("delta", Path::Root)? else { return Ok(None) };
    delta.child("message", path)
}

impl Decoder {
    fn content(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let Some(message) = message(root)? else { return Ok(()) };
        let path = Path::Root.key("delta");
        let path = path.key("message");
        if let Some(text) = message.text("tool_plan", path)?.filter(|text| !text.is_empty()) {
            out.push(StreamEvent::TextDelta { choice: 0, index: PLAN, text: text.into_owned() });
        }
        let Some(content) = message.get("content").filter(|node| node.is_object()) else { return Ok(()) };
        let path = path.key("content");
        let content = content.object(path)?;
        let index = index(root)?;
        if let Some(text) = content.text("thinking", path)?.filter(|text| !text.is_empty()) {
            out.push(StreamEvent::ReasoningDelta { choice: 0, index, text: text.into_owned() });
        }
        if let Some(text) = content.text("text", path)?.filter(|text| !text.is_empty()) {
            let tokens = citations::logprobs(root.get("logprobs").and_then(Node::read::<Value>).as_ref());
            if !tokens.is_empty() {
                out.push(StreamEvent::Logprobs { choice: 0, tokens });
            }
            *self.said.entry(index).or_default() += length(&text);
            out.push(StreamEvent::TextDelta { choice: 0, index, text: text.into_owned() });
        }
        Ok(())
    }

    fn citation(&self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let Some(message) = message(root)? else { return Ok(()) };
        let Some(told) = message.get("citations").and_then(Node::read::<Value>) else { return Ok(()) };
        if told.get("type").is_some_and(|kind| kind != "TEXT_CONTENT") {
            return Ok(());
        }
        let block = told.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let before = self.said.iter().filter(|(index, _)| u64::from(**index) < block).map(|(_, said)| said).sum();
        let citations = citations::decode(&told, before).into_iter();
        out.extend(citations.map(|citation| StreamEvent::Citation { choice: 0, citation }));
        Ok(())
    }

    fn call(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let Some(message) = message(root)? else { return Ok(()) };
        let path = Path::Root.key("delta");
        let path = path.key("message");
        let Some(call) = message.get("tool_calls").filter(|node| node.is_object()) else { return Ok(()) };
        let path = path.key("tool_calls");
        let call = call.object(path)?;
        let index = index(root)?;
        let Some(function) = call.child("function", path)? else { return Ok(()) };
        let function_path = path.key("function");
        if let Some(name) = function.text("name", function_path)? {
            self.calls.insert(index);
            let id = call.text("id", path)?.map(Cow::into_owned);
            out.push(StreamEvent::ToolCallStart { choice: 0, index, id, name: name.into_owned() });
        }
        if let Some(more) = function.text("arguments", function_path)?.filter(|more| !more.is_empty())
            && self.calls.contains(&index)
        {
            out.push(StreamEvent::ToolCallDelta { choice: 0, index, arguments: more.into_owned() });
        }
        Ok(())
    }

    fn end(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let path = Path::Root.key("delta");
        self.ended = true;
        let Some(delta) = root.child("delta", Path::Root)? else {
            out.push(StreamEvent::End);
            return Ok(());
        };
        if let Some(error) = delta.text("error", path)? {
            out.push(StreamEvent::Error(ErrorBody::new(ErrorClass::UpstreamError, error)));
            return Ok(());
        }
        let word = delta.text("finish_reason", path)?.unwrap_or_default();
        out.push(StreamEvent::Finish { choice: 0, reason: reason_of(&word), stop_sequence: None });
        out.extend(delta.child("usage", path)?.map(|usage| StreamEvent::Usage(usage_of(&usage))));
        out.push(StreamEvent::End);
        Ok(())
    }
}

fn index(root: &Object<'_>) -> Result<u32, WireError> {
    const EXPECTED: &str = "the number of a content block or call";
    let index = root.count("index", Path::Root)?.unwrap_or(0);
    u32::try_from(index)
        .ok()
        .filter(|index| *index < PLAN)
        .ok_or_else(|| Path::Root.key("index").invalid(EXPECTED, "a huge one"))
}
