//! Where a text answers a search.

use std::ops::Range;

use crate::matcher::Read;
use crate::query::TextQuery;
use crate::tokens::Tokens;

/// A snippet has so many characters at most.
pub const SNIPPET_CHARS: usize = 300;
/// Shown before the first hit, so that it is seen in its sentence.
const BEFORE_CHARS: usize = 60;

/// A piece of a text around what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The piece; `…` at its ends where the text goes on.
    pub text: String,
    /// Where in `text` the hits stand: bytes, in order, not overlapping.
    pub hits: Vec<Range<usize>>,
    /// How many different words and phrases of the search are in it.
    pub found: usize,
}

/// Goes over the texts of a row for the piece that shows most of what is looked for.
#[derive(Debug)]
pub struct Highlight<'a> {
    query: &'a TextQuery,
    best: Option<(&'static str, Snippet)>,
}

impl<'a> Highlight<'a> {
    /// For this search.
    #[must_use]
    pub fn new(query: &'a TextQuery) -> Self {
        Self { query, best: None }
    }

    /// A text of this column. Of pieces that show as much, the first is taken.
    pub fn read(&mut self, column: &'static str, text: &str) {
        let Some(snippet) = snippet(text, self.query) else { return };
        let value = |snippet: &Snippet| (snippet.found, snippet.hits.len());
        if self.best.as_ref().is_none_or(|(_, best)| value(best) < value(&snippet)) {
            self.best = Some((column, snippet));
        }
    }

    /// `{column, snippet, ranges: [[start, end], …]}`, counted in characters; null if nothing was found.
    #[must_use]
    pub fn finish(self) -> serde_json::Value {
        let Some((column, snippet)) = self.best else { return serde_json::Value::Null };
        let chars = |bytes: usize| snippet.text.get(..bytes).unwrap_or_default().chars().count();
        let ranges: Vec<[usize; 2]> = snippet.hits.iter().map(|hit| [chars(hit.start), chars(hit.end)]).collect();
        serde_json::json!({"column": column, "snippet": snippet.text, "ranges": ranges})
    }
}

/// The piece of the text with the most of what is looked for; `None` if it has nothing of it.
#[must_use]
pub fn snippet(text: &str, query: &TextQuery) -> Option<Snippet> {
    let hits = hits(text, query);
    let best = (0..hits.len()).max_by_key(|&first| {
        let shown = shown(text, &hits, first);
        (different(shown), shown.len(), std::cmp::Reverse(first))
    })?;
    let shown = shown(text, &hits, best);
    let (first, last) = (shown.first()?, shown.last()?);
    let window = window(text, first.0.start..last.0.end);
    let mut snippet = Snippet { text: String::new(), hits: Vec::new(), found: different(shown) };
    if window.start > 0 {
        snippet.text.push('…');
    }
    let shift = snippet.text.len();
    snippet.text.push_str(text.get(window.clone())?);
    let end = snippet.text.len();
    if window.end < text.len() {
        snippet.text.push('…');
    }
    for (hit, _) in shown {
        let hit = hit.start - window.start + shift..(hit.end - window.start + shift).min(end);
        match snippet.hits.last_mut() {
            Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
            _ => snippet.hits.push(hit),
        }
    }
    Some(snippet)
}

/// Hits in order, each with the number of what it is a hit of.
fn hits(text: &str, query: &TextQuery) -> Vec<(Range<usize>, usize)> {
    let (mut joined, mut ends, mut sources) = (String::new(), Vec::new(), Vec::new());
    let mut tokens = Tokens::new(text);
    while tokens.advance() {
        joined.push_str(tokens.token());
        ends.push(joined.len());
        sources.push(tokens.source());
    }
    let read = Read { tokens: &joined, ends: &ends };
    let phrases = query.wanted();
    let mut hits = Vec::new();
    for at in 0..ends.len() {
        for (number, phrase) in phrases.iter().enumerate().filter(|(_, phrase)| read.has(phrase, at)) {
            let last = phrase.terms.last().map_or(0, |term| term.offset as usize);
            hits.extend(sources.get(at).zip(sources.get(at + last)).map(|(from, to)| (from.start..to.end, number)));
        }
    }
    hits
}

