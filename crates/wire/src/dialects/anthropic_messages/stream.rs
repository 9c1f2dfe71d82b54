//! Streams → canonical events.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use signalbox_types::Part;

use super::response::{Counts, reason_of};
use super::{DIALECT, citations};
use crate::canonical::StreamEvent;
use crate::canonical::notes::length;
use crate::codec::StreamDecoder;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::sse::SseEvent;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    ended: bool,
    usage: Counts,
    /// Blocks that are calls of the caller's tools, as opposed to those that the provider runs.
    tools: BTreeSet<u32>,
    /// How many characters of text came, and how many before the block that is open.
    said: u64,
    before: u64,
    /// What the open block rests on: all of it, so that is told once it is whole.
    cited: Vec<Value>,
    /// A block that only this dialect has, such as a search of the provider's own: it is told once it is whole.
    other: Option<Other>,
}

#[derive(Debug)]
struct Other {
    index: u32,
    block: Value,
    /// JSON text in pieces.
    input: String,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        if event.data.is_empty() {
            return Ok(vec![StreamEvent::Ping]);
        }
        let body = Body::parse(&event.data)?;
        let root = body.object()?;
        // The name in `event:` says the same; some proxies drop one of the two.
        let kind = root.text("type", Path::Root)?.or_else(|| event.event.as_deref().map(Cow::Borrowed));
        let mut out = Vec::new();
        match kind.as_deref() {
            Some("message_start") => self.start(&root, &mut out)?,
            Some("content_block_start") => self.block_start(&root, &mut out)?,
            Some("content_block_delta") => self.block_delta(&root, &mut out)?,
            Some("message_delta") => self.message_delta(&root, &mut out)?,
            Some("message_stop") => {
                self.ended = true;
                out.push(StreamEvent::End);
            }
            Some("error") => {
                self.ended = true;
                out.push(StreamEvent::Error(crate::error::read(200, &event.data)));
            }
            _ if root.get("error").is_some() => {
                self.ended = true;
                out.push(StreamEvent::Error(crate::error::read(200, &event.data)));
            }
            Some("ping") => out.push(StreamEvent::Ping),
            Some("content_block_stop") => self.block_stop(&mut out),
            // What the API will add: its versioning says to ignore that.
            _ => {}
        }
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        if self.ended {
            return Ok(Vec::new());
        }
        Err(WireError::Truncated { dialect: DIALECT, expected: "an event `message_stop`" })
    }
}

