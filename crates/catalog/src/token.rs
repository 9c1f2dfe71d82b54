//! Random texts that open doors, and the fingerprints under which they are kept.
//!
//! Keys that we make hold 256 random bits, so a fast hash (BLAKE3) hides them as well as a slow one
//! would: there is nothing to guess. A slow hash would cost every call tens of milliseconds of CPU.
//! A first key that somebody *chose* can be guessed offline by who has stolen the catalog file,
//! which is why a short one is refused and a shortish one is warned about.

use signalbox_types::Secret;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters that hold 256 bits in base 62.
pub(crate) const SECRET_CHARS: usize = 43;

/// What is kept of a key or session token. Finding it in a map is the comparison: an attacker can't
/// steer a BLAKE3 output towards a stored one, so the time a lookup takes tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest(pub(crate) [u8; 32]);

impl Digest {
    pub(crate) fn of(text: &str) -> Self {
        Self(*blake3::hash(text.as_bytes()).as_bytes())
    }
}

/// `prefix` and so many random base-62 characters.
pub(crate) fn random(prefix: &str, chars: usize) -> Result<Secret, getrandom::Error> {
    let mut text = String::with_capacity(prefix.len() + chars);
    text.push_str(prefix);
    let wanted = prefix.len() + chars;
    let mut pool = [0; 64];
    while text.len() < wanted {
        getrandom::fill(&mut pool)?;
        // 248 = 4 × 62: larger bytes would favour the first letters.
        let fair = pool.iter().filter(|byte| **byte < 248).map(|byte| ALPHABET[usize::from(*byte) % 62] as char);
        text.extend(fair.take(wanted - text.len()));
    }
    Ok(Secret::new(text))
}

/// The end of a key that may be shown: four characters, of a short key at most a quarter.
pub(crate) fn last4(key: &str) -> String {
    let shown = (key.chars().count() / 4).min(4);
    let mut end: Vec<char> = key.chars().rev().take(shown).collect();
    end.reverse();
    end.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_different() {
        let one = random("sb-", SECRET_CHARS).unwrap();
        let other = random("sb-", SECRET_CHARS).unwrap();
        assert_ne!(one, other);
        let rest = one.expose().strip_prefix("sb-").unwrap();
        assert_eq!(rest.len(), SECRET_CHARS);
        assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn shows_at_most_a_quarter() {
        let check = |key: &str, shown: &str| assert_eq!(last4(key), shown);
        check("sb-0123456789abcdef", "cdef");
        check("password", "rd");
        check("größer-als-acht", "cht");
    }
}
