//! Requests ⇄ canonical.

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Role, ToolDefinition};

use super::fields::{Fields, camel};
use super::parts::{self, Ids};
use super::schema::to_json_schema;
use super::{DIALECT, config, turns};
use crate::canonical::{ChatRequest, OtherTool, ToolChoice};
use crate::error::WireError;
use crate::json::{Body, Node, Path};
use crate::search;
use crate::write::Writer;

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &["model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "labels"];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = super::texts::inner(Fields::new(body.object()?))?;
    let mut request = ChatRequest::new(DIALECT, root.owned("model", Path::Root)?.unwrap_or_default());
    let mut ids = Ids::default();
    if let Some(node) = root.get("systemInstruction", Path::Root)? {
        let path = Path::Root.key("systemInstruction");
        let parts = if node.is_text() {
            vec![(signalbox_types::Part::Text { content: node.unescape().into_owned() }, Default::default())]
        } else {
            parts::decode_parts(&Fields::of(node, path)?, path, &mut ids)?
        };
        request.push_hinted(Role::System, parts, path);
    }
    let path = Path::Root.key("contents");
    for (index, node) in contents(&root)?.list(path)?.into_iter().enumerate() {
        parts::decode_content(node, path.index(index), &mut request, &mut ids)?;
    }
    let path = Path::Root.key("tools");
    for (position, node) in root.children("tools", Path::Root)?.into_iter().enumerate() {
        decode_tool(node, position, path.index(position), &mut request)?;
    }
    if let Some(settings) = root.child("generationConfig", Path::Root)? {
        config::decode(&settings, Path::Root.key("generationConfig"), &mut request)?;
    }
    if let Some(node) = root.get("toolConfig", Path::Root)? {
        decode_tool_config(node, &mut request)?;
    }
    request.metadata = root.map("labels", Path::Root)?;
    for (name, node) in root.iter().filter(|(_, node)| !node.is_null()) {
        let name = camel(name);
        if !KNOWN.contains(&name.as_ref()) {
            config::keep(&mut request, &name, node)?;
        }
    }
    Ok(request)
}

/// The conversation, which must be there and be a list.
pub(super) fn contents<'a>(root: &Fields<'a>) -> Result<Node<'a>, WireError> {
    const EXPECTED: &str = "a list of contents";
    let path = Path::Root.key("contents");
    let node = root.get("contents", Path::Root)?.ok_or_else(|| path.missing(EXPECTED))?;
    if node.is_list() { Ok(node) } else { Err(path.invalid(EXPECTED, node.kind())) }
}

fn decode_tool(node: Node<'_>, position: usize, path: Path<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let tool = Fields::of(node, path)?;
    let functions = path.key("functionDeclarations");
    for (index, node) in tool.children("functionDeclarations", path)?.into_iter().enumerate() {
        match function(node, functions.index(index))? {
            Some(function) => request.tools.push(function),
            None => {
                let definition = serde_json::json!({"functionDeclarations": [node.value(functions.index(index))?]});
                request.other_tools.push(OtherTool { position, definition });
            }
        }
    }
    // What the provider runs: `googleSearch`, `codeExecution`, …; empty objects that mean much.
    for (name, node) in tool.iter().filter(|(_, node)| !node.is_null()) {
        let name = camel(name);
        if name != "functionDeclarations" {
            let value = node.value(path.key(&name))?;
            let definition = Value::Object([(name.into_owned(), value)].into_iter().collect());
            request.other_tools.push(OtherTool { position, definition });
        }
    }
    Ok(())
}

/// A function that is no more than name, description and parameters.
fn function(node: Node<'_>, path: Path<'_>) -> Result<Option<ToolDefinition>, WireError> {
    const PLAIN: &[&str] = &["name", "description", "parameters", "parametersJsonSchema"];
    let fields = Fields::of(node, path)?;
    if fields.iter().any(|(name, node)| !node.is_null() && !PLAIN.contains(&camel(name).as_ref())) {
        return Ok(None);
    }
    let schema = match (fields.get("parametersJsonSchema", path)?, fields.get("parameters", path)?) {
        (Some(node), _) => node.value(path.key("parametersJsonSchema"))?,
        (None, Some(node)) if node.is_object() => to_json_schema(node.value(path.key("parameters"))?),
        (None, Some(node)) => return Err(path.key("parameters").invalid("a schema object", node.kind())),
        (None, None) => Value::Null,
    };
    Ok(Some(ToolDefinition {
        name: fields.required("name", path, "the name of a tool")?,
        description: fields.owned("description", path)?,
        parameters: schema,
        strict: None,
    }))
}

