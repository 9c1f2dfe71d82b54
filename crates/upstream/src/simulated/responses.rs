//! OpenAI Responses, and what is kept of them: nothing, so that what is asked for by id is made of the id.

use serde_json::{Value, json};
use signalbox_wire::Dialect;

use super::answer::{Answer, Finish, SimUsage, answer};
use super::directives::Directives;
use super::openai::CREATED;
use super::responses_request;
use super::script::{Script, StreamWriter, raw};
use super::text::pieces;

pub(crate) fn script(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let (asked, encrypted) = responses_request::read(body)?;
    let answer = answer(&asked, directives)?;
    let items = items(&answer, encrypted);
    if asked.stream {
        return Ok(stream(&answer, &items, directives.no_usage).script(Dialect::OpenaiResponses, directives));
    }
    let whole = response(&answer, &items, true, directives.no_usage);
    Ok(Script::whole(whole.to_string().into_bytes(), answer.usage.output, directives))
}

fn items(answer: &Answer<'_>, encrypted: bool) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(thinking) = &answer.thinking {
        let mut item = json!({
            "id": format!("rs_{:016x}", answer.digest), "type": "reasoning",
            "summary": [{"type": "summary_text", "text": thinking}],
        });
        if encrypted {
            // Each is of its own answer, so that a test can tell whose came back.
            item["encrypted_content"] = format!("sim-encrypted-{:016x}", answer.digest.rotate_left(17)).into();
        }
        items.push(item);
    }
    if !answer.text.is_empty() {
        let part = json!({"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []});
        items.push(json!({
            "id": format!("msg_{:016x}", answer.digest), "type": "message", "role": "assistant",
            "status": if answer.finish == Finish::Length { "incomplete" } else { "completed" },
            "content": [part],
        }));
    }
    for call in &answer.calls {
        items.push(json!({
            "id": format!("fc_{:016x}", call.digest), "type": "function_call", "status": "completed",
            "call_id": format!("call_{:016x}", call.digest), "name": call.name, "arguments": call.arguments,
        }));
    }
    items
}

fn response(answer: &Answer<'_>, items: &[Value], done: bool, no_usage: bool) -> Value {
    let cut = answer.finish == Finish::Length;
    let status = match (done, cut) {
        (false, _) => "in_progress",
        (true, true) => "incomplete",
        (true, false) => "completed",
    };
    let details = (done && cut).then(|| json!({"reason": "max_output_tokens"}));
    let usage = (done && !no_usage).then(|| usage(&answer.usage));
    json!({
        "id": format!("resp_{:016x}", answer.digest), "object": "response", "created_at": CREATED, "status": status,
        "background": false, "error": null, "incomplete_details": details, "instructions": null,
        "max_output_tokens": null, "model": answer.model, "output": if done { items } else { &[] },
        "parallel_tool_calls": true, "previous_response_id": null, "reasoning": {"effort": null, "summary": null},
        "store": true, "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
        "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null, "metadata": {},
    })
}

fn usage(usage: &SimUsage) -> Value {
    let SimUsage { input, cache_read, output, reasoning, .. } = usage;
    json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": cache_read},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input + output,
    })
}

/// Numbers the events.
struct Events {
    stream: StreamWriter,
    next: usize,
}

impl Events {
    fn send(&mut self, is_content: bool, kind: &str, mut fields: Value) {
        fields["type"] = kind.into();
        fields["sequence_number"] = self.next.into();
        self.next += 1;
        raw(&mut self.stream.out, format_args!("event: {kind}\ndata: {fields}"));
        self.stream.end(is_content);
    }
}

fn stream(answer: &Answer<'_>, items: &[Value], no_usage: bool) -> StreamWriter {
    let mut events = Events { stream: StreamWriter::new(), next: 0 };
    let begun = response(answer, items, false, no_usage);
    events.send(false, "response.created", json!({"response": begun}));
    events.send(false, "response.in_progress", json!({"response": begun}));
    for (index, item) in items.iter().enumerate() {
        match item["type"].as_str() {
            Some("reasoning") => reasoning(&mut events, index, item),
            Some("message") => message(&mut events, index, item),
            _ => call(&mut events, index, item),
        }
        events.send(false, "response.output_item.done", json!({"output_index": index, "item": item}));
    }
    let done = response(answer, items, true, no_usage);
    let kind = format!("response.{}", done["status"].as_str().unwrap_or_default());
    events.send(false, &kind, json!({"response": done}));
    events.stream
}

