//! Canonical messages → contents: what belongs together in a content, and its parts.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use signalbox_types::{Message, Part, Role};

use super::DIALECT;
use super::parts::{FOREIGN, FOREIGN_ENCRYPTED, arguments, mime_type_of};
use crate::canonical::{ChatRequest, PartHints, no_counterpart, signature};
use crate::dialects::anthropic_messages::{media_part, named};
use crate::error::WireError;
use crate::write::Writer;

/// All system messages, in order: this dialect has one place for them.
pub(super) fn encode_system(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let systems = request.messages.iter().enumerate().filter(|(_, message)| message.role == Role::System);
    let systems: Vec<(usize, &Message)> = systems.collect();
    if systems.iter().all(|(_, message)| message.parts.is_empty()) {
        return Ok(());
    }
    let mut result = Ok(());
    w.object_field("systemInstruction", |w| {
        w.list_field("parts", |w| {
            result = systems.iter().try_for_each(|(index, message)| encode_parts(w, request, *index, message));
        });
    });
    result
}

pub(super) fn encode_contents(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let names = names_of_calls(request);
    let mut result = Ok(());
    w.list_field("contents", |w| result = encode_each(w, request, &names));
    result
}

fn encode_each(w: &mut Writer, request: &ChatRequest, names: &BTreeMap<&str, &str>) -> Result<(), WireError> {
    let mut messages = request.messages.iter().enumerate().peekable();
    while let Some((index, message)) = messages.next() {
        let mut result = Ok(());
        match message.role {
            Role::System => {}
            // All answers to one message must stand in one content.
            Role::Tool => {
                let mut answers = vec![(index, message)];
                while let Some(next) = messages.next_if(|(_, next)| next.role == Role::Tool) {
                    answers.push(next);
                }
                let mut shown = Vec::new();
                content(w, "user", |w| {
                    let mut each = answers.iter();
                    result = each.try_for_each(|(index, message)| {
                        encode_answers(w, request, *index, message, names, &mut shown)
                    });
                });
                if result.is_ok() && !shown.is_empty() {
                    content(w, "user", |w| {
                        result = shown.iter().try_for_each(|part| encode_part(w, part, None, "content"));
                    });
                }
            }
            Role::User | Role::Assistant if !says_anything(request, message) => {}
            Role::User | Role::Assistant => {
                let role = if message.role == Role::User { "user" } else { "model" };
                content(w, role, |w| result = encode_parts(w, request, index, message));
            }
        }
        result?;
    }
    Ok(())
}

fn content(w: &mut Writer, role: &str, parts: impl FnOnce(&mut Writer)) {
    w.object(|w| {
        w.field("role", role);
        w.list_field("parts", parts);
    });
}

/// A content without parts is refused, and so is an empty text.
fn says_anything(request: &ChatRequest, message: &Message) -> bool {
    message.parts.iter().any(|part| match part {
        Part::Text { content } | Part::Refusal { content } => !content.is_empty(),
        Part::Reasoning { signature, .. } => is_ours(request, signature.as_deref()),
        _ => true,
    })
}

/// Thinking that this provider may see again: it signed it, or its own caller sends it back.
fn is_ours(request: &ChatRequest, signature: Option<&str>) -> bool {
    match signature {
        Some(signature) => signature::read_gemini(signature).is_some(),
        None => request.extras.dialect == DIALECT,
    }
}

/// From its third generation on, Gemini refuses calls of the turn under way that it hasn't signed: another model made
/// them, or the caller has lost the signature. Google documents this word for such calls.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

fn lacks_signature(request: &ChatRequest, index: usize) -> bool {
    let generation = request.model.strip_prefix("gemini-").and_then(|rest| rest.split(['.', '-']).next());
    let is_strict = generation.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number >= 3);
    let calls = |message: &Message| message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let is_under_way = || !request.messages.iter().skip(index).any(|message| message.role == Role::User);
    request.extras.dialect != DIALECT && is_strict && request.messages.get(index).is_some_and(calls) && is_under_way()
}

fn names_of_calls(request: &ChatRequest) -> BTreeMap<&str, &str> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            Part::ToolCall { id: Some(id), name, .. } => Some((id.as_str(), name.as_str())),
            _ => None,
        })
        .collect()
}