/// The hits that fit into a snippet of which this one is the first.
fn shown<'a>(text: &str, hits: &'a [(Range<usize>, usize)], first: usize) -> &'a [(Range<usize>, usize)] {
    let rest = hits.get(first..).unwrap_or_default();
    let Some((start, _)) = rest.first() else { return rest };
    // A character takes a byte at least, so that what is too far is not counted.
    let room = SNIPPET_CHARS - BEFORE_CHARS - 2;
    let fits = |hit: &Range<usize>| {
        hit.end - start.start <= room * 4
            && text.get(start.start..hit.end).is_some_and(|part| part.chars().count() <= room)
    };
    let fitting = rest.iter().take_while(|(hit, _)| fits(hit)).count();
    rest.get(..fitting.max(1)).unwrap_or(rest)
}

fn different(hits: &[(Range<usize>, usize)]) -> usize {
    let mut numbers: Vec<usize> = hits.iter().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// The hits with what is around them, cut between words where one ends near.
fn window(text: &str, hits: Range<usize>) -> Range<usize> {
    let before = text.get(..hits.start).unwrap_or_default();
    let start = before.char_indices().rev().take(BEFORE_CHARS).last().map_or(hits.start, |(at, _)| at);
    let lead = text.get(start..hits.start).unwrap_or_default();
    let start = match lead.find(char::is_whitespace) {
        Some(space) if start > 0 => start + space + 1,
        _ => start,
    };
    let start = (start..=hits.start).find(|&at| text.is_char_boundary(at)).unwrap_or(hits.start);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.char_indices().nth(SNIPPET_CHARS - 2).map_or(text.len(), |(at, _)| start + at);
    let tail = text.get(hits.end.min(end)..end).unwrap_or_default();
    match tail.rfind(char::is_whitespace) {
        Some(space) if end < text.len() => start..hits.end.min(end) + space,
        _ => start..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hits in brackets.
    fn check(search: &str, text: &str, expected: Option<&str>) {
        let found = snippet(text, &TextQuery::parse(search).unwrap()).map(|snippet| {
            assert!(snippet.text.chars().count() <= SNIPPET_CHARS, "{search}: {}", snippet.text);
            let mut marked = snippet.text.clone();
            for hit in snippet.hits.iter().rev() {
                marked.insert(hit.end, ']');
                marked.insert(hit.start, '[');
            }
            marked
        });
        assert_eq!(found.as_deref(), expected, "{search}");
    }

    #[test]
    fn hits_are_marked() {
        check("parcel", "Where is my parcel?", Some("Where is my [parcel]?"));
        check("\"my parcel\" whe*", "Where is my parcel?", Some("[Where] is [my parcel]?"));
        check("late -parcel", "parcel late", Some("parcel [late]"));
        check("京都", "東京都に", Some("東[京都]に"));
        check("東京都", "東京都に", Some("[東京都]に"));
        check("nothing", "Where is my parcel?", None);
        check("zürich", "in ZU\u{308}RICH!", Some("in [ZU\u{308}RICH]!"));
    }

    #[test]
    fn the_best_text_of_a_row_is_shown() {
        let query = TextQuery::parse("late parcel").unwrap();
        let mut highlight = Highlight::new(&query);
        for (column, text) in [("name", "parcel"), ("input", "Größe: late parcel"), ("output", "parcel, late")] {
            highlight.read(column, text);
        }
        let expected =
            serde_json::json!({"column": "input", "snippet": "Größe: late parcel", "ranges": [[7, 11], [12, 18]]});
        assert_eq!(highlight.finish(), expected);
        assert!(Highlight::new(&query).finish().is_null());
    }

    #[test]
    fn the_piece_with_most_of_it_is_shown() {
        let filler = "word ".repeat(200);
        let text = format!("parcel {filler}the late parcel came {filler}");
        let query = TextQuery::parse("late parcel").unwrap();
        let snippet = snippet(&text, &query).unwrap();
        assert_eq!((snippet.found, snippet.hits.len()), (2, 2));
        assert!(snippet.text.starts_with("…word") && snippet.text.ends_with("word…"), "{}", snippet.text);
        assert!(snippet.text.chars().count() <= SNIPPET_CHARS);
        check("x", &"ü".repeat(400), None);
        let long = format!("{}x{}", "ü ".repeat(200), " ü".repeat(400));
        assert!(super::snippet(&long, &TextQuery::parse("x").unwrap()).is_some());
    }
}
