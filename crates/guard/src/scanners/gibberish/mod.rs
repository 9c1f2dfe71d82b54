//! Text that says nothing: random letters, keys in a row, loops, letters of a wrong encoding.
//!
//! A text is cut into blocks of about a kilobyte, each judged by itself, as `language` does; words whose letters follow
//! one another as in no language of its table are odd, and a block of odd words is gibberish.

use signalbox_types::Severity;

use super::language::Script;
use super::language::table::likeliest;
use super::secrets::random::common_pairs;
use crate::model::{LONGEST, block_end};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

mod loops;
#[cfg(test)]
mod tests;
mod words;

use self::loops::Again;
use self::words::{Word, words};

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
            loops::letter(block, &mut found);
            let (mut again, mut odd) = (Again::new(), Odd::default());
            for word in words(block) {
                again.take(&word);
                odd.take(&word, &mut found);
            }
            // Of two of the same bytes the first counts: a loop is one whatever it is of.
            if again.may_loop {
                loops::find(block, &mut found);
            }
            broken(block, &mut found);
            odd.done(block, &mut found);
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

/// A shorter word is never odd.
const SHORTEST_ODD: usize = 4;

/// Whether the letters of a word follow one another as they seldom do.
fn is_odd(word: &str) -> bool {
    /// `a`, `e`, `i`, `o`, `u`, `y`, by their place in the alphabet.
    const VOWELS: u32 = 1 | 1 << 4 | 1 << 8 | 1 << 14 | 1 << 20 | 1 << 24;
    let bytes = word.as_bytes();
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

/// Odd words of a block, while it is read.
#[derive(Default)]
struct Odd {
    /// Words that are long enough to be odd.
    count: usize,
    /// Those that are, and their letters.
    odd: usize,
    letters: usize,
    longest: usize,
    /// Where the first starts and the last ends.
    first: usize,
    last: usize,
}

impl Odd {
    fn take(&mut self, word: &Word<'_>, found: &mut Vec<Found>) {
        let length = word.text.len();
        if !word.prose || length < SHORTEST_ODD {
            return;
        }
        self.count += 1;
        if !is_odd(word.text) {
            return;
        }
        let end = word.start + length;
        if is_typed_in_a_row(word.text) {
            found.push(Found { rule: KEYBOARD, start: word.start, end, confidence: 0.75 });
        }
        self.first = if self.odd == 0 { word.start } else { self.first };
        self.last = end;
        self.odd += 1;
        self.letters += length;
        self.longest = self.longest.max(length);
    }

    fn done(&self, block: &str, found: &mut Vec<Found>) {
        let many = self.odd >= 3 && self.odd * 2 > self.count && self.letters >= 16;
        let alone = self.odd >= 1 && self.count <= 2 && self.longest >= 12;
        if !many && !alone {
            return;
        }
        // A language that is not English may be all odd; the table knows those.
        let text = block.get(self.first..self.last).unwrap_or_default();
        if likeliest(text, Script::Latin).is_some_and(|likeliest| likeliest.cost > STRANGE) {
            found.push(Found {
                rule: LETTERS,
                start: self.first,
                end: self.last,
                confidence: if self.odd * 4 > self.count * 3 { 0.8 } else { 0.6 },
            });
        }
    }
}
