//! Texts that are longer than a field may be: cut, with a mark where they end and a note in the span.

use serde_json::Value;
use signalbox_types::{Message, Part, Span};

/// The attribute that names what was cut.
pub(crate) const TRUNCATED: &str = "signalbox.truncated";

/// Cuts every text of the span that takes more bytes than these.
pub(crate) fn shorten(span: &mut Span, most: usize) {
    let mut limit = Limit { most, cut: Vec::new() };
    limit.text(&mut span.name, "name");
    if let Some(message) = &mut span.status_message {
        limit.text(message, "status_message");
    }
    for (name, messages) in
        [("input_messages", &mut span.input_messages), ("output_messages", &mut span.output_messages)]
    {
        messages.iter_mut().for_each(|message| limit.message(message, name));
    }
    for tool in &mut span.tools {
        tool.description.iter_mut().for_each(|text| limit.text(text, "tools"));
        limit.value(&mut tool.parameters, "tools");
    }
    for (name, value) in [("input", &mut span.input), ("output", &mut span.output)] {
        value.iter_mut().for_each(|value| limit.value(value, name));
    }
    for (key, value) in &mut span.attributes {
        limit.keyed(value, "attributes", key);
    }
    for (key, value) in &mut span.resource_attributes {
        limit.keyed(value, "resource_attributes", key);
    }
    for event in &mut span.events {
        event.attributes.iter_mut().for_each(|(_, value)| limit.value(value, "events"));
    }
    if !limit.cut.is_empty() {
        limit.cut.dedup();
        span.attributes.insert(TRUNCATED.to_owned(), Value::from(limit.cut).to_string());
    }
}

struct Limit {
    most: usize,
    cut: Vec<String>,
}

impl Limit {
    fn text(&mut self, text: &mut String, name: &str) {
        self.keyed(text, name, "");
    }

    fn keyed(&mut self, text: &mut String, name: &str, key: &str) {
        if text.len() <= self.most {
            return;
        }
        let whole = text.len();
        text.truncate(text.floor_char_boundary(self.most));
        let kept = text.len();
        text.push_str(&format!(" […: {kept} of {whole} bytes kept]"));
        self.cut.push(if key.is_empty() { name.to_owned() } else { format!("{name}.{key}") });
    }

    fn message(&mut self, message: &mut Message, name: &str) {
        for part in &mut message.parts {
            match part {
                Part::Text { content } | Part::Refusal { content } | Part::Uri { uri: content, .. } => {
                    self.text(content, name);
                }
                Part::Reasoning { content, signature, encrypted } => {
                    let hidden = signature.iter_mut().chain(encrypted);
                    [content].into_iter().chain(hidden).for_each(|text| self.text(text, name));
                }
                // Half a picture is none.
                Part::Blob { content, .. } if content.len() > self.most => {
                    *content = format!("[…: 0 of {} bytes kept]", content.len());
                    self.cut.push(name.to_owned());
                }
                Part::Blob { .. } | Part::File { .. } => {}
                Part::ToolCall { arguments, .. } => self.value(arguments, name),
                Part::ToolCallResponse { response, .. } => self.value(response, name),
                Part::Other(value) => self.value(value, name),
            }
        }
    }

    /// A value of many short texts is cut as the text that it is.
    fn value(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::String(text) => self.text(text, name),
            value if size(value) > self.most => {
                let mut text = value.to_string();
                self.text(&mut text, name);
                *value = Value::String(text);
            }
            _ => {}
        }
    }
}

/// Bytes of the texts in a value, and some for each number.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + size(value) + 4).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_testkit::builders::llm_span;
    use signalbox_types::{Modality, Role, Timestamp};

    use super::*;

    #[test]
    fn long_texts_end_with_a_mark() {
        let mut span = llm_span("p", 1, "m", Timestamp::from_micros(0), 0);
        let untouched = span.clone();
        shorten(&mut span, 1_000);
        assert_eq!(span, untouched);
        let blob = Part::Blob { mime_type: None, modality: Modality::Image, content: "A".repeat(2_000) };
        span.input_messages.push(Message { parts: vec![blob], ..Message::text(Role::User, "") });
        span.output_messages = vec![Message::text(Role::Assistant, "é".repeat(600))];
        span.input = Some(json!({"items": vec!["word"; 500]}));
        span.attributes.insert("long".to_owned(), "x".repeat(1_001));
        shorten(&mut span, 999);
        assert!(
            matches!(&span.input_messages[1].parts[0], Part::Blob { content, .. } if content == "[…: 0 of 2000 bytes kept]")
        );
        let said = span.output_messages[0].readable();
        assert_eq!(said, format!("{} […: 998 of 1200 bytes kept]", "é".repeat(499)));
        assert!(span.input.as_ref().unwrap().as_str().unwrap().ends_with("bytes kept]"));
        assert!(span.attributes["long"].ends_with(" […: 999 of 1001 bytes kept]"));
        assert_eq!(span.attributes[TRUNCATED], r#"["input_messages","output_messages","input","attributes.long"]"#);
    }
}
