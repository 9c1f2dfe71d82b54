//! Requests ⇄ canonical.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::ToolDefinition;

use super::{DIALECT, messages};
use crate::canonical::{ChatRequest, Effort, OtherTool, Reasoning, ResponseFormat, ToolChoice};
use crate::dialects::{encode_extras, is_empty};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::schema_rules::fits_openai;
use crate::search;
use crate::write::Writer;

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "tools",
    "tool_choice",
    "strict_tools",
    "max_tokens",
    "temperature",
    "p",
    "k",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "stop_sequences",
    "logprobs",
    "stream",
    "response_format",
    "thinking",
];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = ChatRequest::new(DIALECT, root.model(&body)?.0);
    let path = Path::Root.key("messages");
    for (index, node) in root.messages()?.list(path)?.into_iter().enumerate() {
        messages::decode_message(node, path.index(index), &mut request)?;
    }
    let strict = root.flag("strict_tools", Path::Root)?;
    let path = Path::Root.key("tools");
    for (position, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        decode_tool(node, position, path.index(position), strict, &mut request)?;
    }
    if let Some(choice) = root.text("tool_choice", Path::Root)? {
        request.tool_choice = Some(match choice.as_ref() {
            "REQUIRED" => ToolChoice::Required,
            "NONE" => ToolChoice::None,
            _ => return Err(Path::Root.key("tool_choice").invalid("`REQUIRED` or `NONE`", "another word")),
        });
    }
    request.max_tokens = root.count("max_tokens", Path::Root)?;
    request.temperature = root.number("temperature", Path::Root)?;
    request.top_p = root.number("p", Path::Root)?;
    request.top_k = root.count("k", Path::Root)?;
    request.seed = root.number("seed", Path::Root)?;
    request.presence_penalty = root.number("presence_penalty", Path::Root)?;
    request.frequency_penalty = root.number("frequency_penalty", Path::Root)?;
    let path = Path::Root.key("stop_sequences");
    for (index, node) in root.children("stop_sequences", Path::Root)?.into_iter().enumerate() {
        request.stop.push(node.text(path.index(index))?.into_owned());
    }
    request.logprobs = (root.flag("logprobs", Path::Root)? == Some(true)).then_some(0);
    request.stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    request.stream_usage = request.stream;
    for (name, node) in root.iter().filter(|(name, node)| !KNOWN.contains(name) && !node.is_null()) {
        request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    }
    decode_format(&root, &mut request)?;
    decode_thinking(&root, &mut request)?;
    Ok(request)
}

fn decode_tool(
    node: Node<'_>,
    position: usize,
    path: Path<'_>,
    strict: Option<bool>,
    request: &mut ChatRequest,
) -> Result<(), WireError> {
    let tool = node.object(path)?;
    let Some(function) = tool.child("function", path)? else {
        request.other_tools.push(OtherTool { position, definition: node.value(path)? });
        return Ok(());
    };
    let path = path.key("function");
    request.tools.push(ToolDefinition {
        name: function.required_text("name", path, "the name of a tool")?,
        description: function.text("description", path)?.map(Cow::into_owned),
        parameters: match function.get("parameters") {
            Some(node) if node.is_object() => node.value(path.key("parameters"))?,
            Some(node) => return Err(path.key("parameters").invalid("a JSON Schema object", node.kind())),
            None => Value::Null,
        },
        strict,
    });
    Ok(())
}

fn decode_format(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    const EXPECTED: &str = "`text` or `json_object`";
    let Some(format) = root.child("response_format", Path::Root)? else { return Ok(()) };
    let path = Path::Root.key("response_format");
    request.response_format = match format.required_text("type", path, EXPECTED)?.as_str() {
        "text" => None,
        "json_object" => {
            // The older name is still taken.
            let schema = format.get("json_schema").or_else(|| format.get("schema"));
            Some(match schema {
                None => ResponseFormat::JsonObject,
                Some(node) => {
                    let schema = node.value(path.key("json_schema"))?;
                    let strict = fits_openai(&schema).then_some(true);
                    ResponseFormat::JsonSchema { name: None, description: None, schema, strict }
                }
            })
        }
        _ => return Err(path.key("type").invalid(EXPECTED, "another word")),
    };
    Ok(())
}

