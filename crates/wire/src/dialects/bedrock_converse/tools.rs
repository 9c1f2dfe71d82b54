//! Tools ⇄ canonical.

use std::borrow::Cow;

use serde_json::Value;
use signalbox_types::{Part, ToolDefinition};

use super::DIALECT;
use super::content::cache_control;
use super::turns::{cache_point, caches};
use crate::canonical::{CachePlace, ChatRequest, OtherTool, ToolChoice};
use crate::error::WireError;
use crate::json::{Node, Object, Path};
use crate::search;
use crate::write::Writer;

pub(super) fn decode(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let Some(config) = root.child("toolConfig", Path::Root)? else { return Ok(()) };
    let path = Path::Root.key("toolConfig");
    for (position, node) in config.children("tools", path)?.into_iter().enumerate() {
        decode_tool(node, position, path.key("tools").index(position), request)?;
    }
    let Some(choice) = config.child("toolChoice", path)? else { return Ok(()) };
    let path = path.key("toolChoice");
    request.tool_choice = if choice.get("auto").is_some() {
        Some(ToolChoice::Auto)
    } else if choice.get("any").is_some() {
        Some(ToolChoice::Required)
    } else if let Some(tool) = choice.child("tool", path)? {
        Some(ToolChoice::Named(tool.required_text("name", path.key("tool"), "the name of a tool")?))
    } else {
        return Err(path.invalid("`auto`, `any` or `tool`", "none of these"));
    };
    Ok(())
}

fn decode_tool(node: Node<'_>, position: usize, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let tool = node.object(path)?;
    if let Some(mark) = tool.get("cachePoint") {
        if let Some(last) = request.tools.len().checked_sub(1) {
            let mark = cache_control(mark, path.key("cachePoint"))?;
            request.cache_marks.push((CachePlace::Tool(last), mark));
        }
        return Ok(());
    }
    let Some(spec) = tool.child("toolSpec", path)? else {
        request.other_tools.push(OtherTool { position, definition: node.value(path)? });
        return Ok(());
    };
    let path = path.key("toolSpec");
    let schema = spec.child("inputSchema", path)?.and_then(|schema| schema.get("json"));
    request.tools.push(ToolDefinition {
        name: spec.required_text("name", path, "the name of a tool")?,
        description: spec.text("description", path)?.map(Cow::into_owned),
        parameters: match schema {
            Some(node) if node.is_object() => node.value(path.key("inputSchema"))?,
            _ => return Err(path.key("inputSchema").missing("`json`: a JSON Schema object")),
        },
        strict: spec.flag("strict", path)?,
    });
    Ok(())
}

pub(super) fn encode(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    search::other_tools(request, DIALECT)?;
    if request.parallel_tool_calls == Some(false) {
        let hint = "it can't be told to call one tool at a time; leave it out";
        return Err(DIALECT.lacks(request.name_of("parallel_tool_calls", "parallel_tool_calls"), hint));
    }
    let called = called_before(request);
    let forbidden = request.tool_choice == Some(ToolChoice::None);
    if forbidden && !called.is_empty() {
        let hint = "where tools were called before, it must know them, and it can't be told to call none; leave it out";
        return Err(DIALECT.lacks(request.name_of("tool_choice", "toolConfig"), hint));
    }
    // Tools that are not to be called need not be known.
    if forbidden || (request.tools.is_empty() && request.other_tools.is_empty() && called.is_empty()) {
        return Ok(());
    }
    w.object_field("toolConfig", |w| {
        w.list_field("tools", |w| {
            for (index, tool) in request.tools.iter().enumerate() {
                encode_tool(w, tool);
                let mark = request.cache_marks.iter().find(|(place, _)| *place == CachePlace::Tool(index));
                if let Some((_, mark)) = mark.filter(|_| caches(request)) {
                    cache_point(w, mark);
                }
            }
            request.other_tools.iter().for_each(|other| w.item(&other.definition));
            if request.tools.is_empty() && request.other_tools.is_empty() {
                called.iter().for_each(|name| encode_tool(w, &known_by_name(name)));
            }
        });
        match &request.tool_choice {
            None | Some(ToolChoice::None) => {}
            Some(ToolChoice::Auto) => w.object_field("toolChoice", |w| w.object_field("auto", |_| {})),
            Some(ToolChoice::Required) => w.object_field("toolChoice", |w| w.object_field("any", |_| {})),
            Some(ToolChoice::Named(name)) => {
                w.object_field("toolChoice", |w| w.object_field("tool", |w| w.field("name", name)));
            }
        }
    });
    Ok(())
}

fn encode_tool(w: &mut Writer, tool: &ToolDefinition) {
    w.object(|w| {
        w.object_field("toolSpec", |w| {
            w.field("name", &tool.name);
            // An empty one is refused.
            w.field_if("description", tool.description.as_ref().filter(|text| !text.is_empty()));
            w.object_field("inputSchema", |w| {
                if tool.parameters.is_null() {
                    w.object_field("json", |w| {
                        w.field("type", "object");
                        w.object_field("properties", |_| {});
                    });
                } else {
                    w.field("json", &tool.parameters);
                }
            });
            // `false` is the default, and not every model takes the field.
            w.field_if("strict", tool.strict.filter(|strict| *strict));
        });
    });
}

/// The names of tools that were called in the conversation, each once. The API refuses calls and answers of tools
/// where no tool is defined, which is what other dialects' callers send when a conversation goes on without its tools.
fn called_before(request: &ChatRequest) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        if let Part::ToolCall { name, .. } = part
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    names
}

fn known_by_name(name: &str) -> ToolDefinition {
    ToolDefinition { name: name.to_owned(), description: None, parameters: Value::Null, strict: None }
}