fn decode_tool_config(node: Node<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let path = Path::Root.key("toolConfig");
    let settings = Fields::of(node, path)?;
    let calling = settings.child("functionCallingConfig", path)?;
    let inner = path.key("functionCallingConfig");
    let only_calling = settings.iter().filter(|(_, node)| !node.is_null()).count() == usize::from(calling.is_some());
    let choice = match calling.filter(|_| only_calling) {
        None => None,
        Some(calling) => {
            let names = calling.children("allowedFunctionNames", inner)?;
            let mode = calling.text("mode", inner)?.unwrap_or_default().to_uppercase();
            match (mode.as_str(), names.as_slice()) {
                ("" | "AUTO" | "MODE_UNSPECIFIED", []) => Some(ToolChoice::Auto),
                ("NONE", _) => Some(ToolChoice::None),
                ("ANY", []) => Some(ToolChoice::Required),
                ("ANY", [name]) => {
                    Some(ToolChoice::Named(name.text(inner.key("allowedFunctionNames").index(0))?.into_owned()))
                }
                _ => None,
            }
        }
    };
    match choice {
        Some(choice) => request.tool_choice = Some(choice),
        None => config::keep(request, "toolConfig", node)?,
    }
    Ok(())
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        turns::encode_system(w, request)?;
        turns::encode_contents(w, request)?;
        encode_tools(w, request)?;
        match request.stop.as_slice() {
            stop if stop.len() > 5 => {
                let field = request.name_of("stop", "generationConfig.stopSequences");
                return Err(DIALECT.lacks(field, "at most 5 can be sent there"));
            }
            _ => config::encode(w, request),
        }
        encode_extras(w, request)
    })
}

fn encode_tools(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let others = search::other_tools(request, DIALECT)?;
    if !request.tools.is_empty() || !others.is_empty() {
        w.list_field("tools", |w| {
            if !request.tools.is_empty() {
                w.object(|w| {
                    w.list_field("functionDeclarations", |w| {
                        request.tools.iter().for_each(|tool| encode_tool(w, tool))
                    });
                });
            }
            others.iter().for_each(|other| w.item(other));
        });
    }
    if let Some(ToolChoice::Named(name)) = &request.tool_choice
        && !request.tools.iter().any(|tool| tool.name == *name)
        && request.extras.dialect != DIALECT
        && !others.is_empty()
    {
        let field = request.name_of("tool_choice", "toolConfig");
        return Err(DIALECT.lacks(field, "it searches if it likes to, and can't be made to; leave it out"));
    }
    if request.tools.is_empty() {
        return Ok(());
    }
    if request.parallel_tool_calls == Some(false) {
        let hint = "it can't be kept from calling several tools at once; leave it out";
        return Err(DIALECT.lacks(request.name_of("parallel_tool_calls", "parallel_tool_calls"), hint));
    }
    let Some(choice) = &request.tool_choice else { return Ok(()) };
    w.object_field("toolConfig", |w| {
        w.object_field("functionCallingConfig", |w| {
            let mode = match choice {
                ToolChoice::Auto => "AUTO",
                ToolChoice::None => "NONE",
                ToolChoice::Required | ToolChoice::Named(_) => "ANY",
            };
            w.field("mode", mode);
            if let ToolChoice::Named(name) = choice {
                w.field("allowedFunctionNames", &[name]);
            }
        });
    });
    Ok(())
}

fn encode_tool(w: &mut Writer, tool: &ToolDefinition) {
    w.object(|w| {
        w.field("name", &tool.name);
        w.field_if("description", tool.description.as_ref());
        if !tool.parameters.is_null() {
            w.field("parametersJsonSchema", &tool.parameters);
        }
    });
}

fn encode_extras(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    if request.extras.dialect == DIALECT {
        if !request.metadata.is_empty() {
            w.field("labels", &request.metadata);
        }
        config::others(&request.extras.fields).for_each(|(name, value)| w.field(name, value));
        return Ok(());
    }
    let others = request.extras.fields.iter();
    for (name, value) in others.filter(|(name, _)| !search::is_said_by_tool(request.extras.dialect, DIALECT, name)) {
        let harmless = crate::dialects::harmless_field(request.extras.dialect, name, value);
        harmless.map_err(|hint| DIALECT.lacks(name, hint))?;
    }
    Ok(())
}
