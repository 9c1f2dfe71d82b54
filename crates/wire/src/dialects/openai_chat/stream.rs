//! Streams → canonical events.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::response::{Told, charges, logprobs, reason_of};
use super::{DIALECT, citations, google, texts};
use crate::canonical::{Charges, StreamEvent};
use crate::codec::StreamDecoder;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::sse::SseEvent;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    started: bool,
    ended: bool,
    finished: BTreeSet<u32>,
    seen: BTreeSet<u32>,
    /// The calls of each choice that have begun.
    calls: BTreeMap<u32, Calls>,
    /// Choices whose thinking came as plain text too, so that blocks only add what is not text.
    plain_reasoning: BTreeSet<u32>,
    /// Pages that were listed beside the answer: they are told again with every piece.
    listed: usize,
    /// What changes the price, as it was last told.
    charges: Charges,
}

#[derive(Debug, Default)]
struct Calls {
    /// The provider's index → (its id, ours). Some imitators give every call the index 0 and tell
    /// them apart by id only.
    by_index: BTreeMap<u32, (Option<String>, u32)>,
    next: u32,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        if event.data.is_empty() {
            return Ok(vec![StreamEvent::Ping]);
        }
        if event.data.as_ref() == b"[DONE]" {
            self.ended = true;
            return Ok(vec![StreamEvent::End]);
        }
        let body = Body::parse(&event.data)?;
        let root = body.object()?;
        if event.event.as_deref() == Some("error") || root.get("error").is_some() {
            self.ended = true;
            return Ok(vec![StreamEvent::Error(crate::error::read(200, &event.data))]);
        }
        let mut out = Vec::new();
        if !self.started {
            self.started = true;
            let text = |name: &str| root.text(name, Path::Root).map(|text| text.map(Cow::into_owned));
            out.push(StreamEvent::Start { id: text("id")?, model: text("model")? });
        }
        let listed = citations::listed(&root);
        let new = listed.into_iter().skip(self.listed);
        let before = out.len();
        out.extend(new.map(|citation| StreamEvent::Citation { choice: 0, citation }));
        self.listed += out.len() - before;
        let path = Path::Root.key("choices");
        for (index, node) in root.children("choices", Path::Root)?.into_iter().enumerate() {
            self.choice(&node.object(path.index(index))?, path.index(index), &mut out)?;
        }
        let told = root.child("usage", Path::Root)?.map(Told::new);
        out.extend(told.as_ref().map(|told| StreamEvent::Usage(told.usage())));
        // How it is served stands in every piece.
        let charges = charges(&root, told.as_ref());
        if charges != self.charges {
            self.charges = charges;
            charges.tell(&mut out);
        }
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        if self.ended {
            return Ok(Vec::new());
        }
        // Some imitators send no `[DONE]`; that every choice said why it stopped is an end too.
        if !self.seen.is_empty() && self.seen == self.finished {
            self.ended = true;
            return Ok(vec![StreamEvent::End]);
        }
        Err(WireError::Truncated { dialect: DIALECT, expected: "`data: [DONE]`" })
    }
}

impl Decoder {
    fn choice(&mut self, choice: &Object<'_>, path: Path<'_>, out: &mut Vec<StreamEvent>) -> Result<(), WireError> {
        let number = choice.count("index", path)?.and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
        self.seen.insert(number);
        let tokens = logprobs(choice, path)?;
        if !tokens.is_empty() {
            out.push(StreamEvent::Logprobs { choice: number, tokens });
        }
        if let Some(delta) = choice.child("delta", path)? {
            let path = path.key("delta");
            self.reasoning(&delta, number, path, out)?;
            self.text(&delta, number, path, out)?;
            if let Some(text) = delta.text("refusal", path)?.filter(|text| !text.is_empty()) {
                out.push(StreamEvent::RefusalDelta { choice: number, index: 0, text: text.into_owned() });
            }
            let cited = citations::annotations(&delta).into_iter();
            out.extend(cited.map(|citation| StreamEvent::Citation { choice: number, citation }));
            for (place, node) in delta.children("tool_calls", path)?.into_iter().enumerate() {
                self.tool_call(node, place, number, path.key("tool_calls").index(place), out)?;
            }
            if let Some(call) = delta.child("function_call", path)? {
                self.function(&call, u32::MAX, None, number, path, out)?;
            }
        }
        if let Some(word) = choice.text("finish_reason", path)?
            && self.finished.insert(number)
        {
            out.push(StreamEvent::Finish { choice: number, reason: reason_of(&word), stop_sequence: None });
        }
        Ok(())
    }

