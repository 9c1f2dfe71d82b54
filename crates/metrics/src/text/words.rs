//! Words as Python's `str.split` finds them, which most published implementations build on.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// What Python takes for white space: Unicode's, and four separators of ASCII that Unicode leaves out.
pub(crate) fn is_space(char: char) -> bool {
    char.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&char)
}

/// `text.split()`.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// `text.rstrip()`.
pub(crate) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// Numbers for words, so that comparing two is comparing numbers.
#[derive(Debug, Default)]
pub(crate) struct Words<'a>(HashMap<&'a str, u32, RandomState>);

impl<'a> Words<'a> {
    /// The number of a word.
    pub(crate) fn id(&mut self, word: &'a str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(word).or_insert(next)
    }

    /// The numbers of some words.
    pub(crate) fn ids(&mut self, words: impl Iterator<Item = &'a str>) -> Vec<u32> {
        // Most texts are sentences.
        self.0.reserve(64);
        let mut ids = Vec::with_capacity(64);
        ids.extend(words.map(|word| self.id(word)));
        ids
    }

    /// How many different words have a number.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
