//! A stream's events put together again: the whole answer, for the record.

use std::collections::BTreeMap;

use serde_json::Value;
use signalbox_types::{Message, Part, Role, Usage};

use crate::canonical::{Charges, ChatResponse, FinishReason, Notes, StreamEvent};
use crate::error::ErrorBody;
use crate::rewrite::ChannelKind;

/// Gathers events into the answer that they tell.
#[derive(Debug, Default)]
pub struct Accumulator {
    id: Option<String>,
    model: Option<String>,
    choices: BTreeMap<u32, Choice>,
    stop_sequence: Option<String>,
    usage: Usage,
    charges: Charges,
    error: Option<ErrorBody>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Choice {
    parts: Vec<(ChannelKind, u32, Part)>,
    /// Arguments by place in `parts`: JSON text that is read at the end.
    arguments: BTreeMap<usize, String>,
    finish: Option<FinishReason>,
    notes: Notes,
}

impl Accumulator {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event.
    pub fn event(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Start { id, model } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
            }
            StreamEvent::TextDelta { choice, index, text } => {
                if let Part::Text { content } = self.part(*choice, ChannelKind::Text, *index) {
                    content.push_str(text);
                }
            }
            StreamEvent::RefusalDelta { choice, index, text } => {
                if let Part::Refusal { content } = self.part(*choice, ChannelKind::Refusal, *index) {
                    content.push_str(text);
                }
            }
            StreamEvent::ReasoningDelta { choice, index, text } => {
                if let Part::Reasoning { content, .. } = self.part(*choice, ChannelKind::Reasoning, *index) {
                    content.push_str(text);
                }
            }
            StreamEvent::ReasoningSignature { choice, index, signature: more } => {
                if let Part::Reasoning { signature, .. } = self.part(*choice, ChannelKind::Reasoning, *index) {
                    *signature = Some(more.clone());
                }
            }
            StreamEvent::ReasoningEncrypted { choice, index, data } => {
                let part = Part::Reasoning { content: String::new(), signature: None, encrypted: Some(data.clone()) };
                self.choice(*choice).parts.push((ChannelKind::Reasoning, *index, part));
            }
            StreamEvent::ToolCallStart { choice, index, id, name } => {
                let part = Part::ToolCall { id: id.clone(), name: name.clone(), arguments: Value::Null };
                self.choice(*choice).parts.push((ChannelKind::ToolArguments, *index, part));
            }
            StreamEvent::ToolCallDelta { choice, index, arguments } => {
                let choice = self.choice(*choice);
                let wanted =
                    |(kind, of, _): &(ChannelKind, u32, Part)| *kind == ChannelKind::ToolArguments && of == index;
                if let Some(place) = choice.parts.iter().rposition(wanted) {
                    choice.arguments.entry(place).or_default().push_str(arguments);
                }
            }
            StreamEvent::Part { choice, part } => {
                self.choice(*choice).parts.push((ChannelKind::Text, u32::MAX, part.clone()));
            }
            StreamEvent::Citation { choice, citation } => self.choice(*choice).notes.citations.push(citation.clone()),
            StreamEvent::Logprobs { choice, tokens } => {
                self.choice(*choice).notes.logprobs.extend_from_slice(tokens);
            }
            StreamEvent::Finish { choice, reason, stop_sequence } => {
                self.choice(*choice).finish = Some(reason.clone());
                if stop_sequence.is_some() {
                    self.stop_sequence.clone_from(stop_sequence);
                }
            }
            StreamEvent::Usage(usage) => self.usage = *usage,
            StreamEvent::Charges(charges) => self.charges.update(*charges),
            StreamEvent::Error(error) => self.error = Some(error.clone()),
            StreamEvent::End => self.ended = true,
            StreamEvent::Ping => {}
        }
    }

    /// The error that the stream told, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorBody> {
        self.error.as_ref()
    }

    /// What was used, as far as the stream has told.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// What changes the price of that, as far as the stream has told.
    #[must_use]
    pub fn charges(&self) -> Charges {
        self.charges
    }

    /// The stream's announced end was seen.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The answer so far.
    #[must_use]
    pub fn finish(self) -> ChatResponse {
        let mut response = ChatResponse {
            id: self.id,
            model: self.model,
            created: None,
            messages: Vec::new(),
            finish_reasons: Vec::new(),
            notes: Vec::new(),
            stop_sequence: self.stop_sequence,
            usage: self.usage,
            charges: self.charges,
            latency_ms: None,
        };
        for mut choice in self.choices.into_values() {
            for (place, text) in choice.arguments {
                if let Some((_, _, Part::ToolCall { arguments, .. })) = choice.parts.get_mut(place) {
                    *arguments = crate::canonical::arguments_from_text(&text);
                }
            }
            let mut parts: Vec<Part> = choice.parts.into_iter().map(|(_, _, part)| part).collect();
            for part in &mut parts {
                if let Part::ToolCall { arguments, .. } = part
                    && arguments.is_null()
                {
                    *arguments = Value::Object(serde_json::Map::new());
                }
            }
            response.messages.push(Message {
                role: Role::Assistant,
                parts,
                name: None,
                finish_reason: choice.finish.as_ref().map(|reason| reason.as_str().to_owned()),
            });
            response.finish_reasons.extend(choice.finish);
            response.notes.push(choice.notes);
        }
        response.forget_empty_notes();
        response
    }

    fn choice(&mut self, choice: u32) -> &mut Choice {
        self.choices.entry(choice).or_default()
    }

    /// The part that a running text adds to: the last one, if it is of that text; else a new one.
    /// Signed or encrypted thinking is closed: what follows is a new block.
    fn part(&mut self, choice: u32, kind: ChannelKind, index: u32) -> &mut Part {
        let parts = &mut self.choice(choice).parts;
        let goes_on = parts.last().is_some_and(|(last_kind, last_index, part)| {
            let sealed =
                matches!(part, Part::Reasoning { encrypted: Some(_), .. } | Part::Reasoning { signature: Some(_), .. });
            *last_kind == kind && *last_index == index && !sealed
        });
        if !goes_on {
            let content = String::new();
            let part = match kind {
                ChannelKind::Refusal => Part::Refusal { content },
                ChannelKind::Reasoning => Part::Reasoning { content, signature: None, encrypted: None },
                _ => Part::Text { content },
            };
            parts.push((kind, index, part));
        }
        let last = parts.len() - 1;
        &mut parts[last].2
    }
}
