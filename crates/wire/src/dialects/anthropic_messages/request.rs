//! Requests ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Role, ToolDefinition};

use super::{DIALECT, parts, texts, thinking};
use crate::canonical::{CachePlace, ChatRequest, Effort, OtherTool, Reasoning, ResponseFormat, ToolChoice};
use crate::dialects::{encode_extras, is_empty};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::schema_rules::{closed, fits_openai};
use crate::search;
use crate::write::Writer;

/// What is said of a schema that can't be closed.
const OPEN: &str = "every object must be of the properties that its schema names; leave `additionalProperties` out";

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "stream",
    "metadata",
    "thinking",
    "output_config",
    "output_format",
];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = ChatRequest::new(DIALECT, root.model(&body)?.0);
    if let Some(system) = root.get("system") {
        let path = Path::Root.key("system");
        let content = parts::decode_content(system, path)?;
        request.push_hinted(Role::System, content, path);
    }
    let path = Path::Root.key("messages");
    for (index, node) in root.messages()?.list(path)?.into_iter().enumerate() {
        parts::decode_message(node, path.index(index), &mut request)?;
    }
    let path = Path::Root.key("tools");
    for (position, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        decode_tool(node, position, path.index(position), &mut request)?;
    }
    if let Some(choice) = root.child("tool_choice", Path::Root)? {
        decode_tool_choice(&choice, &mut request)?;
    }
    request.max_tokens = root.count("max_tokens", Path::Root)?;
    request.temperature = root.number("temperature", Path::Root)?;
    request.top_p = root.number("top_p", Path::Root)?;
    request.top_k = root.count("top_k", Path::Root)?;
    let path = Path::Root.key("stop_sequences");
    for (index, node) in root.children("stop_sequences", Path::Root)?.into_iter().enumerate() {
        request.stop.push(node.text(path.index(index))?.into_owned());
    }
    request.stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    request.stream_usage = request.stream;
    request.user = texts::user(&root)?;
    for (name, node) in root.iter().filter(|(name, node)| !KNOWN.contains(name) && !node.is_null()) {
        request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    }
    decode_thinking(&root, &mut request)?;
    decode_output(&root, &mut request)?;
    Ok(request)
}

fn decode_tool(node: Node<'_>, position: usize, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    // `eager_input_streaming` is about speed only.
    const PLAIN: &[&str] =
        &["type", "name", "description", "input_schema", "strict", "cache_control", "eager_input_streaming"];
    let tool = node.object(path)?;
    let is_plain = tool.str("type").is_none_or(|kind| kind == "custom")
        && tool.iter().all(|(name, node)| PLAIN.contains(&name) || node.is_null());
    if !is_plain {
        request.other_tools.push(OtherTool { position, definition: node.value(path)? });
        return Ok(());
    }
    if let Some(mark) = tool.get("cache_control") {
        let place = CachePlace::Tool(request.tools.len());
        request.cache_marks.push((place, mark.value(path.key("cache_control"))?));
    }
    request.tools.push(ToolDefinition {
        name: tool.required_text("name", path, "the name of a tool")?,
        description: tool.text("description", path)?.map(Cow::into_owned),
        parameters: match tool.get("input_schema") {
            Some(node) if node.is_object() => node.value(path.key("input_schema"))?,
            Some(node) => return Err(path.key("input_schema").invalid("a JSON Schema object", node.kind())),
            None => return Err(path.key("input_schema").missing("a JSON Schema object")),
        },
        strict: tool.flag("strict", path)?,
    });
    Ok(())
}

fn decode_tool_choice(choice: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    const EXPECTED: &str = "`auto`, `any`, `none` or `tool`";
    let path = Path::Root.key("tool_choice");
    request.tool_choice = Some(match choice.required_text("type", path, EXPECTED)?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.required_text("name", path, "the name of a tool")?),
        _ => return Err(path.key("type").invalid(EXPECTED, "another word")),
    });
    request.parallel_tool_calls = choice.flag("disable_parallel_tool_use", path)?.map(|disabled| !disabled);
    Ok(())
}

fn effort_of(word: &str) -> Option<Effort> {
    Some(match word {
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::Max,
        _ => return None,
    })
}

