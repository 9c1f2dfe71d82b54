//! OpenAI Embeddings: vectors of the words in a text, so that texts with the same words are near each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_wire::Dialect;

use super::directives::Directives;
use super::request::Text;
use super::script::{Script, raw, string};
use super::text::{Digest, Random, estimate};

const DIMENSIONS: usize = 256;
const MAX_DIMENSIONS: usize = 4096;
const MAX_INPUTS: usize = 2048;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    input: Value,
    encoding_format: Option<String>,
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct CohereBody {
    texts: Vec<String>,
    output_dimension: Option<usize>,
}

/// The same vectors in Cohere's words.
pub(crate) fn cohere(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let body: CohereBody = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    let dimensions = body.output_dimension.unwrap_or(DIMENSIONS).clamp(1, MAX_DIMENSIONS);
    let vectors: Vec<_> = body.texts.iter().map(|text| embed(text, dimensions, directives.options.seed)).collect();
    let tokens: u64 = body.texts.iter().map(|text| estimate(text.len()).max(1)).sum();
    let mut digest = Digest::new(0);
    body.texts.iter().for_each(|text| digest.add(text));
    let answer = json!({
        "id": format!("embed-{:016x}", digest.finish()), "embeddings": {"float": vectors}, "texts": body.texts,
        "response_type": "embeddings_by_type",
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}},
    });
    Ok(Script::whole(answer.to_string().into_bytes(), 0, directives))
}

pub(crate) fn script(body: &[u8], directives: &Directives) -> Result<Script, String> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
    let dimensions = body.dimensions.unwrap_or(DIMENSIONS);
    if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
        return Err(format!("dimensions: expected 1 to {MAX_DIMENSIONS}, found {dimensions}"));
    }
    let base64 = match body.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => return Err(format!("encoding_format: expected `float` or `base64`, found `{other}`")),
    };
    let inputs = inputs(&body.input)?;
    let mut out = Vec::with_capacity(256 + inputs.len() * dimensions * 10);
    out.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
    let mut tokens = 0;
    for (index, input) in inputs.iter().enumerate() {
        tokens += estimate(input.len()).max(1);
        if index > 0 {
            out.push(b',');
        }
        raw(&mut out, format_args!("{{\"object\":\"embedding\",\"index\":{index},\"embedding\":"));
        let vector = embed(input, dimensions, directives.options.seed);
        if base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            string(&mut out, &STANDARD.encode(bytes));
        } else {
            // Can't fail: the numbers are finite and a Vec takes everything.
            serde_json::to_writer(&mut out, &vector).unwrap_or_default();
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"model\":");
    string(&mut out, body.model.0.strip_prefix("sim/").unwrap_or(&body.model.0));
    if !directives.no_usage {
        raw(&mut out, format_args!(",\"usage\":{{\"prompt_tokens\":{tokens},\"total_tokens\":{tokens}}}"));
    }
    out.push(b'}');
    if directives.error_event {
        return Ok(Script::error(Dialect::OpenaiChat, 500, "x-sim-error-event: embeddings have no events"));
    }
    Ok(Script::whole(out, 0, directives))
}

/// A text, texts, tokens, or lists of tokens; tokens count as words.
fn inputs(input: &Value) -> Result<Vec<String>, String> {
    let expected = || "input: expected a text, a list of texts, or lists of token numbers".to_owned();
    let words = |tokens: &[Value]| {
        let words: Option<Vec<String>> =
            tokens.iter().map(|token| token.as_u64().map(|token| token.to_string())).collect();
        words.map(|words| words.join(" ")).ok_or_else(expected)
    };
    let inputs = match input {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) if all.first().is_some_and(Value::is_number) => vec![words(all)?],
        Value::Array(all) if !all.is_empty() => {
            let one = |one: &Value| match one {
                Value::String(text) => Ok(text.clone()),
                Value::Array(tokens) => words(tokens),
                _ => Err(expected()),
            };
            all.iter().map(one).collect::<Result<_, _>>()?
        }
        _ => return Err(expected()),
    };
    if inputs.len() > MAX_INPUTS {
        return Err(format!("input: at most {MAX_INPUTS} inputs, found {}", inputs.len()));
    }
    Ok(inputs)
}

pub(crate) fn embed(text: &str, dimensions: usize, seed: u64) -> Vec<f32> {
    let mut sum = vec![0.0_f32; dimensions];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).chain([""]) {
        let mut digest = Digest::new(seed);
        digest.add(&word.to_lowercase());
        let mut random = Random::new(digest.finish());
        // The empty word keeps a text without words from being zero, and hardly counts otherwise.
        let weight = if word.is_empty() { 0.1 } else { 1.0 };
        for number in &mut sum {
            *number += (random.fraction() as f32 - 0.5) * weight;
        }
    }
    let length = sum.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.iter().map(|number| number / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        embed(a, 256, 0).iter().zip(embed(b, 256, 0)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn same_words_are_near() {
        let near = similarity("refund for my order", "Where is the refund of my order?");
        let far = similarity("refund for my order", "weather tomorrow in Oslo");
        assert!(near > far + 0.3, "{near} {far}");
        assert!((similarity("a b", "a b") - 1.0).abs() < 1e-5);
        assert!((similarity("", "") - 1.0).abs() < 1e-5);
    }
}
