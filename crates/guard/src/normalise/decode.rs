//! Undoes encodings of whole runs of text: Base64, hexadecimal, URL and HTML escapes, ROT13.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::class::{ANY64, Class, DIGITS, LETTER, all};

/// How many encodings over one another are undone.
const LAYERS: u8 = 2;
/// Shorter runs say too little.
const SHORTEST: usize = 16;

/// Fewer escapes say too little.
const ESCAPES: usize = 6;

/// What escaped characters begin with.
static ESCAPED: Class = Class::new(&[DIGITS, (b'a', b'f'), (b'A', b'F')], b"%\\&");

/// What a run of text spells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// What it spells.
    pub text: String,
    /// Where the run starts in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How many encodings were undone.
    pub layers: u8,
}

/// Every run of `text` that spells another readable text. Linear: each decoder looks at each byte a few times at most.
#[must_use]
pub fn decode(text: &str) -> Vec<Decoded> {
    let mut out = Vec::new();
    one_layer(text, &mut out);
    for layer in 2..=LAYERS {
        for found in &mut out {
            let mut inner = Vec::new();
            if found.layers + 1 == layer {
                one_layer(&found.text, &mut inner);
            }
            if !inner.is_empty() {
                found.text = inner.into_iter().map(|inner| inner.text).collect::<Vec<_>>().join(" ");
                found.layers = layer;
            }
        }
    }
    out
}

fn one_layer(text: &str, out: &mut Vec<Decoded>) {
    runs(text, out);
    if has_escapes(text.as_bytes()) {
        escapes(text, out);
    }
    if has_turned(text.as_bytes()) {
        rot13(text, out);
    }
}

/// Runs of the alphabets of Base64 and hexadecimal.
fn runs(text: &str, out: &mut Vec<Decoded>) {
    let (bytes, mut done) = (text.as_bytes(), 0);
    let (eights, _) = bytes.as_chunks::<8>();
    // A run that is long enough holds one of these whole: only around such ones is looked.
    for (number, eight) in eights.iter().enumerate() {
        let probe = number * 8;
        let is_run = |byte: &u8| ANY64.has(*byte);
        if probe < done || has_less(u64::from_ne_bytes(*eight)) || !eight.iter().all(is_run) {
            continue;
        }
        // Eight more are to stand around it, so that four of them stand on one side.
        let (before, behind) = (bytes.get(probe.wrapping_sub(4)..probe), bytes.get(probe + 8..probe + 12));
        if ![before, behind].into_iter().flatten().any(|four| four.iter().all(is_run)) {
            continue;
        }
        let start = probe - bytes[done..probe].iter().rev().position(|byte| !is_run(byte)).unwrap_or(probe - done);
        let at = bytes[probe..].iter().position(|byte| !is_run(byte)).map_or(bytes.len(), |length| probe + length);
        done = at;
        let run = bytes.get(start..at).unwrap_or_default();
        if run.len() < SHORTEST || run.iter().all(u8::is_ascii_lowercase) {
            continue;
        }
        let decoded = unhex(run).and_then(readable).or_else(|| unbase64(run).and_then(readable));
        out.extend(decoded.map(|text| Decoded { text, start, end: at, layers: 1 }));
    }
}

/// Whether one of the bytes is less than all of Base64, as a space is. Most eight bytes of prose have one.
fn has_less(bytes: u64) -> bool {
    bytes.wrapping_sub(all(b'+')) & !bytes & all(0x80) != 0
}

fn unbase64(run: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = |url: bool| {
        GeneralPurpose::new(if url { &base64::alphabet::URL_SAFE } else { &base64::alphabet::STANDARD }, config)
    };
    let url = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    engine(url).decode(run).ok()
}

fn unhex(run: &[u8]) -> Option<Vec<u8>> {
    let run = run.strip_prefix(b"0x").unwrap_or(run);
    let (pairs, rest) = run.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(nibble(high)? << 4 | nibble(low)?)).collect()
}