    fn text(
        &self,
        delta: &Object<'_>,
        choice: u32,
        path: Path<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), WireError> {
        let Some(content) = delta.get("content") else { return Ok(()) };
        let path = path.key("content");
        let mut push = |text: Cow<'_, str>| {
            if !text.is_empty() {
                out.push(StreamEvent::TextDelta { choice, index: 0, text: text.into_owned() });
            }
        };
        if !content.is_list() {
            push(content.text(path).map_err(|_| path.invalid(texts::CONTENT, content.kind()))?);
            return Ok(());
        }
        for (index, node) in content.list(path)?.into_iter().enumerate() {
            let path = path.index(index);
            if let Some(text) = node.object(path)?.text("text", path)? {
                push(text);
            }
        }
        Ok(())
    }

    fn reasoning(
        &mut self,
        delta: &Object<'_>,
        choice: u32,
        path: Path<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), WireError> {
        let plain = delta.str("reasoning_content").or_else(|| delta.str("reasoning"));
        if let Some(text) = plain.filter(|text| !text.is_empty()) {
            self.plain_reasoning.insert(choice);
            out.push(StreamEvent::ReasoningDelta { choice, index: 0, text: text.into_owned() });
        }
        let blocks = path.key("thinking_blocks");
        for (index, node) in delta.children("thinking_blocks", path)?.into_iter().enumerate() {
            let path = blocks.index(index);
            let block = node.object(path)?;
            let text = |name: &str| block.text(name, path).map(|text| text.filter(|text| !text.is_empty()));
            if let Some(data) = text("data")? {
                out.push(StreamEvent::ReasoningEncrypted { choice, index: 0, data: data.into_owned() });
            }
            if let Some(text) = text("thinking")?
                && !self.plain_reasoning.contains(&choice)
            {
                out.push(StreamEvent::ReasoningDelta { choice, index: 0, text: text.into_owned() });
            }
            if let Some(signature) = text("signature")? {
                out.push(StreamEvent::ReasoningSignature { choice, index: 0, signature: signature.into_owned() });
            }
        }
        Ok(())
    }

    fn tool_call(
        &mut self,
        node: Node<'_>,
        place: usize,
        choice: u32,
        path: Path<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), WireError> {
        let call = node.object(path)?;
        let index = call.count("index", path)?.unwrap_or(place as u64);
        let index = u32::try_from(index).map_err(|_| path.key("index").invalid("a small number", "a huge one"))?;
        let id = call.text("id", path)?.filter(|id| !id.is_empty()).map(Cow::into_owned);
        let signature = google::thought_signature(&call);
        out.extend(signature.map(|signature| StreamEvent::ReasoningSignature { choice, index: 0, signature }));
        match call.child("function", path)? {
            Some(function) => self.function(&function, index, id, choice, path.key("function"), out),
            None => Ok(()),
        }
    }

    fn function(
        &mut self,
        function: &Object<'_>,
        provider_index: u32,
        id: Option<String>,
        choice: u32,
        path: Path<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), WireError> {
        let name = function.text("name", path)?.filter(|name| !name.is_empty());
        let calls = self.calls.entry(choice).or_default();
        let known = calls.by_index.get(&provider_index);
        let is_new = match (known, &id, &name) {
            (None, ..) => true,
            (Some((Some(old), _)), Some(new), Some(_)) => old != new,
            _ => false,
        };
        let index = match known {
            Some((_, index)) if !is_new => *index,
            _ => {
                let Some(name) = name else {
                    return Err(path.key("name").missing("the tool's name in the first piece of a call"));
                };
                let index = calls.next;
                calls.next += 1;
                calls.by_index.insert(provider_index, (id.clone(), index));
                out.push(StreamEvent::ToolCallStart { choice, index, id, name: name.into_owned() });
                index
            }
        };
        if let Some(arguments) = function.text("arguments", path)?.filter(|arguments| !arguments.is_empty()) {
            out.push(StreamEvent::ToolCallDelta { choice, index, arguments: arguments.into_owned() });
        }
        Ok(())
    }
}