fn encode_answers(
    w: &mut Writer,
    request: &ChatRequest,
    index: usize,
    message: &Message,
    names: &BTreeMap<&str, &str>,
    shown: &mut Vec<Part>,
) -> Result<(), WireError> {
    for part in &message.parts {
        let Part::ToolCallResponse { id, response, is_error } = part else {
            let field = request.content_name(index);
            return Err(DIALECT.lacks(field, "a tool message holds answers of tools only"));
        };
        let known = id.as_deref().and_then(|id| names.get(id).copied());
        let Some(name) = known.or(message.name.as_deref()) else {
            let field = request.call_id_name(index);
            return Err(
                DIALECT.lacks(field, "there it names the tool: set it to the id of a call that was made before")
            );
        };
        let response = answer_of(response, *is_error, shown, &request.content_name(index))?;
        w.object(|w| {
            w.object_field("functionResponse", |w| {
                w.field_if("id", id.as_ref());
                w.field("name", name);
                w.field("response", &response);
            });
        });
    }
    Ok(())
}

/// An object, as this dialect wants it: `output`, or `error`. Pictures follow after all answers.
fn answer_of(response: &Value, is_error: bool, shown: &mut Vec<Part>, field: &str) -> Result<Value, WireError> {
    let mut texts = Vec::new();
    match response {
        Value::Object(fields) if !is_error => return Ok(Value::Object(fields.clone())),
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => {
            for item in items {
                match item.get("text").and_then(Value::as_str) {
                    Some(text) => texts.push(text.to_owned()),
                    None => shown.push(media_part(item).ok_or_else(|| {
                        let kind = item.get("type").and_then(Value::as_str).unwrap_or("unknown");
                        DIALECT.lacks(field, format!("a tool's answer of type `{kind}` has no counterpart there"))
                    })?),
                }
            }
        }
        Value::Null => {}
        other => texts.push(other.to_string()),
    }
    let key = if is_error { "error" } else { "output" };
    Ok(Value::Object([(key.to_owned(), Value::String(texts.join("\n")))].into_iter().collect()))
}

fn encode_parts(w: &mut Writer, request: &ChatRequest, index: usize, message: &Message) -> Result<(), WireError> {
    let ours: Vec<(usize, &Part)> = message
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| match part {
            Part::Reasoning { signature, .. } => is_ours(request, signature.as_deref()),
            Part::Text { content } => !content.is_empty(),
            _ => true,
        })
        .collect();
    let field = request.content_name(index);
    // A signature that is there takes its place.
    let mut signed =
        Signed { of_call: lacks_signature(request, index).then(|| NO_SIGNATURE.to_owned()), ..Signed::default() };
    let mut name_is_due = true;
    for (place, (number, part)) in ours.iter().enumerate() {
        let next = ours.get(place + 1).map(|(_, part)| *part);
        match part {
            Part::Other(value) if request.extras.dialect == DIALECT => w.item(value),
            Part::File { file_id } if request.extras.dialect == DIALECT => {
                let mime_type = request.hints(index, *number).and_then(|hints| hints.mime_type.as_deref());
                file(w, file_id, mime_type);
            }
            Part::Text { content } if name_is_due => {
                name_is_due = false;
                signed.text(w, &named(message, content), next);
            }
            part => {
                if !signed.encode(w, part, next) {
                    encode_part(w, part, request.hints(index, *number), &field)?;
                }
            }
        }
    }
    signed.finish(w);
    Ok(())
}

/// Writes texts, thinking and calls with the signature of each in its place. Other dialects tell signatures before the
/// text, so one may have to wait.
#[derive(Debug, Default)]
pub(super) struct Signed {
    of_call: Option<String>,
    of_text: Option<String>,
    alone: Vec<String>,
    /// The next part is a signature that went out with the text before it.
    written: bool,
}

impl Signed {
    /// Whether it was one of these.
    pub(super) fn encode(&mut self, w: &mut Writer, part: &Part, next: Option<&Part>) -> bool {
        match part {
            Part::Text { content } => self.text(w, content, next),
            Part::Reasoning { content, signature, encrypted } => {
                self.thinking(w, content, signature.as_deref(), encrypted.as_deref());
            }
            Part::ToolCall { id, name, arguments: given } => w.object(|w| {
                w.object_field("functionCall", |w| {
                    w.field_if("id", id.as_ref());
                    w.field("name", name);
                    w.field("args", &arguments(given));
                });
                w.field_if("thoughtSignature", self.of_call.take());
            }),
            _ => return false,
        }
        true
    }

