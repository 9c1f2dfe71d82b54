//! Finds the next byte at which a character may start that matters. Plain ASCII is looked at 32 bytes at a
//! time; other text by the first bytes of its characters.

/// Offset of the next character that may matter at or after `at`, or the length of the text.
pub(super) fn next(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = skip_plain(bytes, at);
        let Some(&first) = bytes.get(at) else { return bytes.len() };
        if first < 0x80 {
            return at;
        }
        let length = match first {
            0..=0xDF => 2,
            0xE0..=0xEF => 3,
            _ => 4,
        };
        if matters(first, bytes.get(at + 1).copied().unwrap_or(0), bytes.get(at + 2).copied().unwrap_or(0)) {
            return at;
        }
        at += length;
    }
}

/// Whether a character that starts with these bytes may matter. Answers yes too often, never too seldom.
fn matters(first: u8, second: u8, third: u8) -> bool {
    match first {
        // C1 controls, soft hyphen.
        0xC2 => second < 0xA0 || second == 0xAD,
        // Small capitals, raised letters.
        0xC9 => matches!(second, 0xA2 | 0xAA | 0xB4),
        0xCA => matches!(second, 0x80 | 0x8F | 0x99 | 0x9C | 0x9F | 0xB0 | 0xB2 | 0xB3 | 0xB7 | 0xB8),
        0xCB => matches!(second, 0xA1..=0xA3),
        // Marks, Greek, Cyrillic, Armenian.
        0xCC..=0xD6 => true,
        // Arabic letter mark.
        0xD8 => second == 0x9C,
        0xE1 => matches!(second, 0x85 | 0x8E | 0x8F | 0x9E | 0xA0 | 0xAA | 0xAB | 0xB4 | 0xB5 | 0xB7),
        0xE2 => match second {
            0x80 => matches!(third, 0x8B..=0x8F | 0xAA..=0xAE),
            0x81 => third >= 0xA0,
            0x83 => (0x90..=0xB0).contains(&third),
            0x92 | 0x93 => true,
            _ => false,
        },
        0xE3 => second == 0x85 && third == 0xA4,
        0xEA => second == 0x9C && matches!(third, 0xB0 | 0xB1),
        0xEE => true,
        0xEF => second <= 0xA3 || matches!(second, 0xB8 | 0xBB | 0xBC | 0xBD | 0xBE | 0xBF),
        // Mathematical letters, enclosed letters, musical controls.
        0xF0 => matches!(second, 0x9B | 0x9D) || (second == 0x9F && matches!(third, 0x84..=0x86)),
        // Tags, selectors, private use.
        0xF3 | 0xF4 => true,
        _ => false,
    }
}

/// Printable ASCII and the white space of every text.
fn plain(byte: u8) -> bool {
    (0x20..0x7F).contains(&byte) || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

fn skip_plain(bytes: &[u8], mut at: usize) -> usize {
    // Without an early exit, so that the compiler makes one vector comparison of it.
    while let Some(chunk) = bytes.get(at..at + 32) {
        if chunk
            .iter()
            .fold(false, |odd, &byte| odd | (byte.wrapping_sub(0x20) >= 0x5F && !(0x09..=0x0D).contains(&byte)))
        {
            break;
        }
        at += 32;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| !plain(byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::super::patterns::{alphabet, invisible, private_use, stacking_mark, styled};
    use super::*;

    #[test]
    fn stops_at_every_character_that_matters() {
        for c in '\0'..=char::MAX {
            let odd = c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{B}' | '\u{C}');
            let foreign = alphabet(c).is_some_and(|alphabet| alphabet != super::super::patterns::Alphabet::Latin);
            let wanted = odd
                || matches!(c, '\u{80}'..='\u{9F}')
                || invisible(c).is_some()
                || private_use(c)
                || stacking_mark(c)
                || styled(c).is_some()
                || foreign;
            let text = format!("plain {c}");
            if wanted {
                assert_eq!(next(text.as_bytes(), 0), 6, "U+{:04X}", c as u32);
            }
        }
    }

    #[test]
    fn skips_plain_text_of_many_scripts() {
        for text in [
            "just words, over and over again, for more than 32 bytes",
            "größer, naïve",
            "日本語",
            "हिन्दी",
            "العربية",
            "👍",
        ] {
            assert_eq!(next(text.as_bytes(), 0), text.len(), "{text}");
        }
    }
}
