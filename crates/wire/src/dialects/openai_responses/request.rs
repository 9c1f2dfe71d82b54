//! Requests ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Message, Part, Role, ToolDefinition};

use super::{DIALECT, input, items};
use crate::canonical::{ChatRequest, OtherTool, Reasoning, ResponseFormat, ToolChoice, signature};
use crate::dialects::anthropic_messages::harmless_openai_field;
use crate::dialects::openai_chat;
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::registry::Dialect;
use crate::search;
use crate::write::Writer;

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &[
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "stream",
    "user",
    "safety_identifier",
    "metadata",
    "text",
    "reasoning",
];
/// Before the names of their fields in `extras`.
const TEXT: &str = "text.";
const REASONING: &str = "reasoning.";
/// Chat completions have these too, and they mean the same.
const SHARED: &[&str] = &["prompt_cache_key", "prompt_cache_retention", "service_tier"];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = ChatRequest::new(DIALECT, root.model(&body)?.0);
    if let Some(instructions) = root.text("instructions", Path::Root)? {
        request.push(Message::text(Role::System, instructions), Path::Root.key("instructions"));
    }
    input::decode(&root, &mut request)?;
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
    request.max_tokens = root.count("max_output_tokens", Path::Root)?;
    request.temperature = root.number("temperature", Path::Root)?;
    request.top_p = root.number("top_p", Path::Root)?;
    request.stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    request.stream_usage = request.stream;
    request.user = openai_chat::user(&root)?;
    request.metadata = root.map("metadata", Path::Root)?;
    for (name, node) in root.iter().filter(|(name, node)| !KNOWN.contains(name) && !node.is_null()) {
        request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    }
    // They stay in `extras` too: for this dialect they go back as they came.
    let asks = |one: &Value| one.as_str().is_some_and(|one| one.ends_with(".logprobs"));
    if request.extras.fields.get("include").and_then(Value::as_array).is_some_and(|all| all.iter().any(asks)) {
        request.logprobs = Some(root.count("top_logprobs", Path::Root)?.unwrap_or(0));
    }
    if let Some(node) = root.get("tool_choice") {
        match tool_choice(node, Path::Root.key("tool_choice"))? {
            Some(choice) => request.tool_choice = Some(choice),
            None => keep(&mut request, "tool_choice", node, Path::Root.key("tool_choice"))?,
        }
    }
    if let Some(text) = root.child("text", Path::Root)? {
        decode_text(&text, &mut request)?;
    }
    if let Some(reasoning) = root.child("reasoning", Path::Root)? {
        decode_reasoning(&reasoning, &mut request)?;
    }
    Ok(request)
}

fn keep(request: &mut ChatRequest, name: &str, node: Node<'_>, path: Path<'_>) -> Result<(), WireError> {
    request.extras.fields.insert(name.to_owned(), node.value(path)?);
    Ok(())
}

/// A function that is no more than name, description and parameters.
fn tool(node: Node<'_>, path: Path<'_>) -> Result<Option<ToolDefinition>, WireError> {
    const PLAIN: &[&str] = &["type", "name", "description", "parameters", "strict"];
    let tool = node.object(path)?;
    if tool.required_text("type", path, "the kind of tool, e.g. `function`")? != "function" {
        return Ok(None);
    }
    let name = tool.required_text("name", path, "the name of a tool")?;
    if tool.iter().any(|(name, node)| !node.is_null() && !PLAIN.contains(&name)) {
        return Ok(None);
    }
    Ok(Some(ToolDefinition {
        name,
        description: tool.text("description", path)?.map(Cow::into_owned),
        parameters: match tool.get("parameters") {
            Some(node) if node.is_object() => node.value(path.key("parameters"))?,
            Some(node) => return Err(path.key("parameters").invalid("a JSON Schema object", node.kind())),
            None => Value::Null,
        },
        strict: tool.flag("strict", path)?,
    }))
}

fn tool_choice(node: Node<'_>, path: Path<'_>) -> Result<Option<ToolChoice>, WireError> {
    if node.is_text() {
        return match node.unescape().as_ref() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(path.invalid("`auto`, `none`, `required` or an object that names a tool", "another word")),
        };
    }
    let choice = node.object(path)?;
    match choice.text("type", path)?.as_deref() {
        Some("function") => Ok(Some(ToolChoice::Named(choice.required_text("name", path, "the name of a tool")?))),
        _ => Ok(None),
    }
}

fn decode_text(text: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let path = Path::Root.key("text");
    for (name, node) in text.iter().filter(|(_, node)| !node.is_null()) {
        match name {
            "format" => match format(&node.object(path.key(name))?, path.key(name))? {
                Some(format) => request.response_format = format,
                None => keep(request, "text.format", node, path.key(name))?,
            },
            // As chat completions call it.
            "verbosity" => keep(request, name, node, path.key(name))?,
            _ => keep(request, &format!("{TEXT}{name}"), node, path.key(name))?,
        }
    }
    Ok(())
}

