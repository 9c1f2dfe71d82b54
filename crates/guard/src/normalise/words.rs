//! Cuts text into words as a reader reads them, without allocating.

use std::ops::{Range, RangeInclusive};

use crate::class::{CAPITAL, DIGIT, SMALL, row};

/// Words longer than this are cut: they are no words.
pub(crate) const LONGEST_WORD: usize = 40;
/// Bytes of a word's key.
const KEY: usize = 16;
/// Lengths in bytes of the beginnings that are hashed.
pub(crate) const STEMS: RangeInclusive<usize> = 3..=12;
const STEM_COUNT: usize = 10;

const SEED: u32 = 0x811C_9DC5;

/// One step of the hash (FNV-1a).
#[inline]
pub(crate) fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// The hash of a whole word, as [`Hashes::whole`] has it.
#[must_use]
pub fn hash(word: &str) -> u32 {
    word.bytes().fold(SEED, |hash, byte| step(hash, byte.to_ascii_lowercase()))
}

/// Hashes of a word and of its beginnings.
#[derive(Debug, Clone, Copy)]
pub struct Hashes {
    /// Of the whole word, in lower case.
    pub whole: u32,
    /// Of its first 3 to 12 bytes, as far as it has them.
    stems: [u32; STEM_COUNT],
    stem_count: usize,
}

impl Hashes {
    fn of(letters: &[u8]) -> Self {
        let (mut whole, mut stems, mut stem_count) = (SEED, [0; STEM_COUNT], 0);
        for (i, &byte) in letters.iter().enumerate() {
            whole = step(whole, byte);
            if STEMS.contains(&(i + 1)) {
                stems[stem_count] = whole;
                stem_count += 1;
            }
        }
        Self { whole, stems, stem_count }
    }

    pub(crate) fn stems(&self) -> &[u32] {
        self.stems.get(..self.stem_count).unwrap_or_default()
    }
}

/// A word.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// Its letters, in lower case, with tricks undone.
    pub bytes: &'a [u8],
    /// The same in one number, which no other word has; 0 if they are more than fit.
    pub(crate) key: u128,
    /// Where it starts in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whether a sentence or a line ended before it.
    pub starts_sentence: bool,
}

impl Word<'_> {
    /// Its hashes.
    #[must_use]
    pub fn hashes(&self) -> Hashes {
        Hashes::of(self.bytes)
    }
}

/// Calls `each` with every word. A letter of a script without spaces is a word of its own, and so is each pair.
///
/// Undone are digits and signs for letters (`1gn0r3`, `p@ssw0rd`), letters set apart (`i g n o r e`, `i.g.n.o.r.e`) and
/// capitals. Numbers are all one word, `0`.
pub fn words(text: &str, mut each: impl FnMut(Word<'_>)) {
    let bytes = text.as_bytes();
    let mut cutter = Cutter { bytes, at: 0, sentence: true };
    let mut buffer = [0_u8; LONGEST_WORD];
    while let Some(Run { start, end, kinds }) = cutter.next_run() {
        let starts_sentence = std::mem::take(&mut cutter.sentence);
        if is_wide(bytes[start]) {
            wide(text, start, end, starts_sentence, &mut each);
            continue;
        }
        let letters = kinds & !LETTER == 0;
        let (length, end) = if end - start == 1 && letters {
            spaced(bytes, start, &mut buffer)
        } else if letters {
            (lower(bytes, start..end, &mut buffer), end)
        } else {
            (plain(&bytes[start..end], &mut buffer), end)
        };
        cutter.at = end;
        let letters = buffer.get(..length).unwrap_or_default();
        each(Word { bytes: letters, key: key(&buffer, length), start, end, starts_sentence });
    }
}

/// Letters have no zero among them: those of two words differ also with zeros behind them.
fn key(buffer: &[u8; LONGEST_WORD], length: usize) -> u128 {
    let first = buffer.first_chunk().map_or(0, |first| u128::from_le_bytes(*first));
    match KEY.checked_sub(length) {
        Some(rest) => first & u128::MAX.unbounded_shr(u32::try_from(rest * 8).unwrap_or_default()),
        None => 0,
    }
}

/// Chinese and Japanese: each letter and each pair of letters.
fn wide(text: &str, start: usize, end: usize, mut starts_sentence: bool, each: &mut impl FnMut(Word<'_>)) {
    let run = text.get(start..end).unwrap_or_default();
    let mut before = start;
    for (i, c) in run.char_indices() {
        let (at, end) = (start + i, start + i + c.len_utf8());
        for start in [before, at].into_iter().skip(usize::from(before == at)) {
            let letters = text.as_bytes().get(start..end).unwrap_or_default();
            let key = letters.iter().rev().fold(0, |key, byte| key << 8 | u128::from(*byte));
            each(Word { bytes: letters, key, start, end, starts_sentence });
            starts_sentence = false;
        }
        before = at;
    }
}

/// Writes a run of Latin letters in lower case; returns the length.
fn lower(bytes: &[u8], run: Range<usize>, buffer: &mut [u8; LONGEST_WORD]) -> usize {
    const CASE: u128 = u128::from_ne_bytes([0x20; KEY]);
    let length = run.len();
    match bytes[run.start..].first_chunk::<KEY>().zip(buffer.first_chunk_mut::<KEY>()) {
        // What follows the run is written, too, and not looked at.
        Some((letters, out)) if length <= KEY => *out = (u128::from_ne_bytes(*letters) | CASE).to_ne_bytes(),
        _ => buffer.iter_mut().zip(&bytes[run]).for_each(|(out, byte)| *out = byte | 0x20),
    }
    length
}

/// Writes a run in lower case, digits and signs between letters as letters; returns the length.
fn plain(run: &[u8], buffer: &mut [u8; LONGEST_WORD]) -> usize {
    let mut letters = 0;
    let mut others = 0;
    for (out, &byte) in buffer.iter_mut().zip(run) {
        *out = byte.to_ascii_lowercase();
        letters += usize::from(byte.is_ascii_alphabetic() || byte >= 0x80);
        others += usize::from(!byte.is_ascii_alphabetic() && byte < 0x80 && byte != b'\'');
    }
    let length = run.len().min(LONGEST_WORD);
    lower_cyrillic(&mut buffer[..length]);
    if letters == 0 {
        buffer[0] = b'0';
        return 1;
    }
    // More signs than letters is a number with a unit, or a key.
    if others > 0 && others <= letters + 1 {
        for out in &mut buffer[..length] {
            *out = unleet(*out);
        }
    }
    length
}

/// Latin letters have lost their accents before; of other letters with capitals these are the ones that matter.
fn lower_cyrillic(letters: &mut [u8]) {
    for at in 1..letters.len() {
        if letters[at - 1] == 0xD0 {
            match letters[at] {
                capital @ 0x90..=0x9F => letters[at] = capital + 0x20,
                capital @ 0xA0..=0xAF => {
                    letters[at - 1] = 0xD1;
                    letters[at] = capital - 0x20;
                }
                _ => {}
            }
        }
    }
}

/// The letter that a digit or sign stands for.
fn unleet(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Letters set apart by one separator, always the same: at least four of them are one word. Otherwise the
/// single letter is.
fn spaced(bytes: &[u8], start: usize, buffer: &mut [u8; LONGEST_WORD]) -> (usize, usize) {
    buffer[0] = bytes[start].to_ascii_lowercase();
    let (mut length, mut end) = (1, start + 1);
    let separator = bytes.get(end).copied().unwrap_or(0);
    if matches!(separator, b' ' | b'.' | b'-' | b'_' | b'*' | b'|' | b'/') {
        while length < LONGEST_WORD
            && bytes.get(end) == Some(&separator)
            && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric)
            && !bytes.get(end + 2).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
        {
            buffer[length] = unleet(bytes[end + 1].to_ascii_lowercase());
            length += 1;
            end += 2;
        }
    }
    if length >= 4 { (length, end) } else { (1, start + 1) }
}

/// Letters of either case.
const LETTER: u8 = SMALL | CAPITAL;
/// Part of a character that is not ASCII.
const HIGH: u8 = 8;
/// A sign that stands for a letter, or between letters.
const SIGN: u8 = 16;

static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0_u8;
    loop {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' => SMALL,
            b'A'..=b'Z' => CAPITAL,
            b'0'..=b'9' => DIGIT,
            0x80.. => HIGH,
            b'@' | b'$' | b'!' | b'\'' => SIGN,
            _ => 0,
        };
        if byte == u8::MAX {
            break kinds;
        }
        byte += 1;
    }
};

