//! Messages in the shape of the OpenTelemetry GenAI conventions (`gen_ai.input.messages`):
//! `[{role, parts: [{type, …}], name?, finish_reason?}]`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions of the application (also OpenAI's `developer`).
    #[serde(alias = "developer")]
    System,
    /// The person, or what speaks for one.
    #[serde(alias = "human")]
    User,
    /// The model.
    #[serde(alias = "ai", alias = "model")]
    Assistant,
    /// The answer of a tool.
    #[serde(alias = "function")]
    Tool,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The speaker's name, if several share a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why the model stopped, on output messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

/// What kind of content a blob, file or link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A document, e.g. PDF.
    Document,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Plain text.
    Text {
        /// The text.
        content: String,
    },
    /// The model asks for a tool.
    ToolCall {
        /// Pairs the call with its response.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// Its arguments: an object, or a string where the model wrote no valid JSON.
        #[serde(default)]
        arguments: Value,
    },
    /// What a tool answered.
    ToolCallResponse {
        /// The call that this answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The answer: text, or parts as the provider wrote them.
        #[serde(default, alias = "result")]
        response: Value,
        /// The tool failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    /// The model's thinking.
    Reasoning {
        /// The text; empty where the provider shows none.
        #[serde(default)]
        content: String,
        /// The provider's proof that it is unchanged; must be sent back as it came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
        /// Thinking that only the provider can read (Anthropic `redacted_thinking`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encrypted: Option<String>,
    },
    /// The model declines.
    Refusal {
        /// What it says.
        content: String,
    },
    /// Inline bytes.
    Blob {
        /// E.g. `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// What it is.
        modality: Modality,
        /// Base64.
        content: String,
    },
    /// A link to content.
    Uri {
        /// E.g. `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// What it is.
        modality: Modality,
        /// Where it is.
        uri: String,
    },
    /// Content that was uploaded to the provider before.
    File {
        /// The provider's id of it.
        file_id: String,
    },
    /// Anything else, kept as it came.
    #[serde(untagged)]
    Other(Value),
}

impl Message {
    /// A message of one text.
    #[must_use]
    pub fn text(role: Role, content: impl Into<String>) -> Self {
        Self { role, parts: vec![Part::Text { content: content.into() }], name: None, finish_reason: None }
    }

    /// All that a person would read of it, joined by line breaks.
    #[must_use]
    pub fn readable(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let piece = match part {
                Part::Text { content } | Part::Refusal { content } => content.clone(),
                Part::ToolCall { name, arguments, .. } => format!("{name}({arguments})"),
                Part::ToolCallResponse { response: Value::String(response), .. } => response.clone(),
                Part::ToolCallResponse { response, .. } => response.to_string(),
                _ => continue,
            };
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&piece);
        }
        text
    }
}

impl Part {
    pub(crate) fn approximate_bytes(&self) -> usize {
        let texts = match self {
            Self::Text { content } | Self::Refusal { content } | Self::Blob { content, .. } => content.len(),
            Self::ToolCall { name, arguments, .. } => name.len() + json_bytes(arguments),
            Self::ToolCallResponse { response, .. } => json_bytes(response),
            Self::Reasoning { content, signature, encrypted } => {
                let hidden = [signature, encrypted].into_iter().flatten().map(String::len);
                content.len() + hidden.sum::<usize>()
            }
            Self::Uri { uri, .. } => uri.len(),
            Self::File { file_id } => file_id.len(),
            Self::Other(value) => json_bytes(value),
        };
        size_of::<Self>() + texts
    }
}

fn json_bytes(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(json_bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + json_bytes(value)).sum(),
        _ => 0,
    };
    size_of::<Value>() + inner
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub parameters: Value,
    /// The model's arguments must fit the schema exactly (OpenAI `strict`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_conventions_and_keeps_unknown_parts() {
        let json = r#"{"role":"assistant","parts":[{"type":"text","content":"hi"},{"type":"tool_call","id":"c1","name":"f","arguments":{"a":1}},{"type":"compaction","content":"x"}],"finish_reason":"stop"}"#;
        let message: Message = serde_json::from_str(json).unwrap();
        assert!(matches!(&message.parts[2], Part::Other(value) if value["type"] == "compaction"));
        assert_eq!(serde_json::to_string(&message).unwrap(), json);
    }
}
