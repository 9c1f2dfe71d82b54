//! What answers, and conversations that hold answers, tell of a search.

use std::borrow::Cow;

use bytes::BytesMut;
use serde_json::{Value, json};
use signalbox_types::{Message, Part};

use super::NAME;
use crate::canonical::{ChatRequest, ChatResponse, PartHints, StreamEvent};
use crate::codec::StreamEncoder;
use crate::registry::Dialect;

/// Ids of one dialect's searches in the other, so that they can come back: Anthropic wants its own beginning.
const ANTHROPIC_ID: &str = "srvtoolu_";
const OPENAI_ID: &str = "ws_";

/// Something that is told of a search.
enum Told<'a> {
    /// Anthropic's question.
    Asked { id: &'a str, query: &'a Value },
    /// What Anthropic found. `sealed`: it holds what only Anthropic can read.
    Found { sealed: bool },
    /// OpenAI's question, and pages that it names.
    Call { id: &'a str, action: &'a Value },
}

fn told(part: &Part) -> Option<Told<'_>> {
    let Part::Other(value) = part else { return None };
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "server_tool_use" if text("name") == NAME => {
            Some(Told::Asked { id: text("id"), query: value.get("input")?.get("query").unwrap_or(&Value::Null) })
        }
        "web_search_tool_result" => {
            let pages = value.get("content").and_then(Value::as_array).into_iter().flatten();
            let mut seals = pages.filter_map(|page| page.get("encrypted_content")?.as_str());
            Some(Told::Found { sealed: seals.any(|seal| !seal.is_empty()) })
        }
        "web_search_call" => Some(Told::Call { id: text("id"), action: value.get("action").unwrap_or(&Value::Null) }),
        _ => None,
    }
}

/// How a part is told to callers of a dialect. `None` for what is no affair of a search: it stays what it is.
fn for_caller(part: &Part, dialect: Dialect) -> Option<Vec<Part>> {
    Some(match (told(part)?, dialect) {
        (Told::Asked { .. } | Told::Found { .. }, Dialect::AnthropicMessages) => return None,
        (Told::Call { .. }, Dialect::OpenaiResponses) => return None,
        (Told::Asked { id, query }, Dialect::OpenaiResponses) => vec![call(id, query)],
        (Told::Call { id, action }, Dialect::AnthropicMessages) => asked(id, action),
        // The others tell of sources only, and those are citations.
        _ => Vec::new(),
    })
}

fn call(id: &str, query: &Value) -> Part {
    let id = id
        .strip_prefix(ANTHROPIC_ID)
        .filter(|id| id.starts_with(OPENAI_ID))
        .map_or_else(|| format!("{OPENAI_ID}{id}"), str::to_owned);
    let action = json!({"type": "search", "query": query.as_str().unwrap_or_default()});
    Part::Other(json!({"type": "web_search_call", "id": id, "status": "completed", "action": action}))
}

/// Both blocks: the SDKs look for what was found where something was asked.
fn asked(id: &str, action: &Value) -> Vec<Part> {
    let id = id
        .strip_prefix(OPENAI_ID)
        .filter(|id| id.starts_with(ANTHROPIC_ID))
        .map_or_else(|| format!("{ANTHROPIC_ID}{id}"), str::to_owned);
    let first = || action.get("queries")?.get(0)?.as_str();
    let texts = [action.get("query").and_then(Value::as_str), first(), action.get("url").and_then(Value::as_str)];
    let query = texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default();
    let sources = action.get("sources").and_then(Value::as_array).into_iter().flatten();
    let pages: Vec<Value> = sources
        .filter_map(|source| source.get("url")?.as_str())
        .map(|url| json!({"type": "web_search_result", "url": url, "title": url, "encrypted_content": "", "page_age": null}))
        .collect();
    vec![
        Part::Other(json!({"type": "server_tool_use", "id": id, "name": NAME, "input": {"query": query}})),
        Part::Other(json!({"type": "web_search_tool_result", "tool_use_id": id, "content": pages})),
    ]
}

/// An answer as it is told to callers of a dialect.
pub(crate) fn in_response(response: &ChatResponse, dialect: Dialect) -> Cow<'_, ChatResponse> {
    let mut parts = response.messages.iter().flat_map(|message| &message.parts);
    if !parts.any(|part| told(part).is_some()) {
        return Cow::Borrowed(response);
    }
    let mut said = response.clone();
    for message in &mut said.messages {
        let parts = std::mem::take(&mut message.parts);
        message.parts =
            parts.into_iter().flat_map(|part| for_caller(&part, dialect).unwrap_or_else(|| vec![part])).collect();
    }
    Cow::Owned(said)
}

/// A conversation as it is sent to a provider of a dialect. A question that another provider searched the web with is left
/// out where it can't be said: what came of it is told by the answer. What was found stays, and is refused by who can't
/// read it.
pub(crate) fn in_request(request: &ChatRequest, dialect: Dialect) -> Cow<'_, ChatRequest> {
    if request.extras.dialect == dialect {
        return Cow::Borrowed(request);
    }
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    if !parts.any(|part| told(part).is_some()) {
        return Cow::Borrowed(request);
    }
    let mut said = ChatRequest { messages: Vec::new(), origins: Vec::new(), ..request.clone() };
    said.part_hints.clear();
    for (index, message) in request.messages.iter().enumerate() {
        let Message { role, parts, name, finish_reason } = message;
        let mut hinted = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let hints = request.hints(index, place).cloned().unwrap_or_default();
            match for_provider(part, dialect) {
                None => hinted.push((part.clone(), hints)),
                Some(others) => hinted.extend(others.into_iter().map(|part| (part, PartHints::default()))),
            }
        }
        if hinted.is_empty() && !parts.is_empty() {
            continue;
        }
        said.push_hinted(*role, hinted, request.origin(index));
        if let Some(last) = said.messages.last_mut() {
            last.name.clone_from(name);
            last.finish_reason.clone_from(finish_reason);
        }
    }
    Cow::Owned(said)
}

fn for_provider(part: &Part, dialect: Dialect) -> Option<Vec<Part>> {
    match (told(part)?, dialect) {
        (Told::Found { sealed: true }, _) => None,
        (Told::Asked { id, query }, Dialect::OpenaiResponses) => Some(vec![call(id, query)]),
        _ => Some(Vec::new()),
    }
}

/// Tells a stream to callers of a dialect.
#[derive(Debug)]
pub(crate) struct Encoder<E> {
    dialect: Dialect,
    inner: E,
}

impl<E: StreamEncoder> Encoder<E> {
    pub(crate) fn over(dialect: Dialect, inner: E) -> Self {
        Self { dialect, inner }
    }
}

impl<E: StreamEncoder> StreamEncoder for Encoder<E> {
    fn event(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        if let StreamEvent::Part { choice, part } = event
            && let Some(parts) = for_caller(part, self.dialect)
        {
            let choice = *choice;
            parts.into_iter().for_each(|part| self.inner.event(&StreamEvent::Part { choice, part }, out));
            return;
        }
        self.inner.event(event, out);
    }

    fn took(&mut self, milliseconds: u64) {
        self.inner.took(milliseconds);
    }

    fn finish(&mut self, out: &mut BytesMut) {
        self.inner.finish(out);
    }
}
