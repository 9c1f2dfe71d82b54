//! `POST /v1/embeddings` in OpenAI's dialect: the little that stages need to read of it.

use std::borrow::Cow;

use serde_json::{Map, Value};
use signalbox_types::{Role, Usage};

use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Path};

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

/// What an embeddings answer says was used; unknown if it says nothing.
#[must_use]
pub fn usage(body: &[u8]) -> Usage {
    #[derive(serde::Deserialize)]
    struct Answer {
        usage: Option<Tokens>,
    }
    #[derive(serde::Deserialize)]
    struct Tokens {
        prompt_tokens: Option<u64>,
    }
    let tokens = serde_json::from_slice::<Answer>(body).ok().and_then(|answer| answer.usage);
    Usage { input_tokens: tokens.and_then(|tokens| tokens.prompt_tokens), ..Usage::default() }
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
    fn reads_usage_and_model() {
        let body = br#"{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        assert_eq!(usage(body).input_tokens, Some(7));
        assert_eq!(answer_model(body).as_deref(), Some("e"));
        assert!(usage(b"garbage").is_unknown());
    }
}