fn added(events: &mut Events, index: usize, item: &Value, empty: &Value) {
    let mut item = item.clone();
    if let (Some(item), Some(empty)) = (item.as_object_mut(), empty.as_object()) {
        item.extend(empty.clone());
    }
    events.send(false, "response.output_item.added", json!({"output_index": index, "item": item}));
}

fn reasoning(events: &mut Events, index: usize, item: &Value) {
    added(events, index, item, &json!({"summary": []}));
    let text = item["summary"][0]["text"].as_str().unwrap_or_default();
    let about = |more: Value| merged(json!({"item_id": item["id"], "output_index": index, "summary_index": 0}), more);
    let empty = json!({"part": {"type": "summary_text", "text": ""}});
    events.send(false, "response.reasoning_summary_part.added", about(empty));
    for piece in pieces(text) {
        events.send(true, "response.reasoning_summary_text.delta", about(json!({"delta": piece})));
    }
    events.send(false, "response.reasoning_summary_text.done", about(json!({"text": text})));
    let part = json!({"part": item["summary"][0]});
    events.send(false, "response.reasoning_summary_part.done", about(part));
}

fn message(events: &mut Events, index: usize, item: &Value) {
    added(events, index, item, &json!({"status": "in_progress", "content": []}));
    let part = &item["content"][0];
    let text = part["text"].as_str().unwrap_or_default();
    let about = |more: Value| merged(json!({"item_id": item["id"], "output_index": index, "content_index": 0}), more);
    let empty = json!({"part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []}});
    events.send(false, "response.content_part.added", about(empty));
    for piece in pieces(text) {
        events.send(true, "response.output_text.delta", about(json!({"delta": piece, "logprobs": []})));
    }
    events.send(false, "response.output_text.done", about(json!({"text": text, "logprobs": []})));
    events.send(false, "response.content_part.done", about(json!({"part": part})));
}

fn call(events: &mut Events, index: usize, item: &Value) {
    added(events, index, item, &json!({"status": "in_progress", "arguments": ""}));
    let arguments = item["arguments"].as_str().unwrap_or_default();
    let about = |more: Value| merged(json!({"item_id": item["id"], "output_index": index}), more);
    for piece in pieces(arguments) {
        events.send(true, "response.function_call_arguments.delta", about(json!({"delta": piece})));
    }
    let done = json!({"name": item["name"], "arguments": arguments});
    events.send(false, "response.function_call_arguments.done", about(done));
}

fn merged(mut fields: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    fields
}

/// What is kept under an id: `/resp_1`, `/resp_1/cancel`, `/resp_1/input_items`. None if there is no such thing.
pub(crate) fn kept(method: &http::Method, below: &str) -> Option<Value> {
    let (id, what) = match below.strip_prefix('/')?.split_once('/') {
        Some((id, what)) => (id, what),
        None => (below.strip_prefix('/')?, ""),
    };
    if !id.starts_with("resp_") {
        return None;
    }
    let response = |status: &str| {
        json!({
            "id": id, "object": "response", "created_at": CREATED, "status": status, "error": null,
            "incomplete_details": null, "instructions": null, "model": "small", "output": [],
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "usage": null, "metadata": {},
        })
    };
    match (method, what) {
        (&http::Method::GET, "") => Some(response("completed")),
        (&http::Method::DELETE, "") => Some(json!({"id": id, "object": "response", "deleted": true})),
        (&http::Method::POST, "cancel") => Some(response("cancelled")),
        (&http::Method::GET, "input_items") => {
            let content = json!([{"type": "input_text", "text": "What was asked."}]);
            let item =
                json!({"id": "msg_1", "type": "message", "role": "user", "status": "completed", "content": content});
            Some(json!({"object": "list", "data": [item], "first_id": "msg_1", "last_id": "msg_1", "has_more": false}))
        }
        _ => None,
    }
}
