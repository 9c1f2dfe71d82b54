//! Placeholders for what must not go out, and the way back: `<EMAIL_1>` for the first address of a conversation, wherever it stands.

use std::borrow::Cow;
use std::collections::HashMap;

/// Values in one vocabulary; what comes later is redacted.
const MOST_VALUES: usize = 2_000;
/// A longer value is redacted.
const MOST_VALUE_BYTES: usize = 1_024;
/// No placeholder is longer.
const MOST_TOKEN_BYTES: usize = 64;
/// How `<` and `>` stand in JSON of some writers.
const ESCAPED: (&str, &str) = ("\\u003c", "\\u003e");

/// The values of a conversation and their placeholders. It holds what must not be seen: no `Debug`, no `Serialize`.
#[derive(Default)]
pub struct Vocabulary {
    /// By kind and value.
    tokens: HashMap<(String, String), String>,
    /// By placeholder, without its brackets.
    values: HashMap<String, String>,
    counts: HashMap<String, usize>,
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary").field("values", &self.values.len()).finish()
    }
}

impl Vocabulary {
    /// The placeholder for a value of a kind, the same each time; `None` if there is no room for it.
    pub fn token(&mut self, kind: &str, value: &str) -> Option<&str> {
        let kind = kind.to_ascii_uppercase();
        if value.len() > MOST_VALUE_BYTES {
            return None;
        }
        let key = (kind, value.to_owned());
        if !self.tokens.contains_key(&key) {
            if self.values.len() >= MOST_VALUES {
                return None;
            }
            let count = self.counts.entry(key.0.clone()).or_default();
            *count += 1;
            let name = format!("{}_{count}", key.0);
            if name.len() + 2 > MOST_TOKEN_BYTES {
                return None;
            }
            self.values.insert(name.clone(), value.to_owned());
            self.tokens.insert(key.clone(), format!("<{name}>"));
        }
        self.tokens.get(&key).map(String::as_str)
    }

    /// Whether there is nothing to put back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text with values in the place of their placeholders. `json` says that it is JSON: values are escaped for it.
    #[must_use]
    pub fn restore<'a>(&self, text: &'a str, json: bool) -> Cow<'a, str> {
        let mut out = String::new();
        let mut done = 0;
        let mut at = 0;
        while let Some(start) = text.get(at..).and_then(opening).map(|offset| at + offset) {
            let rest = text.get(start..).unwrap_or_default();
            let (open, close) = if rest.starts_with('<') { ("<", ">") } else { ESCAPED };
            let inner = rest.get(open.len()..).unwrap_or_default();
            let name = inner.get(..name_length(inner)).unwrap_or_default();
            let is_closed = inner.get(name.len()..).is_some_and(|after| after.starts_with(close));
            let Some(value) = self.values.get(name).filter(|_| is_closed) else {
                at = start + open.len();
                continue;
            };
            out.push_str(text.get(done..start).unwrap_or_default());
            if json {
                push_escaped(value, &mut out)
            } else {
                out.push_str(value)
            }
            done = start + open.len() + name.len() + close.len();
            at = done;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }
}

/// As it stands between the quotes of a JSON string.
fn push_escaped(value: &str, out: &mut String) {
    let literal = serde_json::Value::from(value).to_string();
    out.push_str(literal.get(1..literal.len() - 1).unwrap_or_default());
}

/// Where a placeholder may begin.
fn opening(text: &str) -> Option<usize> {
    let plain = text.find('<');
    let escaped = text.find(ESCAPED.0);
    plain.into_iter().chain(escaped).min()
}

/// Bytes of what may be a placeholder's name.
fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_').count()
}

/// Puts values back into a running text: holds back what may become a placeholder.
#[derive(Debug, Default)]
pub struct Restorer {
    held: String,
}

