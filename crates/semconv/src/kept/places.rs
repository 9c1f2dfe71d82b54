//! Where the texts and structures of a span's columns stand. Made only for spans with attributes
//! that are long enough, and without a copy of anything.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::Value;
use signalbox_types::{Message, Part, Span};

use super::WORTH_BYTES;
use super::weight::Weight;

/// `{"$":""}`, around a pointer.
pub(super) const REFERENCE_BYTES: usize = 8;

/// The columns of a span, and what in them is worth a pointer.
pub(super) struct Places<'a> {
    span: &'a Span,
    index: OnceCell<HashMap<u64, (String, Found<'a>)>>,
}

enum Found<'a> {
    Text(&'a str),
    Value(&'a Value),
}

impl<'a> Places<'a> {
    pub(super) fn of(span: &'a Span) -> Self {
        Self { span, index: OnceCell::new() }
    }

    /// The column that is equal to this list.
    pub(super) fn column(&self, items: &[Value]) -> Option<&'static str> {
        let (input, output) = (self.span.input_messages.as_slice(), self.span.output_messages.as_slice());
        // System instructions are put in front of the messages.
        let rest = input.get(1..).unwrap_or_default();
        let columns = [(input, "/input_messages"), (rest, "/input_messages/1.."), (output, "/output_messages")];
        let mut equal = columns.into_iter().filter(|(messages, _)| !messages.is_empty() && are_same(messages, items));
        equal.next().map(|(_, pointer)| pointer)
    }

    /// A pointer to an equal text.
    pub(super) fn text(&self, text: &str) -> Option<&str> {
        self.find(Weight::of_text(text), |found| match found {
            Found::Text(found) => *found == text,
            Found::Value(found) => *found == text,
        })
    }

    /// A pointer to an equal value.
    pub(super) fn value(&self, value: &Value, weight: Weight) -> Option<&str> {
        self.find(weight, |found| match found {
            Found::Text(found) => value == found,
            Found::Value(found) => *found == value,
        })
    }

    /// There is nothing in the columns.
    pub(super) fn are_empty(&self) -> bool {
        let Span { input_messages, output_messages, tools, input, output, .. } = self.span;
        input_messages.is_empty()
            && output_messages.is_empty()
            && tools.is_empty()
            && input.is_none()
            && output.is_none()
    }

    /// Nothing within the columns is worth a pointer.
    pub(super) fn are_short(&self) -> bool {
        self.index().is_empty()
    }

    fn find(&self, weight: Weight, is_equal: impl FnOnce(&Found<'a>) -> bool) -> Option<&str> {
        if weight.bytes < WORTH_BYTES {
            return None;
        }
        let (pointer, found) = self.index().get(&weight.digest)?;
        is_equal(found).then_some(pointer)
    }

    fn index(&self) -> &HashMap<u64, (String, Found<'a>)> {
        self.index.get_or_init(|| {
            let mut walk = Walk { pointer: String::new(), index: HashMap::new() };
            walk.span(self.span);
            walk.index
        })
    }
}

/// Messages as the store writes them.
fn are_same(messages: &[Message], values: &[Value]) -> bool {
    messages.len() == values.len() && messages.iter().zip(values).all(|(message, value)| is_same(message, value))
}

fn is_same(message: &Message, value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return false };
    let texts = [("name", message.name.as_deref()), ("finish_reason", message.finish_reason.as_deref())];
    let told = texts.iter().filter(|(_, text)| text.is_some()).count();
    fields.len() == 2 + told
        && texts.into_iter().all(|(name, text)| fields.get(name).and_then(Value::as_str) == text)
        && serde_json::to_value(message.role).is_ok_and(|role| fields.get("role") == Some(&role))
        && fields.get("parts").and_then(Value::as_array).is_some_and(|parts| {
            parts.len() == message.parts.len()
                && message.parts.iter().zip(parts).all(|(part, value)| is_part(part, value))
        })
}

