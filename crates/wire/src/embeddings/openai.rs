//! `POST /v1/embeddings` in OpenAI's dialect, and in that of those that imitate it with words of their own: Voyage and Jina.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};
use signalbox_types::Role;

use super::{Embeddings, EmbeddingsRequest, Form, Purpose, base64_of, of_base64};
use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Path};
use crate::write::Writer;

/// The facts that stages need; `stream` and what belongs to it are always off.
///
/// # Errors
/// As [`crate::Codec::peek`].
pub fn peek(body: &[u8]) -> Result<Peek, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    if root.get("input").is_none() {
        return Err(WireError::Missing { field: "input".into(), expected: "the text or texts to embed" });
    }
    let (model, model_range) = root.model(&body)?;
    Ok(Peek {
        model,
        model_range,
        stream: false,
        wants_stream_usage: false,
        user: root.text("user", Path::Root)?.map(Cow::into_owned),
        metadata: Map::new(),
        max_tokens: None,
    })
}

/// The texts to embed, and the caller's user. Inputs that are token numbers hold none.
///
/// # Errors
/// As [`crate::Codec::texts`].
pub fn texts(body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    let body = Body::parse(body)?;
    let root = body.object()?;
    let mut slots = Vec::new();
    if let Some(input) = root.get("input") {
        if input.is_text() {
            slots.push(body.slot(Role::User, input));
        } else if input.is_list() {
            for item in input.list(Path::Root.key("input"))? {
                if item.is_text() {
                    slots.push(body.slot(Role::User, item));
                }
            }
        }
    }
    slots.extend(root.get("user").filter(|node| node.is_text()).map(|node| body.slot(Role::User, node)));
    slots.sort_by_key(|slot| slot.range.start);
    Ok(slots)
}

/// The model and the number of dimensions that an embeddings answer names, for the record.
#[must_use]
pub fn answer_model(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        model: Option<Value>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.model?.as_str().map(str::to_owned)
}

/// Reads a request. What OpenAI doesn't know, those that imitate it may.
pub(super) fn decode_request(bytes: &[u8]) -> Result<EmbeddingsRequest, WireError> {
    const EXPECTED: &str = "a string or a list of strings";
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let path = Path::Root.key("input");
    let input = root.get("input").ok_or_else(|| path.missing(EXPECTED))?;
    let base64 = root.str("encoding_format").as_deref() == Some("base64");
    let mut request = EmbeddingsRequest {
        model: root.model(&body)?.0,
        dimensions: root.count("dimensions", Path::Root)?,
        batch: input.is_list(),
        base64,
        floats: !base64,
        ..EmbeddingsRequest::default()
    };
    let items = if input.is_list() { input.list(path)? } else { vec![input] };
    for (index, item) in items.into_iter().enumerate() {
        match item.is_text() {
            true => request.inputs.push(item.unescape().into_owned()),
            false => request.refuse(path.index(index).to_string(), "token numbers can't be sent there; send the text"),
        }
    }
    for (name, node) in root.iter().filter(|(_, node)| !node.is_null()) {
        match name {
            // Who asks changes no vector.
            "model" | "input" | "dimensions" | "encoding_format" | "user" => {}
            // Voyage's and Jina's name for what the vectors are for.
            "input_type" | "task" if node.is_text() && Purpose::find(&node.unescape()).is_some() => {
                request.purpose = Purpose::find(&node.unescape());
                request.purpose_field = name.to_owned();
            }
            name => {
                request.extras.insert(name.to_owned(), node.value(Path::Root.key(name))?);
            }
        }
    }
    Ok(request)
}

/// Writes a request; `purpose` is the form's word for it.
pub(super) fn encode_request(request: &EmbeddingsRequest, form: Form, purpose: Option<&str>) -> Bytes {
    let body = Writer::write(|w| {
        w.field("model", &request.model);
        w.field("input", &request.inputs);
        match form {
            Form::Voyage => {
                w.field_if("output_dimension", request.dimensions);
                w.field_if("input_type", purpose);
            }
            Form::Jina => {
                w.field_if("dimensions", request.dimensions);
                w.field_if("task", purpose);
            }
            Form::Openai | Form::Cohere | Form::Gemini => {
                w.field_if("dimensions", request.dimensions);
                w.field("encoding_format", "float");
            }
        }
        request.extras.iter().for_each(|(name, value)| w.field(name, value));
    });
    body.into()
}

/// Reads an answer.
pub(super) fn decode(bytes: &[u8]) -> Result<Embeddings, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut answer = Embeddings {
        id: root.str("id").map(Cow::into_owned),
        model: root.str("model").map(Cow::into_owned),
        usage: crate::along::usage(bytes),
        ..Embeddings::default()
    };
    let path = Path::Root.key("data");
    for (index, node) in root.children("data", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        let vector = node.object(path)?.get("embedding").and_then(|node| match node.is_text() {
            true => of_base64(&node.unescape()),
            false => node.read::<Vec<f64>>(),
        });
        answer.vectors.push(vector.ok_or_else(|| path.key("embedding").missing("a list of numbers"))?);
    }
    Ok(answer)
}

/// Writes an answer.
pub(super) fn encode(answer: &Embeddings, asked: &EmbeddingsRequest) -> Bytes {
    let body = Writer::write(|w| {
        w.field("object", "list");
        w.list_field("data", |w| {
            for (index, vector) in answer.vectors.iter().enumerate() {
                w.object(|w| {
                    w.field("object", "embedding");
                    w.field("index", &index);
                    match asked.base64 {
                        true => w.field("embedding", &base64_of(vector)),
                        false => w.field("embedding", vector),
                    }
                });
            }
        });
        w.field("model", answer.model.as_deref().unwrap_or(&asked.model));
        let tokens = answer.usage.input_tokens.unwrap_or(0);
        w.object_field("usage", |w| {
            w.field("prompt_tokens", &tokens);
            w.field("total_tokens", &tokens);
        });
    });
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_or_many_texts_and_no_tokens() {
        let check = |body: &str, expect: &[&str]| {
            let found = texts(body.as_bytes()).unwrap();
            assert_eq!(found.iter().map(|slot| slot.text.as_ref()).collect::<Vec<_>>(), expect, "{body}");
        };
        check(r#"{"model":"m","input":"a\nb"}"#, &["a\nb"]);
        check(r#"{"model":"m","input":["a","b"]}"#, &["a", "b"]);
        check(r#"{"model":"m","input":[[1,2],[3]]}"#, &[]);
        check(r#"{"model":"m","input":[1,2]}"#, &[]);
    }

    #[test]
    fn names_what_is_missing() {
        let message = |body: &str| peek(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(message(r#"{"model":"m"}"#), "`input` is missing: expected the text or texts to embed");
        assert_eq!(message(r#"{"input":"m"}"#), "`model` is missing: expected the name of a model");
    }

    #[test]
    fn reads_the_model() {
        let body = br#"{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        assert_eq!(answer_model(body).as_deref(), Some("e"));
        assert_eq!(answer_model(b"garbage"), None);
    }
}
