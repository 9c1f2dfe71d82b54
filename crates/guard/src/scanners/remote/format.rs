//! What a service is sent and what it answers: JSON of our own, one request for several texts.

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_types::Place;

use super::answers::Judgement;

/// More of them are not read.
const MOST_SPANS: usize = 100;
/// A word for a kind of finding.
const MOST_TYPE_BYTES: usize = 60;

/// The body of a request about these texts.
#[must_use]
pub fn request<T: AsRef<str>>(place: Place, texts: &[T]) -> Vec<u8> {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    json!({ "version": 1, "place": place.as_str(), "offsets": "chars", "texts": texts }).to_string().into_bytes()
}

#[derive(Deserialize)]
struct Body {
    results: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    flagged: Option<bool>,
    score: Option<f32>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    start: usize,
    end: usize,
    #[serde(rename = "type", default)]
    kind: Value,
}

/// What it says of each of the texts.
///
/// # Errors
/// It is no answer to this request: what is wrong, and nothing of what it holds.
pub fn read<T: AsRef<str>>(body: &[u8], texts: &[T]) -> Result<Vec<Judgement>, String> {
    let told = |error: serde_json::Error| {
        let what = if error.is_data() { "no answer to a check" } else { "no JSON" };
        format!("it answered with {what} (line {}, column {})", error.line(), error.column())
    };
    let Body { results } = serde_json::from_slice(body).map_err(told)?;
    if results.len() != texts.len() {
        return Err(format!("it gave {} results for {} texts", results.len(), texts.len()));
    }
    results.into_iter().zip(texts).map(|(one, text)| judgement(one, text.as_ref())).collect()
}

fn judgement(one: One, text: &str) -> Result<Judgement, String> {
    let score = match (one.flagged, one.score) {
        (_, Some(score)) if (0.0..=1.0).contains(&score) => score,
        (_, Some(_)) => return Err("it gave a `score` that is not between 0 and 1".to_owned()),
        (Some(flagged), None) => f32::from(u8::from(flagged)),
        (None, None) => return Err("it gave a result without `flagged` and `score`".to_owned()),
    };
    let mut spans: Vec<_> = one.spans.into_iter().take(MOST_SPANS).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut places = Places { chars: text.char_indices().map(|(at, _)| at).enumerate().peekable(), end: text.len() };
    let mut found: Vec<(Range<usize>, Option<String>)> = Vec::new();
    let mut done = 0;
    for span in spans {
        // One that begins within the one before covers the rest.
        let start = span.start.max(done);
        if start >= span.end {
            continue;
        }
        let (from, to) = (places.byte(start), places.byte(span.end));
        done = span.end;
        if from < to {
            found.push((from..to, span.kind.as_str().and_then(word)));
        }
    }
    Ok(Judgement { flagged: one.flagged.unwrap_or(score >= 0.5), score, spans: found })
}

/// Only what is a name: findings are kept, and a text must not get into them this way.
fn word(text: &str) -> Option<String> {
    let is_of_word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.' | '/');
    let fits = !text.is_empty() && text.len() <= MOST_TYPE_BYTES && text.chars().all(is_of_word);
    fits.then(|| text.to_ascii_lowercase())
}

/// Code points to bytes, for places that only grow.
struct Places<I: Iterator<Item = (usize, usize)>> {
    chars: std::iter::Peekable<I>,
    end: usize,
}

impl<I: Iterator<Item = (usize, usize)>> Places<I> {
    fn byte(&mut self, char: usize) -> usize {
        while self.chars.next_if(|(index, _)| *index < char).is_some() {}
        self.chars.peek().map_or(self.end, |(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_it_is_about() {
        let body: Value = serde_json::from_slice(&request(Place::Output, &["a", "é"])).unwrap();
        assert_eq!(body, json!({"version": 1, "place": "output", "offsets": "chars", "texts": ["a", "é"]}));
    }

    #[test]
    fn offsets_are_in_code_points() {
        let result = |value: Value| read(json!({ "results": [value] }).to_string().as_bytes(), &["é🏴x wörld"]);
        let spans = |value: Value| result(json!({"score": 0.9, "spans": value})).unwrap().remove(0).spans;
        let one = spans(json!([{"start": 1, "end": 2, "type": "Flag"}]));
        assert_eq!(one, [(2..6, Some("flag".to_owned()))]);
        // Sorted, cut where they overlap, and clipped; what is empty is none.
        let many = json!([{"start": 4, "end": 99}, {"start": 0, "end": 2, "type": "what it says, at length"},
            {"start": 1, "end": 3}, {"start": 3, "end": 3}, {"start": 50, "end": 60}]);
        assert_eq!(spans(many), [(0..6, None), (6..7, None), (8..14, None)]);
    }

    #[test]
    fn flagged_and_score_say_each_other() {
        let result = |value: Value| {
            let one = read(json!({ "results": [value] }).to_string().as_bytes(), &["x"]).unwrap().remove(0);
            (one.flagged, one.score)
        };
        assert_eq!(result(json!({"flagged": true})), (true, 1.0));
        assert_eq!(result(json!({"score": 0.4, "reason": "is not kept"})), (false, 0.4));
        assert_eq!(result(json!({"score": 0.4, "flagged": true})), (true, 0.4));
    }

    #[test]
    fn what_is_no_answer_is_told_without_what_it_holds() {
        let check = |body: &str, expected: &str| {
            let told = read(body.as_bytes(), &["x"]).unwrap_err();
            assert!(told.starts_with(expected) && !told.contains("hunter2"), "{told}");
        };
        check("<html>hunter2", "it answered with no JSON (line 1");
        check(r#"{"result": "hunter2"}"#, "it answered with no answer to a check");
        check(r#"{"results": []}"#, "it gave 0 results for 1 texts");
        check(r#"{"results": [{"spans": []}]}"#, "it gave a result without");
        check(r#"{"results": [{"score": 7}]}"#, "it gave a `score` that is not");
    }
}
