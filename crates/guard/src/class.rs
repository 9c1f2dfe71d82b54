//! Sets of bytes, looked up in a table, and rows of letters and digits, looked at eight at a time.

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

/// Eight times this byte.
pub(crate) const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Kinds of ASCII bytes in a row, a bit for each.
pub(crate) const SMALL: u8 = 1;
pub(crate) const CAPITAL: u8 = 2;
pub(crate) const DIGIT: u8 = 4;

/// Letters and digits of ASCII, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) length: usize,
    /// What it is of.
    pub(crate) kinds: u8,
}

/// The row that `bytes` begin with. Words end where no processor foresees it, so none of them is asked byte by byte.
#[inline]
pub(crate) fn row(bytes: &[u8]) -> Row {
    const TOP: u64 = all(0x80);
    let mut row = Row { length: 0, kinds: 0 };
    loop {
        let eight = eight(bytes, row.length);
        // Of each byte the top bit says whether it is between two others: what is added brings the least of them, and
        // all greater ones, just to that bit; what comes behind the most is taken away by the second sum. Bytes are
        // below the top bit before, so that no sum carries into the next byte.
        let (plain, small) = (eight & !TOP, (eight & !TOP) | all(0x20));
        let between =
            |bytes: u64, least: u8, most: u8| (bytes + all(0x80 - least)) & !(bytes + all(0x7F - most)) & !eight & TOP;
        let (letters, digits) = (between(small, b'a', b'z'), between(plain, b'0', b'9'));
        let ends = !(letters | digits) & TOP;
        // All bits below the first end.
        let inside = ends.wrapping_sub(1) & !ends;
        // The bit in which small letters differ from capitals, where the top one is.
        let case = eight << 2;
        let mut note = |any: u64, kind: u8| row.kinds |= if any & inside == 0 { 0 } else { kind };
        note(letters & case, SMALL);
        note(letters & !case, CAPITAL);
        note(digits, DIGIT);
        row.length += ends.trailing_zeros() as usize / 8;
        if ends != 0 {
            return row;
        }
    }
}

/// The eight bytes that stand there, with zeros for those behind the end.
#[inline]
pub(crate) fn eight(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.first_chunk().map_or_else(|| few(rest), |eight| u64::from_le_bytes(*eight))
}

/// Fewer than eight bytes, and zeros behind them.
#[cold]
fn few(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_where_they_do_byte_by_byte() {
        let mut state = 7_u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for round in 0..20_000 {
            let length = random(30);
            let bytes: Vec<u8> =
                (0..length)
                    .map(|_| {
                        if round % 2 == 0 || random(9) == 0 {
                            random(256) as u8
                        } else {
                            b"aZz09Amq"[random(8) as usize]
                        }
                    })
                    .collect();
            let end = bytes.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(bytes.len());
            let any = |is: fn(&u8) -> bool, kind: u8| if bytes[..end].iter().any(is) { kind } else { 0 };
            let kinds = any(u8::is_ascii_lowercase, SMALL)
                | any(u8::is_ascii_uppercase, CAPITAL)
                | any(u8::is_ascii_digit, DIGIT);
            assert_eq!(row(&bytes), Row { length: end, kinds }, "{bytes:?}");
        }
        for byte in 0..=u8::MAX {
            let length = usize::from(byte.is_ascii_alphanumeric());
            assert_eq!(row(&[byte, b' ', b'a', b'a', b'a', b'a', b'a', b'a', b'a']).length, length, "{byte}");
        }
    }
}
