//! Streams → canonical events.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::response::{charges, reason_of, usage_of};
use super::{DIALECT, citations, error};
use crate::canonical::StreamEvent;
use crate::canonical::notes::length;
use crate::codec::StreamDecoder;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::sse::SseEvent;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The answer is complete; its usage follows.
    stopped: bool,
    ended: bool,
    /// Blocks that are calls of the caller's tools, as opposed to those that the provider runs.
    tools: BTreeSet<u32>,
    /// How many characters of text came, and how many before the block that is open.
    said: u64,
    before: u64,
    /// What the open block rests on: all of it, so that is told once it is whole.
    cited: Vec<Value>,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        let kind = event.event.as_deref().unwrap_or_default();
        if kind.ends_with("Exception") || kind == "error" {
            self.ended = true;
            return Ok(vec![StreamEvent::Error(error::of_event(kind, &event.data))]);
        }
        if event.data.is_empty() {
            return Ok(vec![StreamEvent::Ping]);
        }
        let body = Body::parse(&event.data)?;
        let root = body.object()?;
        let mut out = Vec::new();
        match kind {
            "messageStart" => out.push(StreamEvent::Start { id: None, model: None }),
            "contentBlockStart" => self.block_start(&root, &mut out)?,
            "contentBlockDelta" => self.block_delta(&root, &mut out)?,
            "contentBlockStop" => self.block_stop(&mut out),
            "messageStop" => {
                self.block_stop(&mut out);
                self.stopped = true;
                let reason = reason_of(&root.text("stopReason", Path::Root)?.unwrap_or_default());
                out.push(StreamEvent::Finish { choice: 0, reason, stop_sequence: None });
            }
            "metadata" => {
                let usage = root.child("usage", Path::Root)?;
                out.extend(usage.map(|usage| StreamEvent::Usage(usage_of(&usage))));
                charges(&root).tell(&mut out);
                if self.stopped {
                    self.ended = true;
                    out.push(StreamEvent::End);
                }
            }
            // What the API will add.
            _ => {}
        }
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        match (self.ended, self.stopped) {
            (true, _) => Ok(Vec::new()),
            // Only the usage is missing.
            (false, true) => {
                self.ended = true;
                Ok(vec![StreamEvent::End])
            }
            (false, false) => Err(WireError::Truncated { dialect: DIALECT, expected: "an event `messageStop`" }),
        }
    }
}

impl Decoder {
    fn block_start(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let index = index(root)?;
        let path = Path::Root.key("start");
        let Some(start) = root.child("start", Path::Root)? else { return Ok(()) };
        if let Some(call) = start.child("toolUse", path)? {
            let path = path.key("toolUse");
            self.tools.insert(index);
            let id = call.text("toolUseId", path)?.map(Cow::into_owned);
            let name = call.required_text("name", path, "the name of a tool")?;
            out.push(StreamEvent::ToolCallStart { choice: 0, index, id, name });
        }
        Ok(())
    }

    fn block_stop(&mut self, out: &mut Vec<StreamEvent>) {
        let place = std::mem::replace(&mut self.before, self.said)..self.said;
        let cited = std::mem::take(&mut self.cited).into_iter();
        let citations = cited.map(|one| citations::decode(&one, place.clone()));
        out.extend(citations.map(|citation| StreamEvent::Citation { choice: 0, citation }));
    }

    fn block_delta(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let index = index(root)?;
        let path = Path::Root.key("delta");
        let delta = root.child("delta", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        if let Some(text) = delta.text("text", path)? {
            self.said += length(&text);
            out.push(StreamEvent::TextDelta { choice: 0, index, text: text.into_owned() });
        }
        self.cited.extend(delta.get("citation").and_then(Node::read::<Value>));
        if let Some(call) = delta.child("toolUse", path)?.filter(|_| self.tools.contains(&index)) {
            let arguments = call.text("input", path.key("toolUse"))?.unwrap_or_default().into_owned();
            if !arguments.is_empty() {
                out.push(StreamEvent::ToolCallDelta { choice: 0, index, arguments });
            }
        }
        if let Some(reasoning) = delta.child("reasoningContent", path)? {
            let path = path.key("reasoningContent");
            if let Some(text) = reasoning.text("text", path)? {
                out.push(StreamEvent::ReasoningDelta { choice: 0, index, text: text.into_owned() });
            }
            if let Some(signature) = reasoning.text("signature", path)? {
                let signature = signature.into_owned();
                out.push(StreamEvent::ReasoningSignature { choice: 0, index, signature });
            }
            if let Some(data) = reasoning.text("redactedContent", path)? {
                out.push(StreamEvent::ReasoningEncrypted { choice: 0, index, data: data.into_owned() });
            }
        }
        Ok(())
    }
}

fn index(root: &Object<'_>) -> Result<u32, WireError> {
    const EXPECTED: &str = "the number of a content block";
    let path = Path::Root.key("contentBlockIndex");
    let index = root.count("contentBlockIndex", Path::Root)?.ok_or_else(|| path.missing(EXPECTED))?;
    u32::try_from(index).map_err(|_| path.invalid(EXPECTED, "a huge one"))
}