    fn text(&mut self, w: &mut Writer, text: &str, next: Option<&Part>) {
        let proof = match next {
            Some(Part::Reasoning { content, signature: Some(signature), .. }) if content.is_empty() => {
                signature::read_gemini(signature).filter(|(place, _)| *place == signature::Place::Text)
            }
            _ => None,
        };
        self.written = proof.is_some();
        let proof = proof.map(|(_, proof)| proof.to_owned()).or_else(|| self.of_text.take());
        w.object(|w| {
            w.field("text", text);
            w.field_if("thoughtSignature", proof);
        });
    }

    fn thinking(&mut self, w: &mut Writer, content: &str, signature: Option<&str>, encrypted: Option<&str>) {
        if std::mem::take(&mut self.written) {
            return;
        }
        let ours = signature.and_then(signature::read_gemini);
        let of_thought = match (signature, encrypted, ours) {
            (_, Some(data), _) => Some(STANDARD.encode(format!("{FOREIGN_ENCRYPTED}{data}"))),
            (Some(_), _, Some((place, proof))) => (place == signature::Place::Thought).then(|| proof.to_owned()),
            (Some(foreign), _, None) => Some(STANDARD.encode(format!("{FOREIGN}{foreign}"))),
            (None, None, _) => None,
        };
        if !content.is_empty() || of_thought.is_some() {
            w.object(|w| {
                w.field("text", content);
                w.field("thought", &true);
                w.field_if("thoughtSignature", of_thought);
            });
        }
        match ours {
            Some((signature::Place::Call, proof)) => self.of_call = Some(proof.to_owned()),
            Some((signature::Place::Text, proof)) => self.of_text = Some(proof.to_owned()),
            Some((signature::Place::Alone, proof)) => self.alone.push(proof.to_owned()),
            Some((signature::Place::Thought, _)) | None => {}
        }
    }

    /// Signatures that stand alone, and those whose call or text never came.
    pub(super) fn finish(&mut self, w: &mut Writer) {
        let homeless = self.of_text.take().into_iter().chain(self.of_call.take());
        for proof in homeless.chain(std::mem::take(&mut self.alone)) {
            w.object(|w| {
                w.field("text", "");
                w.field("thoughtSignature", &proof);
            });
        }
    }
}

fn file(w: &mut Writer, uri: &str, mime_type: Option<&str>) {
    w.object(|w| {
        w.object_field("fileData", |w| {
            w.field_if("mimeType", mime_type);
            w.field("fileUri", uri);
        });
    });
}

/// Any other part, in a request or in an answer.
pub(super) fn encode_part(
    w: &mut Writer,
    part: &Part,
    hints: Option<&PartHints>,
    field: &str,
) -> Result<(), WireError> {
    match part {
        Part::Refusal { content } => w.object(|w| w.field("text", content)),
        Part::Blob { mime_type, content, .. } => {
            let Some(mime_type) = mime_type else {
                return Err(DIALECT.lacks(field, "the data URL must name its media type, e.g. `image/png`"));
            };
            if let Some(name) = hints.and_then(|hints| hints.file_name.as_deref()) {
                // The name has no field here, but the model may be asked about it.
                w.object(|w| w.field("text", name));
            }
            w.object(|w| {
                w.object_field("inlineData", |w| {
                    w.field("mimeType", mime_type);
                    w.field("data", content);
                });
            });
        }
        Part::Uri { mime_type, uri, .. } => {
            file(w, uri, mime_type.as_deref().or_else(|| mime_type_of(uri)));
        }
        Part::File { .. } => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::ToolCallResponse { .. } => {
            return Err(DIALECT.lacks(field, "an answer of a tool must stand in a message of the tool"));
        }
        Part::Other(value) => {
            return Err(DIALECT.lacks(field, no_counterpart(value)));
        }
        Part::Text { .. } | Part::Reasoning { .. } | Part::ToolCall { .. } => {
            Signed::default().encode(w, part, None);
        }
    }
    Ok(())
}