fn decode_thinking(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    const EXPECTED: &str = "`enabled`, `disabled` or `adaptive`";
    let Some(thinking) = root.child("thinking", Path::Root)? else { return Ok(()) };
    let path = Path::Root.key("thinking");
    request.reasoning = Some(match thinking.required_text("type", path, EXPECTED)?.as_str() {
        "enabled" => {
            const EXPECTED: &str = "a number of tokens";
            let budget = thinking.count("budget_tokens", path)?;
            Reasoning::Budget(budget.ok_or_else(|| path.key("budget_tokens").missing(EXPECTED))?)
        }
        "disabled" => Reasoning::Off,
        "adaptive" => Reasoning::Adaptive(None),
        _ => return Err(path.key("type").invalid(EXPECTED, "another word")),
    });
    Ok(())
}

/// `output_config` says how much effort to take and what shape the answer has; `output_format` is
/// the older place of the latter.
fn decode_output(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    if let Some(format) = root.child("output_format", Path::Root)? {
        decode_format(&format, Path::Root.key("output_format"), request)?;
    }
    let Some(config) = root.child("output_config", Path::Root)? else { return Ok(()) };
    let path = Path::Root.key("output_config");
    let mut others = serde_json::Map::new();
    for (name, node) in config.iter().filter(|(_, node)| !node.is_null()) {
        match name {
            "effort" => {
                const EXPECTED: &str = "`low`, `medium`, `high`, `xhigh` or `max`";
                let effort = effort_of(&node.text(path.key(name))?)
                    .ok_or_else(|| path.key(name).invalid(EXPECTED, "another word"))?;
                request.reasoning = match request.reasoning {
                    None => Some(Reasoning::Effort(effort)),
                    Some(Reasoning::Adaptive(_)) => Some(Reasoning::Adaptive(Some(effort))),
                    // A budget, or none at all, is the more exact word.
                    exact => exact,
                };
            }
            "format" => decode_format(&node.object(path.key(name))?, path.key(name), request)?,
            _ => {
                others.insert(name.to_owned(), node.value(path.key(name))?);
            }
        }
    }
    if !others.is_empty() {
        request.extras.fields.insert("output_config".into(), Value::Object(others));
    }
    Ok(())
}

fn decode_format(format: &Object<'_>, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    if format.required_text("type", path, "`json_schema`")? != "json_schema" {
        return Err(path.key("type").invalid("`json_schema`", "another word"));
    }
    let schema = format.get("schema").map_or(Ok(Value::Null), |node| node.value(path.key("schema")))?;
    let strict = fits_openai(&schema).then_some(true);
    request.response_format = Some(ResponseFormat::JsonSchema { name: None, description: None, schema, strict });
    Ok(())
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        w.field("model", &request.model);
        thinking::encode(w, request)?;
        encode_system(w, request)?;
        let mut result = Ok(());
        w.list_field("messages", |w| {
            result = parts::turns(request).iter().try_for_each(|turn| parts::encode_turn(w, request, turn));
        });
        result?;
        encode_tools(w, request)?;
        thinking::encode_sampling(w, request)?;
        request.refuse_weights(DIALECT)?;
        request.refuse_logprobs(DIALECT)?;
        if !request.stop.is_empty() {
            w.field("stop_sequences", &request.stop);
        }
        if request.stream {
            w.field("stream", &true);
        }
        if let Some(user) = &request.user {
            w.object_field("metadata", |w| w.field("user_id", user));
        }
        encode_format(w, request)?;
        encode_extras(w, request, DIALECT, &[])
    })
}

/// All system messages, in order: this dialect has one place for them, before the conversation.
fn encode_system(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let systems: Vec<usize> =
        (0..request.messages.len()).filter(|index| request.messages[*index].role == Role::System).collect();
    if systems.is_empty() {
        return Ok(());
    }
    if let [index] = systems.as_slice()
        && let [signalbox_types::Part::Text { content }] = request.messages[*index].parts.as_slice()
        && request.hints(*index, 0).is_none()
    {
        if !content.is_empty() {
            w.field("system", content);
        }
        return Ok(());
    }
    let mut result = Ok(());
    w.list_field("system", |w| {
        result = systems.iter().try_for_each(|index| parts::encode_message(w, request, *index));
    });
    result
}

/// Where it must be kept to, every object in it must be closed.
fn input_schema<'a>(request: &ChatRequest, tool: &'a ToolDefinition) -> Result<Cow<'a, Value>, WireError> {
    if request.extras.dialect == DIALECT || tool.strict != Some(true) {
        return Ok(Cow::Borrowed(&tool.parameters));
    }
    let field = request.name_of("tools", "tools");
    closed(&tool.parameters).ok_or_else(|| DIALECT.lacks(field, OPEN))
}

