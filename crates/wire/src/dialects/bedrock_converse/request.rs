//! Requests ⇄ canonical.

use bytes::Bytes;
use signalbox_types::Role;

use super::{DIALECT, additional, content, tools, turns};
use crate::canonical::{ChatRequest, ResponseFormat};
use crate::dialects::anthropic_messages::decides_sampling;
use crate::error::WireError;
use crate::json::{Body, Object, Path};
use crate::schema_rules::fits_openai;
use crate::write::Writer;

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &["messages", "system", "toolConfig", "inferenceConfig", "outputConfig", "requestMetadata"];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = ChatRequest::new(DIALECT, "");
    if let Some(system) = root.get("system") {
        let path = Path::Root.key("system");
        let parts = content::decode_blocks(system, path)?;
        request.push_hinted(Role::System, parts, path);
    }
    let path = Path::Root.key("messages");
    for (index, node) in root.children("messages", Path::Root)?.into_iter().enumerate() {
        content::decode_message(node, path.index(index), &mut request)?;
    }
    tools::decode(&root, &mut request)?;
    if let Some(config) = root.child("inferenceConfig", Path::Root)? {
        let path = Path::Root.key("inferenceConfig");
        request.max_tokens = config.count("maxTokens", path)?;
        request.temperature = config.number("temperature", path)?;
        request.top_p = config.number("topP", path)?;
        for (index, node) in config.children("stopSequences", path)?.into_iter().enumerate() {
            request.stop.push(node.text(path.key("stopSequences").index(index))?.into_owned());
        }
    }
    decode_format(&root, &mut request)?;
    request.metadata = root.map("requestMetadata", Path::Root)?;
    for (name, node) in root.iter().filter(|(name, node)| !KNOWN.contains(name) && !node.is_null()) {
        request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    }
    additional::decode(&mut request);
    Ok(request)
}

/// `outputConfig: {textFormat: {type: json_schema, structure: {jsonSchema: {schema, name, description}}}}`; the schema
/// is JSON text.
fn decode_format(root: &Object<'_>, request: &mut ChatRequest) -> Result<(), WireError> {
    let Some(config) = root.child("outputConfig", Path::Root)? else { return Ok(()) };
    let path = Path::Root.key("outputConfig");
    let Some(format) = config.child("textFormat", path)? else { return Ok(()) };
    let path = path.key("textFormat");
    if format.required_text("type", path, "`json_schema`")? != "json_schema" {
        return Err(path.key("type").invalid("`json_schema`", "another word"));
    }
    let structure = format.child("structure", path)?.ok_or_else(|| path.key("structure").missing("an object"))?;
    let path = path.key("structure");
    let described = structure.child("jsonSchema", path)?.ok_or_else(|| path.key("jsonSchema").missing("an object"))?;
    let path = path.key("jsonSchema");
    let text = described.required_text("schema", path, "a JSON Schema as text")?;
    let schema: serde_json::Value = serde_json::from_str(&text)
        .map_err(|_| path.key("schema").invalid("a JSON Schema as text", "text that is no JSON"))?;
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: described.text("name", path)?.map(std::borrow::Cow::into_owned),
        description: described.text("description", path)?.map(std::borrow::Cow::into_owned),
        strict: fits_openai(&schema).then_some(true),
        schema,
    });
    Ok(())
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    Writer::try_write(|w| {
        turns::encode_system(w, request)?;
        turns::encode_messages(w, request)?;
        encode_inference(w, request)?;
        tools::encode(w, request)?;
        encode_format(w, request)?;
        if request.extras.dialect == DIALECT && !request.metadata.is_empty() {
            w.field("requestMetadata", &request.metadata);
        }
        additional::encode(w, request)
    })
}

fn encode_inference(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    request.refuse_weights(DIALECT)?;
    request.refuse_logprobs(DIALECT)?;
    let said = !decides_sampling(request, DIALECT)?;
    let temperature = request.temperature.as_ref().filter(|_| said);
    let top_p = request.top_p.as_ref().filter(|_| said);
    if request.max_tokens.is_none() && temperature.is_none() && top_p.is_none() && request.stop.is_empty() {
        return Ok(());
    }
    w.object_field("inferenceConfig", |w| {
        w.field_if("maxTokens", request.max_tokens);
        w.field_if("temperature", temperature);
        w.field_if("topP", top_p);
        if !request.stop.is_empty() {
            w.field("stopSequences", &request.stop);
        }
    });
    Ok(())
}

fn encode_format(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    match &request.response_format {
        None => Ok(()),
        Some(ResponseFormat::JsonObject) => {
            let hint = "it has no mode for JSON without a schema; use `json_schema`, or say it in the prompt";
            Err(DIALECT.lacks(request.format_name(), hint))
        }
        Some(ResponseFormat::JsonSchema { name, description, schema, .. }) => {
            w.object_field("outputConfig", |w| {
                w.object_field("textFormat", |w| {
                    w.field("type", "json_schema");
                    w.object_field("structure", |w| {
                        w.object_field("jsonSchema", |w| {
                            w.field("schema", &schema.to_string());
                            w.field_if("name", name.as_ref());
                            w.field_if("description", description.as_ref());
                        });
                    });
                });
            });
            Ok(())
        }
    }
}
