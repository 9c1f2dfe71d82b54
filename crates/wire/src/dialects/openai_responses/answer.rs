//! The items of an answer, whole or as it grows, and the object around them.

use serde_json::Value;
use signalbox_types::{Part, Usage};

use super::{annotations, reasoning};
use crate::canonical::notes::{encode_openai_logprobs, length};
use crate::canonical::{Citation, FinishReason, Notes, TokenLogprob, arguments_to_text};
use crate::write::Writer;

/// One item of an answer.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) says: Says,
}

#[derive(Debug)]
pub(super) enum Says {
    Message(Vec<Content>),
    Reasoning {
        text: String,
        encrypted: Option<String>,
    },
    Call {
        call_id: String,
        name: String,
        arguments: String,
    },
    /// What only this dialect knows.
    Other(Value),
}

#[derive(Debug)]
pub(super) struct Content {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// So many characters of text stand before it.
    pub(super) before: u64,
    pub(super) citations: Vec<Citation>,
    pub(super) logprobs: Vec<TokenLogprob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Refusal,
}

impl Kind {
    /// Its `type`, which begins the names of its events too.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "output_text",
            Self::Refusal => "refusal",
        }
    }

    /// The field that its text stands in.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Refusal => "refusal",
        }
    }
}

impl Content {
    pub(super) fn new(kind: Kind, text: String, before: u64) -> Self {
        Self { kind, text, before, citations: Vec::new(), logprobs: Vec::new() }
    }

    pub(super) fn encode_fields(&self, w: &mut Writer, text: &str) {
        w.field("type", self.kind.as_str());
        if self.kind == Kind::Text {
            let all = length(&self.text);
            w.list_field("annotations", |w| {
                for citation in &self.citations {
                    w.object(|w| annotations::encode(w, citation, self.before, all));
                }
            });
            encode_openai_logprobs(w, "logprobs", &self.logprobs);
        }
        w.field(self.kind.field(), text);
    }
}

impl Item {
    /// The id of the item in this place of an answer.
    pub(super) fn id_of(prefix: &str, answer: &str, place: usize) -> String {
        format!("{prefix}_{answer}_{place}")
    }

    pub(super) fn message(answer: &str, place: usize) -> Self {
        Self { id: Self::id_of("msg", answer, place), says: Says::Message(Vec::new()) }
    }

    pub(super) fn reasoning(answer: &str, place: usize) -> Self {
        let says = Says::Reasoning { text: String::new(), encrypted: None };
        Self { id: Self::id_of("rs", answer, place), says }
    }

    pub(super) fn call(answer: &str, place: usize, id: Option<&str>, name: &str) -> Self {
        let call_id = id.map_or_else(|| Self::id_of("call", answer, place), str::to_owned);
        let says = Says::Call { call_id, name: name.to_owned(), arguments: String::new() };
        Self { id: Self::id_of("fc", answer, place), says }
    }

    pub(super) fn other(value: &Value) -> Option<Self> {
        let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        value.get("type")?;
        Some(Self { id, says: Says::Other(value.clone()) })
    }

    pub(super) fn encode(&self, w: &mut Writer, status: &str) {
        match &self.says {
            Says::Other(value) => w.item(value),
            _ => w.object(|w| self.encode_fields(w, status)),
        }
    }

    /// Also where nothing has been said yet.
    pub(super) fn encode_fields(&self, w: &mut Writer, status: &str) {
        match &self.says {
            Says::Message(content) => {
                w.field("id", &self.id);
                w.field("type", "message");
                w.field("status", status);
                w.field("role", "assistant");
                w.list_field("content", |w| {
                    content.iter().for_each(|part| w.object(|w| part.encode_fields(w, &part.text)));
                });
            }
            Says::Reasoning { text, encrypted } => {
                reasoning::encode_fields(w, Some(&self.id), text, encrypted.as_deref());
            }
            Says::Call { call_id, name, arguments } => {
                w.field("id", &self.id);
                w.field("type", "function_call");
                w.field("status", status);
                w.field("call_id", call_id);
                w.field("name", name);
                w.field("arguments", arguments);
            }
            Says::Other(value) => {
                value.as_object().into_iter().flatten().for_each(|(name, value)| w.field(name, value));
            }
        }
    }
}