/// Bytes that belong together.
struct Run {
    start: usize,
    end: usize,
    /// What kinds of bytes it has.
    kinds: u8,
}

struct Cutter<'a> {
    bytes: &'a [u8],
    at: usize,
    /// A sentence has ended since the last word.
    sentence: bool,
}

impl Cutter<'_> {
    fn next_run(&mut self) -> Option<Run> {
        let bytes = self.bytes;
        loop {
            let byte = *bytes.get(self.at)?;
            match KINDS[usize::from(byte)] {
                SMALL | CAPITAL | DIGIT => break,
                HIGH if !self.closes_wide() => break,
                HIGH => self.at += 3,
                _ => {
                    self.sentence |= match byte {
                        b'\n' | b'!' | b'?' | b';' => true,
                        b'.' => bytes.get(self.at + 1).is_none_or(u8::is_ascii_whitespace),
                        _ => false,
                    };
                    self.at += 1;
                }
            }
        }
        let (start, mut kinds) = (self.at, 0);
        let wide = is_wide(bytes[start]);
        let longest = start + LONGEST_WORD;
        loop {
            if !wide {
                // There is nothing where a character of several bytes has gone past the longest word.
                let rest = bytes.get(self.at..longest.min(bytes.len())).unwrap_or_default();
                let plain = row(rest);
                self.at += plain.length;
                kinds |= plain.kinds;
            }
            let Some(&byte) = bytes.get(self.at) else { break };
            let kind = KINDS[usize::from(byte)];
            let belongs = match kind {
                HIGH => !self.closes_wide() && is_wide(byte) == wide,
                SIGN => !wide && bytes.get(self.at + 1).is_some_and(u8::is_ascii_alphabetic),
                _ => false,
            };
            if !belongs || self.at >= longest {
                break;
            }
            kinds |= kind;
            self.at += width(byte);
        }
        self.at = self.at.min(bytes.len());
        Some(Run { start, end: self.at, kinds })
    }

    /// An ideographic full stop, comma or other punctuation (U+3000 to U+303F, U+FF00 to U+FF0F), or a dash or bullet.
    fn closes_wide(&mut self) -> bool {
        if self.bytes.get(self.at).is_none_or(|byte| *byte < 0xE2) {
            return false;
        }
        let Some(three) = self.bytes.get(self.at..self.at + 3) else { return false };
        let closes = matches!(three, [0xE3, 0x80, _] | [0xE2, 0x80 | 0x84 | 0x86..=0xBF, _]);
        self.sentence |= three == [0xE3, 0x80, 0x82];
        closes
    }
}

fn is_wide(byte: u8) -> bool {
    (0xE3..0xEA).contains(&byte)
}

/// How many bytes the character takes that starts with this one.
fn width(byte: u8) -> usize {
    match byte {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}
