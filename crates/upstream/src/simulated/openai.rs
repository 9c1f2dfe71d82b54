//! OpenAI Chat Completions.

use super::answer::{Answer, Finish, SimUsage, answer};
use super::directives::Directives;
use super::request;
use super::script::{Script, StreamWriter, raw, string};
use super::text::pieces;
use signalbox_wire::Dialect;

/// Every answer says it was made then: an answer is a function of the request alone.
pub(crate) const CREATED: u32 = 1_764_000_000;
const MODELS: [&str; 3] = ["small", "large", "embed"];

pub(crate) fn script(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked = request::openai(body)?;
    let answer = answer(&asked, directives)?;
    if asked.stream {
        let include_usage = asked.include_usage && !directives.no_usage;
        return Ok(stream(&answer, include_usage).script(Dialect::OpenaiChat, directives));
    }
    Ok(Script::whole(whole(&answer, directives.no_usage), answer.usage.output, directives))
}

fn finish(answer: &Answer<'_>) -> &'static str {
    match answer.finish {
        Finish::Stop | Finish::StopSequence(_) => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
    }
}

fn whole(answer: &Answer<'_>, no_usage: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(700 + answer.text.len());
    raw(&mut out, format_args!("{{\"id\":\"chatcmpl-{:016x}\",\"object\":\"chat.completion\",", answer.digest));
    raw(&mut out, format_args!("\"created\":{CREATED},\"model\":"));
    string(&mut out, answer.model);
    out.extend_from_slice(b",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if answer.text.is_empty() && !answer.calls.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        string(&mut out, &answer.text);
    }
    out.extend_from_slice(b",\"refusal\":null,\"annotations\":[]");
    for (place, call) in answer.calls.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b",\"tool_calls\":[" } else { b"," });
        raw(
            &mut out,
            format_args!("{{\"id\":\"call_{:016x}\",\"type\":\"function\",\"function\":{{\"name\":", call.digest),
        );
        string(&mut out, call.name);
        out.extend_from_slice(b",\"arguments\":");
        string(&mut out, &call.arguments);
        out.extend_from_slice(b"}}");
    }
    if !answer.calls.is_empty() {
        out.push(b']');
    }
    raw(&mut out, format_args!("}},\"logprobs\":null,\"finish_reason\":\"{}\"}}],", finish(answer)));
    if !no_usage {
        usage(&mut out, &answer.usage);
        out.push(b',');
    }
    out.extend_from_slice(b"\"service_tier\":\"default\",\"system_fingerprint\":\"fp_sim\"}");
    out
}

fn usage(out: &mut Vec<u8>, usage: &SimUsage) {
    let SimUsage { input, cache_read, output, reasoning, .. } = usage;
    let total = input + output;
    raw(
        out,
        format_args!("\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{total},"),
    );
    raw(out, format_args!("\"prompt_tokens_details\":{{\"cached_tokens\":{cache_read},\"audio_tokens\":0}},"));
    raw(out, format_args!("\"completion_tokens_details\":{{\"reasoning_tokens\":{reasoning},\"audio_tokens\":0}}}}"));
}

fn stream(answer: &Answer<'_>, include_usage: bool) -> StreamWriter {
    let mut stream = StreamWriter::new();
    let mut head = Vec::with_capacity(160);
    raw(
        &mut head,
        format_args!("data: {{\"id\":\"chatcmpl-{:016x}\",\"object\":\"chat.completion.chunk\",", answer.digest),
    );
    raw(&mut head, format_args!("\"created\":{CREATED},\"model\":"));
    string(&mut head, answer.model);
    head.extend_from_slice(b",\"system_fingerprint\":\"fp_sim\",");
    let tail: &[u8] = if include_usage { b",\"usage\":null}" } else { b"}" };
    let mut chunk = |is_content: bool, finish: Option<&str>, delta: &dyn Fn(&mut Vec<u8>)| {
        let out = &mut stream.out;
        out.extend_from_slice(&head);
        out.extend_from_slice(b"\"choices\":[{\"index\":0,\"delta\":{");
        delta(out);
        match finish {
            None => out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":null}]"),
            Some(finish) => raw(out, format_args!("}},\"logprobs\":null,\"finish_reason\":\"{finish}\"}}]")),
        }
        out.extend_from_slice(tail);
        stream.end(is_content);
    };
    chunk(false, None, &|out| out.extend_from_slice(b"\"role\":\"assistant\",\"content\":\"\",\"refusal\":null"));
    for piece in pieces(&answer.text) {
        chunk(true, None, &|out| {
            out.extend_from_slice(b"\"content\":");
            string(out, piece);
        });
    }
    for (index, call) in answer.calls.iter().enumerate() {
        chunk(true, None, &|out| {
            raw(out, format_args!("\"tool_calls\":[{{\"index\":{index},\"id\":\"call_{:016x}\",", call.digest));
            out.extend_from_slice(b"\"type\":\"function\",\"function\":{\"name\":");
            string(out, call.name);
            out.extend_from_slice(b",\"arguments\":\"\"}}]");
        });
        for piece in pieces(&call.arguments) {
            chunk(true, None, &|out| {
                raw(out, format_args!("\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":"));
                string(out, piece);
                out.extend_from_slice(b"}}]");
            });
        }
    }
    chunk(false, Some(finish(answer)), &|_| {});
    if include_usage {
        stream.out.extend_from_slice(&head);
        stream.out.extend_from_slice(b"\"choices\":[],");
        usage(&mut stream.out, &answer.usage);
        stream.out.push(b'}');
        stream.end(false);
    }
    stream.out.extend_from_slice(b"data: [DONE]");
    stream.end(false);
    stream
}

pub(crate) fn models() -> String {
    let models = MODELS.map(entry).join(",");
    format!("{{\"object\":\"list\",\"data\":[{models}]}}")
}

pub(crate) fn model(id: &str) -> Option<String> {
    let id = id.strip_prefix("sim/").unwrap_or(id);
    MODELS.iter().find(|model| **model == id).map(|model| entry(model))
}

fn entry(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"object\":\"model\",\"created\":{CREATED},\"owned_by\":\"signalbox\"}}")
}
