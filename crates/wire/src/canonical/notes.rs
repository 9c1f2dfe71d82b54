//! What an answer says about its text, beside it: what it rests on, and how likely each token was.

use std::ops::Range;

use serde_json::Value;
use signalbox_types::{Message, Part};

use crate::json::Node;
use crate::write::Writer;

/// What an answer says about its text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notes {
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// How likely each of its tokens was, if that was asked for.
    pub logprobs: Vec<TokenLogprob>,
}

/// A source, and what rests on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    /// The characters of the answer's text (all its texts in a row) that rest on the source; absent if none are told.
    pub range: Option<Range<u64>>,
    /// Where that is from.
    pub source: Source,
    /// What the source is called.
    pub title: Option<String>,
    /// The words of the source.
    pub quote: Option<String>,
}

/// Where something is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A page of the web.
    Url(String),
    /// A document of the request, counted from 0.
    Document {
        /// Which.
        index: u64,
        /// Where in it.
        place: Option<Place>,
        /// What the provider calls an uploaded one.
        file_id: Option<String>,
    },
    /// What a search or a tool of the caller found.
    Result {
        /// What the caller calls it.
        source: String,
        /// Which of them, counted from 0.
        index: u64,
        /// Which blocks of it.
        blocks: Range<u64>,
    },
}

/// Where in a document something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Characters.
    Chars(Range<u64>),
    /// Pages, counted from 1.
    Pages(Range<u64>),
    /// Blocks or chunks.
    Blocks(Range<u64>),
}

/// A token, how likely it was, and what was as likely in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// Its text.
    pub token: String,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// Its bytes, if the provider tells them: a token may be a part of a character.
    pub bytes: Option<Vec<u8>>,
    /// The likeliest tokens in its place; these have none themselves.
    pub top: Vec<TokenLogprob>,
}

impl Notes {
    /// Nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.citations.is_empty() && self.logprobs.is_empty()
    }
}

/// How many characters a text has, as the places of citations count them.
pub(crate) fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

/// A place further on in a text.
pub(crate) fn moved(range: Range<u64>, by: u64) -> Range<u64> {
    range.start.saturating_add(by)..range.end.saturating_add(by)
}

/// All texts of an answer in a row, which the places of citations are told by.
pub(crate) fn text_of(message: &Message) -> String {
    let texts = message.parts.iter().filter_map(|part| match part {
        Part::Text { content } => Some(content.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Where characters of a text stand in its bytes; what is beyond its end is cut off.
pub(crate) fn bytes_of(text: &str, range: &Range<u64>) -> Range<usize> {
    let byte = |char: u64| {
        let char = usize::try_from(char).unwrap_or(usize::MAX);
        text.char_indices().nth(char).map_or(text.len(), |(byte, _)| byte)
    };
    let start = byte(range.start);
    start..byte(range.end).max(start)
}

/// A text whose first character has the number `start`, cut where what rests on a source begins or ends: each piece with
/// its sources. What rests on nothing in particular rests on all of them.
pub(crate) fn cut<'t, 'c>(text: &'t str, start: u64, citations: &'c [Citation]) -> Vec<(&'t str, Vec<&'c Citation>)> {
    let end = start + length(text);
    let ranges = || citations.iter().filter_map(|citation| citation.range.as_ref());
    let mut edges: Vec<u64> = ranges().flat_map(|range| [range.start, range.end]).chain([start, end]).collect();
    edges.retain(|edge| (start..=end).contains(edge));
    edges.sort_unstable();
    edges.dedup();
    let pieces = edges.windows(2).map(|edge| {
        let piece = edge[0]..edge[1];
        let rests = |one: &&Citation| {
            one.range.as_ref().is_none_or(|range| range.start <= piece.start && piece.end <= range.end)
        };
        let within = piece.start - start..piece.end - start;
        (text.get(bytes_of(text, &within)).unwrap_or_default(), citations.iter().filter(rests).collect())
    });
    pieces.collect()
}

/// Which character of a text a byte belongs to.
pub(crate) fn char_at(text: &str, byte: usize) -> u64 {
    text.char_indices().take_while(|(start, _)| *start < byte).count() as u64
}

pub(crate) fn str_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

pub(crate) fn owned(value: &Value, name: &str) -> Option<String> {
    str_of(value, name).filter(|text| !text.is_empty()).map(str::to_owned)
}

pub(crate) fn range(value: &Value, start: &str, end: &str) -> Option<Range<u64>> {
    let (start, end) = (value.get(start)?.as_u64()?, value.get(end)?.as_u64()?);
    (start <= end).then_some(start..end)
}

/// The log-probabilities of tokens as both of OpenAI's dialects have them; what is none of them is left out.
pub(crate) fn openai_logprobs(node: Option<Node<'_>>) -> Vec<TokenLogprob> {
    fn one(value: &Value) -> Option<TokenLogprob> {
        Some(TokenLogprob {
            token: str_of(value, "token")?.to_owned(),
            logprob: value.get("logprob")?.as_f64()?,
            bytes: value.get("bytes").and_then(|bytes| serde_json::from_value(bytes.clone()).ok()),
            top: list(value.get("top_logprobs")),
        })
    }
    fn list(value: Option<&Value>) -> Vec<TokenLogprob> {
        value.and_then(Value::as_array).into_iter().flatten().filter_map(one).collect()
    }
    list(node.and_then(Node::read::<Value>).as_ref())
}

/// The same, written.
pub(crate) fn encode_openai_logprobs(w: &mut Writer, name: &str, tokens: &[TokenLogprob]) {
    fn fields(w: &mut Writer, one: &TokenLogprob) {
        w.field("token", &one.token);
        w.field("logprob", &one.logprob);
        w.field("bytes", one.bytes.as_deref().unwrap_or(one.token.as_bytes()));
    }
    w.list_field(name, |w| {
        for one in tokens {
            w.object(|w| {
                fields(w, one);
                w.list_field("top_logprobs", |w| one.top.iter().for_each(|top| w.object(|w| fields(w, top))));
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_its_sources_change() {
        let cited = |range, url: &str| Citation { range, source: Source::Url(url.into()), title: None, quote: None };
        let check = |citations: &[Citation], expect: &str| {
            let said: Vec<String> = cut("aé🔑z!", 10, citations)
                .into_iter()
                .map(|(text, sources)| {
                    let urls =
                        sources.iter().map(|one| if let Source::Url(url) = &one.source { url.as_str() } else { "" });
                    format!("{text}{}", urls.collect::<String>())
                })
                .collect();
            assert_eq!(said.join("|"), expect);
        };
        check(&[], "aé🔑z!");
        check(&[cited(None, "1")], "aé🔑z!1");
        check(&[cited(Some(11..13), "1")], "a|é🔑1|z!");
        check(&[cited(Some(0..12), "1"), cited(Some(11..99), "2")], "a1|é12|🔑z!2");
        check(&[cited(Some(2..3), "1")], "aé🔑z!");
    }

    #[test]
    fn characters_and_bytes() {
        let text = "aé🔑z";
        assert_eq!(bytes_of(text, &(1..3)), 1..7);
        assert_eq!(bytes_of(text, &(3..99)), 7..8);
        assert_eq!(bytes_of(text, &(99..100)), 8..8);
        assert_eq!([0, 1, 3, 7, 8].map(|byte| char_at(text, byte)), [0, 1, 2, 3, 4]);
        // Within a character: the one after it, so that a text is never cut there.
        assert_eq!(char_at(text, 5), 3);
    }
}
