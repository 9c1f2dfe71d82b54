//! Streams → canonical events.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use signalbox_types::Part;

use super::deltas::{first_index, index};
use super::response::{charges, decode_item, reason_of, thought, usage};
use super::{DIALECT, annotations, input, reasoning};
use crate::canonical::notes::{length, openai_logprobs};
use crate::canonical::{Notes, StreamEvent, arguments_to_text};
use crate::codec::StreamDecoder;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::sse::SseEvent;

/// What is told in pieces is told again whole; whoever tells only the whole is understood too.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    started: bool,
    ended: bool,
    /// Texts of which a piece has come, by index.
    told: BTreeSet<u32>,
    /// Calls that have begun, by index.
    calls: BTreeSet<u32>,
    /// How many characters each text has, by index.
    said: BTreeMap<u32, u64>,
    /// Texts whose annotations were told as they came.
    annotated: BTreeSet<u32>,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        // OpenAI ends its streams without this word; some imitators say it.
        if event.data.is_empty() || event.data.as_ref() == b"[DONE]" {
            return Ok(vec![StreamEvent::Ping]);
        }
        let body = Body::parse(&event.data)?;
        let root = body.object()?;
        // The name in `event:` says the same; some proxies drop one of the two.
        let kind = root.text("type", Path::Root)?.or_else(|| event.event.as_deref().map(Cow::Borrowed));
        let mut out = Vec::new();
        match kind.as_deref() {
            Some("response.created" | "response.in_progress" | "response.queued") => self.start(&root, &mut out)?,
            Some("response.output_item.added") => self.item_added(&root, &mut out)?,
            Some("response.output_item.done") => self.item_done(&root, &mut out)?,
            Some("response.output_text.delta") => {
                let (index, text) = (self.content_index(&root), delta(&root)?);
                let tokens = openai_logprobs(root.get("logprobs"));
                if !tokens.is_empty() {
                    out.push(StreamEvent::Logprobs { choice: 0, tokens });
                }
                *self.said.entry(index).or_default() += length(&text);
                out.push(StreamEvent::TextDelta { choice: 0, index, text });
            }
            Some("response.refusal.delta") => {
                let (index, text) = (self.content_index(&root), delta(&root)?);
                out.push(StreamEvent::RefusalDelta { choice: 0, index, text });
            }
            Some("response.reasoning_summary_text.delta" | "response.reasoning_text.delta") => {
                let (index, text) = (first_index(&root), delta(&root)?);
                self.told.insert(index);
                out.push(StreamEvent::ReasoningDelta { choice: 0, index, text });
            }
            Some("response.reasoning_summary_part.added") => {
                let index = first_index(&root);
                // Not before the first of them.
                if self.told.contains(&index) {
                    let text = reasoning::BREAK.to_owned();
                    out.push(StreamEvent::ReasoningDelta { choice: 0, index, text });
                }
            }
            Some("response.output_text.annotation.added") => {
                let index = self.content_index(&root);
                self.annotated.insert(index);
                let told = root.get("annotation").and_then(Node::read::<Value>);
                let citation = told.and_then(|told| annotations::decode(&told, self.before(index)));
                out.extend(citation.map(|citation| StreamEvent::Citation { choice: 0, citation }));
            }
            Some("response.function_call_arguments.delta") => {
                let (index, arguments) = (first_index(&root), delta(&root)?);
                self.told.insert(index);
                out.push(StreamEvent::ToolCallDelta { choice: 0, index, arguments });
            }
            Some("response.completed" | "response.incomplete") => self.end(&root, &mut out)?,
            Some("response.failed") => self.fail(&root, &event.data, &mut out),
            Some("error") => {
                self.ended = true;
                out.push(StreamEvent::Error(crate::error::read(200, &event.data)));
            }
            _ if root.get("error").is_some() => {
                self.ended = true;
                out.push(StreamEvent::Error(crate::error::read(200, &event.data)));
            }
            Some("keepalive") => out.push(StreamEvent::Ping),
            // What says again what was said, what the provider's own tools do, and what the API will add.
            _ => {}
        }
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        if self.ended {
            return Ok(Vec::new());
        }
        Err(WireError::Truncated { dialect: DIALECT, expected: "an event `response.completed`" })
    }
}

fn delta(root: &Object<'_>) -> Result<String, WireError> {
    root.required_text("delta", Path::Root, "a string")
}

