//! What an answer rests on and how likely its tokens were ⇄ canonical. Places are bytes here.

use std::ops::Range;

use serde_json::Value;
use signalbox_types::{Message, Part};

use super::fields::Fields;
use crate::canonical::notes::{bytes_of, char_at, owned, str_of};
use crate::canonical::{Citation, Notes, Source, TokenLogprob};
use crate::error::WireError;
use crate::json::{Node, Path};
use crate::write::Writer;

/// Of a candidate whose text so far, and in this event, is `said`.
pub(super) fn citations(candidate: &Fields<'_>, path: Path<'_>, said: &[Part]) -> Result<Vec<Citation>, WireError> {
    let text: String = said.iter().filter_map(text_of).collect();
    let mut out = Vec::new();
    if let Some(metadata) = candidate.get("groundingMetadata", path)?.and_then(Node::read::<Value>) {
        grounding(&metadata, said, &text, &mut out);
    }
    if let Some(metadata) = candidate.get("citationMetadata", path)?.and_then(Node::read::<Value>) {
        // Vertex AI and the Gemini API name the list differently.
        for list in ["citationSources", "citations", "citation_sources"] {
            out.extend(items(&metadata, list).filter_map(|source| recited(source, &text)));
        }
    }
    Ok(out)
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { content } => Some(content),
        _ => None,
    }
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A field by its name in camelCase, or as protobuf has it.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).or_else(|| value.get(super::fields::snake(name).as_ref()))
}

fn byte(value: &Value, name: &str) -> Option<usize> {
    field(value, name)?.as_u64().and_then(|byte| usize::try_from(byte).ok())
}

fn grounding(metadata: &Value, said: &[Part], text: &str, out: &mut Vec<Citation>) {
    let chunks = field(metadata, "groundingChunks").and_then(Value::as_array);
    let sources: Vec<Option<Citation>> = chunks.into_iter().flatten().enumerate().map(source).collect();
    let mut used = vec![false; sources.len()];
    let supports = field(metadata, "groundingSupports").and_then(Value::as_array);
    for support in supports.into_iter().flatten() {
        let range = field(support, "segment").and_then(|segment| place(segment, said, text));
        let indices = field(support, "groundingChunkIndices").and_then(Value::as_array);
        for index in indices.into_iter().flatten().filter_map(Value::as_u64) {
            let Ok(index) = usize::try_from(index) else { continue };
            if let Some(Some(source)) = sources.get(index) {
                used[index] = true;
                out.push(Citation { range: range.clone(), ..source.clone() });
            }
        }
    }
    // What was read without it being told what for.
    let unused = sources.into_iter().zip(used).filter(|(_, used)| !used);
    out.extend(unused.filter_map(|(source, _)| source));
}

fn source((number, chunk): (usize, &Value)) -> Option<Citation> {
    let from = ["web", "maps", "retrievedContext"].iter().find_map(|kind| field(chunk, kind))?;
    let (title, quote) = (owned(from, "title"), owned(from, "text"));
    let uri = str_of(from, "uri").unwrap_or_default();
    let source = if uri.starts_with("http://") || uri.starts_with("https://") {
        Source::Url(uri.to_owned())
    } else {
        let name = if uri.is_empty() { title.clone()? } else { uri.to_owned() };
        Source::Result { source: name, index: number as u64, blocks: 0..1 }
    };
    Some(Citation { range: None, source, title, quote })
}

/// The characters of the answer that a segment is. Its bytes are counted within its part, or, as some models do, within
/// the whole text: what it says that stands there tells which.
fn place(segment: &Value, said: &[Part], text: &str) -> Option<Range<u64>> {
    let (start, end) = (byte(segment, "startIndex").unwrap_or(0), byte(segment, "endIndex")?);
    let words = str_of(segment, "text").filter(|words| !words.is_empty());
    let part = byte(segment, "partIndex").unwrap_or(0);
    let before: usize = said.iter().take(part).filter_map(text_of).map(str::len).sum();
    let fits = |range: &Range<usize>| text.get(range.clone()).is_some_and(|found| words.is_none_or(|it| it == found));
    let within_part = before.saturating_add(start)..before.saturating_add(end);
    let range = [within_part, start..end].into_iter().find(fits).or_else(|| {
        let words = words?;
        let start = text.find(words)?;
        Some(start..start + words.len())
    })?;
    Some(char_at(text, range.start)..char_at(text, range.end))
}

fn recited(source: &Value, text: &str) -> Option<Citation> {
    let uri = str_of(source, "uri").filter(|uri| !uri.is_empty())?;
    let range = byte(source, "endIndex").map(|end| {
        let start = byte(source, "startIndex").unwrap_or(0).min(end);
        char_at(text, start)..char_at(text, end)
    });
    Some(Citation { range, source: Source::Url(uri.to_owned()), title: owned(source, "title"), quote: None })
}

