//! The same words, or the same letter, over and over.

use super::words::{Word, words};
use super::{Found, REPETITION};

/// A loop is no longer than so many words.
const PERIOD: usize = 12;
/// It goes round so often at least, and has so many words and letters in all.
const ROUNDS: usize = 5;
const WORDS: usize = 10;
const LETTERS: usize = 48;
/// A letter that often in a row is no sigh.
const LETTER: usize = 32;

/// Words of values, which are repeated in data and code for a reason.
const VALUES: [&str; 11] = ["true", "false", "null", "none", "nan", "na", "yes", "no", "nil", "undefined", "xxxx"];

/// Finds loops of words in a block that may have some.
pub(super) fn find(block: &str, found: &mut Vec<Found>) {
    let words: Vec<Word<'_>> = words(block).collect();
    for period in 1..=PERIOD {
        let mut same = 0;
        for at in period..=words.len() {
            if words.get(at).is_some_and(|word| word.hash == words[at - period].hash) {
                same += 1;
                continue;
            }
            let length = same + period;
            if length >= WORDS && length >= ROUNDS * period {
                found.extend(looped(&words[at - length..at], period));
            }
            same = 0;
        }
    }
}

/// Whether enough words in a row came shortly before, or share a place with one that did: prose is passed over by this.
pub(super) struct Again {
    /// By the first bits of its hash, which all letters are in, where a word stood last, from 1.
    last: [u32; 1 << 8],
    at: u32,
    row: usize,
    pub(super) may_loop: bool,
}

impl Again {
    pub(super) fn new() -> Self {
        Self { last: [0; 1 << 8], at: 0, row: 0, may_loop: false }
    }

    pub(super) fn take(&mut self, word: &Word<'_>) {
        // The shortest loops have ten words, of which the first two are new.
        const AGAIN: usize = WORDS - 2;
        self.at += 1;
        let before = std::mem::replace(&mut self.last[(word.hash >> 56) as usize], self.at);
        let again = before > 0 && (self.at - before) as usize <= PERIOD;
        self.row = if again { self.row + 1 } else { 0 };
        self.may_loop |= self.row >= AGAIN;
    }
}

/// What a loop of words is, if it says anything.
fn looped(words: &[Word<'_>], period: usize) -> Option<Found> {
    let letters: usize = words.iter().map(|word| word.text.chars().filter(|c| c.is_alphabetic()).count()).sum();
    let value = |word: &Word<'_>| VALUES.iter().any(|value| value.eq_ignore_ascii_case(word.text));
    let (first, last) = (words.first()?, words.last()?);
    let says = letters >= LETTERS && !words[..period].iter().all(value);
    says.then(|| Found { rule: REPETITION, start: first.start, end: last.start + last.text.len(), confidence: 0.8 })
}

/// A letter in a row; signs in a row are lines and frames.
pub(super) fn letter(block: &str, found: &mut Vec<Found>) {
    // So long a row has all of some stretch of sixteen bytes, of which prose is passed over by two.
    let row = |stretch: &[u8]| stretch[0] == stretch[15] && stretch[7] == stretch[8];
    if block.is_ascii() && !block.as_bytes().chunks_exact(16).any(row) {
        return;
    }
    let (mut start, mut count, mut before) = (0, 0, '\0');
    for (at, c) in block.char_indices().chain([(block.len(), '\0')]) {
        if c == before {
            count += 1;
            continue;
        }
        // A row of `x` stands for what is left out.
        if count >= LETTER && before.is_alphabetic() && !matches!(before, 'x' | 'X') {
            found.push(Found { rule: REPETITION, start, end: at, confidence: 0.7 });
        }
        (start, count, before) = (at, 1, c);
    }
}
