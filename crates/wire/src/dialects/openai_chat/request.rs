//! Requests ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::ToolDefinition;

use super::{DIALECT, parts, texts};
use crate::canonical::{ChatRequest, OtherTool, Reasoning, ResponseFormat, ToolChoice};
use crate::dialects::is_empty;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::registry::Dialect;
use crate::write::Writer;

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "logprobs",
    "top_logprobs",
    "stop",
    "stream",
    "stream_options",
    "user",
    "safety_identifier",
    "metadata",
    "response_format",
    "reasoning_effort",
];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = ChatRequest::new(DIALECT, root.model(&body)?.0);
    let path = Path::Root.key("messages");
    for (index, node) in root.messages()?.list(path)?.into_iter().enumerate() {
        parts::decode_message(node, path.index(index), &mut request)?;
    }
    let path = Path::Root.key("tools");
    for (position, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        match tool(node, path.index(position))? {
            Some(tool) => request.tools.push(tool),
            None => {
                let definition = node.value(path.index(position))?;
                request.other_tools.push(OtherTool { position, definition });
            }
        }
    }
    request.parallel_tool_calls = root.flag("parallel_tool_calls", Path::Root)?;
    request.max_tokens = texts::max_tokens(&root)?;
    request.temperature = root.number("temperature", Path::Root)?;
    request.top_p = root.number("top_p", Path::Root)?;
    request.seed = root.number("seed", Path::Root)?;
    request.presence_penalty = root.number("presence_penalty", Path::Root)?;
    request.frequency_penalty = root.number("frequency_penalty", Path::Root)?;
    request.answers = root.count("n", Path::Root)?;
    let top = root.count("top_logprobs", Path::Root)?.unwrap_or(0);
    request.logprobs = (root.flag("logprobs", Path::Root)? == Some(true)).then_some(top);
    request.stop = stop(&root)?;
    request.stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    if let Some(options) = root.child("stream_options", Path::Root)? {
        request.stream_usage = options.flag("include_usage", Path::Root.key("stream_options"))?.unwrap_or(false);
    }
    request.user = texts::user(&root)?;
    request.metadata = root.map("metadata", Path::Root)?;
    for (name, node) in root.iter().filter(|(name, node)| !KNOWN.contains(name) && !node.is_null()) {
        request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    }
    // What is known by name, but not by value, goes back as it came, and nowhere else.
    if let Some(node) = root.get("tool_choice") {
        match tool_choice(node, Path::Root.key("tool_choice"))? {
            Some(choice) => request.tool_choice = Some(choice),
            None => keep(&mut request, "tool_choice", node)?,
        }
    }
    if let Some(format) = root.child("response_format", Path::Root)? {
        response_format(&format, &mut request)?;
    }
    if let Some(node) = root.get("reasoning_effort") {
        match Reasoning::of_openai_word(&node.text(Path::Root.key("reasoning_effort"))?) {
            Some(reasoning) => request.reasoning = Some(reasoning),
            None => keep(&mut request, "reasoning_effort", node)?,
        }
    }
    Ok(request)
}

fn keep(request: &mut ChatRequest, name: &str, node: Node<'_>) -> Result<(), WireError> {
    request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    Ok(())
}

fn tool(node: Node<'_>, path: Path<'_>) -> Result<Option<ToolDefinition>, WireError> {
    let tool = node.object(path)?;
    let Some(function) = tool.child("function", path)? else { return Ok(None) };
    let path = path.key("function");
    Ok(Some(ToolDefinition {
        name: function.required_text("name", path, "the name of a tool")?,
        description: function.text("description", path)?.map(Cow::into_owned),
        parameters: match function.get("parameters") {
            Some(node) if node.is_object() => node.value(path.key("parameters"))?,
            Some(node) => return Err(path.key("parameters").invalid("a JSON Schema object", node.kind())),
            None => Value::Null,
        },
        strict: function.flag("strict", path)?,
    }))
}