impl Restorer {
    /// What may go out now.
    pub fn push(&mut self, vocabulary: &Vocabulary, delta: &str, json: bool) -> String {
        self.held.push_str(delta);
        let free = self.held.len() - unfinished(&self.held);
        let rest = self.held.split_off(free);
        let text = std::mem::replace(&mut self.held, rest);
        vocabulary.restore(&text, json).into_owned()
    }

    /// What was held back at the end.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Bytes at the end that may be the beginning of a placeholder.
fn unfinished(text: &str) -> usize {
    let first = text.floor_char_boundary(text.len().saturating_sub(MOST_TOKEN_BYTES + 2 * ESCAPED.0.len()));
    let starts = text.char_indices().rev().take_while(|(at, _)| *at >= first);
    let open = |(at, char): (usize, char)| {
        let tail = text.get(at..).unwrap_or_default();
        let could_grow = match char {
            '<' => name_length(tail.get(1..).unwrap_or_default()) + 1 == tail.len(),
            '\\' => {
                ESCAPED.0.starts_with(tail)
                    || tail.strip_prefix(ESCAPED.0).is_some_and(|inner| {
                        ESCAPED.1.starts_with(inner.get(name_length(inner)..).unwrap_or_default())
                            && !inner.ends_with(ESCAPED.1)
                    })
            }
            _ => false,
        };
        could_grow.then_some(tail.len())
    };
    starts.filter_map(open).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        assert_eq!(vocabulary.token("email", "ann@x.example"), Some("<EMAIL_1>"));
        assert_eq!(vocabulary.token("email", "bob \"b\" <b@x.example>"), Some("<EMAIL_2>"));
        assert_eq!(vocabulary.token("email", "ann@x.example"), Some("<EMAIL_1>"));
        assert_eq!(vocabulary.token("phone", "ann@x.example"), Some("<PHONE_1>"));
        vocabulary
    }

    #[test]
    fn what_was_replaced_comes_back() {
        let vocabulary = vocabulary();
        let check = |text: &str, expected: &str| assert_eq!(vocabulary.restore(text, false), expected);
        check("to <EMAIL_1>, <EMAIL_2>", "to ann@x.example, bob \"b\" <b@x.example>");
        check("<<EMAIL_1>> <EMAIL_3> < EMAIL_1> <EMAIL_1", "<ann@x.example> <EMAIL_3> < EMAIL_1> <EMAIL_1");
        check("nothing", "nothing");
        let escaped = vocabulary.restore("{\"to\": \"<EMAIL_2>\", \"cc\": \"\\u003cEMAIL_1\\u003e\"}", true);
        let read: serde_json::Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(read["to"], "bob \"b\" <b@x.example>");
        assert_eq!(read["cc"], "ann@x.example");
    }

    #[test]
    fn a_placeholder_may_be_cut_anywhere() {
        let vocabulary = vocabulary();
        for text in ["a <EMAIL_1> < <b> <EMAIL_12> é <PHONE_1>", "\\u003cEMAIL_1\\u003e \\u0041 \\", "<<<EMAIL_1", "x<"]
        {
            let whole = vocabulary.restore(text, false);
            for size in 1..=text.len() {
                let (mut restorer, mut out) = (Restorer::default(), String::new());
                let chars: Vec<char> = text.chars().collect();
                for piece in chars.chunks(size) {
                    out += &restorer.push(&vocabulary, &piece.iter().collect::<String>(), false);
                    assert!(restorer.held.len() <= MOST_TOKEN_BYTES + 2 * ESCAPED.0.len());
                }
                out += &restorer.finish();
                assert_eq!(out, whole, "{size}");
            }
        }
    }

    #[test]
    fn it_has_a_bound() {
        let mut vocabulary = Vocabulary::default();
        for value in 0..MOST_VALUES {
            assert!(vocabulary.token("n", &value.to_string()).is_some());
        }
        assert!(vocabulary.token("n", "one more").is_none() && vocabulary.token("n", "7").is_some());
        assert!(vocabulary.token("n", &"x".repeat(2_000)).is_none());
        assert!(!format!("{vocabulary:?}").contains("17"));
    }
}
