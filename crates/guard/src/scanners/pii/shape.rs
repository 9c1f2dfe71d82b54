//! The text around a candidate: boundaries, and numbers written with separators.

use crate::scanners::nearby::Near;

/// No number has more characters.
pub(super) const LONGEST: usize = 34;

/// The characters of a number without its separators, in capitals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    characters: [u8; LONGEST],
    length: usize,
    /// Separators among them.
    pub(super) separators: usize,
    /// Offset after the last character.
    pub(super) end: usize,
}

impl Plain {
    pub(super) fn new(end: usize) -> Self {
        Self { characters: [0; LONGEST], length: 0, separators: 0, end }
    }

    pub(super) fn push(&mut self, byte: u8) -> Option<()> {
        *self.characters.get_mut(self.length)? = byte.to_ascii_uppercase();
        self.length += 1;
        Some(())
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.characters[..self.length]
    }
}

impl<'a> Near<'a> {
    pub(super) fn get(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn before(&self, at: usize) -> Option<u8> {
        self.get(at.checked_sub(1)?)
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end.min(self.bytes.len())).unwrap_or_default()
    }

    /// Offset after the bytes that have the property.
    pub(super) fn run(&self, from: usize, has: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|&byte| !has(byte)).unwrap_or(rest.len())
    }

    /// Whether a number may start here: not in a word, nor behind a separator that follows a word.
    pub(super) fn starts_alone(&self, at: usize) -> bool {
        match self.before(at) {
            Some(byte) if byte.is_ascii_alphanumeric() => false,
            Some(b'_' | b'$' | b'%') => false,
            Some(b'-' | b'.' | b'/' | b'+' | b',') => {
                !self.before(at - 1).is_some_and(|byte| byte.is_ascii_alphanumeric())
            }
            _ => true,
        }
    }

    /// Whether a number may end here: no word goes on, with or without a separator.
    pub(super) fn ends_alone(&self, end: usize) -> bool {
        let word = |at| self.get(at).is_some_and(|byte: u8| byte.is_ascii_alphanumeric() || byte == b'_');
        match self.get(end) {
            Some(b'-' | b'/' | b'+' | b'=' | b'@') => !word(end + 1),
            Some(b'.' | b',' | b':') => !self.get(end + 1).is_some_and(|byte| byte.is_ascii_digit()),
            _ => !word(end),
        }
    }

    /// Matches a shape: `9` is a digit, `A` a letter, `X` either, ` ` an optional separator (a space or `-`), `~` one
    /// that may be a dot or a slash too, everything else itself.
    pub(super) fn shape(&self, shape: &[u8]) -> Option<Plain> {
        let mut plain = Plain::new(self.at);
        for &want in shape {
            let byte = self.get(plain.end)?;
            let fits = match want {
                b'9' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_alphabetic(),
                b'X' => byte.is_ascii_alphanumeric(),
                b' ' | b'~' => {
                    if matches!(byte, b' ' | b'-') || (want == b'~' && matches!(byte, b'.' | b'/')) {
                        plain.separators += 1;
                        plain.end += 1;
                    }
                    continue;
                }
                _ => byte == want,
            };
            if !fits {
                return None;
            }
            if byte.is_ascii_alphanumeric() {
                plain.push(byte)?;
            }
            plain.end += 1;
        }
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str, shape: &str) -> Option<(String, usize)> {
        let plain = Near { bytes: text.as_bytes(), at: 0 }.shape(shape.as_bytes())?;
        Some((String::from_utf8(plain.text().to_vec()).unwrap(), plain.end))
    }

    #[test]
    fn shapes() {
        assert_eq!(shape("078-05-1123 x", "999 99 9999"), Some(("078051123".to_owned(), 11)));
        assert_eq!(shape("078051123", "999 99 9999"), Some(("078051123".to_owned(), 9)));
        assert_eq!(shape("ab123", "AA999"), Some(("AB123".to_owned(), 5)));
        assert_eq!(shape("07805112", "999 99 9999"), None);
        assert_eq!(shape("A123456(7)", "A999999(9)"), Some(("A1234567".to_owned(), 10)));
    }
}
