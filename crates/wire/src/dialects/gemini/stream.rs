//! Streams → canonical events. Each event is a whole `GenerateContentResponse` that says what is new. No word ends a
//! stream: it is complete when every candidate has said why it stopped.

use std::collections::{BTreeMap, BTreeSet};

use signalbox_types::Part;

use super::DIALECT;
use super::fields::Fields;
use super::notes;
use super::parts::{self, Ids};
use super::response::{blocked, charges, reason_of, usage};
use crate::canonical::{Citation, FinishReason, StreamEvent, arguments_to_text};
use crate::codec::StreamDecoder;
use crate::error::WireError;
use crate::json::{Body, Path};
use crate::sse::SseEvent;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    started: bool,
    ended: bool,
    seen: BTreeSet<u32>,
    finished: BTreeSet<u32>,
    calling: BTreeSet<u32>,
    calls: u32,
    /// What each choice has said: places are told in bytes of it, often at the very end.
    texts: BTreeMap<u32, String>,
    /// Some models tell them again with every piece.
    cited: Vec<Citation>,
    ids: Ids,
}

impl StreamDecoder for Decoder {
    fn event(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        if event.data.is_empty() {
            return Ok(vec![StreamEvent::Ping]);
        }
        let body = Body::parse(&event.data)?;
        let root = Fields::new(body.object()?);
        if root.get("error", Path::Root)?.is_some() {
            self.ended = true;
            return Ok(vec![StreamEvent::Error(super::error::decode(200, &event.data))]);
        }
        let mut out = Vec::new();
        if !self.started {
            self.started = true;
            let id = root.owned("responseId", Path::Root)?;
            self.ids.seed = id.clone().unwrap_or_default();
            out.push(StreamEvent::Start { id, model: root.owned("modelVersion", Path::Root)? });
        }
        let path = Path::Root.key("candidates");
        let candidates = root.children("candidates", Path::Root)?;
        for (place, node) in candidates.iter().enumerate() {
            self.candidate(&Fields::of(*node, path.index(place))?, path.index(place), &mut out)?;
        }
        if let Some(text) = blocked(&root)?.filter(|_| candidates.is_empty() && self.finished.insert(0)) {
            self.seen.insert(0);
            out.push(StreamEvent::RefusalDelta { choice: 0, index: 0, text });
            out.push(StreamEvent::Finish { choice: 0, reason: FinishReason::ContentFilter, stop_sequence: None });
        }
        out.extend(usage(&root)?.map(StreamEvent::Usage));
        charges(&root)?.tell(&mut out);
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<StreamEvent>, WireError> {
        if self.ended {
            return Ok(Vec::new());
        }
        if !self.seen.is_empty() && self.seen == self.finished {
            self.ended = true;
            return Ok(vec![StreamEvent::End]);
        }
        Err(WireError::Truncated { dialect: DIALECT, expected: "a `finishReason`" })
    }
}

impl Decoder {
    fn candidate(
        &mut self,
        candidate: &Fields<'_>,
        path: Path<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), WireError> {
        let choice = candidate.count("index", path)?.and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
        self.seen.insert(choice);
        let tokens = notes::logprobs(candidate, path)?;
        if !tokens.is_empty() {
            out.push(StreamEvent::Logprobs { choice, tokens });
        }
        if let Some(content) = candidate.child("content", path)? {
            for (part, _) in parts::decode_parts(&content, path.key("content"), &mut self.ids)? {
                self.part(choice, part, out);
            }
        }
        let said = [Part::Text { content: self.texts.remove(&choice).unwrap_or_default() }];
        let citations = notes::citations(candidate, path, &said)?;
        for citation in citations {
            if !self.cited.contains(&citation) {
                self.cited.push(citation.clone());
                out.push(StreamEvent::Citation { choice, citation });
            }
        }
        let [Part::Text { content }] = said else { return Ok(()) };
        self.texts.insert(choice, content);
        if let Some(word) = candidate.text("finishReason", path)?
            && self.finished.insert(choice)
        {
            let reason = reason_of(&word, self.calling.contains(&choice));
            out.push(StreamEvent::Finish { choice, reason, stop_sequence: None });
        }
        Ok(())
    }

    fn part(&mut self, choice: u32, part: Part, out: &mut Vec<StreamEvent>) {
        match part {
            Part::Text { content: text } => {
                if !text.is_empty() {
                    self.texts.entry(choice).or_default().push_str(&text);
                    out.push(StreamEvent::TextDelta { choice, index: 0, text });
                }
            }
            Part::Reasoning { content: text, signature, encrypted } => {
                if !text.is_empty() {
                    out.push(StreamEvent::ReasoningDelta { choice, index: 0, text });
                }
                let sealed = encrypted.map(|data| StreamEvent::ReasoningEncrypted { choice, index: 0, data });
                out.extend(sealed);
                let signed = signature.map(|signature| StreamEvent::ReasoningSignature { choice, index: 0, signature });
                out.extend(signed);
            }
            Part::ToolCall { id, name, arguments } => {
                self.calling.insert(choice);
                let index = self.calls;
                self.calls += 1;
                out.push(StreamEvent::ToolCallStart { choice, index, id, name });
                let arguments = arguments_to_text(&arguments);
                out.push(StreamEvent::ToolCallDelta { choice, index, arguments });
            }
            part => out.push(StreamEvent::Part { choice, part }),
        }
    }
}
