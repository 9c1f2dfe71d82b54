//! Canonical messages → input items.

use signalbox_types::{Message, Part, Role};

use super::parts::{encode_answer, encode_own, encode_part, text_part};
use super::{DIALECT, reasoning};
use crate::canonical::{ChatRequest, PartHints, arguments_to_text, signature};
use crate::dialects::anthropic_messages::named;
use crate::error::WireError;
use crate::write::Writer;

/// The first message, where it can be said as `instructions`.
pub(super) fn instructions(request: &ChatRequest) -> Option<&str> {
    match request.messages.first() {
        Some(Message { role: Role::System, parts, .. }) => match parts.as_slice() {
            [Part::Text { content }] => Some(content),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn encode(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let said = usize::from(instructions(request).is_some());
    (said..request.messages.len()).try_for_each(|index| encode_message(w, request, index))
}

fn encode_message(w: &mut Writer, request: &ChatRequest, index: usize) -> Result<(), WireError> {
    let Some(message) = request.messages.get(index) else { return Ok(()) };
    let ours = request.extras.dialect == DIALECT;
    if let [Part::Other(item)] = message.parts.as_slice()
        && ours
        && message.role == Role::Assistant
    {
        w.item(item);
        return Ok(());
    }
    let mut content = Content { request, index, message, parts: Vec::new(), written: false };
    for (place, part) in message.parts.iter().enumerate() {
        match part {
            Part::Reasoning { content: text, signature: given, encrypted } => {
                let (id, proof) = reasoning::read(given.as_deref(), encrypted.as_deref());
                let is_openais = given.as_deref().and_then(signature::read_openai).is_some() && proof.is_some();
                // Thinking of another model means nothing to this one, and what it can't prove isn't its own.
                if ours || is_openais {
                    content.flush(w)?;
                    reasoning::encode(w, id, text, proof.as_deref());
                }
            }
            Part::ToolCall { id, name, arguments } => {
                content.flush(w)?;
                let Some(id) = id else {
                    let hint = "a call of a tool must have an id: use `tool_calls`, not `function_call`";
                    return Err(DIALECT.lacks(request.content_name(index), hint));
                };
                w.object(|w| {
                    w.field("type", "function_call");
                    w.field("call_id", id);
                    w.field("name", name);
                    w.field("arguments", &arguments_to_text(arguments));
                });
            }
            Part::ToolCallResponse { id, response, is_error } => {
                content.flush(w)?;
                let Some(id) = id else {
                    let hint = "set it to the id of the call that is answered";
                    return Err(DIALECT.lacks(request.call_id_name(index), hint));
                };
                let mut result = Ok(());
                w.object(|w| {
                    w.field("type", "function_call_output");
                    w.field("call_id", id);
                    result = encode_answer(w, response, *is_error, ours, &request.content_name(index));
                });
                result?;
            }
            Part::Other(item) if !ours && item.get("type").is_some_and(|kind| kind == "web_search_call") => {
                content.flush(w)?;
                w.item(item);
            }
            _ => content.parts.push(place),
        }
    }
    content.flush(w)
}

/// What a message says between reasoning and calls.
struct Content<'a> {
    request: &'a ChatRequest,
    index: usize,
    message: &'a Message,
    parts: Vec<usize>,
    /// The participant's name stands before the first text.
    written: bool,
}

impl Content<'_> {
    fn flush(&mut self, w: &mut Writer) -> Result<(), WireError> {
        let (message, request, index) = (self.message, self.request, self.index);
        let places = std::mem::take(&mut self.parts);
        let parts: Vec<(&Part, Option<&PartHints>)> = places
            .iter()
            .filter_map(|place| Some((message.parts.get(*place)?, request.hints(index, *place))))
            .collect();
        let says_nothing = parts.iter().all(|(part, _)| matches!(part, Part::Text { content } if content.is_empty()));
        if says_nothing && (message.role == Role::Assistant || message.parts.len() > parts.len()) {
            return Ok(());
        }
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        let mut result = Ok(());
        w.object(|w| {
            w.field("role", role);
            match parts.as_slice() {
                [] => w.field("content", ""),
                [(Part::Text { content }, _)] => w.field("content", &self.named(content)),
                parts => w.list_field("content", |w| {
                    result = parts.iter().try_for_each(|(part, hints)| self.encode(w, part, *hints));
                }),
            }
        });
        result
    }

    fn encode(&mut self, w: &mut Writer, part: &Part, hints: Option<&PartHints>) -> Result<(), WireError> {
        let is_assistant = self.message.role == Role::Assistant;
        match part {
            Part::Text { content } => {
                let text = self.named(content);
                text_part(w, if is_assistant { "output_text" } else { "input_text" }, &text);
            }
            Part::Refusal { content } => text_part(w, if is_assistant { "refusal" } else { "input_text" }, content),
            part if self.request.extras.dialect == DIALECT && encode_own(w, part, hints) => {}
            part => encode_part(w, part, hints, &self.request.content_name(self.index))?,
        }
        Ok(())
    }

    fn named<'t>(&mut self, text: &'t str) -> std::borrow::Cow<'t, str> {
        match std::mem::replace(&mut self.written, true) {
            true => text.into(),
            false => named(self.message, text),
        }
    }
}
