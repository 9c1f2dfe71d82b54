//! What a span says, as texts of JSON: from a span, or from a row of a file.

use serde_json::Value;
use signalbox_types::{Message, Role, Span};

use super::reference::Reference;

/// One body and its hash.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) hash: u128,
    pub(super) json: String,
}

impl Body {
    /// Of projects apart: nobody learns from a hash what others said.
    fn new(project: &str, json: String) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(project.as_bytes());
        hasher.update(&[0]);
        hasher.update(json.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self { hash: u128::from_be_bytes(bytes), json }
    }
}

/// One message.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) body: Body,
    pub(super) role: Option<Role>,
    pub(super) finish_reason: Option<String>,
}

/// Messages, or a value that is none.
#[derive(Debug)]
pub(super) enum Spoken {
    Nothing,
    Messages(Vec<Part>),
    Whole(Body),
    /// No list of messages: kept as it stands.
    Inline(String),
}

/// Tools, input and output of a span.
pub(super) fn parts_of(span: &Span) -> [Spoken; 3] {
    let project = span.project_id.as_str();
    let tools = if span.tools.is_empty() { None } else { serde_json::to_string(&span.tools).ok() };
    let tools = Spoken::of_json(project, tools);
    [tools, messages(project, &span.input_messages), messages(project, &span.output_messages)]
}

fn messages(project: &str, messages: &[Message]) -> Spoken {
    if messages.is_empty() {
        return Spoken::Nothing;
    }
    Spoken::Messages(messages.iter().map(|message| part(project, message)).collect())
}

fn part(project: &str, message: &Message) -> Part {
    let body = match &message.finish_reason {
        None => serde_json::to_string(message),
        Some(_) => serde_json::to_string(&Message { finish_reason: None, ..message.clone() }),
    };
    Part {
        body: Body::new(project, body.unwrap_or_default()),
        role: Some(message.role),
        finish_reason: message.finish_reason.clone(),
    }
}

impl Spoken {
    /// Tool definitions as a file has them.
    pub(super) fn of_json(project: &str, json: Option<String>) -> Self {
        json.map_or(Self::Nothing, |json| Self::Whole(Body::new(project, json)))
    }

    /// Messages as a file has them.
    pub(super) fn of_messages(project: &str, json: Option<&str>) -> Self {
        let Some(json) = json else { return Self::Nothing };
        match serde_json::from_str::<Vec<Value>>(json) {
            Ok(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
                Self::Messages(items.into_iter().map(|item| of_value(project, item)).collect())
            }
            _ => Self::Inline(json.to_owned()),
        }
    }
}

fn of_value(project: &str, mut value: Value) -> Part {
    let role = value.get("role").and_then(|role| serde_json::from_value(role.clone()).ok());
    // What the conventions don't say it is stays where it stands.
    let reason = value.get("finish_reason").and_then(Value::as_str).filter(|reason| !reason.is_empty());
    let finish_reason = reason.map(str::to_owned);
    if let (Some(_), Some(fields)) = (&finish_reason, value.as_object_mut()) {
        fields.remove("finish_reason");
    }
    Part { body: Body::new(project, value.to_string()), role, finish_reason }
}

/// Puts together what references name. `None` if there are none.
pub(super) fn join<'a>(
    references: impl Iterator<Item = Reference<'a>>,
    body: impl Fn(u128) -> Option<&'a str>,
) -> Option<String> {
    const GONE: &str = r#"{"role":"system","parts":[{"type":"text","content":"[This message is no longer kept.]"}]}"#;
    let mut json = String::new();
    for reference in references {
        let (hash, finish_reason) = match reference {
            Reference::Inline(whole) => return Some(whole.to_owned()),
            Reference::Whole { hash } => return Some(body(hash).unwrap_or("null").to_owned()),
            Reference::Message { hash, finish_reason, .. } => (hash, finish_reason),
        };
        json.push(if json.is_empty() { '[' } else { ',' });
        let body = body(hash).unwrap_or(GONE);
        match (finish_reason, body.strip_suffix('}')) {
            (Some(reason), Some(open)) => {
                let comma = if open.len() > 1 { "," } else { "" };
                json.push_str(open);
                json.push_str(&format!("{comma}\"finish_reason\":{}}}", Value::from(reason)));
            }
            _ => json.push_str(body),
        }
    }
    if json.is_empty() {
        return None;
    }
    json.push(']');
    Some(json)
}
