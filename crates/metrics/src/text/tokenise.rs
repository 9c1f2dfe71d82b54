//! The tokenisers of sacreBLEU: mteval-v13a, mteval-v14 (international), characters, Chinese, and none.

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
    let mut line = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        line = line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    }
    western(&format!(" {line} "))
}

/// Four substitutions one after another, as the Perl script has them: each goes from left to right, and what it matched
/// is not looked at again. They look at ASCII only, so bytes are enough.
pub(super) fn western(line: &str) -> String {
    let mut out = Vec::with_capacity(line.len() * 2);
    for byte in line.bytes() {
        if matches!(byte, b'{'..=b'~' | b'['..=b'`' | b' '..=b'&' | b'('..=b'+' | b':'..=b'@' | b'/') {
            out.extend([b' ', byte, b' ']);
        } else {
            out.push(byte);
        }
    }
    let stop = |byte: u8| matches!(byte, b'.' | b',');
    let digit = |byte: u8| byte.is_ascii_digit();
    let out = pairs(&out, |a, b| !digit(a) && stop(b), |a, b| [a, b' ', b, b' ']);
    let out = pairs(&out, |a, b| stop(a) && !digit(b), |a, b| [b' ', a, b' ', b]);
    let out = pairs(&out, |a, b| digit(a) && b == b'-', |a, b| [a, b' ', b, b' ']);
    String::from_utf8_lossy(&out).into_owned()
}

fn pairs<T: Copy>(items: &[T], matches: impl Fn(T, T) -> bool, put: impl Fn(T, T) -> [T; 4]) -> Vec<T> {
    let mut out = Vec::with_capacity(items.len() * 2);
    let mut rest = items;
    loop {
        match rest {
            [a, b, tail @ ..] if matches(*a, *b) => {
                out.extend(put(*a, *b));
                rest = tail;
            }
            [a, tail @ ..] => {
                out.push(*a);
                rest = tail;
            }
            [] => return out,
        }
    }
}

fn international(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let out = pairs(&chars, |a, b| !is_number(a) && is_punctuation(b), |a, b| [a, ' ', b, ' ']);
    let out = pairs(&out, |a, b| is_punctuation(a) && !is_number(b), |a, b| [' ', a, ' ', b]);
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
