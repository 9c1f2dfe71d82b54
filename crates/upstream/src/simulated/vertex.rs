//! Claude on Vertex AI: Anthropic's messages behind `rawPredict` and `streamRawPredict`, with the model in the path and the
//! version in the body.

use bytes::Bytes;
use serde_json::Value;

use super::directives::percent_decoded;

/// The path and the body that Anthropic's own API would have, if it is such a path; or what is wrong with the body.
pub(super) fn read(path: &str, body: &Bytes) -> Option<Result<(&'static str, Bytes), String>> {
    let (before, method) = path.rsplit_once(':')?;
    let stream = match method {
        "rawPredict" => false,
        "streamRawPredict" => true,
        _ => return None,
    };
    let model = percent_decoded(before.rsplit_once("/models/")?.1);
    Some(translate(&model, stream, body))
}

fn translate(model: &str, stream: bool, body: &Bytes) -> Result<(&'static str, Bytes), String> {
    let mut body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let fields = body.as_object_mut().ok_or("expected an object")?;
    if fields.remove("anthropic_version").is_none_or(|version| !version.is_string()) {
        return Err("anthropic_version: Field required".to_owned());
    }
    let counts = model == "count-tokens";
    match (counts, fields.contains_key("model")) {
        (false, true) => return Err("model: Extra inputs are not permitted".to_owned()),
        (false, false) => {
            fields.insert("model".to_owned(), model.into());
        }
        (true, _) => {}
    }
    if !counts && fields.get("stream").and_then(Value::as_bool).unwrap_or(false) != stream {
        return Err("stream: it must fit the method".to_owned());
    }
    let path = if counts { "/messages/count_tokens" } else { "/messages" };
    Ok((path, body.to_string().into()))
}
