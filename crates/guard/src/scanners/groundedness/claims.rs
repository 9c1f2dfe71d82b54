//! Sentences, and the words and numbers in them that say something.

use std::ops::Range;

/// A longer sentence is several.
pub(super) const MOST_BYTES: usize = 600;
/// Shorter words join others and are everywhere. In letters.
const FEWEST_LETTERS: usize = 4;
/// Letters of a word that count: endings differ.
const STEM_LETTERS: usize = 6;
/// The numbers of lists and of counting on one's fingers.
const SMALL: f64 = 10.0;

/// A word or a number, as it is compared.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    /// The first letters, in lower case.
    Word(String),
    /// Digits without the separators of thousands, and without zeros that add nothing.
    Number(String),
}

/// The words and numbers of a text, with their places.
pub(super) fn claims(text: &str) -> impl Iterator<Item = (Range<usize>, Claim)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let start = at + rest.find(char::is_alphanumeric)?;
            let token = text.get(start..)?;
            let first = token.chars().next()?;
            let length = if first.is_ascii_digit() { number(token) } else { word(token) };
            at = start + length;
            let token = text.get(start..at)?;
            let claim = if first.is_ascii_digit() { as_number(token) } else { as_word(token) };
            if let Some(claim) = claim {
                return Some((start..at, claim));
            }
        }
    })
}

/// Where the sentence ends that begins at `at`; `None` if there is none, or it may go on.
pub(super) fn sentence(text: &str, at: usize, open: bool) -> Option<usize> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let mut chars = rest.char_indices().peekable();
    while let Some((place, char)) = chars.next() {
        let after = place + char.len_utf8();
        if after > MOST_BYTES {
            return Some(at + place);
        }
        let ends = match char {
            '\n' | '。' | '！' | '？' => true,
            '.' | '!' | '?' => chars.peek().is_some_and(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends {
            return Some(at + after);
        }
    }
    (!open).then_some(text.len())
}

fn word(text: &str) -> usize {
    text.find(|char: char| !char.is_alphanumeric()).unwrap_or(text.len())
}

/// Digits, and separators with a digit behind them.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 1;
    while digit(end) || (matches!(bytes.get(end), Some(b'.' | b',' | b'\'')) && digit(end + 1)) {
        end += 1;
    }
    end
}

fn as_word(token: &str) -> Option<Claim> {
    if token.chars().count() < FEWEST_LETTERS {
        return None;
    }
    Some(Claim::Word(token.chars().flat_map(char::to_lowercase).take(STEM_LETTERS).collect()))
}

fn as_number(token: &str) -> Option<Claim> {
    let mut plain = token.replace('\'', "");
    // `1,234.5` and `1.234,5`: the last kind of separator has the fraction behind it, if it stands once and not before three digits.
    let last = plain.rfind(['.', ',']);
    let fraction = last.filter(|&at| {
        let separator = plain.get(at..=at).unwrap_or_default();
        plain.len() - at != 4 && plain.matches(separator).count() == 1
    });
    plain = match fraction {
        Some(at) => {
            let digits = |text: &str| text.replace(['.', ','], "");
            let (before, after) = plain.split_at(at);
            let (before, after) = (digits(before), digits(after));
            let after = after.trim_end_matches('0');
            if after.is_empty() { before } else { format!("{before}.{after}") }
        }
        None => plain.replace(['.', ','], ""),
    };
    let small = plain.parse::<f64>().is_ok_and(|value| value <= SMALL && value.fract() == 0.0);
    (!small).then_some(Claim::Number(plain))
}
