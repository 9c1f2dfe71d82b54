//! Amazon Bedrock: `converse` and `converse-stream`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use signalbox_wire::Dialect;

use super::answer::{Answer, Finish, answer};
use super::directives::{Directives, percent_decoded};
use super::request::{Asked, Choice, Format, Speaker, Text, Tool, Turn, check_turns};
use super::script::{Script, StreamWriter};
use super::text::pieces;
use crate::Operation;
use crate::client::Place;

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asks {
    model: String,
    stream: bool,
}

impl Asks {
    /// `/model/{model}/converse` and `/model/{model}/converse-stream`.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let (model, method) = path.strip_prefix("/model/")?.rsplit_once('/')?;
        let stream = match method {
            "converse" => false,
            "converse-stream" => true,
            _ => return None,
        };
        Some(Self { model: percent_decoded(model), stream })
    }

    /// The path for an operation.
    pub(crate) fn path(operation: Operation, stream: bool, model: &str) -> Option<http::Uri> {
        let method = if stream { "converse-stream" } else { "converse" };
        let place = Place::parse(&format!("/model/{{model}}/{method}")).ok()?;
        let uri = place.uri(model).ok()?.into_owned();
        (operation == Operation::Chat).then_some(uri)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow, default)]
    system: Vec<Block<'a>>,
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    #[serde(borrow)]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(borrow)]
    inference_config: Option<Inference<'a>>,
    additional_model_request_fields: Option<Value>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: Vec<Block<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    tool_use: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    tool_result: Option<Answered<'a>>,
    #[serde(borrow)]
    json: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig<'a> {
    #[serde(borrow, default)]
    tools: Vec<Defined<'a>>,
    #[serde(borrow)]
    tool_choice: Option<Chosen<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Defined<'a> {
    #[serde(borrow)]
    tool_spec: Option<Spec<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    input_schema: Option<Schema<'a>>,
}

#[derive(Deserialize)]
struct Schema<'a> {
    #[serde(borrow)]
    json: &'a RawValue,
}

#[derive(Deserialize)]
struct Chosen<'a> {
    any: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    tool: Option<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inference<'a> {
    max_tokens: Option<u64>,
    #[serde(borrow, default)]
    stop_sequences: Vec<Text<'a>>,
}

pub(crate) fn script(asks: &Asks, body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked = read(&asks.model, body)?;
    let answer = answer(&asked, directives)?;
    if asks.stream {
        return Ok(stream(&answer, directives.no_usage).script(Dialect::BedrockConverse, directives));
    }
    let whole = whole(&answer, directives.no_usage).to_string().into_bytes();
    Ok(Script::whole(whole, answer.usage.output, directives))
}

/// Model and stream stand in the path. `eu.anthropic.large` answers as `large` does.
fn read<'a>(model: &'a str, body: &'a [u8]) -> Result<Asked<'a>, String> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    let mut turns = Vec::with_capacity(body.messages.len() + 1);
    if !body.system.is_empty() {
        turns.push(turn(Speaker::System, &body.system));
    }
    let mut last = "assistant";
    for (place, message) in body.messages.iter().enumerate() {
        let answers = message.content.iter().any(|block| block.tool_result.is_some());
        let speaker = match &*message.role.0 {
            "user" if answers => Speaker::Tool,
            "user" => Speaker::User,
            "assistant" => Speaker::Assistant,
            other => return Err(format!("messages.{place}.role: `{other}` is neither user nor assistant")),
        };
        if *message.role.0 == *last {
            return Err(format!("messages.{place}: a conversation must alternate between user and assistant roles"));
        }
        last = if last == "user" { "assistant" } else { "user" };
        turns.push(turn(speaker, &message.content));
    }
    check_turns(&turns)?;
    if body.tool_config.is_none() && turns.iter().any(|turn| turn.calls > 0) {
        return Err("The toolConfig field must be defined when using toolUse and toolResult content blocks.".to_owned());
    }
    let config = body.tool_config.unwrap_or(ToolConfig { tools: Vec::new(), tool_choice: None });
    let specs = config.tools.into_iter().filter_map(|tool| tool.tool_spec);
    let tools = specs.map(|spec| Tool {
        name: spec.name,
        description: spec.description,
        parameters: spec.input_schema.map(|schema| schema.json),
    });
    let thinking = body.additional_model_request_fields.is_some_and(|fields| fields["thinking"]["type"] == "enabled");
    let (max_tokens, stop) = body.inference_config.map(|i| (i.max_tokens, i.stop_sequences)).unwrap_or_default();
    Ok(Asked {
        model: Cow::Borrowed(model.strip_prefix("anthropic.").unwrap_or(model)),
        stream: false,
        include_usage: true,
        max_tokens,
        turns,
        tools: tools.collect(),
        choice: match config.tool_choice {
            Some(Chosen { tool: Some(tool), .. }) => Choice::Named(tool.name.0),
            Some(Chosen { any: Some(_), .. }) => Choice::Required,
            _ => Choice::Auto,
        },
        format: Format::Text,
        thinking,
        stop,
    })
}

