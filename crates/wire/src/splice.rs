//! Edits in place: what lies outside of them stays byte for byte.

use std::ops::Range;

use bytes::Bytes;

/// The body with each range replaced. The edits must be sorted, must not overlap and must lie
/// within the body; what doesn't is left out (and is a bug: it panics in debug builds).
#[must_use]
pub fn splice(body: &Bytes, edits: &[(Range<usize>, Vec<u8>)]) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    let added: usize = edits.iter().map(|(_, new)| new.len()).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut done = 0;
    for (range, new) in edits {
        let Some(kept) = body.get(done..range.start).filter(|_| range.start <= range.end && range.end <= body.len())
        else {
            debug_assert!(false, "edit {range:?} overlaps the one before or leaves the body of {} bytes", body.len());
            continue;
        };
        out.extend_from_slice(kept);
        out.extend_from_slice(new);
        done = range.end;
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_only_the_ranges() {
        let body = Bytes::from_static(b"0123456789");
        let check = |edits: &[(Range<usize>, Vec<u8>)], expect: &str| assert_eq!(splice(&body, edits), expect);
        check(&[], "0123456789");
        check(&[(0..0, b"<".to_vec()), (2..4, b"xyz".to_vec()), (10..10, b">".to_vec())], "<01xyz456789>");
        check(&[(0..10, vec![])], "");
    }
}
