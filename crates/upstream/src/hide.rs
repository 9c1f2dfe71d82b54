//! Takes our credentials out of what others say: a provider that refuses one may show it, and its words go to callers, spans
//! and logs.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox_types::Secret;

/// What stands in the place of a credential.
const MARK: &str = "[REDACTED:credential]";
/// Shorter ones are words that may stand anywhere.
const LEAST_BYTES: usize = 8;
/// A text that was cut may end within a credential: so much of its start is taken for it.
const LEAST_START: usize = 12;

/// The text without these.
pub(crate) fn without<'a>(text: String, secrets: impl Iterator<Item = &'a Secret>) -> String {
    match without_bytes(text.as_bytes(), secrets) {
        // Marks are ASCII and secrets whole texts, so that it stays one.
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Cow::Borrowed(_) => text,
    }
}

/// The body without these.
pub(crate) fn without_body<'a>(body: Bytes, secrets: impl Iterator<Item = &'a Secret>) -> Bytes {
    match without_bytes(&body, secrets) {
        Cow::Owned(bytes) => bytes.into(),
        Cow::Borrowed(_) => body,
    }
}

fn without_bytes<'t, 'a>(text: &'t [u8], secrets: impl Iterator<Item = &'a Secret>) -> Cow<'t, [u8]> {
    let mut all: Vec<&[u8]> = secrets.map(|secret| secret.expose().trim().as_bytes()).collect();
    all.retain(|secret| secret.len() >= LEAST_BYTES);
    // One may be the start of another.
    all.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    let starts_with_one = |rest: &[u8]| all.iter().find(|secret| rest.starts_with(secret)).map(|secret| secret.len());
    let is_cut = |rest: &[u8]| rest.len() >= LEAST_START && all.iter().any(|secret| secret.starts_with(rest));
    let mut out: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let found = is_cut(rest).then_some(rest.len()).or_else(|| starts_with_one(rest));
        let before = || text.get(..at).unwrap_or_default().to_vec();
        match found {
            Some(length) => {
                out.get_or_insert_with(before).extend_from_slice(MARK.as_bytes());
                at += length;
            }
            None => {
                if let Some(out) = &mut out {
                    out.extend(rest.first());
                }
                at += 1;
            }
        }
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_wherever_they_stand() {
        let secrets = [Secret::new("sk-0123456789abcdef".to_owned()), Secret::new("sk-0123456789".to_owned())];
        let check = |text: &str, expected: &str| {
            assert_eq!(without(text.to_owned(), secrets.iter()), expected);
            assert_eq!(without_body(Bytes::from(text.to_owned()), secrets.iter()), expected);
        };
        check("Incorrect API key: sk-0123456789abcdef.", "Incorrect API key: [REDACTED:credential].");
        check("sk-0123456789abcdef", "[REDACTED:credential]");
        check("sk-0123456789 or sk-0123456789abcdef", "[REDACTED:credential] or [REDACTED:credential]");
        check("cut: sk-0123456789abc", "cut: [REDACTED:credential]");
        check("cut within: sk-012345678", "cut within: [REDACTED:credential]");
        check("keys begin with sk-", "keys begin with sk-");
        check("größe sk-0123456789abcdef ß", "größe [REDACTED:credential] ß");
        check("", "");
    }

    #[test]
    fn short_ones_are_words() {
        let secrets = [Secret::new("key".to_owned()), Secret::new(String::new())];
        assert_eq!(without("the key is wrong".to_owned(), secrets.iter()), "the key is wrong");
    }
}