/// `None` for a format that is not known.
fn format(format: &Object<'_>, path: Path<'_>) -> Result<Option<Option<ResponseFormat>>, WireError> {
    Ok(Some(match format.required_text("type", path, "`text`, `json_object` or `json_schema`")?.as_str() {
        "text" => None,
        "json_object" => Some(ResponseFormat::JsonObject),
        "json_schema" => Some(ResponseFormat::JsonSchema {
            name: format.text("name", path)?.map(Cow::into_owned),
            description: format.text("description", path)?.map(Cow::into_owned),
            schema: match format.get("schema") {
                Some(node) => node.value(path.key("schema"))?,
                None => return Err(path.key("schema").missing("a JSON Schema object")),
            },
            strict: format.flag("strict", path)?,
        }),
        _ => return Ok(None),
    }))
}

fn decode_reasoning(reasoning: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let path = Path::Root.key("reasoning");
    for (name, node) in reasoning.iter().filter(|(_, node)| !node.is_null()) {
        let known = match name {
            "effort" => Reasoning::of_openai_word(&node.text(path.key(name))?),
            _ => None,
        };
        match known {
            Some(reasoning) => request.reasoning = Some(reasoning),
            None => keep(request, &format!("{REASONING}{name}"), node, path.key(name))?,
        }
    }
    Ok(())
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        w.field("model", &request.model);
        w.field_if("instructions", items::instructions(request));
        let mut result = Ok(());
        w.list_field("input", |w| result = items::encode(w, request));
        result?;
        encode_tools(w, request)?;
        w.field_if("max_output_tokens", request.max_tokens);
        w.field_if("temperature", request.temperature.as_ref());
        w.field_if("top_p", request.top_p.as_ref());
        if request.top_k.is_some() {
            let field = request.name_of("top_k", "generationConfig.topK");
            return Err(DIALECT.lacks(field, "leave it out, or use `top_p`"));
        }
        request.refuse_weights(DIALECT)?;
        if !request.stop.is_empty() {
            let field = request.name_of("stop", "generationConfig.stopSequences");
            return Err(DIALECT.lacks(field, "it has no texts that end an answer; leave it out"));
        }
        if request.stream {
            w.field("stream", &true);
        }
        w.field_if("user", request.user.as_ref());
        if !request.metadata.is_empty() {
            w.field("metadata", &request.metadata);
        }
        encode_text(w, request);
        encode_reasoning(w, request);
        encode_extras(w, request)
    })
}

fn encode_tools(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let others = search::other_tools(request, DIALECT)?;
    if request.tools.is_empty() && others.is_empty() {
        return Ok(());
    }
    let ours = request.extras.dialect == DIALECT;
    w.list_field("tools", |w| {
        for tool in &request.tools {
            w.object(|w| {
                w.field("type", "function");
                w.field("name", &tool.name);
                w.field_if("description", tool.description.as_ref());
                if tool.parameters.is_null() {
                    // Both must be there.
                    w.object_field("parameters", |w| {
                        w.field("type", "object");
                        w.object_field("properties", |_| {});
                    });
                } else {
                    w.field("parameters", &tool.parameters);
                }
                // Here it is `true` unless told otherwise, and the schema would be changed; elsewhere it isn't.
                w.field_if("strict", tool.strict.or_else(|| (!ours).then_some(false)));
            });
        }
        others.iter().for_each(|other| w.item(other));
    });
    // Anthropic's callers name it as if it were one of theirs.
    let is_search =
        |name: &str| name == search::NAME && !others.is_empty() && !request.tools.iter().any(|tool| tool.name == name);
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => w.field("tool_choice", "auto"),
        Some(ToolChoice::None) => w.field("tool_choice", "none"),
        Some(ToolChoice::Required) => w.field("tool_choice", "required"),
        Some(ToolChoice::Named(name)) if is_search(name) => {
            w.object_field("tool_choice", |w| w.field("type", search::NAME));
        }
        Some(ToolChoice::Named(name)) => w.object_field("tool_choice", |w| {
            w.field("type", "function");
            w.field("name", name);
        }),
    }
    w.field_if("parallel_tool_calls", request.parallel_tool_calls);
    Ok(())
}

/// The fields of `extras` that stand below another.
fn below<'a>(request: &'a ChatRequest, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let ours = request.extras.dialect == DIALECT;
    let fields = request.extras.fields.iter().filter(move |_| ours);
    fields.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
}