pub(super) fn logprobs(candidate: &Fields<'_>, path: Path<'_>) -> Result<Vec<TokenLogprob>, WireError> {
    let Some(result) = candidate.get("logprobsResult", path)?.and_then(Node::read::<Value>) else {
        return Ok(Vec::new());
    };
    let one = |value: &Value, top| {
        let logprob = field(value, "logProbability")?.as_f64()?;
        Some(TokenLogprob { token: str_of(value, "token")?.to_owned(), logprob, bytes: None, top })
    };
    let list = |name| field(&result, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let top = list("topCandidates");
    let tokens = list("chosenCandidates").iter().enumerate().filter_map(|(place, chosen)| {
        let others = top.get(place).map(|top| items(top, "candidates").filter_map(|value| one(value, Vec::new())));
        one(chosen, others.into_iter().flatten().collect())
    });
    Ok(tokens.collect())
}

/// Writes both, for a candidate that has said `text`, of which `parts` are.
pub(super) fn encode(w: &mut Writer, notes: &Notes, texts: &[&str]) {
    encode_citations(w, &notes.citations, texts);
    encode_logprobs(w, &notes.logprobs);
}

/// The texts of a message as [`encode`] wants them: one for every part that is written, empty for what is no text.
pub(super) fn texts_of(message: &Message) -> Vec<&str> {
    message.parts.iter().map(|part| text_of(part).unwrap_or_default()).collect()
}

pub(super) fn encode_citations(w: &mut Writer, citations: &[Citation], texts: &[&str]) {
    if citations.is_empty() {
        return;
    }
    let text = texts.concat();
    // A source that is cited often is one chunk.
    let mut chunks: Vec<&Citation> = Vec::new();
    let mut supports: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
    for citation in citations {
        let known = chunks.iter().position(|one| one.source == citation.source && one.quote == citation.quote);
        let chunk = known.unwrap_or(chunks.len());
        if known.is_none() {
            chunks.push(citation);
        }
        let Some(range) = citation.range.as_ref().map(|range| bytes_of(&text, range)) else { continue };
        match supports.iter_mut().find(|(of, _)| *of == range) {
            Some((_, chunks)) => chunks.push(chunk),
            None => supports.push((range, vec![chunk])),
        }
    }
    w.object_field("groundingMetadata", |w| {
        w.list_field("groundingChunks", |w| chunks.iter().for_each(|chunk| encode_chunk(w, chunk)));
        w.list_field("groundingSupports", |w| {
            for (range, chunks) in &supports {
                encode_support(w, range, chunks, texts, &text);
            }
        });
    });
}

fn encode_chunk(w: &mut Writer, citation: &Citation) {
    w.object(|w| match &citation.source {
        Source::Url(uri) => w.object_field("web", |w| {
            w.field("uri", uri);
            w.field("title", citation.title.as_deref().unwrap_or(uri));
        }),
        Source::Document { .. } | Source::Result { .. } => w.object_field("retrievedContext", |w| {
            if let Source::Result { source, .. } = &citation.source {
                w.field("uri", source);
            }
            w.field_if("title", citation.title.as_ref());
            w.field_if("text", citation.quote.as_ref());
        }),
    });
}

fn encode_support(w: &mut Writer, range: &Range<usize>, chunks: &[usize], texts: &[&str], text: &str) {
    // The part that it begins in; what goes on in the next one ends with it.
    let mut before = 0;
    let mut part = 0;
    for one in texts {
        if range.start < before + one.len() {
            break;
        }
        before += one.len();
        part += 1;
    }
    let end = range.end.min(before + texts.get(part).map_or(0, |text| text.len())).max(range.start);
    w.object(|w| {
        w.object_field("segment", |w| {
            if part > 0 {
                w.field("partIndex", &part);
            }
            w.field("startIndex", &range.start.saturating_sub(before));
            w.field("endIndex", &end.saturating_sub(before));
            w.field("text", text.get(range.start..end).unwrap_or_default());
        });
        w.field("groundingChunkIndices", chunks);
    });
}

pub(super) fn encode_logprobs(w: &mut Writer, tokens: &[TokenLogprob]) {
    if tokens.is_empty() {
        return;
    }
    let one = |w: &mut Writer, token: &TokenLogprob| {
        w.object(|w| {
            w.field("token", &token.token);
            w.field("logProbability", &token.logprob);
        });
    };
    let sum: f64 = tokens.iter().map(|token| token.logprob).sum();
    #[expect(clippy::cast_precision_loss, reason = "no answer has so many tokens")]
    w.field("avgLogprobs", &(sum / tokens.len() as f64));
    w.object_field("logprobsResult", |w| {
        if tokens.iter().any(|token| !token.top.is_empty()) {
            w.list_field("topCandidates", |w| {
                for token in tokens {
                    w.object(|w| w.list_field("candidates", |w| token.top.iter().for_each(|top| one(w, top))));
                }
            });
        }
        w.list_field("chosenCandidates", |w| tokens.iter().for_each(|token| one(w, token)));
    });
}
