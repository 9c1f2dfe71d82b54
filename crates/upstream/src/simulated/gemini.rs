//! Gemini: `generateContent`, `streamGenerateContent`, `countTokens`, `embedContent`, `batchEmbedContents`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use signalbox_wire::Dialect;

use super::answer::{Answer, Finish, SimUsage, answer, input_tokens};
use super::directives::{Directives, percent_decoded};
use super::embeddings::embed;
use super::gemini_request::read;
use super::script::{Script, StreamWriter, raw, string};
use super::text::{estimate, pieces};
use crate::Operation;
use crate::client::Place;

const MODELS: [(&str, &str); 3] =
    [("small", "generateContent"), ("large", "generateContent"), ("embed", "embedContent")];
const DIMENSIONS: usize = 256;
const MAX_DIMENSIONS: usize = 4096;

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asks {
    pub(crate) model: String,
    method: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Generate,
    Stream,
    Count,
    Embed,
    BatchEmbed,
}

const METHODS: [(Method, &str); 5] = [
    (Method::Generate, "generateContent"),
    (Method::Stream, "streamGenerateContent"),
    (Method::Count, "countTokens"),
    (Method::Embed, "embedContent"),
    (Method::BatchEmbed, "batchEmbedContents"),
];

impl Asks {
    /// `/v1beta/models/{model}:{method}`, also below `/v1`.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let rest = ["/v1beta/models/", "/v1/models/", "/models/"].iter().find_map(|start| path.strip_prefix(start))?;
        let (model, method) = rest.rsplit_once(':')?;
        let (method, _) = METHODS.iter().find(|(_, name)| *name == method)?;
        Some(Self { model: percent_decoded(model), method: *method })
    }

    /// The path for an operation.
    pub(crate) fn path(operation: Operation, stream: bool, model: &str) -> Option<http::Uri> {
        let method = match operation {
            Operation::Chat if stream => "streamGenerateContent?alt=sse",
            Operation::Chat => "generateContent",
            Operation::Embeddings => "embedContent",
            Operation::EmbeddingsBatch => "batchEmbedContents",
            Operation::CountTokens => "countTokens",
            _ => return None,
        };
        let place = Place::parse(&format!("/v1beta/models/{{model}}:{method}")).ok()?;
        place.uri(model).ok().map(std::borrow::Cow::into_owned)
    }
}

pub(crate) fn script(asks: &Asks, body: &[u8], directives: &Directives) -> Result<Script, String> {
    match asks.method {
        Method::Embed | Method::BatchEmbed => return embeddings(asks, body, directives),
        Method::Count => {
            let asked = read(&asks.model, body)?;
            let json = format!("{{\"totalTokens\":{}}}", input_tokens(&asked));
            return Ok(Script::whole(json.into_bytes(), 0, directives));
        }
        Method::Generate | Method::Stream => {}
    }
    let asked = read(&asks.model, body)?;
    let answer = answer(&asked, directives)?;
    if asks.method == Method::Stream {
        return Ok(stream(&answer, directives.no_usage).script(Dialect::Gemini, directives));
    }
    Ok(Script::whole(whole(&answer, directives.no_usage), answer.usage.output, directives))
}