pub(crate) fn stop(root: &Object<'_>) -> Result<Vec<String>, WireError> {
    let path = Path::Root.key("stop");
    let Some(node) = root.get("stop") else { return Ok(Vec::new()) };
    if node.is_text() {
        return Ok(vec![node.unescape().into_owned()]);
    }
    if !node.is_list() {
        return Err(path.invalid("a string or a list of strings", node.kind()));
    }
    let items = node.list(path)?;
    items.into_iter().enumerate().map(|(index, item)| Ok(item.text(path.index(index))?.into_owned())).collect()
}

fn tool_choice(node: Node<'_>, path: Path<'_>) -> Result<Option<ToolChoice>, WireError> {
    if node.is_text() {
        return match node.unescape().as_ref() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            // `any` is what Mistral calls it.
            "required" | "any" => Ok(Some(ToolChoice::Required)),
            _ => Err(path.invalid("`auto`, `none`, `required` or an object that names a function", "another word")),
        };
    }
    match node.object(path)?.child("function", path)? {
        Some(function) => {
            let name = function.required_text("name", path.key("function"), "the name of a tool")?;
            Ok(Some(ToolChoice::Named(name)))
        }
        None => Ok(None),
    }
}

fn response_format(format: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let path = Path::Root.key("response_format");
    match format.required_text("type", path, "`text`, `json_object` or `json_schema`")?.as_str() {
        "text" => {}
        "json_object" => request.response_format = Some(ResponseFormat::JsonObject),
        "json_schema" => {
            const EXPECTED: &str = "an object with a `schema`";
            let inner = format.child("json_schema", path)?.ok_or_else(|| path.key("json_schema").missing(EXPECTED))?;
            let path = path.key("json_schema");
            request.response_format = Some(ResponseFormat::JsonSchema {
                name: inner.text("name", path)?.map(Cow::into_owned),
                description: inner.text("description", path)?.map(Cow::into_owned),
                schema: inner.get("schema").map_or(Ok(Value::Null), |node| node.value(path.key("schema")))?,
                strict: inner.flag("strict", path)?,
            });
        }
        _ => {
            let mut fields = serde_json::Map::new();
            for (name, node) in format.iter() {
                fields.insert(name.to_owned(), node.value(path.key(name))?);
            }
            request.extras.fields.insert("response_format".into(), Value::Object(fields));
        }
    }
    Ok(())
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    let caller = request.extras.dialect;
    Writer::try_write(|w| {
        w.field("model", &request.model);
        let mut result = Ok(());
        w.list_field("messages", |w| {
            result = (0..request.messages.len()).try_for_each(|index| parts::encode_message(w, request, index));
        });
        result?;
        encode_tools(w, request)?;
        let limit = if request.old_max_tokens { "max_tokens" } else { "max_completion_tokens" };
        w.field_if(limit, request.max_tokens);
        w.field_if("temperature", request.temperature.as_ref());
        w.field_if("top_p", request.top_p.as_ref());
        if request.top_k.is_some() {
            let field = request.name_of("top_k", "generationConfig.topK");
            return Err(DIALECT.lacks(field, "leave it out, or use `top_p`"));
        }
        w.field_if("seed", request.seed.as_ref());
        w.field_if("presence_penalty", request.presence_penalty.as_ref());
        w.field_if("frequency_penalty", request.frequency_penalty.as_ref());
        w.field_if("n", request.answers);
        if let Some(top) = request.logprobs {
            w.field("logprobs", &true);
            w.field_if("top_logprobs", (top > 0).then_some(top));
        }
        match request.stop.as_slice() {
            [] => {}
            stop if stop.len() > 4 => {
                let field = request.name_of("stop", "generationConfig.stopSequences");
                return Err(DIALECT.lacks(field, "at most 4 can be sent there"));
            }
            stop => w.field("stop", stop),
        }
        if request.stream {
            w.field("stream", &true);
            // Only then: some providers refuse it. `Codec::ask_for_usage` adds it for those that don't.
            if request.stream_usage {
                w.object_field("stream_options", |w| w.field("include_usage", &true));
            }
        }
        w.field_if("user", request.user.as_ref());
        if !request.metadata.is_empty() {
            w.field("metadata", &request.metadata);
        }
        encode_format(w, request.response_format.as_ref());
        w.field_if("reasoning_effort", request.reasoning.and_then(|reasoning| reasoning.openai_word(caller)));
        encode_extras(w, request)
    })
}

