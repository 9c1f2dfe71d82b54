//! What a Gemini request asks. Google takes its names in camelCase and in snake_case, and so does this.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::request::{Asked, Choice, Format, Speaker, Text, Tool, Turn, check_turns};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow, default)]
    contents: Vec<Content<'a>>,
    #[serde(borrow, alias = "system_instruction")]
    system_instruction: Option<Content<'a>>,
    #[serde(borrow, default)]
    tools: Vec<Declared<'a>>,
    #[serde(borrow, alias = "tool_config")]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(borrow, alias = "generation_config")]
    generation_config: Option<Generation<'a>>,
    /// Of a request to count tokens.
    #[serde(borrow, alias = "generate_content_request")]
    generate_content_request: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow, default)]
    parts: Vec<Part<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(default)]
    thought: bool,
    #[serde(alias = "function_call")]
    function_call: Option<IgnoredAny>,
    #[serde(borrow, alias = "function_response")]
    function_response: Option<Answered<'a>>,
}

#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Declared<'a> {
    #[serde(borrow, default, alias = "function_declarations")]
    function_declarations: Vec<Function<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow, alias = "parameters_json_schema")]
    parameters_json_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig<'a> {
    #[serde(borrow, alias = "function_calling_config")]
    function_calling_config: Option<Calling<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Calling<'a> {
    #[serde(borrow)]
    mode: Option<Text<'a>>,
    #[serde(borrow, default, alias = "allowed_function_names")]
    allowed_function_names: Vec<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generation<'a> {
    #[serde(alias = "max_output_tokens")]
    max_output_tokens: Option<u64>,
    #[serde(borrow, default, alias = "stop_sequences")]
    stop_sequences: Vec<Text<'a>>,
    #[serde(borrow, alias = "response_mime_type")]
    response_mime_type: Option<Text<'a>>,
    #[serde(borrow, alias = "response_schema")]
    response_schema: Option<&'a RawValue>,
    #[serde(borrow, alias = "response_json_schema")]
    response_json_schema: Option<&'a RawValue>,
    #[serde(alias = "thinking_config")]
    thinking_config: Option<Thinking>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thinking {
    #[serde(default, alias = "include_thoughts")]
    include_thoughts: bool,
}

/// Model and stream stand in the path.
pub(crate) fn read<'a>(model: &'a str, body: &'a [u8]) -> Result<Asked<'a>, String> {
    let invalid = |error| format!("invalid request: {error}");
    let mut body: Body<'_> = serde_json::from_slice(body).map_err(invalid)?;
    if let Some(inner) = body.generate_content_request {
        body = serde_json::from_str(inner.get()).map_err(invalid)?;
    }
    let mut turns = Vec::with_capacity(body.contents.len() + 1);
    turns.extend(body.system_instruction.as_ref().map(|content| turn(Speaker::System, content)).transpose()?);
    for (place, content) in body.contents.iter().enumerate() {
        let answers = content.parts.iter().any(|part| part.function_response.is_some());
        let speaker = match content.role.as_ref().map(|role| &*role.0) {
            _ if answers => Speaker::Tool,
            None | Some("user") => Speaker::User,
            Some("model") => Speaker::Assistant,
            Some(other) => {
                return Err(format!("contents[{place}].role: please use a valid role: user, model; found `{other}`"));
            }
        };
        turns.push(turn(speaker, content)?);
    }
    check_turns(&turns)?;
    let calling = body.tool_config.and_then(|config| config.function_calling_config);
    let choice = match calling {
        None => Choice::Auto,
        Some(calling) => {
            match (calling.mode.as_ref().map(|mode| &*mode.0), calling.allowed_function_names.as_slice()) {
                (Some("NONE"), _) => Choice::None,
                (Some("ANY"), [name]) => Choice::Named(name.0.clone()),
                (Some("ANY"), _) => Choice::Required,
                _ => Choice::Auto,
            }
        }
    };
    let functions = body.tools.into_iter().flat_map(|tool| tool.function_declarations);
    let tools = functions.map(|function| Tool {
        name: function.name,
        description: function.description,
        parameters: function.parameters_json_schema.or(function.parameters),
    });
    let generation = body.generation_config;
    let json = |generation: &&Generation<'_>| {
        generation.response_mime_type.as_ref().is_some_and(|kind| kind.0 == "application/json")
    };
    let format = match generation.as_ref().filter(json) {
        None => Format::Text,
        Some(generation) => {
            generation.response_json_schema.or(generation.response_schema).map_or(Format::Json, Format::Schema)
        }
    };
    Ok(Asked {
        model: Cow::Borrowed(model),
        stream: false,
        include_usage: true,
        max_tokens: generation.as_ref().and_then(|generation| generation.max_output_tokens),
        turns,
        tools: tools.collect(),
        choice,
        format,
        thinking: generation
            .as_ref()
            .and_then(|generation| generation.thinking_config.as_ref())
            .is_some_and(|thinking| thinking.include_thoughts),
        stop: generation.map(|generation| generation.stop_sequences).unwrap_or_default(),
    })
}

fn turn<'a>(speaker: Speaker, content: &Content<'a>) -> Result<Turn<'a>, String> {
    let mut text = Cow::Borrowed("");
    for part in content.parts.iter().filter(|part| !part.thought) {
        let more = match (&part.text, part.function_response.as_ref().and_then(|answered| answered.response)) {
            (Some(text), _) => text.0.clone(),
            (None, Some(response)) => answer(response)?,
            (None, None) => continue,
        };
        if text.is_empty() {
            text = more;
        } else if !more.is_empty() {
            let joined = text.to_mut();
            joined.push('\n');
            joined.push_str(&more);
        }
    }
    let calls = content.parts.iter().filter(|part| part.function_call.is_some()).count();
    Ok(Turn { speaker, text, calls })
}

/// What a tool says: its `output`, if that is what there is.
fn answer(response: &RawValue) -> Result<Cow<'_, str>, String> {
    #[derive(Deserialize)]
    struct Output<'a> {
        #[serde(borrow)]
        output: Option<Text<'a>>,
    }
    if !response.get().starts_with('{') {
        return Err("function_response.response: expected an object".to_owned());
    }
    let output: Option<Output<'_>> = serde_json::from_str(response.get()).ok();
    Ok(output.and_then(|output| output.output).map_or_else(|| Cow::Borrowed(response.get()), |text| text.0))
}