impl Decoder {
    fn start(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let path = Path::Root.key("message");
        let message = root.child("message", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        let text = |name: &str| message.text(name, path).map(|text| text.map(Cow::into_owned));
        out.push(StreamEvent::Start { id: text("id")?, model: text("model")? });
        if let Some(usage) = message.child("usage", path)? {
            self.usage.update(&usage);
            self.tell_usage(out);
        }
        Ok(())
    }

    fn tell_usage(&self, out: &mut Vec<StreamEvent>) {
        out.push(StreamEvent::Usage(self.usage.usage()));
        self.usage.charges().tell(out);
    }

    fn block_start(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let index = index(root)?;
        let path = Path::Root.key("content_block");
        let block = root.child("content_block", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        let text = |name: &str| -> Result<Option<String>, WireError> {
            Ok(block.text(name, path)?.filter(|text| !text.is_empty()).map(Cow::into_owned))
        };
        match block.required_text("type", path, "the kind of content, e.g. `text`")?.as_str() {
            "text" => {
                self.before = self.said;
                if let Some(text) = text("text")? {
                    self.said += length(&text);
                    out.push(StreamEvent::TextDelta { choice: 0, index, text });
                }
                let told = block.get("citations").and_then(Node::read::<Vec<Value>>);
                self.cited.extend(told.into_iter().flatten());
            }
            "thinking" => {
                out.extend(text("thinking")?.map(|text| StreamEvent::ReasoningDelta { choice: 0, index, text }));
                let signature = text("signature")?;
                out.extend(signature.map(|signature| StreamEvent::ReasoningSignature { choice: 0, index, signature }));
            }
            "redacted_thinking" => {
                let data = block.required_text("data", path, "the encrypted thinking")?;
                out.push(StreamEvent::ReasoningEncrypted { choice: 0, index, data });
            }
            "tool_use" => {
                self.tools.insert(index);
                let name = block.required_text("name", path, "the name of a tool")?;
                out.push(StreamEvent::ToolCallStart { choice: 0, index, id: text("id")?, name });
                // Mostly `{}`, with the input to follow in pieces; if it is here, it is all of it.
                if let Some(input) = block.get("input").filter(|input| !input.members().is_empty()) {
                    out.push(StreamEvent::ToolCallDelta { choice: 0, index, arguments: input.raw().to_owned() });
                }
            }
            _ => {
                let block = root.get("content_block").map(|node| node.value(path)).transpose()?.unwrap_or_default();
                self.other = Some(Other { index, block, input: String::new() });
            }
        }
        Ok(())
    }

    fn block_delta(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let index = index(root)?;
        let path = Path::Root.key("delta");
        let delta = root.child("delta", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        let text = |name: &str| delta.required_text(name, path, "a string");
        match delta.required_text("type", path, "the kind of delta, e.g. `text_delta`")?.as_str() {
            "text_delta" => {
                let text = text("text")?;
                self.said += length(&text);
                out.push(StreamEvent::TextDelta { choice: 0, index, text });
            }
            "citations_delta" => self.cited.extend(delta.get("citation").and_then(Node::read::<Value>)),
            "thinking_delta" => out.push(StreamEvent::ReasoningDelta { choice: 0, index, text: text("thinking")? }),
            "signature_delta" => {
                out.push(StreamEvent::ReasoningSignature { choice: 0, index, signature: text("signature")? });
            }
            "input_json_delta" if self.tools.contains(&index) => {
                // The first piece is an empty one.
                let arguments = text("partial_json")?;
                if !arguments.is_empty() {
                    out.push(StreamEvent::ToolCallDelta { choice: 0, index, arguments });
                }
            }
            "input_json_delta" => {
                if let Some(other) = self.other.as_mut().filter(|other| other.index == index) {
                    other.input.push_str(&text("partial_json")?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn block_stop(&mut self, out: &mut Vec<StreamEvent>) {
        if let Some(Other { mut block, input, .. }) = self.other.take() {
            // Where no piece came, what the block began with is all of it.
            if let (Ok(input), Some(fields)) = (serde_json::from_str(&input), block.as_object_mut()) {
                fields.insert("input".to_owned(), input);
            }
            out.push(StreamEvent::Part { choice: 0, part: Part::Other(block) });
        }
        let place = self.before..self.said;
        let cited = std::mem::take(&mut self.cited).into_iter();
        let citations = cited.filter_map(|one| citations::decode(&one, place.clone()));
        out.extend(citations.map(|citation| StreamEvent::Citation { choice: 0, citation }));
    }

    fn message_delta(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let path = Path::Root.key("delta");
        if let Some(delta) = root.child("delta", Path::Root)?
            && let Some(word) = delta.text("stop_reason", path)?
        {
            let stop_sequence = delta.text("stop_sequence", path)?.map(Cow::into_owned);
            out.push(StreamEvent::Finish { choice: 0, reason: reason_of(&word), stop_sequence });
        }
        if let Some(usage) = root.child("usage", Path::Root)? {
            self.usage.update(&usage);
            self.tell_usage(out);
        }
        Ok(())
    }
}

fn index(root: &Object<'_>) -> Result<u32, WireError> {
    let path = Path::Root.key("index");
    let index = root.count("index", Path::Root)?.ok_or_else(|| path.missing("the number of a content block"))?;
    u32::try_from(index).map_err(|_| path.invalid("the number of a content block", "a huge one"))
}
