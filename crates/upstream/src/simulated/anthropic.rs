//! Anthropic Messages.

use super::answer::{Answer, Finish, SimUsage, answer};
use super::directives::Directives;
use super::request;
use super::script::{Script, StreamWriter, raw, string};
use super::text::pieces;
use signalbox_wire::Dialect;

pub(crate) fn script(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked = request::anthropic(body)?;
    let answer = answer(&asked, directives)?;
    if asked.stream {
        return Ok(stream(&answer, directives.no_usage).script(Dialect::AnthropicMessages, directives));
    }
    Ok(Script::whole(whole(&answer, directives.no_usage), answer.usage.output, directives))
}

/// `"stop_reason":…,"stop_sequence":…`
fn finish(out: &mut Vec<u8>, answer: &Answer<'_>) {
    let reason = match answer.finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
    };
    raw(out, format_args!("\"stop_reason\":\"{reason}\",\"stop_sequence\":"));
    match answer.finish {
        Finish::StopSequence(sequence) => string(out, sequence),
        _ => out.extend_from_slice(b"null"),
    }
}

/// Anthropic's `input_tokens` leaves out what was read from or written to the cache.
fn usage(out: &mut Vec<u8>, usage: &SimUsage, output: u64) {
    let SimUsage { input, cache_read, cache_write, .. } = usage;
    let uncached = input - cache_read - cache_write;
    raw(out, format_args!("\"usage\":{{\"input_tokens\":{uncached},\"cache_creation_input_tokens\":{cache_write},"));
    raw(out, format_args!("\"cache_read_input_tokens\":{cache_read},\"output_tokens\":{output},"));
    out.extend_from_slice(b"\"service_tier\":\"standard\"}");
}

fn signature(answer: &Answer<'_>) -> String {
    format!("sim-signature-{:016x}", answer.digest.rotate_left(17))
}

fn head(out: &mut Vec<u8>, answer: &Answer<'_>) {
    raw(
        out,
        format_args!("{{\"id\":\"msg_{:016x}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":", answer.digest),
    );
    string(out, answer.model);
}

fn whole(answer: &Answer<'_>, no_usage: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(500 + answer.text.len());
    head(&mut out, answer);
    out.extend_from_slice(b",\"content\":[");
    let start = out.len();
    if let Some(thinking) = &answer.thinking {
        out.extend_from_slice(b"{\"type\":\"thinking\",\"thinking\":");
        string(&mut out, thinking);
        raw(&mut out, format_args!(",\"signature\":\"{}\"}}", signature(answer)));
    }
    if !answer.text.is_empty() {
        comma(&mut out, start);
        out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
        string(&mut out, &answer.text);
        out.push(b'}');
    }
    for call in &answer.calls {
        comma(&mut out, start);
        raw(&mut out, format_args!("{{\"type\":\"tool_use\",\"id\":\"toolu_{:016x}\",\"name\":", call.digest));
        string(&mut out, call.name);
        raw(&mut out, format_args!(",\"input\":{}}}", call.arguments));
    }
    out.extend_from_slice(b"],");
    finish(&mut out, answer);
    if !no_usage {
        out.push(b',');
        usage(&mut out, &answer.usage, answer.usage.output);
    }
    out.push(b'}');
    out
}

fn comma(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

fn stream(answer: &Answer<'_>, no_usage: bool) -> StreamWriter {
    let mut stream = StreamWriter::new();
    let out = &mut stream.out;
    out.extend_from_slice(b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":");
    head(out, answer);
    out.extend_from_slice(b",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null");
    if !no_usage {
        out.push(b',');
        usage(out, &answer.usage, 1);
    }
    out.extend_from_slice(b"}}");
    stream.end(false);

    let mut blocks = Blocks { stream, index: 0 };
    if let Some(thinking) = &answer.thinking {
        blocks.start(&|out| out.extend_from_slice(b"{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"));
        blocks.deltas("thinking_delta", "thinking", thinking);
        blocks.delta(false, "signature_delta", "signature", &signature(answer));
        blocks.stop();
    }
    if !answer.text.is_empty() {
        blocks.start(&|out| out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"\"}"));
        blocks.stream.out.extend_from_slice(b"event: ping\ndata: {\"type\":\"ping\"}");
        blocks.stream.end(false);
        blocks.deltas("text_delta", "text", &answer.text);
        blocks.stop();
    }
    for call in &answer.calls {
        blocks.start(&|out| {
            raw(out, format_args!("{{\"type\":\"tool_use\",\"id\":\"toolu_{:016x}\",\"name\":", call.digest));
            string(out, call.name);
            out.extend_from_slice(b",\"input\":{}}");
        });
        blocks.delta(false, "input_json_delta", "partial_json", "");
        blocks.deltas("input_json_delta", "partial_json", &call.arguments);
        blocks.stop();
    }

    let mut stream = blocks.stream;
    let out = &mut stream.out;
    out.extend_from_slice(b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{");
    finish(out, answer);
    out.push(b'}');
    if !no_usage {
        raw(out, format_args!(",\"usage\":{{\"output_tokens\":{}}}", answer.usage.output));
    }
    out.push(b'}');
    stream.end(false);
    stream.out.extend_from_slice(b"event: message_stop\ndata: {\"type\":\"message_stop\"}");
    stream.end(false);
    stream
}

struct Blocks {
    stream: StreamWriter,
    index: usize,
}

impl Blocks {
    fn start(&mut self, block: &dyn Fn(&mut Vec<u8>)) {
        let out = &mut self.stream.out;
        let index = self.index;
        out.extend_from_slice(b"event: content_block_start\ndata: ");
        raw(out, format_args!("{{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":"));
        block(out);
        out.push(b'}');
        self.stream.end(false);
    }

    fn deltas(&mut self, kind: &str, field: &str, text: &str) {
        for piece in pieces(text) {
            self.delta(true, kind, field, piece);
        }
    }

    fn delta(&mut self, is_content: bool, kind: &str, field: &str, text: &str) {
        let out = &mut self.stream.out;
        let index = self.index;
        out.extend_from_slice(b"event: content_block_delta\ndata: ");
        raw(
            out,
            format_args!(
                "{{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{field}\":"
            ),
        );
        string(out, text);
        out.extend_from_slice(b"}}");
        self.stream.end(is_content);
    }

    fn stop(&mut self) {
        let index = self.index;
        self.stream.out.extend_from_slice(b"event: content_block_stop\ndata: ");
        raw(&mut self.stream.out, format_args!("{{\"type\":\"content_block_stop\",\"index\":{index}}}"));
        self.stream.end(false);
        self.index += 1;
    }
}

pub(crate) fn models() -> String {
    let entry = |(id, title): (&str, &str)| {
        format!(
            "{{\"type\":\"model\",\"id\":\"{id}\",\"display_name\":\"{title}\",\"created_at\":\"2025-11-24T16:00:00Z\"}}"
        )
    };
    let models = [("small", "Simulated small"), ("large", "Simulated large")].map(entry).join(",");
    format!("{{\"data\":[{models}],\"has_more\":false,\"first_id\":\"small\",\"last_id\":\"large\"}}")
}