fn turn<'a>(speaker: Speaker, blocks: &[Block<'a>]) -> Turn<'a> {
    let mut texts: Vec<Cow<'a, str>> = Vec::new();
    for block in blocks {
        let answered = block.tool_result.as_ref().map(|answered| answered.content.as_slice()).unwrap_or_default();
        for block in std::iter::once(block).chain(answered) {
            texts.extend(block.text.as_ref().map(|text| text.0.clone()));
            texts.extend(block.json.map(|json| Cow::Borrowed(json.get())));
        }
    }
    let calls = blocks.iter().filter(|block| block.tool_use.is_some()).count();
    let text = match texts.as_mut_slice() {
        [one] => std::mem::take(one),
        many => Cow::Owned(many.join("\n")),
    };
    Turn { speaker, text, calls }
}

fn finish(answer: &Answer<'_>) -> &'static str {
    match answer.finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
    }
}

/// `inputTokens` leaves out what was read from or written to the cache.
fn usage(answer: &Answer<'_>) -> Value {
    let used = &answer.usage;
    json!({
        "inputTokens": used.input - used.cache_read - used.cache_write,
        "outputTokens": used.output,
        "totalTokens": used.input + used.output,
        "cacheReadInputTokens": used.cache_read,
        "cacheWriteInputTokens": used.cache_write,
    })
}

fn signature(answer: &Answer<'_>) -> String {
    format!("sim-signature-{:016x}", answer.digest.rotate_left(17))
}

fn whole(answer: &Answer<'_>, no_usage: bool) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &answer.thinking {
        let told = json!({ "text": thinking, "signature": signature(answer) });
        content.push(json!({ "reasoningContent": { "reasoningText": told } }));
    }
    if !answer.text.is_empty() {
        content.push(json!({ "text": answer.text }));
    }
    for call in &answer.calls {
        let input: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        let id = format!("tooluse_{:016x}", call.digest);
        content.push(json!({ "toolUse": { "toolUseId": id, "name": call.name, "input": input } }));
    }
    let mut body = json!({
        "metrics": { "latencyMs": 1 },
        "output": { "message": { "content": content, "role": "assistant" } },
        "stopReason": finish(answer),
    });
    if !no_usage {
        body["usage"] = usage(answer);
    }
    body
}

/// Written as server-sent events; [`StreamWriter::script`] frames them.
fn stream(answer: &Answer<'_>, no_usage: bool) -> StreamWriter {
    let mut stream = StreamWriter::new();
    let mut send = |kind: &str, is_content: bool, data: &Value| {
        stream.out.extend_from_slice(format!("event: {kind}\ndata: {data}").as_bytes());
        stream.end(is_content);
    };
    send("messageStart", false, &json!({ "role": "assistant" }));
    let mut index = 0;
    if let Some(thinking) = &answer.thinking {
        for piece in pieces(thinking) {
            let delta = json!({ "reasoningContent": { "text": piece } });
            send("contentBlockDelta", true, &json!({ "contentBlockIndex": index, "delta": delta }));
        }
        let delta = json!({ "reasoningContent": { "signature": signature(answer) } });
        send("contentBlockDelta", false, &json!({ "contentBlockIndex": index, "delta": delta }));
        send("contentBlockStop", false, &json!({ "contentBlockIndex": index }));
        index += 1;
    }
    if !answer.text.is_empty() {
        for piece in pieces(&answer.text) {
            send("contentBlockDelta", true, &json!({ "contentBlockIndex": index, "delta": { "text": piece } }));
        }
        send("contentBlockStop", false, &json!({ "contentBlockIndex": index }));
        index += 1;
    }
    for call in &answer.calls {
        let id = format!("tooluse_{:016x}", call.digest);
        let start = json!({ "toolUse": { "toolUseId": id, "name": call.name } });
        send("contentBlockStart", false, &json!({ "contentBlockIndex": index, "start": start }));
        for piece in pieces(&call.arguments) {
            let delta = json!({ "toolUse": { "input": piece } });
            send("contentBlockDelta", true, &json!({ "contentBlockIndex": index, "delta": delta }));
        }
        send("contentBlockStop", false, &json!({ "contentBlockIndex": index }));
        index += 1;
    }
    send("messageStop", false, &json!({ "stopReason": finish(answer) }));
    let mut metadata = json!({ "metrics": { "latencyMs": 1 } });
    if !no_usage {
        metadata["usage"] = usage(answer);
    }
    send("metadata", false, &metadata);
    stream
}
