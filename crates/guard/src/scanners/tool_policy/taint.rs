//! Whether a text came out of a tool's result: by addresses, hosts and numbers, which nobody says by chance, and by runs of words.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

use crate::context::Context;

/// So many words in a row agree by no chance.
const RUN: usize = 5;
/// A shorter piece says nothing.
const LEAST_BYTES: usize = 6;

/// Hashes of what only untrusted texts of a call say.
#[derive(Debug)]
pub(super) struct Taint(HashSet<u64>);

impl Taint {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let mut said = HashSet::new();
        for text in &context.untrusted {
            each_mark(text, |mark| {
                said.insert(mark);
                false
            });
        }
        // The documents hold the untrusted texts, too.
        let trusted = context.documents.iter().filter(|text| !context.untrusted.contains(text)).chain(&context.system);
        for text in trusted {
            each_mark(text, |mark| {
                said.remove(&mark);
                false
            });
        }
        Self(said)
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        each_mark(text, |mark| self.0.contains(&mark))
    }
}

/// Calls `each` with what tells a text from others, until it says true.
fn each_mark(text: &str, mut each: impl FnMut(u64) -> bool) -> bool {
    let lower = text.to_lowercase();
    let separates = |char: char| char.is_whitespace() || "\"'`<>()[]{},;|".contains(char);
    for token in lower.split(separates) {
        let token = token.trim_matches(|char: char| ".:!?*_".contains(char));
        if is_address(token) && each(hash(token)) {
            return true;
        }
        // The host of an address is enough.
        let parts = token.split(|char: char| "/?&=@:#%".contains(char));
        if parts.filter(|part| part.len() < token.len() && is_address(part)).any(|part| each(hash(part))) {
            return true;
        }
    }
    let words: Vec<&str> = lower.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(RUN).any(|run| each(hash(run)))
}

/// A mail address, a host, a path, a number: nothing that people say by chance.
fn is_address(token: &str) -> bool {
    let inner = token.bytes().any(|byte| b"@./".contains(&byte));
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    token.len() >= LEAST_BYTES && token.bytes().any(|byte| byte.is_ascii_alphanumeric()) && (inner || digits >= 4)
}

fn hash(piece: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    piece.hash(&mut hasher);
    hasher.finish()
}