fn finish(answer: &Answer<'_>) -> &'static str {
    if answer.finish == Finish::Length { "MAX_TOKENS" } else { "STOP" }
}

/// Thinking is counted beside the answer here.
fn usage(out: &mut Vec<u8>, usage: &SimUsage) {
    let SimUsage { input, cache_read, output, reasoning, .. } = usage;
    let (candidates, total) = (output - reasoning, input + output);
    raw(out, format_args!(",\"usageMetadata\":{{\"promptTokenCount\":{input},\"candidatesTokenCount\":{candidates},"));
    if *reasoning > 0 {
        raw(out, format_args!("\"thoughtsTokenCount\":{reasoning},"));
    }
    if *cache_read > 0 {
        raw(out, format_args!("\"cachedContentTokenCount\":{cache_read},"));
    }
    raw(out, format_args!("\"totalTokenCount\":{total}}}"));
}

fn tail(out: &mut Vec<u8>, answer: &Answer<'_>) {
    out.extend_from_slice(b",\"modelVersion\":");
    string(out, answer.model);
    raw(out, format_args!(",\"responseId\":\"sim-{:016x}\"}}", answer.digest));
}

/// Each signature is of its own answer, so that a test can tell whose came back.
fn signature(answer: &Answer<'_>) -> String {
    STANDARD.encode(format!("sim-signature-{:016x}", answer.digest.rotate_left(17)))
}

/// The parts of an answer, each written by a call of `write`, which hears whether it is content.
fn parts(answer: &Answer<'_>, streamed: bool, mut write: impl FnMut(bool, &dyn Fn(&mut Vec<u8>))) {
    let mut texts = |text: &str, thought: &str| {
        let all: Vec<&str> = if streamed { pieces(text).collect() } else { vec![text] };
        for piece in all {
            write(true, &|out| {
                out.extend_from_slice(b"{\"text\":");
                string(out, piece);
                raw(out, format_args!("{thought}}}"));
            });
        }
    };
    if let Some(thinking) = &answer.thinking {
        texts(thinking, ",\"thought\":true");
    }
    if !answer.text.is_empty() {
        texts(&answer.text, "");
    }
    for (place, call) in answer.calls.iter().enumerate() {
        write(true, &|out| {
            raw(out, format_args!("{{\"functionCall\":{{\"id\":\"fc_{:016x}\",\"name\":", call.digest));
            string(out, call.name);
            raw(out, format_args!(",\"args\":{}}}", call.arguments));
            // Of calls that are made at once only the first is signed.
            if place == 0 {
                raw(out, format_args!(",\"thoughtSignature\":\"{}\"", signature(answer)));
            }
            out.push(b'}');
        });
    }
    if answer.thinking.is_some() && answer.calls.is_empty() {
        write(false, &|out| {
            raw(out, format_args!("{{\"text\":\"\",\"thoughtSignature\":\"{}\"}}", signature(answer)));
        });
    }
}

fn whole(answer: &Answer<'_>, no_usage: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(600 + answer.text.len());
    out.extend_from_slice(b"{\"candidates\":[{\"content\":{\"parts\":[");
    let start = out.len();
    parts(answer, false, |_, part| {
        if out.len() > start {
            out.push(b',');
        }
        part(&mut out);
    });
    raw(&mut out, format_args!("],\"role\":\"model\"}},\"finishReason\":\"{}\",\"index\":0}}]", finish(answer)));
    if !no_usage {
        usage(&mut out, &answer.usage);
    }
    tail(&mut out, answer);
    out
}

fn stream(answer: &Answer<'_>, no_usage: bool) -> StreamWriter {
    let mut stream = StreamWriter::new();
    parts(answer, true, |is_content, part| {
        let out = &mut stream.out;
        out.extend_from_slice(b"data: {\"candidates\":[{\"content\":{\"parts\":[");
        part(out);
        out.extend_from_slice(b"],\"role\":\"model\"},\"index\":0}]");
        tail(out, answer);
        stream.end(is_content);
    });
    let out = &mut stream.out;
    out.extend_from_slice(b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},");
    raw(out, format_args!("\"finishReason\":\"{}\",\"index\":0}}]", finish(answer)));
    if !no_usage {
        usage(out, &answer.usage);
    }
    tail(out, answer);
    stream.end(false);
    stream
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Embed {
    content: Content,
    #[serde(alias = "output_dimensionality")]
    output_dimensionality: Option<usize>,
}

#[derive(Deserialize)]
struct Content {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    text: String,
}

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Embed>,
}

fn embeddings(asks: &Asks, body: &[u8], directives: &Directives) -> Result<Script, String> {
    let invalid = |error| format!("invalid request: {error}");
    let batch = asks.method == Method::BatchEmbed;
    let requests = match batch {
        true => serde_json::from_slice::<Batch>(body).map_err(invalid)?.requests,
        false => vec![serde_json::from_slice::<Embed>(body).map_err(invalid)?],
    };
    let mut out = Vec::new();
    out.extend_from_slice(if batch { b"{\"embeddings\":[" } else { b"{\"embedding\":" });
    let mut tokens = 0;
    for (index, request) in requests.iter().enumerate() {
        let dimensions = request.output_dimensionality.unwrap_or(DIMENSIONS);
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            return Err(format!("output_dimensionality: expected 1 to {MAX_DIMENSIONS}, found {dimensions}"));
        }
        let text: String = request.content.parts.iter().map(|part| part.text.as_str()).collect();
        tokens += estimate(text.len()).max(1);
        out.extend_from_slice(if index > 0 { b",{\"values\":" } else { b"{\"values\":" });
        // Can't fail: the numbers are finite and a Vec takes everything.
        serde_json::to_writer(&mut out, &embed(&text, dimensions, directives.options.seed)).unwrap_or_default();
        out.push(b'}');
    }
    if batch {
        out.push(b']');
    }
    if !directives.no_usage {
        raw(&mut out, format_args!(",\"usageMetadata\":{{\"promptTokenCount\":{tokens}}}"));
    }
    out.push(b'}');
    Ok(Script::whole(out, 0, directives))
}

pub(crate) fn models() -> String {
    let models: Vec<String> = MODELS.iter().map(entry).collect();
    format!("{{\"models\":[{}]}}", models.join(","))
}

pub(crate) fn model(id: &str) -> Option<String> {
    MODELS.iter().find(|(model, _)| *model == id).map(entry)
}

fn entry((id, method): &(&str, &str)) -> String {
    format!(
        "{{\"name\":\"models/{id}\",\"version\":\"1\",\"displayName\":\"Simulated {id}\",\"supportedGenerationMethods\":[\"{method}\"]}}"
    )
}
