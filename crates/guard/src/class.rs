//! Sets of bytes, looked up in a table.

/// A set of bytes.
pub(crate) struct Class([bool; 256]);

impl Class {
    /// Of ranges, whose ends are in it, and more.
    pub(crate) const fn new(ranges: &[(u8, u8)], extra: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut i = 0;
        while i < ranges.len() {
            let mut byte = ranges[i].0 as usize;
            while byte <= ranges[i].1 as usize {
                set[byte] = true;
                byte += 1;
            }
            i += 1;
        }
        let mut i = 0;
        while i < extra.len() {
            set[extra[i] as usize] = true;
            i += 1;
        }
        Self(set)
    }

    #[inline]
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }
}

pub(crate) const DIGITS: (u8, u8) = (b'0', b'9');
pub(crate) const LOWER: (u8, u8) = (b'a', b'z');
pub(crate) const UPPER: (u8, u8) = (b'A', b'Z');

pub(crate) static ALNUM: Class = Class::new(&[DIGITS, LOWER, UPPER], b"");
pub(crate) static LETTER: Class = Class::new(&[LOWER, UPPER], b"");
/// Hexadecimal digits of either case.
pub(crate) static ANYHEX: Class = Class::new(&[DIGITS, (b'a', b'f'), (b'A', b'F')], b"");
/// Base64 of either alphabet.
pub(crate) static ANY64: Class = Class::new(&[DIGITS, LOWER, UPPER], b"+/=_-");