fn decode_thinking(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    const EXPECTED: &str = "`enabled` or `disabled`";
    let Some(thinking) = root.child("thinking", Path::Root)? else { return Ok(()) };
    let path = Path::Root.key("thinking");
    request.reasoning = Some(match thinking.required_text("type", path, EXPECTED)?.as_str() {
        "enabled" => match thinking.count("token_budget", path)? {
            Some(budget) => Reasoning::Budget(budget),
            None => Reasoning::Adaptive(None),
        },
        "disabled" => Reasoning::Off,
        _ => return Err(path.key("type").invalid(EXPECTED, "another word")),
    });
    Ok(())
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        w.field("model", &request.model);
        let mut result = Ok(());
        w.list_field("messages", |w| {
            result = (0..request.messages.len()).try_for_each(|index| messages::encode_message(w, request, index));
        });
        result?;
        encode_tools(w, request)?;
        w.field_if("max_tokens", request.max_tokens);
        w.field_if("temperature", request.temperature.as_ref());
        w.field_if("p", request.top_p.as_ref());
        w.field_if("k", request.top_k);
        w.field_if("seed", request.seed.as_ref());
        for (name, gemini, value) in [
            ("presence_penalty", "generationConfig.presencePenalty", &request.presence_penalty),
            ("frequency_penalty", "generationConfig.frequencyPenalty", &request.frequency_penalty),
        ] {
            if value.as_ref().and_then(serde_json::Number::as_f64).is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                return Err(DIALECT.lacks(request.name_of(name, gemini), "it takes 0 to 1"));
            }
            w.field_if(name, value.as_ref());
        }
        match request.logprobs {
            None => {}
            Some(0) => w.field("logprobs", &true),
            Some(_) => {
                let field = request.name_of("top_logprobs", "generationConfig.logprobs");
                return Err(DIALECT.lacks(field, "it tells of the chosen tokens only; leave it out"));
            }
        }
        if request.answers.is_some_and(|answers| answers != 1) {
            let field = request.name_of("n", "generationConfig.candidateCount");
            return Err(DIALECT.lacks(field, "it gives one answer per call; send the call several times"));
        }
        match request.stop.as_slice() {
            [] => {}
            stop if stop.len() > 5 => {
                let field = request.name_of("stop", "generationConfig.stopSequences");
                return Err(DIALECT.lacks(field, "at most 5 can be sent there"));
            }
            stop => w.field("stop_sequences", stop),
        }
        if request.stream {
            w.field("stream", &true);
        }
        encode_format(w, request);
        encode_thinking(w, request);
        encode_extras(w, request, DIALECT, &[])
    })
}

fn encode_tools(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    search::other_tools(request, DIALECT)?;
    if request.parallel_tool_calls == Some(false) {
        let field = request.name_of("parallel_tool_calls", "parallel_tool_calls");
        return Err(DIALECT.lacks(field, "it can't be told to call one tool at a time; leave it out"));
    }
    if request.tools.is_empty() && request.other_tools.is_empty() {
        return Ok(());
    }
    let mut tools: Vec<&ToolDefinition> = request.tools.iter().collect();
    let choice = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => Some("NONE"),
        Some(ToolChoice::Required) => Some("REQUIRED"),
        Some(ToolChoice::Named(name)) => {
            // A tool can't be named; but the only one that there is, is it.
            tools.retain(|tool| tool.name == *name);
            Some("REQUIRED")
        }
    };
    w.list_field("tools", |w| {
        for tool in tools {
            w.object(|w| {
                w.field("type", "function");
                w.object_field("function", |w| {
                    w.field("name", &tool.name);
                    w.field_if("description", tool.description.as_ref());
                    if tool.parameters.is_null() {
                        w.object_field("parameters", |w| {
                            w.field("type", "object");
                            w.object_field("properties", |_| {});
                        });
                    } else {
                        w.field("parameters", &tool.parameters);
                    }
                });
            });
        }
        request.other_tools.iter().for_each(|other| w.item(&other.definition));
    });
    w.field_if("tool_choice", choice);
    // For all of them, or for none.
    let strict = !request.tools.is_empty() && request.tools.iter().all(|tool| tool.strict == Some(true));
    w.field_if("strict_tools", strict.then_some(true));
    Ok(())
}

fn encode_format(w: &mut Writer, request: &ChatRequest) {
    match &request.response_format {
        None => {}
        Some(ResponseFormat::JsonObject) => w.object_field("response_format", |w| w.field("type", "json_object")),
        Some(ResponseFormat::JsonSchema { schema, .. }) => w.object_field("response_format", |w| {
            w.field("type", "json_object");
            w.field("json_schema", schema);
        }),
    }
}

fn encode_thinking(w: &mut Writer, request: &ChatRequest) {
    let budget = match request.reasoning {
        None => return,
        Some(Reasoning::Off) => return w.object_field("thinking", |w| w.field("type", "disabled")),
        Some(Reasoning::Adaptive(None)) => None,
        Some(Reasoning::Budget(tokens)) => Some(tokens),
        Some(Reasoning::Effort(effort) | Reasoning::Adaptive(Some(effort))) => Some(budget_within(effort, request)),
    };
    w.object_field("thinking", |w| {
        w.field("type", "enabled");
        w.field_if("token_budget", budget);
    });
}

/// The answer must fit into the limit too.
fn budget_within(effort: Effort, request: &ChatRequest) -> u64 {
    let budget = effort.budget();
    request.max_tokens.map_or(budget, |limit| budget.min(limit / 2).max(1))
}

/// Whether another dialect can leave a field of this one out without changing what the caller gets.
pub(crate) fn harmless_field(name: &str, value: &Value) -> Result<(), &'static str> {
    let harmless = match name {
        // About speed.
        "priority" => true,
        "citation_options" => {
            value.get("mode").is_none_or(|mode| mode.as_str().is_some_and(|mode| matches!(mode, "OFF" | "DISABLED")))
        }
        "safety_mode" => value == "OFF" || value == "CONTEXTUAL",
        _ => is_empty(value) || *value == false,
    };
    if harmless {
        return Ok(());
    }
    Err(match name {
        "documents" => "only Cohere takes documents beside the messages; put them into a message",
        "citation_options" => "how sources are told can't be chosen there; leave it out",
        "safety_mode" => "only Cohere has it; leave it out, or use a policy of the gateway",
        _ => "it has no counterpart there; leave it out, or call a model whose provider speaks cohere_v2",
    })
}
