//! The words of a block, as loops and odd words are told by them.

use crate::class::{ALNUM, Class, DIGITS, SMALL, all, eight, row};

/// Letters and digits between what is neither.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) start: usize,
    pub(super) text: &'a str,
    /// What it has in common with words that are the same but for case.
    pub(super) hash: u64,
    /// Whether it is of Latin letters and nothing else, and stands as words of prose do.
    pub(super) prose: bool,
}

/// What glues words together.
static GLUE: Class = Class::new(&[DIGITS, (0x80, 0xFF)], b"_/\\=+@#$%&<>{}[]");

/// The words of a block, in order.
pub(super) fn words(block: &str) -> impl Iterator<Item = Word<'_>> {
    let bytes = block.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let (mut start, mut end, mut prose) = (None, at, false);
        while let Some((&byte, rest)) = bytes.get(at..).and_then(<[u8]>::split_first) {
            if ALNUM.has(byte) {
                let more = row(rest);
                // If more follows, it is glued to this.
                prose = start.is_none() && !byte.is_ascii_digit() && more.kinds & !SMALL == 0;
                start.get_or_insert(at);
                at += 1 + more.length;
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
                (end, prose) = (at, false);
            } else if start.is_some() {
                break;
            }
        }
        let start = start?;
        let glues = |byte: Option<&u8>| byte.is_some_and(|byte| GLUE.has(*byte));
        let before = start.checked_sub(1).and_then(|before| bytes.get(before));
        prose = prose && !glues(before) && !glues(bytes.get(end));
        Some(Word { start, text: block.get(start..end)?, hash: sketch(bytes, start, end), prose })
    })
}

/// What two words have in common that are the same but for case; of long ones the ends are looked at, which is enough
/// where many have to agree.
fn sketch(bytes: &[u8], start: usize, end: usize) -> u64 {
    /// The bit in which small letters differ from capitals.
    const CASE: u64 = all(0x20);
    let length = end - start;
    let (first, last) = if length < 8 {
        let only = (eight(bytes, start) | CASE) & ((1 << (length * 8)) - 1);
        (only, only)
    } else {
        (eight(bytes, start) | CASE, eight(bytes, end - 8) | CASE)
    };
    (first.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ last).wrapping_mul(0xff51_afd7_ed55_8ccd) ^ length as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_prose_are_told_from_others() {
        let text = "Plain words, café naïve caf\u{e9} e\u{301}t été x1y a_b WORD Don't last";
        let prose: Vec<_> = words(text).filter(|word| word.prose).map(|word| word.text).collect();
        assert_eq!(prose, ["Plain", "words", "Don", "t", "last"]);
        let all: Vec<_> = words("é1 Łódź—b 中 文").map(|word| word.text).collect();
        assert_eq!(all, ["é1", "Łódź", "b", "中", "文"]);
    }

    #[test]
    fn words_are_the_same_but_for_case() {
        let hash = |text: &str| words(text).next().map(|word| word.hash);
        for (one, other) in [("the", "THE"), ("Railways", "railWAYS"), ("interlocking", "Interlocking")] {
            assert_eq!(hash(one), hash(other), "{one}");
            assert_eq!(hash(one), hash(&format!("{other} and what comes after")), "{one}, near the end or not");
            assert_ne!(hash(one), hash(&format!("{one}s")));
        }
    }
}
