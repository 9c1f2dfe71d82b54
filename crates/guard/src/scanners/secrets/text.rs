//! Sets of bytes that keys have, and a view of the text that knows whether more may follow.

pub(super) use crate::class::{ALNUM, ANY64, ANYHEX, Class};
use crate::class::{DIGITS, LOWER, UPPER};

pub(super) static DIGIT: Class = Class::new(&[DIGITS], b"");
/// Hexadecimal digits as keys are printed: lower case.
pub(super) static HEX: Class = Class::new(&[DIGITS, (b'a', b'f')], b"");
pub(super) static UUID: Class = Class::new(&[DIGITS, (b'a', b'f'), (b'A', b'F')], b"-");
pub(super) static CAPS: Class = Class::new(&[DIGITS, UPPER], b"");
/// `\w`.
pub(super) static WORD: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_");
/// URL-safe Base64 without padding.
pub(super) static URL64: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_-");
/// URL-safe Base64 with padding, as some providers print it.
pub(super) static URL64P: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_-=");
pub(super) static BASE64: Class = Class::new(&[DIGITS, LOWER, UPPER], b"+/=");
/// Tokens with dots between their parts.
pub(super) static DOTTED: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_-.=");
/// Azure client secrets.
pub(super) static AZURE: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_-.~");
/// The path of a webhook.
pub(super) static PATH: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_-/+@%");
/// What RFC 6750 allows in a bearer token.
pub(super) static BEARER: Class = Class::new(&[DIGITS, LOWER, UPPER], b"-._~+/=");
/// The name that a value is assigned to.
pub(super) static NAME: Class = Class::new(&[DIGITS, LOWER, UPPER], b"_-");
/// What may stand in the body of a key block, escapes and quotes of a surrounding format included.
pub(super) static BLOCK: Class = Class::new(&[DIGITS, LOWER, UPPER], b"+/=-\\ \t\r\n:,\"'().#*|>");
/// The label of a key block.
pub(super) static LABEL: Class = Class::new(&[DIGITS, UPPER], b" ");
pub(super) static DASH: Class = Class::new(&[], b"-");
/// Base64 as it stands in an address.
pub(super) static PERCENT64: Class = Class::new(&[DIGITS, LOWER, UPPER], b"+/=_-%");
/// The user and host part of an address.
pub(super) static AUTHORITY: Class = Class::new(&[DIGITS, LOWER, UPPER, (0x80, 0xff)], b"!$%&*+,-.:;=@[]^_{|}~()");
/// A value without quotes: up to a space, a quote, a bracket or a separator.
pub(super) static VALUE: Class = Class::new(&[DIGITS, LOWER, UPPER, (0x80, 0xff)], b"!#$%*+-./:=?@^_~");

/// The text, by bytes.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    /// More may follow.
    pub(super) open: bool,
}

/// Bytes of one class in a row.
pub(super) struct Run {
    /// Offset after the last one.
    pub(super) end: usize,
    /// It reaches the end of a text to which more may be added.
    pub(super) unfinished: bool,
}

impl<'a> View<'a> {
    pub(super) fn get(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn before(&self, at: usize) -> Option<u8> {
        self.bytes.get(at.checked_sub(1)?).copied()
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn starts(&self, at: usize, literal: &[u8]) -> bool {
        self.bytes.get(at..).is_some_and(|rest| rest.starts_with(literal))
    }

    /// As many bytes of the class as there are, at most `max`.
    pub(super) fn run(&self, from: usize, class: &Class, max: usize) -> Run {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let rest = &rest[..rest.len().min(max)];
        let length = rest.iter().position(|&byte| !class.has(byte)).unwrap_or(rest.len());
        let end = from + length;
        Run { end, unfinished: self.open && length < max && end == self.bytes.len() }
    }

    /// Where the bytes of the class that end before `at` start; looks at no more than `max` of them.
    pub(super) fn run_back(&self, at: usize, class: &Class, max: usize) -> usize {
        let low = at.saturating_sub(max);
        let mut start = at.min(self.bytes.len());
        while start > low && class.has(self.bytes[start - 1]) {
            start -= 1;
        }
        start
    }

    /// Whether a token may start here: not in the middle of a word, but `\n` in escaped text is no word.
    pub(super) fn token_may_start(&self, at: usize) -> bool {
        match self.before(at) {
            Some(byte) if WORD.has(byte) => {
                matches!(byte, b'n' | b't' | b'r') && at >= 2 && self.bytes[at - 2] == b'\\'
            }
            _ => true,
        }
    }
}
