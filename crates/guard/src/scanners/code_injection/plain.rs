//! The text around an anchor, written plainly: lower case, escapes of addresses and of HTML decoded, SQL comments and
//! runs of white space made one space. Every byte knows where it came from.

use crate::scanners::nearby::Near;

/// Stands before a text that is not the beginning, so that `^` doesn't match there.
const CUT: u8 = 1;
/// Stands for an end of line that was written as an escape.
const LINE: u8 = 0x0b;

#[derive(Debug, Default)]
pub(super) struct Plain {
    pub(super) text: Vec<u8>,
    /// Where each byte, and the end, stands in what was given.
    from: Vec<usize>,
}

impl Plain {
    /// Reads another text, into the same memory.
    pub(super) fn read(&mut self, near: Near<'_>, back: usize) {
        let bytes = near.bytes;
        let plain = self;
        plain.text.clear();
        plain.from.clear();
        if near.at >= back {
            plain.push(CUT, 0);
        }
        let encoded = bytes.windows(3).any(|window| window[0] == b'%' && window[1..].iter().all(u8::is_ascii_hexdigit));
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let (decoded, length) = decode(&bytes[at..]).unwrap_or((byte, 1));
            match decoded {
                b'+' if encoded => plain.space(at),
                // An escaped end of line ends no line of this text, but separates commands.
                b'\n' | b'\r' if length > 1 => plain.push(LINE, at),
                // Control characters that browsers skip inside of words.
                0..=8 | 0x0e..=0x1f => {}
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0xa0 => plain.space(at),
                // What MySQL runs although it is a comment.
                b'/' if bytes[at..].starts_with(b"/*!") => {
                    plain.space(at);
                    at += 3 + bytes[at + 3..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    continue;
                }
                b'/' if bytes[at..].starts_with(b"/*") => {
                    let rest = &bytes[at + 2..];
                    let close = rest.windows(2).position(|window| window == b"*/");
                    if let Some(close) = close {
                        plain.space(at);
                        at += close + 4;
                        continue;
                    }
                    plain.push(b'/', at);
                }
                _ => plain.push(decoded.to_ascii_lowercase(), at),
            }
            at += length;
        }
        plain.from.push(bytes.len());
    }

    fn push(&mut self, byte: u8, at: usize) {
        self.text.push(byte);
        self.from.push(at);
    }

    fn space(&mut self, at: usize) {
        if self.text.last() != Some(&b' ') {
            self.push(b' ', at);
        }
    }

    /// Where a match stands in what was given, without the space around it.
    pub(super) fn original(&self, mut start: usize, mut end: usize) -> (usize, usize) {
        let blank = |byte: u8| matches!(byte, b' ' | b'\n' | CUT);
        while start < end && blank(self.text[start]) {
            start += 1;
        }
        while end > start && blank(self.text[end - 1]) {
            end -= 1;
        }
        (self.from[start], self.from[end])
    }
}

/// The byte that an escape at the start stands for, and the length of the escape.
fn decode(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes[0] {
        b'%' => {
            let twice = usize::from(bytes.get(1..3) == Some(b"25")) * 2;
            let byte = hex(bytes.get(1 + twice..3 + twice)?)?;
            (byte.is_ascii() && byte > 0).then_some((byte, 3 + twice))
        }
        b'&' => entity(bytes),
        // Typographic quotes, as word processors make them of payloads.
        0xe2 => match bytes.get(1..3)? {
            [0x80, 0x98 | 0x99 | 0xb2] => Some((b'\'', 3)),
            [0x80, 0x9c | 0x9d | 0xb3] => Some((b'"', 3)),
            _ => None,
        },
        b'\\' if bytes.get(1) == Some(&b'u') => {
            let high = bytes.get(2..4)?;
            (high == b"00").then_some(())?;
            Some((hex(bytes.get(4..6)?)?, 6)).filter(|(byte, _)| byte.is_ascii_graphic())
        }
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}

fn entity(bytes: &[u8]) -> Option<(u8, usize)> {
    const NAMES: [(&[u8], u8); 12] = [
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&amp;", b'&'),
        (b"&colon;", b':'),
        (b"&tab;", b' '),
        (b"&newline;", b'\n'),
        (b"&lpar;", b'('),
        (b"&rpar;", b')'),
        (b"&nbsp;", b' '),
        (b"&sol;", b'/'),
    ];
    if bytes.get(1) != Some(&b'#') {
        let head = bytes.get(..10.min(bytes.len()))?.to_ascii_lowercase();
        return NAMES.iter().find(|(name, _)| head.starts_with(name)).map(|(name, byte)| (*byte, name.len()));
    }
    let (base, start) = if matches!(bytes.get(2), Some(b'x' | b'X')) { (16, 3) } else { (10, 2) };
    let mut value = 0_u32;
    let mut at = start;
    while let Some(digit) = bytes.get(at).and_then(|byte| char::from(*byte).to_digit(base)) {
        value = value.saturating_mul(base).saturating_add(digit);
        at += 1;
        if at > start + 7 {
            return None;
        }
    }
    let end = at + usize::from(bytes.get(at) == Some(&b';'));
    (at > start && value < 127).then_some((value as u8, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Plain {
        let mut plain = Plain::default();
        plain.read(Near { bytes: text.as_bytes(), at: 0 }, 10);
        plain
    }

    fn plain(text: &str) -> String {
        String::from_utf8(read(text).text).unwrap()
    }

    #[test]
    fn escapes_are_decoded_and_space_is_one() {
        assert_eq!(plain("%27%20OR+1%3D1"), "' or 1=1");
        assert_eq!(plain("%2527 x"), "' x");
        assert_eq!(plain("1/**/UNION/* a */ SELECT"), "1 union select");
        assert_eq!(plain("&#106;&#x61;va&colon;&lt;"), "java:<");
        assert_eq!(plain("\\u0061lert a + b"), "alert a + b");
        assert_eq!(plain("x\u{2019} or"), "x' or");
    }

    #[test]
    fn places_are_kept() {
        let text = "a%27%20OR 1";
        let plain = read(text);
        let start = plain.text.windows(2).position(|window| window == b"or").unwrap();
        assert_eq!(plain.original(start, start + 2), (7, 9));
        assert_eq!(plain.original(1, plain.text.len()), (1, text.len()));
    }
}
