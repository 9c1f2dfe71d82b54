//! The same words, or the same letter, over and over.

use super::{Found, REPETITION};
use crate::class::ALNUM;

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

pub(super) fn find(block: &str, found: &mut Vec<Found>) {
    letter(block, found);
    let words: Vec<Word<'_>> = words(block).collect();
    if !may_loop(&words) {
        return;
    }
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

/// Whether enough words in a row came shortly before: prose is passed over by this.
fn may_loop(words: &[Word<'_>]) -> bool {
    // The shortest loops have ten words, of which the first two are new.
    const AGAIN: usize = WORDS - 2;
    let mut row = 0;
    words.iter().enumerate().any(|(at, word)| {
        let again = words[at.saturating_sub(PERIOD)..at].iter().any(|before| before.hash == word.hash);
        row = if again { row + 1 } else { 0 };
        row >= AGAIN
    })
}

/// What a loop of words is, if it says anything.
fn looped(words: &[Word<'_>], period: usize) -> Option<Found> {
    let letters: usize = words.iter().map(|word| word.text.chars().filter(|c| c.is_alphabetic()).count()).sum();
    let value = |word: &Word<'_>| VALUES.iter().any(|value| value.eq_ignore_ascii_case(word.text));
    let (first, last) = (words.first()?, words.last()?);
    let says = letters >= LETTERS && !words[..period].iter().all(value);
    says.then(|| Found { rule: REPETITION, start: first.start, end: last.start + last.text.len(), confidence: 0.8 })
}

struct Word<'a> {
    start: usize,
    text: &'a str,
    hash: u64,
}

fn words(block: &str) -> impl Iterator<Item = Word<'_>> {
    let bytes = block.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let (mut start, mut end) = (None, at);
        while let Some(&byte) = bytes.get(at) {
            if ALNUM.has(byte) {
                start.get_or_insert(at);
                at += 1;
                while bytes.get(at).is_some_and(|byte| ALNUM.has(*byte)) {
                    at += 1;
                }
                end = at;
                continue;
            }
            let (part, width) = if byte.is_ascii() {
                (false, 1)
            } else {
                let c = block.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                (c.is_alphanumeric(), c.len_utf8())
            };
            at += width;
            if part {
                start.get_or_insert(at - width);
                end = at;
            } else if start.is_some() {
                break;
            }
        }
        let start = start?;
        let text = block.get(start..end)?;
        Some(Word { start, text, hash: sketch(text.as_bytes()) })
    })
}

/// What two words have in common that are the same but for case; of long ones the ends are looked at, which is enough
/// where many have to agree.
fn sketch(word: &[u8]) -> u64 {
    /// The bit in which small letters differ from capitals.
    const CASE: u64 = 0x2020_2020_2020_2020;
    let read = |bytes: &[u8]| {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(eight) | CASE
    };
    let first = read(&word[..word.len().min(8)]);
    let last = read(&word[word.len().saturating_sub(8)..]);
    (first.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ last).wrapping_mul(0xff51_afd7_ed55_8ccd) ^ word.len() as u64
}

/// A letter in a row; signs in a row are lines and frames.
fn letter(block: &str, found: &mut Vec<Found>) {
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
