//! The words of topics, and where a text names them.

use std::collections::{BTreeMap, HashMap};

use unicode_script::{Script, UnicodeScript as _};

use super::stem::{fold, stem};
use crate::options::OptionProblem;

/// The longest phrase as it may stand in a text, in bytes.
pub(super) const LONGEST: usize = 256;
const MAX_PHRASE_BYTES: usize = 100;
/// A longer word is none.
const MAX_WORD_BYTES: usize = 64;
/// What may stand between the words of a phrase.
const MAX_GAP_BYTES: usize = 4;
/// A shorter beginning would stand for too much.
const LEAST_PREFIX: usize = 3;

/// A word or phrase of a topic.
#[derive(Debug)]
struct Entry {
    topic: usize,
    /// Folded, and stemmed unless the policy wants it exact.
    words: Vec<String>,
}

/// Every word of every topic.
#[derive(Debug)]
pub(super) struct Lexicon {
    topics: Vec<String>,
    entries: Vec<Entry>,
    /// By the first word, longest first.
    by_first: HashMap<String, Vec<usize>>,
    /// Beginnings of words.
    prefixes: HashMap<String, usize>,
    exact: bool,
}

/// A place where a topic is named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) entry: usize,
    pub(super) end: usize,
}

impl Lexicon {
    /// `field` is the option that lists them.
    pub(super) fn new(field: &str, topics: &BTreeMap<String, Vec<String>>, exact: bool) -> Result<Self, OptionProblem> {
        let mut lexicon = Self {
            topics: topics.keys().cloned().collect(),
            entries: Vec::new(),
            by_first: HashMap::new(),
            prefixes: HashMap::new(),
            exact,
        };
        for (topic, (name, words)) in topics.iter().enumerate() {
            if words.is_empty() {
                return Err(OptionProblem::new(format!("{field}.{name}"), "it has no words, so it is never found"));
            }
            for (index, word) in words.iter().enumerate() {
                lexicon
                    .add(topic, word)
                    .map_err(|problem| OptionProblem::new(format!("{field}.{name}[{index}]"), problem))?;
            }
        }
        let entries = &lexicon.entries;
        for same in lexicon.by_first.values_mut() {
            same.sort_by_key(|entry| std::cmp::Reverse(entries.get(*entry).map_or(0, |entry| entry.words.len())));
        }
        Ok(lexicon)
    }

    fn add(&mut self, topic: usize, phrase: &str) -> Result<(), String> {
        if phrase.len() > MAX_PHRASE_BYTES {
            return Err(format!("it is longer than {MAX_PHRASE_BYTES} bytes; name a part of it"));
        }
        let entry = self.entries.len();
        if let Some(prefix) = phrase.trim().strip_suffix('*') {
            let folded = fold(prefix).into_owned();
            let is_word = word_at(prefix, 0) == Some((0, prefix.len()));
            if !is_word || folded.chars().count() < LEAST_PREFIX {
                return Err(format!("`*` stands behind one word of at least {LEAST_PREFIX} letters, as in `elect*`"));
            }
            self.entries.push(Entry { topic, words: vec![folded.clone()] });
            self.prefixes.insert(folded, entry);
            return Ok(());
        }
        let mut words = Vec::new();
        let mut at = 0;
        while let Some((start, end)) = word_at(phrase, at) {
            words.push(self.form(phrase.get(start..end).unwrap_or_default()));
            at = end;
        }
        let Some(first) = words.first() else { return Err("it has no letter and no digit".to_owned()) };
        self.by_first.entry(first.clone()).or_default().push(entry);
        self.entries.push(Entry { topic, words });
        Ok(())
    }

    fn form(&self, word: &str) -> String {
        let folded = fold(word);
        if self.exact { folded.into_owned() } else { stem(&folded).to_owned() }
    }

    /// Every place at or after `from` where a topic is named.
    pub(super) fn all<'a>(&'a self, text: &'a str, from: usize) -> impl Iterator<Item = (usize, Named)> + 'a {
        let mut at = from;
        std::iter::from_fn(move || {
            loop {
                let (start, end) = word_at(text, at)?;
                at = end;
                if let Some(named) = self.at(text, start) {
                    return Some((start, named));
                }
            }
        })
    }

    /// What is named by the word that starts here.
    pub(super) fn at(&self, text: &str, start: usize) -> Option<Named> {
        let (begin, end) = word_at(text, start)?;
        if begin != start {
            return None;
        }
        let folded = fold(text.get(start..end)?);
        let first = if self.exact { &*folded } else { stem(&folded) };
        for &entry in self.by_first.get(first).into_iter().flatten() {
            if let Some(end) = self.follows(text, start, end, entry) {
                return Some(Named { entry, end });
            }
        }
        if self.prefixes.is_empty() {
            return None;
        }
        let beginnings = folded.char_indices().map(|(at, _)| at).skip(LEAST_PREFIX).chain([folded.len()]);
        let longest = beginnings.filter_map(|at| self.prefixes.get(folded.get(..at)?)).last();
        longest.map(|&entry| Named { entry, end })
    }

    /// Where the phrase ends whose first word stands at `start..end`.
    fn follows(&self, text: &str, start: usize, mut end: usize, entry: usize) -> Option<usize> {
        for wanted in self.entries.get(entry)?.words.iter().skip(1) {
            // No further than a word could reach: what it cuts is too long to be one.
            let reach = text.floor_char_boundary(end + MAX_GAP_BYTES + MAX_WORD_BYTES + 4);
            let (next, next_end) = word_at(text.get(..reach)?, end)?;
            let fits = next - end <= MAX_GAP_BYTES && next_end - start <= LONGEST;
            if !fits || self.form(text.get(next..next_end)?) != *wanted {
                return None;
            }
            end = next_end;
        }
        Some(end)
    }

    pub(super) fn topic(&self, named: Named) -> &str {
        let topic = self.entries.get(named.entry).and_then(|entry| self.topics.get(entry.topic));
        topic.map_or("", String::as_str)
    }

    pub(super) fn same_topic(&self, one: &Named, other: &Named) -> bool {
        let topic = |named: &Named| self.entries.get(named.entry).map(|entry| entry.topic);
        topic(one) == topic(other)
    }

    /// A phrase says more than a word.
    pub(super) fn weight(&self, named: &Named) -> usize {
        self.entries.get(named.entry).map_or(1, |entry| entry.words.len().min(2))
    }
}

/// The first word that starts at or after `from`: letters and digits; a letter of a script without spaces is one by itself.
/// What `from` cuts is none.
pub(super) fn word_at(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut before = text.get(..from)?.chars().next_back().is_some_and(is_part);
    let mut start = None;
    for (offset, char) in text.get(from..)?.char_indices() {
        let (at, goes_on) = (from + offset, is_part(char));
        if !goes_on && let Some(start) = start.take().filter(|start| at - start <= MAX_WORD_BYTES) {
            return Some((start, at));
        }
        if char.is_alphanumeric() && !goes_on {
            return Some((at, at + char.len_utf8()));
        }
        if goes_on && !before {
            start = Some(at);
        }
        before = goes_on;
    }
    start.map(|start| (start, text.len())).filter(|(start, end)| end - start <= MAX_WORD_BYTES)
}

/// Part of a word of several letters.
fn is_part(char: char) -> bool {
    let run_on =
        [Script::Han, Script::Hiragana, Script::Katakana, Script::Thai, Script::Lao, Script::Khmer, Script::Myanmar];
    char.is_alphanumeric() && (char.is_ascii() || !run_on.contains(&char.script()))
}
