//! What has no dialect of its own: completions of texts, moderations, pictures, speech and counting. Small answers, made
//! of the request alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_wire::Dialect;

use super::answer::{Answer, Finish, SimUsage, answer, input_tokens};
use super::directives::Directives;
use super::openai::CREATED;
use super::request::{self, Asked, Choice, Format, Speaker, Turn};
use super::script::{Script, StreamWriter, raw};
use super::text::{Digest, estimate, pieces};
use crate::Operation;

/// A picture of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0, 1, 0, 0, 5, 0, 1,
    0x0D, 0x0A, 0x2D, 0xB4, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
];
/// A hundredth of a second of silence: 80 samples of 8 bits at 8 kHz.
const SAMPLES: usize = 80;

pub(crate) fn script(
    operation: Operation,
    content_type: Option<&HeaderValue>,
    body: &[u8],
    directives: &Directives,
) -> Result<Script, String> {
    match operation {
        Operation::Completions => completions(body, directives),
        Operation::CountTokens => {
            let counted = json!({"input_tokens": input_tokens(&request::anthropic_to_count(body)?)});
            Ok(whole(&counted, 0, directives))
        }
        Operation::Moderations => moderations(body, directives),
        Operation::Images => images(body, directives),
        Operation::Speech => speech(body, directives),
        Operation::Transcriptions => transcriptions(content_type, body, directives),
        Operation::Rerank => rerank(body, directives),
        Operation::CohereEmbed => super::embeddings::cohere(body, directives),
        other => Err(format!("no answer to {}", other.as_str())),
    }
}

fn whole(answer: &Value, tokens: u64, directives: &Directives) -> Script {
    Script::whole(answer.to_string().into_bytes(), tokens, directives)
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))
}

fn digest(texts: &[&str]) -> u64 {
    let mut digest = Digest::new(0);
    texts.iter().for_each(|text| digest.add(text));
    digest.finish()
}

