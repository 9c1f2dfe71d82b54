//! What a request of the Responses API asks.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::request::{Asked, Choice, Format, Speaker, Text, Tool, Turn, check_turns, content};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    instructions: Option<Text<'a>>,
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<FunctionTool<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<TextOptions<'a>>,
    reasoning: Option<Reasoning>,
    include: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct FunctionTool<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TextOptions<'a> {
    #[serde(borrow)]
    format: Option<FormatOption<'a>>,
}

#[derive(Deserialize)]
struct FormatOption<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reasoning {
    summary: Option<String>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

/// What is asked, and whether encrypted reasoning is wanted.
pub(crate) fn read(body: &[u8]) -> Result<(Asked<'_>, bool), String> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    let mut turns = Vec::new();
    if let Some(instructions) = body.instructions {
        turns.push(Turn { speaker: Speaker::System, text: instructions.0, calls: 0 });
    }
    match body.input {
        Some(input) if input.get().starts_with('"') => {
            let text: Text<'_> = serde_json::from_str(input.get()).map_err(|error| format!("input: {error}"))?;
            turns.push(Turn { speaker: Speaker::User, text: text.0, calls: 0 });
        }
        Some(input) => items(input, &mut turns)?,
        None => return Err("input: it is missing".to_owned()),
    }
    check_turns(&turns)?;
    let functions = body.tools.unwrap_or_default().into_iter().filter(|tool| tool.kind.0 == "function");
    let tools =
        functions.filter_map(|f| Some(Tool { name: f.name?, description: f.description, parameters: f.parameters }));
    let format = match body.text.and_then(|text| text.format) {
        None => Format::Text,
        Some(format) => match (&*format.kind.0, format.schema) {
            ("json_schema", Some(schema)) => Format::Schema(schema),
            ("json_schema", None) => return Err("text.format.schema: it is missing".to_owned()),
            ("json_object", _) => Format::Json,
            _ => Format::Text,
        },
    };
    let encrypted = body.include.unwrap_or_default().iter().any(|one| one == "reasoning.encrypted_content");
    let asked = Asked {
        model: body.model.0,
        stream: body.stream.unwrap_or(false),
        include_usage: true,
        max_tokens: body.max_output_tokens,
        turns,
        tools: tools.collect(),
        choice: body.tool_choice.map_or(Ok(Choice::Auto), choice)?,
        format,
        // OpenAI shows a summary of it to those who ask.
        thinking: encrypted || body.reasoning.is_some_and(|reasoning| reasoning.summary.is_some()),
        stop: Vec::new(),
    };
    Ok((asked, encrypted))
}

fn items<'a>(input: &'a RawValue, turns: &mut Vec<Turn<'a>>) -> Result<(), String> {
    let items: Vec<Item<'_>> = serde_json::from_str(input.get()).map_err(|error| format!("input: {error}"))?;
    for (place, item) in items.into_iter().enumerate() {
        let text = |raw: Option<&'a RawValue>, field: &str| {
            content(raw).map(|content| content.text).map_err(|error| format!("input[{place}].{field}: {error}"))
        };
        let kind = item.kind.as_ref().map_or("message", |kind| &kind.0);
        let turn = match (kind, item.role.as_ref().map(|role| &*role.0)) {
            ("message", Some("system" | "developer")) => (Speaker::System, text(item.content, "content")?, 0),
            ("message", Some("user")) => (Speaker::User, text(item.content, "content")?, 0),
            ("message", Some("assistant")) => (Speaker::Assistant, text(item.content, "content")?, 0),
            ("message", _) => {
                return Err(format!("input[{place}].role: expected `user`, `assistant`, `system` or `developer`"));
            }
            ("function_call", _) => (Speaker::Assistant, Cow::Borrowed(""), 1),
            ("function_call_output", _) => (Speaker::Tool, text(item.output, "output")?, 0),
            _ => continue,
        };
        let (speaker, text, calls) = turn;
        match turns.last_mut() {
            // Calls that are made at once are one turn.
            Some(last) if calls > 0 && last.speaker == Speaker::Assistant => last.calls += calls,
            _ => turns.push(Turn { speaker, text, calls }),
        }
    }
    Ok(())
}

fn choice(raw: &RawValue) -> Result<Choice<'_>, String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Option<Text<'a>>,
    }
    Ok(match raw.get() {
        "\"none\"" => Choice::None,
        "\"required\"" => Choice::Required,
        json if json.starts_with('{') => {
            let named: Named<'_> = serde_json::from_str(json).map_err(|error| format!("tool_choice: {error}"))?;
            named.name.map_or(Choice::Auto, |name| Choice::Named(name.0))
        }
        _ => Choice::Auto,
    })
}
