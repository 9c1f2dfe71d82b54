//! Contents and their parts → canonical messages.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use signalbox_types::{Modality, Part, Role};

use super::fields::{Fields, camel};
use crate::canonical::{ChatRequest, Hinted, PartHints, signature};
use crate::dialects::anthropic_messages::INVALID_ARGUMENTS;
use crate::error::WireError;
use crate::json::{Node, Path};

/// What this dialect's callers get in the place of another vendor's signature, which must be Base64 here: that of the
/// mark and the signature.
pub(super) const FOREIGN: &str = "signalbox:signed:";
/// The same for thinking that only its vendor can read.
pub(super) const FOREIGN_ENCRYPTED: &str = "signalbox:encrypted:";

/// Gives calls of tools an id where they came without one (the older API), and answers the id of their call.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// What makes the ids of one answer differ from those of another.
    pub(super) seed: String,
    made: usize,
    /// Calls that were not answered yet: name and id.
    open: Vec<(String, String)>,
}

impl Ids {
    pub(super) fn new(seed: String) -> Self {
        Self { seed, ..Self::default() }
    }

    fn of_call(&mut self, id: Option<String>, name: &str, arguments: &str) -> String {
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            let number = self.made.to_string();
            format!("call_{:016x}", fnv([self.seed.as_str(), &number, name, arguments]))
        });
        self.made += 1;
        self.open.push((name.to_owned(), id.clone()));
        id
    }

    fn of_answer(&mut self, id: Option<String>, name: &str) -> Option<String> {
        let id = id.filter(|id| !id.is_empty());
        let place = match &id {
            Some(id) => self.open.iter().position(|(_, open)| open == id),
            None => self.open.iter().position(|(open, _)| open == name),
        };
        let (_, open) = self.open.remove(place?);
        Some(open)
    }
}