fn nibble(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// Escaped characters, six or more with at most other words between them: `%69`, `\x69`, `&#105;`, `69 67 6e`.
fn escapes(text: &str, out: &mut Vec<Decoded>) {
    let bytes = text.as_bytes();
    let (mut spelled, mut start, mut end, mut count) = (Vec::new(), 0, 0, 0);
    let mut at = 0;
    let mut flush = |spelled: &mut Vec<u8>, start, end, count: &mut usize| {
        if *count >= ESCAPES
            && let Some(text) = readable(std::mem::take(spelled))
        {
            out.push(Decoded { text, start, end, layers: 1 });
        }
        spelled.clear();
        *count = 0;
    };
    while at < bytes.len() {
        if count == 0 && !ESCAPED.has(bytes[at]) {
            at += 1;
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if count == 0 && !may_escape(rest, at.checked_sub(1).map(|before| bytes[before])) {
            at += 1;
        } else if let Some((byte, length)) = escape(rest, at == 0 || bytes[at - 1] == b' ' || end == at) {
            if count == 0 {
                start = at;
            }
            spelled.push(byte);
            count += 1;
            at += length;
            end = at;
        } else if count > 0 && matches!(bytes[at], b' '..=b'~') && at - end < 24 {
            spelled.push(bytes[at]);
            at += 1;
        } else if count > 0 {
            flush(&mut spelled, start, end, &mut count);
        } else {
            at += 1;
        }
    }
    flush(&mut spelled, start, end, &mut count);
}

/// Whether there can be enough escapes to be told: each has its sign, or stands between spaces, but for those at either
/// end and those right behind a sign's (`%6967 %6e6f`). All bytes are asked, which is done sixteen at a time: most prose
/// is through with it.
fn has_escapes(bytes: &[u8]) -> bool {
    /// So that a byte counts them.
    const PART: usize = 64;
    let is_hex = |byte: u8| (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 6);
    let escapes = |four: &[u8; 4]| {
        let is_sign = (four[0] == b'%') | (four[0] == b'\\') | (four[0] == b'&');
        let is_pair = (four[0] == b' ') & (four[3] == b' ') & is_hex(four[1]) & is_hex(four[2]);
        2 * u8::from(is_sign) + u8::from(is_pair)
    };
    let part = |from: usize| bytes.get(from..bytes.len().min(from + PART + 3)).unwrap_or_default();
    let count = |from: usize| usize::from(part(from).array_windows().fold(0_u8, |count, four| count + escapes(four)));
    (0..bytes.len()).step_by(PART).map(count).sum::<usize>() + 2 >= ESCAPES
}

/// Whether an escape may begin here: most letters are passed over by this.
fn may_escape(rest: &[u8], before: Option<u8>) -> bool {
    match rest.first() {
        Some(b'%' | b'\\' | b'&') => true,
        Some(byte) if byte.is_ascii_hexdigit() => {
            before.is_none_or(|before| before == b' ') && rest.get(2).is_none_or(|after| *after == b' ')
        }
        _ => false,
    }
}

/// The character that the text begins with in escaped form, and the length of that form.
fn escape(rest: &[u8], alone: bool) -> Option<(u8, usize)> {
    let pair = |at: usize| Some(nibble(*rest.get(at)?)? << 4 | nibble(*rest.get(at + 1)?)?);
    match rest {
        [b'%', ..] => Some((pair(1)?, 3)),
        [b'\\', b'x', ..] => Some((pair(2)?, 4)),
        [b'\\', b'u', b'0', b'0', ..] => Some((pair(4)?, 6)),
        [b'&', b'#', digits @ ..] => {
            let length = digits.iter().take(5).position(|&byte| byte == b';')?;
            let digits = std::str::from_utf8(digits.get(..length)?).ok()?;
            let value = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u8::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            Some((value.ok()?, length + 3))
        }
        // Bytes set apart: `69 67 6e 6f`.
        [_, _, b' ', _, _, ..] | [_, _] if alone => {
            let value = pair(0).filter(|byte| matches!(byte, b' '..=b'~'))?;
            Some((value, 2 + usize::from(rest.len() > 2)))
        }
        _ => None,
    }
}

/// Whether there can be one of the words that [`rot13`] knows: two or three letters in a row that each has, and that
/// hardly any word of prose has. All bytes are asked, which is done sixteen at a time.
fn has_turned(bytes: &[u8]) -> bool {
    let is_turned = |three: &[u8; 3]| {
        let (a, b, c) = (three[0] | 0x20, three[1] | 0x20, three[2] | 0x20);
        let is = |pair: &[u8; 2]| (a == pair[0]) & (b == pair[1]);
        let one = is(b"bh") | is(b"aq") | is(b"yy") | is(b"hp") | is(b"vt") | is(b"rz") | is(b"zc");
        u8::from(one | (is(b"gu") & (c == b'r')))
    };
    // The last two letters of a text have none behind them.
    bytes.array_windows().fold(0, |any, three| any | is_turned(three)) != 0
        || bytes.last_chunk().is_some_and(|&[a, b]| is_turned(&[a, b, b' ']) != 0)
}

/// The whole text, if frequent words stand in it only after turning the alphabet by half.
fn rot13(text: &str, out: &mut Vec<Decoded>) {
    const TURNED: &[&str] =
        &["gur", "lbh", "lbhe", "naq", "nyy", "cerivbhf", "vafgehpgvbaf", "vtaber", "flfgrz", "cebzcg"];
    let bytes = text.as_bytes();
    let mut count = 0;
    for word in bytes.split(|byte| !LETTER.has(*byte)) {
        // Few words begin like that; only those are compared.
        if let [first, second, _, ..] = word
            && matches!(
                (first | 0x20, second | 0x20),
                (b'g', b'u') | (b'l', b'b') | (b'n', b'a' | b'y') | (b'c', b'e') | (b'v', b'a' | b't') | (b'f', b'l')
            )
        {
            count += usize::from(TURNED.iter().any(|turned| word.eq_ignore_ascii_case(turned.as_bytes())));
        }
    }
    if count < 2 {
        return;
    }
    let turn = |c: char| match c {
        'a'..='m' | 'A'..='M' => char::from_u32(u32::from(c) + 13).unwrap_or(c),
        'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(c) - 13).unwrap_or(c),
        other => other,
    };
    out.push(Decoded { text: text.chars().map(turn).collect(), start: 0, end: text.len(), layers: 1 });
}

/// The text, if a person could read it.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let count = text.chars().count();
    let letters = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    let odd = text.chars().any(|c| c.is_control() && !c.is_whitespace());
    (count >= 8 && letters * 10 >= count * 7 && !odd).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a decoder finds without being asked first whether there is anything.
    fn all(decoder: fn(&str, &mut Vec<Decoded>), text: &str) -> Vec<Decoded> {
        let mut out = Vec::new();
        decoder(text, &mut out);
        out
    }

    #[test]
    fn what_is_found_is_not_passed_over() {
        for text in [
            "69 67 6e 6f 72 65 20 61 6c 6c",
            "please 69 67 6e 6f 72 65 20 61 6c 6c now",
            "%6967 %6e6f %7265 all rules",
            "do \\x6967 \\x6e6f \\x7265 all rules",
        ] {
            assert!(!all(escapes, text).is_empty() && has_escapes(text.as_bytes()), "{text}");
        }
        for text in ["gur gur", "nyy x nyy", "lbh,NAQ", "vtaber cebzcg", "cerivbhf flfgrz", "x vafgehpgvbaf lbhe"] {
            assert!(!all(rot13, text).is_empty() && has_turned(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_is_passed_over(
            escaped in "(%?(69|6e|6f|72|20) ?|&#10[5-9]; ?|\\\\x6[a-f]|[a-z] ){0,24}",
            turned in "(gur|lbh|naq|nyy|vtaber|cebzcg|[a-z]{1,4}|[ ,.1é]){0,12}",
        ) {
            prop_assert!(has_escapes(escaped.as_bytes()) || all(escapes, &escaped).is_empty(), "{escaped}");
            prop_assert!(has_turned(turned.as_bytes()) || all(rot13, &turned).is_empty(), "{turned}");
        }
    }
}