fn is_part(part: &Part, value: &Value) -> bool {
    match part {
        Part::Text { content } => value.as_object().is_some_and(|fields| {
            let is = |name: &str, text: &str| fields.get(name).is_some_and(|field| field == text);
            fields.len() == 2 && is("type", "text") && is("content", content)
        }),
        Part::Other(other) => other == value,
        part => serde_json::to_value(part).is_ok_and(|part| part == *value),
    }
}

struct Walk<'a> {
    pointer: String,
    index: HashMap<u64, (String, Found<'a>)>,
}

impl<'a> Walk<'a> {
    fn span(&mut self, span: &'a Span) {
        for (column, messages) in [("input_messages", &span.input_messages), ("output_messages", &span.output_messages)]
        {
            self.each(column, messages, |walk, message| walk.each("parts", &message.parts, Self::part));
        }
        self.each("tools", &span.tools, |walk, tool| {
            walk.text("name", Some(&tool.name));
            walk.text("description", tool.description.as_deref());
            walk.json("parameters", &tool.parameters);
        });
        for (column, value) in [("input", &span.input), ("output", &span.output)] {
            if let Some(value) = value {
                self.json(column, value);
            }
        }
    }

    fn part(&mut self, part: &'a Part) {
        match part {
            Part::Text { content } | Part::Refusal { content } | Part::Blob { content, .. } => {
                self.text("content", Some(content));
            }
            Part::ToolCall { arguments, .. } => self.json("arguments", arguments),
            Part::ToolCallResponse { response, .. } => self.json("response", response),
            Part::Reasoning { content, signature, encrypted } => {
                self.text("content", Some(content));
                self.text("signature", signature.as_deref());
                self.text("encrypted", encrypted.as_deref());
            }
            Part::Uri { uri, .. } => self.text("uri", Some(uri)),
            Part::File { file_id } => self.text("file_id", Some(file_id)),
            Part::Other(value) => {
                self.value(value);
            }
        }
    }

    fn text(&mut self, name: &str, text: Option<&'a str>) {
        if let Some(text) = text.filter(|text| text.len() >= WORTH_BYTES) {
            self.below(name, |walk| walk.insert(Weight::of_text(text), Found::Text(text)));
        }
    }

    fn json(&mut self, name: &str, value: &'a Value) {
        self.below(name, |walk| {
            walk.value(value);
        });
    }

    fn value(&mut self, value: &'a Value) -> Weight {
        let weight = match value {
            Value::Array(items) => {
                let mut weights = Vec::with_capacity(items.len());
                for (number, item) in items.iter().enumerate() {
                    self.below(&number.to_string(), |walk| weights.push(walk.value(item)));
                }
                Weight::of_list(weights.into_iter())
            }
            Value::Object(fields) => {
                let mut weights = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    let token = name.replace('~', "~0").replace('/', "~1");
                    self.below(&token, |walk| weights.push((name.as_str(), walk.value(field))));
                }
                Weight::of_fields(weights.into_iter())
            }
            leaf => Weight::of_leaf(leaf),
        };
        self.insert(weight, Found::Value(value));
        weight
    }

    fn each<T>(&mut self, name: &str, items: &'a [T], mut walk_item: impl FnMut(&mut Self, &'a T)) {
        self.below(name, |walk| {
            for (number, item) in items.iter().enumerate() {
                walk.below(&number.to_string(), |walk| walk_item(walk, item));
            }
        });
    }

    fn below(&mut self, token: &str, inner: impl FnOnce(&mut Self)) {
        let here = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(token);
        inner(self);
        self.pointer.truncate(here);
    }

    fn insert(&mut self, weight: Weight, found: Found<'a>) {
        // Whoever sends long names can't make pointers that are longer than what they lead to.
        if weight.bytes >= WORTH_BYTES.max(self.pointer.len() + REFERENCE_BYTES) {
            self.index.entry(weight.digest).or_insert_with(|| (self.pointer.clone(), found));
        }
    }
}