fn encode_tools(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let others = search::other_tools(request, DIALECT)?;
    if request.tools.is_empty() && others.is_empty() {
        return Ok(());
    }
    let schemas: Result<Vec<_>, _> = request.tools.iter().map(|tool| input_schema(request, tool)).collect();
    let schemas = schemas?;
    w.list_field("tools", |w| {
        for (index, (tool, schema)) in request.tools.iter().zip(&schemas).enumerate() {
            w.object(|w| {
                w.field("name", &tool.name);
                w.field_if("description", tool.description.as_ref());
                if tool.parameters.is_null() {
                    w.object_field("input_schema", |w| {
                        w.field("type", "object");
                        w.object_field("properties", |_| {});
                    });
                } else {
                    w.field("input_schema", schema.as_ref());
                }
                // `false` is the default, and older models don't know the field.
                w.field_if("strict", tool.strict.filter(|strict| *strict));
                let mark = request.cache_marks.iter().find(|(place, _)| *place == CachePlace::Tool(index));
                w.field_if("cache_control", mark.map(|(_, mark)| mark));
            });
        }
        others.iter().for_each(|other| w.item(other));
    });
    let one_at_a_time = request.parallel_tool_calls == Some(false);
    let choice = request.tool_choice.as_ref().or_else(|| one_at_a_time.then_some(&ToolChoice::Auto));
    let Some(choice) = choice else { return Ok(()) };
    w.object_field("tool_choice", |w| {
        match choice {
            ToolChoice::Auto => w.field("type", "auto"),
            ToolChoice::None => return w.field("type", "none"),
            ToolChoice::Required => w.field("type", "any"),
            ToolChoice::Named(name) => {
                w.field("type", "tool");
                w.field("name", name);
            }
        }
        if one_at_a_time {
            w.field("disable_parallel_tool_use", &true);
        }
    });
    Ok(())
}

fn encode_format(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let effort = thinking::effort_word(request);
    let schema = match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) if request.extras.dialect == DIALECT => {
            Some(Cow::Borrowed(schema))
        }
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            Some(closed(schema).ok_or_else(|| DIALECT.lacks(request.format_name(), OPEN))?)
        }
        Some(ResponseFormat::JsonObject) => {
            let hint = "it has no mode for JSON without a schema; use `json_schema`, or say it in the prompt";
            return Err(DIALECT.lacks(request.format_name(), hint));
        }
        None => None,
    };
    if effort.is_none() && schema.is_none() {
        return Ok(());
    }
    w.object_field("output_config", |w| {
        w.field_if("effort", effort);
        if let Some(schema) = schema {
            w.object_field("format", |w| {
                w.field("type", "json_schema");
                w.field("schema", schema.as_ref());
            });
        }
    });
    Ok(())
}

/// Whether an OpenAI field can be left out without changing what the caller gets.
pub(crate) fn harmless_openai_field(name: &str, value: &Value) -> Result<(), &'static str> {
    let harmless = match name {
        // Hints about price and speed, not about the answer.
        "prompt_cache_key" | "prompt_cache_retention" => true,
        "store" => *value == false,
        "service_tier" => value == "auto" || value == "default",
        "modalities" => value.as_array().is_some_and(|items| items.iter().all(|item| item == "text")),
        "verbosity" => value == "medium",
        // Even an empty object switches the search on.
        "web_search_options" => false,
        _ => is_empty(value),
    };
    if harmless {
        return Ok(());
    }
    Err(match name {
        "logit_bias" => "it can't weigh tokens; leave it out",
        "reasoning_effort" => "write `none`, `minimal`, `low`, `medium`, `high` or `xhigh`",
        "store" => "an answer is kept by whom it was asked of in its own dialect only; leave it out",
        "prediction" => "it can't be told what the answer will be; leave it out",
        "functions" | "function_call" => "use `tools` and `tool_choice`",
        "verbosity" => "say in the prompt how long the answer shall be",
        "service_tier" => "service tiers are a provider's own; leave it out",
        "modalities" | "audio" => "it answers with text only",
        _ => "it has no counterpart there; leave it out, or call a model whose provider speaks openai_chat",
    })
}
