//! Cohere's `POST /v2/embed`.

use bytes::Bytes;

use super::{Embeddings, EmbeddingsRequest, Form, Purpose, base64_of, of_base64};
use crate::error::WireError;
use crate::json::{Body, Node, Object, Path};
use crate::write::Writer;

/// What a model of its third version and later must be told, where the caller's API has no word for it.
const DOCUMENT: &str = "search_document";

pub(super) fn decode_request(bytes: &[u8]) -> Result<EmbeddingsRequest, WireError> {
    const LEAVE_OUT: &str = "it has no counterpart there; leave it out, or call a model of Cohere";
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = EmbeddingsRequest {
        model: root.model(&body)?.0,
        dimensions: root.count("output_dimension", Path::Root)?,
        batch: true,
        purpose_is_duty: true,
        ..EmbeddingsRequest::default()
    };
    texts(&root, &mut request)?;
    if let Some(word) = root.text("input_type", Path::Root)? {
        request.purpose = Purpose::find(&word);
        if request.purpose.is_none() {
            request.refuse("input_type".to_owned(), "only texts can be embedded there");
        }
    }
    let path = Path::Root.key("embedding_types");
    for (index, node) in root.children("embedding_types", Path::Root)?.into_iter().enumerate() {
        match node.text(path.index(index))?.as_ref() {
            "float" => request.floats = true,
            "base64" => request.base64 = true,
            _ => request.refuse(path.index(index).to_string(), "only `float` and `base64` can be had there"),
        }
    }
    request.floats |= !request.base64;
    for (name, node) in root.iter().filter(|(_, node)| !node.is_null()) {
        let known = match name {
            "model" | "texts" | "inputs" | "input_type" | "embedding_types" | "output_dimension" => true,
            // What is too long is refused by others, which tells the caller.
            "truncate" => node.unescape() != "START",
            // The same on both sides.
            "max_tokens" | "priority" => true,
            _ => false,
        };
        if !known {
            request.refuse(name.to_owned(), LEAVE_OUT);
        }
    }
    Ok(request)
}

fn texts(root: &Object<'_>, request: &mut EmbeddingsRequest) -> Result<(), WireError> {
    let path = Path::Root.key("texts");
    for (index, node) in root.children("texts", Path::Root)?.into_iter().enumerate() {
        request.inputs.push(node.text(path.index(index))?.into_owned());
    }
    let inputs = Path::Root.key("inputs");
    for (index, node) in root.children("inputs", Path::Root)?.into_iter().enumerate() {
        let path = inputs.index(index);
        let mut said = String::new();
        for (number, node) in node.object(path)?.children("content", path)?.into_iter().enumerate() {
            let content = path.key("content");
            let path = content.index(number);
            match node.object(path)?.text("text", path)? {
                Some(text) => said.push_str(&text),
                None => request.refuse(path.to_string(), "only texts can be embedded there"),
            }
        }
        request.inputs.push(said);
    }
    Ok(())
}

pub(super) fn encode_request(request: &EmbeddingsRequest, purpose: Option<&str>) -> Result<Bytes, WireError> {
    request.refuse_extras(Form::Cohere)?;
    let body = Writer::write(|w| {
        w.field("model", &request.model);
        w.field("texts", &request.inputs);
        w.field("input_type", purpose.unwrap_or(DOCUMENT));
        w.field("embedding_types", &["float"]);
        w.field_if("output_dimension", request.dimensions);
    });
    Ok(body.into())
}

pub(super) fn decode(bytes: &[u8]) -> Result<Embeddings, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let path = Path::Root.key("embeddings");
    let told = root.child("embeddings", Path::Root)?.ok_or_else(|| path.missing("an object"))?;
    let floats = told.get("float").and_then(Node::read::<Vec<Vec<f64>>>);
    let coded = || {
        let texts = told.get("base64").and_then(Node::read::<Vec<String>>)?;
        texts.iter().map(|text| of_base64(text)).collect()
    };
    let vectors = floats.or_else(coded).ok_or_else(|| path.key("float").missing("lists of numbers"))?;
    let id = root.str("id").map(Into::into);
    Ok(Embeddings { id, model: None, vectors, usage: crate::along::usage(bytes) })
}

pub(super) fn encode(answer: &Embeddings, asked: &EmbeddingsRequest) -> Bytes {
    let body = Writer::write(|w| {
        w.field("id", answer.id.as_deref().unwrap_or("unnamed"));
        w.object_field("embeddings", |w| {
            if asked.floats {
                w.field("float", &answer.vectors);
            }
            if asked.base64 {
                let coded: Vec<String> = answer.vectors.iter().map(|vector| base64_of(vector)).collect();
                w.field("base64", &coded);
            }
        });
        w.field("texts", &asked.inputs);
        w.object_field("meta", |w| {
            w.object_field("api_version", |w| w.field("version", "2"));
            if let Some(tokens) = answer.usage.input_tokens {
                w.object_field("billed_units", |w| w.field("input_tokens", &tokens));
            }
        });
        w.field("response_type", "embeddings_by_type");
    });
    body.into()
}