fn encode_text(w: &mut Writer, request: &ChatRequest) {
    let text = Writer::write(|w| {
        match &request.response_format {
            None => {}
            Some(ResponseFormat::JsonObject) => w.object_field("format", |w| w.field("type", "json_object")),
            Some(ResponseFormat::JsonSchema { name, description, schema, strict }) => w.object_field("format", |w| {
                w.field("type", "json_schema");
                w.field("name", name.as_deref().unwrap_or("response"));
                w.field_if("description", description.as_ref());
                w.field("schema", schema);
                w.field_if("strict", strict.as_ref());
            }),
        }
        if matches!(request.extras.dialect, DIALECT | Dialect::OpenaiChat) {
            w.field_if("verbosity", request.extras.fields.get("verbosity"));
        }
        below(request, TEXT).for_each(|(name, value)| w.field(name, value));
    });
    if text != b"{}" {
        w.raw_field("text", &text);
    }
}

fn encode_reasoning(w: &mut Writer, request: &ChatRequest) {
    let caller = request.extras.dialect;
    let reasoning = Writer::write(|w| {
        let word = request.reasoning.and_then(|reasoning| reasoning.openai_word(caller));
        w.field_if("effort", word);
        // Callers of the other two expect to see the thinking that they ask for.
        let is_shown = matches!(caller, Dialect::AnthropicMessages | Dialect::Gemini) && thinks(request);
        w.field_if("summary", is_shown.then_some("auto"));
        below(request, REASONING).for_each(|(name, value)| w.field(name, value));
    });
    if reasoning != b"{}" {
        w.raw_field("reasoning", &reasoning);
    }
}

fn thinks(request: &ChatRequest) -> bool {
    !matches!(request.reasoning, None | Some(Reasoning::Off))
}

/// Thinking that this dialect has signed is sent back.
fn has_thought(request: &ChatRequest) -> bool {
    request.messages.iter().flat_map(|message| &message.parts).any(|part| match part {
        Part::Reasoning { signature: Some(signature), .. } => signature::read_openai(signature).is_some(),
        _ => false,
    })
}

fn encode_extras(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let fields = &request.extras.fields;
    if request.extras.dialect == DIALECT {
        let is_below = |name: &str| name.starts_with(TEXT) || name.starts_with(REASONING) || name == "verbosity";
        fields.iter().filter(|(name, _)| !is_below(name)).for_each(|(name, value)| w.field(name, value));
        return Ok(());
    }
    // The API keeps answers unless told otherwise; other dialects don't know that one could.
    w.field("store", fields.get("store").unwrap_or(&Value::Bool(false)));
    // What isn't kept must come along to be sent back. Models that don't think refuse this.
    let encrypted = (thinks(request) || has_thought(request)).then_some("reasoning.encrypted_content");
    let logprobs = request.logprobs.map(|_| "message.output_text.logprobs");
    let include: Vec<&str> = encrypted.into_iter().chain(logprobs).collect();
    if !include.is_empty() {
        w.field("include", &include);
    }
    w.field_if("top_logprobs", request.logprobs.filter(|top| *top > 0));
    for (name, value) in fields {
        let harmless = match request.extras.dialect {
            Dialect::OpenaiChat if SHARED.contains(&name.as_str()) => {
                w.field(name, value);
                continue;
            }
            Dialect::OpenaiChat if matches!(name.as_str(), "verbosity" | "store") => Ok(()),
            caller if search::is_said_by_tool(caller, DIALECT, name) => Ok(()),
            other => crate::dialects::harmless_field(other, name, value),
        };
        harmless.map_err(|hint| DIALECT.lacks(name, hint))?;
    }
    Ok(())
}

/// Whether another dialect can leave a field of this one out without changing what the caller gets.
pub(crate) fn harmless_field(name: &str, value: &Value) -> Result<(), &'static str> {
    const KEPT: &str = "what one provider keeps is unknown to another; send the whole conversation in `input`, or call \
                        a model whose provider has the Responses API";
    let harmless = match name {
        // Where to look for what else happened; other providers tell what they think anyway.
        "stream_options" | "reasoning.summary" | "reasoning.generate_summary" => true,
        // More about the provider's own tools, or about what is sent along anyway. Probabilities have a word of their own.
        "include" | "top_logprobs" => true,
        "max_tool_calls" => return Err("it can't be told how often to call its own tools; leave it out"),
        "background" => value == false,
        "truncation" => value == "disabled",
        "previous_response_id" | "conversation" => return Err(KEPT),
        "prompt" => return Err("a prompt that one provider keeps is unknown to another; send its text in `input`"),
        "tool_choice" => {
            return Err("of `tool_choice`, only the three words and the name of a function can be said there");
        }
        "reasoning.effort" => return Err("write `none`, `minimal`, `low`, `medium`, `high` or `xhigh`"),
        "text.format" => return Err("write `text`, `json_object` or `json_schema`"),
        _ => return harmless_openai_field(name, value),
    };
    if harmless {
        return Ok(());
    }
    Err(match name {
        "background" => "it answers while the caller waits; leave it out",
        _ => "a conversation that is too long isn't cut there; leave it out",
    })
}
