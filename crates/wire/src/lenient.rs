//! Requests whose settings may be left out where a dialect can't say them. What is *said* (messages and what is in them)
//! never is.

use bytes::Bytes;
use serde_json::Value;

use crate::canonical::{ChatRequest, ResponseFormat};
use crate::codec::Codec;
use crate::error::WireError;

/// Writes a request without what the dialect can't say of its settings, and names those.
///
/// # Errors
/// [`WireError::Unsupported`] for what can't be left out.
pub fn encode_leniently(codec: &dyn Codec, request: &mut ChatRequest) -> Result<(Bytes, Vec<String>), WireError> {
    let mut dropped = Vec::new();
    loop {
        match codec.encode_request(request) {
            Ok(bytes) => return Ok((bytes, dropped)),
            Err(WireError::Unsupported { field, .. }) if leave_out(request, &field) => {
                // A schema is left out for some JSON first, and then that too.
                if !dropped.contains(&field) {
                    dropped.push(field);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Takes a setting out by the caller's name for it; false if there is none of the name, so that nothing is tried forever.
fn leave_out(request: &mut ChatRequest, field: &str) -> bool {
    if request.extras.fields.remove(field).is_some() {
        return true;
    }
    if let Some(place) = field.strip_prefix("tools[").and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok()) {
        let before = request.other_tools.len();
        request.other_tools.retain(|other| other.position != place);
        return request.other_tools.len() < before;
    }
    if let Some((tool, setting)) = field.strip_prefix("tools[").and_then(|rest| rest.split_once("].")) {
        let mut others = request.other_tools.iter_mut();
        let other = others.find(|other| tool.parse() == Ok(other.position));
        return other.is_some_and(|other| take_out(&mut other.definition, setting));
    }
    // It has a word of its own beside what stands in there.
    if field == "additionalModelRequestFields.top_k" {
        return request.top_k.take().is_some();
    }
    if let Some((options, setting)) = field.split_once('.')
        && let Some(options) = request.extras.fields.get_mut(options)
    {
        return take_out(options, setting);
    }
    // How many others it tells of beside the chosen token.
    if matches!(field, "top_logprobs" | "generationConfig.logprobs") {
        let told = request.logprobs.is_some_and(|top| top > 0);
        request.logprobs = request.logprobs.map(|_| 0);
        return told;
    }
    let inner = field.strip_prefix("generationConfig.").or_else(|| field.strip_prefix("inferenceConfig."));
    let name = inner.unwrap_or(field);
    match name {
        "seed" => request.seed.take().is_some(),
        "temperature" => request.temperature.take().is_some(),
        "top_p" | "topP" | "p" => request.top_p.take().is_some(),
        "top_k" | "topK" | "k" => request.top_k.take().is_some(),
        "presence_penalty" | "presencePenalty" => request.presence_penalty.take().is_some(),
        "frequency_penalty" | "frequencyPenalty" => request.frequency_penalty.take().is_some(),
        "n" | "candidateCount" => request.answers.take().is_some(),
        "logprobs" | "responseLogprobs" | "include" => request.logprobs.take().is_some(),
        "parallel_tool_calls" | "tool_choice.disable_parallel_tool_use" => request.parallel_tool_calls.take().is_some(),
        "tool_choice" | "toolConfig" | "toolConfig.toolChoice" => request.tool_choice.take().is_some(),
        // Texts beyond what it takes, or all of them.
        "stop" | "stop_sequences" | "stopSequences" => match request.stop.len() {
            0 => false,
            5.. => {
                request.stop.truncate(4);
                true
            }
            _ => {
                request.stop.clear();
                true
            }
        },
        // Rather some JSON than none.
        "response_format" | "text.format" | "output_config" | "outputConfig" | "responseMimeType" => {
            match request.response_format.take() {
                Some(ResponseFormat::JsonSchema { .. }) => {
                    request.response_format = Some(ResponseFormat::JsonObject);
                    true
                }
                other => other.is_some(),
            }
        }
        "thinking" | "thinkingConfig" | "additionalModelRequestFields" | "reasoning_effort" | "reasoning.effort" => {
            request.reasoning.take().is_some()
        }
        _ => false,
    }
}

/// Takes a setting out of a tool, which Gemini's callers have within one more object.
fn take_out(tool: &mut Value, setting: &str) -> bool {
    if let Some(search) = tool.get_mut("googleSearch") {
        return take_out(search, setting);
    }
    match setting.split_once('.') {
        Some((outer, inner)) => tool.get_mut(outer).is_some_and(|tool| take_out(tool, inner)),
        None => tool.as_object_mut().is_some_and(|fields| fields.remove(setting).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::{ALL, Dialect, codec};

    fn said(from: Dialect, to: Dialect, body: &Value) -> Result<(Value, Vec<String>), WireError> {
        let mut request = codec(from).decode_request(body.to_string().as_bytes()).unwrap();
        request.model = "m".into();
        let (bytes, dropped) = encode_leniently(codec(to), &mut request)?;
        Ok((serde_json::from_slice(&bytes).unwrap(), dropped))
    }

    #[test]
    fn settings_are_left_out_and_named() {
        let body = json!({
            "model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5, "seed": 1, "n": 2,
            "logprobs": true, "logit_bias": {"5": 1}, "temperature": 1.5, "presence_penalty": 0.5,
            "tools": [{"type": "custom", "custom": {"name": "x"}}],
        });
        let (said, mut dropped) = said(Dialect::OpenaiChat, Dialect::AnthropicMessages, &body).unwrap();
        dropped.sort();
        let expect = ["logit_bias", "logprobs", "n", "presence_penalty", "seed", "temperature", "tools[0]"];
        assert_eq!(dropped, expect);
        let plain = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(said, plain);
    }

    #[test]
    fn what_is_said_is_never_left_out() {
        let content = json!([{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]);
        let body = json!({"model": "m", "messages": [{"role": "user", "content": content}], "seed": 1});
        let error = said(Dialect::OpenaiChat, Dialect::AnthropicMessages, &body).unwrap_err();
        assert_eq!(error.field(), Some("messages[0].content"));
    }

    #[test]
    fn nothing_is_left_out_that_can_be_said() {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": 1, "n": 2});
        let (_, dropped) = said(Dialect::OpenaiChat, Dialect::OpenaiChat, &body).unwrap();
        assert!(dropped.is_empty());
    }

    #[test]
    fn it_ends_for_every_request_and_dialect() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialects");
        for from in ALL {
            let requests = folder.join(from.dialect().as_str()).join("fixtures/request");
            for file in std::fs::read_dir(requests).unwrap() {
                let body = std::fs::read(file.unwrap().path()).unwrap();
                for to in ALL {
                    let mut request = from.decode_request(&body).unwrap();
                    if let Ok((_, dropped)) = encode_leniently(*to, &mut request) {
                        assert!(from.dialect() != to.dialect() || dropped.is_empty(), "{dropped:?}");
                    }
                }
            }
        }
    }
}
