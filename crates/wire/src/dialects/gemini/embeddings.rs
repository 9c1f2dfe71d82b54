//! `embedContent` and `batchEmbedContents`: one text, or many.

use bytes::Bytes;
use serde_json::Map;
use signalbox_types::{Part, Role, Usage};

use super::fields::{Fields, camel, read_count};
use super::parts::{self, Ids};
use crate::codec::{Peek, TextSlot};
use crate::embeddings::{Embeddings, EmbeddingsRequest, Purpose};
use crate::error::WireError;
use crate::json::{Body, Node, Path};
use crate::write::Writer;

/// Every single request of a body, and whether they stand in a list.
fn each<'a>(
    root: Fields<'a>,
    mut take: impl FnMut(&Fields<'a>, Path<'_>) -> Result<(), WireError>,
) -> Result<bool, WireError> {
    let path = Path::Root.key("requests");
    let Some(node) = root.get("requests", Path::Root)? else {
        take(&root, Path::Root)?;
        return Ok(false);
    };
    // A provider might read the one that no scanner saw.
    if root.get("content", Path::Root)?.is_some() {
        return Err(Path::Root.key("content").invalid("either it or `requests`", "both"));
    }
    for (index, node) in node.list(path)?.into_iter().enumerate() {
        let path = path.index(index);
        take(&Fields::of(node, path)?, path)?;
    }
    Ok(true)
}

fn content<'a>(one: &Fields<'a>, path: Path<'_>) -> Result<Fields<'a>, WireError> {
    one.child("content", path)?.ok_or_else(|| path.key("content").missing("the text to embed"))
}

/// As for chat, the model stands in the path.
pub(crate) fn peek(bytes: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(bytes)?;
    each(Fields::new(body.object()?), |one, path| content(one, path).map(drop))?;
    Ok(Peek {
        model: String::new(),
        model_range: 0..0,
        stream: false,
        wants_stream_usage: false,
        user: None,
        metadata: Map::new(),
        max_tokens: None,
    })
}

pub(crate) fn texts(bytes: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(bytes)?;
    let mut slots = Vec::new();
    each(Fields::new(body.object()?), |one, path| {
        let inner = path.key("content");
        for (index, node) in content(one, path)?.children("parts", inner)?.into_iter().enumerate() {
            let text = Fields::of(node, inner.key("parts").index(index))?.get("text", inner)?;
            slots.extend(text.filter(|node| node.is_text()).map(|node| body.slot(Role::User, node)));
        }
        slots.extend(one.get("title", path)?.filter(|node| node.is_text()).map(|node| body.slot(Role::User, node)));
        Ok(())
    })?;
    slots.sort_by_key(|slot| slot.range.start);
    Ok(slots)
}

pub(crate) fn decode_request(bytes: &[u8]) -> Result<EmbeddingsRequest, WireError> {
    let body = Body::parse(bytes)?;
    let mut request = EmbeddingsRequest::default();
    request.batch = each(Fields::new(body.object()?), |one, path| decode_one(one, path, &mut request))?;
    Ok(request)
}

fn decode_one(one: &Fields<'_>, path: Path<'_>, request: &mut EmbeddingsRequest) -> Result<(), WireError> {
    const LEAVE_OUT: &str = "it has no counterpart there; leave it out, or call a model whose provider speaks gemini";
    let mut text = String::new();
    for (part, _) in parts::decode_parts(&content(one, path)?, path.key("content"), &mut Ids::default())? {
        match part {
            Part::Text { content } => text.push_str(&content),
            _ => request.refuse(path.key("content").to_string(), "only texts can be embedded there"),
        }
    }
    request.inputs.push(text);
    // The newer place of the same settings.
    let config = one.child("embedContentConfig", path)?;
    for fields in [Some(one), config.as_ref()].into_iter().flatten() {
        request.dimensions = fields.count("outputDimensionality", path)?.or(request.dimensions);
        for (name, node) in fields.iter().filter(|(_, node)| !node.is_null()) {
            let name = camel(name);
            match name.as_ref() {
                "model" | "content" | "outputDimensionality" | "embedContentConfig" => {}
                "taskType" if Purpose::find(&node.unescape()).is_some_and(|one| request.says(one)) => {
                    request.purpose = Purpose::find(&node.unescape());
                    request.purpose_field = path.key(&name).to_string();
                }
                _ => request.refuse(path.key(&name).to_string(), LEAVE_OUT),
            }
        }
    }
    Ok(())
}

pub(crate) fn encode_request(request: &EmbeddingsRequest, purpose: Option<&str>) -> Bytes {
    let body = Writer::write(|w| {
        w.list_field("requests", |w| {
            for input in &request.inputs {
                w.object(|w| {
                    w.field("model", &format!("models/{}", request.model));
                    w.object_field("content", |w| {
                        w.list_field("parts", |w| w.object(|w| w.field("text", input)));
                    });
                    w.field_if("outputDimensionality", request.dimensions);
                    w.field_if("taskType", purpose);
                });
            }
        });
    });
    body.into()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Embeddings, WireError> {
    let body = Body::parse(bytes)?;
    let root = Fields::new(body.object()?);
    let nodes = match root.get("embedding", Path::Root)? {
        Some(node) => vec![node],
        None => root.children("embeddings", Path::Root)?,
    };
    let mut answer = Embeddings { usage: usage_in(&root)?, ..Embeddings::default() };
    let path = Path::Root.key("embeddings");
    for (index, node) in nodes.into_iter().enumerate() {
        let path = path.index(index);
        let values = Fields::of(node, path)?.get("values", path)?.and_then(Node::read::<Vec<f64>>);
        answer.vectors.push(values.ok_or_else(|| path.key("values").missing("a list of numbers"))?);
    }
    Ok(answer)
}

pub(crate) fn usage(bytes: &[u8]) -> Usage {
    let read = Body::parse(bytes).and_then(|body| usage_in(&Fields::new(body.object()?)));
    read.unwrap_or_default()
}

fn usage_in(root: &Fields<'_>) -> Result<Usage, WireError> {
    let told = root.child("usageMetadata", Path::Root)?;
    let tokens = told.map(|told| told.get("promptTokenCount", Path::Root)).transpose()?.flatten();
    Ok(Usage { input_tokens: tokens.and_then(read_count), ..Usage::default() })
}

pub(crate) fn encode(answer: &Embeddings, asked: &EmbeddingsRequest) -> Bytes {
    let values = |w: &mut Writer, vector: &Vec<f64>| w.field("values", vector);
    let body = Writer::write(|w| {
        if asked.batch {
            w.list_field("embeddings", |w| {
                answer.vectors.iter().for_each(|vector| w.object(|w| values(w, vector)));
            });
        } else {
            w.object_field("embedding", |w| answer.vectors.iter().take(1).for_each(|vector| values(w, vector)));
        }
        if let Some(tokens) = answer.usage.input_tokens {
            w.object_field("usageMetadata", |w| w.field("promptTokenCount", &tokens));
        }
    });
    body.into()
}