/// FNV-1a: the same in every version and on every machine.
fn fnv<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let bytes = texts.into_iter().flat_map(|text| text.bytes().chain([0xFF]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

pub(super) fn role(content: &Fields<'_>, path: Path<'_>) -> Result<Role, WireError> {
    const EXPECTED: &str = "`user` or `model`";
    Ok(match content.text("role", path)?.as_deref() {
        None | Some("" | "user") => Role::User,
        Some("model") => Role::Assistant,
        Some("function" | "tool") => Role::Tool,
        Some("system") => Role::System,
        Some(_) => return Err(path.key("role").invalid(EXPECTED, "another word")),
    })
}

pub(super) fn decode_content(
    node: Node<'_>,
    path: Path<'_>,
    request: &mut ChatRequest,
    ids: &mut Ids,
) -> Result<(), WireError> {
    let content = Fields::of(node, path)?;
    let role = role(&content, path)?;
    let parts = decode_parts(&content, path, ids)?;
    // Answers of tools are a message of their own in the canonical form, before what the user adds.
    let is_answer = |(part, _): &(Part, PartHints)| matches!(part, Part::ToolCallResponse { .. });
    let (answers, others): (Hinted, Hinted) = parts.into_iter().partition(is_answer);
    // The SDKs' chats keep each piece of a stream as a content of its own.
    if role == Role::Assistant
        && answers.is_empty()
        && request.messages.last().is_some_and(|last| last.role == Role::Assistant)
    {
        append(request, others);
        return Ok(());
    }
    let answered = !answers.is_empty();
    if answered {
        request.push_hinted(Role::Tool, answers, path);
    }
    if !others.is_empty() || !answered {
        request.push_hinted(if role == Role::Tool { Role::User } else { role }, others, path);
    }
    Ok(())
}

/// More of the last message.
fn append(request: &mut ChatRequest, hinted: Hinted) {
    let message = request.messages.len() - 1;
    let Some(last) = request.messages.last_mut() else { return };
    for (part, hints) in hinted {
        let rest = match last.parts.last_mut() {
            Some(last) => join(last, part),
            None => Some(part),
        };
        let Some(part) = rest else { continue };
        if hints != PartHints::default() {
            request.part_hints.insert((message, last.parts.len()), hints);
        }
        last.parts.push(part);
    }
}

pub(super) fn decode_parts(content: &Fields<'_>, path: Path<'_>, ids: &mut Ids) -> Result<Hinted, WireError> {
    let parts = path.key("parts");
    let mut out = Hinted::new();
    for (index, node) in content.children("parts", path)?.into_iter().enumerate() {
        decode_part(node, parts.index(index), &mut out, ids)?;
    }
    Ok(out)
}

/// What a part of this dialect says, in perhaps two canonical ones: its content and the signature on it.
fn decode_part(node: Node<'_>, path: Path<'_>, out: &mut Hinted, ids: &mut Ids) -> Result<(), WireError> {
    let part = Fields::of(node, path)?;
    let proof = part.owned("thoughtSignature", path)?.filter(|proof| !proof.is_empty());
    let is_thought = part.flag("thought", path)?.unwrap_or(false);
    let says: Vec<Cow<'_, str>> = part
        .iter()
        .filter(|(_, node)| !node.is_null())
        .map(|(name, _)| camel(name))
        .filter(|name| !matches!(name.as_ref(), "thought" | "thoughtSignature"))
        .collect();
    let says: Vec<&str> = says.iter().map(AsRef::as_ref).collect();
    let mut push = |part| out.push((part, PartHints::default()));
    match (says.as_slice(), proof) {
        (["text"] | [], proof) if is_thought => {
            let part = thought(part.owned("text", path)?.unwrap_or_default(), proof);
            // A stream's pieces are one thought, and its signature comes last.
            let rest = match out.last_mut() {
                Some((last @ Part::Reasoning { .. }, _)) => join(last, part),
                _ => Some(part),
            };
            out.extend(rest.map(|part| (part, PartHints::default())));
        }
        ([], Some(proof)) => sign(out, signature::Place::Alone, &proof),
        (["text"], proof) => {
            let content = part.required("text", path, "a string")?;
            let place = if content.is_empty() { signature::Place::Alone } else { signature::Place::Text };
            if !content.is_empty() || proof.is_none() {
                push(Part::Text { content });
            }
            if let Some(proof) = proof {
                sign(out, place, &proof);
            }
        }
        (["functionCall"], proof) => {
            if let Some(proof) = proof {
                sign(out, signature::Place::Call, &proof);
            }
            out.push((function_call(&part, path, ids)?, PartHints::default()));
        }
        (["functionResponse"], None) => {
            let answer = function_response(&part, node, path, ids)?;
            push(answer);
        }
        (["inlineData"], None) => out.push(inline_data(&part, path)?),
        (["fileData"], None) => out.push(file_data(&part, path)?),
        _ => push(Part::Other(node.value(path)?)),
    }
    Ok(())
}

/// Puts a signature behind the thinking that it follows, or into a part of its own.
fn sign(out: &mut Hinted, place: signature::Place, proof: &str) {
    let proof = signature::of_gemini(place, proof);
    match out.last_mut() {
        Some((Part::Reasoning { signature: last @ None, encrypted: None, .. }, _)) => *last = Some(proof),
        _ => {
            let part = Part::Reasoning { content: String::new(), signature: Some(proof), encrypted: None };
            out.push((part, PartHints::default()));
        }
    }
}

fn thought(content: String, proof: Option<String>) -> Part {
    let Some(proof) = proof else { return Part::Reasoning { content, signature: None, encrypted: None } };
    let foreign = foreign(&proof);
    if let Some(data) = foreign.as_deref().and_then(|foreign| foreign.strip_prefix(FOREIGN_ENCRYPTED)) {
        return Part::Reasoning { content, signature: None, encrypted: Some(data.to_owned()) };
    }
    let signed = foreign.as_deref().and_then(|foreign| foreign.strip_prefix(FOREIGN));
    let signature = signed.map_or_else(|| signature::of_gemini(signature::Place::Thought, &proof), str::to_owned);
    Part::Reasoning { content, signature: Some(signature), encrypted: None }
}

/// What [`FOREIGN`] says, if it is that: SDKs write Base64 in either alphabet, padded or not.
fn foreign(proof: &str) -> Option<String> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if proof.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    String::from_utf8(GeneralPurpose::new(&alphabet, lenient).decode(proof).ok()?).ok()
}

fn function_call(part: &Fields<'_>, path: Path<'_>, ids: &mut Ids) -> Result<Part, WireError> {
    let path = path.key("functionCall");
    let call = part.child("functionCall", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
    let name = call.required("name", path, "the name of a tool")?;
    let arguments = call.map("args", path)?;
    let arguments = match arguments.get(INVALID_ARGUMENTS) {
        Some(Value::String(text)) if arguments.len() == 1 => Value::String(text.clone()),
        _ => Value::Object(arguments),
    };
    let raw = call.get("args", path)?.map_or("", Node::raw);
    let id = ids.of_call(call.owned("id", path)?, &name, raw);
    Ok(Part::ToolCall { id: Some(id), name, arguments })
}

fn function_response(part: &Fields<'_>, node: Node<'_>, path: Path<'_>, ids: &mut Ids) -> Result<Part, WireError> {
    let inner = path.key("functionResponse");
    let answer = part.child("functionResponse", path)?.ok_or_else(|| inner.missing("an object"))?;
    let name = answer.required("name", inner, "the name of the tool that answers")?;
    let given = answer.owned("id", inner)?;
    let id = ids.of_answer(given.clone(), &name).or(given);
    // Pictures in an answer, answers in several pieces: no other dialect has them.
    if answer.iter().any(|(field, node)| !matches!(field, "id" | "name" | "response") && !node.is_null()) {
        return Ok(Part::Other(node.value(path)?));
    }
    let response = answer.map("response", inner)?;
    let only = |name: &str| match response.get(name) {
        Some(Value::String(text)) if response.len() == 1 => Some(Value::String(text.clone())),
        _ => None,
    };
    let error = only("error");
    let is_error = error.is_some();
    let response = error.or_else(|| only("output")).unwrap_or(Value::Object(response));
    Ok(Part::ToolCallResponse { id, response, is_error })
}

fn inline_data(part: &Fields<'_>, path: Path<'_>) -> Result<(Part, PartHints), WireError> {
    let path = path.key("inlineData");
    let data = part.child("inlineData", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
    let mime_type = data.required("mimeType", path, "a media type, e.g. `image/png`")?;
    let hints = PartHints { file_name: data.owned("displayName", path)?, ..PartHints::default() };
    let content = data.required("data", path, "Base64 text")?;
    Ok((Part::Blob { modality: modality(&mime_type), mime_type: Some(mime_type), content }, hints))
}

fn file_data(part: &Fields<'_>, path: Path<'_>) -> Result<(Part, PartHints), WireError> {
    let path = path.key("fileData");
    let data = part.child("fileData", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
    let uri = data.required("fileUri", path, "where the file is")?;
    let mime_type = data.owned("mimeType", path)?;
    let mut hints = PartHints { file_name: data.owned("displayName", path)?, ..PartHints::default() };
    // Google's own store, which only Google reads.
    if uri.starts_with("gs://") || uri.starts_with("https://generativelanguage.googleapis.com/") {
        hints.mime_type = mime_type;
        return Ok((Part::File { file_id: uri }, hints));
    }
    let is_video = uri.contains("youtube.com/") || uri.contains("youtu.be/");
    let guessed = mime_type.as_deref().or_else(|| mime_type_of(&uri));
    let modality = guessed.map_or(if is_video { Modality::Video } else { Modality::Document }, modality);
    Ok((Part::Uri { mime_type, modality, uri }, hints))
}

fn modality(mime_type: &str) -> Modality {
    match mime_type.split('/').next() {
        Some("image") => Modality::Image,
        Some("audio") => Modality::Audio,
        Some("video") => Modality::Video,
        _ => Modality::Document,
    }
}

/// The media type that the ending of a link tells.
pub(super) fn mime_type_of(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    Some(match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

/// The arguments of a call as the object that this dialect has for them.
pub(super) fn arguments(arguments: &Value) -> Value {
    match arguments {
        Value::Object(_) => arguments.clone(),
        Value::Null => Value::Object(Map::new()),
        other => Value::Object(Map::from_iter([(INVALID_ARGUMENTS.to_owned(), other.clone())])),
    }
}

/// Adds a part to the last one, if both are of one text; else gives it back.
pub(super) fn join(last: &mut Part, part: Part) -> Option<Part> {
    match (last, part) {
        (Part::Text { content }, Part::Text { content: more }) => content.push_str(&more),
        (
            Part::Reasoning { content, signature: last @ None, encrypted: None },
            Part::Reasoning { content: more, signature, encrypted: None },
        ) => {
            content.push_str(&more);
            *last = signature;
        }
        (_, part) => return Some(part),
    }
    None
}
