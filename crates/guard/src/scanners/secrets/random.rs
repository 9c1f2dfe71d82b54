//! Does this look like something a machine drew, or like something a person wrote?

use std::sync::LazyLock;

use crate::literals::Literals;

/// Common neighbours in English words: bit `b` of row `a` is set if `ab` is among the 230 most common
/// of the 676 pairs (93 % of the pairs in English, a third of those in random letters).
const PAIRS: [u32; 26] = [
    0x13e_bd4e, 0x016_4911, 0x01a_4d95, 0x014_4119, 0x1ef_b97d, 0x012_4931, 0x016_2990, 0x008_4111, 0x22e_f87f,
    0x000_0000, 0x000_0010, 0x11c_4919, 0x014_d113, 0x03c_617d, 0x07e_fd6f, 0x11e_c911, 0x010_0000, 0x11e_795d,
    0x11c_c995, 0x11e_c995, 0x00e_b917, 0x000_0111, 0x002_4191, 0x008_8010, 0x004_8000, 0x000_0010,
];

/// Shannon entropy in bits per byte.
pub(super) fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for &byte in text {
        counts[byte as usize] += 1;
    }
    let total = text.len() as f32;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = count as f32 / total;
            -share * share.log2()
        })
        .sum()
}

/// Share of neighbouring letters that are common neighbours in English, and how many pairs there are.
pub(super) fn english(text: &[u8]) -> (f32, usize) {
    let (mut common, mut pairs) = (0, 0);
    for pair in text.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        // A capital after a small letter starts a new word: its pair says nothing.
        if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && !(a.is_ascii_lowercase() && b.is_ascii_uppercase()) {
            pairs += 1;
            let row = PAIRS[(a.to_ascii_lowercase() - b'a') as usize];
            common += (row >> (b.to_ascii_lowercase() - b'a') & 1) as usize;
        }
    }
    (if pairs == 0 { 0.0 } else { common as f32 / pairs as f32 }, pairs)
}

/// How many neighbouring letters of a word, which is nothing but letters, are common neighbours in English.
pub(crate) fn common_pairs(word: &[u8]) -> usize {
    let place = |letter: u8| usize::from((letter | 0x20).wrapping_sub(b'a')).min(PAIRS.len() - 1);
    word.windows(2).map(|pair| (PAIRS[place(pair[0])] >> place(pair[1]) & 1) as usize).sum()
}

/// Whether it reads like words: an identifier, a sentence, a path.
pub(super) fn wordy(text: &[u8]) -> bool {
    let (share, pairs) = english(text);
    let letters = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    // Few letters in a row between digits are no words, whatever they are.
    pairs >= 4 && share >= 0.70 && pairs * 2 >= letters && digits * 2 <= letters
}

/// Words that stand where a secret will stand.
const DUMMIES: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "your",
    "insert",
    "redacted",
    "xxxx",
    "****",
    "....",
    "dummy",
    "sample",
    "_here",
    "-here",
    "goes_here",
    "todo",
    "foobar",
    "replace",
    "0123456789",
    "123456789",
    "abcdef0",
    "secret_key",
    "api_key",
    "apikey",
    "access_token",
    "deadbeefdead",
    "test_key",
    "not_a_real",
    "notreal",
    "fake_",
    "fake-",
    "mock",
];

static WORDS: LazyLock<Literals> = LazyLock::new(|| Literals::new(DUMMIES));

/// Whether it only shows where a secret would stand: `xxxx…`, `EXAMPLE`, `your-key`, counting up.
pub(super) fn dummy(text: &[u8]) -> bool {
    monotonous(text) || WORDS.any(text)
}

/// Whether it repeats one character, counts up, or uses too few characters to be drawn at random.
pub(super) fn monotonous(text: &[u8]) -> bool {
    let (mut same, mut longest, mut steps) = (1, 1, 0);
    for pair in text.windows(2) {
        same = if pair[0] == pair[1] { same + 1 } else { 1 };
        longest = longest.max(same);
        steps += usize::from(pair[1] == pair[0].wrapping_add(1));
    }
    let mut seen = [false; 256];
    for &byte in text {
        seen[byte as usize] = true;
    }
    let distinct = seen.iter().filter(|&&seen| seen).count();
    longest >= 6.max(text.len() / 4) || steps * 2 > text.len() || (text.len() >= 16 && distinct < 7)
}

/// Whether `word`, in lower case, stands in `text`, in any case.
pub(super) fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// Whether the value looks drawn at random, for a value that something says is a secret.
pub(super) fn random(value: &[u8], shortest: usize) -> bool {
    if value.len() < shortest || dummy(value) || wordy(value) {
        return false;
    }
    let count = |test: fn(&u8) -> bool| value.iter().filter(|byte| test(byte)).count();
    let digits = count(u8::is_ascii_digit);
    let lower = count(u8::is_ascii_lowercase);
    let upper = count(u8::is_ascii_uppercase);
    if lower + upper == 0 || (digits == 0 && (lower.min(upper) < 3 || value.len() < 16) && value.len() < 24) {
        return false;
    }
    let (share, pairs) = english(value);
    if digits < 2 && (share > 0.6 || pairs < 8) {
        return false;
    }
    entropy(value) >= if value.len() >= 20 { 3.0 } else { 2.6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_words_from_noise() {
        for words in
            ["not_long_enough", "insert-key-here", "DefaultListableBeanFactory", "ultraPictureBox", "SalesResults-1.2"]
        {
            assert!(wordy(words.as_bytes()), "{words}");
        }
        for noise in
            ["kmy6wbnjfmqi9tysd2lisiwp", "Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB", "7c5d54337085c8d3a704d25d90a3b80b"]
        {
            assert!(!wordy(noise.as_bytes()), "{noise}");
            assert!(random(noise.as_bytes(), 16), "{noise}");
        }
    }

    #[test]
    fn knows_dummies() {
        for text in [
            "xxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "your-api-key",
            "abcdefghijklmnopqrstuvwxyz123456",
            "1111111111111111",
        ] {
            assert!(dummy(text.as_bytes()), "{text}");
        }
        assert!(!dummy(b"d6ePMztH3dpk4E7CbAEJCGPQ"));
    }
}
