//! The tokenisers of sacreBLEU: mteval-v13a, mteval-v14 (international), characters, Chinese, and none.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr2_iter};
use unicode_general_category::{GeneralCategory as Category, get_general_category};

use super::words::is_space;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokeniser {
    /// Words are what stands between spaces.
    None,
    /// mteval-v13a, used by WMT.
    V13a,
    /// mteval-v14: by Unicode's punctuation and symbols.
    International,
    /// Every character is a word.
    Char,
    /// Chinese characters are words, the rest as in 13a.
    Zh,
}

/// Their names.
pub(super) const NAMES: &[(&str, Tokeniser)] = &[
    ("none", Tokeniser::None),
    ("13a", Tokeniser::V13a),
    ("intl", Tokeniser::International),
    ("char", Tokeniser::Char),
    ("zh", Tokeniser::Zh),
];

impl Tokeniser {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, tokeniser)| *tokeniser == self).map_or("none", |(name, _)| name)
    }

    /// The text with spaces between its words.
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::V13a => v13a(text),
            Self::International => international(text),
            Self::Char => text.chars().flat_map(|char| [char, ' ']).collect(),
            Self::Zh => zh(text),
        }
    }
}

fn v13a(text: &str) -> String {
    let mut line = Cow::Borrowed(text);
    if line.contains('<') {
        replace(&mut line, "<skipped>", "");
    }
    if line.contains('\n') {
        replace(&mut line, "-\n", "");
        replace(&mut line, "\n", " ");
    }
    if line.contains('&') {
        for (what, by) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            replace(&mut line, what, by);
        }
    }
    western(&format!(" {line} "))
}

fn replace(line: &mut Cow<'_, str>, what: &str, by: &str) {
    if line.contains(what) {
        *line = Cow::Owned(line.replace(what, by));
    }
}

/// Four substitutions one after another, as the Perl script has them: each goes from left to right, and what it matched
/// is not looked at again. They look at ASCII only, so bytes are enough.
pub(super) fn western(line: &str) -> String {
    let mut out = Vec::with_capacity(line.len() * 2);
    let mut rest = line.as_bytes();
    while let Some(at) = rest.iter().position(|byte| APART[usize::from(*byte)]) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend([b' ', rest[at], b' ']);
        rest = &after[1..];
    }
    out.extend_from_slice(rest);
    let digit = |byte: &u8| byte.is_ascii_digit();
    let after_none = |rest: &[u8]| {
        let mut before = memchr2_iter(b'.', b',', rest).filter_map(|at| at.checked_sub(1));
        before.find(|at| !digit(&rest[*at]))
    };
    let before_none = |rest: &[u8]| {
        let mut stops = memchr2_iter(b'.', b',', rest);
        stops.find(|at| rest.get(at + 1).is_some_and(|next| !digit(next)))
    };
    let minus = |rest: &[u8]| {
        let mut before = memchr_iter(b'-', rest).filter_map(|at| at.checked_sub(1));
        before.find(|at| digit(&rest[*at]))
    };
    let out = pairs(out, after_none, |a, b| [a, b' ', b, b' ']);
    let out = pairs(out, before_none, |a, b| [b' ', a, b' ', b]);
    let out = pairs(out, minus, |a, b| [a, b' ', b, b' ']);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What stands apart wherever it stands.
static APART: [bool; 256] = {
    let mut apart = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        apart[byte] = matches!(byte as u8, b'{'..=b'~' | b'['..=b'`' | b' '..=b'&' | b'('..=b'+' | b':'..=b'@' | b'/');
        byte += 1;
    }
    apart
};

/// Puts four items in the place of each two; `next` finds where the next two are.
fn pairs<T: Copy>(items: Vec<T>, next: impl Fn(&[T]) -> Option<usize>, put: impl Fn(T, T) -> [T; 4]) -> Vec<T> {
    let Some(mut at) = next(&items) else { return items };
    let (mut out, mut rest) = (Vec::with_capacity(items.len() * 2), items.as_slice());
    loop {
        out.extend_from_slice(&rest[..at]);
        out.extend(put(rest[at], rest[at + 1]));
        rest = &rest[at + 2..];
        match next(rest) {
            Some(found) => at = found,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    out
}

fn international(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let two =
        |rest: &[char], matches: fn(char, char) -> bool| rest.windows(2).position(|pair| matches(pair[0], pair[1]));
    let after = |rest: &[char]| two(rest, |a, b| is_punctuation(b) && !is_number(a));
    let before = |rest: &[char]| two(rest, |a, b| is_punctuation(a) && !is_number(b));
    let out = pairs(chars, after, |a, b| [a, ' ', b, ' ']);
    let out = pairs(out, before, |a, b| [' ', a, ' ', b]);
    let mut line = String::with_capacity(out.len() + out.len() / 4);
    for char in out {
        if is_symbol(char) {
            line.extend([' ', char, ' ']);
        } else {
            line.push(char);
        }
    }
    line
}

fn is_number(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_digit();
    }
    use Category::{DecimalNumber, LetterNumber, OtherNumber};
    matches!(get_general_category(char), DecimalNumber | LetterNumber | OtherNumber)
}

fn is_punctuation(char: char) -> bool {
    use Category::{
        ClosePunctuation, ConnectorPunctuation, DashPunctuation, FinalPunctuation, InitialPunctuation, OpenPunctuation,
        OtherPunctuation,
    };
    matches!(
        get_general_category(char),
        ClosePunctuation
            | ConnectorPunctuation
            | DashPunctuation
            | FinalPunctuation
            | InitialPunctuation
            | OpenPunctuation
            | OtherPunctuation
    )
}

fn is_symbol(char: char) -> bool {
    use Category::{CurrencySymbol, MathSymbol, ModifierSymbol, OtherSymbol};
    matches!(get_general_category(char), CurrencySymbol | MathSymbol | ModifierSymbol | OtherSymbol)
}

fn zh(text: &str) -> String {
    let mut line = String::with_capacity(text.len() * 2);
    for char in text.trim_matches(is_space).chars() {
        if is_chinese(char) {
            line.extend([' ', char, ' ']);
        } else {
            line.push(char);
        }
    }
    western(&line)
}

/// sacreBLEU's table. Two of its ranges are meant for planes beyond the first but are written with four hexadecimal
/// digits; published scores come from what that means, U+2001 to U+2A6D and U+2F81 to U+2FA1.
fn is_chinese(char: char) -> bool {
    matches!(char,
        '\u{3400}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{2001}'..='\u{2a6d}'
        | '\u{2f00}'..='\u{2fdf}'
        | '\u{ff00}'..='\u{ffef}'
        | '\u{2e80}'..='\u{2eff}'
        | '\u{3000}'..='\u{303f}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{2ff0}'..='\u{2fff}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{3200}'..='\u{33ff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokeniser: Tokeniser, text: &str, expected: &str) {
        let words: Vec<_> = super::super::words::split(&tokeniser.apply(text)).map(str::to_owned).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn words_as_sacrebleu_finds_them() {
        check(Tokeniser::V13a, "Hello, world! It's 3.14 - no, 3-4.", "Hello , world ! It's 3.14 - no , 3 - 4 .");
        check(Tokeniser::V13a, "a &amp; b\nc-\nd", "a & b cd");
        check(Tokeniser::International, "“Ja”, 5€ – 3.", "“ Ja ” , 5 € – 3.");
        check(Tokeniser::Char, "a b", "a b");
        check(Tokeniser::Zh, "你好，world.", "你 好 ， world .");
        check(Tokeniser::None, "a,  b.", "a, b.");
    }
}
