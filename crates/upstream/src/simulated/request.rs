//! What a request asks, in OpenAI's chat and Anthropic's dialect, read without copying what isn't needed.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// A chat request, whatever its dialect.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) model: Cow<'a, str>,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) turns: Vec<Turn<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) choice: Choice<'a>,
    pub(crate) format: Format<'a>,
    pub(crate) thinking: bool,
    pub(crate) stop: Vec<Text<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) speaker: Speaker,
    pub(crate) text: Cow<'a, str>,
    pub(crate) calls: usize,
}

#[derive(Debug)]
pub(crate) struct Tool<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) description: Option<Text<'a>>,
    pub(crate) parameters: Option<&'a RawValue>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    Auto,
    None,
    Required,
    Named(Cow<'a, str>),
}

#[derive(Debug)]
pub(crate) enum Format<'a> {
    Text,
    Json,
    Schema(&'a RawValue),
}

/// A string that is borrowed where it has no escapes, also within an `Option` or `Vec`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

#[derive(Deserialize)]
struct OpenaiBody<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<OpenaiTool<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow)]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(borrow)]
    stop: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    tool_calls: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct OpenaiTool<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ResponseFormat<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    json_schema: Option<JsonSchemaFormat<'a>>,
}

#[derive(Deserialize)]
struct JsonSchemaFormat<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AnthropicBody<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
    stream: Option<bool>,
    #[serde(borrow)]
    tools: Option<Vec<AnthropicTool<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<NamedType<'a>>,
    #[serde(borrow)]
    thinking: Option<NamedType<'a>>,
    #[serde(borrow)]
    stop_sequences: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
struct AnthropicTool<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct NamedType<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

/// A piece of content in either dialect.
#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

pub(crate) fn openai(body: &[u8]) -> Result<Asked<'_>, String> {
    let body: OpenaiBody<'_> = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    let mut turns = Vec::with_capacity(body.messages.len());
    for (place, message) in body.messages.iter().enumerate() {
        let speaker = match &*message.role.0 {
            "system" | "developer" => Speaker::System,
            "user" => Speaker::User,
            "assistant" => Speaker::Assistant,
            "tool" | "function" => Speaker::Tool,
            other => return Err(format!("messages[{place}].role: unknown role `{other}`")),
        };
        let content = content(message.content).map_err(|error| format!("messages[{place}].content: {error}"))?;
        let calls = message.tool_calls.as_ref().map_or(0, Vec::len);
        turns.push(Turn { speaker, text: content.text, calls });
    }
    check_turns(&turns)?;
    let functions = body.tools.unwrap_or_default().into_iter().filter_map(|tool| tool.function);
    let tools =
        functions.map(|f| Tool { name: f.name, description: f.description, parameters: f.parameters }).collect();
    let format = match body.response_format {
        None => Format::Text,
        Some(format) => match (&*format.kind.0, format.json_schema.and_then(|format| format.schema)) {
            ("json_schema", Some(schema)) => Format::Schema(schema),
            ("json_schema", None) => return Err("response_format.json_schema.schema: it is missing".to_owned()),
            ("json_object", _) => Format::Json,
            _ => Format::Text,
        },
    };
    Ok(Asked {
        model: body.model.0,
        stream: body.stream.unwrap_or(false),
        include_usage: body.stream_options.and_then(|options| options.include_usage).unwrap_or(false),
        max_tokens: body.max_completion_tokens.or(body.max_tokens),
        turns,
        tools,
        choice: body.tool_choice.map_or(Ok(Choice::Auto), openai_choice)?,
        format,
        thinking: false,
        stop: body.stop.map_or(Ok(Vec::new()), stop)?,
    })
}

pub(crate) fn anthropic(body: &[u8]) -> Result<Asked<'_>, String> {
    let asked = anthropic_to_count(body)?;
    match asked.max_tokens {
        Some(_) => Ok(asked),
        None => Err("max_tokens: it is missing".to_owned()),
    }
}

