//! Cohere: `/v2/chat`.

use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_wire::Dialect;

use super::answer::{Answer, Finish, answer};
use super::directives::Directives;
use super::request::{self, Asked, Choice, Text};
use super::script::{Script, StreamWriter};
use super::text::pieces;

/// What OpenAI's reader doesn't know; it reads the rest, which is the same.
#[derive(Deserialize)]
struct Own<'a> {
    #[serde(borrow)]
    tool_choice: Option<Text<'a>>,
    #[serde(borrow, default)]
    stop_sequences: Vec<Text<'a>>,
    thinking: Option<Value>,
}

pub(crate) fn script(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let mut asked: Asked<'_> = request::openai(body)?;
    let own: Own<'_> = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    asked.choice = match own.tool_choice.as_ref().map(|choice| &*choice.0) {
        None => Choice::Auto,
        Some("REQUIRED") => Choice::Required,
        Some("NONE") => Choice::None,
        Some(other) => return Err(format!("tool_choice: `{other}` is neither REQUIRED nor NONE")),
    };
    asked.stop = own.stop_sequences;
    asked.thinking = own.thinking.is_some_and(|thinking| thinking["type"] == "enabled");
    let answer = answer(&asked, directives)?;
    if asked.stream {
        return Ok(stream(&answer, directives.no_usage).script(Dialect::CohereV2, directives));
    }
    let whole = whole(&answer, directives.no_usage).to_string().into_bytes();
    Ok(Script::whole(whole, answer.usage.output, directives))
}

fn finish(answer: &Answer<'_>) -> &'static str {
    match answer.finish {
        Finish::Stop => "COMPLETE",
        Finish::StopSequence(_) => "STOP_SEQUENCE",
        Finish::Length => "MAX_TOKENS",
        Finish::ToolCalls => "TOOL_CALL",
    }
}

/// Cohere adds tokens of its own, which it doesn't bill.
fn usage(answer: &Answer<'_>) -> Value {
    let (input, output) = (answer.usage.input, answer.usage.output);
    json!({
        "billed_units": { "input_tokens": input, "output_tokens": output },
        "tokens": { "input_tokens": input + 60, "output_tokens": output + 2 },
        "cached_tokens": answer.usage.cache_read,
    })
}

fn id(answer: &Answer<'_>) -> String {
    format!("sim-{:016x}", answer.digest)
}

fn whole(answer: &Answer<'_>, no_usage: bool) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &answer.thinking {
        content.push(json!({ "type": "thinking", "thinking": thinking }));
    }
    let mut message = json!({ "role": "assistant" });
    if answer.calls.is_empty() {
        content.push(json!({ "type": "text", "text": answer.text }));
    } else {
        if !answer.text.is_empty() {
            message["tool_plan"] = Value::from(answer.text.as_str());
        }
        let calls = answer.calls.iter().map(|call| {
            let function = json!({ "name": call.name, "arguments": call.arguments });
            json!({ "id": format!("{}_{:08x}", call.name, call.digest >> 32), "type": "function", "function": function })
        });
        message["tool_calls"] = calls.collect();
    }
    if !content.is_empty() {
        message["content"] = Value::from(content);
    }
    let mut body = json!({ "id": id(answer), "finish_reason": finish(answer), "message": message });
    if !no_usage {
        body["usage"] = usage(answer);
    }
    body
}

fn stream(answer: &Answer<'_>, no_usage: bool) -> StreamWriter {
    let mut stream = StreamWriter::new();
    let mut send = |kind: &str, is_content: bool, index: Option<usize>, delta: Value| {
        let mut data = json!({ "type": kind });
        if let Some(index) = index {
            data["index"] = Value::from(index);
        }
        if !delta.is_null() {
            data["delta"] = delta;
        }
        if kind == "message-start" {
            data["id"] = Value::from(id(answer));
        }
        stream.out.extend_from_slice(format!("event: {kind}\ndata: {data}").as_bytes());
        stream.end(is_content);
    };
    let message = |message: Value| json!({ "message": message });
    let empty = json!({ "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [] });
    send("message-start", false, None, message(empty));
    let mut block = 0;
    let plans = !answer.calls.is_empty();
    let texts = [("thinking", answer.thinking.as_deref()), ("text", Some(answer.text.as_str()).filter(|_| !plans))];
    for (kind, text) in texts {
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        send("content-start", false, Some(block), message(json!({ "content": { "type": kind, kind: "" } })));
        for piece in pieces(text) {
            send("content-delta", true, Some(block), message(json!({ "content": { kind: piece } })));
        }
        send("content-end", false, Some(block), Value::Null);
        block += 1;
    }
    for piece in pieces(&answer.text).filter(|_| plans) {
        send("tool-plan-delta", true, None, message(json!({ "tool_plan": piece })));
    }
    for (index, call) in answer.calls.iter().enumerate() {
        let id = format!("{}_{:08x}", call.name, call.digest >> 32);
        let begun = json!({ "id": id, "type": "function", "function": { "name": call.name, "arguments": "" } });
        send("tool-call-start", false, Some(index), message(json!({ "tool_calls": begun })));
        for piece in pieces(&call.arguments) {
            let more = json!({ "tool_calls": { "function": { "arguments": piece } } });
            send("tool-call-delta", true, Some(index), message(more));
        }
        send("tool-call-end", false, Some(index), Value::Null);
    }
    let mut end = json!({ "finish_reason": finish(answer) });
    if !no_usage {
        end["usage"] = usage(answer);
    }
    send("message-end", false, None, end);
    stream
}
