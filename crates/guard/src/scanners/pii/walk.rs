//! Finds the places at which something may start. Every decision is local, so that a walk from anywhere finds the
//! same places.

use super::Anchor;
use super::life::{begins_street, month};
use crate::class::{ALNUM, Class, DIGIT, DIGITS, LOWER, Row, UPPER, row};

/// A walk over the text.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn is_word(byte: u8) -> bool {
    ALNUM.has(byte)
}

/// Bytes at which something may start.
static STARTS: Class = Class::new(&[DIGITS, LOWER, UPPER], b"@+(:");

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8], from: usize) -> Self {
        // In the middle of a word nothing starts.
        let inside = from > 0 && bytes.get(from - 1).copied().is_some_and(is_word);
        let at = if inside { from + row(bytes.get(from..).unwrap_or_default()).length } else { from };
        Self { bytes, at }
    }
}

impl Iterator for Walk<'_> {
    type Item = (usize, Anchor);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            let at = self.at;
            if !STARTS.has(byte) {
                self.at += 1;
                continue;
            }
            let next = self.bytes.get(at + 1).copied().unwrap_or(0);
            if !is_word(byte) {
                self.at += 1;
                match byte {
                    b'@' if is_word(next) || next >= 0x80 => return Some((at, Anchor::At)),
                    b'+' if next.is_ascii_digit() || next == b'(' => return Some((at, Anchor::Plus)),
                    b'(' if next.is_ascii_digit() || next == b'+' => return Some((at, Anchor::Bracket)),
                    b':' if next == b':' => return Some((at, Anchor::Colons)),
                    _ => continue,
                }
            }
            let word = row(self.bytes.get(at..).unwrap_or_default());
            self.at += word.length;
            if byte.is_ascii_digit() {
                return Some((at, Anchor::Number));
            }
            if let Some(anchor) = lettered(self.bytes, at, word) {
                return Some((at, anchor));
            }
        }
    }
}

/// What a word that starts with a letter can be.
fn lettered(bytes: &[u8], start: usize, Row { length, kinds }: Row) -> Option<Anchor> {
    let end = start + length;
    let word = &bytes[start..end];
    let next = bytes.get(end).copied().unwrap_or(0);
    let short = word.len() <= 4;
    let digit_follows = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    // Of a very long one only the beginning counts.
    let has_digit = kinds & DIGIT != 0 && (length <= 40 || word.iter().take(40).any(u8::is_ascii_digit));
    if has_digit
        || (short && matches!(next, b':' | b'.') && word.iter().all(u8::is_ascii_hexdigit))
        || (short && matches!(next, b' ' | b'-' | b'.') && (digit_follows || (word.len() == 2 && next == b'-')))
    {
        return Some(Anchor::Mixed);
    }
    (word[0].is_ascii_uppercase() && month(word)).then_some(Anchor::Month)
}

/// The first place at or after `from` at which something may start, in a text that may go on. Prose leaves at once:
/// a word of letters that a space ends starts nothing, unless a digit follows a short one, or it is the name of a month.
pub(super) fn next_start(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    if from > 0 && bytes.get(from - 1).copied().is_some_and(|byte| is_word(byte) || b"._%+-".contains(&byte)) {
        // What it belongs to may be the local part of a mailbox.
        return from;
    }
    while let Some(&byte) = bytes.get(at) {
        if matches!(byte, b' ' | b'\n' | b'\t' | b',' | b';' | b'!' | b'?' | b'"') {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(bytes.len() - at);
        let word = &bytes[at..end];
        let ended = matches!(bytes.get(end), Some(b' ' | b'\n' | b',' | b';' | b'!' | b'?' | b'"'));
        // A short one may belong to the number behind it: `AB 12 34 56 C`.
        let apart = word.len() > 4 || bytes.get(end + 1).is_some_and(|byte| !byte.is_ascii_digit());
        if word.is_empty() || !ended || !apart || month(word) || begins_street(word) {
            break;
        }
        at = end;
    }
    at
}