fn encode_tools(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let ours = request.extras.dialect == DIALECT;
    if !ours && let Some(other) = request.other_tools.first() {
        let kind = other.kind();
        let hint = format!(
            "a tool of type `{kind}`, or one with fields beyond name, description and schema, has no counterpart there; define it as a plain tool"
        );
        return Err(DIALECT.lacks(format!("tools[{}]", other.position), hint));
    }
    if request.tools.is_empty() && request.other_tools.is_empty() {
        return Ok(());
    }
    w.list_field("tools", |w| {
        for tool in &request.tools {
            w.object(|w| {
                w.field("type", "function");
                w.object_field("function", |w| {
                    w.field("name", &tool.name);
                    w.field_if("description", tool.description.as_ref());
                    if !tool.parameters.is_null() {
                        w.field("parameters", &tool.parameters);
                    }
                    w.field_if("strict", tool.strict);
                });
            });
        }
        request.other_tools.iter().for_each(|other| w.item(&other.definition));
    });
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => w.field("tool_choice", "auto"),
        Some(ToolChoice::None) => w.field("tool_choice", "none"),
        Some(ToolChoice::Required) => w.field("tool_choice", "required"),
        Some(ToolChoice::Named(name)) => w.object_field("tool_choice", |w| {
            w.field("type", "function");
            w.object_field("function", |w| w.field("name", name));
        }),
    }
    w.field_if("parallel_tool_calls", request.parallel_tool_calls);
    Ok(())
}

fn encode_format(w: &mut Writer, format: Option<&ResponseFormat>) {
    match format {
        None => {}
        Some(ResponseFormat::JsonObject) => w.object_field("response_format", |w| w.field("type", "json_object")),
        Some(ResponseFormat::JsonSchema { name, description, schema, strict }) => {
            w.object_field("response_format", |w| {
                w.field("type", "json_schema");
                w.object_field("json_schema", |w| {
                    w.field("name", name.as_deref().unwrap_or("response"));
                    w.field_if("description", description.as_ref());
                    w.field("schema", schema);
                    w.field_if("strict", strict.as_ref());
                });
            });
        }
    }
}

fn encode_extras(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    for (name, value) in &request.extras.fields {
        let harmless = match request.extras.dialect {
            DIALECT => {
                w.field(name, value);
                continue;
            }
            Dialect::OpenaiResponses => match super::super::openai_responses::harmless_field(name, value) {
                // These mean the same here.
                Err(_) if matches!(name.as_str(), "verbosity" | "service_tier") => {
                    w.field(name, value);
                    continue;
                }
                told => told,
            },
            other => crate::dialects::harmless_field(other, name, value),
        };
        harmless.map_err(|hint| DIALECT.lacks(name, hint))?;
    }
    Ok(())
}

/// Whether an Anthropic field can be left out without changing what the caller gets.
pub(crate) fn harmless_anthropic_field(name: &str, value: &Value) -> Result<(), &'static str> {
    let harmless = match name {
        // Hints about price and speed, not about the answer.
        "cache_control" => true,
        "service_tier" => value == "auto" || value == "standard_only",
        "speed" => value == "standard",
        // Which old thinking the provider forgets: others keep none.
        "context_management" => value.get("edits").and_then(Value::as_array).is_some_and(|edits| {
            let kind = |edit: &Value| {
                edit.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("clear_thinking"))
            };
            edits.iter().all(kind)
        }),
        _ => is_empty(value),
    };
    if harmless {
        return Ok(());
    }
    Err(match name {
        "mcp_servers" | "container" => "only Anthropic runs these; run the tools yourself",
        "inference_geo" => "where the answer is made can't be chosen there; leave it out",
        _ => "it has no counterpart there; leave it out, or call a model whose provider speaks anthropic_messages",
    })
}