impl Decoder {
    fn content_index(&mut self, root: &Object<'_>) -> u32 {
        let index = index(root, "content_index");
        self.told.insert(index);
        index
    }

    /// So many characters stand before a text.
    fn before(&self, index: u32) -> u64 {
        self.said.range(..index).map(|(_, said)| said).sum()
    }

    fn start(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let path = Path::Root.key("response");
        let response = root.child("response", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        let text = |name: &str| response.text(name, path).map(|text| text.map(Cow::into_owned));
        out.push(StreamEvent::Start { id: text("id")?, model: text("model")? });
        Ok(())
    }

    fn item_added(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let path = Path::Root.key("item");
        let item = root.child("item", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        if item.str("type").as_deref() == Some("function_call") {
            self.call(&item, first_index(root), path, out)?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        item: &Object<'_>,
        index: u32,
        path: Path<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), WireError> {
        let Part::ToolCall { id, name, .. } = input::call(item, path)? else { return Ok(()) };
        if self.calls.insert(index) {
            out.push(StreamEvent::ToolCallStart { choice: 0, index, id, name });
        }
        Ok(())
    }

    fn item_done(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let path = Path::Root.key("item");
        let node = root.get("item").ok_or_else(|| path.missing("an object"))?;
        let item = node.object(path)?;
        let first = first_index(root);
        if item.str("type").as_deref() == Some("function_call") {
            self.call(&item, first, path, out)?;
        }
        let mut parts = Vec::new();
        decode_item(node, path, &mut parts)?;
        for (number, part) in parts.into_iter().enumerate() {
            let index = first.saturating_add(u32::try_from(number).unwrap_or(0));
            let is_new = !self.told.contains(&index);
            match part {
                Part::Text { content: text } if is_new && !text.is_empty() => {
                    self.said.insert(index, length(&text));
                    out.push(StreamEvent::TextDelta { choice: 0, index, text });
                }
                Part::Refusal { content: text } if is_new && !text.is_empty() => {
                    out.push(StreamEvent::RefusalDelta { choice: 0, index, text });
                }
                Part::Reasoning { .. } => self.thought(part, index, out),
                Part::ToolCall { arguments, .. } if is_new && arguments.as_object().is_none_or(|it| !it.is_empty()) => {
                    let arguments = arguments_to_text(&arguments);
                    out.push(StreamEvent::ToolCallDelta { choice: 0, index, arguments });
                }
                Part::Other(_) => out.push(StreamEvent::Part { choice: 0, part }),
                _ => {}
            }
        }
        if self.annotated.range(first..).next().is_none() {
            let (mut said, mut notes) = (self.before(first), Notes::default());
            annotations::read_item(&item, path, &mut said, &mut notes)?;
            let citations = notes.citations.into_iter();
            out.extend(citations.map(|citation| StreamEvent::Citation { choice: 0, citation }));
        }
        Ok(())
    }

    /// The proof comes with the whole item only.
    fn thought(&self, part: Part, index: u32, out: &mut Vec<StreamEvent>) {
        let Some(Part::Reasoning { content: text, signature, encrypted }) = thought(part) else { return };
        if !text.is_empty() && !self.told.contains(&index) {
            out.push(StreamEvent::ReasoningDelta { choice: 0, index, text });
        }
        let signed = signature.map(|signature| StreamEvent::ReasoningSignature { choice: 0, index, signature });
        let sealed = encrypted.map(|data| StreamEvent::ReasoningEncrypted { choice: 0, index, data });
        out.extend(signed.into_iter().chain(sealed));
    }

    fn end(&mut self, root: &Object<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let path = Path::Root.key("response");
        let response = root.child("response", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
        self.start(root, out)?;
        self.ended = true;
        let reason = reason_of(&response, !self.calls.is_empty());
        out.push(StreamEvent::Finish { choice: 0, reason, stop_sequence: None });
        out.extend(usage(&response).map(StreamEvent::Usage));
        charges(&response).tell(out);
        out.push(StreamEvent::End);
        Ok(())
    }

    fn fail(&mut self, root: &Object<'_>, data: &[u8], out: &mut Vec<StreamEvent>) {
        self.ended = true;
        let response = root.child("response", Path::Root).ok().flatten();
        out.extend(response.as_ref().and_then(usage).map(StreamEvent::Usage));
        let told = root.get("response").map_or(data, |response: Node<'_>| response.raw().as_bytes());
        out.push(StreamEvent::Error(crate::error::read(200, told)));
    }
}
