//! A text as words, without what layout and punctuation add.

use unicode_script::{Script, UnicodeScript};

/// A longer word is several.
const MOST_BYTES: usize = 64;

/// A word of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    hash: u64,
}

/// The words from an offset on. Where a word begins doesn't depend on what stands before it.
pub(super) fn words(text: &str, from: usize) -> impl Iterator<Item = Word> + '_ {
    let mut chars =
        text.get(from..).unwrap_or_default().char_indices().map(move |(at, char)| (from + at, char)).peekable();
    std::iter::from_fn(move || {
        while chars.next_if(|(_, char)| !char.is_alphanumeric()).is_some() {}
        let (start, first) = chars.next()?;
        let mut word = Word { start, end: start + first.len_utf8(), hash: mixed(OFFSET, first) };
        if !stands_alone(first) {
            while let Some((at, char)) = chars.next_if(|(at, char)| {
                char.is_alphanumeric() && !stands_alone(*char) && at + char.len_utf8() - start <= MOST_BYTES
            }) {
                word.end = at + char.len_utf8();
                word.hash = mixed(word.hash, char);
            }
        }
        Some(word)
    })
}

/// What stands for words in a row.
pub(super) fn shingle(words: &[Word]) -> u64 {
    words.iter().fold(OFFSET, |hash, word| (hash.rotate_left(5) ^ word.hash).wrapping_mul(PRIME))
}

// FNV-1a: it needs only to tell the words of two texts apart.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

fn mixed(hash: u64, char: char) -> u64 {
    let mix = |hash: u64, char: char| (hash ^ u64::from(u32::from(char))).wrapping_mul(PRIME);
    if char.is_ascii() { mix(hash, char.to_ascii_lowercase()) } else { char.to_lowercase().fold(hash, mix) }
}

/// Scripts without spaces: each character counts as a word.
fn stands_alone(char: char) -> bool {
    let run_on =
        [Script::Han, Script::Hiragana, Script::Katakana, Script::Thai, Script::Lao, Script::Khmer, Script::Myanmar];
    !char.is_ascii() && run_on.contains(&char.script())
}
