//! Text that says nothing: random letters, keys in a row, loops, letters of a wrong encoding.
//!
//! A text is cut into blocks of about a kilobyte, each judged by itself, as `language` does; words whose letters follow
//! one another as in no language of its table are odd, and a block of odd words is gibberish.

use signalbox_types::Severity;

use super::language::Script;
use super::language::table::likeliest;
use super::secrets::random::common_pairs;
use crate::class::{Class, DIGITS, LETTER, LOWER};
use crate::model::{LONGEST, block_end};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

mod loops;
#[cfg(test)]
mod tests;

/// Finds text that says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Gibberish;

static RULES: &[Rule] = &[
    rule("broken_encoding", Severity::Low, "Letters of a wrong encoding. Decode the text as what it is, mostly UTF-8."),
    rule("keyboard", Severity::Low, "Keys in a row. There is nothing to answer: ask for what is meant."),
    rule("random_letters", Severity::Low, "Letters as in no language. There is nothing to answer, or it is in code."),
    rule(
        "repetition",
        Severity::Medium,
        "The same words over and over: the model may be caught in a loop. Look at the call.",
    ),
];
const BROKEN: usize = 0;
const KEYBOARD: usize = 1;
const LETTERS: usize = 2;
const REPETITION: usize = 3;

static ABOUT: About = About {
    name: "gibberish",
    summary: "Finds text that says nothing: random letters, loops, broken encodings.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: LONGEST + 4,
};

impl Scanner for Gibberish {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let mut at = text.from();
        while let Some(end) = block_end(text.as_str(), at, text.is_open()) {
            let block = text.as_str().get(at..end).unwrap_or_default();
            let mut found = Vec::new();
            loops::find(block, &mut found);
            broken(block, &mut found);
            odd(block, &mut found);
            found.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
            let mut done = 0;
            for found in found {
                if found.start < done {
                    continue;
                }
                done = found.end;
                hits.push(Hit {
                    rule: &RULES[found.rule],
                    start: at + found.start,
                    end: at + found.end,
                    confidence: found.confidence,
                    replacement: Replacement::Mark,
                });
            }
            at = end;
        }
        at
    }
}

/// Something found in a block.
#[derive(Debug, Clone, Copy)]
struct Found {
    rule: usize,
    start: usize,
    end: usize,
    confidence: f32,
}

/// UTF-8 that was read as Windows-1252, and what could not be read at all.
fn broken(block: &str, found: &mut Vec<Found>) {
    if block.is_ascii() {
        return;
    }
    let (mut count, mut first, mut last, mut before) = (0, 0, 0, ' ');
    for (at, c) in block.char_indices() {
        let pair = match before {
            'Ã' | 'Â' | 'Ð' | 'Ñ' => {
                matches!(c, '\u{80}'..='\u{BF}' | '\u{2013}'..='\u{203A}' | '\u{192}' | '\u{152}'..='\u{178}' | '\u{20AC}' | '\u{2122}')
            }
            'â' => matches!(c, '€' | '\u{80}' | '\u{201A}' | '\u{2020}' | '\u{201E}'),
            _ => c == '\u{FFFD}',
        };
        if pair {
            first = if count == 0 { at - if c == '\u{FFFD}' { 0 } else { before.len_utf8() } } else { first };
            last = at + c.len_utf8();
            count += 1;
        }
        before = c;
    }
    if count >= 3 {
        found.push(Found { rule: BROKEN, start: first, end: last, confidence: if count >= 6 { 0.9 } else { 0.7 } });
    }
}

/// Words of Latin letters and nothing else, as they are written in prose.
fn words(block: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = block.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(|byte| LETTER.has(*byte))?;
            at = start + 1;
            let mut prose = true;
            while let Some(&byte) = bytes.get(at)
                && LETTER.has(byte)
            {
                prose &= SMALL.has(byte);
                at += 1;
            }
            if !prose || at - start < 3 {
                continue;
            }
            let glues = |byte: &u8| GLUE.has(*byte);
            if !bytes[..start].last().is_some_and(glues) && !bytes.get(at).is_some_and(glues) {
                return Some((start, block.get(start..at)?));
            }
        }
    })
}

static SMALL: Class = Class::new(&[LOWER], b"");
/// What glues words together.
static GLUE: Class = Class::new(&[DIGITS, (0x80, 0xFF)], b"_/\\=+@#$%&<>{}[]");

/// Whether the letters of a word follow one another as they seldom do.
fn is_odd(word: &str) -> bool {
    /// `a`, `e`, `i`, `o`, `u`, `y`, by their place in the alphabet.
    const VOWELS: u32 = 1 | 1 << 4 | 1 << 8 | 1 << 14 | 1 << 20 | 1 << 24;
    let bytes = word.as_bytes();
    if bytes.len() < 4 {
        return false;
    }
    let vowel = |byte: &u8| VOWELS >> (byte.to_ascii_lowercase() - b'a') & 1 == 1;
    common_pairs(bytes) * 2 < bytes.len() - 1 || (bytes.len() > 4 && !bytes.iter().any(vowel))
}

/// Neighbours on a keyboard.
fn is_typed_in_a_row(word: &str) -> bool {
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let place = |byte: u8| {
        let byte = byte.to_ascii_lowercase();
        ROWS.iter().enumerate().find_map(|(row, keys)| keys.iter().position(|key| *key == byte).map(|at| (row, at)))
    };
    let near = |pair: &[u8]| match (place(pair[0]), place(pair[1])) {
        (Some((row, a)), Some((other, b))) => row == other && a.abs_diff(b) <= 3,
        _ => false,
    };
    let (mut count, mut moved) = (0, 0);
    for pair in word.as_bytes().windows(2) {
        count += usize::from(near(pair));
        moved += usize::from(!pair[0].eq_ignore_ascii_case(&pair[1]));
    }
    word.len() >= 8 && count * 10 >= (word.len() - 1) * 9 && moved * 2 > word.len()
}

/// The mean cost of a row of letters beyond which it is of no language.
const STRANGE: f32 = 8.9;

fn odd(block: &str, found: &mut Vec<Found>) {
    let (mut count, mut odd, mut letters, mut longest) = (0, 0, 0, 0);
    let (mut first, mut last) = (0, 0);
    for (at, word) in words(block) {
        count += usize::from(word.len() >= 4);
        if is_odd(word) {
            if is_typed_in_a_row(word) {
                found.push(Found { rule: KEYBOARD, start: at, end: at + word.len(), confidence: 0.75 });
            }
            first = if odd == 0 { at } else { first };
            last = at + word.len();
            odd += 1;
            letters += word.len();
            longest = longest.max(word.len());
        }
    }
    let many = odd >= 3 && odd * 2 > count && letters >= 16;
    let alone = odd >= 1 && count <= 2 && longest >= 12;
    if !many && !alone {
        return;
    }
    // A language that is not English may be all odd; the table knows those.
    let text = block.get(first..last).unwrap_or_default();
    if likeliest(text, Script::Latin).is_some_and(|likeliest| likeliest.cost > STRANGE) {
        found.push(Found {
            rule: LETTERS,
            start: first,
            end: last,
            confidence: if odd * 4 > count * 3 { 0.8 } else { 0.6 },
        });
    }
}
