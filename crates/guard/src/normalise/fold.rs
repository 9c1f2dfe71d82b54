//! Undoes disguises of single characters.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::scanners::invisible_chars::patterns::{Invisible, invisible, latin_twin, small_capital};

/// A folded text and the way back.
#[derive(Debug, Clone)]
pub struct Folded<'a> {
    /// Compatibility forms are plain (NFKC), invisible characters are gone, tag characters are the ASCII that
    /// they stand for, letters that imitate Latin ones inside a Latin word are Latin, accents are gone.
    pub text: Cow<'a, str>,
    /// Where the offset in the original changes by something else than in the folded text: (folded, original),
    /// sorted. Empty if both are the same.
    steps: Vec<(usize, usize)>,
}

impl Folded<'_> {
    /// The offset in the original of what stands at `at` in the folded text.
    #[must_use]
    pub fn original(&self, at: usize) -> usize {
        let after = self.steps.partition_point(|&(folded, _)| folded <= at);
        let (folded, original) = after.checked_sub(1).map_or((0, 0), |i| self.steps[i]);
        // One character may have become many: what is among them stands where the next one starts at most.
        let next = self.steps.get(after).map_or(usize::MAX, |&(_, original)| original);
        (original + (at - folded)).min(next)
    }
}

/// Folds a text. ASCII is its own fold and costs nothing.
#[must_use]
pub fn fold(text: &str) -> Folded<'_> {
    if text.is_ascii() {
        return Folded { text: Cow::Borrowed(text), steps: Vec::new() };
    }
    let mut out = Folding { text: String::with_capacity(text.len()), steps: Vec::new() };
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (run, mixed) = match rest.get(..word).filter(|word| !word.is_empty()) {
            Some(word) => (word, !word.is_ascii() && word.bytes().any(|byte| byte.is_ascii_alphabetic())),
            None => (rest.chars().next().map_or("", |c| rest.get(..c.len_utf8()).unwrap_or_default()), false),
        };
        for c in run.chars() {
            out.push(c, at, mixed);
            at += c.len_utf8();
        }
        if run.is_empty() {
            break;
        }
    }
    out.step(text.len());
    Folded { text: Cow::Owned(out.text), steps: out.steps }
}

struct Folding {
    text: String,
    steps: Vec<(usize, usize)>,
}

impl Folding {
    /// Notes that what comes next stood at `original`, unless that follows by itself.
    fn step(&mut self, original: usize) {
        let folded = self.text.len();
        let expected = self.steps.last().map_or(folded, |&(f, o)| o + (folded - f));
        if expected == original {
            return;
        }
        match self.steps.last_mut() {
            // Nothing was written between both: the later one counts.
            Some(last) if last.0 == folded => last.1 = original,
            _ => self.steps.push((folded, original)),
        }
    }

    fn push(&mut self, c: char, at: usize, mixed: bool) {
        if c.is_ascii() {
            self.step(at);
            self.text.push(c);
            return;
        }
        if let Some(kind) = invisible(c) {
            if kind == Invisible::Tag
                && let Some(plain) = char::from_u32(u32::from(c) - 0xE_0000).filter(|c| matches!(c, ' '..='~'))
            {
                self.step(at);
                self.text.push(plain);
            }
            return;
        }
        self.step(at);
        if let Some(plain) = small_capital(c).or_else(|| latin_twin(c).filter(|_| mixed)) {
            self.text.push(plain);
            return;
        }
        match c {
            '\u{2018}' | '\u{2019}' | '\u{2032}' => self.text.push('\''),
            '\u{201C}' | '\u{201D}' => self.text.push('"'),
            // Syllables come apart into letters that nobody looks for.
            '\u{AC00}'..='\u{D7A3}' => self.text.push(c),
            _ => self.text.extend(std::iter::once(c).nfkd().filter(|&c| !is_combining_mark(c))),
        }
    }
}
