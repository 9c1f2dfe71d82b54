//! Whether texts answer a search, without an index.

use memchr::{memchr, memchr2_iter};

use crate::query::{Node, Phrase, Term, TextQuery};
use crate::tokens::Tokens;

/// Goes over the texts of one row after the other.
#[derive(Debug)]
pub struct Matcher<'a> {
    query: &'a TextQuery,
    phrases: Vec<&'a Phrase>,
    /// Which phrases the row's texts had so far.
    found: Vec<bool>,
    /// The longest plain token that every row must have.
    needle: Option<Needle>,
    tokens: String,
    ends: Vec<usize>,
}

#[derive(Debug)]
struct Needle {
    lower: Vec<u8>,
    /// The place of its rarest letter, and that letter in both cases.
    at: usize,
    letters: (u8, u8),
}

impl<'a> Matcher<'a> {
    /// A matcher for this search.
    #[must_use]
    pub fn new(query: &'a TextQuery) -> Self {
        let mut phrases = Vec::new();
        collect(query.root(), &mut phrases);
        Self {
            query,
            found: vec![false; phrases.len()],
            phrases,
            needle: needle(query.root()),
            tokens: String::new(),
            ends: Vec::new(),
        }
    }

    /// Whether a row may answer the search that has these columns, as they are stored: a quick look
    /// that spares reading most rows.
    #[must_use]
    pub fn may_match<'t>(&self, mut stored: impl Iterator<Item = &'t str>) -> bool {
        self.needle.as_ref().is_none_or(|needle| stored.any(|text| needle.may_be_in(text.as_bytes())))
    }

    /// Forgets the row before.
    pub fn start(&mut self) {
        self.found.fill(false);
    }

    /// One of the row's texts.
    pub fn read(&mut self, text: &str) {
        if self.found.iter().all(|found| *found) {
            return;
        }
        self.tokens.clear();
        self.ends.clear();
        let mut tokens = Tokens::new(text);
        while tokens.advance() {
            self.tokens.push_str(tokens.token());
            self.ends.push(self.tokens.len());
        }
        let read = Read { tokens: &self.tokens, ends: &self.ends };
        for (phrase, found) in self.phrases.iter().zip(&mut self.found) {
            *found = *found || (0..read.ends.len()).any(|at| read.has(phrase, at));
        }
    }

    /// Whether what was read since [`Matcher::start`] answers the search.
    #[must_use]
    pub fn matches(&self) -> bool {
        let mut found = self.found.iter().copied();
        holds(self.query.root(), &mut || found.next().unwrap_or_default())
    }
}

/// The tokens of a text. Their number is their place.
pub(crate) struct Read<'a> {
    pub(crate) tokens: &'a str,
    pub(crate) ends: &'a [usize],
}

impl Read<'_> {
    pub(crate) fn has(&self, phrase: &Phrase, at: usize) -> bool {
        phrase.terms.iter().all(|term| self.token(at + term.offset as usize).is_some_and(|token| fits(term, token)))
    }

    fn token(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.tokens.get(start..end)
    }
}

fn fits(term: &Term, token: &str) -> bool {
    if term.prefix { token.starts_with(&term.text) } else { token == term.text }
}

fn collect<'a>(node: &'a Node, into: &mut Vec<&'a Phrase>) {
    match node {
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| collect(node, into)),
        Node::Not(node) => collect(node, into),
        Node::Phrase(phrase) => into.push(phrase),
    }
}

/// Asks for each phrase, in the order of [`collect`], whether it was found.
#[expect(clippy::unnecessary_fold, reason = "no short cut: every phrase takes its answer")]
fn holds(node: &Node, found: &mut dyn FnMut() -> bool) -> bool {
    match node {
        Node::All(nodes) => nodes.iter().fold(true, |all, node| holds(node, found) && all),
        Node::Any(nodes) => nodes.iter().fold(false, |any, node| holds(node, found) || any),
        Node::Not(node) => !holds(node, found),
        Node::Phrase(_) => found(),
    }
}

