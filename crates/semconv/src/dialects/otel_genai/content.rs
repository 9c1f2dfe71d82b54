use serde_json::{Map, Value};
use signalbox_types::{Message, Role, Span};

use crate::content::{instructions, messages, tools};
use crate::{Attributes, RawEvent};

/// Messages and tools in attributes: of a span, or of an event that carries them for it.
pub(super) fn attributes(from: &Attributes, span: &mut Span) {
    if span.input_messages.is_empty()
        && let Some(value) = from.get("gen_ai.input.messages").or_else(|| from.get("gen_ai.prompt"))
    {
        span.input_messages = messages(value, Role::User);
    }
    if span.output_messages.is_empty()
        && let Some(value) = from.get("gen_ai.output.messages").or_else(|| from.get("gen_ai.completion"))
    {
        span.output_messages = messages(value, Role::Assistant);
    }
    if let Some(system) = from.get("gen_ai.system_instructions").and_then(instructions)
        && span.input_messages.first() != Some(&system)
    {
        span.input_messages.insert(0, system);
    }
    if span.tools.is_empty()
        && let Some(value) = from.get("gen_ai.tool.definitions")
    {
        span.tools = tools(value);
    }
    if span.finish_reasons.is_empty() {
        span.finish_reasons = span.output_messages.iter().filter_map(|message| message.finish_reason.clone()).collect();
    }
}

/// Messages in events, as up to version 1.36 (one event for each message), and before 1.28 (one
/// event for all).
pub(super) fn events(events: &[RawEvent], span: &mut Span) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for event in events {
        let from = &event.attributes;
        match event.name.as_str() {
            "gen_ai.system.message" => input.extend(message(from, Role::System)),
            "gen_ai.user.message" => input.extend(message(from, Role::User)),
            "gen_ai.assistant.message" => input.extend(message(from, Role::Assistant)),
            "gen_ai.tool.message" => input.extend(message(from, Role::Tool)),
            "gen_ai.choice" => output.extend(choice(from)),
            "gen_ai.content.prompt" => {
                input.extend(from.get("gen_ai.prompt").map(|value| messages(value, Role::User)).unwrap_or_default());
            }
            "gen_ai.content.completion" => {
                let value = from.get("gen_ai.completion");
                output.extend(value.map(|value| messages(value, Role::Assistant)).unwrap_or_default());
            }
            _ => {}
        }
    }
    if span.input_messages.is_empty() {
        span.input_messages = input;
    }
    if span.output_messages.is_empty() {
        span.output_messages = output;
        if span.finish_reasons.is_empty() {
            span.finish_reasons =
                span.output_messages.iter().filter_map(|message| message.finish_reason.clone()).collect();
        }
    }
}

/// The event's attributes are the message's fields.
fn message(from: &Attributes, role: Role) -> Vec<Message> {
    let fields: Map<String, Value> = from
        .iter()
        .filter(|(name, value)| !name.starts_with("gen_ai.") && !value.is_null())
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    if fields.is_empty() {
        return Vec::new();
    }
    let mut found = messages(&Value::Object(fields), role);
    // Bedrock's tool results arrive in a `user` message; the event's name is for what has no role.
    found.retain(|message| !message.parts.is_empty());
    found
}

/// `{index, finish_reason, message: {role, content, tool_calls}}`, the message as a structure, as
/// JSON, or (Strands) as its text.
fn choice(from: &Attributes) -> Vec<Message> {
    let mut found = match from.get("message") {
        Some(inner) => messages(inner, Role::Assistant),
        None => message(from, Role::Assistant),
    };
    if let Some(last) = found.last_mut() {
        last.role = Role::Assistant;
        last.finish_reason = last.finish_reason.take().or_else(|| from.text(&["finish_reason"]));
    }
    found
}