/// A text, or all of a list of them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => {
            all.iter().filter_map(|one| Some(one.as_str().or_else(|| one["text"].as_str())?.to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

#[derive(Deserialize)]
struct Completion {
    model: String,
    prompt: Value,
    max_tokens: Option<u64>,
    stream: Option<bool>,
    stream_options: Option<Value>,
}

fn completions(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked: Completion = read(body)?;
    let prompts = texts(&asked.prompt);
    if prompts.is_empty() {
        return Err("prompt: expected a text or a list of texts".to_owned());
    }
    let questions: Vec<Asked<'_>> = prompts
        .iter()
        .map(|prompt| Asked {
            model: asked.model.as_str().into(),
            stream: false,
            include_usage: true,
            max_tokens: asked.max_tokens,
            turns: vec![Turn { speaker: Speaker::User, text: prompt.as_str().into(), calls: 0 }],
            tools: Vec::new(),
            choice: Choice::None,
            format: Format::Text,
            thinking: false,
            stop: Vec::new(),
        })
        .collect();
    let answers: Vec<Answer<'_>> = questions.iter().map(|one| answer(one, directives)).collect::<Result<_, _>>()?;
    let Some(first) = answers.first() else { return Err("prompt: it is empty".to_owned()) };
    let object = |choices: Value| {
        json!({
            "id": format!("cmpl-{:016x}", first.digest), "object": "text_completion", "created": CREATED,
            "model": first.model, "choices": choices,
        })
    };
    let sum = |count: fn(&SimUsage) -> u64| answers.iter().map(|answer| count(&answer.usage)).sum::<u64>();
    let (input, output) = (sum(|usage| usage.input), sum(|usage| usage.output));
    let usage = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    let choice = |index: usize, text: &str, finish: Option<&str>| json!({"index": index, "text": text, "logprobs": null, "finish_reason": finish});
    let finish = |answer: &Answer<'_>| if answer.finish == Finish::Length { "length" } else { "stop" };
    if asked.stream != Some(true) {
        let choices =
            answers.iter().enumerate().map(|(index, one)| choice(index, &one.text, Some(finish(one)))).collect();
        let mut all = object(choices);
        if !directives.no_usage {
            all["usage"] = usage;
        }
        return Ok(whole(&all, output, directives));
    }
    let mut stream = StreamWriter::new();
    let mut send = |is_content: bool, event: &Value| {
        raw(&mut stream.out, format_args!("data: {event}"));
        stream.end(is_content);
    };
    for (index, answer) in answers.iter().enumerate() {
        for piece in pieces(&answer.text) {
            send(true, &object(json!([choice(index, piece, None)])));
        }
        send(false, &object(json!([choice(index, "", Some(finish(answer)))])));
    }
    if asked.stream_options.is_some_and(|options| options["include_usage"] == true) && !directives.no_usage {
        let mut last = object(json!([]));
        last["usage"] = usage;
        send(false, &last);
    }
    stream.out.extend_from_slice(b"data: [DONE]");
    stream.end(false);
    Ok(stream.script(Dialect::OpenaiCompletions, directives))
}

#[derive(Deserialize)]
struct Moderation {
    model: Option<String>,
    input: Value,
}

/// Whatever speaks of killing is flagged.
fn moderations(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked: Moderation = read(body)?;
    let inputs = texts(&asked.input);
    if inputs.is_empty() {
        return Err("input: expected a text or a list of texts".to_owned());
    }
    const CATEGORIES: [&str; 13] = [
        "harassment",
        "harassment/threatening",
        "hate",
        "hate/threatening",
        "illicit",
        "illicit/violent",
        "self-harm",
        "self-harm/instructions",
        "self-harm/intent",
        "sexual",
        "sexual/minors",
        "violence",
        "violence/graphic",
    ];
    let results = inputs.iter().map(|input| {
        let flagged = input.to_lowercase().contains("kill");
        let is_hit = |category: &str| flagged && category == "violence";
        let categories: Value = CATEGORIES.iter().map(|name| ((*name).to_owned(), json!(is_hit(name)))).collect();
        let scores = CATEGORIES.iter().map(|name| ((*name).to_owned(), json!(if is_hit(name) { 0.9 } else { 0.01 })));
        let types: Value = CATEGORIES.iter().map(|name| ((*name).to_owned(), json!(["text"]))).collect();
        json!({
            "flagged": flagged, "categories": categories, "category_scores": scores.collect::<Value>(),
            "category_applied_input_types": types,
        })
    });
    let results: Vec<Value> = results.collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let model = asked.model.unwrap_or_else(|| "small".to_owned());
    let all = json!({"id": format!("modr-{:016x}", digest(&inputs)), "model": model, "results": results});
    Ok(whole(&all, 0, directives))
}

#[derive(Deserialize)]
struct Picture {
    prompt: String,
    n: Option<usize>,
}

fn images(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked: Picture = read(body)?;
    let data: Vec<Value> =
        (0..asked.n.unwrap_or(1).min(10)).map(|_| json!({"b64_json": STANDARD.encode(PNG)})).collect();
    let (input, output) = (estimate(asked.prompt.len()), 100 * data.len());
    let all = json!({
        "created": CREATED, "data": data, "output_format": "png", "size": "1x1",
        "usage": {
            "input_tokens": input, "input_tokens_details": {"image_tokens": 0, "text_tokens": input},
            "output_tokens": output, "total_tokens": input + output as u64,
        },
    });
    Ok(whole(&all, 0, directives))
}

#[derive(Deserialize)]
struct Ranked {
    query: String,
    documents: Value,
    top_n: Option<usize>,
}

/// The more of the question's words a text has, the better it answers it.
fn rerank(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked: Ranked = read(body)?;
    let documents = texts(&asked.documents);
    if documents.is_empty() {
        return Err("documents: expected a list of texts".to_owned());
    }
    let words = |text: &str| -> Vec<String> {
        text.split(|char: char| !char.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let question = words(&asked.query);
    let score = |text: &str| {
        let found = words(text);
        let hits = question.iter().filter(|word| found.contains(word)).count();
        (hits as f64 + 0.5) / (question.len() as f64 + 1.0)
    };
    let mut results: Vec<(usize, f64)> = documents.iter().map(|text| score(text)).enumerate().collect();
    results.sort_by(|one, other| other.1.total_cmp(&one.1));
    results.truncate(asked.top_n.unwrap_or(usize::MAX));
    let results: Vec<Value> =
        results.into_iter().map(|(index, score)| json!({"index": index, "relevance_score": score})).collect();
    let id = format!("rerank-{:016x}", digest(&[&asked.query]));
    let meta =
        json!({"api_version": {"version": "2"}, "billed_units": {"search_units": documents.len().div_ceil(100)}});
    Ok(whole(&json!({"id": id, "results": results, "meta": meta}), 0, directives))
}

#[derive(Deserialize)]
struct Spoken {
    input: String,
}

fn speech(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let asked: Spoken = read(body)?;
    // Silence that is not the same for every text.
    let level = 120 + (digest(&[&asked.input]) % 16) as u8;
    let size = u32::try_from(SAMPLES).unwrap_or_default();
    let mut wav = Vec::with_capacity(44 + SAMPLES);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + size).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data");
    wav.extend_from_slice(&size.to_le_bytes());
    wav.resize(44 + SAMPLES, level);
    let mut script = Script::whole(wav, 0, directives);
    script.content_type = HeaderValue::from_static("audio/wav");
    Ok(script)
}

/// A form with files, split at its boundary.
pub(crate) struct Form {
    parts: Vec<String>,
}

impl Form {
    pub(crate) fn read(content_type: Option<&HeaderValue>, body: &[u8]) -> Result<Self, String> {
        let boundary = content_type.and_then(|kind| kind.to_str().ok()?.split_once("boundary="));
        let (_, boundary) = boundary.ok_or("expected multipart/form-data with a boundary")?;
        let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
        let text = String::from_utf8_lossy(body);
        let parts = text.split(&format!("--{boundary}")).map(str::to_owned).collect();
        Ok(Self { parts })
    }

    fn part(&self, name: &str) -> Option<(&str, &str)> {
        let part = self.parts.iter().find(|part| part.contains(&format!("name=\"{name}\"")))?;
        part.split_once("\r\n\r\n")
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.part(name).map(|(_, value)| value.strip_suffix("\r\n").unwrap_or(value))
    }

    pub(crate) fn filename(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.part(name)?.0.split_once("filename=\"")?;
        rest.split('"').next()
    }
}

/// What a file is said to say is told by its name and length.
fn transcriptions(content_type: Option<&HeaderValue>, body: &[u8], directives: &Directives) -> Result<Script, String> {
    let form = Form::read(content_type, body)?;
    let Some(file) = form.field("file") else { return Err("file: it is missing".to_owned()) };
    let said = format!("Someone speaks for {} bytes.", file.len());
    if form.field("response_format") == Some("text") {
        let mut script = Script::whole(format!("{said}\n").into_bytes(), 0, directives);
        script.content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        return Ok(script);
    }
    let usage = json!({
        "type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
        "output_tokens": estimate(said.len()), "total_tokens": 14 + estimate(said.len()),
    });
    Ok(whole(&json!({"text": said, "usage": usage}), 0, directives))
}