/// The items that say these parts; the place of one that can't be said.
pub(super) fn items(answer: &str, parts: &[Part], notes: &Notes) -> Result<Vec<Item>, usize> {
    let mut items: Vec<Item> = Vec::new();
    let mut said = 0;
    for (number, part) in parts.iter().enumerate() {
        let place = items.len();
        let mut content = |kind, text: &String| {
            let content = Content::new(kind, text.clone(), said);
            said += if kind == Kind::Text { length(text) } else { 0 };
            match items.last_mut() {
                Some(Item { says: Says::Message(parts), .. }) => parts.push(content),
                _ => {
                    let mut item = Item::message(answer, place);
                    item.says = Says::Message(vec![content]);
                    items.push(item);
                }
            }
        };
        match part {
            Part::Text { content: text } => content(Kind::Text, text),
            Part::Refusal { content: text } => content(Kind::Refusal, text),
            Part::Reasoning { content: text, signature, encrypted } => {
                let (id, encrypted) = reasoning::read(signature.as_deref(), encrypted.as_deref());
                let mut item = Item::reasoning(answer, place);
                if let Some(id) = id {
                    item.id = id.to_owned();
                }
                item.says = Says::Reasoning { text: text.clone(), encrypted: encrypted.map(Into::into) };
                items.push(item);
            }
            Part::ToolCall { id, name, arguments: given } => {
                let mut item = Item::call(answer, place, id.as_deref(), name);
                if let Says::Call { arguments, .. } = &mut item.says {
                    *arguments = arguments_to_text(given);
                }
                items.push(item);
            }
            Part::Other(value) => items.push(Item::other(value).ok_or(number)?),
            _ => return Err(number),
        }
    }
    for citation in notes.citations.iter().filter(|one| annotations::is_said(one)) {
        if let Some(content) = resting(&mut items, citation) {
            content.citations.push(citation.clone());
        }
    }
    // Which text each token is of isn't told.
    if let Some(content) = contents(&mut items).next() {
        content.logprobs.clone_from(&notes.logprobs);
    }
    Ok(items)
}

fn contents(items: &mut [Item]) -> impl DoubleEndedIterator<Item = &mut Content> {
    let contents = items.iter_mut().filter_map(|item| match &mut item.says {
        Says::Message(content) => Some(content),
        _ => None,
    });
    contents.flatten().filter(|content| content.kind == Kind::Text)
}

/// The text that rests on a source: the one that the place begins in, or the last.
pub(super) fn resting<'a>(items: &'a mut [Item], citation: &Citation) -> Option<&'a mut Content> {
    let start = citation.range.as_ref().map_or(u64::MAX, |range| range.start);
    contents(items).rev().find(|content| content.before <= start)
}

/// The object around the items.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: i64,
}

/// How an answer ended: its status, and why it is incomplete.
pub(super) fn status(reason: &FinishReason) -> (&'static str, Option<&'static str>) {
    match reason {
        FinishReason::Length => ("incomplete", Some("max_output_tokens")),
        FinishReason::ContentFilter => ("incomplete", Some("content_filter")),
        _ => ("completed", None),
    }
}

impl Head {
    /// `reason`: why it ended, once it has.
    pub(super) fn encode_fields(&self, w: &mut Writer, reason: Option<&FinishReason>, items: &[Item], usage: &Usage) {
        let (status, incomplete) = reason.map_or(("in_progress", None), status);
        w.field("id", &self.id);
        w.field("object", "response");
        w.field("created_at", &self.created);
        w.field("status", status);
        w.field("background", &false);
        w.field("error", &());
        match incomplete {
            None => w.field("incomplete_details", &()),
            Some(reason) => w.object_field("incomplete_details", |w| w.field("reason", reason)),
        }
        w.field("instructions", &());
        w.field("max_output_tokens", &());
        w.field("model", &self.model);
        w.list_field("output", |w| {
            let last = items.len().saturating_sub(1);
            let status_of = |place| if place == last && incomplete.is_some() { status } else { "completed" };
            items.iter().enumerate().for_each(|(place, item)| item.encode(w, status_of(place)));
        });
        // What the SDKs' types must find; nothing is kept that could be asked for by id.
        w.field("parallel_tool_calls", &true);
        w.field("previous_response_id", &());
        w.field("store", &false);
        w.field("temperature", &());
        w.field("tool_choice", "auto");
        w.list_field("tools", |_| {});
        w.field("top_p", &());
        encode_usage(w, usage);
        w.object_field("metadata", |_| {});
    }
}

fn encode_usage(w: &mut Writer, usage: &Usage) {
    if usage.is_unknown() {
        return w.field("usage", &());
    }
    w.object_field("usage", |w| {
        w.field("input_tokens", &usage.input_tokens.unwrap_or(0));
        w.object_field("input_tokens_details", |w| {
            w.field("cached_tokens", &usage.cache_read_tokens.unwrap_or(0));
            w.field_if("cache_write_tokens", usage.cache_write_tokens);
        });
        w.field("output_tokens", &usage.output_tokens.unwrap_or(0));
        w.object_field("output_tokens_details", |w| {
            w.field("reasoning_tokens", &usage.reasoning_tokens.unwrap_or(0));
        });
        w.field("total_tokens", &usage.total().unwrap_or(0));
    });
}