/// The longest ASCII token without which the search can't hold.
fn needle(root: &Node) -> Option<Needle> {
    let required = match root {
        Node::All(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    let phrases = required.iter().filter_map(|node| match node {
        Node::Phrase(phrase) => Some(phrase),
        _ => None,
    });
    let terms = phrases.flat_map(|phrase| &phrase.terms);
    let longest = terms.filter(|term| term.text.is_ascii()).max_by_key(|term| term.text.len())?;
    let lower = longest.text.as_bytes().to_vec();
    let (at, byte) = lower.iter().copied().enumerate().min_by_key(|&(_, byte)| frequency(byte))?;
    Some(Needle { at, letters: (byte, byte.to_ascii_uppercase()), lower })
}

impl Needle {
    fn may_be_in(&self, text: &[u8]) -> bool {
        let is_there = memchr2_iter(self.letters.0, self.letters.1, text).any(|found| {
            let start = found.checked_sub(self.at);
            let part = start.and_then(|start| text.get(start..start + self.lower.len()));
            part.is_some_and(|part| part.eq_ignore_ascii_case(&self.lower))
        });
        // Wide letters become plain ones; all of them start with this byte. An escape may hide any.
        is_there || memchr(0xEF, text).is_some() || memchr::memmem::find(text, b"\\u").is_some()
    }
}

/// How often a letter or digit occurs in texts, roughly.
fn frequency(byte: u8) -> usize {
    b"qjzx0123456789vkwbygpfmcuhdlrnsioate".iter().position(|&other| other == byte).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(search: &str, texts: &[&str], expected: bool) {
        let query = TextQuery::parse(search).unwrap();
        let mut matcher = Matcher::new(&query);
        matcher.read("left over from the row before");
        matcher.start();
        texts.iter().for_each(|text| matcher.read(text));
        assert_eq!(matcher.matches(), expected, "{search} in {texts:?}");
        assert!(!expected || matcher.may_match(texts.iter().copied()), "{search} is not found at a quick look");
    }

    #[test]
    fn words_phrases_and_their_absence() {
        check("late parcel", &["Parcel 4711", "is LATE."], true);
        check("\"late parcel\"", &["late", "parcel"], false);
        check("\"late parcel\"", &["a late, parcel"], true);
        check("parc*", &["parcel"], true);
        check("parc", &["parcel"], false);
        check("late -parcel", &["late"], true);
        check("late -parcel", &["late parcel"], false);
        check("-parcel", &["nothing"], true);
        check("a OR b c", &["b c"], true);
        check("a OR b c", &["a"], false);
        check("order_4711", &["order 4711"], true);
        check("4711", &["order_4711"], true);
        check("e3b0c442-98fc-1c14", &["id: E3B0C442-98FC-1C14-9afb"], true);
        check("row", &["nothing"], false);
    }

    #[test]
    fn any_script() {
        check("京都", &["東京都に"], true);
        check("東京都", &["東京と京都"], false);
        check("京", &["東京"], true);
        check("GPT模型", &["新GPT模型好"], true);
        check("模型 好", &["模型很好"], true);
        check("zürich", &["ZU\u{308}RICH"], true);
        check("gpt4", &["ＧＰＴ４"], true);
        check("kelvin", &["300 \u{212A}elvin"], false);
        check("👍", &["👍🏽"], true);
        check("हिन्दी", &["यह हिन्दी है"], true);
    }

    proptest! {
        #[test]
        fn a_text_answers_a_search_for_its_parts(
            text in "[a-cA-C0-1äßéκΣς猫京한ทีาि\u{308}👍🏽４Ｋ_./+ \"*-]{0,40}",
            from in 0..40_usize,
            length in 1..20_usize,
        ) {
            let mut sources = Vec::new();
            let mut tokens = Tokens::new(&text);
            while tokens.advance() {
                sources.push(tokens.source());
            }
            prop_assume!(from < sources.len());
            let last = (from + length).min(sources.len()) - 1;
            let part = text.get(sources[from].start..sources[last].end).unwrap().replace('"', " ");
            let query = TextQuery::parse(&format!("\"{part}\"")).unwrap();
            let mut matcher = Matcher::new(&query);
            matcher.read(&text);
            prop_assert!(matcher.matches(), "{part:?} in {text:?}: {query:?}");
            prop_assert!(matcher.may_match([text.as_str()].into_iter()));
            prop_assert!(crate::snippet(&text, &query).is_some());
        }

        #[test]
        fn anything_can_be_read(text: String, search: String) {
            let mut tokens = Tokens::new(&text);
            while tokens.advance() {
                prop_assert!(text.get(tokens.source()).is_some());
            }
            if let Ok(query) = TextQuery::parse(&search) {
                let mut matcher = Matcher::new(&query);
                matcher.read(&text);
                prop_assert!(!matcher.matches() || matcher.may_match([text.as_str()].into_iter()));
            }
        }
    }
}
