//! Finds the members of a list or an object that is known to be valid, so that only the ends of its values have to be
//! found. A body is read at every level of its nesting; to parse it each time was a tenth of all that a call cost.

/// Keys and most values are shorter, so that setting up a search by vectors would cost more than it saves.
const NEAR_BYTES: usize = 24;

/// Where the first quote or backslash of eight bytes is.
#[inline]
fn first_special(eight: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let eight = u64::from_le_bytes(eight);
    // A byte becomes 0 where it is the one that is looked for; what lies above the first one doesn't matter.
    let find = |byte: u8| {
        let word = eight ^ (ONES * u64::from(byte));
        word.wrapping_sub(ONES) & !word & HIGH
    };
    let found = find(b'"') | find(b'\\');
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// Where the string literal ends whose first quote stands at `start`.
#[inline]
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < start + NEAR_BYTES
        && let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>())
    {
        match first_special(*eight) {
            Some(offset) if eight[offset] == b'"' => return at + offset + 1,
            Some(_) => break,
            None => at += 8,
        }
    }
    far_string_end(bytes, at)
}

/// The same, where no quote stands before `at`, and `at` is in no escape.
fn far_string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(offset) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += offset;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// Whether the string literal that ends at `end` is a key.
#[inline]
pub(super) fn is_key(bytes: &[u8], end: usize) -> bool {
    bytes.iter().skip(end).find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// Where the list or object ends whose bracket stands at `start`.
fn container_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut open) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' if open <= 1 => return at + 1,
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// What stands in a list or an object, from left to right; of an object, keys and values in turn.
pub(super) fn walk(valid: &str) -> impl Iterator<Item = &str> {
    Walk { text: valid, at: 1 }
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        let start = self.at + bytes.get(self.at..)?.iter().position(|byte| !between(byte))?;
        self.at = match bytes.get(start)? {
            b'}' | b']' => return None,
            b'"' => string_end(bytes, start),
            b'{' | b'[' => container_end(bytes, start),
            _ => {
                let ends = |byte: &u8| between(byte) || matches!(byte, b'}' | b']');
                bytes.iter().skip(start).position(ends).map_or(bytes.len(), |length| start + length)
            }
        };
        self.text.get(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn check(text: &str) {
        let trimmed = text.trim();
        let found: Vec<Value> = walk(trimmed).map(|found| serde_json::from_str(found).unwrap()).collect();
        let expected: Vec<Value> = match serde_json::from_str(trimmed).unwrap() {
            Value::Array(items) => items,
            Value::Object(fields) => fields.into_iter().flat_map(|(name, value)| [Value::from(name), value]).collect(),
            other => panic!("{other} has no members"),
        };
        assert_eq!(found, expected, "{text}");
        walk(trimmed).filter(|found| found.starts_with(['[', '{'])).for_each(check);
    }

    #[test]
    fn finds_what_a_parser_would_find() {
        for text in [
            "{}",
            "[ ]",
            r#"[[],{},[[]],{"":[]}]"#,
            "[-1.5e+9, 0,true ,false\n,null\t]",
            r#"{"a":"}","b\"]":["{","\\"],"c" : {"d":"\\\"","e":[1,{"f":"]"}]} , "ä":"𝄞", "\\":"\\" }"#,
        ] {
            check(text);
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(walk(&deep).map(str::len).collect::<Vec<_>>(), [deep.len() - 2]);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"[a"\\\[\]{},: \nä]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(r#"[a"\\\[\]{},: ]{0,4}"#, inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_it_in_whatever_is_valid(value in any_json(), pretty: bool) {
            let list = Value::from(vec![value]);
            check(&if pretty { serde_json::to_string_pretty(&list).unwrap() } else { list.to_string() });
        }

        #[test]
        fn takes_whatever_is_not(text in r#"[\[{]["\\\[\]{},:1a ]{0,20}"#) {
            prop_assert!(walk(&text).count() <= text.len());
        }
    }
}