/// Without a limit, which nothing is counted against.
pub(crate) fn anthropic_to_count(body: &[u8]) -> Result<Asked<'_>, String> {
    let body: AnthropicBody<'_> = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    let mut turns = Vec::with_capacity(body.messages.len() + 1);
    if body.system.is_some() {
        let content = content(body.system).map_err(|error| format!("system: {error}"))?;
        turns.push(Turn { speaker: Speaker::System, text: content.text, calls: 0 });
    }
    for (place, message) in body.messages.iter().enumerate() {
        let content = content(message.content).map_err(|error| format!("messages.{place}.content: {error}"))?;
        let speaker = match &*message.role.0 {
            "user" if content.tool_results > 0 => Speaker::Tool,
            "user" => Speaker::User,
            "assistant" => Speaker::Assistant,
            other => return Err(format!("messages.{place}.role: unknown role `{other}`")),
        };
        turns.push(Turn { speaker, text: content.text, calls: content.tool_uses });
    }
    check_turns(&turns)?;
    let choice = match body.tool_choice {
        None => Choice::Auto,
        Some(choice) => match (&*choice.kind.0, choice.name) {
            ("none", _) => Choice::None,
            ("any", _) => Choice::Required,
            ("tool", Some(name)) => Choice::Named(name.0),
            _ => Choice::Auto,
        },
    };
    let tools = body.tools.unwrap_or_default().into_iter();
    Ok(Asked {
        model: body.model.0,
        stream: body.stream.unwrap_or(false),
        include_usage: true,
        max_tokens: body.max_tokens,
        turns,
        tools: tools
            .map(|tool| Tool { name: tool.name, description: tool.description, parameters: tool.input_schema })
            .collect(),
        choice,
        format: Format::Text,
        thinking: body.thinking.is_some_and(|thinking| thinking.kind.0 == "enabled"),
        stop: body.stop_sequences.unwrap_or_default(),
    })
}

pub(crate) fn check_turns(turns: &[Turn<'_>]) -> Result<(), String> {
    if turns.iter().any(|turn| turn.speaker != Speaker::System) {
        return Ok(());
    }
    Err("messages: at least one message is required".to_owned())
}

#[derive(Default)]
pub(crate) struct Content<'a> {
    pub(crate) text: Cow<'a, str>,
    tool_results: usize,
    tool_uses: usize,
}

/// The text of a content: a string, or a list of pieces.
pub(crate) fn content(raw: Option<&RawValue>) -> Result<Content<'_>, serde_json::Error> {
    let Some(raw) = raw else { return Ok(Content::default()) };
    if raw.get().starts_with('"') {
        let text: Text<'_> = serde_json::from_str(raw.get())?;
        return Ok(Content { text: text.0, ..Content::default() });
    }
    let pieces: Option<Vec<Piece<'_>>> = serde_json::from_str(raw.get())?;
    let mut all = Content::default();
    for piece in pieces.unwrap_or_default() {
        match piece.kind.as_ref().map(|kind| &*kind.0) {
            Some("tool_use") => all.tool_uses += 1,
            Some("tool_result") => all.tool_results += 1,
            _ => {}
        }
        let text = match piece.text {
            Some(text) => text.0,
            None => content(piece.content)?.text,
        };
        if all.text.is_empty() {
            all.text = text;
        } else if !text.is_empty() {
            let joined = all.text.to_mut();
            joined.push('\n');
            joined.push_str(&text);
        }
    }
    Ok(all)
}

fn openai_choice(raw: &RawValue) -> Result<Choice<'_>, String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        function: Option<FunctionName<'a>>,
    }
    #[derive(Deserialize)]
    struct FunctionName<'a> {
        #[serde(borrow)]
        name: Text<'a>,
    }
    Ok(match raw.get() {
        "\"none\"" => Choice::None,
        "\"required\"" => Choice::Required,
        json if json.starts_with('{') => {
            let named: Named<'_> = serde_json::from_str(json).map_err(|error| format!("tool_choice: {error}"))?;
            named.function.map_or(Choice::Auto, |function| Choice::Named(function.name.0))
        }
        _ => Choice::Auto,
    })
}

fn stop(raw: &RawValue) -> Result<Vec<Text<'_>>, String> {
    let json = raw.get();
    let stop = if json.starts_with('"') {
        serde_json::from_str(json).map(|stop| vec![stop])
    } else {
        serde_json::from_str::<Option<Vec<Text<'_>>>>(json).map(Option::unwrap_or_default)
    };
    stop.map_err(|error| format!("stop: {error}"))
}
